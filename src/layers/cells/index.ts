// The registry of built-in cells. Tests walk it.
export { type Cell, type CellConfig, type CellWeights, isFused } from "./cell.js";
export { gru } from "./gru.js";
export { lstm } from "./lstm.js";
export { StepMath } from "./math.js";
export { simple } from "./simple.js";
