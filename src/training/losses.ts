// `losses.*`: what each loss is called, which kernel computes its rows, and how the rows become one number.
// Not here: losses on plain values (loss.ts), the formulas (assembly/ with their gradients for training, formulas.ts for plain values). keras.io/api/losses
import { inRange, show, UnreelError } from "../errors.js";
import type { Reduction } from "../graph/training.js";
import { lookUp, readOptions } from "../layers/options.js";
import type { TensorFunction } from "./functions.js";
import { Loss } from "./loss.js";

export type { Reduction } from "../graph/training.js";
export { Loss } from "./loss.js";
export type LossLike = Loss | TensorFunction | string;

interface Options<R> {
  /** 'sumOverBatchSize' (default: the mean), 'mean' (the same), 'meanWithSampleWeight' (over the sum of the weights), 'sum', or
   * 'none', for plain values only. */
  reduction?: R | null;
}

interface Entropy<R> extends Options<R> {
  /** yPred holds logits instead of probabilities. Default false. */
  fromLogits?: boolean;
  /** Moves targets towards the uniform distribution by this share, in [0, 1). Default 0. */
  labelSmoothing?: number;
}

const REDUCTIONS = {
  sumOverBatchSize: "sumOverBatchSize",
  mean: "mean",
  meanWithSampleWeight: "meanWithSampleWeight",
  sum: "sum",
  none: "none",
} as const;

/** Options with their defaults, and the reduction among them. */
function read<R extends Reduction, C extends object>(name: string, options: Options<R>, defaults: C) {
  // Keras' None: no reduction.
  const given = options?.reduction === null ? { ...options, reduction: "none" } : options;
  const config = readOptions(`losses.${name}`, given, { reduction: "sumOverBatchSize", ...defaults });
  const operation = `losses.${name}: reduction`;
  if (typeof config.reduction !== "string") {
    const expected = `one of ${Object.keys(REDUCTIONS).join(", ")}`;
    throw new UnreelError({ operation, expected, got: show(config.reduction) });
  }
  return { config, reduction: lookUp<Reduction>(operation, config.reduction, REDUCTIONS) as R };
}

function plain(name: string) {
  return <R extends Reduction = "sumOverBatchSize">(options: Options<R> = {}): Loss<R> => {
    const { config, reduction } = read(name, options, {});
    return new Loss({ name, config, kernel: name, parameters: [], sparse: false }, reduction);
  };
}

