// `optimizers.*`: the registry, and optimizers by name. One rule a file in optimizers/. keras.io/api/optimizers
import { show, UnreelError } from "../errors.js";
import { lookUp } from "../layers/options.js";
import { adadelta } from "./optimizers/adadelta.js";
import { adagrad } from "./optimizers/adagrad.js";
import { adam, adamw } from "./optimizers/adam.js";
import { adamax } from "./optimizers/adamax.js";
import { lion } from "./optimizers/lion.js";
import { nadam } from "./optimizers/nadam.js";
import { Optimizer } from "./optimizers/optimizer.js";
import { rmsprop } from "./optimizers/rmsprop.js";
import { sgd } from "./optimizers/sgd.js";

export { adadelta, adagrad, adam, adamax, adamw, lion, nadam, Optimizer, rmsprop, sgd };

export type OptimizerLike = Optimizer | string;

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
