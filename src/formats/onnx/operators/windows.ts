// Convolutions and pooling along one axis. onnx.ai/onnx/operators: Conv, ConvTranspose, MaxPool, AveragePool
import { conv1D } from "../../../layers/convolution/conv1D.js";
import { conv1DTranspose } from "../../../layers/convolution/conv1DTranspose.js";
import * as ops from "../../../layers/operations.js";
import { averagePooling1D, maxPooling1D } from "../../../layers/pooling.js";
import { cropping1D, zeroPadding1D } from "../../../layers/resizing.js";
import type { SymbolicTensor } from "../../../layers/symbolic.js";
import { Tensor } from "../../../tensor.js";
import type { Known } from "../arrays.js";
import type { Call } from "../call.js";
import { combine, type Dim } from "../dims.js";
import { View } from "../view.js";
import type { Operator, Operators } from "./operator.js";

/** What a window can be asked to span or to skip. */
const MOST = 1 << 20;

interface Moves {
  size: number;
  stride: number;
  dilation: number;
  before: number;
  after: number;
  auto: string;
}

/** Samples, channels, steps: [samples, steps, channels] here. */
function sequence(call: Call): View {
  const view = call.view(0);
  if (view.rank !== 3)
    return call.refuse("one axis that the window moves along, behind samples and channels", call.shapes());
  const lies = [0, 2, 1].map((axis) => view.axes[axis]);
  return view.arranged([[0], lies[1], lies[2]]);
}

function moves(call: Call, size: number): Moves {
  const one = (name: string, byDefault: number) => {
    const [value, ...more] = call.ints(name) ?? [byDefault];
    if (more.length > 0 || !(value >= 1 && value <= MOST))
      call.refuse(`${name} of one number from 1 to ${MOST}`, `[${call.ints(name)}]`);
    return value;
  };
  const pads = call.ints("pads") ?? [0, 0];
  const auto = call.text("auto_pad", "NOTSET");
  if (pads.length !== 2 || !pads.every((n) => n >= 0 && n <= MOST))
    call.refuse(`two pads from 0 to ${MOST}`, `[${pads}]`);
  if (!["NOTSET", "VALID", "SAME_UPPER"].includes(auto))
    call.refuse("auto_pad NOTSET, VALID or SAME_UPPER", auto);
  const given = call.ints("kernel_shape");
  if (given && (given.length !== 1 || given[0] !== size)) call.refuse(`kernel_shape [${size}]`, `[${given}]`);
  const [before, after] = auto === "NOTSET" ? pads : [0, 0];
  return { size, stride: one("strides", 1), dilation: one("dilations", 1), before, after, auto };
}

/** How many steps there are behind a window. */
function stepsBehind(length: Dim, { size, stride, dilation, before, after, auto }: Moves): Dim {
  if (auto === "SAME_UPPER") return combine("/", length, stride, (n, s) => Math.ceil(n / s));
  const span = (size - 1) * dilation + 1;
  if (typeof length === "number") return Math.floor((length + before + after - span) / stride) + 1;
  if (stride === 1 && before + after === span - 1) return length;
  return `windows(${length}_${span}_${stride}_${before + after})`;
}

/** Our layout [samples, steps, channels] as the graph's [samples, channels, steps]. */
function behind(tensor: SymbolicTensor, view: View, steps: Dim, channels: number): View {
  const atoms = [view.atoms[0].dim, steps, channels].map((dim, place) => ({ dim, place }));
  return new View(tensor, atoms, [[0], [2], [1]]);
}

function padded(call: Call, x: SymbolicTensor, before: number, after: number): SymbolicTensor {
  if (before === 0 && after === 0) return x;
  return zeroPadding1D({ padding: [before, after], name: call.layerName() }).apply(x);
}

const floats = ({ data }: Known) => (data instanceof Float32Array ? data : Float32Array.from(data));

/** Axes [a, b, c] of a constant in another order. */
function turned3(array: Known, order: readonly number[]): { data: Float32Array; shape: number[] } {
  const { shape, data } = array;
  const strides = [shape[1] * shape[2], shape[2], 1];
  const to = order.map((axis) => shape[axis]);
  const [s0, s1, s2] = order.map((axis) => strides[axis]);
  const out = new Float32Array(data.length);
  let at = 0;
  for (let i = 0; i < to[0]; i++)
    for (let j = 0; j < to[1]; j++)
      for (let k = 0; k < to[2]; k++) out[at++] = data[i * s0 + j * s1 + k * s2];
  return { data: out, shape: to };
}