function entropy<R extends Reduction>(name: string, options: Entropy<R>): Loss<R> {
  const { config, reduction } = read(name, options, { fromLogits: false, labelSmoothing: 0 });
  inRange(`losses.${name}: labelSmoothing`, config.labelSmoothing, 0, 1);
  const kernel = config.fromLogits ? `${name}Logits` : name;
  return new Loss({ name, config, kernel, parameters: [config.labelSmoothing], sparse: false }, reduction);
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
export function huber<R extends Reduction = "sumOverBatchSize">(
  options: Options<R> & { delta?: number } = {},
): Loss<R> {
  const { config, reduction } = read("huber", options, { delta: 1 });
  inRange("losses.huber: delta", config.delta, Number.MIN_VALUE, Number.MAX_VALUE);
  const parameters = [config.delta];
  return new Loss({ name: "huber", config, kernel: "huber", parameters, sparse: false }, reduction);
}

/** -y·log(p) - (1-y)·log(1-p), mean over the last axis; probabilities clipped to [1e-7, 1 - 1e-7]. */
export const binaryCrossentropy = <R extends Reduction = "sumOverBatchSize">(options: Entropy<R> = {}) =>
  entropy("binaryCrossentropy", options);
/** -Σ y·log(p); probabilities scaled to sum one and clipped to [1e-7, 1 - 1e-7]. Targets are one-hot or probabilities. */
export const categoricalCrossentropy = <R extends Reduction = "sumOverBatchSize">(options: Entropy<R> = {}) =>
  entropy("categoricalCrossentropy", options);

/** The same with class numbers as targets. */
export function sparseCategoricalCrossentropy<R extends Reduction = "sumOverBatchSize">(
  options: Options<R> & { fromLogits?: boolean } = {},
): Loss<R> {
  const name = "sparseCategoricalCrossentropy";
  const { config, reduction } = read(name, options, { fromLogits: false });
  const kernel = config.fromLogits ? `${name}Logits` : name;
  return new Loss({ name, config, kernel, parameters: [], sparse: true }, reduction);
}

interface Focal<R> extends Entropy<R> {
  /** How much less what is predicted well counts: a factor (1 - p)^gamma. Default 2. */
  gamma?: number;
  /** Weight of the positive class (binary), or of all (categorical). Default 0.25. */
  alpha?: number;
}

function focal(name: string, { labelSmoothing, gamma, alpha }: Required<Focal<unknown>> | FocalConfig): void {
  inRange(`losses.${name}: labelSmoothing`, labelSmoothing, 0, 1);
  inRange(`losses.${name}: gamma`, gamma, 0, Number.MAX_VALUE);
  inRange(`losses.${name}: alpha`, alpha, 0, Number.MAX_VALUE);
}
type FocalConfig = { labelSmoothing: number; gamma: number; alpha: number };
const focalDefaults = { alpha: 0.25, gamma: 2, fromLogits: false, labelSmoothing: 0 };

/** (1 - p of the truth)^gamma times the binary cross-entropy; with `applyClassBalancing` positives weigh alpha, negatives
 * 1 - alpha. */
export function binaryFocalCrossentropy<R extends Reduction = "sumOverBatchSize">(
  options: Focal<R> & { applyClassBalancing?: boolean } = {},
): Loss<R> {
  const name = "binaryFocalCrossentropy";
  const { config, reduction } = read(name, options, { applyClassBalancing: false, ...focalDefaults });
  focal(name, config);
  const { labelSmoothing, gamma, alpha, fromLogits, applyClassBalancing } = config;
  const parameters = [labelSmoothing, gamma, ...(applyClassBalancing ? [alpha, 1 - alpha] : [1, 1])];
  const logits = fromLogits ? "sigmoid" : undefined;
  return new Loss({ name, config, kernel: name, parameters, sparse: false, logits }, reduction);
}

/** -Σ alpha · (1 - p)^gamma · y · log(p); probabilities scaled and clipped as for categoricalCrossentropy. */
export function categoricalFocalCrossentropy<R extends Reduction = "sumOverBatchSize">(
  options: Focal<R> = {},
): Loss<R> {
  const name = "categoricalFocalCrossentropy";
  const { config, reduction } = read(name, options, focalDefaults);
  focal(name, config);
  const parameters = [config.labelSmoothing, config.gamma, config.alpha];
  const logits = config.fromLogits ? "softmax" : undefined;
  return new Loss({ name, config, kernel: name, parameters, sparse: false, logits }, reduction);
}

interface Overlap<R> extends Options<R> {
  /** The last axes, that are counted together; null (default) for all of them, the batch too: one number. */
  axis?: number | readonly number[] | null;
}

function readAxis(name: string, axis: unknown): readonly number[] | null {
  if (axis === null) return null;
  const axes = [axis].flat();
  if (axes.length > 0 && axes.every((each) => Number.isSafeInteger(each))) return axes as number[];
  const operation = `losses.${name}: axis`;
  throw new UnreelError({ operation, expected: "an axis, a list of axes or null", got: show(axis) });
}

/** 1 - 2 · Σ yTrue · yPred / (Σ yTrue + Σ yPred + 1e-7), over the whole batch unless `axis` says less. */
export function dice<R extends Reduction = "sumOverBatchSize">(options: Overlap<R> = {}): Loss<R> {
  const name = "dice";
  const { config, reduction } = read(name, options, { axis: null as Overlap<R>["axis"] });
  const axis = readAxis(name, config.axis);
  // Tversky's loss with both errors weighing a half: numerator and denominator are half of Dice's.
  const parameters = [0.5, 0.5, 0.5e-7];
  return new Loss({ name, config, kernel: "tversky", parameters, sparse: false, axis }, reduction);
}

/** 1 - Σ yTrue · yPred / (that + alpha · Σ yTrue · (1 - yPred) + beta · Σ yPred · (1 - yTrue) + 1e-7): alpha weighs what is missed,
 * beta what is wrongly said (both 0.5 by default). */
export function tversky<R extends Reduction = "sumOverBatchSize">(
  options: Overlap<R> & { alpha?: number; beta?: number } = {},
): Loss<R> {
  const name = "tversky";
  const { config, reduction } = read(name, options, {
    alpha: 0.5,
    beta: 0.5,
    axis: null as Overlap<R>["axis"],
  });
  const axis = readAxis(name, config.axis);
  inRange("losses.tversky: alpha", config.alpha, 0, Number.MAX_VALUE);
  inRange("losses.tversky: beta", config.beta, 0, Number.MAX_VALUE);
  const parameters = [config.alpha, config.beta, 1e-7];
  return new Loss({ name, config, kernel: name, parameters, sparse: false, axis }, reduction);
}
