// Layers without a loop over time as ONNX's nodes: dense, embedding, convolutions, pooling, normalization, merges, shapes.
// What passes a mask on, and what changes it, is as in the layer's own file (layers/).
import type { Layer } from "../../../layers/layer.js";
import { transposedWindows, type Window } from "../../../layers/windows.js";
import { BOOL, type Builder, FAR, FLOAT, type Flow, INT32 } from "../builder.js";
import { writeActivation } from "./activations.js";
import { ATTENTION } from "./attention.js";
import { writeInner } from "./graph.js";
import type { WriteCall, WriteLayer, Writers } from "./write.js";

const rankOf = ({ shape }: Flow) => shape.length;

/** One output. */
const one = ({ shapes }: WriteCall<unknown>, name: string, mask?: string): Flow[] => [
  { name, shape: shapes[0], mask },
];

// ------------------------------------------------------------------------------------------------------------------ core

const dense: WriteLayer = (call) => {
  const { b, layer, config, inputs } = call;
  const [kernel, bias] = layer.weights;
  const product = b.op("MatMul", [b.numbers(inputs[0]), b.weight(kernel)]);
  const sum = bias ? b.binary("Add", product, b.weight(bias)) : product;
  return one(call, writeActivation(b, config.activation, sum), inputs[0].mask);
};

const activation: WriteLayer = (call) =>
  one(
    call,
    writeActivation(call.b, call.config.activation, call.b.numbers(call.inputs[0])),
    call.inputs[0].mask,
  );

const passing: WriteLayer = (call) => one(call, call.b.numbers(call.inputs[0]), call.inputs[0].mask);

/** Layers that are random while training only. */
const noise: WriteLayer = (call) => {
  const { b, layer, options } = call;
  if (options.training === true)
    b.refuse(
      layer,
      "inference",
      "training: true, random numbers at inference",
      "Apply it without the option.",
    );
  return passing(call);
};

const flatten: WriteLayer = (call) => {
  const { b, inputs, shapes } = call;
  const [, size] = shapes[0];
  return one(call, b.reshape(b.numbers(inputs[0]), [0, size ?? -1]));
};

const embedding: WriteLayer = (call) => {
  const { b, layer, config, inputs } = call;
  const [{ name, isInteger }] = inputs;
  const ids = isInteger ? name : b.cast(name, INT32);
  const out = b.op("Gather", [b.weight(layer.weights[0]), ids], { axis: 0 });
  const mask =
    config.maskZero && rankOf(inputs[0]) === 2
      ? b.isTrue({ name: ids, shape: [], isInteger: true })
      : undefined;
  return one(call, out, mask);
};

const masking: WriteLayer = (call) => {
  const { b, config, inputs } = call;
  const x = b.numbers(inputs[0]);
  const differs = b.op("Not", [b.binary("Equal", x, b.float(config.maskValue))]);
  const mask = b.cast(b.reduce("ReduceMax", b.cast(differs, INT32), [2], false), BOOL);
  return one(call, b.where(b.unsqueeze(mask, 2), x, b.float(0)), mask);
};

const repeatVector: WriteLayer = (call) => {
  const { b, config, inputs } = call;
  return one(call, b.op("Expand", [b.unsqueeze(b.numbers(inputs[0]), 1), b.ints([1, config.n, 1])]));
};

/** All steps of all samples as one large batch. */
const timeDistributed: WriteLayer = (call) => {
  const { b, config, inputs, shapes } = call;
  const [flow] = inputs;
  const [batch, , ...rest] = flow.shape;
  const inside = rest.map(
    (d) => d ?? b.refuse(call.layer, "steps of known size", "a size that is known at run time only"),
  );
  const steps = {
    ...flow,
    name: b.reshape(flow.name, [-1, ...inside]),
    shape: [batch, ...rest],
    mask: undefined,
  };
  const lengths = b.sizes(flow.name, 0, 2);
  return writeInner(b, { layer: config.layer }, [steps]).map(({ name, shape }, k) => {
    const whole = b.concat([lengths, shape.length > 1 ? b.sizes(name, 1) : b.ints([])], 0);
    return { name: b.op("Reshape", [name, whole]), shape: shapes[k], mask: flow.mask };
  });
};

// --------------------------------------------------------------------------------------------------------------- windows

