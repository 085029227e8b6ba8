// Parts of a tensor: slices, places, rows of a table (an embedding); and lists of tensors.
import { embedding } from "../../../layers/embedding.js";
import * as ops from "../../../layers/operations.js";
import { cropping1D } from "../../../layers/resizing.js";
import { Tensor } from "../../../tensor.js";
import { concatenated, type Known, LARGEST_CONSTANT, reshaped, sliced } from "../arrays.js";
import { bounded, type Call, dimsOf, isKnown, Several, Sizes, Spread, sizesValue } from "../call.js";
import { combine, type Dim } from "../dims.js";
import { View } from "../view.js";
import type { Operator, Operators } from "./operator.js";
import { joined } from "./sideBySide.js";

/** An end that stands for "to the last place". */
const FAR = 2 ** 31 - 1;

/** `count` places of an axis of ours from `from` on; an end that is open has no count. */
function part(call: Call, view: View, k: number, from: number, to: number): View {
  const whole = view.dims[k];
  if (view.hasSamples(k)) {
    if (from === 0 && to >= FAR) return view;
    // States [layers, samples, size] are taken apart by layers: then samples are along the other axis.
    call.reading.turnSamples(call.node.input[0]);
    return call.refuse("all samples", `some of them, ${from} to ${to}`);
  }
  const { view: laid, place } = view.along(k);
  const x = laid.tensor;
  const rank = x.shape.length;
  const take = (start: number, count: number) =>
    ops.slice(x, Array(rank).fill(0).with(place, start), Array(rank).fill(-1).with(place, count));
  if (typeof whole === "number") {
    const clamp = (at: number) => Math.min(Math.max(at < 0 ? at + whole : at, 0), whole);
    const [a, b] = [clamp(from), clamp(to)];
    if (b <= a) return call.refuse("a part with numbers in it", `${from} to ${to} of ${whole}`);
    return a === 0 && b === whole ? view : laid.replaced(take(a, b - a), place, b - a);
  }
  const toEnd = to >= FAR;
  if (from === 0 && toEnd) return view;
  if ((from === -1 && toEnd) || (from === 0 && to === 1)) return laid.replaced(take(from, 1), place, 1);
  const dim = combine(from < 0 ? "last" : "from", whole, `${from}:${to}`, () => 0);
  if (from === 1 && toEnd) return laid.replaced(take(1, -1), place, dim);
  if (from >= 0 && (toEnd || to < 0) && place === 1 && rank === 3) {
    const crop = cropping1D({ cropping: [from, toEnd ? 0 : -to], name: call.layerName() });
    return laid.replaced(crop.apply(x), place, dim);
  }
  return call.refuse(
    "a part of an axis of unknown length that is counted from its ends",
    `${from} to ${to}`,
    "Export with a fixed length.",
  );
}

