// What ops do together, on values of any rank: broadcasting, reductions over several axes, permutations, products of batches.
// For layers, `ops.*` and importers. Not here: symbolic shapes and checks of what a user wrote (operations/).
// Values lie batch-major or time-major; each function takes both and turns only what an op cannot take as it lies.

import { memoryShape } from "../ops/along.js";
import type { Builder } from "../ops/builder.js";
import {
  dense,
  eitherKept,
  expand as expandOp,
  matmul as matmulOp,
  type Reduction,
  reduce as reduceOp,
  reshape as reshapeOp,
  slice as sliceOp,
  swapBlocks,
  type Turned,
} from "../ops/index.js";
import type { Value } from "../ops/op.js";
import { type Dim, Size } from "../program/size.js";

/** Has the host check that two dimensions are equal, when they are known. */
export type RequireEqual = (a: Dim, b: Dim) => void;

const isOne = (d: Dim | undefined): boolean => d !== undefined && Size.of(d).constant === 1;
const same = (a: Dim, b: Dim): boolean => sizeKey(a) === sizeKey(b);

/** A size as text, whatever order its terms are in. */
function sizeKey(d: Dim): string {
  return [...Size.of(d).terms]
    .map(([key, c]) => `${key}:${c}`)
    .sort()
    .join();
}

/** A dimension as a number where it is one. */
export function dim(size: Size): Dim {
  return size.constant ?? size;
}

/** The value in the wanted order. With one of its first two axes of size one it lies the same way in both. */
export function inOrder(builder: Builder, value: Value, timeMajor: boolean): Value {
  if (value.timeMajor === timeMajor || value.shape.length < 2) return value;
  if (isOne(value.shape[0]) || isOne(value.shape[1])) return { ...value, timeMajor };
  return timeMajor ? builder.timeMajor(value) : builder.batchMajor(value);
}

/** Another shape for the same numbers, in the order of a batch-major value. A time-major one whose first two axes stay is
 * not turned, unless it has no other axis: ops over the last axis want that one innermost. */
export function reshape(builder: Builder, name: string, value: Value, shape: readonly Dim[]): Value {
  if (shape.length === value.shape.length && shape.every((d, axis) => same(d, value.shape[axis])))
    return value;
  const keeps =
    value.timeMajor && shape.length > 2 && [0, 1].every((axis) => same(shape[axis], value.shape[axis]));
  const x = keeps ? value : inOrder(builder, value, false);
  return builder.apply(reshapeOp, name, [x], { shape, timeMajor: keeps })[0];
}

/** The shape of values together (NumPy): aligned at their last axes, axes of size one grow. */
export function jointShape(shapes: readonly (readonly Dim[])[], requireEqual: RequireEqual): Dim[] {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, axis) => {
    const here = shapes
      .map((shape) => shape[axis - rank + shape.length])
      .filter((d) => d !== undefined && !isOne(d));
    const size = here.find((d) => typeof d === "number") ?? here[0] ?? 1;
    for (const other of here) if (!same(size, other)) requireEqual(size, other);
    return size;
  });
}

/** The value in a larger shape, in an order in which it can stand beside others. */
export function broadcast(
  builder: Builder,
  name: string,
  value: Value,
  shape: readonly Dim[],
  timeMajor: boolean,
): Value {
  const missing = shape.length - value.shape.length;
  const full =
    missing > 0 ? reshape(builder, name, value, [...Array(missing).fill(1), ...value.shape]) : value;
  let grown = inOrder(builder, full, timeMajor);
  // From the last axis on: what is copied later is then longer.
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (!isOne(grown.shape[axis]) || isOne(shape[axis])) continue;
    [grown] = builder.apply(expandOp, `${name}.expanded`, [grown], { axis, size: shape[axis] });
  }
  // Dimensions that the host finds equal are one from here on.
  return grown.shape.every((d, axis) => same(d, shape[axis])) ? grown : { ...grown, shape };
}

/** Values in one shape and one order: that of the first which already has the shape. */
export function together(
  builder: Builder,
  name: string,
  values: readonly Value[],
  requireEqual: RequireEqual,
): Value[] {
  const shape = jointShape(
    values.map((value) => value.shape),
    requireEqual,
  );
  const leader = values.find(
    (value) =>
      value.shape.length === shape.length && !value.shape.some((d, i) => isOne(d) && !isOne(shape[i])),
  );
  const timeMajor = (leader ?? values[0]).timeMajor && shape.length > 1;
  return values.map((value) => broadcast(builder, name, value, shape, timeMajor));
}

