// What `sequence.*` offers. Not here: how it works.
export { type PadSequencesOptions, padSequences } from "./padSequences.js";
export { makeSamplingTable, type SkipgramsOptions, skipgrams } from "./skipgrams.js";
export { type TimeseriesOptions, timeseriesDatasetFromArray } from "./timeseries.js";
