// `metrics.*`: what is counted over the batches of an epoch, on the host, in double precision. keras.io/api/metrics
import { inRange, positiveInteger, show, UnreelError } from "../errors.js";
import { lookUp, readOptions } from "../layers/options.js";
import { type TensorLike, tensor } from "../tensor.js";

/** Targets and predictions of one batch, as rows. Views into memory: not kept. */
export interface MetricBatch {
  /** [rows, columns], or [rows] class numbers when `sparse`. */
  readonly target: Float32Array | Int32Array;
  /** [rows, columns] */
  readonly prediction: Float32Array;
  readonly rows: number;
  readonly columns: number;
  readonly sparse: boolean;
  /** [rows]: how much each row counts; 1 when absent. */
  readonly weights?: ArrayLike<number>;
}

/** The value of one row: what a mean metric averages. */
type RowValue = (batch: MetricBatch, row: number) => number;

interface Rule {
  readonly begin: () => State;
}

interface State {
  add(batch: MetricBatch): void;
  result(): number;
}

/** Counts over batches: `update` as often as wanted, `result` at any time, `reset` to begin again. */
export class Metric {
  readonly name: string;
  readonly #rule: Rule;
  #state: State;

  constructor(name: string, rule: Rule) {
    this.name = name;
    this.#rule = rule;
    this.#state = rule.begin();
  }

