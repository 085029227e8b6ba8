// Activations of layers as ONNX's nodes. Formulas: layers/activations.ts and ops/activation.ts, with Keras' constants.
import type { Builder } from "../builder.js";

type Write = (b: Builder, x: string) => string;

const node =
  (op: string, attributes: Parameters<Builder["op"]>[2] = {}): Write =>
  (b, x) =>
    b.op(op, [x], attributes);
const sigmoid = node("Sigmoid");
const clipped =
  (low: number, high: number): Write =>
  (b, x) =>
    b.op("Clip", [x, b.float(low), b.float(high)]);

/** x/2 (1 + erf(x/√2)) */
const gelu: Write = (b, x) => {
  const erf = b.op("Erf", [b.scaled(x, Math.SQRT1_2)]);
  return b.binary("Mul", b.scaled(x, 0.5), b.binary("Add", erf, b.float(1)));
};

/** x/2 (1 + tanh(√(2/π) (x + 0.044715 x³))) */
const geluTanh: Write = (b, x) => {
  const cube = b.binary("Mul", b.binary("Mul", x, x), x);
  const inner = b.scaled(b.binary("Add", x, b.scaled(cube, 0.044715)), 0.7978845608028654);
  return b.binary("Mul", b.scaled(x, 0.5), b.binary("Add", b.op("Tanh", [inner]), b.float(1)));
};

/** 0 below -1, x above 1, (x + 1)²/4 between. */
const sparsePlus: Write = (b, x) => {
  const square = b.binary("Add", x, b.float(1));
  const between = b.scaled(b.binary("Mul", square, square), 0.25);
  const upper = b.where(b.binary("Less", x, b.float(1)), between, x);
  return b.where(b.binary("Greater", x, b.float(-1)), upper, b.float(0));
};

/** Numbers above a threshold, less it (Martins & Astudillo 2016), with Keras' threshold: (S_1 + … + S_k - 1) / k, sums of the largest. */
const sparsemax: Write = (b, x) => {
  const size = b.sizes(x, -1);
  const [sorted] = b.ops("TopK", [x, size], 2, { axis: -1 });
  const sums = b.op("CumSum", [sorted, b.ints([-1], true)]);
  const ones = b.binary("Add", b.scaled(sorted, 0), b.float(1));
  const counts = b.op("CumSum", [ones, b.ints([-1], true)]);
  const isIn = b.binary("Greater", b.binary("Add", b.binary("Mul", sorted, counts), b.float(1)), sums);
  const support = b.reduce("ReduceSum", b.cast(isIn, 1), [-1], true);
  const total = b.reduce("ReduceSum", b.where(isIn, sums, b.float(0)), [-1], true);
  const threshold = b.binary("Div", b.binary("Sub", total, b.float(1)), support);
  return b.op("Relu", [b.binary("Sub", x, threshold)]);
};

const glu: Write = (b, x) => {
  const [a, gate] = b.ops("Split", [x], 2, { axis: -1 });
  return b.binary("Mul", a, sigmoid(b, gate));
};

const WRITERS: Readonly<Record<string, Write>> = {
  linear: (_b, x) => x,
  relu: node("Relu"),
  relu6: clipped(0, 6),
  leakyRelu: node("LeakyRelu", { alpha: { f: 0.2 } }),
  elu: node("Elu", { alpha: { f: 1 } }),
  celu: node("Elu", { alpha: { f: 1 } }),
  selu: node("Selu", { alpha: { f: 1.6732632423543772 }, gamma: { f: 1.0507009873554805 } }),
  gelu,
  geluTanh,
  swish: (b, x) => b.binary("Mul", x, b.op("Sigmoid", [x])),
  mish: (b, x) => b.binary("Mul", x, b.op("Tanh", [b.op("Softplus", [x])])),
  softplus: node("Softplus"),
  // (x + √(x² + 4)) / 2
  squareplus: (b, x) =>
    b.scaled(b.binary("Add", x, b.op("Sqrt", [b.binary("Add", b.binary("Mul", x, x), b.float(4))])), 0.5),
  sparsePlus,
  softsign: node("Softsign"),
  softShrink: node("Shrink", { lambd: { f: 0.5 }, bias: { f: 0.5 } }),
  hardShrink: node("Shrink", { lambd: { f: 0.5 }, bias: { f: 0 } }),
  tanhShrink: (b, x) => b.binary("Sub", x, b.op("Tanh", [x])),
  tanh: node("Tanh"),
  hardTanh: clipped(-1, 1),
  sigmoid,
  hardSigmoid: node("HardSigmoid", { alpha: { f: 1 / 6 }, beta: { f: 0.5 } }),
  keras2HardSigmoid: node("HardSigmoid", { alpha: { f: 0.2 }, beta: { f: 0.5 } }),
  sparseSigmoid: node("HardSigmoid", { alpha: { f: 0.5 }, beta: { f: 0.5 } }),
  hardSwish: node("HardSwish"),
  exponential: node("Exp"),
  logSigmoid: (b, x) => b.op("Neg", [b.op("Softplus", [b.op("Neg", [x])])]),
  softmax: node("Softmax", { axis: -1 }),
  logSoftmax: node("LogSoftmax", { axis: -1 }),
  sparsemax,
  glu,
};

/** Tests walk the activations of layers against it. */
export const WRITTEN_ACTIVATIONS: readonly string[] = Object.keys(WRITERS);

export function writeActivation(b: Builder, activation: string, x: string): string {
  return WRITERS[activation](b, x);
}

/** A function of ONNX's recurrent nodes, with its constants; undefined where they have none. */
export const CELL_ACTIVATIONS: Readonly<Record<string, { name: string; alpha?: number; beta?: number }>> = {
  tanh: { name: "Tanh" },
  sigmoid: { name: "Sigmoid" },
  relu: { name: "Relu" },
  linear: { name: "Affine", alpha: 1, beta: 0 },
  leakyRelu: { name: "LeakyRelu", alpha: 0.2 },
  hardSigmoid: { name: "HardSigmoid", alpha: 1 / 6, beta: 0.5 },
  keras2HardSigmoid: { name: "HardSigmoid", alpha: 0.2, beta: 0.5 },
  sparseSigmoid: { name: "HardSigmoid", alpha: 0.5, beta: 0.5 },
  elu: { name: "Elu", alpha: 1 },
  celu: { name: "Elu", alpha: 1 },
  softsign: { name: "Softsign" },
  softplus: { name: "Softplus" },
};
