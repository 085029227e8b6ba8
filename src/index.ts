// Everything that `unreel` offers. Importing it runs nothing and fetches nothing.

export * as datasets from "./data/datasets/index.js";
export * as data from "./data/index.js";
export * as sequence from "./data/sequence/index.js";
export * as text from "./data/text/index.js";
export * as decode from "./decode/index.js";
export { OutOfMemoryError, UnreelError } from "./errors.js";
export type { Cell } from "./layers/cellLayers.js";
export * as constraints from "./layers/constraints.js";
export { input } from "./layers/core.js";
export * as layers from "./layers/index.js";
export * as initializers from "./layers/initializers.js";
export type { Layer } from "./layers/layer.js";
export * as ops from "./layers/operations.js";
export * as regularizers from "./layers/regularizers.js";
export type { SymbolicTensor } from "./layers/symbolic.js";
export type { LoadOptions, ModelSource } from "./model/load.js";
export { loadModel } from "./model/loadModel.js";
export { Model, model } from "./model/model.js";
export type { Assets } from "./model/predictor.js";
export type { BytesOptions, SaveOptions } from "./model/save.js";
export { Sequential, sequential } from "./model/sequential.js";
export * as torch from "./model/torch.js";
export type { DatasetFitOptions, FitOptions } from "./model/trainingData.js";
export { setRandomSeed } from "./random.js";
export {
  type DType,
  type NestedNumbers,
  type NestedOfRank,
  Tensor,
  type TensorLike,
  type TypedArray,
  tensor,
} from "./tensor.js";
export * as callbacks from "./training/callbacks/index.js";
export type { CompileOptions } from "./training/compileOptions.js";
export type { History } from "./training/fit.js";
export type { TensorFunction } from "./training/functions.js";
export * as losses from "./training/losses.js";
export * as metrics from "./training/metrics/index.js";
export * as optimizers from "./training/optimizers.js";
export * as schedules from "./training/schedules.js";
export { configure, engineInfo } from "./wasm/engine.js";
