// RNN, LSTM and GRU nodes: states, lengths, directions and outputs around recurrent layers (cells.ts).
// https://onnx.ai/onnx/operators/onnx__LSTM.html, …__GRU.html, …__RNN.html
import type { Cell } from "../../../layers/cellLayers.js";
import type { Layer } from "../../../layers/layer.js";
import * as ops from "../../../layers/operations.js";
import { rnn } from "../../../layers/rnn.js";
import type { SymbolicTensor } from "../../../layers/symbolic.js";
import { bidirectional } from "../../../layers/wrappers.js";
import type { Tensor } from "../../../tensor.js";
import { broadcasted, reshaped, sliced } from "../arrays.js";
import { type Call, dimsOf, isKnown, Sizes, Spread, showValue, type Value } from "../call.js";
import { constant, withoutMask } from "../constants.js";
import { View } from "../view.js";
import { activationsOf, type Op } from "./cellActivations.js";
import { layerOf, parametersOf, type Settings } from "./cells.js";
import type { Operator, Operators } from "./operator.js";

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
    const dims = [1, 1, units].with(dirAxis, directions);
    const has = dimsOf(value);
    if (has.length !== 3 || has.some((d, k) => k !== sampleAxis && d !== dims[k])) {
      const wanted = dims.map((d, k) => (k === sampleAxis ? "samples" : d)).join(", ");
      return call.refuse(`input ${input}, a state of shape (${wanted})`, showValue(value));
    }
    if (array.data.every((number) => number === 0)) return Array(directions).fill(undefined);
    // What is repeated may have fewer axes than what it makes.
    const rows = reshaped(array, [...Array(3 - array.shape.length).fill(1), ...array.shape]);
    const isShared = Array.from({ length: rows.shape[sampleAxis] }, (_, k) =>
      sliced(rows, [{ axis: sampleAxis, from: k, count: 1, step: 1 }]),
    ).every(({ data }, _, all) => data.every((number, i) => number === all[0].data[i]));
    const own = sliced(rows, [{ axis: sampleAxis, from: 0, count: 1, step: 1 }]);
    if (!isShared)
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

/** A mask [samples, steps] that stands in place of lengths. */
function givenMask(call: Call, name: string): SymbolicTensor {
  const view = call.reading.value(name);
  if (!(view instanceof View) || view.rank !== 2 || view.axes[0].join() !== "0")
    return call.refuse("a mask of samples and steps", showValue(view));
  return view.arranged([[0], [...view.axes[1]]]).tensor;
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
    const mask = call.node.mask
      ? givenMask(call, call.node.mask)
      : lengths && maskOf(x, lengths, call.reading.unique(`${name}_mask`));
    // The last output is zero where the last step is masked; the state is not.
    const returnState = usesCell || (usesLast && (usesAll || mask !== undefined));
    const options = { returnSequences: usesAll, returnState, zeroOutputForMask: lengths !== undefined };
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
