// Metrics that are a mean: of a value of each row, of a loss, of a function of symbolic tensors, of plain values.
import { show, UnreelError } from "../../errors.js";
import { readOptions, snakeCase } from "../../layers/options.js";
import { type TensorLike, tensor } from "../../tensor.js";
import type { Rows, RowValue } from "../formulas.js";
import { functionName, type TensorFunction } from "../functions.js";
import * as losses from "../losses.js";
import { spread } from "../rows.js";
import { Metric, type MetricBatch, type Named, named, requireValues, type State } from "./metric.js";

/** The mean over rows, each as often as it weighs; `finish` makes the result of it. */
export function meanOf(
  rowsOf: (batch: MetricBatch) => RowValue,
  finish = (mean: number) => mean,
): () => State<number> {
  return () => {
    let total = 0;
    let count = 0;
    return {
      add(batch) {
        const value = rowsOf(batch);
        for (let row = 0; row < batch.rows; row++) {
          const weight = batch.weights ? batch.weights[row] : 1;
          if (weight === 0) continue;
          total += weight * value(row);
          count += weight;
        }
      },
      result: () => (count === 0 ? 0 : finish(total / count)),
    };
  };
}

/** The mean over a row of a function of each pair. */
export function eachColumn(
  metric: string,
  term: (target: number, prediction: number) => number,
): (rows: Rows) => RowValue {
  return (rows) => {
    requireValues(metric, rows);
    const { target, prediction, columns } = rows;
    return (row) => {
      let sum = 0;
      for (let i = row * columns; i < (row + 1) * columns; i++) sum += term(target[i], prediction[i]);
      return sum / columns;
    };
  };
}

/** The mean of a loss: its rows, checked to be of its kind. */
function ofLoss(metric: string, loss: losses.Loss, sign = 1): (batch: MetricBatch) => RowValue {
  return (batch) => {
    if (!loss.sparse) requireValues(metric, batch);
    else if (!batch.sparse) {
      throw new UnreelError({
        operation: `metrics.${metric}`,
        expected: "class numbers as targets",
        got: "targets like the output",
        hint: "For one-hot targets use 'categoricalCrossentropy'.",
      });
    }
    const value = loss.rows(batch);
    return (row) => sign * value(row);
  };
}

function lossMetric(metric: string, loss: () => losses.Loss, name?: string, sign = 1) {
  return (options: Named = {}): Metric<number> =>
    new Metric({ metric, config: named(metric, options, {}, name) }, meanOf(ofLoss(metric, loss(), sign)));
}

/** Mean of (yTrue - yPred)². */
export const meanSquaredError = lossMetric("meanSquaredError", losses.meanSquaredError);
/** Mean of |yTrue - yPred|. */
export const meanAbsoluteError = lossMetric("meanAbsoluteError", losses.meanAbsoluteError);
/** 100 · mean of |yTrue - yPred| / max(|yTrue|, 1e-7). */
export const meanAbsolutePercentageError = lossMetric(
  "meanAbsolutePercentageError",
  losses.meanAbsolutePercentageError,
);
/** Mean of (log(1 + yTrue) - log(1 + yPred))². */
export const meanSquaredLogarithmicError = lossMetric(
  "meanSquaredLogarithmicError",
  losses.meanSquaredLogarithmicError,
);
/** Mean of log(cosh(yPred - yTrue)). */
export const logCoshError = lossMetric("logCoshError", losses.logCosh, "logcosh");
/** Mean of yPred - yTrue · log(yPred + 1e-7). */
export const poisson = lossMetric("poisson", losses.poisson);
/** Mean of Σ yTrue · log(yTrue / yPred). */
export const klDivergence = lossMetric("klDivergence", losses.kullbackLeiblerDivergence, "kl_divergence");
/** Mean of max(1 - yTrue · yPred, 0). */
export const hinge = lossMetric("hinge", losses.hinge);
/** Mean of max(1 - yTrue · yPred, 0)². */
export const squaredHinge = lossMetric("squaredHinge", losses.squaredHinge);
/** Mean of max(max((1 - yTrue) · yPred) - Σ yTrue · yPred + 1, 0). */
export const categoricalHinge = lossMetric("categoricalHinge", losses.categoricalHinge);
/** Mean of the cosine of the angle between yTrue and yPred: 1 where they point the same way. */
export const cosineSimilarity = lossMetric(
  "cosineSimilarity",
  losses.cosineSimilarity,
  "cosine_similarity",
  -1,
);

/** √ of the mean of (yTrue - yPred)². */
export function rootMeanSquaredError(options: Named = {}): Metric<number> {
  const metric = "rootMeanSquaredError";
  const config = named(metric, options, {});
  return new Metric({ metric, config }, meanOf(ofLoss(metric, losses.meanSquaredError()), Math.sqrt));
}

