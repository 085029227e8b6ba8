// Zeros before and behind an axis.
import { type Dim, Size } from "../program/size.js";
import { along } from "./along.js";
import { type Op, shifted } from "./op.js";

export const pad: Op<{ axis: number; before: Dim; after: Dim }> = {
  name: "pad",

  outputs([x], { axis, before, after }) {
    const size = Size.of(x!.shape[axis]).plus(before).plus(after);
    return [{ shape: x!.shape.with(axis, size.constant ?? size), timeMajor: x!.timeMajor }];
  },

  forward(e, { inputs: [x], outputs: [out], attributes: { axis, before, after } }) {
    const [outer, n, inner] = along(x!, axis);
    e.call("padAxis", out, x!, outer, inner.times(before), n.times(inner), inner.times(after));
  },

  backward(e, { inputs: [x], outputs: [out], attributes: { axis, before } }) {
    const [outer, n, inner] = along(x!, axis);
    const [, padded] = along(out, axis);
    const { pointer, accumulate } = e.accumulator(x!);
    const from = shifted(e.gradientOf(out)!, inner.times(before).times(4));
    const size = n.times(inner);
    const kernel = accumulate ? "accumulateColumns" : "copyColumns";
    e.call(kernel, pointer, size, from, padded.times(inner), outer, size);
  },
};
