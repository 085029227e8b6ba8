// The same numbers with other axes, parts of them, several side by side; constants, and the sizes of axes as numbers.
import { embedding } from "../../../layers/embedding.js";
import * as ops from "../../../layers/operations.js";
import { cropping1D, zeroPadding1D } from "../../../layers/resizing.js";
import type { SymbolicTensor } from "../../../layers/symbolic.js";
import { Tensor } from "../../../tensor.js";
import {
  broadcasted,
  concatenated,
  jointShape,
  type Known,
  known,
  LARGEST_CONSTANT,
  reshaped,
  size,
  sliced,
  transposed,
  uniform,
} from "../arrays.js";
import {
  bounded,
  type Call,
  dimsOf,
  isKnown,
  Several,
  Sizes,
  Spread,
  sizesValue,
  type Value,
} from "../call.js";
import { constant } from "../constants.js";
import { combine, type Dim, over, productOf, times } from "../dims.js";
import { Misfit, reshapedView, View } from "../view.js";
import { ranked } from "./broadcast.js";
import type { Operator, Operators } from "./operator.js";

/** An end that stands for "to the last place". */
const FAR = 2 ** 31 - 1;

// ------------------------------------------------------------------------------------------------------------ constants

const constantNode: Operator = (call) => {
  const tensor = call.tensor("value");
  if (tensor) return [tensor];
  const float = call.attribute("value_float");
  if (float) return [known("float", [], [float.f])];
  const int = call.attribute("value_int");
  if (int) return [known("int", [], [int.i])];
  const floats = call.floats("value_floats");
  if (floats) return [known("float", [floats.length], floats)];
  const ints = call.ints("value_ints");
  if (ints) return [known("int", [ints.length], ints)];
  return call.refuse(
    "a constant of numbers",
    call.node.attribute.map(({ name }) => name).join(", ") || "none",
  );
};

const constantOfShape: Operator = (call) => {
  const dims = call.sizes(0);
  const value = call.tensor("value") ?? known("float", [1], [0]);
  if (value.data.length !== 1) return call.refuse("one value", `${value.data.length}`);
  return [spread(call, value, dims)];
};

/** An array in a larger shape: written out where all sizes are known. */
function spread(call: Call, value: Known, dims: readonly Dim[]): Value {
  const array = reshaped(value, [
    ...Array(Math.max(dims.length - value.shape.length, 0)).fill(1),
    ...value.shape,
  ]);
  if (!dims.every((dim) => typeof dim === "number")) return new Spread(array, dims);
  const shape = jointShape([value.shape, dims as number[]]);
  if (!shape) return call.refuse("a shape that the constant fits into", `(${dims.join(", ")})`);
  bounded(call, shape, Math.max(LARGEST_CONSTANT, value.data.length));
  return broadcasted(value, shape);
}

const range: Operator = (call) => {
  const [start, limit, delta] = [0, 1, 2].map((k) => call.scalar(k));
  const count = Math.max(Math.ceil((limit - start) / delta), 0);
  bounded(call, [count], LARGEST_CONSTANT);
  const { type } = call.known(0);
  return [
    known(
      type,
      [count],
      Array.from({ length: count }, (_, k) => start + k * delta),
    ),
  ];
};

// ---------------------------------------------------------------------------------------------------------------- sizes

const shape: Operator = (call) => {
  const dims = dimsOf(call.value(0));
  const at = (place: number) => Math.min(Math.max(place < 0 ? place + dims.length : place, 0), dims.length);
  return [sizesValue(dims.slice(at(call.int("start", 0)), at(call.int("end", dims.length))))];
};

const sizeOf: Operator = (call) => [sizesValue([productOf(dimsOf(call.value(0)))], true)];

// -------------------------------------------------------------------------------------------------------- axes regrouped

const transpose: Operator = (call) => {
  const value = call.value(0);
  const rank = dimsOf(value).length;
  const given = call.ints("perm") ?? Array.from({ length: rank }, (_, k) => rank - 1 - k);
  const order = given.map((axis) => call.axis(axis, rank));
  if (order.length !== rank || new Set(order).size !== rank)
    return call.refuse(`each of ${rank} axes once`, `[${given}]`);
  if (value instanceof View) return [value.seen(order.map((axis) => value.axes[axis]))];
  if (isKnown(value)) return [transposed(value, order)];
  if (value instanceof Spread) {
    const dims = order.map((axis) => value.dims[axis]);
    if (typeof value.of === "object") return [new Spread(transposed(value.of, order), dims)];
    return [new Spread(value.of, dims)];
  }
  return [value];
};