  /** The same metric with nothing counted yet, for a count of its own. */
  fresh(): Metric {
    return new Metric(this.name, this.#rule);
  }

  reset(): void {
    this.#state = this.#rule.begin();
  }

  add(batch: MetricBatch): void {
    this.#state.add(batch);
  }

  /** Adds plain values: yTrue and yPred of one shape, or yTrue one axis shorter (class numbers). */
  update(yTrue: TensorLike, yPred: TensorLike, { sampleWeight }: { sampleWeight?: TensorLike } = {}): this {
    const [target, prediction] = [tensor(yTrue), tensor(yPred, undefined, "float32")];
    const columns = prediction.shape.length > 1 ? prediction.shape.at(-1)! : 1;
    const rows = prediction.size / Math.max(columns, 1);
    const sparse = columns > 1 && target.size === rows;
    if (!sparse && target.size !== prediction.size) {
      const expected = `yTrue with ${prediction.size} values, or ${rows} class numbers`;
      throw new UnreelError({
        operation: `metrics.${this.name}: update`,
        expected,
        got: `${target.size} values`,
      });
    }
    const weights = sampleWeight === undefined ? undefined : tensor(sampleWeight).data;
    if (weights && weights.length !== rows) {
      const operation = `metrics.${this.name}: update: sampleWeight`;
      throw new UnreelError({ operation, expected: `${rows} weights`, got: `${weights.length}` });
    }
    this.add({
      target: target.data,
      prediction: prediction.data as Float32Array,
      rows,
      columns,
      sparse,
      weights,
    });
    return this;
  }

  result(): number {
    return this.#state.result();
  }
}

/** The mean of a value of each row. */
function mean(value: RowValue): Rule {
  return {
    begin() {
      let total = 0;
      let count = 0;
      return {
        add(batch) {
          for (let row = 0; row < batch.rows; row++) {
            const weight = batch.weights ? batch.weights[row] : 1;
            if (weight === 0) continue;
            total += weight * value(batch, row);
            count += weight;
          }
        },
        result: () => (count === 0 ? 0 : total / count),
      };
    },
  };
}

/** Metrics of values cannot read class numbers. */
function requireValues({ sparse }: MetricBatch): void {
  if (!sparse) return;
  const hint = "For class numbers use 'sparseCategoricalAccuracy' or 'accuracy'.";
  throw new UnreelError({
    operation: "metrics",
    expected: "targets like the output, or one-hot",
    got: "class numbers",
    hint,
  });
}

function eachColumn(term: (target: number, prediction: number) => number): RowValue {
  return (batch, row) => {
    requireValues(batch);
    const { target, prediction, columns } = batch;
    let sum = 0;
    for (let i = row * columns; i < (row + 1) * columns; i++) sum += term(target[i], prediction[i]);
    return sum / columns;
  };
}

function largest(values: ArrayLike<number>, start: number, length: number): number {
  let best = 0;
  for (let i = 1; i < length; i++) if (values[start + i] > values[start + best]) best = i;
  return best;
}

/** The class that a row's target names: its number, or the place of its largest value. */
function targetClass({ target, columns, sparse }: MetricBatch, row: number): number {
  return sparse ? target[row] : largest(target, row * columns, columns);
}

const isMostProbable: RowValue = (batch, row) =>
  largest(batch.prediction, row * batch.columns, batch.columns) === targetClass(batch, row) ? 1 : 0;

const isAmong =
  (k: number): RowValue =>
  (batch, row) => {
    const { prediction, columns } = batch;
    const chosen = prediction[row * columns + targetClass(batch, row)];
    let higher = 0;
    for (let i = 0; i < columns; i++) if (prediction[row * columns + i] > chosen) higher++;
    return higher < k ? 1 : 0;
  };

interface Named {
  name?: string;
}

function named<C extends object>(metric: string, options: object, defaults: C): C & { name: string } {
  return readOptions(`metrics.${metric}`, options, { name: defaultName(metric), ...defaults });
}

/** Keras' names of metrics in histories: `binary_accuracy`. */
function defaultName(metric: string): string {
  return metric.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Share of rows whose most probable class is the target's, or of numbers on the right side of 0.5: by the output's shape. */
export function accuracy(options: Named = {}): Metric {
  const { name } = named("accuracy", options, {});
  const binary = eachColumn((target, prediction) => (target === (prediction > 0.5 ? 1 : 0) ? 1 : 0));
  return new Metric(
    name,
    mean((batch, row) => (batch.columns === 1 ? binary : isMostProbable)(batch, row)),
  );
}

/** Share of numbers on the target's side of `threshold` (default 0.5). */
export function binaryAccuracy(options: Named & { threshold?: number } = {}): Metric {
  const { name, threshold } = named("binaryAccuracy", options, { threshold: 0.5 });
  inRange("metrics.binaryAccuracy: threshold", threshold, 0, 1, true);
  return new Metric(
    name,
    mean(eachColumn((target, prediction) => (target === (prediction > threshold ? 1 : 0) ? 1 : 0))),
  );
}

/** Share of rows whose most probable class is that of the one-hot target. */
export const categoricalAccuracy = (options: Named = {}) =>
  new Metric(named("categoricalAccuracy", options, {}).name, mean(isMostProbable));

/** Share of rows whose most probable class is the target's number. */
export const sparseCategoricalAccuracy = (options: Named = {}) =>
  new Metric(named("sparseCategoricalAccuracy", options, {}).name, mean(isMostProbable));

function topK(metric: string, options: Named & { k?: number }): Metric {
  const { name, k } = named(metric, options, { k: 5 });
  return new Metric(name, mean(isAmong(positiveInteger(`metrics.${metric}: k`, k))));
}

/** Share of rows whose target is among the `k` (default 5) most probable classes; one-hot targets. */
export const topKCategoricalAccuracy = (options: Named & { k?: number } = {}) =>
  topK("topKCategoricalAccuracy", options);
/** The same with class numbers. */
export const sparseTopKCategoricalAccuracy = (options: Named & { k?: number } = {}) =>
  topK("sparseTopKCategoricalAccuracy", options);

/** Mean of (yTrue - yPred)². */
export const meanSquaredError = (options: Named = {}) =>
  new Metric(named("meanSquaredError", options, {}).name, mean(eachColumn((t, p) => (t - p) * (t - p))));

/** Mean of |yTrue - yPred|. */
export const meanAbsoluteError = (options: Named = {}) =>
  new Metric(named("meanAbsoluteError", options, {}).name, mean(eachColumn((t, p) => Math.abs(t - p))));

/** A ratio of counts of true/false positives/negatives at `threshold` (default 0.5). */
function ratio(
  metric: string,
  options: Named & { threshold?: number },
  of: (tp: number, fp: number, fn: number) => number,
): Metric {
  const { name, threshold } = named(metric, options, { threshold: 0.5 });
  inRange(`metrics.${metric}: threshold`, threshold, 0, 1, true);
  return new Metric(name, {
    begin() {
      let [truePositives, falsePositives, falseNegatives] = [0, 0, 0];
      return {
        add(batch) {
          requireValues(batch);
          const { target, prediction, rows, columns, weights } = batch;
          for (let i = 0; i < rows * columns; i++) {
            const weight = weights ? weights[Math.floor(i / columns)] : 1;
            const said = prediction[i] > threshold;
            if (said && target[i] > 0) truePositives += weight;
            else if (said) falsePositives += weight;
            else if (target[i] > 0) falseNegatives += weight;
          }
        },
        result: () => of(truePositives, falsePositives, falseNegatives),
      };
    },
  });
}

const share = (part: number, rest: number) => (part + rest === 0 ? 0 : part / (part + rest));

/** Share of what was said to be positive that is. */
export const precision = (options: Named & { threshold?: number } = {}) =>
  ratio("precision", options, (tp, fp) => share(tp, fp));
/** Share of what is positive that was said to be. */
export const recall = (options: Named & { threshold?: number } = {}) =>
  ratio("recall", options, (tp, _, fn) => share(tp, fn));
/** Every metric by its name. Tests walk it. */
export const registry: Readonly<Record<string, () => Metric>> = {
  accuracy,
  binaryAccuracy,
  categoricalAccuracy,
  sparseCategoricalAccuracy,
  topKCategoricalAccuracy,
  sparseTopKCategoricalAccuracy,
  meanSquaredError,
  meanAbsoluteError,
  precision,
  recall,
};

const aliases: Record<string, string> = {
  acc: "accuracy",
  mse: "meanSquaredError",
  mae: "meanAbsoluteError",
};

/** A metric by object or by Keras' name; a name keeps its spelling in histories. */
export function resolveMetric(operation: string, given: unknown): Metric {
  if (typeof given === "string") {
    const made = lookUp<(options?: Named) => Metric>(operation, given, registry, aliases);
    return made({ name: given in aliases ? given : undefined });
  }
  if (given instanceof Metric) return given;
  const hint =
    "Give a name such as 'accuracy' or an object such as metrics.binaryAccuracy({ threshold: 0.7 }).";
  throw new UnreelError({ operation, expected: "a metric", got: show(given), hint });
}
