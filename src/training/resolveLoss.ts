// Losses by object or by Keras' name. Not here: what each is (losses.ts).
import { show, UnreelError } from "../errors.js";
import { lookUp } from "../layers/options.js";
import {
  binaryCrossentropy,
  binaryFocalCrossentropy,
  categoricalCrossentropy,
  categoricalFocalCrossentropy,
  categoricalHinge,
  cosineSimilarity,
  dice,
  hinge,
  huber,
  kullbackLeiblerDivergence,
  Loss,
  logCosh,
  meanAbsoluteError,
  meanAbsolutePercentageError,
  meanSquaredError,
  meanSquaredLogarithmicError,
  poisson,
  sparseCategoricalCrossentropy,
  squaredHinge,
  tversky,
} from "./losses.js";

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
  binaryFocalCrossentropy,
  categoricalFocalCrossentropy,
  dice,
  tversky,
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

/** Refuses `losses.huber` where `losses.huber()` is meant: it would pass for a user's own function. */
export function requireMade(operation: string, given: unknown): void {
  if (typeof given !== "function" || !Object.values<unknown>(registry).includes(given)) return;
  const hint = "Call it: losses.huber({ … }).";
  throw new UnreelError({ operation, expected: "a loss", got: "the function that makes one", hint });
}

/** A loss by object or by Keras' name. */
export function resolveLoss(operation: string, given: unknown): Loss {
  if (typeof given === "string") return lookUp(operation, given, registry, aliases)();
  if (given instanceof Loss) return given;
  const hint =
    "Give a name such as 'binaryCrossentropy', an object such as losses.huber({ delta: 2 }) or a function.";
  throw new UnreelError({ operation, expected: "a loss", got: show(given), hint });
}
