// `metrics.*`. Not here: metrics by name (resolveMetric.ts). keras.io/api/metrics
import type { TensorFunction } from "../functions.js";
import type { Loss } from "../loss.js";
import type { Metric } from "./metric.js";

export * from "./accuracy.js";
export {
  falseNegatives,
  falsePositives,
  precision,
  recall,
  trueNegatives,
  truePositives,
} from "./confusion.js";
export * from "./curve.js";
export {
  binaryCrossentropy,
  categoricalCrossentropy,
  categoricalHinge,
  cosineSimilarity,
  hinge,
  klDivergence,
  logCoshError,
  mean,
  meanAbsoluteError,
  meanAbsolutePercentageError,
  meanMetricWrapper,
  meanSquaredError,
  meanSquaredLogarithmicError,
  poisson,
  rootMeanSquaredError,
  sparseCategoricalCrossentropy,
  squaredHinge,
  sum,
} from "./mean.js";
export { Metric, type Result } from "./metric.js";
export * from "./score.js";

export type MetricLike = Metric | Loss | TensorFunction | string;
