// `schedules.*`: learning rates that follow the number of steps taken. keras.io/api/optimizers/learning_rate_schedules
// In double precision (Keras: float32), and without the engine's own exp, log and cos: the same bits everywhere.
import { inRange, show, UnreelError } from "../errors.js";
import { readOptions } from "../layers/options.js";
import { cosinePi, power } from "../numerics.js";

/** Given as `learningRate` to an optimizer. Anything of this form will do, one's own too. */
export interface Schedule {
  /** Keras' name. */
  readonly className: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** The learning rate of a step; the first step is 0. */
  at(step: number): number;
}

/** Options overlaid on defaults, every number checked. An option whose default is `needed` must be given. */
function read<C extends Record<string, unknown>>(name: string, options: object, defaults: C): C {
  const config = readOptions(`schedules.${name}`, options, defaults);
  for (const [option, value] of Object.entries(config)) {
    const operation = `schedules.${name}: ${option}`;
    const usual = defaults[option];
    if (typeof usual === "boolean" || (usual === null && value === null)) continue;
    if (!Number.isFinite(value)) throw new UnreelError({ operation, expected: "a number", got: show(value) });
    if (/decaySteps/i.test(option) && (value as number) <= 0) {
      throw new UnreelError({ operation, expected: "a number above 0", got: show(value) });
    }
  }
  return config;
}

/** A schedule whose steps are checked. */
function schedule(className: string, config: Schedule["config"], rate: (step: number) => number): Schedule {
  return {
    className,
    config,
    at: (step) => rate(inRange(`${className}.at`, step, 0, Number.POSITIVE_INFINITY)),
  };
}

const needed = undefined as unknown as number;

/** initialLearningRate · decayRate^(step / decaySteps), the quotient rounded down with `staircase` (default false).
 * Keras: ExponentialDecay. */
export function exponentialDecay(options: {
  initialLearningRate: number;
  decaySteps: number;
  decayRate: number;
  staircase?: boolean;
}): Schedule {
  const defaults = { initialLearningRate: needed, decaySteps: needed, decayRate: needed, staircase: false };
  const config = read("exponentialDecay", options, defaults);
  const { initialLearningRate, decaySteps, decayRate, staircase } = config;
  inRange("schedules.exponentialDecay: decayRate", decayRate, 0, Number.MAX_VALUE);
  return schedule("ExponentialDecay", config, (step) => {
    const turns = step / decaySteps;
    return initialLearningRate * power(decayRate, staircase ? Math.floor(turns) : turns);
  });
}

/** values[0] up to and including step boundaries[0], values[1] up to boundaries[1], …, the last one after them all.
 * Keras: PiecewiseConstantDecay. */
export function piecewiseConstantDecay(options: {
  boundaries: readonly number[];
  values: readonly number[];
}): Schedule {
  const operation = "schedules.piecewiseConstantDecay";
  const none: readonly number[] = [];
  const config = readOptions(operation, options, { boundaries: none, values: none });
  const { boundaries, values } = config;
  for (const name of ["boundaries", "values"] as const) {
    const list: unknown = config[name];
    if (Array.isArray(list) && list.every((value) => Number.isFinite(value))) continue;
    throw new UnreelError({
      operation: `${operation}: ${name}`,
      expected: "a list of numbers",
      got: show(list),
    });
  }
  if (values.length !== boundaries.length + 1 || boundaries.length === 0) {
    const expected = "boundaries, and one value more than these";
    const got = `${boundaries.length} boundaries and ${values.length} values`;
    throw new UnreelError({ operation, expected, got });
  }
  if (boundaries.some((boundary, i) => i > 0 && boundary <= boundaries[i - 1])) {
    const expected = "numbers in rising order";
    throw new UnreelError({ operation: `${operation}: boundaries`, expected, got: show(boundaries) });
  }
  return schedule("PiecewiseConstantDecay", config, (step) => {
    const place = boundaries.findIndex((boundary) => step <= boundary);
    return values[place < 0 ? boundaries.length : place];
  });
}

/** From initialLearningRate to endLearningRate (default 0.0001) in decaySteps, as (1 - step/decaySteps)^power (default 1: a
 * line). With `cycle` (default false) decaySteps grows to its next multiple instead of ending there. Keras: PolynomialDecay. */
