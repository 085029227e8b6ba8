// Accuracies: shares of what was predicted right. keras.io/api/metrics/accuracy_metrics
import { inRange, positiveInteger } from "../../errors.js";
import type { Rows, RowValue } from "../formulas.js";
import { eachColumn, meanOf } from "./mean.js";
import { Metric, type Named, named, requireValues } from "./metric.js";

function largest(values: ArrayLike<number>, start: number, length: number): number {
  let best = 0;
  for (let i = 1; i < length; i++) if (values[start + i] > values[start + best]) best = i;
  return best;
}

/** The class that a row's target names: its number, or the place of its largest value. */
function targetClass({ target, columns, sparse }: Rows, row: number): number {
  return sparse ? target[row] : largest(target, row * columns, columns);
}

const isMostProbable =
  (rows: Rows): RowValue =>
  (row) =>
    largest(rows.prediction, row * rows.columns, rows.columns) === targetClass(rows, row) ? 1 : 0;

const isAmong =
  (k: number) =>
  (rows: Rows): RowValue =>
  (row) => {
    const { prediction, columns } = rows;
    const chosen = prediction[row * columns + targetClass(rows, row)];
    let higher = 0;
    for (let i = 0; i < columns; i++) if (prediction[row * columns + i] > chosen) higher++;
    return higher < k ? 1 : 0;
  };

/** Predictions are float32: so is what they are compared with. */
const isOnSide = (metric: string, threshold: number) => {
  const limit = Math.fround(threshold);
  return eachColumn(metric, (target, prediction) => (target === (prediction > limit ? 1 : 0) ? 1 : 0));
};

/** Share of rows whose most probable class is the target's, or of numbers on the right side of 0.5: by the output's shape. */
export function accuracy(options: Named = {}): Metric<number> {
  const config = named("accuracy", options, {});
  const binary = isOnSide("accuracy", 0.5);
  return new Metric(
    { metric: "accuracy", config },
    meanOf((batch) => (batch.columns === 1 ? binary : isMostProbable)(batch)),
  );
}

/** Share of numbers on the target's side of `threshold` (default 0.5). */
export function binaryAccuracy(options: Named & { threshold?: number } = {}): Metric<number> {
  const config = named("binaryAccuracy", options, { threshold: 0.5 });
  const threshold = inRange("metrics.binaryAccuracy: threshold", config.threshold, 0, 1, true);
  return new Metric({ metric: "binaryAccuracy", config }, meanOf(isOnSide("binaryAccuracy", threshold)));
}

/** Share of rows whose most probable class is that of the one-hot target. */
export function categoricalAccuracy(options: Named = {}): Metric<number> {
  return new Metric(
    { metric: "categoricalAccuracy", config: named("categoricalAccuracy", options, {}) },
    meanOf((batch) => {
      requireValues("categoricalAccuracy", batch);
      return isMostProbable(batch);
    }),
  );
}

/** Share of rows whose most probable class is the target's number. */
export function sparseCategoricalAccuracy(options: Named = {}): Metric<number> {
  const config = named("sparseCategoricalAccuracy", options, {});
  return new Metric({ metric: "sparseCategoricalAccuracy", config }, meanOf(isMostProbable), {
    sparse: true,
  });
}

function topK(metric: string, options: Named & { k?: number }, sparse: boolean): Metric<number> {
  const config = named(metric, options, { k: 5 });
  const k = positiveInteger(`metrics.${metric}: k`, config.k);
  return new Metric({ metric, config }, meanOf(isAmong(k)), { sparse });
}

/** Share of rows whose target is among the `k` (default 5) most probable classes; one-hot targets. */
export const topKCategoricalAccuracy = (options: Named & { k?: number } = {}) =>
  topK("topKCategoricalAccuracy", options, false);
/** The same with class numbers. */
export const sparseTopKCategoricalAccuracy = (options: Named & { k?: number } = {}) =>
  topK("sparseTopKCategoricalAccuracy", options, true);
