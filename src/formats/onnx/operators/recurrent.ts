// RNN, LSTM and GRU nodes as recurrent layers: the built-in ones where these have the functions, rnn over a cell where not.
// https://onnx.ai/onnx/operators/onnx__LSTM.html, …__GRU.html, …__RNN.html
// W [directions, G·H, I] and R [directions, G·H, H] turn into kernels [I, G·H] and [H, G·H]; gates z, r, h and, of an LSTM, i, o, f, c.
import type { Cell } from "../../../layers/cellLayers.js";
import { dense } from "../../../layers/core.js";
import type { Layer } from "../../../layers/layer.js";
import * as ops from "../../../layers/operations.js";
import { gru, lstm, simpleRNN } from "../../../layers/recurrent.js";
import { rnn } from "../../../layers/rnn.js";
import type { SymbolicTensor } from "../../../layers/symbolic.js";
import { bidirectional } from "../../../layers/wrappers.js";
import { Tensor } from "../../../tensor.js";
import { turned } from "../../numbers.js";
import { broadcasted, type Known, sliced } from "../arrays.js";
import { type Call, isKnown, Sizes, Spread, type Value } from "../call.js";
import { constant, withoutMask } from "../constants.js";
import { View } from "../view.js";
import { elu, hardSigmoid, leaky } from "./elementwise.js";
import type { Operator, Operators } from "./operator.js";

type Op = "RNN" | "LSTM" | "GRU";
type Function = (x: SymbolicTensor) => SymbolicTensor;

/** Which of ONNX's gates stands where in a kernel here (i, f, c, o of i, o, f, c). */
const GATES: Readonly<Record<Op, readonly number[]>> = { RNN: [0], LSTM: [0, 2, 3, 1], GRU: [0, 1, 2] };
const DEFAULTS: Readonly<Record<Op, readonly string[]>> = {
  RNN: ["Tanh"],
  LSTM: ["Sigmoid", "Tanh", "Tanh"],
  GRU: ["Sigmoid", "Tanh"],
};

/** A function as a node names it. */
interface Activation {
  /** By its name here, if layers have it. */
  readonly name?: string;
  readonly apply: Function;
}

/** Functions with their constants: ONNX's defaults are those of the operator of that name. */
function activationOf(call: Call, given: string, alpha?: number, beta?: number): Activation {
  const near = (a: number, b: number) => Math.abs(a - b) < 1e-6;
  switch (given.toLowerCase()) {
    case "relu":
      return { name: "relu", apply: ops.relu };
    case "tanh":
      return { name: "tanh", apply: ops.tanh };
    case "sigmoid":
      return { name: "sigmoid", apply: ops.sigmoid };
    case "softsign":
      return { name: "softsign", apply: ops.softsign };
    case "softplus":
      return { name: "softplus", apply: ops.softplus };
    case "affine": {
      const [a, b] = [alpha ?? 1, beta ?? 0];
      return {
        name: a === 1 && b === 0 ? "linear" : undefined,
        apply: (x) => ops.add(ops.multiply(x, a), b),
      };
    }
    case "leakyrelu": {
      const a = alpha ?? 0.01;
      return { name: near(a, 0.2) ? "leakyRelu" : undefined, apply: (x) => leaky(x, a) };
    }
    case "thresholdedrelu": {
      const a = alpha ?? 1;
      return { apply: (x) => ops.where(ops.greater(x, a), x, 0) };
    }
    case "scaledtanh": {
      const [a, b] = [alpha ?? 1, beta ?? 1];
      return {
        name: a === 1 && b === 1 ? "tanh" : undefined,
        apply: (x) => ops.multiply(ops.tanh(ops.multiply(x, b)), a),
      };
    }
    case "hardsigmoid": {
      const [a, b] = [alpha ?? 0.2, beta ?? 0.5];
      const isOurs = near(a, 1 / 6) && near(b, 0.5);
      return {
        name: isOurs ? "hardSigmoid" : near(a, 0.5) && near(b, 0.5) ? "sparseSigmoid" : undefined,
        apply: (x) => hardSigmoid(x, a, b),
      };
    }
    case "elu": {
      const a = alpha ?? 1;
      return { name: near(a, 1) ? "elu" : undefined, apply: (x) => elu(x, a) };
    }
    default:
      return call.refuse("activations that ONNX lists", `'${given}'`);
  }
}

