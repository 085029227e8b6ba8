// `ops.*`: functions of symbolic tensors, for a user's own cells, losses and metrics. Each is a layer without weights.
// keras.io/api/ops
import { show, UnreelError } from "../errors.js";
import { type Arithmetic, arithmetic, ones, scaled, sliceColumns } from "../ops/index.js";
import type { Value } from "../ops/op.js";
import { ACTIVATIONS, activate, activatedShape } from "./activations.js";
import { lastAxis } from "./core.js";
import { Layer, type LayerKind, type LoweringContext } from "./layer.js";
import * as merge from "./merge.js";
import { type Shape, SymbolicTensor, showShape } from "./symbolic.js";

type Operand = SymbolicTensor | number;

interface ArithmeticConfig {
  kernel: Arithmetic;
  /** A number in the place of one of the operands. */
  constant?: number;
  constantFirst: boolean;
}

/** A number everywhere, in the shape of another value. */
function everywhere({ builder, name }: LoweringContext, like: Value, number: number): Value {
  const [all] = builder.apply(ones, `${name}.ones`, [], { shape: like.shape });
  const [value] = builder.apply(scaled, `${name}.constant`, [all], { factor: number });
  return { ...value, timeMajor: like.timeMajor };
}

function arithmeticKind(className: string): LayerKind<ArithmeticConfig> {
  return {
    className,
    merges: true,
    outputs: (_, [first]) => [first],

    lower(context, { kernel, constant, constantFirst }, [first, second]) {
      const { builder, name } = context;
      const a = first.value;
      const b = second
        ? a.timeMajor
          ? builder.timeMajor(second.value)
          : builder.batchMajor(second.value)
        : everywhere(context, a, constant!);
      const operands = constantFirst ? [b, a] : [a, b];
      return [{ value: builder.apply(arithmetic, name, operands, { kernel })[0], mask: first.mask }];
    },
  };
}

function binary(kernel: Arithmetic) {
  const kind = arithmeticKind(kernel.charAt(0).toUpperCase() + kernel.slice(1));
  return (a: Operand, b: Operand): SymbolicTensor => {
    const operation = `ops.${kernel}`;
    const tensors = [a, b].filter((operand) => operand instanceof SymbolicTensor);
    const constant = [a, b].find((operand) => typeof operand === "number");
    if (tensors.length + (constant === undefined ? 0 : 1) !== 2) {
      throw new UnreelError({
        operation,
        expected: "symbolic tensors, or one and a number",
        got: `${show(a)}, ${show(b)}`,
      });
    }
    if (tensors.length === 2 && !sameShape(tensors[0].shape, tensors[1].shape)) {
      const expected = `operands of one shape, ${showShape(tensors[0].shape)}`;
      throw new UnreelError({ operation, expected, got: showShape(tensors[1].shape) });
    }
    const config = { kernel, constant, constantFirst: typeof a === "number" };
    return new Layer(kind, config).apply(tensors) as SymbolicTensor;
  };
}

function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((d, axis) => d === b[axis]);
}

/** a + b, number by number; one may be a number. */
export const add = binary("add");
/** a - b */
export const subtract = binary("subtract");
/** a · b, number by number */
export const multiply = binary("multiply");
/** a / b, number by number */
export const divide = binary("divide");
/** The larger of a and b, number by number; where they are equal each gets half the gradient. */
export const maximum = binary("maximum");
/** The smaller of a and b, number by number. */
export const minimum = binary("minimum");

/** Tensors side by side along `axis` (default -1). */
export function concatenate(xs: readonly SymbolicTensor[], axis = -1): SymbolicTensor {
  return merge.concatenate({ axis }).apply(xs) as SymbolicTensor;
}

const splitKind: LayerKind<{ parts: number }> = {
  className: "Split",

  check({ parts }, [shape]) {
    const size = lastAxis("ops.split", shape);
    if (Number.isSafeInteger(parts) && parts > 0 && size % parts === 0) return;
    throw new UnreelError({
      operation: "ops.split",
      expected: `a number of parts that divides ${size}`,
      got: show(parts),
    });
  },

  outputs: ({ parts }, [shape]) =>
    Array.from({ length: parts }, () => [...shape.slice(0, -1), shape.at(-1)! / parts]),

  lower({ builder, name }, { parts }, [{ value, mask }]) {
    const width = (value.shape.at(-1) as number) / parts;
    return Array.from({ length: parts }, (_, part) => {
      const [out] = builder.apply(sliceColumns, name, [value], { from: part * width, width });
      return { value: out, mask };
    });
  },
};

/** Equal parts along the last axis. */
export function split(x: SymbolicTensor, parts: number): SymbolicTensor[] {
  return [...new Layer(splitKind, { parts }).call([x]).outputs];
}

const activationKind: LayerKind<{ activation: string }> = {
  className: "Activation",
  outputs: ({ activation }, [shape]) => [activatedShape(`ops.${activation}`, activation, shape)],
  lower: ({ builder, name }, { activation }, [{ value, mask }]) => [
    { value: activate(builder, activation, name, value), mask },
  ],
};

type ActivationName =
  | "relu"
  | "relu6"
  | "leakyRelu"
  | "elu"
  | "celu"
  | "selu"
  | "gelu"
  | "swish"
  | "mish"
  | "softplus"
  | "squareplus"
  | "sparsePlus"
  | "softsign"
  | "softShrink"
  | "hardShrink"
  | "tanhShrink"
  | "tanh"
  | "hardTanh"
  | "sigmoid"
  | "hardSigmoid"
  | "sparseSigmoid"
  | "hardSwish"
  | "exponential"
  | "logSigmoid"
  | "softmax"
  | "logSoftmax"
  | "sparsemax"
  | "glu";

const activations = Object.fromEntries(
  ACTIVATIONS.map((activation) => [
    activation,
    (x: SymbolicTensor) => new Layer(activationKind, { activation }).apply(x) as SymbolicTensor,
  ]),
) as Record<ActivationName, (x: SymbolicTensor) => SymbolicTensor>;

export const {
  relu,
  relu6,
  leakyRelu,
  elu,
  celu,
  selu,
  gelu,
  swish,
  mish,
  softplus,
  squareplus,
  sparsePlus,
  softsign,
  softShrink,
  hardShrink,
  tanhShrink,
  tanh,
  hardTanh,
  sigmoid,
  hardSigmoid,
  sparseSigmoid,
  hardSwish,
  exponential,
  logSigmoid,
  softmax,
  logSoftmax,
  sparsemax,
  glu,
} = activations;
