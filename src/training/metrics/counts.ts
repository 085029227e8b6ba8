// True and false positives and negatives at one threshold or many, as keras/src/metrics/metrics_utils counts them.
// Not here: the metrics that are made of them (confusion.ts, curve.ts).
import { show, UnreelError } from "../../errors.js";
import { type MetricBatch, requireValues } from "./metric.js";

export interface Counting {
  /** Upwards. */
  readonly thresholds: readonly number[];
  /** Only the highest k of a row may be positive. */
  readonly topK?: number;
  /** Only this column counts. */
  readonly classId?: number;
  /** What each column weighs. */
  readonly columnWeights?: readonly number[];
  /** Each column has counts of its own. */
  readonly apart?: boolean;
}

/** Below every prediction. */
const LOWEST = -1e10;

/** Counts at each threshold. */
export class Counts {
  readonly truePositives: Float64Array;
  readonly falsePositives: Float64Array;
  /** Weight of all that is positive, and of all that is negative. */
  positives = 0;
  negatives = 0;

  constructor(thresholds: number) {
    this.truePositives = new Float64Array(thresholds);
    this.falsePositives = new Float64Array(thresholds);
  }

  falseNegatives(k: number): number {
    return this.positives - this.truePositives[k];
  }

  trueNegatives(k: number): number {
    return this.negatives - this.falsePositives[k];
  }
}

/** Whether Keras counts by buckets, which differs in the last digit: thresholds from 0 to 1 in equal steps (numpy.allclose). */
function areEven(thresholds: readonly number[]): boolean {
  const last = thresholds.length - 1;
  if (last < 2) return false;
  return thresholds.every((threshold, k) => Math.abs(threshold - k / last) <= 1e-7 + 1e-5 * (k / last));
}

/** Adds batches to counts: one for all columns, or one for each. */
export class Counter {
  readonly #counting: Counting;
  readonly #metric: string;
  readonly #thresholdsAbove: (prediction: number) => number;
  counts: Counts[] = [];

  constructor(metric: string, counting: Counting) {
    this.#metric = metric;
    this.#counting = counting;
    const { thresholds } = counting;
    if (!counting.apart) this.counts.push(new Counts(thresholds.length));
    const last = thresholds.length - 1;
    // Keras' float32: the thresholds, and the product that finds a bucket.
    if (areEven(thresholds)) {
      const least = thresholds[0] < 0 || thresholds[last] > 1 ? 1 : 0;
      this.#thresholdsAbove = (p) =>
        Math.max(Math.ceil(Math.fround(Math.min(Math.max(p, 0), 1) * last)), least);
    } else {
      const limits = thresholds.map(Math.fround);
      this.#thresholdsAbove = (p) => {
        let [low, high] = [0, limits.length];
        while (low < high) {
          const middle = (low + high) >> 1;
          if (p > limits[middle]) low = middle + 1;
          else high = middle;
        }
        return low;
      };
    }
  }

  add(batch: MetricBatch): void {
    requireValues(this.#metric, batch);
    const { target, prediction, rows, columns, weights } = batch;
    const { thresholds, topK, classId, columnWeights, apart } = this.#counting;
    this.#check(columns);
    while (apart && this.counts.length < columns) this.counts.push(new Counts(thresholds.length));
    for (let row = 0; row < rows; row++) {
      const rowWeight = weights ? weights[row] : 1;
      if (rowWeight === 0) continue;
      const chosen = topK === undefined ? undefined : highest(prediction, row * columns, columns, topK);
      for (let column = 0; column < columns; column++) {
        if (classId !== undefined && column !== classId) continue;
        const i = row * columns + column;
        const weight = columnWeights && !apart ? rowWeight * columnWeights[column] : rowWeight;
        const above = this.#thresholdsAbove(chosen && !chosen.has(column) ? LOWEST : prediction[i]);
        const counts = this.counts[apart ? column : 0];
        // Where it falls; `finished` adds up what lies above each threshold.
        if (target[i] !== 0) {
          counts.positives += weight;
          if (above > 0) counts.truePositives[above - 1] += weight;
        } else {
          counts.negatives += weight;
          if (above > 0) counts.falsePositives[above - 1] += weight;
        }
      }
    }
  }

  /** The counts at each threshold: what lies above it. */
  finished(): Counts[] {
    return this.counts.map((counts) => {
      const out = new Counts(counts.truePositives.length);
      out.positives = counts.positives;
      out.negatives = counts.negatives;
      let [truly, falsely] = [0, 0];
      for (let k = counts.truePositives.length - 1; k >= 0; k--) {
        truly += counts.truePositives[k];
        falsely += counts.falsePositives[k];
        out.truePositives[k] = truly;
        out.falsePositives[k] = falsely;
      }
      return out;
    });
  }

  #check(columns: number): void {
    const { classId, topK, columnWeights } = this.#counting;
    const operation = `metrics.${this.#metric}`;
    if (classId !== undefined && classId >= columns) {
      const expected = `a class from 0 to ${columns - 1}`;
      throw new UnreelError({ operation: `${operation}: classId`, expected, got: show(classId) });
    }
    if (topK !== undefined && topK > columns) {
      const expected = `at most ${columns}, the number of columns`;
      throw new UnreelError({ operation: `${operation}: topK`, expected, got: show(topK) });
    }
    if (columnWeights && columnWeights.length !== columns) {
      const expected = `${columns} weights`;
      throw new UnreelError({
        operation: `${operation}: labelWeights`,
        expected,
        got: `${columnWeights.length}`,
      });
    }
  }
}

/** The columns of the k largest numbers; of equal ones the first. */
function highest(values: ArrayLike<number>, start: number, length: number, k: number): Set<number> {
  const order = Array.from({ length }, (_, column) => column);
  order.sort((a, b) => values[start + b] - values[start + a] || a - b);
  return new Set(order.slice(0, k));
}

/** part / whole, and 0 for 0 / 0. */
export const ratio = (part: number, whole: number) => (whole === 0 ? 0 : part / whole);
