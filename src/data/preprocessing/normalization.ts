// Features to mean 0 and variance 1, and back.
import { UnreelError } from "../../errors.js";
import { readOptions } from "../../layers/options.js";
import { type NestedNumbers, Tensor, type TensorLike, tensor } from "../../tensor.js";
import { eachBatch, type TensorBatches } from "../batches.js";
import { readSaved, type Saved } from "../saved.js";
import { type Axis, KeptAxes, readAxis } from "./axes.js";

export interface NormalizationOptions {
  /** The axes that keep a mean and a variance for each index; null: one for all. Default -1, the features. */
  axis?: Axis;
  /** Instead of `adapt`, with `variance`: a number, or an array over the last of the kept axes. */
  mean?: NestedNumbers | null;
  variance?: NestedNumbers | null;
  /** `apply` turns normalized numbers back. Default false. */
  invert?: boolean;
}

/** Keras' fuzz: the least that is divided by. */
const EPSILON = 1e-7;

/** Keras 3's `Normalization` (https://keras.io/api/layers/preprocessing_layers/numerical/normalization/), on the host. */
export class Normalization {
  readonly #options: Required<NormalizationOptions>;
  readonly #axis: readonly number[];
  #axes: KeptAxes | undefined;
  #mean: Float64Array | undefined;
  #variance: Float64Array | undefined;

  constructor(given: NormalizationOptions = {}) {
    const options = readOptions<Required<NormalizationOptions>>("Normalization", given, {
      axis: -1,
      mean: null,
      variance: null,
      invert: false,
    });
    this.#options = options;
    this.#axis = readAxis("Normalization", options.axis);
    const { mean, variance } = options;
    if ((mean === null) !== (variance === null)) {
      const got = mean === null ? "variance alone" : "mean alone";
      throw new UnreelError({ operation: "Normalization", expected: "mean and variance together", got });
    }
    if (mean === null || variance === null) return;
    const [m, v] = [tensor(mean as TensorLike), tensor(variance as TensorLike)];
    if (String(m.shape) !== String(v.shape)) {
      const got = `[${m.shape}] and [${v.shape}]`;
      throw new UnreelError({ operation: "Normalization", expected: "mean and variance of one shape", got });
    }
    if (m.shape.length > this.#axis.length) {
      const expected = `at most ${this.#axis.length} axes, as many as axis names`;
      throw new UnreelError({ operation: "Normalization: mean", expected, got: `shape [${m.shape}]` });
    }
    checkMoments(m.data, v.data);
  }