const channelsFirst = (b: Builder, x: string) => b.transpose(x, [0, 2, 1]);

/** Axes [a, b, c] in the opposite order. */
function reversed3(
  values: Float32Array,
  [a, m, c]: readonly number[],
): { data: Float32Array; shape: number[] } {
  const data = new Float32Array(values.length);
  for (let i = 0; i < a; i++)
    for (let j = 0; j < m; j++)
      for (let k = 0; k < c; k++) data[(k * m + j) * a + i] = values[(i * m + j) * c + k];
  return { data, shape: [c, m, a] };
}

interface Windows {
  kernelSize: number;
  stride: number;
  dilation: number;
  padding: string;
  activation: string;
}

function moves({ kernelSize, stride, dilation, padding }: Windows) {
  const span = (kernelSize - 1) * dilation;
  const common = { kernel_shape: [kernelSize], strides: [stride], dilations: [dilation] };
  if (padding === "causal") return { ...common, pads: [span, 0] };
  if (padding === "valid" || span === 0) return { ...common, pads: [0, 0] };
  if (stride === 1) return { ...common, pads: [span >> 1, span - (span >> 1)] };
  return { ...common, auto_pad: "SAME_UPPER" };
}

const conv1D: WriteLayer = (call) => {
  const { b, layer, config, inputs } = call;
  const [kernel, bias] = layer.weights;
  const weights = [
    b.weight(kernel, "conv", (values) => reversed3(values, kernel.shape)),
    ...(bias ? [b.weight(bias)] : []),
  ];
  const out = b.op("Conv", [channelsFirst(b, b.numbers(inputs[0])), ...weights], {
    ...moves(config),
    group: config.groups,
  });
  return one(call, writeActivation(b, config.activation, channelsFirst(b, out)));
};

/** Each channel with filters of its own; the kernel [steps, channels, multiplier]. */
function depthwise({ b, layer, config, inputs }: WriteCall<Windows>, bias?: string): string {
  const [kernel] = layer.weights;
  const [size, channels, multiplier] = kernel.shape;
  const laid = b.weight(kernel, "depthwise", (values) => {
    const data = new Float32Array(values.length);
    for (let t = 0; t < size; t++)
      for (let c = 0; c < channels * multiplier; c++)
        data[c * size + t] = values[t * channels * multiplier + c];
    return { data, shape: [channels * multiplier, 1, size] };
  });
  const x = channelsFirst(b, b.numbers(inputs[0]));
  return channelsFirst(b, b.op("Conv", [x, laid, bias ?? ""], { ...moves(config), group: channels }));
}

const depthwiseConv1D: WriteLayer = (call) => {
  const { b, layer, config } = call;
  const [, bias] = layer.weights;
  return one(call, writeActivation(b, config.activation, depthwise(call, bias && b.weight(bias))));
};

const separableConv1D: WriteLayer = (call) => {
  const { b, layer, config } = call;
  const [, pointwise, bias] = layer.weights;
  const matrix = b.weight(pointwise, "matrix", (values) => ({
    data: values.slice(),
    shape: pointwise.shape.slice(1),
  }));
  const product = b.op("MatMul", [depthwise(call), matrix]);
  return one(
    call,
    writeActivation(b, config.activation, bias ? b.binary("Add", product, b.weight(bias)) : product),
  );
};

const conv1DTranspose: WriteLayer = (call) => {
  const { b, layer, config, inputs } = call;
  const [kernel, bias] = layer.weights;
  const { kernelSize, stride, dilation, padding, outputPadding } = config;
  const window: Window = { size: (kernelSize - 1) * dilation + 1, stride, padding };
  // At some length: what stands beside it is the same for all.
  const length = 64;
  const { full, from, steps } = transposedWindows(length, window, outputPadding) as {
    full: number;
    from: number;
    steps: number;
  };
  const reached = (length - 1) * stride + window.size;
  const extra = full - reached;
  const laid = b.weight(kernel, "convTranspose", (values) => reversed3(values, kernel.shape));
  const attributes = { kernel_shape: [kernelSize], strides: [stride], dilations: [dilation] };
  const fits = extra < Math.max(stride, dilation);
  const x = channelsFirst(b, b.numbers(inputs[0]));
  let out = b.op("ConvTranspose", [x, laid], {
    ...attributes,
    ...(fits && extra > 0 && { output_padding: [extra] }),
  });
  // Steps that no window reaches, beyond what the node can add.
  if (!fits) out = b.op("Pad", [out, b.ints([0, 0, 0, 0, 0, extra])]);
  if (from > 0 || steps < full)
    out = b.slice(out, 2, from, from + steps === full ? FAR : -(full - from - steps));
  const turned = channelsFirst(b, out);
  return one(
    call,
    writeActivation(b, config.activation, bias ? b.binary("Add", turned, b.weight(bias)) : turned),
  );
};

