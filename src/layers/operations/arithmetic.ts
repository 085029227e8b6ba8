// Arithmetic, comparisons and choices of two operands, broadcast as in NumPy; one may be a number, which costs no array.
// keras.io/api/ops/numpy
import { show, UnreelError } from "../../errors.js";
import {
  type Arithmetic,
  arithmetic,
  type Comparison,
  choose,
  compare as compareOp,
  type Elementwise,
  elementwise,
  scaled,
} from "../../ops/index.js";
import type { Value } from "../../ops/op.js";
import type { LayerKind, LoweringContext } from "../kind.js";
import { SymbolicTensor } from "../symbolic.js";
import { together } from "../values.js";
import { applied, jointShape, type Operand, requireEqualIn, requireTensor } from "./call.js";

/** The operands that are tensors, and the other one. */
function operands(
  operation: string,
  a: Operand,
  b: Operand,
): { tensors: SymbolicTensor[]; constant?: number } {
  const given = [a, b];
  const tensors = given.filter((operand) => operand instanceof SymbolicTensor);
  const constant = given.find((operand) => typeof operand === "number");
  if (tensors.length + (constant === undefined ? 0 : 1) === 2 && tensors.length > 0)
    return { tensors, constant };
  const expected = "symbolic tensors, or one and a number";
  throw new UnreelError({ operation, expected, got: given.map(show).join(", ") });
}

const capital = (name: string) => name.charAt(0).toUpperCase() + name.slice(1);

// ----------------------------------------------------------------------------------------------------------- arithmetic

interface ArithmeticConfig {
  kernel: Arithmetic;
  /** A number in the place of one of the operands. */
  constant?: number;
  constantFirst: boolean;
}

/** x with a number: the number first, or last. */
function withConstant({ builder, name }: LoweringContext, config: ArithmeticConfig, x: Value): Value {
  const { kernel, constant: c = 0, constantFirst } = config;
  const apply = (kind: Elementwise, a: number, b = 0) =>
    builder.apply(elementwise, name, [x], { kind, a, b })[0];
  const times = (factor: number) => builder.apply(scaled, name, [x], { factor })[0];
  if (kernel === "add") return apply("shift", 1, c);
  if (kernel === "subtract") return constantFirst ? apply("shift", -1, c) : apply("shift", 1, -c);
  if (kernel === "multiply") return times(c);
  if (kernel === "divide") return constantFirst ? apply("quotient", c) : times(1 / c);
  return apply(kernel, c);
}

function arithmeticKind(kernel: Arithmetic): LayerKind<ArithmeticConfig> {
  return {
    className: capital(kernel),
    merges: true,
    outputs: ({ kernel }, inputs) => [jointShape(`ops.${kernel}`, inputs)],

    lower(context, config, flows) {
      const { builder, name } = context;
      const values = flows.map(({ value }) => value);
      if (values.length === 1) return [{ value: withConstant(context, config, values[0]) }];
      const inputs = together(builder, name, values, requireEqualIn(context));
      const [value] = builder.apply(arithmetic, name, inputs, { kernel });
      return [{ value }];
    },
  };
}

function binary(kernel: Arithmetic) {
  const kind = arithmeticKind(kernel);
  return (a: Operand, b: Operand): SymbolicTensor => {
    const { tensors, constant } = operands(`ops.${kernel}`, a, b);
    return applied(kind, { kernel, constant, constantFirst: typeof a === "number" }, tensors);
  };
}

/** a + b */
export const add = binary("add");
/** a - b */
export const subtract = binary("subtract");
/** a · b, number by number */
export const multiply = binary("multiply");
/** a / b, number by number */
export const divide = binary("divide");
/** The larger of a and b, number by number; where they are equal each gets half the gradient. */
export const maximum = binary("maximum");
/** The smaller of a and b, number by number; where they are equal each gets half the gradient. */
export const minimum = binary("minimum");

// ---------------------------------------------------------------------------------------------------------- comparisons

interface ComparisonConfig {
  comparison: Comparison;
  scalar?: number;
}

const compareKind: LayerKind<ComparisonConfig> = {
  className: "Compare",
  merges: true,
  outputs: ({ comparison }, inputs) => [jointShape(`ops.${comparison}`, inputs)],

  lower(context, config, flows) {
    const { builder, name } = context;
    const values = flows.map(({ value }) => value);
    const inputs = together(builder, name, values, requireEqualIn(context));
    const [value] = builder.apply(compareOp, name, inputs, config);
    return [{ value }];
  },
};

/** With the operands exchanged. */
const MIRRORED: Readonly<Record<Comparison, Comparison>> = {
  greater: "less",
  greaterEqual: "lessEqual",
  less: "greater",
  lessEqual: "greaterEqual",
  equal: "equal",
  notEqual: "notEqual",
};

function comparing(comparison: Comparison) {
  return (a: Operand, b: Operand): SymbolicTensor => {
    const { tensors, constant } = operands(`ops.${comparison}`, a, b);
    const order = typeof a === "number" ? MIRRORED[comparison] : comparison;
    return applied(compareKind, { comparison: order, scalar: constant }, tensors);
  };
}

/** 1 where a > b, else 0. Comparisons give numbers and have no gradient. */
export const greater = comparing("greater");
/** 1 where a ≥ b, else 0. */
export const greaterEqual = comparing("greaterEqual");
/** 1 where a < b, else 0. */
export const less = comparing("less");
/** 1 where a ≤ b, else 0. */
export const lessEqual = comparing("lessEqual");
/** 1 where a = b, else 0. */
export const equal = comparing("equal");
/** 1 where a ≠ b, else 0. */
export const notEqual = comparing("notEqual");

// --------------------------------------------------------------------------------------------------------------- choices

const whereKind: LayerKind<{ a?: number; b?: number }> = {
  className: "Where",
  merges: true,
  outputs: (_, inputs) => [jointShape("ops.where", inputs)],

  lower(context, { a, b }, flows) {
    const { builder, name } = context;
    const values = flows.map(({ value }) => value);
    const [condition, ...rest] = together(builder, name, values, requireEqualIn(context));
    const inputs = [
      condition,
      a === undefined ? rest.shift() : undefined,
      b === undefined ? rest.shift() : undefined,
    ];
    const [value] = builder.apply(choose, name, inputs, { a, b });
    return [{ value }];
  },
};

/** a where the condition is not 0, b elsewhere; both may be numbers. No gradient flows to the condition. */
export function where(condition: SymbolicTensor, a: Operand, b: Operand): SymbolicTensor {
  requireTensor("ops.where", condition);
  for (const each of [a, b]) if (typeof each !== "number") requireTensor("ops.where", each);
  const tensors = [condition, a, b].filter((each) => each instanceof SymbolicTensor);
  const number = (each: Operand) => (typeof each === "number" ? each : undefined);
  return applied(whereKind, { a: number(a), b: number(b) }, tensors);
}
