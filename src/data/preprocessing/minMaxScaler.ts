// Features to a range, by their least and greatest value, and back.
import { show, UnreelError } from "../../errors.js";
import { readOptions } from "../../layers/options.js";
import { Tensor, type TensorLike, tensor } from "../../tensor.js";
import { eachBatch, type TensorBatches } from "../batches.js";
import { readSaved, type Saved } from "../saved.js";
import { type Axis, KeptAxes, readAxis } from "./axes.js";

export interface MinMaxScalerOptions {
  /** The axes that keep a range for each index; null: one for all. Default -1, the features. */
  axis?: Axis;
  /** Where the least and the greatest value go. Default [0, 1]. */
  featureRange?: readonly [number, number];
  /** Values beyond those that were adapted to stay inside the range. Default false. */
  clip?: boolean;
}

/** As scikit-learn's MinMaxScaler, for tensors of any rank. A feature that is always the same goes to the lower end. */
export class MinMaxScaler {
  readonly #options: Required<MinMaxScalerOptions>;
  readonly #axis: readonly number[];
  #axes: KeptAxes | undefined;
  #low: Float64Array | undefined;
  #high: Float64Array | undefined;

  constructor(given: MinMaxScalerOptions = {}) {
    this.#options = readOptions<Required<MinMaxScalerOptions>>("MinMaxScaler", given, {
      axis: -1,
      featureRange: [0, 1],
      clip: false,
    });
    this.#axis = readAxis("MinMaxScaler", this.#options.axis);
    const range: unknown = this.#options.featureRange;
    const isRange =
      Array.isArray(range) && range.length === 2 && range.every(Number.isFinite) && range[0] < range[1];
    if (!isRange) {
      const expected = "two numbers, ascending";
      throw new UnreelError({ operation: "MinMaxScaler: featureRange", expected, got: show(range) });
    }
  }

  /** Learns the ranges from a tensor or from batches, iterable or async iterable (then a promise). */
  adapt(data: TensorLike | Iterable<TensorLike>): this;
  adapt(data: AsyncIterable<unknown>): Promise<this>;
  adapt(data: TensorBatches): this | Promise<this> {
    const operation = "MinMaxScaler.adapt";
    let axes: KeptAxes | undefined;
    let low = new Float64Array(0);
    let high = low;
    let count = 0;
    const add = (batch: Tensor, isWhole: boolean) => {
      const shape = !isWhole && batch.shape.length < 2 ? [1, ...batch.shape] : batch.shape;
      if (!axes) {
        axes = new KeptAxes("MinMaxScaler", this.#axis, shape);
        low = new Float64Array(axes.size).fill(Number.POSITIVE_INFINITY);
        high = new Float64Array(axes.size).fill(Number.NEGATIVE_INFINITY);
      }
      axes.check(operation, shape);
      count += batch.size;
      axes.each(shape, (i, place) => {
        const value = batch.data[i];
        if (!Number.isFinite(value)) {
          const hint = "Fill or drop missing values first.";
          const got = `${value} at flat position ${i}`;
          throw new UnreelError({ operation, expected: "finite numbers", got, hint });
        }
        if (value < low[place]) low[place] = value;
        if (value > high[place]) high[place] = value;
      });
    };
    const finish = () => {
      if (count === 0) throw new UnreelError({ operation, expected: "at least one number", got: "none" });
      [this.#axes, this.#low, this.#high] = [axes, low, high];
      return this;
    };
    return eachBatch(operation, data, add, finish);
  }

  /** Float32, of the shape of the data. */
  apply(data: TensorLike): Tensor {
    const [from, to] = this.#options.featureRange;
    return this.#mapped("MinMaxScaler.apply", data, (value, low, high) => {
      const scaled = from + ((value - low) / (high - low || 1)) * (to - from);
      return this.#options.clip ? Math.min(Math.max(scaled, from), to) : scaled;
    });
  }

  /** What undoes `apply`. */
  inverse(data: TensorLike): Tensor {
    const [from, to] = this.#options.featureRange;
    return this.#mapped(
      "MinMaxScaler.inverse",
      data,
      (value, low, high) => low + ((value - from) / (to - from)) * (high - low || 1),
    );
  }

  #mapped(
    operation: string,
    given: TensorLike,
    scale: (value: number, low: number, high: number) => number,
  ): Tensor {
    const { data, shape } = tensor(given);
    const [axes, low, high] = [this.#axes, this.#low, this.#high];
    if (!axes || !low || !high) {
      const hint = "Call adapt(data) first.";
      throw new UnreelError({ operation, expected: "known ranges", got: "none yet", hint });
    }
    axes.check(operation, shape);
    const out = new Float32Array(data.length);
    axes.each(shape, (i, place) => {
      out[i] = scale(data[i], low[place], high[place]);
    });
    return new Tensor(out, shape);
  }

  getConfig(): Record<string, unknown> {
    return structuredClone({ ...this.#options }) as Record<string, unknown>;
  }

  static fromConfig(config: Record<string, unknown>): MinMaxScaler {
    return new MinMaxScaler(config);
  }

  toJSON(): Saved {
    const saved: Saved = { className: "MinMaxScaler", config: this.getConfig() };
    if (this.#axes) saved.state = { ...this.#axes.toJSON(), low: [...this.#low!], high: [...this.#high!] };
    return saved;
  }

  static fromJSON(json: string | Saved): MinMaxScaler {
    const { config, state } = readSaved("MinMaxScaler", json);
    const made = new MinMaxScaler(config);
    if (state) {
      made.#axes = KeptAxes.fromJSON("MinMaxScaler.fromJSON", made.#axis, state);
      [made.#low, made.#high] = made.#axes.readState("MinMaxScaler.fromJSON", state, ["low", "high"]);
    }
    return made;
  }
}
