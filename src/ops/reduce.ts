// Sum, mean, largest or smallest over neighbouring axes, which stay as axes of size one. On ties the gradient of max and min
// is split evenly (torch.amax, which keras.ops.max is on that backend).
import { along } from "./along.js";
import { count, type Op } from "./op.js";

export const REDUCTIONS = ["sum", "mean", "max", "min"] as const;
export type Reduction = (typeof REDUCTIONS)[number];

/** `count` axes from `axis` on; a time-major value over one axis, over both of its first ones, or over later ones. */
export const reduce: Op<{ axis: number; count: number; reduction: Reduction }> = {
  name: "reduce",

  outputs([x], { axis, count }) {
    const shape = x!.shape.map((d, index) => (index >= axis && index < axis + count ? 1 : d));
    // With one of its first two axes of size one, a value lies the same way in both orders.
    return [{ shape, timeMajor: x!.timeMajor && axis > 1 }];
  },

  forward(e, { inputs: [x], outputs: [out], attributes: { axis, count: axes, reduction } }) {
    const view = along(x!, axis, axes);
    if (reduction === "max" || reduction === "min") {
      e.call("extremeAxis", out, x!, ...view, reduction === "min" ? 1 : 0);
      return;
    }
    e.call("fill", out, 0, count(out));
    e.call("sumAxis", out, x!, ...view, reduction === "mean" ? 1 : 0);
  },

  backward(e, { inputs: [x], outputs: [out], attributes: { axis, count: axes, reduction } }) {
    const view = along(x!, axis, axes);
    const dout = e.gradientOf(out)!;
    if (reduction === "max" || reduction === "min") {
      e.call("extremeAxisBackward", e.gradient(x!), dout, x!, out, ...view);
      return;
    }
    const { pointer, accumulate } = e.accumulator(x!);
    e.call("expandAxis", pointer, dout, ...view, reduction === "mean" ? 1 : 0, accumulate);
  },
};
