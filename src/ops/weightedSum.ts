// Σ weights · losses: one number. Weights carry the reduction (1/n for a mean), so a mask or sample weights cost nothing more.
// `gradientScale` multiplies the way back only: it is the weight of this loss among several.
import { count, type Op } from "./op.js";

export const weightedSum: Op<{ gradientScale: number }> = {
  name: "weightedSum",

  // The host adds up the parts' sums.
  mixesSamples: () => false,

  outputs() {
    return [{ shape: [1] }];
  },

  forward(e, { inputs: [losses, weights], outputs: [out] }) {
    e.call("fill", out, 0, 1);
    e.call("weightedSum", out, losses!, weights!, 1, count(losses!));
  },

  backward(e, { inputs: [losses, weights], outputs: [out], attributes: { gradientScale } }) {
    const dout = e.gradientOf(out)!;
    e.call("weightedSumBackward", e.gradient(losses!), dout, weights!, gradientScale, count(losses!));
  },
};