/** The functions of each direction. Constants are given in a row, to those functions that take some. */
function activationsOf(call: Call, op: Op, directions: number): Activation[][] {
  const count = DEFAULTS[op].length;
  const names = call.texts("activations") ?? Array(directions).fill(DEFAULTS[op]).flat();
  if (names.length !== count * directions)
    return call.refuse(`${count * directions} activations`, `${names.length}`);
  const alphas = [...(call.floats("activation_alpha") ?? [])];
  const betas = [...(call.floats("activation_beta") ?? [])];
  const takes = (name: string, list: readonly string[]) => list.includes(name.toLowerCase());
  const all = names.map((name) => {
    const alpha = takes(name, ["affine", "leakyrelu", "thresholdedrelu", "scaledtanh", "hardsigmoid", "elu"])
      ? alphas.shift()
      : undefined;
    const beta = takes(name, ["affine", "scaledtanh", "hardsigmoid"]) ? betas.shift() : undefined;
    return activationOf(call, name, alpha, beta);
  });
  return Array.from({ length: directions }, (_, d) => all.slice(d * count, (d + 1) * count));
}

interface Parameters {
  op: Op;
  units: number;
  inputs: number;
  /** Kernel [I, G·H], recurrent kernel [H, G·H], biases [G·H] of the input and of the state. */
  kernel: () => Float32Array;
  recurrent: () => Float32Array;
  biases?: () => [Float32Array, Float32Array];
}

/** The weights of one direction. */
function parametersOf(call: Call, op: Op, d: number, directions: number): Parameters {
  const gates = GATES[op].length;
  const [W, R] = [call.known(1, "W"), call.known(2, "R")];
  const B = call.has(3) ? call.known(3, "B") : undefined;
  const units = call.int("hidden_size", R.shape[2] ?? 0);
  const inputs = W.shape[2];
  const fits = (array: Known, shape: readonly number[]) => array.shape.join() === shape.join();
  if (
    !(units >= 1 && inputs >= 1) ||
    !fits(W, [directions, gates * units, inputs]) ||
    !fits(R, [directions, gates * units, units])
  )
    return call.refuse(
      `W [${directions}, ${gates}·hidden, inputs] and R [${directions}, ${gates}·hidden, hidden]`,
      `[${W.shape}] and [${R.shape}], hidden_size ${units}`,
    );
  if (B && !fits(B, [directions, 2 * gates * units]))
    return call.refuse(`B [${directions}, ${2 * gates * units}]`, `[${B.shape}]`);
  const matrix = ({ data }: Known, columns: number) => {
    const out = new Float32Array(gates * units * columns);
    const own = data.subarray(d * gates * units * columns);
    GATES[op].forEach((gate, k) => {
      turned(own.subarray(gate * units * columns), units, columns, out, k * units, gates * units);
    });
    return out;
  };
  const bias = (from: number) => {
    const out = new Float32Array(gates * units);
    GATES[op].forEach((gate, k) => {
      const at = d * 2 * gates * units + (from + gate) * units;
      out.set(B!.data.subarray(at, at + units), k * units);
    });
    return out;
  };
  return {
    ...{ op, units, inputs },
    kernel: () => matrix(W, inputs),
    recurrent: () => matrix(R, units),
    ...(B && { biases: () => [bias(0), bias(gates)] as [Float32Array, Float32Array] }),
  };
}

const sum = (a: Float32Array, b: Float32Array) => a.map((value, i) => value + b[i]);

/** Weights as a built-in layer holds them. */
function layerWeights(
  { op, units, inputs, kernel, recurrent, biases }: Parameters,
  resetAfter: boolean,
): Tensor[] {
  const width = GATES[op].length * units;
  const weights = [new Tensor(kernel(), [inputs, width]), new Tensor(recurrent(), [units, width])];
  if (!biases) return weights;
  const [own, state] = biases();
  if (!resetAfter) return [...weights, new Tensor(sum(own, state), [width])];
  const both = new Float32Array(2 * width);
  both.set(own);
  both.set(state, width);
  return [...weights, new Tensor(both, [2, width])];
}

interface Settings {
  clip: number | undefined;
  linearBeforeReset: boolean;
  inputForget: boolean;
}