const slice: Operator = (call) => {
  const value = call.value(0);
  const rank = dimsOf(value).length;
  const old = call.opset < 10;
  const list = (name: string, input: number) =>
    old ? call.ints(name) : call.has(input) ? call.sizes(input) : undefined;
  const starts = list("starts", 1) ?? call.refuse("starts", "none");
  const ends = list("ends", 2) ?? call.refuse("ends", "none");
  const axes = (list("axes", 3) ?? starts.map((_, k) => k)).map((axis) => call.axis(Number(axis), rank));
  const steps = (list("steps", 4) ?? starts.map(() => 1)).map(Number);
  if ([ends, axes, steps].some((each) => each.length !== starts.length) || new Set(axes).size !== axes.length)
    return call.refuse("as many starts as ends, axes and steps", call.shapes());
  const dims = dimsOf(value);
  // The size of the whole axis, as an end.
  const number = (at: Dim, axis: number) =>
    typeof at === "number" ? at : at === dims[axis] ? FAR : call.refuse("places that are known", `${at}`);
  const cuts = starts.map((start, k) => ({
    axis: axes[k],
    from: number(start, axes[k]),
    to: number(ends[k], axes[k]),
    step: steps[k],
  }));
  if (cuts.some(({ step }) => !Number.isSafeInteger(step) || step === 0))
    return call.refuse("steps other than 0", `[${steps}]`);
  if (value instanceof View) {
    return [
      cuts.reduce((view, { axis, from, to, step }) => {
        if (step === 1) return part(call, view, axis, from, to);
        const isWhole =
          step === -1 &&
          (from >= FAR || from === -1 || from + 1 === view.dims[axis]) &&
          (to <= -FAR || to < -Number(view.dims[axis]));
        if (!isWhole)
          return call.refuse(
            "steps of 1, or of -1 over a whole axis",
            `${from} to ${to} in steps of ${step} along axis ${axis}, which has ${view.dims[axis]} places`,
          );
        const { view: lies, place } = view.along(axis);
        return lies.replaced(ops.flip(lies.tensor, place));
      }, value),
    ];
  }
  const parts = (length: number) =>
    cuts.map(({ axis, from, to, step }) => {
      const low = step > 0 ? 0 : -1;
      const high = step > 0 ? length : length - 1;
      const clamp = (at: number) => Math.min(Math.max(at < 0 ? at + length : at, low), high);
      const a = clamp(from);
      return { axis, from: a, step, count: Math.max(Math.ceil((clamp(to) - a) / step), 0) };
    });
  if (isKnown(value))
    return [
      sliced(
        value,
        cuts.flatMap((cut, k) => [{ ...parts(value.shape[cut.axis])[k] }]),
      ),
    ];
  if (value instanceof Sizes) {
    const [{ from, count, step }] = parts(value.elements.length);
    return [sizesValue(Array.from({ length: count }, (_, k) => value.elements[from + k * step]))];
  }
  if (
    cuts.every(
      ({ axis }) =>
        typeof value.dims[axis] === "number" && (typeof value.of !== "object" || value.of.shape[axis] === 1),
    )
  ) {
    const cut = value.dims.map((d, axis) => {
      const k = axes.indexOf(axis);
      return k < 0 ? d : parts(d as number)[k].count;
    });
    return [new Spread(value.of, cut)];
  }
  return call.refuse("a part that is known", call.shapes());
};

const split: Operator = (call) => {
  const value = call.value(0);
  const dims = dimsOf(value);
  const axis = call.axis(call.int("axis", 0), dims.length);
  const whole = dims[axis];
  const given = call.opset < 13 ? call.ints("split") : call.has(1) ? call.wholes(1) : undefined;
  if (typeof whole !== "number") return call.refuse("an axis of known size", `${whole}`);
  const count = call.node.output.length;
  const each = Math.ceil(whole / count);
  const sizes = given ?? Array.from({ length: count }, (_, k) => Math.min(each, whole - k * each));
  if (sizes.length !== count || sizes.some((n) => !(n > 0)) || sizes.reduce((a, b) => a + b, 0) !== whole)
    return call.refuse(`${count} parts of ${whole}`, `[${sizes}]`);
  let from = 0;
  return sizes.map((n) => {
    const start = from;
    from += n;
    if (isKnown(value)) return sliced(value, [{ axis, from: start, count: n, step: 1 }]);
    if (value instanceof Sizes) return sizesValue(value.elements.slice(start, start + n));
    return part(call, call.view(0), axis, start, start + n);
  });
};

const splitToSequence: Operator = (call) => {
  const view = call.view(0);
  const axis = call.axis(call.int("axis", 0), view.rank);
  const whole = view.dims[axis];
  if (typeof whole !== "number" || whole > 4096)
    return call.refuse("an axis of known size, 4096 or less", `${whole}`);
  const each = call.has(1) ? call.scalar(1) : 1;
  if (each !== 1) return call.refuse("parts of one place", `${each}`);
  const keeps = call.has(1) || call.int("keepdims", 1) !== 0;
  const parts = Array.from({ length: whole }, (_, at) => part(call, view, axis, at, at + 1));
  return [new Several(parts.map((one) => (keeps ? one : one.seen(one.axes.toSpliced(axis, 1)))))];
};

const sequenceAt: Operator = (call) => {
  const list = call.given(0);
  const at = call.scalar(1);
  const found = list instanceof Several ? list.values.at(at) : undefined;
  return [found ?? call.refuse("a place inside a list", `${at} of ${call.shapes()}`)];
};

