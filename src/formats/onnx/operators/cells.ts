// Weights of RNN, LSTM and GRU nodes as layers: built-in ones where these have the functions, rnn over a cell where not.
// W [directions, G·H, I] and R [directions, G·H, H] turn into kernels [I, G·H] and [H, G·H]; gates z, r, h and, of an LSTM, i, o, f, c.
import type { Cell } from "../../../layers/cellLayers.js";
import { dense } from "../../../layers/core.js";
import type { Layer } from "../../../layers/layer.js";
import * as ops from "../../../layers/operations.js";
import { gru, lstm, simpleRNN } from "../../../layers/recurrent.js";
import { rnn } from "../../../layers/rnn.js";
import type { SymbolicTensor } from "../../../layers/symbolic.js";
import { Tensor } from "../../../tensor.js";
import { turned } from "../../numbers.js";
import type { Known } from "../arrays.js";
import type { Call } from "../call.js";
import type { Activation, Op } from "./cellActivations.js";

/** Which of ONNX's gates stands where in a kernel here (i, f, c, o of i, o, f, c). */
const GATES: Readonly<Record<Op, readonly number[]>> = { RNN: [0], LSTM: [0, 2, 3, 1], GRU: [0, 1, 2] };

export interface Parameters {
  op: Op;
  units: number;
  inputs: number;
  /** Kernel [I, G·H], recurrent kernel [H, G·H], biases [G·H] of the input and of the state. */
  kernel: () => Float32Array;
  recurrent: () => Float32Array;
  biases?: () => [Float32Array, Float32Array];
}

/** The weights of one direction. */
export function parametersOf(call: Call, op: Op, d: number, directions: number): Parameters {
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

export interface Settings {
  clip: number | undefined;
  linearBeforeReset: boolean;
  inputForget: boolean;
}

/** A layer of one direction, and what gives it its weights when it is built. */
export function layerOf(
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