/** A reduction over some axes; they stay with size one if `keepdims`. */
export function reduce(
  builder: Builder,
  name: string,
  value: Value,
  axes: readonly number[],
  reduction: Reduction,
  keepdims: boolean,
): Value {
  const kept = value.shape.map((d, axis) => (axes.includes(axis) ? 1 : d));
  let reduced = value;
  const runs = neighbours(axes);
  const isExtreme = reduction === "max" || reduction === "min";
  if (isExtreme && runs.length > 1) {
    // Ties are split over all axes at once: they have to be one.
    const others = value.shape.flatMap((_, axis) => (axes.includes(axis) ? [] : [axis]));
    const moved = permute(builder, `${name}.moved`, value, [...others, ...axes]);
    const run = { axis: others.length, count: axes.length, reduction };
    [reduced] = builder.apply(reduceOp, name, [moved], run);
  } else {
    for (const { axis, count } of runs) {
      const takesBoth = axis === 0 && count > 1;
      const x = axis > 1 || count === 1 || takesBoth ? reduced : inOrder(builder, reduced, false);
      [reduced] = builder.apply(reduceOp, name, [x], { axis, count, reduction });
    }
  }
  const shape = keepdims ? kept : value.shape.filter((_, axis) => !axes.includes(axis));
  return reshape(builder, name, reduced, shape);
}

/** Sorted axes as runs of neighbours. */
function neighbours(axes: readonly number[]): { axis: number; count: number }[] {
  const runs: { axis: number; count: number }[] = [];
  for (const axis of [...axes].sort((a, b) => a - b)) {
    const last = runs.at(-1);
    if (last && last.axis + last.count === axis) last.count++;
    else runs.push({ axis, count: 1 });
  }
  return runs;
}

/** Axis k of the result is axis `axes[k]` of the value. */
export function permute(builder: Builder, name: string, value: Value, axes: readonly number[]): Value {
  const { length } = value.shape;
  const order = Array.from({ length }, (_, axis) => (value.timeMajor && axis < 2 ? 1 - axis : axis));
  // As it lies: a batch-major value of another shape.
  let now: Value = { ...value, shape: memoryShape(value), timeMajor: false };
  for (let start = 0; start < length; start++) {
    if (order[start] === axes[start]) continue;
    const middle = order.indexOf(axes[start]);
    let end = middle + 1;
    while (end < length && order[end] === axes[start + end - middle]) end++;
    [now] = builder.apply(swapBlocks, name, [now], { start, middle, end });
    order.splice(start, 0, ...order.splice(middle, end - middle));
  }
  return now;
}

/** `size` places along an axis from `from` on. */
export function slice(
  builder: Builder,
  name: string,
  value: Value,
  axis: number,
  from: Dim,
  size: Dim,
): Value {
  if (same(from, 0) && same(size, value.shape[axis])) return value;
  return builder.apply(sliceOp, name, [value], { axis, from, size })[0];
}

/** a [..., M, K] · b [..., K, N] with leading axes broadcast; `turned` says which of them lies with its last two exchanged. */
export function matmul(
  builder: Builder,
  name: string,
  a: Value,
  b: Value,
  requireEqual: RequireEqual,
  turned: Turned = "none",
): Value {
  const [inner, other] = [a.shape.at(turned === "a" ? -2 : -1)!, b.shape.at(turned === "b" ? -1 : -2)!];
  if (!same(inner, other)) requireEqual(inner, other);
  const isKernel =
    b.shape.length === 2 && b.shape.every((d) => typeof d === "number") && typeof inner === "number";
  if (isKernel && turned === "none") {
    const rows = a.shape.length === 2 ? inOrder(builder, a, false) : a;
    return builder.apply(dense, name, [rows, b, undefined], {})[0];
  }
  const matrices = [a, b].map((value) => inOrder(builder, value, false));
  const leading = matrices.map(({ shape }) => shape.slice(0, -2));
  const batch = jointShape(leading, requireEqual);
  const [x, y] = matrices.map((value, index) => {
    const own = value.shape.slice(-2);
    // A matrix without leading axes, or with axes of size one only, is shared as it is.
    if (leading[index].every(isOne))
      return batch.every(isOne) ? withShape(value, [...batch, ...own]) : withShape(value, own);
    return broadcast(builder, name, value, [...batch, ...own], false);
  });
  return builder.apply(matmulOp, name, [x, y], { turned })[0];

  function withShape(value: Value, shape: readonly Dim[]): Value {
    return reshape(builder, `${name}.matrix`, value, shape);
  }
}

/** Steps that any of the masks keeps. Axes of size one grow. */
export function anyKept(
  builder: Builder,
  name: string,
  masks: readonly Value[],
  requireEqual: RequireEqual,
): Value {
  const distinct = masks.filter((mask, index) => masks.findIndex(({ root }) => root === mask.root) === index);
  if (distinct.length === 1) return distinct[0];
  return together(builder, `${name}.mask`, distinct, requireEqual).reduce(
    (a, b) => builder.apply(eitherKept, `${name}.mask`, [a, b], {})[0],
  );
}
