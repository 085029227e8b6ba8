// `optimizers.*`: settings, the slots each weight needs, and the calls of one update. Rules: assembly/optimizer.ts, Keras 3's.
// keras.io/api/optimizers
import { inRange, show, UnreelError } from "../errors.js";
import type { Update, UpdateSpec } from "../graph/lower.js";
import { lookUp, readOptions } from "../layers/options.js";
import type { Builder } from "../ops/builder.js";
import { at } from "../ops/op.js";
import type { Pointer } from "../program/program.js";
import { Size } from "../program/size.js";

type Emit = Builder["call"];

interface Common {
  learningRate?: number;
  /** Scales each weight's gradient so that its norm is at most this. */
  clipnorm?: number | null;
  /** Limits each number of a gradient to [-clipvalue, clipvalue]. */
  clipvalue?: number | null;
  /** Scales all gradients together so that their common norm is at most this. */
  globalClipnorm?: number | null;
  /** Subtracts this share of a weight, times the learning rate, at each step. */
  weightDecay?: number | null;
}

interface OptimizerKind {
  readonly className: string;
  readonly slots: readonly string[];
  update(emit: Emit, update: Update, hyper: Pointer): void;
  /** What changes from step to step besides the learning rate: written behind it. */
  settings?(step: number, learningRate: number): number[];
}

const clipping = { clipnorm: null, clipvalue: null, globalClipnorm: null, weightDecay: null };

/** An optimizer: how weights follow their gradients. It counts its steps; the arrays it keeps lie with the model. */
export class Optimizer implements UpdateSpec {
  readonly className: string;
  readonly config: Readonly<Required<Common>>;
  readonly slots: readonly string[];
  /** Changed by callbacks between steps. */
  learningRate: number;
  /** Steps taken. */
  iterations = 0;
  readonly #kind: OptimizerKind;

  constructor(kind: OptimizerKind, config: Required<Common>) {
    this.#kind = kind;
    this.className = kind.className;
    this.slots = kind.slots;
    this.config = config;
    this.learningRate = config.learningRate;
    const operation = `optimizers.${kind.className.toLowerCase()}`;
    inRange(`${operation}: learningRate`, config.learningRate, 0, Number.MAX_VALUE);
    for (const name of ["clipnorm", "clipvalue", "globalClipnorm", "weightDecay"] as const) {
      if (config[name] !== null) inRange(`${operation}: ${name}`, config[name], 0, Number.MAX_VALUE);
    }
    if (
      [config.clipnorm, config.clipvalue, config.globalClipnorm].filter((limit) => limit !== null).length > 1
    ) {
      throw new UnreelError({
        operation,
        expected: "one of clipnorm, clipvalue and globalClipnorm",
        got: "several",
      });
    }
  }

  emit(emit: Emit, updates: readonly Update[], hyper: Pointer): void {
    const { clipnorm, clipvalue, globalClipnorm, weightDecay } = this.config;
    if (globalClipnorm !== null) {
      const squares = at({ name: "gradientSquares", base: "work", size: Size.of(4) });
      emit("fill", squares, 0, 1);
      for (const { gradient, size } of updates) emit("sumSquares", squares, gradient, size);
      for (const { gradient, size } of updates)
        emit("clipByGlobalNorm", gradient, squares, globalClipnorm, size);
    }
    for (const update of updates) {
      if (clipnorm !== null) emit("clipByNorm", update.gradient, clipnorm, update.size);
      if (clipvalue !== null) emit("clipByValue", update.gradient, clipvalue, update.size);
      if (weightDecay !== null) emit("decayWeights", update.weight, update.size, hyper, weightDecay);
      this.#kind.update(emit, update, hyper);
    }
  }