/** A layer of one direction, and what gives it its weights when it is built. */
function layerOf(
  call: Call,
  parameters: Parameters,
  functions: readonly Activation[],
  { clip, linearBeforeReset, inputForget }: Settings,
  options: {
    name: string;
    goBackwards: boolean;
    returnSequences: boolean;
    returnState: boolean;
    zeroOutputForMask: boolean;
  },
): { layer: Layer; weights: () => Tensor[] } {
  const { op, units, biases } = parameters;
  const [f, g, h = g] = functions.map(({ name }) => name);
  const useBias = biases !== undefined;
  const isBuiltIn =
    clip === undefined &&
    !inputForget &&
    functions.every(({ name }) => name !== undefined) &&
    (op !== "LSTM" || g === h);
  const common = { ...options, units, useBias };
  if (isBuiltIn && op === "RNN")
    return { layer: simpleRNN({ ...common, activation: f }), weights: () => layerWeights(parameters, false) };
  if (isBuiltIn && op === "LSTM")
    return {
      layer: lstm({ ...common, activation: g, recurrentActivation: f }),
      weights: () => layerWeights(parameters, false),
    };
  if (isBuiltIn)
    return {
      layer: gru({ ...common, activation: g, recurrentActivation: f, resetAfter: linearBeforeReset }),
      weights: () => layerWeights(parameters, linearBeforeReset),
    };
  const { cell, weights } = cellOf(
    call,
    parameters,
    functions,
    { clip, linearBeforeReset, inputForget },
    options.name,
  );
  return { layer: rnn({ ...options, cell }), weights };
}

/** The equations of the operator, step by step, for functions that built-in cells do not have. */
function cellOf(
  call: Call,
  { op, units, inputs, kernel, recurrent, biases }: Parameters,
  functions: readonly Activation[],
  { clip, linearBeforeReset, inputForget }: Settings,
  name: string,
): { cell: Cell; weights: () => Tensor[] } {
  const [f, g] = functions.map(
    ({ apply }) =>
      (x: SymbolicTensor) =>
        apply(clip === undefined ? x : ops.clip(x, -clip, clip)),
  );
  // As in onnxruntime the cell's state is not clipped before its activation, only what goes into gates.
  const h = functions.at(-1)!.apply;
  const width = GATES[op].length * units;
  const keepsApart = op === "GRU" && linearBeforeReset;
  const useBias = biases !== undefined;
  const unique = (what: string) => call.reading.unique(`${name}_${what}`);
  const fromInput = dense({ units: width, useBias, name: unique("kernel") });
  // The candidate of a GRU whose reset gate comes first has a product of its own.
  const isSplit = op === "GRU" && !linearBeforeReset;
  const fromState = dense({
    units: isSplit ? 2 * units : width,
    useBias: useBias && keepsApart,
    name: unique("recurrent_kernel"),
  });
  const fromReset = dense({ units, useBias: false, name: unique("candidate_kernel") });
  const as = (layer: Layer, x: SymbolicTensor): SymbolicTensor => layer.apply(x);

  const step = {
    RNN: (x: SymbolicTensor, [state]: readonly SymbolicTensor[]) => [
      f(ops.add(as(fromInput, x), as(fromState, state))),
    ],
    LSTM(x: SymbolicTensor, [state, cell]: readonly SymbolicTensor[]) {
      const gates = ops.add(as(fromInput, x), as(fromState, state));
      const [i, forget, c, o] = ops.split(gates, 4);
      const input = f(i);
      const keep = inputForget ? ops.subtract(1, input) : f(forget);
      const next = ops.add(ops.multiply(keep, cell), ops.multiply(input, g(c)));
      return [ops.multiply(f(o), h(next)), next];
    },
    GRU(x: SymbolicTensor, [state]: readonly SymbolicTensor[]) {
      const [z, r, c] = ops.split(as(fromInput, x), 3);
      const products = ops.split(as(fromState, state), isSplit ? 2 : 3);
      const update = f(ops.add(z, products[0]));
      const reset = f(ops.add(r, products[1]));
      const inner = isSplit ? as(fromReset, ops.multiply(reset, state)) : ops.multiply(reset, products[2]);
      const candidate = g(ops.add(c, inner));
      return [ops.add(candidate, ops.multiply(update, ops.subtract(state, candidate)))];
    },
  }[op];
  const cell: Cell = {
    stateSize: op === "LSTM" ? [units, units] : units,
    call(x, states) {
      const next = step(x, states);
      return [next[0], next];
    },
  };
  const weights = () => {
    const named = new Map<Layer, Tensor[]>();
    const R = recurrent();
    const columns = (from: number, count: number) => {
      const out = new Float32Array(units * count);
      for (let row = 0; row < units; row++)
        out.set(R.subarray(row * width + from, row * width + from + count), row * count);
      return new Tensor(out, [units, count]);
    };
    const bias = biases?.();
    const own = bias && (keepsApart ? bias[0] : sum(bias[0], bias[1]));
    named.set(fromInput, [new Tensor(kernel(), [inputs, width]), ...(own ? [new Tensor(own, [width])] : [])]);
    named.set(
      fromState,
      isSplit
        ? [columns(0, 2 * units)]
        : [columns(0, width), ...(bias && keepsApart ? [new Tensor(bias[1], [width])] : [])],
    );
    named.set(fromReset, [columns(2 * units > width ? 0 : width - units, units)]);
    for (const [layer, values] of named) if (layer.built) layer.setWeights(values);
    return [];
  };
  return { cell, weights };
}

