// Layers that weigh steps by their products: attention, dot.
export { additiveAttention, attention } from "./attention.js";
export { dot } from "./dot.js";
export { multiHeadAttention } from "./multiHeadAttention.js";
