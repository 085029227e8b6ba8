// Initial values of weights, drawn on the host from a seed. Definitions: keras.io/api/layers/initializers.
import { show, UnreelError } from "../errors.js";
import { Random, seedOr } from "../random.js";
import { lookUp, readOptions } from "./options.js";
import { orthonormalize } from "./orthogonal.js";

/** Draws the initial values of a weight of a given shape. The same initializer draws the same values each time. */
export interface Initializer {
  readonly className: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** `fans`: inputs and outputs of one unit, where the shape does not tell them. */
  draw(shape: readonly number[], fans?: readonly [number, number]): Float32Array;
  /** The same kind with a seed of its own, where the user has fixed none: for a copy of a layer. */
  again?(): Initializer;
}

export type InitializerLike = Initializer | string;

interface Seeded {
  /** Default: the next seed of the global generator (setRandomSeed). */
  seed?: number | null;
}

const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

function fill(shape: readonly number[], next: () => number): Float32Array {
  const values = new Float32Array(size(shape));
  for (let i = 0; i < values.length; i++) values[i] = next();
  return values;
}

/** All zeros. */
export function zeros(): Initializer {
  return { className: "Zeros", config: {}, draw: (shape) => new Float32Array(size(shape)) };
}

/** All ones. */
export function ones(): Initializer {
  return { className: "Ones", config: {}, draw: (shape) => new Float32Array(size(shape)).fill(1) };
}

/** One value everywhere; default 0. */
export function constant(options: { value?: number } = {}): Initializer {
  const config = readOptions("initializers.constant", options, { value: 0 });
  return { className: "Constant", config, draw: (shape) => new Float32Array(size(shape)).fill(config.value) };
}

/** Uniform in [minval, maxval); defaults -0.05, 0.05. */
export function randomUniform(options: { minval?: number; maxval?: number } & Seeded = {}): Initializer {
  const config = seeded("randomUniform", options, { minval: -0.05, maxval: 0.05 });
  return {
    className: "RandomUniform",
    config,
    again: () => randomUniform(options),
    draw(shape) {
      const random = new Random(config.seed);
      return fill(shape, () => random.uniform(config.minval, config.maxval));
    },
  };
}

/** Normal; defaults mean 0, stddev 0.05. */
export function randomNormal(options: { mean?: number; stddev?: number } & Seeded = {}): Initializer {
  const config = seeded("randomNormal", options, { mean: 0, stddev: 0.05 });
  return {
    className: "RandomNormal",
    config,
    again: () => randomNormal(options),
    draw(shape) {
      const random = new Random(config.seed);
      return fill(shape, () => config.mean + config.stddev * random.normal());
    },
  };
}

/** Normal, drawn again beyond two standard deviations; defaults mean 0, stddev 0.05. */
export function truncatedNormal(options: { mean?: number; stddev?: number } & Seeded = {}): Initializer {
  const config = seeded("truncatedNormal", options, { mean: 0, stddev: 0.05 });
  return {
    className: "TruncatedNormal",
    config,
    again: () => truncatedNormal(options),
    draw(shape) {
      const random = new Random(config.seed);
      return fill(shape, () => config.mean + config.stddev * truncated(random));
    },
  };
}

function truncated(random: Random): number {
  let value = random.normal();
  while (Math.abs(value) > 2) value = random.normal();
  return value;
}

const MODES = ["fanIn", "fanOut", "fanAvg"] as const;
const DISTRIBUTIONS = ["truncatedNormal", "untruncatedNormal", "uniform"] as const;
/** Standard deviation of a standard normal cut off at ±2. */
const TRUNCATED_STDDEV = 0.87962566103423978;

interface Scaling extends Seeded {
  scale?: number;
  mode?: (typeof MODES)[number];
  distribution?: (typeof DISTRIBUTIONS)[number];
}

/** Variance scale / n, with n the fan in, fan out or their mean (He et al. 2015; Glorot & Bengio 2010).
 * Defaults: scale 1, mode 'fanIn', distribution 'truncatedNormal'. */
export function varianceScaling(options: Scaling = {}): Initializer {
  return scaled("VarianceScaling", "varianceScaling", options, {});
}

