// What runs over an axis step by step: Scan, whose graph becomes a cell of layers and ops that rnn repeats, and CumSum.
// https://onnx.ai/onnx/operators/onnx__Scan.html, …__CumSum.html
import type { Cell } from "../../../layers/cellLayers.js";
import * as ops from "../../../layers/operations.js";
import { rnn } from "../../../layers/rnn.js";
import type { SymbolicTensor } from "../../../layers/symbolic.js";
import { type Known, uniform } from "../arrays.js";
import { type Call, dimsOf, type Given, isKnown, Several, Spread, showValue, type Value } from "../call.js";
import { filled } from "../constants.js";
import { type Dim, productOf } from "../dims.js";
import { namesAround } from "../names.js";
import type { GraphProto } from "../proto.js";
import { View } from "../view.js";
import type { Operator, Operators } from "./operator.js";

// ------------------------------------------------------------------------------------------------------------------ Scan

/** How something of one step lies as [samples, size]: the parts of `size`, and the axes of the graph. */
interface Row {
  readonly size: number;
  readonly parts: readonly Dim[];
  /** 0 the samples, k the k-th part. */
  readonly axes: readonly (readonly number[])[];
  readonly samples: Dim;
  readonly type: View["type"];
}

/** A row of some atoms of a view, whose axes these are. */
function rowOf(call: Call, view: View, axes: View["axes"]): { row: Row; rest: number[] } {
  const rest = axes.flat().filter((atom) => atom !== 0);
  const parts = rest.map((atom) => view.atoms[atom].dim);
  const size = productOf(parts);
  if (typeof size !== "number") return call.refuse("known sizes beside samples and steps", showValue(view));
  const renumbered = axes.map((axis) => axis.map((atom) => (atom === 0 ? 0 : 1 + rest.indexOf(atom))));
  const row = { size, parts, axes: renumbered, samples: view.atoms[0].dim, type: view.type };
  return { row, rest };
}

/** A tensor [samples, size] as the graph sees it. */
function seen({ samples, parts, axes, type }: Row, tensor: SymbolicTensor): View {
  const atoms = [{ place: 0, dim: samples }, ...parts.map((dim) => ({ place: 1, dim }))];
  return new View(parts.length === 0 ? ops.squeeze(tensor, 1) : tensor, atoms, axes, type);
}

/** A tensor [samples, steps, size] as the graph sees it, with the steps as axis number `axis`. */
function seenOver(call: Call, row: Row, steps: Dim, given: number, tensor: SymbolicTensor): View {
  const { samples, parts, axes, type } = row;
  const atoms = [
    { place: 0, dim: samples },
    { place: 1, dim: steps },
    ...parts.map((dim) => ({ place: 2, dim })),
  ];
  const moved = axes.map((each) => each.map((atom) => (atom === 0 ? 0 : atom + 1)));
  const axis = call.axis(given, axes.length + 1);
  const laid = parts.length === 0 ? ops.squeeze(tensor, 2) : tensor;
  return new View(laid, atoms, moved.toSpliced(axis, 0, [1]), type);
}

interface Sequence {
  /** [samples, steps, size] */
  readonly tensor: SymbolicTensor;
  readonly steps: Dim;
  readonly row: Row;
}

function sequenceOf(call: Call, input: number, given: number): Sequence {
  const whole = call.view(input);
  const axis = call.axis(given, whole.rank);
  if (whole.hasSamples(axis)) {
    call.reading.turnSamples(call.node.input[input]);
    return call.refuse("steps and samples along two axes", call.shapes());
  }
  const view = whole.axes[axis].length === 0 ? whole.withUnit(axis) : whole;
  const { row, rest } = rowOf(call, view, view.axes.toSpliced(axis, 1));
  const { tensor } = view.arranged([[0], [...view.axes[axis]], rest]);
  return { tensor, steps: view.dimOf(view.axes[axis]), row };
}

interface State {
  readonly row: Row;
  /** What it begins with: a tensor, or the same number everywhere. */
  readonly first: SymbolicTensor | number;
}