function pooling(op: string): WriteLayer {
  return (call) => {
    const { b, config, inputs } = call;
    const { size, stride, padding } = config;
    const attributes = moves({ kernelSize: size, stride, padding, dilation: 1, activation: "linear" });
    const { dilations: _, ...rest } = attributes;
    return one(call, channelsFirst(b, b.op(op, [channelsFirst(b, b.numbers(inputs[0]))], rest)));
  };
}

const globalMax: WriteLayer = (call) =>
  one(call, call.b.reduce("ReduceMax", call.b.numbers(call.inputs[0]), [1], call.config.keepdims));

const globalAverage: WriteLayer = (call) => {
  const { b, config, inputs } = call;
  const { mask } = inputs[0];
  const x = b.numbers(inputs[0]);
  if (!mask) return one(call, b.reduce("ReduceMean", x, [1], config.keepdims));
  const wide = b.unsqueeze(mask, 2);
  const sum = b.reduce("ReduceSum", b.where(wide, x, b.float(0)), [1], config.keepdims);
  return one(call, b.binary("Div", sum, b.reduce("ReduceSum", b.cast(wide, FLOAT), [1], config.keepdims)));
};

const upSampling: WriteLayer = (call) => {
  const { b, config, inputs, shapes } = call;
  const wide = b.op("Expand", [b.unsqueeze(b.numbers(inputs[0]), 2), b.ints([1, 1, config.size, 1])]);
  return one(call, b.reshape(wide, [0, -1, shapes[0][2] as number]));
};

const zeroPadding: WriteLayer = (call) => {
  const { b, config, inputs } = call;
  return one(call, b.op("Pad", [b.numbers(inputs[0]), b.ints([0, config.before, 0, 0, config.after, 0])]));
};

const cropping: WriteLayer = (call) => {
  const { b, config, inputs } = call;
  return one(call, b.slice(b.numbers(inputs[0]), 1, config.before, config.after === 0 ? FAR : -config.after));
};

// --------------------------------------------------------------------------------------------------------- normalization

const layerNormalization: WriteLayer = (call) => {
  const { b, layer, config, inputs } = call;
  const { axis, epsilon, rmsScaling, scale, center } = config;
  const rank = rankOf(inputs[0]);
  const x = b.numbers(inputs[0]);
  const axes = new Set([axis].flat().map((a: number) => (a < 0 ? a + rank : a))).size;
  const last = Array.from({ length: axes }, (_, k) => k - axes);
  const gamma = scale ? b.weight(layer.weights[0]) : undefined;
  const beta = center ? b.weight(layer.weights[scale ? 1 : 0]) : undefined;
  if (rmsScaling) {
    // As Keras 3: times gamma over the deviation.
    const mean = b.reduce("ReduceMean", x, last, true);
    const off = b.binary("Sub", x, mean);
    const variance = b.reduce("ReduceMean", b.binary("Mul", off, off), last, true);
    const deviation = b.op("Sqrt", [b.binary("Add", variance, b.float(epsilon))]);
    const out = b.binary("Div", x, deviation);
    return one(call, gamma ? b.binary("Mul", out, gamma) : out, inputs[0].mask);
  }
  const dims = inputs[0].shape.slice(-axes) as number[];
  const ones = () => b.floats(new Float32Array(dims.reduce((p, q) => p * q, 1)).fill(1), dims, "ones");
  const out = b.op("LayerNormalization", [x, gamma ?? ones(), beta ?? ""], {
    axis: -axes,
    epsilon: { f: epsilon },
  });
  return one(call, out, inputs[0].mask);
};

