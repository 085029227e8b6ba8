// Metrics over all thresholds: the area under a curve, and the best of one rate where another is high enough.
// keras.io/api/metrics/classification_metrics
import { inRange, positiveInteger, show, UnreelError } from "../../errors.js";
import { logarithm } from "../../numerics.js";
import { probabilities } from "../formulas.js";
import { readClassId, readThresholds } from "./confusion.js";
import { Counter, type Counts, ratio } from "./counts.js";
import { choose, Metric, type Named, named } from "./metric.js";

/** Equal steps between 0 and 1, both without. */
const between = (count: number) => Array.from({ length: count - 2 }, (_, k) => (k + 1) / (count - 1));

const CURVES = ["ROC", "PR", "PRGAIN"] as const;
const SUMMATIONS = ["interpolation", "minoring", "majoring"] as const;
type Curve = (typeof CURVES)[number];
type Summation = (typeof SUMMATIONS)[number];

interface AucOptions extends Named {
  /** Default 200. */
  numThresholds?: number;
  /** Receiver operating characteristic (default), precision over recall, or their gains. */
  curve?: Curve | Lowercase<Curve>;
  /** How the steps of the curve are joined. Default 'interpolation'. */
  summationMethod?: Summation;
  /** In the place of numThresholds: those between 0 and 1. */
  thresholds?: readonly number[] | null;
  /** An area for each column, and their mean. */
  multiLabel?: boolean;
  numLabels?: number | null;
  /** What each column weighs. */
  labelWeights?: readonly number[] | null;
  /** yPred holds logits. */
  fromLogits?: boolean;
}

/** Area under the curve that the counts at all thresholds draw. */
export function auc(options: AucOptions = {}): Metric<number> {
  const read = named("auc", options, {
    numThresholds: 200,
    curve: "ROC" as string,
    summationMethod: "interpolation" as Summation,
    thresholds: null as readonly number[] | null,
    multiLabel: false,
    numLabels: null as number | null,
    labelWeights: null as readonly number[] | null,
    fromLogits: false,
  });
  const { multiLabel, labelWeights, fromLogits } = read;
  const curve = choose("metrics.auc: curve", show(read.curve).replaceAll("'", "").toUpperCase(), CURVES);
  const method = choose("metrics.auc: summationMethod", read.summationMethod, SUMMATIONS);
  if (positiveInteger("metrics.auc: numThresholds", read.numThresholds) < 2) {
    throw new UnreelError({ operation: "metrics.auc: numThresholds", expected: "2 or more", got: "1" });
  }
  if (labelWeights !== null && !(Array.isArray(labelWeights) && labelWeights.every(Number.isFinite))) {
    const got = show(labelWeights);
    throw new UnreelError({ operation: "metrics.auc: labelWeights", expected: "a list of numbers", got });
  }
  const inner = read.thresholds
    ? [...readThresholds("metrics.auc: thresholds", read.thresholds, 0.5)].sort((a, b) => a - b)
    : between(read.numThresholds);
  // A little below 0 and above 1, so that all is positive at the first and nothing at the last.
  const thresholds = [-1e-7, ...inner, 1 + 1e-7];
  const columnWeights = labelWeights ?? undefined;
  return new Metric({ metric: "auc", config: { ...read, curve } }, () => {
    const counter = new Counter("auc", { thresholds, apart: multiLabel, columnWeights });
    return {
      add: (batch) => counter.add(fromLogits ? { ...batch, ...probabilities(batch, "sigmoid") } : batch),
      result() {
        const areas = counter.finished().map((counts) => area(counts, curve, method));
        if (!multiLabel) return areas[0];
        const weights = areas.map((_, column) => columnWeights?.[column] ?? 1);
        const sum = areas.reduce((total, each, column) => total + each * weights[column], 0);
        return ratio(
          sum,
          weights.reduce((a, b) => a + b, 0),
        );
      },
    };
  });
}

function area(counts: Counts, curve: Curve, method: Summation): number {
  const last = counts.truePositives.length - 1;
  if (curve === "PR" && method === "interpolation") return interpolated(counts);
  const pointAt = (k: number) => point(counts, curve, k);
  let total = 0;
  for (let k = 0; k < last; k++) {
    const [x, y] = pointAt(k);
    const [nextX, nextY] = pointAt(k + 1);
    const height =
      method === "interpolation" ? (y + nextY) / 2 : (method === "minoring" ? Math.min : Math.max)(y, nextY);
    total += (x - nextX) * height;
  }
  return total;
}

