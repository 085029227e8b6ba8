// Activation functions by Keras' names, as layers use them. The arithmetic is in assembly/ (activation, softmax, sparsemax).
import { UnreelError } from "../errors.js";
import { ACTIVATION_KERNELS } from "../ops/activation.js";
import type { Builder } from "../ops/builder.js";
import { activation as activationOp, arithmetic, slice, softmax, sparsemax } from "../ops/index.js";
import { columns, type Value } from "../ops/op.js";
import { lookUp } from "./options.js";

type Emit = (builder: Builder, name: string, x: Value) => Value;

/** What is not elementwise. `linear` is the value itself. */
const apart: Readonly<Record<string, Emit>> = {
  linear: (_builder, _name, x) => x,
  softmax: (builder, name, x) => builder.apply(softmax, name, [x], { logarithm: false })[0],
  logSoftmax: (builder, name, x) => builder.apply(softmax, name, [x], { logarithm: true })[0],
  sparsemax: (builder, name, x) => builder.apply(sparsemax, name, [x], {})[0],
};

/** One half of the last axis times the sigmoid of the other (Dauphin et al. 2017): half as wide as its input. */
const glu: Emit = (builder, name, x) => {
  const width = (columns(x) as number) / 2;
  const half = (from: number) =>
    builder.apply(slice, `${name}.half`, [x], { axis: x.shape.length - 1, from, size: width })[0];
  const [gate] = builder.apply(activationOp, `${name}.gate`, [half(width)], ACTIVATION_KERNELS.sigmoid);
  return builder.apply(arithmetic, name, [half(0), gate], { kernel: "multiply" })[0];
};

const emitters: Readonly<Record<string, Emit>> = {
  ...Object.fromEntries(
    Object.entries(ACTIVATION_KERNELS).map(([activation, curve]): [string, Emit] => [
      activation,
      (builder, name, x) => builder.apply(activationOp, name, [x], curve)[0],
    ]),
  ),
  ...apart,
  glu,
};
const names = Object.fromEntries(Object.keys(emitters).map((name) => [name, name]));
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

/** The same inside a layer, whose output must keep its width. */
export function resolveInnerActivation(operation: string, given: string | null | undefined): string {
  const name = resolveActivation(operation, given);
  if (name !== "glu") return name;
  const hint = "Put layers.activation({ activation: 'glu' }) behind the layer.";
  throw new UnreelError({ operation, expected: "an activation that keeps the width", got: "'glu'", hint });
}

/** The shape of an activation of something of this shape. */
export function activatedShape<D>(operation: string, activation: string, shape: readonly D[]): D[] {
  if (activation !== "glu") return [...shape];
  const width = shape.at(-1);
  if (typeof width === "number" && width % 2 === 0) return [...shape.slice(0, -1), (width / 2) as D];
  throw new UnreelError({ operation, expected: "a last axis of even size", got: `${width}` });
}

/** Emits an activation. */
export function activate(builder: Builder, activation: string, name: string, value: Value): Value {
  return emitters[activation](builder, name, value);
}