const reshape: Operator = (call) => {
  const value = call.value(0);
  const wanted = call.opset < 5 ? (call.ints("shape") ?? []) : call.sizes(1);
  const dims = dimsOf(value);
  const copies = call.int("allowzero", 0) === 0;
  const target = wanted.map((d, k) =>
    d === 0 && copies ? (dims[k] ?? call.refuse("an axis to copy", `axis ${k}`)) : d,
  );
  const guesses = target.filter((d) => d === -1).length;
  if (guesses > 1) return call.refuse("one -1 at most", `(${target.join(", ")})`);
  const rest = guesses === 1 ? over(productOf(dims), productOf(target.filter((d) => d !== -1))) : 1;
  const told = () => `(${dims.join(", ")}) as (${target.join(", ")})`;
  if (rest === undefined) return call.refuse("a shape for as many numbers", told());
  const full = target.map((d) => (d === -1 ? rest : d));
  if (isKnown(value)) {
    if (full.every((d) => typeof d === "number") && size(full as number[]) === value.data.length)
      return [reshaped(value, full as number[])];
    return call.refuse("a shape for as many numbers", told());
  }
  if (value instanceof Sizes) {
    if (full.length < 2 && productOf(full) === value.elements.length)
      return [new Sizes(value.elements, full.length === 0)];
    return call.refuse("sizes in a row", told());
  }
  if (value instanceof Spread) {
    if (typeof value.of !== "object" || value.of.data.length === 1)
      return [
        new Spread(
          typeof value.of === "object"
            ? reshaped(
                value.of,
                full.map(() => 1),
              )
            : value.of,
          full,
        ),
      ];
    return call.refuse("numbers that depend on an input", told());
  }
  const seen = reshapedView(value, full);
  if (seen) return [seen];
  // Axes that overlap: all behind the samples as one, then cut anew.
  if (value.axes[0]?.join() === "0" && full[0] === value.dims[0]) {
    const flat = value.arranged([[0], value.flat.slice(1)]);
    const cut = reshapedView(
      flat.replaced(flat.tensor, 1, productOf(value.dims.slice(1))).seen([[0], [1]]),
      full,
    );
    if (cut) return [cut];
  }
  return call.refuse("a shape that keeps samples apart, and lengths known at run time whole", told());
};

const flatten: Operator = (call) => {
  const value = call.value(0);
  const dims = dimsOf(value);
  const given = call.int("axis", 1);
  const axis = given < 0 ? given + dims.length : given;
  if (!(axis >= 0 && axis <= dims.length)) return call.refuse(`an axis from 0 to ${dims.length}`, `${given}`);
  if (isKnown(value))
    return [reshaped(value, [size(value.shape.slice(0, axis)), size(value.shape.slice(axis))])];
  const view = call.view(0);
  return [view.seen([view.axes.slice(0, axis).flat(), view.axes.slice(axis).flat()])];
};

const squeeze: Operator = (call) => {
  const value = call.value(0);
  const dims = dimsOf(value);
  const given = call.axes("axes", 1, dims.length);
  const gone = given ?? dims.flatMap((d, axis) => (d === 1 ? [axis] : []));
  const wrong = gone.find((axis) => dims[axis] !== 1);
  const keep = (_: unknown, axis: number) => !gone.includes(axis);
  if (wrong !== undefined) return call.refuse(`axis ${wrong} of size 1`, `${dims[wrong]}`);
  if (isKnown(value)) return [reshaped(value, value.shape.filter(keep))];
  if (value instanceof Sizes) return [new Sizes(value.elements, true)];
  if (value instanceof Spread) {
    const rest = value.dims.filter(keep);
    return [
      new Spread(
        typeof value.of === "object" ? reshaped(value.of, value.of.shape.filter(keep)) : value.of,
        rest,
      ),
    ];
  }
  if (gone.some((axis) => value.hasSamples(axis))) return call.refuse("samples that stay", `axis ${gone}`);
  return [value.seen(value.axes.filter(keep))];
};

function inserted<T>(list: readonly T[], axes: readonly number[], what: T): T[] {
  const out = [...list];
  for (const axis of [...axes].sort((a, b) => a - b)) out.splice(axis, 0, what);
  return out;
}

