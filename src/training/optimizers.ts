// `optimizers.*`. One rule a file in optimizers/. Not here: optimizers by name (resolveOptimizer.ts). keras.io/api/optimizers
import type { Optimizer } from "./optimizers/optimizer.js";

export { adadelta } from "./optimizers/adadelta.js";
export { adagrad } from "./optimizers/adagrad.js";
export { adam, adamw } from "./optimizers/adam.js";
export { adamax } from "./optimizers/adamax.js";
export { lion } from "./optimizers/lion.js";
export { nadam } from "./optimizers/nadam.js";
export { Optimizer } from "./optimizers/optimizer.js";
export { rmsprop } from "./optimizers/rmsprop.js";
export { sgd } from "./optimizers/sgd.js";

export type OptimizerLike = Optimizer | string;
