// Optimizers by object or by Keras' name. Not here: what each does (one rule a file in optimizers/).
import { show, UnreelError } from "../errors.js";
import { lookUp } from "../layers/options.js";
import {
  adadelta,
  adagrad,
  adam,
  adamax,
  adamw,
  lion,
  nadam,
  Optimizer,
  rmsprop,
  sgd,
} from "./optimizers.js";

/** Every optimizer by its name. Tests walk it. */
export const registry: Readonly<Record<string, () => Optimizer>> = {
  sgd,
  rmsprop,
  adam,
  adamw,
  nadam,
  adamax,
  adagrad,
  adadelta,
  lion,
};

/** Keras' class names, `SGD` and `AdamW`, are found too. */
const aliases = Object.fromEntries(Object.keys(registry).map((name) => [name, name]));

/** An optimizer by object or by Keras' name. */
export function resolveOptimizer(operation: string, given: unknown): Optimizer {
  if (typeof given === "string") return lookUp(operation, given, registry, aliases)();
  if (given instanceof Optimizer) return given;
  const hint = "Give a name such as 'adam' or an object such as optimizers.adam({ learningRate: 0.01 }).";
  throw new UnreelError({ operation, expected: "an optimizer", got: show(given), hint });
}