const unsqueeze: Operator = (call) => {
  const value = call.value(0);
  const dims = dimsOf(value);
  const given = call.opset < 13 ? (call.ints("axes") ?? []) : call.wholes(1);
  const axes = given.map((axis) => call.axis(axis, dims.length + given.length));
  if (isKnown(value)) return [reshaped(value, inserted(value.shape, axes, 1))];
  if (value instanceof Sizes) {
    if (value.isScalar && axes.length === 1) return [new Sizes(value.elements)];
    return call.refuse("one size", call.shapes());
  }
  if (value instanceof Spread) {
    const of =
      typeof value.of === "object" ? reshaped(value.of, inserted(value.of.shape, axes, 1)) : value.of;
    return [new Spread(of, inserted(value.dims, axes, 1))];
  }
  return [value.seen(inserted(value.axes, axes, []))];
};

// ---------------------------------------------------------------------------------------------------------- side by side

const concat: Operator = (call) => {
  const values = call.node.input
    .map((_, k) => call.value(k))
    .filter((value) => !(isKnown(value) && value.data.length === 0));
  if (values.length === 0) return call.refuse("inputs with numbers in them", "none");
  const rank = dimsOf(values[0]).length;
  const axis = call.axis(call.int("axis", call.opset < 4 ? 1 : 0), rank);
  if (values.some((value) => dimsOf(value).length !== rank))
    return call.refuse("inputs of one rank", call.shapes());
  if (values.every(isKnown)) {
    const arrays = values as Known[];
    const fits = arrays.every(({ shape }) => shape.every((d, k) => k === axis || d === arrays[0].shape[k]));
    if (!fits) return call.refuse("inputs that agree on the other axes", call.shapes());
    return [concatenated(arrays, axis)];
  }
  if (!values.some((value) => value instanceof View)) {
    if (values.every((value) => value instanceof Sizes || (isKnown(value) && value.shape.length === 1)))
      return [
        sizesValue(
          values.flatMap((value) =>
            value instanceof Sizes ? [...value.elements] : Array.from((value as Known).data),
          ),
        ),
      ];
    if (values.every((value) => value instanceof Spread || isKnown(value))) {
      const dims = dimsOf(values[0]).with(
        axis,
        values.map((value) => dimsOf(value)[axis]).reduce((a, b) => combine("+", a, b, (x, y) => x + y)),
      );
      const fills = values.map((value) =>
        value instanceof Spread
          ? typeof value.of === "object"
            ? uniform(value.of)
            : undefined
          : uniform(value as Known),
      );
      if (fills.every((fill) => fill !== undefined && fill === fills[0]))
        return [new Spread(known("float", Array(rank).fill(1), [fills[0]!]), dims)];
    }
    return call.refuse("inputs of one kind", call.shapes());
  }
  const first = values.find((value) => value instanceof View) as View;
  const views = values.map((value) => (value instanceof View ? value : filled(call, value, first, axis)));
  return [joined(views, axis)];
};

/** Views side by side along one axis of the graph. */
export function joined(views: readonly View[], axis: number): View {
  if (views.length === 1) return views[0];
  // All as the first lies, each axis of the graph but this one atom by atom.
  const [lead] = views.map((view) => view.along(axis).view);
  const order = lead.groups.map((group) => group[0]);
  const groupsOf = (view: View) => {
    const whole = view.axes[axis];
    const groups: (readonly number[])[] = [];
    for (const atom of order) {
      const at = lead.axes.findIndex((atoms) => atoms.includes(atom));
      if (at < 0) continue;
      if (at === axis) groups.push(whole);
      else {
        const mine = view.axes[at].filter((a) => a === 0 || view.atoms[a].dim !== 1);
        const theirs = lead.axes[at].filter((a) => a === 0 || lead.atoms[a].dim !== 1);
        if (lead.atoms[atom].dim === 1 && atom !== 0) groups.push([]);
        else if (theirs.map((a) => lead.atoms[a].dim).join() !== mine.map((a) => view.atoms[a].dim).join())
          throw new Misfit("inputs that agree on the other axes");
        else groups.push([mine[theirs.indexOf(atom)]]);
      }
    }
    return groups;
  };
  const apart = [lead, ...views.slice(1)];
  const [first, ...others] = apart.map((view) => {
    const ones = view.axes[axis].length === 0 ? view.withUnit(axis) : view;
    return ones.arranged(groupsOf(ones));
  });
  const place = first.groups.findIndex((group) => group.join() === first.axes[axis].join());
  const tensor = ops.concatenate(
    [first, ...others].map((view) => view.tensor),
    place,
  );
  const total = views.map((view) => view.dims[axis]).reduce((a, b) => combine("+", a, b, (x, y) => x + y));
  return first.replaced(tensor, place, total);
}

