// Attention layers as ONNX's nodes: products, masks as truth values [samples, (heads,) queries, keys], softmax (layers/attention.ts,
// multiHeadAttention.ts).
import type { Weight } from "../../../layers/weight.js";
import type { Builder, Flow } from "../builder.js";
import type { WriteCall, WriteLayer, Writers } from "./write.js";

type Call = Parameters<WriteLayer>[0];

/** Masks that all must let a key be seen, each as it broadcasts against scores of so many axes. */
function seen(
  { b, inputs, attending, options }: Call,
  rank: number,
  { query, keys }: { query?: string; keys: readonly (string | undefined)[] },
  near?: { before?: number; after?: number },
): string | undefined {
  const head = rank === 4 ? [1] : [];
  const [queries, values] = inputs;
  const found = [...new Set(keys)].flatMap((mask) => (mask ? [b.unsqueeze(mask, ...head, rank - 2)] : []));
  if (query) found.push(b.unsqueeze(query, ...head, rank - 1));
  if (attending?.attentionMask) {
    const isWhole = options.attending!.attentionMask!.shape.length === rank;
    found.push(isWhole ? attending.attentionMask : b.unsqueeze(attending.attentionMask, ...head));
  }
  if (near) found.push(...nearby(b, queries.name, values.name, near));
  return found.length === 0 ? undefined : found.reduce((x, y) => b.op("And", [x, y]));
}

/** Truth values [queries, keys]. */
function nearby(
  b: Builder,
  query: string,
  value: string,
  { before, after }: { before?: number; after?: number },
): string[] {
  const places = (x: string) => {
    const length = b.squeeze(b.sizes(x, 1, 2), 0);
    return b.op("Range", [b.ints([0], true), length, b.ints([1], true)]);
  };
  const back = b.binary("Sub", b.unsqueeze(places(query), 1), b.unsqueeze(places(value), 0));
  return [
    ...(before === undefined ? [] : [b.binary("LessOrEqual", back, b.ints([before], true))]),
    ...(after === undefined ? [] : [b.binary("GreaterOrEqual", back, b.ints([-after], true))]),
  ];
}

function refuseDropout({ b, layer, config, options }: Call): void {
  if (options.training !== true || config.dropout === 0) return;
  const hint = "Apply it without the option.";
  b.refuse(layer, "inference", "training: true, random numbers at inference", hint);
}

type Scores = (call: Call, query: string, key: string) => string;

function attending(scoresOf: Scores): WriteLayer {
  return (call) => {
    refuseDropout(call);
    const { b, inputs, shapes } = call;
    const [query, value, key = value] = inputs.map((flow) => b.numbers(flow));
    const scores = scoresOf(call, query, key);
    const near = call.attending?.useCausalMask ? { after: 0 } : undefined;
    const mask = seen(call, 3, { keys: [inputs[1].mask] }, near);
    const hidden = mask && b.where(mask, scores, b.binary("Add", scores, b.float(-1e9)));
    const weights = b.op("Softmax", [hidden ?? scores], { axis: -1 });
    const product = b.op("MatMul", [weights, value]);
    const kept = inputs[0].mask;
    const output = kept ? b.where(b.unsqueeze(kept, 2), product, b.float(0)) : product;
    return flows(call, output, weights, kept, shapes);
  };
}

function flows(
  { attending: called }: Call,
  output: string,
  weights: string,
  mask: string | undefined,
  shapes: WriteCall<unknown>["shapes"],
): Flow[] {
  const first = { name: output, shape: shapes[0], mask };
  return called?.returnAttentionScores ? [first, { name: weights, shape: shapes[1] }] : [first];
}

/** Σ scale · tanh(q + k) */
function additive(b: Builder, query: string, key: string, scale?: string): string {
  const sum = b.op("Tanh", [b.binary("Add", b.unsqueeze(query, 2), b.unsqueeze(key, 1))]);
  return b.reduce("ReduceSum", scale ? b.binary("Mul", sum, scale) : sum, [3], false);
}

const attention = attending(({ b, layer, config }, query, key) => {
  const scale = config.useScale ? b.weight(layer.weights[0]) : undefined;
  const scaled = (x: string) => (scale ? b.binary("Mul", x, scale) : x);
  if (config.scoreMode === "dot") return b.op("MatMul", [scaled(query), b.transpose(key, [0, 2, 1])]);
  return b.binary("Mul", additive(b, scaled(query), scaled(key)), b.weight(layer.weights.at(-1)!));
});

const additiveAttention = attending(({ b, layer }, query, key) =>
  additive(b, query, key, layer.weights[0] && b.weight(layer.weights[0])),
);

// --------------------------------------------------------------------------------------------------- multiHeadAttention

const multiHeadAttention: WriteLayer = (call) => {
  refuseDropout(call);
  const { b, layer, config, inputs, shapes } = call;
  const { numHeads, keyDim, valueDim, slidingWindow, dropout } = config;
  const [query, value, key = value] = inputs.map((flow) => b.numbers(flow));
  const find = (name: string) => layer.weights.find((weight) => weight.name.endsWith(`/${name}`));
  /** x [samples, steps, features] times a kernel, heads side by side. */
  const project = (what: string, x: string): string => {
    const [kernel, bias] = [find(`${what}/kernel`)!, find(`${what}/bias`)];
    const rows = what === "attention_output" ? numHeads * valueDim : kernel.shape[0];
    const product = b.op("MatMul", [x, flat(b, kernel, [rows, kernel.size / rows])]);
    return bias ? b.binary("Add", product, flat(b, bias, [bias.size])) : product;
  };
  const heads = (what: string, x: string, size: number, order: readonly number[]) =>
    b.transpose(b.reshape(project(what, x), [0, 0, numHeads, size]), order);

  const queries = b.scaled(heads("query", query, keyDim, [0, 2, 1, 3]), 1 / Math.sqrt(keyDim));
  const scores = b.op("MatMul", [queries, heads("key", key, keyDim, [0, 2, 3, 1])]);
  const reach = slidingWindow === null ? undefined : slidingWindow - 1;
  const isCausal = call.attending?.useCausalMask ?? false;
  const near = reach === undefined && !isCausal ? undefined : { before: reach, after: isCausal ? 0 : reach };
  const mask = seen(call, 4, { query: inputs[0].mask, keys: [inputs[1].mask, inputs[2]?.mask] }, near);
  const clears = dropout > 0 || call.attending?.returnAttentionScores;
  const low = clears ? -1e9 : -0.7 * 3.4028234663852886e38;
  const hidden = mask ? b.where(mask, scores, b.float(low)) : scores;
  const all = b.op("Softmax", [hidden], { axis: -1 });
  const weights = mask && clears ? b.where(mask, all, b.float(0)) : all;
  const mixed = b.op("MatMul", [weights, heads("value", value, valueDim, [0, 2, 1, 3])]);
  const row = b.reshape(b.transpose(mixed, [0, 2, 1, 3]), [0, 0, numHeads * valueDim]);
  const open = config.useGate ? b.binary("Mul", row, b.op("Sigmoid", [project("gate", query)])) : row;
  const out = project("attention_output", open);
  const output = config.outputShape?.length > 1 ? b.reshape(out, [0, 0, ...config.outputShape]) : out;
  return flows(call, output, weights, inputs[0].mask, shapes);
};

function flat(b: Builder, weight: Weight, shape: readonly number[]): string {
  return b.weight(weight, "flat", (values) => ({ data: values.slice(), shape }));
}

export const ATTENTION: Writers = {
  Attention: attention,
  AdditiveAttention: additiveAttention,
  MultiHeadAttention: multiHeadAttention,
};