const conv: Operator = (call) => {
  const view = sequence(call);
  const kernel = call.known(1, "its kernel");
  if (kernel.shape.length !== 3) return call.refuse("a kernel [filters, channels, steps]", call.shapes());
  const [filters, perGroup, size] = kernel.shape;
  const groups = call.int("group", 1);
  const move = moves(call, size);
  const channels = view.tensor.shape[2];
  if (channels !== perGroup * groups) return call.refuse(`${perGroup * groups} channels`, `${channels}`);
  if (filters % groups !== 0 || filters < 1)
    return call.refuse(`a multiple of ${groups} filters`, `${filters}`);
  if (move.stride > 1 && move.dilation > 1)
    return call.refuse("strides 1 or dilations 1", `${move.stride} and ${move.dilation}`);
  const bias = call.has(2) ? call.known(2, "its bias") : undefined;
  if (bias && bias.data.length !== filters) return call.refuse(`a bias of ${filters}`, call.shapes());
  const { stride, dilation, auto } = move;
  const span = (size - 1) * dilation + 1;
  // As layers say it, where they can: zeros on both sides, or before only.
  const total = move.before + move.after;
  const isSame =
    auto === "SAME_UPPER" || (stride === 1 && total === span - 1 && move.before === total >> 1 && total > 0);
  const isCausal = !isSame && stride === 1 && total > 0 && move.before === span - 1 && move.after === 0;
  const key = `conv ${call.node.input.slice(1)} ${JSON.stringify(move)} ${groups}`;
  const layer = call.reading.shared(key, () => {
    const padding = isSame ? "same" : isCausal ? "causal" : "valid";
    const name = call.layerName();
    const made = conv1D({
      filters,
      kernelSize: size,
      strides: stride,
      dilationRate: dilation,
      groups,
      padding,
      useBias: bias !== undefined,
      name,
    });
    call.reading.later(() => {
      const { data, shape } = turned3(kernel, [2, 1, 0]);
      made.setWeights([new Tensor(data, shape), ...(bias ? [new Tensor(floats(bias), [filters])] : [])]);
    });
    return made;
  });
  const x = isSame || isCausal ? view.tensor : padded(call, view.tensor, move.before, move.after);
  return [behind(layer.apply(x) as SymbolicTensor, view, stepsBehind(view.dims[2], move), filters)];
};

const convTranspose: Operator = (call) => {
  const view = sequence(call);
  const kernel = call.known(1, "its kernel");
  if (kernel.shape.length !== 3) return call.refuse("a kernel [channels, filters, steps]", call.shapes());
  const [channels, filters, size] = kernel.shape;
  call.only("group", 1);
  if (call.ints("output_shape")) return call.refuse("no output_shape", `[${call.ints("output_shape")}]`);
  const move = moves(call, size);
  const [extra = 0] = call.ints("output_padding") ?? [];
  if (view.tensor.shape[2] !== channels)
    return call.refuse(`${channels} channels`, `${view.tensor.shape[2]}`);
  if (move.auto !== "NOTSET" && move.auto !== "VALID") return call.refuse("pads", move.auto);
  if (move.stride > 1 && move.dilation > 1)
    return call.refuse("strides 1 or dilations 1", `${move.stride} and ${move.dilation}`);
  if (!(extra >= 0 && extra < move.stride))
    return call.refuse("an output_padding below the stride", `${extra}`);
  const bias = call.has(2) ? call.known(2, "its bias") : undefined;
  const name = call.layerName();
  const layer = conv1DTranspose({
    ...{ filters, kernelSize: size, strides: move.stride, dilationRate: move.dilation, outputPadding: extra },
    ...{ useBias: bias !== undefined, name },
  });
  call.reading.later(() => {
    const { data, shape } = turned3(kernel, [2, 1, 0]);
    layer.setWeights([new Tensor(data, shape), ...(bias ? [new Tensor(floats(bias), [filters])] : [])]);
  });
  let out = layer.apply(view.tensor) as SymbolicTensor;
  if (move.before + move.after > 0)
    out = cropping1D({
      cropping: [move.before, move.after],
      name: call.reading.unique(`${name}_cropped`),
    }).apply(out);
  const span = (size - 1) * move.dilation + 1;
  const length = view.dims[2];
  const steps: Dim =
    typeof length === "number"
      ? (length - 1) * move.stride + span + extra - move.before - move.after
      : `spread(${length}_${span}_${move.stride}_${extra - move.before - move.after})`;
  return [behind(out, view, steps, filters)];
};

function pooling(mean: boolean): Operator {
  return (call) => {
    const view = sequence(call);
    const [size] = call.ints("kernel_shape") ?? [0];
    if (!(size >= 1 && size <= MOST)) return call.refuse(`a kernel_shape from 1 to ${MOST}`, `${size}`);
    const move = moves(call, size);
    call.only("ceil_mode", 0);
    if (move.dilation !== 1) return call.refuse("dilations 1", `${move.dilation}`);
    if (call.node.output[1] && call.reading.isUsed(call.node.output[1]))
      return call.refuse("one output", "its indices as well");
    const { stride, before, after, auto } = move;
    const channels = view.tensor.shape[2] as number;
    const counts = mean && call.int("count_include_pad", 0) !== 0;
    const isSame =
      auto === "SAME_UPPER" ||
      (stride === 1 && before + after === size - 1 && before === (size - 1) >> 1 && size > 1);
    const padding = isSame && !counts ? "same" : "valid";
    const steps = stepsBehind(view.dims[2], move);
    if (padding === "valid" && before + after > 0 && !counts)
      return call.refuse("no pads, or as many as keep the number of steps", `[${before}, ${after}]`);
    if (auto === "SAME_UPPER" && counts) return call.refuse("count_include_pad 0", "1");
    const name = call.layerName();
    const options = { poolSize: size, strides: stride, padding: padding as "same" | "valid", name };
    const x = padding === "valid" ? padded(call, view.tensor, before, after) : view.tensor;
    const layer = mean ? averagePooling1D(options) : maxPooling1D(options);
    return [behind(layer.apply(x) as SymbolicTensor, view, steps, channels)];
  };
}

function whole(reduce: typeof ops.mean): Operator {
  return (call) => {
    const view = sequence(call);
    const tensor = reduce(view.tensor, { axis: 1, keepdims: true });
    return [behind(tensor, view, 1, view.tensor.shape[2] as number)];
  };
}

export const windows: Operators = {
  Conv: conv,
  ConvTranspose: convTranspose,
  MaxPool: pooling(false),
  AveragePool: pooling(true),
  GlobalAveragePool: whole(ops.mean),
  GlobalMaxPool: whole(ops.max),
};