/** A constant as a view that lies as another one but for one axis: the same for every sample. */
function filled(call: Call, value: Value, like: View, axis: number): View {
  if (!(isKnown(value) || (value instanceof Spread && typeof value.of === "object")))
    return call.refuse("numbers that depend on an input, or constants", call.shapes());
  const dims = dimsOf(value);
  const array = isKnown(value) ? value : (value.of as Known);
  const width = dims[axis];
  if (typeof width !== "number") return call.refuse("a constant of known size", call.shapes());
  const { view, place } = like.along(axis);
  // One place of the other one, as often as the constant is wide: zeros, and the constant added to them.
  const zero = ops.zerosLike(
    ops.slice(
      view.tensor,
      view.tensor.shape.map(() => 0),
      view.tensor.shape.map((_, k) => (k === place ? 1 : -1)),
    ),
  );
  const zeros = Array.from({ length: Math.min(width, 64) }, () => zero);
  if (width > 64) return call.refuse("a constant of 64 places or fewer along the axis", `${width}`);
  const wide = view.replaced(width === 1 ? zero : ops.concatenate(zeros, place), place, width);
  const number = uniform(array);
  if (number === 0) return wide;
  const added = number ?? constant(call.layerName(), laid(call, array, wide), wide.tensor);
  return wide.replaced(ops.add(wide.tensor, added));
}

/** A constant in the layout of a view, the samples of size 1. */
function laid(call: Call, array: Known, view: View): Known {
  if (view.axes.some((axis) => axis.length > 1))
    return call.refuse("axes that were not put together", call.shapes());
  const shape = view.axes.map((axis, k) => (axis.includes(0) ? 1 : array.shape[k]));
  const isRepeated = view.axes.some((axis, k) => axis.includes(0) && array.shape[k] !== 1);
  if (isRepeated) return call.refuse("a constant that is the same for all samples", call.shapes());
  const order = view.groups.map(([atom]) => view.axes.findIndex((axis) => axis.includes(atom)));
  const ones = order.filter((axis) => axis >= 0);
  const turned = transposed(reshaped(array, shape), [
    ...ones,
    ...shape.flatMap((_, k) => (ones.includes(k) ? [] : [k])),
  ]);
  return reshaped(
    turned,
    order.map((axis) => (axis < 0 ? 1 : shape[axis])),
  );
}

// ---------------------------------------------------------------------------------------------------------------- parts

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
          step === -1 && (from >= FAR || from === -1 || from + 1 === view.dims[axis]) && to < -FAR;
        if (!isWhole) return call.refuse("steps of 1, or of -1 over a whole axis", `${step}`);
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
  if (ids.tensor.dtype !== "int32" || ids.tensor.source.inputs.length > 0)
    return call.refuse("ids straight from an input of whole numbers", "ids that are computed");
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

// ------------------------------------------------------------------------------------------------------------- repeated

const expand: Operator = (call) => {
  const value = call.value(0);
  const wanted = call.sizes(1);
  if (value instanceof Sizes)
    return [
      value.elements.length === 1
        ? new Spread(value.elements[0], wanted)
        : call.refuse("one size", call.shapes()),
    ];
  const dims = dimsOf(value);
  const rank = Math.max(dims.length, wanted.length);
  const full = Array.from({ length: rank }, (_, k) => {
    const [a, b] = [dims[k - rank + dims.length] ?? 1, wanted[k - rank + wanted.length] ?? 1];
    return a === 1 ? b : a;
  });
  if (isKnown(value)) return [spread(call, value, full)];
  if (value instanceof Spread)
    return [
      new Spread(
        typeof value.of === "object"
          ? reshaped(value.of, [...Array(rank - value.of.shape.length).fill(1), ...value.of.shape])
          : value.of,
        full,
      ),
    ];
  let view = ranked(value as View, rank);
  full.forEach((size, k) => {
    if (size === view.dims[k]) return;
    if (view.hasSamples(k)) call.refuse("samples as they are", `(${full.join(", ")})`);
    view = repeated(call, view, k, size);
  });
  return [view];
};

