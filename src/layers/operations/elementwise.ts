// Functions of each number of one tensor: activations, roots, logarithms, powers; constants like a tensor; gradients stopped.
// keras.io/api/ops/numpy, .../ops/nn
import { show, UnreelError } from "../../errors.js";
import {
  type Elementwise,
  elementwise,
  ones as onesOp,
  stopGradient as stopGradientOp,
} from "../../ops/index.js";
import { ACTIVATIONS, activate, activatedShape } from "../activations.js";
import type { LayerKind } from "../kind.js";
import type { SymbolicTensor } from "../symbolic.js";
import { divide, greater, less, multiply, subtract } from "./arithmetic.js";
import { applied, requireTensor } from "./call.js";

interface ElementwiseConfig {
  kind: Elementwise;
  a?: number;
  b?: number;
}

const elementwiseKind: LayerKind<ElementwiseConfig> = {
  className: "Elementwise",
  outputs: (_, [shape]) => [shape],
  lower: ({ builder, name }, config, [{ value }]) => [
    { value: builder.apply(elementwise, name, [value], config)[0] },
  ],
};

function unary(kind: Elementwise) {
  return (x: SymbolicTensor): SymbolicTensor => {
    requireTensor(`ops.${kind}`, x);
    return applied(elementwiseKind, { kind }, [x]);
  };
}

/** |x|; the gradient at 0 is 0. */
export const abs = unary("abs");
/** √x */
export const sqrt = unary("sqrt");
/** ln x */
export const log = unary("log");
/** ln(1 + x), exact near 0 */
export const log1p = unary("log1p");
/** The error function. */
export const erf = unary("erf");
/** -x */
export const negative = (x: SymbolicTensor): SymbolicTensor => multiply(x, -1);
/** x² */
export const square = (x: SymbolicTensor): SymbolicTensor => multiply(x, x);
/** 1 / √x */
export const rsqrt = (x: SymbolicTensor): SymbolicTensor => divide(1, sqrt(x));
/** 1 / x */
export const reciprocal = (x: SymbolicTensor): SymbolicTensor => divide(1, x);
/** 1, 0 or -1, without gradient. */
export const sign = (x: SymbolicTensor): SymbolicTensor => subtract(greater(x, 0), less(x, 0));

function requireNumber(operation: string, value: unknown): void {
  if (typeof value === "number" && !Number.isNaN(value)) return;
  throw new UnreelError({ operation, expected: "a number", got: show(value) });
}

/** x to a constant power. Negative x: NaN unless the exponent is whole. */
export function power(x: SymbolicTensor, exponent: number): SymbolicTensor {
  requireTensor("ops.power", x);
  requireNumber("ops.power: exponent", exponent);
  return exponent === 2 ? square(x) : applied(elementwiseKind, { kind: "power", a: exponent }, [x]);
}

/** x between two numbers; the gradient is 1 from `xMin` to `xMax`, both included, and 0 outside. */
export function clip(x: SymbolicTensor, xMin: number, xMax: number): SymbolicTensor {
  requireTensor("ops.clip", x);
  requireNumber("ops.clip: xMin", xMin);
  requireNumber("ops.clip: xMax", xMax);
  return applied(elementwiseKind, { kind: "clip", a: xMin, b: xMax }, [x]);
}

// ------------------------------------------------------------------------------------------------- constants, gradients

const likeKind: LayerKind<{ value: number }> = {
  className: "Like",
  outputs: (_, [shape]) => [shape],
  lower({ builder, name }, { value }, [flow]) {
    const shape = flow.shape ?? flow.value.shape;
    return [{ value: builder.apply(onesOp, name, [], { shape, value })[0] }];
  },
};

/** Ones in the shape of x. */
export function onesLike(x: SymbolicTensor): SymbolicTensor {
  requireTensor("ops.onesLike", x);
  return applied(likeKind, { value: 1 }, [x]);
}

/** Zeros in the shape of x. */
export function zerosLike(x: SymbolicTensor): SymbolicTensor {
  requireTensor("ops.zerosLike", x);
  return applied(likeKind, { value: 0 }, [x]);
}

const stopKind: LayerKind<object> = {
  className: "StopGradient",
  outputs: (_, [shape]) => [shape],
  lower: ({ builder, name }, _, [{ value }]) => [
    { value: builder.apply(stopGradientOp, name, [value], {})[0] },
  ],
};

/** x, as a constant: no gradient flows back through it. Keras: ops.stop_gradient. */
export function stopGradient(x: SymbolicTensor): SymbolicTensor {
  requireTensor("ops.stopGradient", x);
  return applied(stopKind, {}, [x]);
}

// ---------------------------------------------------------------------------------------------------------- activations

const activationKind: LayerKind<{ activation: string }> = {
  className: "Activation",
  outputs: ({ activation }, [shape]) => [activatedShape(`ops.${activation}`, activation, shape)],
  lower: ({ builder, name }, { activation }, [{ value }]) => [
    { value: activate(builder, activation, name, value) },
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
  | "keras2HardSigmoid"
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
    (x: SymbolicTensor) => applied(activationKind, { activation }, [x]),
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
  keras2HardSigmoid,
  sparseSigmoid,
  hardSwish,
  exponential,
  logSigmoid,
  softmax,
  logSoftmax,
  sparsemax,
  glu,
} = activations;

/** e^x */
export const exp = exponential;
