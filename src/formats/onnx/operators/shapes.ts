// The same numbers with other axes: nothing moves, the view changes. Padding.
import { zeroPadding1D } from "../../../layers/resizing.js";
import type { SymbolicTensor } from "../../../layers/symbolic.js";
import { reshaped, size, transposed } from "../arrays.js";
import { dimsOf, isKnown, Sizes, Spread } from "../call.js";
import { combine, type Dim, over, productOf } from "../dims.js";
import { reshapedFromSamples, reshapedView, View } from "../view.js";
import type { Operator, Operators } from "./operator.js";

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
  const { samples } = call.reading;
  const isNumbers = (target: readonly Dim[]): target is number[] =>
    target.every((d) => typeof d === "number");
  const fromSamples =
    value instanceof View &&
    samples !== undefined &&
    isNumbers(target) &&
    reshapedFromSamples(value, target, samples);
  if (fromSamples) return [fromSamples];
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

const dropout: Operator = (call) => {
  if (call.has(2) && call.scalar(2) !== 0)
    call.refuse("training_mode false", "true, random numbers at inference");
  return [call.value(0)];
};

export const shapes: Operators = {
  Identity: (call) => [call.given(0)],
  Dropout: dropout,
  Transpose: transpose,
  Reshape: reshape,
  Flatten: flatten,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Pad: pad,
};
