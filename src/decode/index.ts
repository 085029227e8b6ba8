// `decode.*`: from probabilities to ids, and from a function that predicts the next id to whole sequences.
export { type BeamSearchOptions, beamSearch } from "./beamSearch.js";
export { greedy } from "./greedy.js";
export { type SampleOptions, type Sampler, sample } from "./sample.js";
export type { Decoded, GenerateOptions, Next, Step } from "./step.js";