/** x and y of the curve at a threshold. */
function point(counts: Counts, curve: Curve, k: number): readonly [number, number] {
  const right = counts.truePositives[k];
  const wrong = counts.falsePositives[k];
  const recall = ratio(right, counts.positives);
  if (curve === "ROC") return [ratio(wrong, counts.negatives), recall];
  if (curve === "PR") return [recall, ratio(right, right + wrong)];
  if (right === 0) return [0, 1];
  const scale = ratio(counts.positives, counts.negatives);
  const gain = (errors: number) => 1 - (scale * errors) / right;
  return [Math.max(gain(counts.falseNegatives(k)), 0), gain(wrong)];
}

/** The area under precision over recall, between thresholds by the counts, which are linear (Davis and Goadrich, 2006). */
function interpolated({ truePositives, falsePositives, positives }: Counts): number {
  let total = 0;
  for (let k = 0; k < truePositives.length - 1; k++) {
    const [right, next] = [truePositives[k], truePositives[k + 1]];
    const [said, nextSaid] = [right + falsePositives[k], next + falsePositives[k + 1]];
    const slope = ratio(right - next, Math.max(said - nextSaid, 0));
    const intercept = next - slope * nextSaid;
    const growth = said > 0 && nextSaid > 0 ? said / nextSaid : 1;
    total += ratio(slope * (right - next + intercept * logarithm(growth)), positives);
  }
  return total;
}

interface Best extends Named {
  /** Default 200. */
  numThresholds?: number;
  /** Only this column counts. */
  classId?: number | null;
}

const sensitivity = (counts: Counts, k: number) => ratio(counts.truePositives[k], counts.positives);
const specificity = (counts: Counts, k: number) => ratio(counts.trueNegatives(k), counts.negatives);
const precision = (counts: Counts, k: number) =>
  ratio(counts.truePositives[k], counts.truePositives[k] + counts.falsePositives[k]);

/** The largest `wanted` among the thresholds at which `constrained` is at least `value`. */
function best(
  metric: string,
  { value, option, options }: { value: unknown; option: string; options: Best },
  wanted: (counts: Counts, k: number) => number,
  constrained: (counts: Counts, k: number) => number,
): Metric<number> {
  const read = named(metric, options, { numThresholds: 200, classId: null as number | null });
  const operation = `metrics.${metric}`;
  const least = inRange(`${operation}: ${option}`, value, 0, 1, true);
  const count = positiveInteger(`${operation}: numThresholds`, read.numThresholds);
  const classId = readClassId(`${operation}: classId`, read.classId);
  const thresholds = count === 1 ? [0.5] : [0, ...between(count), 1];
  return new Metric({ metric, config: { ...read, [option]: least } }, () => {
    const counter = new Counter(metric, { thresholds, classId });
    return {
      add: (batch) => counter.add(batch),
      result() {
        const [counts] = counter.finished();
        const feasible = thresholds.map((_, k) => (constrained(counts, k) >= least ? wanted(counts, k) : 0));
        return Math.max(0, ...feasible);
      },
    };
  });
}

/** The highest sensitivity (recall) at which the specificity is at least as given. */
export function sensitivityAtSpecificity(options: Best & { specificity: number }): Metric<number> {
  const { specificity: value, ...rest } = given("sensitivityAtSpecificity", options);
  const constraint = { value, option: "specificity", options: rest };
  return best("sensitivityAtSpecificity", constraint, sensitivity, specificity);
}

/** The highest specificity at which the sensitivity is at least as given. */
export function specificityAtSensitivity(options: Best & { sensitivity: number }): Metric<number> {
  const { sensitivity: value, ...rest } = given("specificityAtSensitivity", options);
  const constraint = { value, option: "sensitivity", options: rest };
  return best("specificityAtSensitivity", constraint, specificity, sensitivity);
}

/** The highest precision at which the recall is at least as given. */
export function precisionAtRecall(options: Best & { recall: number }): Metric<number> {
  const { recall: value, ...rest } = given("precisionAtRecall", options);
  return best("precisionAtRecall", { value, option: "recall", options: rest }, precision, sensitivity);
}

/** The highest recall at which the precision is at least as given. */
export function recallAtPrecision(options: Best & { precision: number }): Metric<number> {
  const { precision: value, ...rest } = given("recallAtPrecision", options);
  return best("recallAtPrecision", { value, option: "precision", options: rest }, sensitivity, precision);
}

/** Options, of which one must be given: so there are some. */
function given<O extends object>(metric: string, options: O | undefined): O {
  if (options !== null && typeof options === "object") return options;
  const expected = "an options object";
  throw new UnreelError({ operation: `metrics.${metric}`, expected, got: show(options) });
}
