// Numbers to the ranges they fall in; the ranges are given, or found as quantiles of data that streams by.
import { inRange, positiveInteger, show, UnreelError } from "../../errors.js";
import { readOptions } from "../../layers/options.js";
import { Tensor, type TensorLike, tensor } from "../../tensor.js";
import { eachBatch, type TensorBatches } from "../batches.js";
import { readSaved, type Saved } from "../saved.js";
import { type Encoding, encode } from "./encode.js";
import { lookupMode } from "./lookup.js";

const MODES: readonly (Encoding | "int")[] = ["int", "oneHot", "multiHot", "count"];

export interface DiscretizationOptions {
  /** Ascending; n of them make n + 1 ranges, the lower end inside: [0, 1] makes x < 0, 0 ≤ x < 1 and x ≥ 1. */
  binBoundaries?: readonly number[] | null;
  /** How many ranges `adapt` is to find. Give this or `binBoundaries`. */
  numBins?: number | null;
  /** How far quantiles may be off, in (0, 1): 1 / epsilon values are kept. Default 0.01. */
  epsilon?: number;
  /** 'int' (default): the number of the range. Else as in `CategoryEncoding`. */
  outputMode?: Encoding | "int" | "one_hot" | "multi_hot";
}

/** Values in ascending order, and how many each stands for; both in float32, as Keras keeps them. */
interface Summary {
  readonly values: Float32Array;
  readonly weights: Float32Array;
}

/** Keras 3's `Discretization` (https://keras.io/api/layers/preprocessing_layers/numerical/discretization/), on the host. */
export class Discretization {
  readonly #options: Required<DiscretizationOptions>;
  readonly #mode: Encoding | "int";
  #boundaries: number[] | undefined;

