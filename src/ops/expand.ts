// An axis of size one made longer: the same numbers at each of its places.
import type { Dim } from "../program/size.js";
import { along } from "./along.js";
import type { Op } from "./op.js";

export const expand: Op<{ axis: number; size: Dim }> = {
  name: "expand",

  outputs([x], { axis, size }) {
    return [{ shape: x!.shape.with(axis, size), dtype: x!.dtype, timeMajor: x!.timeMajor }];
  },

  forward(e, { inputs: [x], outputs: [out], attributes: { axis } }) {
    e.call("expandAxis", out, x!, ...along(out, axis), 0, 0);
  },

  backward(e, { inputs: [x], outputs: [out], attributes: { axis } }) {
    e.call("sumAxis", e.gradient(x!), e.gradientOf(out)!, ...along(out, axis), 0);
  },
};
