export { type PadSequencesOptions, padSequences } from "./padSequences.js";
