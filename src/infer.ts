// `unreel/infer`: saved models, run. No training, and kernels for the way forward alone. Importing it runs nothing and fetches nothing.

/** Of `unreel`'s, what models are asked with: the rest makes data to train on. */
export * as sequence from "./data/sequence/padSequences.js";
export { OutOfMemoryError, UnreelError } from "./errors.js";
export type { Layer } from "./layers/layer.js";
export type { SymbolicTensor } from "./layers/symbolic.js";
export { loadModel, SavedModel } from "./model/savedModel.js";
export type { Stream } from "./model/stream.js";
export {
  type DType,
  type NestedNumbers,
  type NestedOfRank,
  Tensor,
  type TensorLike,
  type TypedArray,
  tensor,
} from "./tensor.js";
export { configure, engineInfo } from "./wasm/engine.js";