export function polynomialDecay(options: {
  initialLearningRate: number;
  decaySteps: number;
  endLearningRate?: number;
  power?: number;
  cycle?: boolean;
}): Schedule {
  const defaults = {
    initialLearningRate: needed,
    decaySteps: needed,
    endLearningRate: 0.0001,
    power: 1,
    cycle: false,
  };
  const config = read("polynomialDecay", options, defaults);
  const { initialLearningRate, decaySteps, endLearningRate, power: exponent, cycle } = config;
  return schedule("PolynomialDecay", config, (step) => {
    const length = cycle && step > 0 ? decaySteps * Math.ceil(step / decaySteps) : decaySteps;
    const left = 1 - Math.min(step, length) / length;
    return (initialLearningRate - endLearningRate) * power(left, exponent) + endLearningRate;
  });
}

/** initialLearningRate / (1 + decayRate · step / decaySteps), the quotient rounded down with `staircase` (default false).
 * Keras: InverseTimeDecay. */
export function inverseTimeDecay(options: {
  initialLearningRate: number;
  decaySteps: number;
  decayRate: number;
  staircase?: boolean;
}): Schedule {
  const defaults = { initialLearningRate: needed, decaySteps: needed, decayRate: needed, staircase: false };
  const config = read("inverseTimeDecay", options, defaults);
  const { initialLearningRate, decaySteps, decayRate, staircase } = config;
  return schedule("InverseTimeDecay", config, (step) => {
    const turns = step / decaySteps;
    return initialLearningRate / (1 + decayRate * (staircase ? Math.floor(turns) : turns));
  });
}

/** Half a cosine in decaySteps, from its start to `alpha` (default 0) times that. It starts from initialLearningRate or, with
 * warmupTarget (default null), there, after a line from initialLearningRate in warmupSteps (default 0).
 * Keras: CosineDecay (Loshchilov & Hutter 2016; warmup: Goyal et al. 2017). */
export function cosineDecay(options: {
  initialLearningRate: number;
  decaySteps: number;
  alpha?: number;
  warmupTarget?: number | null;
  warmupSteps?: number;
}): Schedule {
  const config = read("cosineDecay", options, {
    initialLearningRate: needed,
    decaySteps: needed,
    alpha: 0,
    warmupTarget: null as number | null,
    warmupSteps: 0,
  });
  const { initialLearningRate, decaySteps, alpha, warmupTarget } = config;
  const warmupSteps = warmupTarget === null ? 0 : config.warmupSteps;
  return schedule("CosineDecay", config, (step) => {
    const peak = warmupTarget ?? initialLearningRate;
    if (step < warmupSteps) return (peak - initialLearningRate) * (step / warmupSteps) + initialLearningRate;
    const done = Math.min(step - warmupSteps, decaySteps) / decaySteps;
    return peak * ((1 - alpha) * 0.5 * (1 + cosinePi(done)) + alpha);
  });
}

/** Half a cosine to `alpha` (default 0) times the start, again and again: first in firstDecaySteps, each time tMul (default 2)
 * times as long and mMul (default 1) times as high. Keras: CosineDecayRestarts (Loshchilov & Hutter 2016). */
export function cosineDecayRestarts(options: {
  initialLearningRate: number;
  firstDecaySteps: number;
  tMul?: number;
  mMul?: number;
  alpha?: number;
}): Schedule {
  const defaults = { initialLearningRate: needed, firstDecaySteps: needed, tMul: 2, mMul: 1, alpha: 0 };
  const config = read("cosineDecayRestarts", options, defaults);
  const { initialLearningRate, firstDecaySteps, tMul, mMul, alpha } = config;
  inRange("schedules.cosineDecayRestarts: tMul", tMul, 1, Number.MAX_VALUE);
  return schedule("CosineDecayRestarts", config, (step) => {
    // Counted rather than from a logarithm, as in Keras, whose rounding puts some restarts a period off.
    let done = step / firstDecaySteps;
    let restarts = 0;
    if (tMul === 1) {
      restarts = Math.floor(done);
      done -= restarts;
    } else {
      let length = 1;
      for (; done >= length; length *= tMul) {
        done -= length;
        restarts++;
      }
      done /= length;
    }
    const height = 0.5 * power(mMul, restarts) * (1 + cosinePi(done));
    return initialLearningRate * ((1 - alpha) * height + alpha);
  });
}