function scaled(className: string, name: string, options: Scaling, fixed: Scaling): Initializer {
  const defaults = { scale: 1, mode: "fanIn" as const, distribution: "truncatedNormal" as const, ...fixed };
  const known = className === "VarianceScaling" ? defaults : {};
  const { seed, ...rest } = seeded(name, options, known);
  const { scale, mode, distribution } = { ...defaults, ...rest } as Required<Scaling>;
  if (!(scale > 0)) {
    throw new UnreelError({
      operation: `initializers.${name}: scale`,
      expected: "a positive number",
      got: show(scale),
    });
  }
  lookUp(`initializers.${name}: mode`, mode, Object.fromEntries(MODES.map((m) => [m, m])));
  lookUp(
    `initializers.${name}: distribution`,
    distribution,
    Object.fromEntries(DISTRIBUTIONS.map((d) => [d, d])),
  );
  return {
    className,
    config: { ...rest, seed },
    again: () => scaled(className, name, options, fixed),
    draw(shape, given) {
      const random = new Random(seed);
      const [fanIn, fanOut] = given ?? fansOf(shape);
      const n = { fanIn, fanOut, fanAvg: (fanIn + fanOut) / 2 }[mode];
      const variance = scale / Math.max(1, n);
      if (distribution === "uniform") {
        const limit = Math.sqrt(3 * variance);
        return fill(shape, () => random.uniform(-limit, limit));
      }
      if (distribution === "untruncatedNormal")
        return fill(shape, () => Math.sqrt(variance) * random.normal());
      return fill(shape, () => (Math.sqrt(variance) / TRUNCATED_STDDEV) * truncated(random));
    },
  };
}

/** Uniform with variance 2 / (fanIn + fanOut): Keras' default for kernels. */
export const glorotUniform = (options: Seeded = {}) =>
  scaled("GlorotUniform", "glorotUniform", options, { mode: "fanAvg", distribution: "uniform" });
/** Truncated normal with variance 2 / (fanIn + fanOut). */
export const glorotNormal = (options: Seeded = {}) =>
  scaled("GlorotNormal", "glorotNormal", options, { mode: "fanAvg" });
/** Uniform with variance 2 / fanIn. */
export const heUniform = (options: Seeded = {}) =>
  scaled("HeUniform", "heUniform", options, { scale: 2, distribution: "uniform" });
/** Truncated normal with variance 2 / fanIn. */
export const heNormal = (options: Seeded = {}) => scaled("HeNormal", "heNormal", options, { scale: 2 });
/** Uniform with variance 1 / fanIn. */
export const lecunUniform = (options: Seeded = {}) =>
  scaled("LecunUniform", "lecunUniform", options, { distribution: "uniform" });
/** Truncated normal with variance 1 / fanIn. */
export const lecunNormal = (options: Seeded = {}) => scaled("LecunNormal", "lecunNormal", options, {});

/** A random matrix with orthonormal rows or columns, times gain (default 1): Keras' default for recurrent kernels. */
export function orthogonal(options: { gain?: number } & Seeded = {}): Initializer {
  const config = seeded("orthogonal", options, { gain: 1 });
  return {
    className: "Orthogonal",
    config,
    again: () => orthogonal(options),
    draw(shape) {
      if (shape.length < 2) {
        throw new UnreelError({
          operation: "initializers.orthogonal",
          expected: "a shape of rank 2 or more",
          got: `[${shape}]`,
        });
      }
      const columns = shape.at(-1)!;
      const rows = size(shape) / columns;
      const [count, length] = rows < columns ? [rows, columns] : [columns, rows];
      const random = new Random(config.seed);
      const vectors = new Float64Array(count * length);
      for (let i = 0; i < vectors.length; i++) vectors[i] = random.normal();
      orthonormalize(vectors, count, length);
      const values = new Float32Array(rows * columns);
      for (let i = 0; i < rows; i++) {
        for (let j = 0; j < columns; j++) {
          values[i * columns + j] =
            config.gain * (rows < columns ? vectors[i * length + j] : vectors[j * length + i]);
        }
      }
      return values;
    },
  };
}

/** The identity matrix times gain (default 1). */
export function identity(options: { gain?: number } = {}): Initializer {
  const config = readOptions("initializers.identity", options, { gain: 1 });
  return {
    className: "Identity",
    config,
    draw(shape) {
      if (shape.length !== 2) {
        throw new UnreelError({
          operation: "initializers.identity",
          expected: "a shape of rank 2",
          got: `[${shape}]`,
        });
      }
      const values = new Float32Array(size(shape));
      for (let i = 0; i < Math.min(shape[0], shape[1]); i++) values[i * shape[1] + i] = config.gain;
      return values;
    },
  };
}

function seeded<C extends object>(name: string, options: object, defaults: C): C & { seed: number } {
  const config = readOptions(`initializers.${name}`, options, { ...defaults, seed: null as number | null });
  return { ...config, seed: seedOr(config.seed, `initializers.${name}: seed`) };
}

/** Inputs and outputs of one unit (keras.initializers.compute_fans): kernels of convolutions have their window in front. */
function fansOf(shape: readonly number[]): [number, number] {
  if (shape.length === 0) return [1, 1];
  if (shape.length === 1) return [shape[0], shape[0]];
  const window = size(shape.slice(0, -2));
  return [shape.at(-2)! * window, shape.at(-1)! * window];
}
