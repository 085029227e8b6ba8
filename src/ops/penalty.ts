// A penalty on large numbers: (l1 Σ|x| + l2 Σx²) / samples, one number. Samples: 1 for a weight, the batch for what a layer gives.
import { type Dim, Size } from "../program/size.js";
import { count, type Op } from "./op.js";

export const penalty: Op<{ l1: number; l2: number; samples: Dim }> = {
  name: "penalty",

  // A sum: the shares of the parts are added (graph/lower.ts).
  mixesSamples: () => false,

  outputs() {
    return [{ shape: [1] }];
  },

  forward(e, { inputs: [x], outputs: [out], attributes: { l1, l2, samples } }) {
    e.call("fill", out, 0, 1);
    e.call("penalty", out, x!, l1, l2, Size.of(samples), count(x!));
  },

  backward(e, { inputs: [x], outputs: [out], attributes: { l1, l2, samples } }) {
    const dout = e.gradientOf(out)!;
    e.call("penaltyBackward", e.gradient(x!), dout, x!, l1, l2, Size.of(samples), count(x!));
  },
};
