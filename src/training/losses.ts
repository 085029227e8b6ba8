// `losses.*`: what each loss is called, which kernel computes its rows, and how the rows become one number.
// Formulas and gradients: assembly/loss.ts and assembly/crossentropy.ts. keras.io/api/losses
import { inRange, show, UnreelError } from "../errors.js";
import type { LossSpec } from "../graph/lower.js";
import { lookUp, readOptions } from "../layers/options.js";

export interface Loss extends LossSpec {
  readonly className: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** The name it is registered under. */
  readonly name: string;
}

export type Reduction = LossSpec["reduction"];
export type LossLike = Loss | string;

interface Reduced {
  /** 'sumOverBatchSize' (default: the mean) or 'sum'. */
  reduction?: Reduction;
}

interface Entropy extends Reduced {
  /** yPred holds logits instead of probabilities. Default false. */
  fromLogits?: boolean;
  /** Moves targets towards the uniform distribution by this share, in [0, 1). Default 0. */
  labelSmoothing?: number;
}

function make(name: string, config: Record<string, unknown>, spec: Partial<LossSpec> = {}): Loss {
  const reduction = config.reduction as string;
  const known = { sumOverBatchSize: "sumOverBatchSize", sum: "sum" } as const;
  return {
    className: name.charAt(0).toUpperCase() + name.slice(1),
    name,
    config,
    kernel: name,
    parameters: [],
    sparse: false,
    ...spec,
    reduction: lookUp(`losses.${name}: reduction`, reduction, known as Record<string, Reduction>, {
      mean: "sumOverBatchSize",
    }),
  };
}

const reduced = { reduction: "sumOverBatchSize" as Reduction };

function plain(name: string) {
  return (options: Reduced = {}): Loss => make(name, readOptions(`losses.${name}`, options, reduced));
}

function entropy(name: string, options: Entropy): Loss {
  const config = readOptions(`losses.${name}`, options, { ...reduced, fromLogits: false, labelSmoothing: 0 });
  inRange(`losses.${name}: labelSmoothing`, config.labelSmoothing, 0, 1);
  return make(name, config, {
    kernel: config.fromLogits ? `${name}Logits` : name,
    parameters: [config.labelSmoothing],
  });
}

/** Mean of (yTrue - yPred)² over the last axis. */
export const meanSquaredError = plain("meanSquaredError");
/** Mean of |yTrue - yPred| over the last axis. */
export const meanAbsoluteError = plain("meanAbsoluteError");
/** 100 · mean of |yTrue - yPred| / max(|yTrue|, 1e-7). */
export const meanAbsolutePercentageError = plain("meanAbsolutePercentageError");
/** Mean of (log(1 + yTrue) - log(1 + yPred))², both from 1e-7 upwards. */
export const meanSquaredLogarithmicError = plain("meanSquaredLogarithmicError");
/** Mean of log(cosh(yPred - yTrue)). */
export const logCosh = plain("logCosh");
/** Mean of yPred - yTrue · log(yPred + 1e-7). */
export const poisson = plain("poisson");
/** Σ yTrue · log(yTrue / yPred), both clipped to [1e-7, 1]. */
export const kullbackLeiblerDivergence = plain("kullbackLeiblerDivergence");
/** Mean of max(1 - yTrue · yPred, 0); labels -1 and 1, or 0 and 1. */
export const hinge = plain("hinge");
/** Mean of max(1 - yTrue · yPred, 0)². */
export const squaredHinge = plain("squaredHinge");
/** max(max((1 - yTrue) · yPred) - Σ yTrue · yPred + 1, 0). */
export const categoricalHinge = plain("categoricalHinge");
/** -cos of the angle between yTrue and yPred. */
export const cosineSimilarity = plain("cosineSimilarity");

/** Quadratic up to `delta` (default 1), linear beyond. */
export function huber(options: Reduced & { delta?: number } = {}): Loss {
  const config = readOptions("losses.huber", options, { ...reduced, delta: 1 });
  inRange("losses.huber: delta", config.delta, Number.MIN_VALUE, Number.MAX_VALUE);
  return make("huber", config, { parameters: [config.delta] });
}

/** -y·log(p) - (1-y)·log(1-p), mean over the last axis; probabilities clipped to [1e-7, 1 - 1e-7]. */
export const binaryCrossentropy = (options: Entropy = {}) => entropy("binaryCrossentropy", options);
/** -Σ y·log(p); probabilities scaled to sum one and clipped to [1e-7, 1 - 1e-7]. Targets are one-hot or probabilities. */
export const categoricalCrossentropy = (options: Entropy = {}) => entropy("categoricalCrossentropy", options);

/** The same with class numbers as targets. */
export function sparseCategoricalCrossentropy(options: Reduced & { fromLogits?: boolean } = {}): Loss {
  const name = "sparseCategoricalCrossentropy";
  const config = readOptions(`losses.${name}`, options, { ...reduced, fromLogits: false });
  return make(name, config, { kernel: config.fromLogits ? `${name}Logits` : name, sparse: true });
}

/** Every loss by its name. Tests walk it. */
export const registry: Readonly<Record<string, (options?: object) => Loss>> = {
  meanSquaredError,
  meanAbsoluteError,
  meanAbsolutePercentageError,
  meanSquaredLogarithmicError,
  logCosh,
  poisson,
  kullbackLeiblerDivergence,
  hinge,
  squaredHinge,
  categoricalHinge,
  cosineSimilarity,
  huber,
  binaryCrossentropy,
  categoricalCrossentropy,
  sparseCategoricalCrossentropy,
};

const aliases: Record<string, string> = {
  mse: "meanSquaredError",
  mae: "meanAbsoluteError",
  mape: "meanAbsolutePercentageError",
  msle: "meanSquaredLogarithmicError",
  bce: "binaryCrossentropy",
  cce: "categoricalCrossentropy",
  kld: "kullbackLeiblerDivergence",
  kldivergence: "kullbackLeiblerDivergence",
};

/** A loss by object or by Keras' name. */
export function resolveLoss(operation: string, given: unknown): Loss {
  if (typeof given === "string") return lookUp(operation, given, registry, aliases)();
  if (given !== null && typeof given === "object" && "kernel" in given && "reduction" in given)
    return given as Loss;
  const hint = "Give a name such as 'binaryCrossentropy' or an object such as losses.huber({ delta: 2 }).";
  throw new UnreelError({ operation, expected: "a loss", got: show(given), hint });
}
