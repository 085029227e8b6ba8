// `ops.*`: functions of symbolic tensors, for a user's own cells, losses and metrics. Each is a layer without weights. Names and
// order of arguments are those of keras.ops, and as there no mask passes through them. keras.io/api/ops
export * from "./operations/arithmetic.js";
export * from "./operations/elementwise.js";
export * from "./operations/reductions.js";
export * from "./operations/shapes.js";
