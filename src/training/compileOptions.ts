// What compile is given, as the user gives it. Not here: what becomes of it (model/compile.ts).
import type { LossLike } from "./losses.js";
import type { MetricLike } from "./metrics/index.js";
import type { OptimizerLike } from "./optimizers.js";

/** A list for one output; for several a list of lists, or a record by output name. */
export type MetricLists =
  | readonly (MetricLike | readonly MetricLike[] | null)[]
  | Readonly<Record<string, MetricLike | readonly MetricLike[] | null>>;

export interface CompileOptions {
  /** Default 'rmsprop', as in Keras. */
  optimizer?: OptimizerLike;
  /** A name, an object or a function (yTrue, yPred) of symbolic tensors: one for all outputs, a list in their order, or a record by
   * output name. An output whose loss is null is not trained. */
  loss: LossLike | readonly (LossLike | null)[] | Readonly<Record<string, LossLike | null>>;
  /** Names, objects or functions (yTrue, yPred) of symbolic tensors. They do not see sample weights. */
  metrics?: MetricLists;
  /** The same, with sample weights and class weights. */
  weightedMetrics?: MetricLists;
  /** What each output's loss counts in the whole, 1 by default: a list in their order, or a record by output name. */
  lossWeights?: readonly number[] | Readonly<Record<string, number>>;
}
