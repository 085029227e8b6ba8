// What every metric is: counts over the batches of an epoch, on the host, in double precision.
// Not here: what is counted (one family a file).
import { show, UnreelError } from "../../errors.js";
import { readOptions, snakeCase } from "../../layers/options.js";
import { type TensorLike, tensor } from "../../tensor.js";
import type { Rows } from "../formulas.js";
import type { TensorFunction } from "../functions.js";
import { alike, spread } from "../rows.js";

/** Targets and predictions of one batch, as rows. Views into memory: not kept. */
export interface MetricBatch extends Rows {
  /** [rows]: how much each row counts; 1 when absent. */
  readonly weights?: ArrayLike<number>;
  /** What the metric's function of symbolic tensors gave. */
  readonly values?: ArrayLike<number>;
}

/** One number, or a list where a metric was asked for several (thresholds, classes). */
export type Result = number | readonly number[];

/** Numbers of a result by name: of a list, one with each place behind the name, as `f1_score_0`. */
export function entries(name: string, result: Result): [string, number][] {
  if (typeof result === "number") return [[name, result]];
  return result.map((value, place) => [`${name}_${place}`, value]);
}

export interface State<R extends Result> {
  add(batch: MetricBatch): void;
  result(): R;
}

/** What a metric was made with: the name of its function and its options; `own` for a function of the user's. */
export interface Made {
  readonly metric: string | "own";
  readonly config: { readonly name: string; readonly [option: string]: unknown };
}

/** Counts over batches: `update` as often as wanted, `result` at any time, `reset` to begin again. */
export class Metric<R extends Result = Result> {
  readonly name: string;
  /** How it could be made again. */
  readonly made: Made;
  /** Where values are computed by a function, inside a model's program. */
  readonly function: TensorFunction | undefined;
  /** Reads targets as class numbers where no loss says how they are read. */
  readonly sparse: boolean;
  readonly #begin: () => State<R>;
  #state: State<R>;

  constructor(
    made: Made,
    begin: () => State<R>,
    { fn, sparse = false }: { fn?: TensorFunction; sparse?: boolean } = {},
  ) {
    this.name = made.config.name;
    this.made = made;
    this.function = fn;
    this.sparse = sparse;
    this.#begin = begin;
    this.#state = begin();
  }

  /** The same metric with nothing counted yet, for a count of its own. */
  fresh(): Metric<R> {
    return new Metric(this.made, this.#begin, { fn: this.function, sparse: this.sparse });
  }

  reset(): void {
    this.#state = this.#begin();
  }

  add(batch: MetricBatch): void {
    this.#state.add(batch);
  }

  /** Adds plain values: yTrue and yPred of one shape, or yTrue one axis shorter (class numbers); sampleWeight as the first
   * axes of yPred. */
  update(yTrue: TensorLike, yPred: TensorLike, options: { sampleWeight?: TensorLike } = {}): this {
    const operation = `metrics.${this.name}: update`;
    const { sampleWeight } = readOptions(operation, options, {
      sampleWeight: undefined as TensorLike | undefined,
    });
    if (this.function) {
      const expected = "a model: a function of symbolic tensors runs in fit and evaluate only";
      throw new UnreelError({ operation, expected, got: "plain values" });
    }
    const batch = alike(operation, tensor(yTrue), tensor(yPred, undefined, "float32"));
    const weight =
      sampleWeight === undefined
        ? undefined
        : spread(`${operation}: sampleWeight`, tensor(sampleWeight), batch.shape.slice(0, -1));
    this.add({
      ...batch,
      weights: weight && Float64Array.from({ length: batch.rows }, (_, row) => weight(row)),
    });
    return this;
  }

  result(): R {
    return this.#state.result();
  }
}

export interface Named {
  /** In histories; Keras' name by default. */
  name?: string;
}

/** Options of a metric, its name among them. */
export function named<C extends object>(
  metric: string,
  options: object,
  defaults: C,
  name = snakeCase(metric),
): C & { name: string } {
  return readOptions(`metrics.${metric}`, options, { name, ...defaults });
}

/** Refuses class numbers, for what compares value with value. */
export function requireValues(metric: string, { sparse }: Rows): void {
  if (!sparse) return;
  throw new UnreelError({
    operation: `metrics.${metric}`,
    expected: "targets like the output, or one-hot",
    got: "class numbers",
    hint: "For class numbers use 'sparseCategoricalAccuracy' or 'accuracy'.",
  });
}

/** Refuses what is not among the names of a choice; null where there is a choice for it. */
export function choose<V extends string>(operation: string, given: unknown, names: readonly V[]): V {
  const found = names.find((name) => name === given);
  if (found !== undefined) return found;
  throw new UnreelError({ operation, expected: `one of ${names.join(", ")}`, got: show(given) });
}
