// Metrics by object, by function or by Keras' name. Not here: what each is (one family a file).
import { show, UnreelError } from "../../errors.js";
import { lookUp } from "../../layers/options.js";
import type { TensorFunction } from "../functions.js";
import { Loss } from "../loss.js";
import * as accuracies from "./accuracy.js";
import * as confusion from "./confusion.js";
import * as curves from "./curve.js";
import * as means from "./mean.js";
import { Metric, type Named } from "./metric.js";
import * as scores from "./score.js";

/** Every metric by its name, those that can do without options. Tests walk it. */
export const registry: Readonly<Record<string, (options?: Named) => Metric>> = {
  accuracy: accuracies.accuracy,
  binaryAccuracy: accuracies.binaryAccuracy,
  categoricalAccuracy: accuracies.categoricalAccuracy,
  sparseCategoricalAccuracy: accuracies.sparseCategoricalAccuracy,
  topKCategoricalAccuracy: accuracies.topKCategoricalAccuracy,
  sparseTopKCategoricalAccuracy: accuracies.sparseTopKCategoricalAccuracy,
  meanSquaredError: means.meanSquaredError,
  rootMeanSquaredError: means.rootMeanSquaredError,
  meanAbsoluteError: means.meanAbsoluteError,
  meanAbsolutePercentageError: means.meanAbsolutePercentageError,
  meanSquaredLogarithmicError: means.meanSquaredLogarithmicError,
  cosineSimilarity: means.cosineSimilarity,
  logCoshError: means.logCoshError,
  hinge: means.hinge,
  squaredHinge: means.squaredHinge,
  categoricalHinge: means.categoricalHinge,
  binaryCrossentropy: means.binaryCrossentropy,
  categoricalCrossentropy: means.categoricalCrossentropy,
  sparseCategoricalCrossentropy: means.sparseCategoricalCrossentropy,
  klDivergence: means.klDivergence,
  poisson: means.poisson,
  truePositives: confusion.truePositives,
  trueNegatives: confusion.trueNegatives,
  falsePositives: confusion.falsePositives,
  falseNegatives: confusion.falseNegatives,
  precision: confusion.precision,
  recall: confusion.recall,
  auc: curves.auc,
  fBetaScore: scores.fBetaScore,
  f1Score: scores.f1Score,
  r2Score: scores.r2Score,
};

const aliases: Record<string, string> = {
  acc: "accuracy",
  auc: "auc",
  bce: "binaryCrossentropy",
  cce: "categoricalCrossentropy",
  mse: "meanSquaredError",
  rmse: "rootMeanSquaredError",
  mae: "meanAbsoluteError",
  mape: "meanAbsolutePercentageError",
  msle: "meanSquaredLogarithmicError",
  kld: "klDivergence",
  kldivergence: "klDivergence",
  kullbackleiblerdivergence: "klDivergence",
  logcosh: "logCoshError",
  fbetascore: "fBetaScore",
};

/** A metric by object, by function or by Keras' name; in histories a name keeps its spelling, unless it is ours in camelCase. */
export function resolveMetric(operation: string, given: unknown): Metric {
  if (typeof given === "string") {
    const made = lookUp(operation, given, registry, aliases);
    return made(Object.hasOwn(registry, given) ? {} : { name: given });
  }
  if (given instanceof Metric) return given;
  if (typeof given === "function" && Object.values<unknown>(registry).includes(given)) {
    const hint = "Call it: metrics.auc({ … }).";
    throw new UnreelError({ operation, expected: "a metric", got: "the function that makes one", hint });
  }
  if (typeof given === "function" || given instanceof Loss) {
    return means.meanMetricWrapper({ fn: given as TensorFunction | Loss });
  }
  const hint =
    "Give a name such as 'accuracy', an object such as metrics.binaryAccuracy({ threshold: 0.7 }), or a function.";
  throw new UnreelError({ operation, expected: "a metric", got: show(given), hint });
}