function stateOf(call: Call, input: number, samples: Dim): State {
  const value: Value = call.value(input);
  if (value instanceof View) {
    const { row, rest } = rowOf(call, value, value.axes);
    return { row, first: value.arranged([[0], rest]).tensor };
  }
  const array = value instanceof Spread ? value.of : value;
  const first = typeof array === "object" && isKnown(array) ? uniform(array) : undefined;
  const dims = dimsOf(value);
  const at = dims.indexOf(samples);
  const parts = dims.toSpliced(at, 1);
  const size = productOf(parts);
  if (first === undefined || at < 0 || typeof size !== "number")
    return call.refuse("a state that depends on an input, or is one number everywhere", call.shapes());
  const axes = dims.map((_, axis) => (axis === at ? [0] : [axis < at ? axis + 1 : axis]));
  return { row: { size, parts, axes, samples, type: "float" }, first };
}

/** Values around a node that the graph inside reads, by name, as they lie: every step sees the same ones. */
function capturedBy(call: Call, body: GraphProto): Map<string, View> {
  const captured = new Map<string, View>();
  for (const name of namesAround(body)) {
    const value = call.reading.isReady(name) ? call.reading.value(name) : undefined;
    if (!(value instanceof View)) continue;
    const { tensor } = value;
    captured.set(name, tensor.dtype === "int32" ? value.replaced(ops.add(tensor, 0)) : value);
  }
  return captured;
}

const scan: Operator = (call) => {
  if (call.opset < 9) return call.refuse("a Scan of opset 9 or later", `one of opset ${call.opset}`);
  const body = call.graph("body");
  const sequences = call.int("num_scan_inputs", 0);
  const states = call.node.input.length - sequences;
  const outputs = body.output.length - states;
  if (sequences < 1 || states < 0 || outputs < 0 || body.input.length !== call.node.input.length)
    return call.refuse(
      "a graph of as many inputs, states and sequences",
      `${body.input.length} inputs and ${body.output.length} outputs, ${sequences} of ${call.node.input.length} inputs sequences`,
    );
  const list = (name: string, count: number) => {
    const found = call.ints(name);
    if (!found || found.length === 0) return Array<number>(count).fill(0);
    return found.length === count ? found : call.refuse(`${count} ${name}`, `[${found}]`);
  };
  const axes = list("scan_input_axes", sequences);
  const outputAxes = list("scan_output_axes", outputs);
  const directions = list("scan_input_directions", sequences);
  const outputDirections = list("scan_output_directions", outputs);
  const read = axes.map((axis, k) => sequenceOf(call, states + k, axis));
  const [{ tensor: some, steps, row }] = read;
  const kept = Array.from({ length: states }, (_, k) => stateOf(call, k, row.samples));
  const captured = capturedBy(call, body);
  const name = call.layerName();

  // Side by side as one sequence, each read from the end that the loop begins with.
  const goBackwards = directions.every((each) => each !== 0);
  const turned = read.map(({ tensor }, k) =>
    directions[k] !== 0 && !goBackwards ? ops.flip(tensor, 1) : tensor,
  );
  const x = beside(turned, 2);
  const starts = startsOf(read.map(({ row }) => row));

  let shown: Row[] = [];
  const cell: Cell = {
    // A loop has some state.
    stateSize: states > 0 ? kept.map(({ row }) => row.size) : 1,
    name: call.reading.unique(`${name}_cell`),
    call(now, before, constants) {
      const values = new Map<string, Given>();
      kept.forEach(({ row }, k) => {
        values.set(body.input[k].name, seen(row, before[k]));
      });
      read.forEach(({ row }, k) => {
        const part = read.length === 1 ? now : ops.slice(now, [0, starts[k]], [-1, row.size]);
        values.set(body.input[states + k].name, seen(row, part));
      });
      [...captured].forEach(([key, view], k) => {
        values.set(key, view.replaced(constants[k]));
      });
      const results = call.reading.inside(call.place, body, values);
      const rows = results.map((value, k) => {
        if (value instanceof View) {
          const { row, rest } = rowOf(call, value, value.axes);
          return { row, tensor: value.arranged([[0], rest]).tensor };
        }
        // A state may begin anew at every step.
        const number =
          k < states && !(value instanceof Several) && isKnown(value) ? uniform(value) : undefined;
        if (number === undefined)
          return call.refuse("a graph that gives what depends on its inputs", showValue(value));
        return { row: kept[k].row, tensor: ops.add(ops.zerosLike(before[k]), number) };
      });
      const tensors = rows.map(({ tensor }) => tensor);
      shown = rows.slice(states).map(({ row }) => row);
      return [
        outputs > 0 ? beside(tensors.slice(states), 1) : tensors[0],
        states > 0 ? tensors.slice(0, states) : [...before],
      ];
    },
  };
  const layer = rnn({ cell, goBackwards, returnSequences: outputs > 0, returnState: states > 0, name });
  const initialState = kept.every(({ first }) => first === 0)
    ? undefined
    : kept.map(({ row, first }, k) =>
        typeof first === "number"
          ? filled(call.reading.unique(`${name}_state${k}`), some, first, row.size)
          : first,
      );
  const constants = [...captured.values()].map(({ tensor }) => tensor);
  const ran: SymbolicTensor | SymbolicTensor[] = layer.apply(x, {
    initialState,
    ...(constants.length > 0 && { constants }),
  });
  const [sequence, ...last] = Array.isArray(ran) ? ran : [ran];
  const ends = kept.map(({ row }, k) => seen(row, last[k]));
  const places = startsOf(shown);
  const all = shown.map((row, k) => {
    const part = shown.length === 1 ? sequence : ops.slice(sequence, [0, 0, places[k]], [-1, -1, row.size]);
    const turned = outputDirections[k] === 0 ? part : ops.flip(part, 1);
    return seenOver(call, row, steps, outputAxes[k], turned);
  });
  return [...ends, ...all];
};