interface Entropy extends Named {
  /** yPred holds logits instead of probabilities. Default false. */
  fromLogits?: boolean;
  /** As of the loss. Default 0. */
  labelSmoothing?: number;
}

function entropy(
  metric: string,
  options: Entropy,
  loss: (options: { fromLogits: boolean; labelSmoothing: number }) => losses.Loss,
): Metric<number> {
  const config = named(metric, options, { fromLogits: false, labelSmoothing: 0 });
  const { fromLogits, labelSmoothing } = config;
  return new Metric({ metric, config }, meanOf(ofLoss(metric, loss({ fromLogits, labelSmoothing }))));
}

/** Mean of the loss of that name. */
export const binaryCrossentropy = (options: Entropy = {}) =>
  entropy("binaryCrossentropy", options, losses.binaryCrossentropy);
/** Mean of the loss of that name; one-hot targets. */
export const categoricalCrossentropy = (options: Entropy = {}) =>
  entropy("categoricalCrossentropy", options, losses.categoricalCrossentropy);

/** The same with class numbers. */
export function sparseCategoricalCrossentropy(
  options: Named & { fromLogits?: boolean } = {},
): Metric<number> {
  const metric = "sparseCategoricalCrossentropy";
  const config = named(metric, options, { fromLogits: false });
  const loss = losses.sparseCategoricalCrossentropy({ fromLogits: config.fromLogits });
  return new Metric({ metric, config }, meanOf(ofLoss(metric, loss)), { sparse: true });
}

/** The mean of what a function of symbolic tensors (inside a model) or a loss says of each row. A single value counts once a batch. */
export function meanMetricWrapper(options: Named & { fn: TensorFunction | losses.Loss }): Metric<number> {
  const operation = "metrics.meanMetricWrapper";
  const { name, fn } = readOptions(operation, options, {
    name: undefined as string | undefined,
    fn: undefined as TensorFunction | losses.Loss | undefined,
  });
  if (fn instanceof losses.Loss) {
    if (fn.axis !== undefined) {
      const expected = "a loss that counts row by row";
      throw new UnreelError({ operation: `${operation}: fn`, expected, got: `losses.${fn.name}` });
    }
    const metric = name ?? snakeCase(fn.name);
    return new Metric({ metric: "own", config: { name: metric } }, meanOf(ofLoss(metric, fn)), {
      sparse: fn.sparse,
    });
  }
  if (typeof fn !== "function") {
    const expected = "a function of symbolic tensors (yTrue, yPred), or a loss";
    throw new UnreelError({ operation: `${operation}: fn`, expected, got: show(fn) });
  }
  return new Metric({ metric: "own", config: { name: name ?? functionName(fn) } }, meanOfValues, { fn });
}

/** The mean of values that a program has computed; finer ones than rows count for their row. */
function meanOfValues(): State<number> {
  let total = 0;
  let count = 0;
  return {
    add({ values, weights }) {
      const numbers = values!;
      // What is one value for all rows, or for all steps, is not weighed by them.
      const weighs = weights && numbers.length >= weights.length ? weights : undefined;
      const below = weighs ? numbers.length / weighs.length : 1;
      for (let i = 0; i < numbers.length; i++) {
        const weight = weighs ? weighs[Math.floor(i / below)] : 1;
        if (weight === 0) continue;
        total += weight * numbers[i];
        count += weight;
      }
    },
    result: () => (count === 0 ? 0 : total / count),
  };
}

/** The sum or the mean of plain values: not of targets and predictions, so not for compile. */
class Aggregate {
  readonly name: string;
  readonly #isMean: boolean;
  #total = 0;
  #count = 0;

  constructor(name: string, isMean: boolean) {
    this.name = name;
    this.#isMean = isMean;
  }

  /** Adds values of any shape; sampleWeight as their first axes. */
  update(values: TensorLike, options: { sampleWeight?: TensorLike } = {}): this {
    const operation = `metrics.${this.name}: update`;
    const { sampleWeight } = readOptions(operation, options, {
      sampleWeight: undefined as TensorLike | undefined,
    });
    const { data, shape } = tensor(values);
    const weight =
      sampleWeight === undefined
        ? () => 1
        : spread(`${operation}: sampleWeight`, tensor(sampleWeight), shape);
    data.forEach((value, i) => {
      this.#total += weight(i) * value;
      this.#count += weight(i);
    });
    return this;
  }

  result(): number {
    if (!this.#isMean) return this.#total;
    return this.#count === 0 ? 0 : this.#total / this.#count;
  }

  reset(): void {
    this.#total = 0;
    this.#count = 0;
  }
}

/** The weighted mean of plain values: `metrics.mean().update(values, { sampleWeight }).result()`. */
export const mean = (options: Named = {}) => new Aggregate(named("mean", options, {}).name, true);
/** Their weighted sum. */
export const sum = (options: Named = {}) => new Aggregate(named("sum", options, {}).name, false);