/** An axis of size 1 as long as another one, or of so many places. */
function repeated(call: Call, view: View, k: number, size: Dim): View {
  if (typeof size !== "number" || size > 4096)
    return call.refuse(
      "a size of 4096 or less to expand to",
      `${size}`,
      "What it is combined with is broadcast by itself.",
    );
  const { view: lies, place } = view.along(k);
  const shape = lies.tensor.shape.map((_, axis) => (axis === place ? size : 1));
  const zeros = { type: "float" as const, shape, data: new Float32Array(size) };
  return lies.replaced(ops.add(lies.tensor, constant(call.layerName(), zeros, lies.tensor)), place, size);
}

const tile: Operator = (call) => {
  const value = call.value(0);
  const times_ = call.sizes(1);
  const dims = dimsOf(value);
  const full = dims.map((d, k) => times(d, times_[k] ?? 1));
  const one = value instanceof Sizes && value.elements.length === 1 ? value.elements[0] : undefined;
  if (one !== undefined) return [new Spread(one, full)];
  if (isKnown(value)) {
    if (dims.every((d, k) => d === 1 || times_[k] === 1)) return [spread(call, value, full)];
    if (uniform(value) !== undefined)
      return [
        spread(
          call,
          known(
            value.type,
            dims.map(() => 1),
            [value.data[0]],
          ),
          full,
        ),
      ];
    if (times_.every((each) => typeof each === "number")) {
      bounded(call, full as number[], LARGEST_CONSTANT);
      return [
        (times_ as number[]).reduce<Known>(
          (array, n, axis) =>
            n > 0 ? concatenated(Array(n).fill(array), axis) : call.refuse("positive numbers", `${n}`),
          value,
        ),
      ];
    }
  }
  if (value instanceof View && times_.every((each) => typeof each === "number" && each > 0 && each <= 64)) {
    return [
      (times_ as number[]).reduce(
        (view, n, axis) => (n === 1 ? view : joined(Array(n).fill(view), axis)),
        value,
      ),
    ];
  }
  return call.refuse("constant numbers of repetitions, 64 or fewer", call.shapes());
};

const pad: Operator = (call) => {
  const view = call.view(0);
  const mode = call.text("mode", "constant");
  const pads = call.opset < 11 ? (call.ints("pads") ?? []) : call.wholes(1);
  const value = call.opset < 11 ? call.float("value", 0) : call.has(2) ? call.scalar(2) : 0;
  const axes = call.has(3)
    ? call.wholes(3).map((axis) => call.axis(axis, view.rank))
    : view.axes.map((_, axis) => axis);
  const sides = axes
    .map((axis, k) => ({ axis, before: pads[k], after: pads[k + axes.length] }))
    .filter(({ before, after }) => before !== 0 || after !== 0);
  if (mode !== "constant" || value !== 0)
    return call.refuse("zeros around", mode === "constant" ? `${value}` : mode);
  return [
    sides.reduce((now, { axis, before, after }) => {
      const { view: lies, place } = now.along(axis);
      const isTime = place === 1 && lies.tensor.shape.length === 3;
      if (!isTime || !(before >= 0 && after >= 0 && before + after <= 1 << 20))
        return call.refuse("zeros before and behind a sequence [samples, steps, features]", `[${pads}]`);
      const layer = zeroPadding1D({ padding: [before, after], name: call.layerName() });
      const dim = combine("+", lies.dims[axis], before + after, (a, b) => a + b);
      return lies.replaced(layer.apply(lies.tensor) as SymbolicTensor, place, dim);
    }, view),
  ];
};

export const shapes: Operators = {
  Constant: constantNode,
  ConstantOfShape: constantOfShape,
  Range: range,
  Shape: shape,
  Size: sizeOf,
  Identity: (call) => [call.given(0)],
  // At inference; a second output would be its mask.
  Dropout: (call) => [call.value(0)],
  Transpose: transpose,
  Reshape: reshape,
  Flatten: flatten,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Concat: concat,
  Slice: slice,
  Split: split,
  SplitToSequence: splitToSequence,
  SequenceConstruct: (call) => [new Several(call.node.input.map((_, k) => call.value(k)))],
  SequenceAt: sequenceAt,
  ConcatFromSequence: concatFromSequence,
  Gather: gather,
  Expand: expand,
  Tile: tile,
  Pad: pad,
};
