// Scores of whole columns: F-beta and R². keras.io/api/metrics
import { inRange, show, UnreelError } from "../../errors.js";
import { choose, Metric, type MetricBatch, type Named, named, type Result, requireValues } from "./metric.js";

const EPSILON = 1e-7;
const sumOf = (values: ArrayLike<number>) => Array.from(values).reduce((a, b) => a + b, 0);

type Average = "micro" | "macro" | "weighted";
const AVERAGES = ["micro", "macro", "weighted"] as const;

interface F<A> extends Named {
  /** null (default): a score for each column; 'micro': one for all together; 'macro': their mean; 'weighted': their mean by how often
   * each is true. */
  average?: A;
  /** What counts as said; null (default): the largest of the row. */
  threshold?: number | null;
}
type Scores<A> = A extends Average ? number : readonly number[];

/** (1 + beta²) · precision · recall / (beta² · precision + recall). */
export function fBetaScore<A extends Average | null = null>(
  options: F<A> & { beta?: number } = {},
): Metric<Scores<A>> {
  const read = named(
    "fBetaScore",
    options,
    { average: null as Average | null, beta: 1, threshold: null as number | null },
    "fbeta_score",
  );
  inRange("metrics.fBetaScore: beta", read.beta, Number.MIN_VALUE, Number.MAX_VALUE);
  return score<A>("fBetaScore", read);
}

/** fBetaScore with beta 1. */
export function f1Score<A extends Average | null = null>(options: F<A> = {}): Metric<Scores<A>> {
  const defaults = { average: null as Average | null, threshold: null as number | null };
  return score<A>("f1Score", { ...named("f1Score", options, defaults, "f1_score"), beta: 1 });
}

function score<A>(
  metric: string,
  given: { name: string; average: Average | null; beta: number; threshold: number | null },
): Metric<Scores<A>> {
  const { beta, threshold } = given;
  const operation = `metrics.${metric}`;
  const average = given.average === null ? null : choose(`${operation}: average`, given.average, AVERAGES);
  if (threshold !== null) inRange(`${operation}: threshold`, threshold, Number.MIN_VALUE, 1, true);
  const made = new Metric<Result>({ metric, config: given }, () => {
    // For each column: said and true, said and not true, not said and true, true.
    const columns: number[][] = [];
    return {
      add(batch) {
        requireValues(metric, batch);
        for (let c = columns.length; c < batch.columns; c++) columns.push([0, 0, 0, 0]);
        eachSaid(batch, threshold, (column, said, truth, weight) => {
          const counts = columns[column];
          counts[0] += weight * said * truth;
          counts[1] += weight * said * (1 - truth);
          counts[2] += weight * (1 - said) * truth;
          counts[3] += weight * truth;
        });
      },
      result() {
        if (average === "micro") {
          return fScore(
            [0, 1, 2].map((k) => sumOf(columns.map((counts) => counts[k]))),
            beta,
          );
        }
        const scores = columns.map((counts) => fScore(counts, beta));
        if (average === null) return scores;
        if (scores.length === 0) return 0;
        if (average === "macro") return sumOf(scores) / scores.length;
        const support = columns.map((counts) => counts[3]);
        return sumOf(scores.map((each, c) => each * support[c])) / (sumOf(support) + EPSILON);
      },
    };
  });
  return made as unknown as Metric<Scores<A>>;
}

function eachSaid(
  { target, prediction, rows, columns, weights }: MetricBatch,
  threshold: number | null,
  take: (column: number, said: number, truth: number, weight: number) => void,
): void {
  const limit = threshold === null ? undefined : Math.fround(threshold);
  for (let row = 0; row < rows; row++) {
    const weight = weights ? weights[row] : 1;
    const start = row * columns;
    let top = Number.NEGATIVE_INFINITY;
    for (let c = 0; c < columns; c++) top = Math.max(top, prediction[start + c]);
    for (let c = 0; c < columns; c++) {
      const p = prediction[start + c];
      // A row of zeros says nothing.
      const said = limit === undefined ? p >= top && Math.abs(p) > 1e-9 : p > limit;
      take(c, said ? 1 : 0, target[start + c], weight);
    }
  }
}

function fScore([right, wrong, missed]: readonly number[], beta: number): number {
  const precision = right / (right + wrong + EPSILON);
  const recall = right / (right + missed + EPSILON);
  return ((1 + beta * beta) * precision * recall) / (beta * beta * precision + recall + EPSILON);
}

type Aggregation = "uniformAverage" | "varianceWeightedAverage";

/** 1 - Σ (yTrue - yPred)² / Σ (yTrue - mean)², for each column. */
export function r2Score<A extends Aggregation | null = "uniformAverage">(
  options: Named & {
    /** The mean over columns (default), the mean by variance, or null: one for each column. */
    classAggregation?: A;
    /** How many predictors the adjusted score is corrected for; 0 (default): none. */
    numRegressors?: number;
  } = {},
): Metric<A extends null ? readonly number[] : number> {
  const read = named(
    "r2Score",
    options,
    { classAggregation: "uniformAverage" as Aggregation | null, numRegressors: 0 },
    "r2_score",
  );
  const { numRegressors } = read;
  const operation = "metrics.r2Score";
  const aggregation =
    read.classAggregation === null
      ? null
      : choose(`${operation}: classAggregation`, read.classAggregation, [
          "uniformAverage",
          "varianceWeightedAverage",
        ]);
  if (!Number.isSafeInteger(numRegressors) || numRegressors < 0) {
    const got = show(numRegressors);
    throw new UnreelError({ operation: `${operation}: numRegressors`, expected: "an integer from 0", got });
  }
  const made = new Metric<Result>({ metric: "r2Score", config: read }, () => {
    // For each column, weighted: Σ 1, Σ y, Σ y², Σ (y - p)².
    const columns: number[][] = [];
    let numbers = 0;
    const adjusted = (raw: number) => {
      const rest = numbers - numRegressors - 1;
      return numRegressors === 0 || rest <= 0 ? raw : 1 - ((1 - raw) * (numbers - 1)) / rest;
    };
    return {
      add(batch) {
        requireValues("r2Score", batch);
        const { target, prediction, weights } = batch;
        for (let c = columns.length; c < batch.columns; c++) columns.push([0, 0, 0, 0]);
        // Keras counts numbers here, not samples.
        numbers += batch.rows * batch.columns;
        for (let i = 0; i < batch.rows * batch.columns; i++) {
          const sums = columns[i % batch.columns];
          const weight = weights ? weights[Math.floor(i / batch.columns)] : 1;
          const error = target[i] - prediction[i];
          sums[0] += weight;
          sums[1] += weight * target[i];
          sums[2] += weight * target[i] * target[i];
          sums[3] += weight * error * error;
        }
      },
      result() {
        if (columns.length === 0) return aggregation === null ? [] : 0;
        const totals = columns.map(([count, sum, squares]) => squares - (sum * sum) / count);
        const raw = columns.map(([, , , errors], c) => 1 - errors / totals[c]);
        const scores = raw.map((each) => (Math.abs(each) === Number.POSITIVE_INFINITY ? 0 : each));
        if (aggregation === null) return scores.map(adjusted);
        if (aggregation === "uniformAverage") return adjusted(sumOf(scores) / scores.length);
        return adjusted(sumOf(scores.map((each, c) => each * totals[c])) / sumOf(totals));
      },
    };
  });
  return made as unknown as Metric<A extends null ? readonly number[] : number>;
}