/** Where each of some rows begins, side by side. */
function startsOf(rows: readonly Row[]): number[] {
  return rows.map((_, k) => rows.slice(0, k).reduce((sum, { size }) => sum + size, 0));
}

const beside = (tensors: SymbolicTensor[], axis: number) =>
  tensors.length === 1 ? tensors[0] : ops.concatenate(tensors, axis);

// ---------------------------------------------------------------------------------------------------------------- CumSum

function knownSums({ type, shape, data }: Known, axis: number, exclusive: boolean, reverse: boolean): Known {
  const out = data.slice();
  const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const count = shape[axis];
  for (let start = 0; start < data.length; start += count * inner) {
    for (let i = 0; i < inner; i++) {
      let sum = 0;
      for (let k = 0; k < count; k++) {
        const at = start + (reverse ? count - 1 - k : k) * inner + i;
        const before = sum;
        sum += data[at];
        out[at] = exclusive ? before : sum;
      }
    }
  }
  return { type, shape, data: out };
}

const cumSum: Operator = (call) => {
  const value = call.value(0);
  const axis = call.axis(call.scalar(1), dimsOf(value).length);
  const [exclusive, reverse] = ["exclusive", "reverse"].map((name) => call.int(name, 0) !== 0);
  if (isKnown(value)) return [knownSums(value, axis, exclusive, reverse)];
  const { tensor, steps, row } = sequenceOf(call, 0, axis);
  const adder: Cell = {
    stateSize: row.size,
    call(x, [sum]) {
      const next = ops.add(sum, x);
      return [exclusive ? sum : next, [next]];
    },
  };
  const turn = (x: SymbolicTensor) => (reverse ? ops.flip(x, 1) : x);
  const loop = rnn({ cell: adder, returnSequences: true, name: call.layerName() });
  return [seenOver(call, row, steps, axis, turn(loop.apply(turn(tensor))))];
};

export const loops: Operators = { Scan: scan, CumSum: cumSum };