const concatFromSequence: Operator = (call) => {
  const list = call.given(0);
  if (
    !(list instanceof Several) ||
    list.values.length === 0 ||
    !list.values.every((value) => value instanceof View)
  )
    return call.refuse("a list of tensors that depend on an input", call.shapes());
  const views = list.values as View[];
  const isNew = call.int("new_axis", 0) !== 0;
  const axis = call.axis(call.int("axis", 0), views[0].rank + (isNew ? 1 : 0));
  return [joined(isNew ? views.map((view) => view.seen(view.axes.toSpliced(axis, 0, []))) : views, axis)];
};

/** Rows that are picked out of a constant while reading, one by one. */
const MOST_ROWS = 20_000;

const gather: Operator = (call) => {
  const [data, indices] = [call.value(0), call.value(1)];
  const rank = dimsOf(data).length;
  const axis = call.axis(call.int("axis", 0), rank);
  if (isKnown(data) && indices instanceof View) return [looked(call, data, indices, axis)];
  const places = call.wholes(1);
  const isScalar = dimsOf(indices).length === 0;
  const whole = dimsOf(data)[axis];
  const wrong = places.find((at) => typeof whole === "number" && !(at >= -whole && at < whole));
  if (wrong !== undefined) return call.refuse(`places inside ${whole}`, `${wrong}`);
  if (data instanceof Sizes)
    return [
      sizesValue(
        places.map((at) => data.elements.at(at)!),
        isScalar,
      ),
    ];
  if (isKnown(data)) {
    bounded(call, data.shape.with(axis, places.length), Math.max(LARGEST_CONSTANT, data.data.length));
    if (places.length > MOST_ROWS) call.refuse(`at most ${MOST_ROWS} rows of a constant`, `${places.length}`);
    const rows = places.map((at) =>
      sliced(data, [{ axis, from: at < 0 ? at + data.shape[axis] : at, count: 1, step: 1 }]),
    );
    const all = concatenated(rows, axis);
    return [reshaped(all, data.shape.toSpliced(axis, 1, ...dimsOf(indices).map(Number)))];
  }
  if (data instanceof Spread) {
    if (typeof data.of === "object" && data.of.shape[axis] !== 1)
      return call.refuse("an input that is known", call.shapes());
    const dims = data.dims.toSpliced(axis, 1, ...dimsOf(indices));
    const of =
      typeof data.of === "object"
        ? reshaped(data.of, data.of.shape.toSpliced(axis, 1, ...dimsOf(indices).map(() => 1)))
        : data.of;
    return [new Spread(of, dims)];
  }
  const isRun = places.every((at, k) => at === places[0] + k);
  const rows = isRun
    ? part(call, data, axis, places[0], places.at(-1) === -1 ? FAR : places.at(-1)! + 1)
    : joined(
        places.map((at) => part(call, data, axis, at, at === -1 ? FAR : at + 1)),
        axis,
      );
  if (isScalar) return [rows.seen(rows.axes.toSpliced(axis, 1))];
  if (dimsOf(indices).length === 1) return [rows];
  return call.refuse("places in a row", call.shapes());
};

/** Rows of a table by ids: an embedding. */
function looked(call: Call, table: Known, ids: View, axis: number): View {
  if (table.shape.length !== 2 || axis !== 0)
    return call.refuse("rows of a table [ids, features]", call.shapes());
  // Ids that come as fractions and are cast are whole: the embedding checks that.
  if (ids.type !== "int" || ids.tensor.source.inputs.length > 0)
    return call.refuse("ids straight from an input", "ids that are computed");
  const [inputDim, outputDim] = table.shape;
  if (inputDim < 1 || outputDim < 1) return call.refuse("a table with rows", `shape [${table.shape}]`);
  const layer = call.reading.shared(`embedding ${call.node.input[0]}`, () => {
    const made = embedding({ inputDim, outputDim, name: call.layerName() });
    call.reading.later(() => made.setWeights([new Tensor(table.data as Float32Array, table.shape)]));
    return made;
  });
  const place = ids.tensor.shape.length;
  const atoms = [...ids.atoms, { place, dim: outputDim }];
  return new View(layer.apply(ids.tensor), atoms, [...ids.axes, [ids.atoms.length]]);
}

export const parts: Operators = {
  Slice: slice,
  Split: split,
  Gather: gather,
  SplitToSequence: splitToSequence,
  SequenceConstruct: (call) => [new Several(call.node.input.map((_, k) => call.value(k)))],
  SequenceAt: sequenceAt,
  ConcatFromSequence: concatFromSequence,
};
