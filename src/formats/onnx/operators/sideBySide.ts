// Tensors side by side along one axis, constants among them.
import * as ops from "../../../layers/operations.js";
import {
  concatenated,
  type Known,
  known,
  LARGEST_CONSTANT,
  reshaped,
  transposed,
  uniform,
} from "../arrays.js";
import { bounded, type Call, dimsOf, isKnown, Sizes, Spread, sizesValue, type Value } from "../call.js";
import { constant } from "../constants.js";
import { combine } from "../dims.js";
import { Misfit, View } from "../view.js";
import type { Operator, Operators } from "./operator.js";

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
    const length = arrays.reduce((sum, { shape }) => sum + shape[axis], 0);
    bounded(call, arrays[0].shape.with(axis, length), LARGEST_CONSTANT);
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

export const sideBySide: Operators = { Concat: concat };
