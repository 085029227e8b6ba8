// Metrics of true and false positives and negatives at a threshold, or at several. keras.io/api/metrics/classification_metrics
import { inRange, positiveInteger, show, UnreelError } from "../../errors.js";
import { Counter, type Counting, type Counts, ratio } from "./counts.js";
import { type Made, Metric, type Named, named, type Result } from "./metric.js";

interface Thresholds<T> extends Named {
  /** Positive is what is above it: a number (default 0.5), or a list for a result at each. */
  thresholds?: T | null;
}

interface Chosen<T> extends Thresholds<T> {
  /** Only the k highest predictions of a row may be positive; then all of them are, unless thresholds are given too. */
  topK?: number | null;
  /** Only this column counts. */
  classId?: number | null;
}

/** One threshold gives a number, a list gives a list. */
type At<T> = T extends readonly number[] ? readonly number[] : number;

export function readThresholds(operation: string, given: unknown, byDefault: number): readonly number[] {
  if (given === null || given === undefined) return [byDefault];
  const thresholds = [given].flat();
  if (thresholds.length === 0) {
    throw new UnreelError({ operation, expected: "a number or a list of numbers in [0, 1]", got: "none" });
  }
  return thresholds.map((threshold) => inRange(operation, threshold, 0, 1, true));
}

/** A class number, or none. */
export function readClassId(operation: string, given: unknown): number | undefined {
  if (given === null || given === undefined) return undefined;
  if (typeof given === "number" && Number.isSafeInteger(given) && given >= 0) return given;
  throw new UnreelError({ operation, expected: "the number of a class, from 0", got: show(given) });
}

/** A metric that is a function of the counts at each threshold. */
function atThresholds(
  metric: string,
  config: Made["config"],
  counting: Counting,
  measure: (counts: Counts, k: number) => number,
): Metric<Result> {
  // The counter wants them upwards; the result is in the order in which they were given.
  const order = counting.thresholds.map((_, k) => k);
  order.sort((a, b) => counting.thresholds[a] - counting.thresholds[b]);
  const sorted = { ...counting, thresholds: order.map((k) => counting.thresholds[k]) };
  return new Metric<Result>({ metric, config }, () => {
    const counter = new Counter(metric, sorted);
    return {
      add: (batch) => counter.add(batch),
      result() {
        const [counts] = counter.finished();
        const values = order.map(() => 0);
        order.forEach((place, k) => {
          values[place] = measure(counts, k);
        });
        return values.length === 1 ? values[0] : values;
      },
    };
  });
}

function counted(metric: string, measure: (counts: Counts, k: number) => number) {
  return <T extends number | readonly number[] = number>(options: Thresholds<T> = {}): Metric<At<T>> => {
    const config = named(metric, options, { thresholds: null as unknown });
    const read = readThresholds(`metrics.${metric}: thresholds`, config.thresholds, 0.5);
    return atThresholds(metric, config, { thresholds: read }, measure) as unknown as Metric<At<T>>;
  };
}

/** Weight of what was rightly said to be positive. */
export const truePositives = counted("truePositives", (counts, k) => counts.truePositives[k]);
/** Weight of what was rightly said to be negative. */
export const trueNegatives = counted("trueNegatives", (counts, k) => counts.trueNegatives(k));
/** Weight of what was wrongly said to be positive. */
export const falsePositives = counted("falsePositives", (counts, k) => counts.falsePositives[k]);
/** Weight of what was wrongly said to be negative. */
export const falseNegatives = counted("falseNegatives", (counts, k) => counts.falseNegatives(k));

function share(metric: string, measure: (counts: Counts, k: number) => number) {
  return <T extends number | readonly number[] = number>(options: Chosen<T> = {}): Metric<At<T>> => {
    const read = named(metric, options, {
      thresholds: null as unknown,
      topK: null as number | null,
      classId: null as number | null,
    });
    const operation = `metrics.${metric}`;
    const topK = read.topK === null ? undefined : positiveInteger(`${operation}: topK`, read.topK);
    const classId = readClassId(`${operation}: classId`, read.classId);
    const thresholds = readThresholds(`${operation}: thresholds`, read.thresholds, topK ? -1e10 : 0.5);
    const counting = { thresholds, topK, classId };
    return atThresholds(metric, read, counting, measure) as unknown as Metric<At<T>>;
  };
}

/** Share of what was said to be positive that is. */
export const precision = share("precision", (counts, k) =>
  ratio(counts.truePositives[k], counts.truePositives[k] + counts.falsePositives[k]),
);
/** Share of what is positive that was said to be. */
export const recall = share("recall", (counts, k) => ratio(counts.truePositives[k], counts.positives));