/** The samples' axis where it belongs; if it is another one, reading begins anew with the inputs turned. */
function requireSamples(call: Call, input: number, value: View, axis: number): void {
  if (value.axes[axis]?.join() === "0") return;
  call.reading.turnSamples(call.node.input[input]);
  call.refuse(`samples along axis ${axis} of input ${input}`, call.shapes());
}

/** States to begin with, [samples, H] for each direction; undefined for zeros. */
function statesOf(
  call: Call,
  input: number,
  directions: number,
  units: number,
  batchFirst: boolean,
  x: SymbolicTensor,
): (SymbolicTensor | undefined)[] {
  if (!call.has(input)) return Array(directions).fill(undefined);
  const value = call.value(input);
  const [dirAxis, sampleAxis] = batchFirst ? [1, 0] : [0, 1];
  const array = value instanceof Spread && typeof value.of === "object" ? value.of : value;
  if (isKnown(array)) {
    if (array.data.every((number) => number === 0)) return Array(directions).fill(undefined);
    const isShared = Array.from({ length: array.shape[sampleAxis] }, (_, k) =>
      sliced(array, [{ axis: sampleAxis, from: k, count: 1, step: 1 }]),
    ).every(({ data }, _, all) => data.every((number, i) => number === all[0].data[i]));
    const own = sliced(array, [{ axis: sampleAxis, from: 0, count: 1, step: 1 }]);
    const dims = [1, 1, units].with(dirAxis, directions);
    if (!isShared || own.shape.length !== 3 || own.shape.some((d, k) => d !== 1 && d !== dims[k]))
      return call.refuse("a state that is the same for all samples, or depends on an input", call.shapes());
    const full = broadcasted(own, dims);
    // Zeros, one for each sample: what the constant is added to.
    const zero = ops.zerosLike(ops.squeeze(ops.slice(x, [0, 0, 0], [-1, 1, 1]), 1));
    return Array.from({ length: directions }, (_, d) => {
      const row = sliced(full, [{ axis: dirAxis, from: d, count: 1, step: 1 }]);
      return ops.add(zero, constant(call.reading.unique("initial_state"), { ...row, shape: [1, units] }, x));
    });
  }
  if (!(array instanceof View)) return call.refuse("a state of numbers", call.shapes());
  if (array.rank !== 3) return call.refuse("a state of rank 3", call.shapes());
  requireSamples(call, input, array, sampleAxis);
  return Array.from({ length: directions }, (_, d) => {
    const one = directions === 1 ? array : picked(array, dirAxis, d);
    const without = one.seen(one.axes.toSpliced(dirAxis, 1));
    return without.arranged([[0], [...without.axes[1]]]).tensor;
  });
}

/** One place of an axis, which stays with size 1. */
function picked(view: View, axis: number, at: number): View {
  const { view: lies, place } = view.along(axis);
  const rank = lies.tensor.shape.length;
  const tensor = ops.slice(
    lies.tensor,
    Array(rank).fill(0).with(place, at),
    Array(rank).fill(-1).with(place, 1),
  );
  return lies.replaced(tensor, place, 1);
}

/** Which steps are there, of lengths: a counter runs beside the sequence. */
function maskOf(x: SymbolicTensor, lengths: SymbolicTensor, name: string): SymbolicTensor {
  const counter: Cell = {
    stateSize: 1,
    call: (_x, [count], [length]) => [ops.less(count, length), [ops.add(count, 1)]],
  };
  const ticks = ops.slice(x, [0, 0, 0], [-1, -1, 1]);
  const mask: SymbolicTensor = rnn({ cell: counter, returnSequences: true, name }).apply(ticks, {
    constants: lengths,
  });
  return ops.squeeze(mask, 2);
}