  constructor(given: DiscretizationOptions) {
    this.#options = readOptions<Required<DiscretizationOptions>>("Discretization", given, {
      binBoundaries: null,
      numBins: null,
      epsilon: 0.01,
      outputMode: "int",
    });
    const { binBoundaries, numBins, epsilon, outputMode } = this.#options;
    this.#mode = lookupMode("Discretization", outputMode, MODES);
    inRange("Discretization: epsilon", epsilon, Number.MIN_VALUE, 1);
    if ((binBoundaries === null) === (numBins === null)) {
      const got = binBoundaries === null ? "neither" : "both";
      throw new UnreelError({ operation: "Discretization", expected: "binBoundaries or numBins", got });
    }
    if (numBins !== null) positiveInteger("Discretization: numBins", numBins);
    if (binBoundaries !== null) this.#boundaries = checkedBoundaries(binBoundaries);
  }

  /** Finds the boundaries as quantiles of a tensor, or of batches, iterable or async iterable (then a promise). */
  adapt(data: TensorLike | Iterable<TensorLike>): this;
  adapt(data: AsyncIterable<TensorLike>): Promise<this>;
  adapt(data: TensorBatches): this | Promise<this> {
    const operation = "Discretization.adapt";
    const { numBins, epsilon } = this.#options;
    if (numBins === null) {
      const expected = "a Discretization made with numBins";
      throw new UnreelError({ operation, expected, got: "one made with binBoundaries" });
    }
    let all: Summary = { values: new Float32Array(0), weights: new Float32Array(0) };
    const add = ({ data: values }: Tensor) => {
      const wrong = values.findIndex((value) => !Number.isFinite(value));
      if (wrong >= 0) {
        const got = `${values[wrong]} at flat position ${wrong}`;
        throw new UnreelError({ operation, expected: "finite numbers", got });
      }
      if (values.length > 0) all = merged(summarized(values, epsilon), all, epsilon);
    };
    const finish = () => {
      if (all.values.length === 0) {
        throw new UnreelError({ operation, expected: "at least one number", got: "none" });
      }
      this.#boundaries = [...compressed(all, 1 / numBins).values.slice(0, -1)];
      return this;
    };
    return eachBatch(operation, data, add, finish);
  }

  get binBoundaries(): readonly number[] | undefined {
    return this.#boundaries;
  }

  /** Int32 numbers of ranges of the shape of the data, or float32 rows: see `outputMode`. */
  apply(data: TensorLike): Tensor {
    const operation = "Discretization.apply";
    const boundaries = this.#boundaries;
    if (!boundaries) {
      const hint = "Call adapt(data) first, or give binBoundaries.";
      throw new UnreelError({ operation, expected: "known boundaries", got: "none yet", hint });
    }
    const given = tensor(data);
    const bins = Int32Array.from(given.data, (value, at) => {
      if (Number.isNaN(value)) {
        throw new UnreelError({ operation, expected: "numbers", got: `NaN at flat position ${at}` });
      }
      return binOf(value, boundaries);
    });
    if (this.#mode === "int") return new Tensor(bins, given.shape);
    return encode(operation, bins, given.shape, this.#mode, boundaries.length + 1);
  }

  getConfig(): Record<string, unknown> {
    const { binBoundaries } = this.#options;
    return { ...this.#options, binBoundaries: binBoundaries && [...binBoundaries] };
  }

  static fromConfig(config: Record<string, unknown>): Discretization {
    return new Discretization(config);
  }

  toJSON(): Saved {
    const saved: Saved = { className: "Discretization", config: this.getConfig() };
    if (this.#boundaries) saved.state = { binBoundaries: [...this.#boundaries] };
    return saved;
  }

  static fromJSON(json: string | Saved): Discretization {
    const { config, state } = readSaved("Discretization", json);
    const made = new Discretization(config);
    if (state) made.#boundaries = checkedBoundaries(state.binBoundaries);
    return made;
  }
}

function checkedBoundaries(given: unknown): number[] {
  const isList = Array.isArray(given) || ArrayBuffer.isView(given);
  const list = isList ? Array.from(given as ArrayLike<number>) : [];
  const wrong = list.findIndex(
    (value, i) => typeof value !== "number" || !Number.isFinite(value) || (i > 0 && value < list[i - 1]),
  );
  if (isList && wrong < 0) return list;
  const got = isList ? `${show(list[wrong])} at place ${wrong}` : show(given);
  const operation = "Discretization: binBoundaries";
  throw new UnreelError({ operation, expected: "finite numbers, ascending", got });
}

/** How many boundaries are not above the value. */
function binOf(value: number, boundaries: readonly number[]): number {
  let low = 0;
  let high = boundaries.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (boundaries[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Every step-th value of a sorted array, so that 1 / epsilon of them are left. */
function summarized(given: Float32Array | Int32Array, epsilon: number): Summary {
  const sorted = Float32Array.from(given).sort();
  const step = Math.max(sorted.length / (1 / epsilon), 1);
  const values: number[] = [];
  for (let i = Math.trunc(step - 1); i < sorted.length; i += Math.trunc(step)) values.push(sorted[i]);
  return { values: Float32Array.from(values), weights: new Float32Array(values.length).fill(step) };
}

function merged(a: Summary, b: Summary, epsilon: number): Summary {
  const values = [...a.values, ...b.values];
  const weights = [...a.weights, ...b.weights];
  const order = values.map((_, i) => i).sort((i, j) => values[i] - values[j]);
  const sorted = {
    values: Float32Array.from(order, (i) => values[i]),
    weights: Float32Array.from(order, (i) => weights[i]),
  };
  return compressed(sorted, epsilon);
}

/** Values interpolated at each multiple of epsilon of the whole weight. */
function compressed(summary: Summary, epsilon: number): Summary {
  if (summary.values.length * epsilon < 1) return summary;
  let sum = 0;
  const cumulative = summary.weights.map((weight) => {
    sum = Math.fround(sum + weight);
    return sum;
  });
  const shares = cumulative.map((weight) => weight / sum);
  const count = Math.ceil(1 / epsilon);
  const values = new Float32Array(count);
  const weights = new Float32Array(count);
  let before = 0;
  for (let i = 0; i < count; i++) {
    const share = epsilon + i * epsilon;
    values[i] = interpolated(share, shares, summary.values);
    const weight = interpolated(share, shares, cumulative);
    weights[i] = weight - before;
    before = weight;
  }
  return { values, weights };
}

/** np.interp: straight lines between points, level outside. */
function interpolated(x: number, xs: Float32Array, ys: Float32Array): number {
  if (x <= xs[0]) return ys[0];
  if (x >= xs[xs.length - 1]) return ys[ys.length - 1];
  let low = 0;
  let high = xs.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (xs[middle] <= x) low = middle;
    else high = middle;
  }
  return ys[low] + ((ys[high] - ys[low]) / (xs[high] - xs[low])) * (x - xs[low]);
}
