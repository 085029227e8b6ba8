// A part of a value along one axis: out = x[…, from : from + size, …].
import type { Dim, Size } from "../program/size.js";
import { along } from "./along.js";
import { type Op, shifted, type Value } from "./op.js";
import { hasSamples } from "./samples.js";

/** Where the part begins in bytes, and rows and columns of blocks that stay together. */
function blocks(x: Value, out: Value, { axis, from }: { axis: number; from: Dim }) {
  const [rows, n, inner] = along(x, axis);
  const [, size] = along(out, axis);
  return {
    start: inner.times(from).times(4),
    rows,
    stride: short(n.times(inner)),
    columns: short(size.times(inner)),
  };
}

function short(size: Size): Size | number {
  return size.constant ?? size;
}

export const slice: Op<{ axis: number; from: Dim; size: Dim }> = {
  name: "slice",

  mixesSamples: ([x], { axis }) => axis === 0 && hasSamples(x!.shape[0]),

  outputs([x], { axis, size }) {
    return [{ shape: x!.shape.with(axis, size), dtype: x!.dtype, timeMajor: x!.timeMajor }];
  },

  forward(e, { inputs: [x], outputs: [out], attributes }) {
    const { start, rows, stride, columns } = blocks(x!, out, attributes);
    e.call("copyColumns", out, columns, shifted(x!.pointer, start), stride, rows, columns);
  },

  backward(e, { inputs: [x], outputs: [out], attributes }) {
    const { start, rows, stride, columns } = blocks(x!, out, attributes);
    const dx = shifted(e.gradient(x!), start);
    e.call("accumulateColumns", dx, stride, e.gradientOf(out)!, columns, rows, columns);
  },
};
