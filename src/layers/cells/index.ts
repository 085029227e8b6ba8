// The registry of built-in cells. Tests walk it.
export type { Cell, CellConfig } from "./cell.js";
export { gru } from "./gru.js";
export { lstm } from "./lstm.js";
export { simple } from "./simple.js";