const batchNormalization: WriteLayer = (call) => {
  const { b, layer, config, inputs, options } = call;
  if (options.training === true) b.refuse(layer, "inference", "training: true, statistics of the batch");
  const { epsilon, scale, center } = config;
  const [mean, variance] = layer.weights.slice(-2);
  const gamma = scale ? layer.weights[0] : undefined;
  const factor = b.made("factor", gamma ? [variance, gamma] : [variance], () => {
    const data = variance.read().map((v, i) => (gamma?.read()[i] ?? 1) / Math.sqrt(v + epsilon));
    return { data, shape: variance.shape };
  });
  const out = b.binary("Mul", b.binary("Sub", b.numbers(inputs[0]), b.weight(mean)), factor);
  const beta = center ? layer.weights[scale ? 1 : 0] : undefined;
  return one(call, beta ? b.binary("Add", out, b.weight(beta)) : out, inputs[0].mask);
};

// ---------------------------------------------------------------------------------------------------------------- merges

/** The steps that any of the masks keeps. */
function anyOf(b: Builder, masks: readonly string[]): string {
  return [...new Set(masks)].reduce((x, y) => b.binary("Or", x, y));
}

function mergedMask(b: Builder, inputs: readonly Flow[]): string | undefined {
  const masks = inputs.flatMap(({ mask }) => (mask ? [mask] : []));
  return masks.length === inputs.length ? anyOf(b, masks) : undefined;
}

/** Inputs of fewer axes get axes of size 1 behind the samples. */
function ranked(b: Builder, inputs: readonly Flow[]): { names: string[]; rank: number } {
  const rank = Math.max(...inputs.map(rankOf));
  const names = inputs.map((flow) =>
    b.unsqueeze(b.numbers(flow), ...Array.from({ length: rank - rankOf(flow) }, (_, k) => k + 1)),
  );
  return { names, rank };
}

function merging(op: string, mean = false): WriteLayer {
  return (call) => {
    const { b, inputs } = call;
    const { names, rank } = ranked(b, inputs);
    const join = (x: string, y: string) => b.binary(op, x, y);
    const isBlind = op === "Add" || op === "Sub" || inputs.every(({ mask }) => !mask);
    const all = isBlind ? names.reduce(join) : underMasks(b, op, names, inputs, rank, join);
    return one(call, mean ? b.scaled(all, 1 / inputs.length) : all, mergedMask(b, inputs));
  };
}

/** What stands at masked steps takes no part in products, maxima and minima (layers/merge.ts). */
function underMasks(
  b: Builder,
  op: string,
  names: readonly string[],
  inputs: readonly Flow[],
  rank: number,
  join: (x: string, y: string) => string,
): string {
  const masks = inputs.map((flow) => (flow.mask && rankOf(flow) === rank ? flow.mask : undefined));
  const select = (mask: string | undefined, x: string, y: string) =>
    mask ? b.where(b.wide(mask, rank), x, y) : x;
  if (op === "Mul") {
    const isCommon = masks.every((mask) => mask !== undefined && mask === masks[0]);
    if (isCommon) return select(masks[0], names.reduce(join), b.float(0));
    const product = names.map((name, k) => select(masks[k], name, b.float(1))).reduce(join);
    return masks.every((mask) => mask !== undefined)
      ? select(anyOf(b, masks as string[]), product, b.float(0))
      : product;
  }
  let joined = masks[0];
  return names.reduce((x, y, k) => {
    const right = select(masks[k], y, x);
    const out = join(select(joined, x, right), right);
    joined = joined && masks[k] ? anyOf(b, [joined, masks[k]!]) : undefined;
    return out;
  });
}

const concatenate: WriteLayer = (call) => {
  const { b, config, inputs } = call;
  const place = config.axis < 0 ? config.axis + rankOf(inputs[0]) : config.axis;
  const out = b.concat(
    inputs.map((flow) => b.numbers(flow)),
    place,
  );
  return one(call, out, maskAlong(b, place, inputs));
};

function maskAlong(b: Builder, place: number, inputs: readonly Flow[]): string | undefined {
  if (place !== 1) return mergedMask(b, inputs);
  if (!inputs.some(({ mask }) => mask)) return undefined;
  // All steps of an input without a mask are kept.
  const masks = inputs.map(
    ({ name, mask }) => mask ?? b.cast(b.op("Expand", [b.float(1), b.sizes(name, 0, 2)]), BOOL),
  );
  return b.concat(masks, 1);
}