function recurrent(op: Op): Operator {
  return (call) => {
    const batchFirst = call.int("layout", 0) === 1;
    const direction = call.text("direction", "forward");
    if (!["forward", "reverse", "bidirectional"].includes(direction))
      return call.refuse("direction forward, reverse or bidirectional", direction);
    const directions = direction === "bidirectional" ? 2 : 1;
    const peepholes = op === "LSTM" && call.has(7) ? call.value(7) : undefined;
    if (peepholes && !(isKnown(peepholes) && peepholes.data.every((number) => number === 0)))
      return call.refuse(
        "no peepholes (input P)",
        "some",
        "Train the LSTM without peepholes: layers.lstm has none, as Keras and PyTorch.",
      );
    const given = call.view(0);
    if (given.rank !== 3) return call.refuse("an input of rank 3", call.shapes());
    requireSamples(call, 0, given, batchFirst ? 0 : 1);
    const view = given.arranged([[0], [...given.axes[batchFirst ? 1 : 0]], [...given.axes[2]]]);
    const x = view.tensor;
    const time = view.dimOf(view.axes[batchFirst ? 1 : 0]);
    const all = Array.from({ length: directions }, (_, d) => parametersOf(call, op, d, directions));
    const [{ units, inputs }] = all;
    if (x.shape[2] !== inputs) return call.refuse(`a last axis of ${inputs}`, call.shapes());
    const functions = activationsOf(call, op, directions);
    const clip = call.attribute("clip")?.f;
    if (clip !== undefined && !(clip > 0)) return call.refuse("a clip above 0", `${clip}`);
    const settings: Settings = {
      clip,
      linearBeforeReset: call.int("linear_before_reset", 0) !== 0,
      inputForget: call.int("input_forget", 0) !== 0,
    };
    const h0 = statesOf(call, 5, directions, units, batchFirst, x);
    const c0 = op === "LSTM" ? statesOf(call, 6, directions, units, batchFirst, x) : [];
    const used = call.node.output.map((name) => name !== "" && call.reading.isUsed(name));
    const [usesAll = false, usesLast = false, usesCell = false] = used;
    const lengths = lengthsOf(call, 4, time);
    const name = call.layerName();
    const mask = lengths && maskOf(x, lengths, call.reading.unique(`${name}_mask`));
    // The last output is zero where the last step is masked; the state is not.
    const returnState = usesCell || (usesLast && (usesAll || mask !== undefined));
    const options = { returnSequences: usesAll, returnState, zeroOutputForMask: mask !== undefined };
    const given0 = [...h0, ...c0].find((state) => state !== undefined);
    const start = (state: SymbolicTensor | undefined) => state ?? ops.zerosLike(given0!);
    const initialState =
      given0 && h0.flatMap((state, d) => [start(state), ...(op === "LSTM" ? [start(c0[d])] : [])]);

    const key = `${op} ${call.node.input.slice(1, 4).join(" ")} ${JSON.stringify([direction, settings, options])} ${functions.flat().map(({ name }) => name)}`;
    const isCustom = functions.flat().some(({ name }) => name === undefined);
    const build = () => {
      if (directions === 1) {
        const { layer, weights } = layerOf(call, all[0], functions[0], settings, {
          ...options,
          name,
          goBackwards: direction === "reverse",
        });
        call.reading.later(() => {
          const values = weights();
          if (values.length > 0) layer.setWeights(values);
        });
        return layer;
      }
      const [there, back] = all.map((each, d) =>
        layerOf(call, each, functions[d], settings, {
          ...options,
          name: `${d === 0 ? "forward" : "backward"}_${name}`,
          goBackwards: d === 1,
        }),
      );
      if (there.layer.className === "RNN" || back.layer.className === "RNN") return [there, back];
      const layer = bidirectional({ layer: there.layer, backwardLayer: back.layer, name });
      call.reading.later(() => layer.setWeights([...there.weights(), ...back.weights()]));
      return layer;
    };
    const made = isCustom ? build() : call.reading.shared(key, build);
    const outputs = Array.isArray(made)
      ? eachDirection(call, made, x, { initialState, mask, states: op === "LSTM" ? 2 : 1 })
      : run(made, x, initialState, mask);
    if (!Array.isArray(made) && direction === "reverse" && usesAll) outputs[0] = ops.flip(outputs[0], 1);
    const [first, ...states] = outputs.map((each) => (mask ? withoutMask(each) : each));
    return results(view, { op, directions, units, batchFirst, usesAll, returnState }, first, states, time);
  };
}