  /** The settings of the next step, as the kernels read them from memory. */
  settings(): number[] {
    return [this.learningRate, ...(this.#kind.settings?.(this.iterations + 1, this.learningRate) ?? [])];
  }
}

export type OptimizerLike = Optimizer | string;

/** Gradient descent, with momentum and Nesterov's form. Defaults: learningRate 0.01, momentum 0. Keras: optimizers.SGD. */
export function sgd(options: Common & { momentum?: number; nesterov?: boolean } = {}): Optimizer {
  const config = readOptions("optimizers.sgd", options, {
    learningRate: 0.01,
    momentum: 0,
    nesterov: false,
    ...clipping,
  });
  const { momentum, nesterov } = config;
  inRange("optimizers.sgd: momentum", momentum, 0, 1, true);
  return new Optimizer(
    {
      className: "SGD",
      slots: momentum > 0 ? ["velocity"] : [],
      update: (emit, { weight, gradient, slots: [velocity = 0], size }, hyper) =>
        emit("sgd", weight, velocity, gradient, size, hyper, momentum, nesterov ? 1 : 0),
    },
    config,
  );
}

/** Gradients over the root of their running mean square (Hinton 2012). Defaults: learningRate 0.001, rho 0.9, momentum 0,
 * epsilon 1e-7, centered false. Keras: optimizers.RMSprop. */
export function rmsprop(
  options: Common & { rho?: number; momentum?: number; epsilon?: number; centered?: boolean } = {},
): Optimizer {
  const defaults = {
    learningRate: 0.001,
    rho: 0.9,
    momentum: 0,
    epsilon: 1e-7,
    centered: false,
    ...clipping,
  };
  const config = readOptions("optimizers.rmsprop", options, defaults);
  const { rho, momentum, epsilon, centered } = config;
  inRange("optimizers.rmsprop: rho", rho, 0, 1, true);
  const slots = ["velocity", ...(momentum > 0 ? ["momentum"] : []), ...(centered ? ["averageGradient"] : [])];
  return new Optimizer(
    {
      className: "RMSprop",
      slots,
      update(emit, { weight, gradient, slots: [velocity, ...rest], size }, hyper) {
        const buffer = momentum > 0 ? rest[0] : 0;
        const average = centered ? rest.at(-1)! : 0;
        emit("rmsprop", weight, velocity, buffer, average, gradient, size, hyper, rho, momentum, epsilon);
      },
    },
    config,
  );
}

/** Running means of gradients and their squares, both corrected for their start (Kingma & Ba 2015). Defaults: learningRate
 * 0.001, beta1 0.9, beta2 0.999, epsilon 1e-7, amsgrad false. Keras: optimizers.Adam. */
export function adam(
  options: Common & { beta1?: number; beta2?: number; epsilon?: number; amsgrad?: boolean } = {},
): Optimizer {
  const defaults = {
    learningRate: 0.001,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-7,
    amsgrad: false,
    ...clipping,
  };
  const config = readOptions("optimizers.adam", options, defaults);
  const { beta1, beta2, epsilon, amsgrad } = config;
  inRange("optimizers.adam: beta1", beta1, 0, 1);
  inRange("optimizers.adam: beta2", beta2, 0, 1);
  return new Optimizer(
    {
      className: "Adam",
      slots: ["momentum", "velocity", ...(amsgrad ? ["velocityHat"] : [])],
      update: (emit, { weight, gradient, slots: [m, v, vhat = 0], size }, hyper) =>
        emit("adam", weight, m, v, vhat, gradient, size, hyper, beta1, beta2, epsilon),
      settings: (step, learningRate) => [
        (learningRate * Math.sqrt(1 - power(beta2, step))) / (1 - power(beta1, step)),
      ],
    },
    config,
  );
}

/** base to an integer power by multiplication alone: equal in every engine. */
function power(base: number, exponent: number): number {
  let result = 1;
  for (let square = base, rest = exponent; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result *= square;
    square *= square;
  }
  return result;
}

/** Every optimizer by its name. Tests walk it. */
export const registry: Readonly<Record<string, () => Optimizer>> = { sgd, rmsprop, adam };

/** An optimizer by object or by Keras' name. */
export function resolveOptimizer(operation: string, given: unknown): Optimizer {
  if (typeof given === "string")
    return lookUp(operation, given, registry, { rmsprop: "rmsprop", sgd: "sgd" })();
  if (given instanceof Optimizer) return given;
  const hint = "Give a name such as 'adam' or an object such as optimizers.adam({ learningRate: 0.01 }).";
  throw new UnreelError({ operation, expected: "an optimizer", got: show(given), hint });
}
