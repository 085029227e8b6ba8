// `ops.*` as ONNX's nodes (layers/operations/). No mask passes through them.
import { type Builder, FAR, FLOAT, type Flow } from "../builder.js";
import { writeActivation } from "./activations.js";
import type { WriteCall, WriteLayer, Writers } from "./write.js";

const one = ({ shapes }: WriteCall<unknown>, name: string): Flow[] => [{ name, shape: shapes[0] }];
const names = ({ b, inputs }: WriteCall<unknown>): string[] => inputs.map((flow) => b.numbers(flow));

/** Two operands, one of which may be a number. */
function binary(op: string): WriteLayer {
  return (call) => {
    const { b, config } = call;
    const operands = names(call);
    if (operands.length === 1) {
      const number = b.float(config.constant);
      if (config.constantFirst) operands.unshift(number);
      else operands.push(number);
    }
    return one(call, b.binary(op, operands[0], operands[1]));
  };
}

const COMPARISONS: Readonly<Record<string, string>> = {
  greater: "Greater",
  greaterEqual: "GreaterOrEqual",
  less: "Less",
  lessEqual: "LessOrEqual",
  equal: "Equal",
  notEqual: "Equal",
};

const compare: WriteLayer = (call) => {
  const { b, config } = call;
  const [x, y = b.float(config.scalar)] = names(call);
  const found = b.binary(COMPARISONS[config.comparison], x, y);
  return one(call, b.cast(config.comparison === "notEqual" ? b.op("Not", [found]) : found, FLOAT));
};

const where: WriteLayer = (call) => {
  const { b, config, inputs } = call;
  const [, ...rest] = names(call);
  const x = config.a === undefined ? rest.shift()! : b.float(config.a);
  const y = config.b === undefined ? rest.shift()! : b.float(config.b);
  return one(call, b.where(b.isTrue(inputs[0]), x, y));
};

type Elementwise = (b: Builder, x: string, p: number, q: number) => string;

const ELEMENTWISE: Readonly<Record<string, Elementwise>> = {
  shift: (b, x, p, q) => b.binary("Add", p === 1 ? x : b.scaled(x, p), b.float(q)),
  quotient: (b, x, p) => b.binary("Div", b.float(p), x),
  maximum: (b, x, p) => b.binary("Max", x, b.float(p)),
  minimum: (b, x, p) => b.binary("Min", x, b.float(p)),
  clip: (b, x, p, q) => b.op("Clip", [x, b.float(p), b.float(q)]),
  abs: (b, x) => b.op("Abs", [x]),
  sqrt: (b, x) => b.op("Sqrt", [x]),
  log: (b, x) => b.op("Log", [x]),
  log1p: (b, x) => b.op("Log", [b.binary("Add", x, b.float(1))]),
  erf: (b, x) => b.op("Erf", [x]),
  power: (b, x, p) => b.binary("Pow", x, b.float(p)),
};

const elementwise: WriteLayer = (call) => {
  const { kind, a = 0, b: second = 0 } = call.config;
  return one(call, ELEMENTWISE[kind](call.b, names(call)[0], a, second));
};

const like: WriteLayer = (call) => {
  const { b, config, inputs } = call;
  return one(call, b.op("Expand", [b.float(config.value), b.sizes(inputs[0].name, 0)]));
};

const REDUCTIONS: Readonly<Record<string, string>> = {
  sum: "ReduceSum",
  mean: "ReduceMean",
  max: "ReduceMax",
  min: "ReduceMin",
};

const reduce: WriteLayer = (call) => {
  const { reduction, axes, keepdims } = call.config;
  return one(call, call.b.reduce(REDUCTIONS[reduction], names(call)[0], axes, keepdims));
};

const reshape: WriteLayer = (call) => {
  const { target, keepsBatch } = call.config;
  return one(call, call.b.reshape(names(call)[0], keepsBatch ? [0, ...target] : target));
};

const axes: WriteLayer = (call) => {
  const { removed, added } = call.config;
  return one(call, call.b.unsqueeze(call.b.squeeze(names(call)[0], ...removed), ...added));
};

const slice: WriteLayer = (call) => {
  const { parts } = call.config as { parts: { axis: number; from: number; size: number }[] };
  const end = ({ from, size }: (typeof parts)[number]) =>
    size === -1 || from + size === 0 ? FAR : from + size;
  return one(
    call,
    parts.reduce((x, part) => call.b.slice(x, part.axis, part.from, end(part)), names(call)[0]),
  );
};

const split: WriteLayer = (call) => {
  const { axis, ends } = call.config as { axis: number; ends: number[] };
  const sizes = ends.map((end, k) => end - (k === 0 ? 0 : ends[k - 1]));
  const [x] = names(call);
  const parts = call.b.ops("Split", [x, call.b.ints(sizes)], sizes.length, { axis });
  return parts.map((name, k) => ({ name, shape: call.shapes[k] }));
};

/** By class; names of classes overlap with those of layers. */
export const OPERATIONS: Writers = {
  Add: binary("Add"),
  Subtract: binary("Sub"),
  Multiply: binary("Mul"),
  Divide: binary("Div"),
  Maximum: binary("Max"),
  Minimum: binary("Min"),
  Compare: compare,
  Where: where,
  Elementwise: elementwise,
  Like: like,
  StopGradient: (call) => one(call, names(call)[0]),
  Activation: (call) => one(call, writeActivation(call.b, call.config.activation, names(call)[0])),
  Reduce: reduce,
  Matmul: (call) => one(call, call.b.op("MatMul", names(call))),
  Reshape: reshape,
  Axes: axes,
  Transpose: (call) => one(call, call.b.transpose(names(call)[0], call.config.axes)),
  Slice: slice,
  Split: split,
  Flip: (call) => one(call, call.b.flip(names(call)[0], call.config.axis)),
};
