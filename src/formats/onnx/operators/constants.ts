// Constants, the sizes of axes as numbers, and what is repeated along axes.
import * as ops from "../../../layers/operations.js";
import {
  broadcasted,
  concatenated,
  jointShape,
  type Known,
  known,
  LARGEST_CONSTANT,
  reshaped,
  uniform,
} from "../arrays.js";
import { bounded, type Call, dimsOf, isKnown, Sizes, Spread, sizesValue, type Value } from "../call.js";
import { constant } from "../constants.js";
import { type Dim, productOf, times } from "../dims.js";
import { View } from "../view.js";
import { ranked } from "./broadcast.js";
import type { Operator, Operators } from "./operator.js";
import { joined } from "./sideBySide.js";

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

const shape: Operator = (call) => {
  const dims = dimsOf(call.value(0));
  const at = (place: number) => Math.min(Math.max(place < 0 ? place + dims.length : place, 0), dims.length);
  return [sizesValue(dims.slice(at(call.int("start", 0)), at(call.int("end", dims.length))))];
};

const sizeOf: Operator = (call) => [sizesValue([productOf(dimsOf(call.value(0)))], true)];

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
  if (!(value instanceof Sizes) && times_.length !== dims.length)
    return call.refuse(`${dims.length} numbers of repetitions`, `${times_.length}`);
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

export const constants: Operators = {
  Constant: constantNode,
  ConstantOfShape: constantOfShape,
  Range: range,
  Shape: shape,
  Size: sizeOf,
  Expand: expand,
  Tile: tile,
};