  /** Learns mean and variance, in double precision, from a tensor or from batches, iterable or async iterable (then a promise). A
   * batch of one axis less than the first counts as one sample of it. */
  adapt(data: TensorLike | Iterable<TensorLike>): this;
  adapt(data: AsyncIterable<unknown>): Promise<this>;
  adapt(data: TensorBatches): this | Promise<this> {
    const operation = "Normalization.adapt";
    if (this.#options.mean !== null) {
      const expected = "a Normalization without mean and variance";
      throw new UnreelError({ operation, expected, got: "one made with them" });
    }
    let moments: Moments | undefined;
    const add = (batch: Tensor, isWhole: boolean) => {
      // A dataset's element that is one vector is one sample.
      const shape = !isWhole && batch.shape.length < 2 ? [1, ...batch.shape] : batch.shape;
      moments ??= new Moments(new KeptAxes("Normalization", this.#axis, shape));
      moments.add(operation, batch.data, shape);
    };
    const finish = () => {
      if (!moments || moments.count === 0) {
        throw new UnreelError({ operation, expected: "at least one number", got: "none" });
      }
      this.#install(moments.axes, moments.mean, moments.variance());
      return this;
    };
    return eachBatch(operation, data, add, finish);
  }

  #install(axes: KeptAxes, mean: Float64Array, variance: Float64Array): void {
    this.#axes = axes;
    this.#mean = mean;
    this.#variance = variance;
  }

  /** Means of the kept axes, flat; undefined before they are known. */
  get mean(): Float64Array | undefined {
    return this.#mean;
  }

  get variance(): Float64Array | undefined {
    return this.#variance;
  }

  /** (x - mean) / √variance, float32, of the shape of the data. */
  apply(data: TensorLike): Tensor {
    return this.#scaled("Normalization.apply", data, this.#options.invert);
  }

  /** What undoes `apply`: x · √variance + mean. */
  inverse(data: TensorLike): Tensor {
    return this.#scaled("Normalization.inverse", data, !this.#options.invert);
  }

  #scaled(operation: string, given: TensorLike, invert: boolean): Tensor {
    const { data, shape } = tensor(given);
    if (this.#options.mean !== null) this.#place(shape);
    const [axes, mean] = [this.#axes, this.#mean];
    if (!axes || !mean) {
      const hint = "Call adapt(data) first, or give mean and variance.";
      throw new UnreelError({ operation, expected: "a known mean and variance", got: "none yet", hint });
    }
    axes.check(operation, shape);
    const deviation = this.#variance!.map((variance) => Math.max(Math.sqrt(variance), EPSILON));
    const out = new Float32Array(data.length);
    axes.each(shape, (i, place) => {
      out[i] = invert ? data[i] * deviation[place] + mean[place] : (data[i] - mean[place]) / deviation[place];
    });
    return new Tensor(out, shape);
  }

  /** Spreads a given mean and variance over the kept axes of data of this shape. */
  #place(shape: readonly number[]): void {
    const axes = new KeptAxes("Normalization", this.#axis, shape);
    const mean = tensor(this.#options.mean as TensorLike);
    const variance = tensor(this.#options.variance as TensorLike);
    const own = mean.shape;
    const skipped = axes.shape.length - own.length;
    const fits = own.every((length, i) => length === 1 || length === axes.shape[skipped + i]);
    if (!fits) {
      const expected = `lengths [${axes.shape}] of the kept axes`;
      throw new UnreelError({ operation: "Normalization: mean", expected, got: `[${own}]` });
    }
    const spread = (values: ArrayLike<number>) => {
      const out = new Float64Array(axes.size);
      for (let place = 0; place < axes.size; place++) {
        let [rest, at, stride] = [place, 0, 1];
        for (let i = axes.shape.length - 1; i >= 0; i--) {
          const index = rest % axes.shape[i];
          rest = Math.floor(rest / axes.shape[i]);
          if (i < skipped || own[i - skipped] === 1) continue;
          at += index * stride;
          stride *= own[i - skipped];
        }
        out[place] = values[at];
      }
      return out;
    };
    this.#install(axes, spread(mean.data), spread(variance.data));
  }

  getConfig(): Record<string, unknown> {
    return structuredClone({ ...this.#options }) as Record<string, unknown>;
  }

  static fromConfig(config: Record<string, unknown>): Normalization {
    return new Normalization(config);
  }

  toJSON(): Saved {
    const saved: Saved = { className: "Normalization", config: this.getConfig() };
    if (this.#axes && this.#options.mean === null) {
      saved.state = { ...this.#axes.toJSON(), mean: [...this.#mean!], variance: [...this.#variance!] };
    }
    return saved;
  }

  static fromJSON(json: string | Saved): Normalization {
    const { config, state } = readSaved("Normalization", json);
    const made = new Normalization(config);
    if (state) {
      const axes = KeptAxes.fromJSON("Normalization.fromJSON", made.#axis, state);
      const [mean, variance] = axes.readState("Normalization.fromJSON", state, ["mean", "variance"]);
      checkMoments(mean, variance);
      made.#install(axes, mean, variance);
    }
    return made;
  }
}

function checkMoments(mean: ArrayLike<number>, variance: ArrayLike<number>): void {
  for (let i = 0; i < mean.length; i++) {
    if (Number.isFinite(mean[i]) && variance[i] >= 0 && Number.isFinite(variance[i])) continue;
    const expected = "finite means, and finite variances, 0 or more";
    throw new UnreelError({ operation: "Normalization", expected, got: `${mean[i]} and ${variance[i]}` });
  }
}

/** Running mean and sum of squared deviations of each place. Chan, Golub and LeVeque (1979). */
class Moments {
  readonly axes: KeptAxes;
  readonly mean: Float64Array;
  readonly #squares: Float64Array;
  /** Values of each place so far. */
  count = 0;

  constructor(axes: KeptAxes) {
    this.axes = axes;
    this.mean = new Float64Array(axes.size);
    this.#squares = new Float64Array(axes.size);
  }

  add(operation: string, data: ArrayLike<number>, shape: readonly number[]): void {
    this.axes.check(operation, shape);
    const count = this.axes.size === 0 ? 0 : data.length / this.axes.size;
    if (count === 0) return;
    const mean = new Float64Array(this.axes.size);
    const squares = new Float64Array(this.axes.size);
    this.axes.each(shape, (i, place) => {
      if (!Number.isFinite(data[i])) {
        const hint = "Fill or drop missing values first.";
        const got = `${data[i]} at flat position ${i}`;
        throw new UnreelError({ operation, expected: "finite numbers", got, hint });
      }
      mean[place] += data[i] / count;
    });
    this.axes.each(shape, (i, place) => {
      const distance = data[i] - mean[place];
      squares[place] += distance * distance;
    });
    const total = this.count + count;
    for (let place = 0; place < mean.length; place++) {
      const apart = mean[place] - this.mean[place];
      this.mean[place] += (apart * count) / total;
      this.#squares[place] += squares[place] + (apart * apart * this.count * count) / total;
    }
    this.count = total;
  }

  variance(): Float64Array {
    return this.#squares.map((sum) => sum / this.count);
  }
}
