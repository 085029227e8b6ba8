// A value times a number.
import { count, type Op } from "./op.js";

export const scaled: Op<{ factor: number }> = {
  name: "scaled",

  outputs([x]) {
    return [{ shape: x!.shape, timeMajor: x!.timeMajor }];
  },

  forward(e, { inputs: [x], outputs: [out], attributes: { factor } }) {
    e.call("scale", out, x!, factor, count(x!));
  },

  backward(e, { inputs: [x], outputs: [out], attributes: { factor } }) {
    e.call("scaleAccumulate", e.gradient(x!), e.gradientOf(out)!, factor, count(x!));
  },
};
