// Activation functions by Keras' names, as layers use them. The arithmetic is in assembly/activation.ts and softmax.ts.
import { UnreelError } from "../errors.js";
import { ACTIVATION_KERNELS } from "../ops/activation.js";
import type { Builder } from "../ops/builder.js";
import { activation as activationOp, softmax } from "../ops/index.js";
import type { Value } from "../ops/op.js";
import { lookUp } from "./options.js";

const names = Object.fromEntries(
  [...Object.keys(ACTIVATION_KERNELS), "linear", "softmax", "logSoftmax"].map((name) => [name, name]),
);
const aliases: Record<string, string> = { silu: "swish", hardsilu: "hardSwish", none: "linear" };

/** Every activation by its camelCase name. */
export const ACTIVATIONS: readonly string[] = Object.keys(names);

/** The registered name of an activation: `leaky_relu`, `LeakyReLU`-like spellings and Keras' synonyms are understood. */
export function resolveActivation(operation: string, given: string | null | undefined): string {
  if (given === undefined || given === null) return "linear";
  if (typeof given !== "string") {
    throw new UnreelError({ operation, expected: "the name of an activation", got: typeof given });
  }
  return lookUp(operation, given, names, aliases);
}

/** Emits an activation; `linear` is the value itself. */
export function activate(builder: Builder, activation: string, name: string, value: Value): Value {
  if (activation === "linear") return value;
  if (activation === "softmax" || activation === "logSoftmax") {
    return builder.apply(softmax, name, [value], { logarithm: activation === "logSoftmax" })[0];
  }
  const parameters = Object.values(ACTIVATION_KERNELS[activation]);
  return builder.apply(activationOp, name, [value], { kernel: activation, parameters })[0];
}