/** The mask of what several inputs make (LayerKind.joinMasks). */
export function joinMasks(b: Builder, { kind, config }: Layer, inputs: readonly Flow[]): string | undefined {
  if (kind.attends) return inputs[0].mask;
  const { axis } = config as { axis?: number };
  return axis === undefined
    ? mergedMask(b, inputs)
    : maskAlong(b, axis < 0 ? axis + rankOf(inputs[0]) : axis, inputs);
}

const dot: WriteLayer = (call) => {
  const { b, config, inputs, shapes } = call;
  const pair = typeof config.axes === "number" ? [config.axes, config.axes] : config.axes;
  const sides = inputs.map((flow, k) => {
    const rank = rankOf(flow);
    const axis = pair[k] < 0 ? pair[k] + rank : pair[k];
    let x = b.numbers(flow);
    if (config.normalize) {
      const squares = b.reduce("ReduceSum", b.binary("Mul", x, x), [axis], true);
      x = b.binary("Div", x, b.op("Sqrt", [b.op("Max", [squares, b.float(1e-14)])]));
    }
    const others = Array.from({ length: rank - 1 }, (_, n) => n + 1).filter((n) => n !== axis);
    const order = k === 0 ? [0, ...others, axis] : [0, axis, ...others];
    const laid = b.transpose(x, order);
    const lengths = others.map((n) => b.sizes(flow.name, n, n + 1));
    const depth = b.sizes(flow.name, axis, axis + 1);
    const batch = b.sizes(flow.name, 0, 1);
    const matrix = b.op("Reshape", [
      laid,
      b.concat(k === 0 ? [batch, b.ints([-1]), depth] : [batch, depth, b.ints([-1])], 0),
    ]);
    return { matrix: others.length === 1 ? laid : matrix, lengths, batch };
  });
  const product = b.op("MatMul", [sides[0].matrix, sides[1].matrix]);
  const dims = sides.flatMap(({ lengths }) => lengths);
  const shape = dims.length === 0 ? [sides[0].batch, b.ints([1])] : [sides[0].batch, ...dims];
  const isMatrix = sides.every(({ lengths }) => lengths.length === 1);
  const out = isMatrix && shapes[0].length === 3 ? product : b.op("Reshape", [product, b.concat(shape, 0)]);
  return one(call, out);
};

// ---------------------------------------------------------------------------------------------------------------- shapes

const reshape: WriteLayer = (call) =>
  one(call, call.b.reshape(call.b.numbers(call.inputs[0]), [0, ...call.config.targetShape]));

const permute: WriteLayer = (call) =>
  one(call, call.b.transpose(call.b.numbers(call.inputs[0]), [0, ...call.config.dims]));

export const LAYERS: Writers = {
  Dense: dense,
  Activation: activation,
  ActivityRegularization: passing,
  Dropout: noise,
  SpatialDropout1D: noise,
  GaussianNoise: noise,
  Flatten: flatten,
  Embedding: embedding,
  Masking: masking,
  RepeatVector: repeatVector,
  TimeDistributed: timeDistributed,
  Conv1D: conv1D,
  DepthwiseConv1D: depthwiseConv1D,
  SeparableConv1D: separableConv1D,
  Conv1DTranspose: conv1DTranspose,
  MaxPooling1D: pooling("MaxPool"),
  AveragePooling1D: pooling("AveragePool"),
  GlobalMaxPooling1D: globalMax,
  GlobalAveragePooling1D: globalAverage,
  UpSampling1D: upSampling,
  ZeroPadding1D: zeroPadding,
  Cropping1D: cropping,
  LayerNormalization: layerNormalization,
  BatchNormalization: batchNormalization,
  Add: merging("Add"),
  Subtract: merging("Sub"),
  Multiply: merging("Mul"),
  Average: merging("Add", true),
  Maximum: merging("Max"),
  Minimum: merging("Min"),
  Concatenate: concatenate,
  Dot: dot,
  ...ATTENTION,
  Reshape: reshape,
  Permute: permute,
  // Of imported graphs (constants.ts).
  Constant: (call) => one(call, call.b.weight(call.layer.weights[0])),
  WithoutMask: (call) => one(call, call.inputs[0].name),
};