function run(
  layer: Layer,
  x: SymbolicTensor,
  initialState?: SymbolicTensor[],
  mask?: SymbolicTensor,
): SymbolicTensor[] {
  const out: SymbolicTensor | SymbolicTensor[] = layer.apply(x, { initialState, mask });
  return Array.isArray(out) ? out : [out];
}

/** Two directions over cells of their own: copies of such cells would draw their weights anew, so they are run side by side. */
function eachDirection(
  call: Call,
  made: { layer: Layer; weights: () => Tensor[] }[],
  x: SymbolicTensor,
  { initialState, mask, states }: { initialState?: SymbolicTensor[]; mask?: SymbolicTensor; states: number },
): SymbolicTensor[] {
  const [there, back] = made.map(({ layer, weights }, d) => {
    const outputs = run(layer, x, initialState?.slice(d * states, (d + 1) * states), mask);
    call.reading.later(() => {
      const values = weights();
      if (values.length > 0) layer.setWeights(values);
    });
    return outputs;
  });
  const isSequence = there[0].shape.length === 3;
  const turnedBack = isSequence ? ops.flip(back[0], 1) : back[0];
  return [ops.concatenate([there[0], turnedBack]), ...there.slice(1), ...back.slice(1)];
}

/** The lengths of sequences, where they are not all the whole. */
function lengthsOf(call: Call, input: number, time: string | number): SymbolicTensor | undefined {
  if (!call.has(input)) return undefined;
  const value: Value = call.value(input);
  if (value instanceof Spread && value.of === time) return undefined;
  if (value instanceof Sizes && value.elements.every((each) => each === time)) return undefined;
  const array = value instanceof Spread && typeof value.of === "object" ? value.of : value;
  if (isKnown(array) && array.data.every((each) => each === time)) return undefined;
  if (!(array instanceof View))
    return call.refuse("lengths that depend on an input, or are all the number of steps", call.shapes());
  if (array.rank !== 1) return call.refuse("one length for each sample", call.shapes());
  requireSamples(call, input, array, 0);
  const { tensor } = array.arranged([[0]]);
  return ops.expandDims(tensor, 1);
}

interface Laid {
  op: Op;
  directions: number;
  units: number;
  batchFirst: boolean;
  usesAll: boolean;
  returnState: boolean;
}

/** The node's outputs: Y [steps, directions, samples, H], Y_h and Y_c [directions, samples, H], or with samples first. */
function results(
  view: View,
  { op, directions, units, batchFirst, usesAll, returnState }: Laid,
  first: SymbolicTensor,
  states: SymbolicTensor[],
  time: string | number,
): Value[] {
  const batch = view.atoms[0].dim;
  const wide = directions === 2 ? [2] : [];
  const sequence = () => {
    const atoms = [
      { place: 0, dim: batch },
      { place: 1, dim: time },
      ...wide.map((dim) => ({ place: 2, dim })),
      { place: 2, dim: units },
    ];
    const dir = wide.map((_, k) => 2 + k);
    const last = [atoms.length - 1];
    return new View(first, atoms, batchFirst ? [[0], [1], dir, last] : [[1], dir, [0], last]);
  };
  const state = (tensor: SymbolicTensor) => {
    const atoms = [
      { place: 0, dim: batch },
      ...wide.map((dim) => ({ place: 1, dim })),
      { place: 1, dim: units },
    ];
    const dir = wide.map((_, k) => 1 + k);
    const last = [atoms.length - 1];
    return new View(tensor, atoms, batchFirst ? [[0], dir, last] : [dir, [0], last]);
  };
  const count = op === "LSTM" ? 2 : 1;
  const together = (k: number) =>
    directions === 1 ? states[k] : ops.concatenate([states[k], states[count + k]]);
  const all = usesAll ? sequence() : state(first);
  if (!returnState) return [all, state(first), state(first)];
  const last = state(together(0));
  return op === "LSTM" ? [all, last, state(together(1))] : [all, last];
}

export const recurrentOperators: Operators = {
  RNN: recurrent("RNN"),
  LSTM: recurrent("LSTM"),
  GRU: recurrent("GRU"),
};
