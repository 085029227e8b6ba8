// Inverted dropout. The mask is a function of (seed, step, stream, position), drawn again on the way back, never stored.
import type { Pointer } from "../program/program.js";
import { count, type Op } from "./op.js";

export const dropout: Op<{ rate: number; seed: Pointer; stream: number }> = {
  name: "dropout",

  outputs([x]) {
    return [{ shape: x!.shape, timeMajor: x!.timeMajor }];
  },

  forward(e, { inputs: [x], outputs: [out], attributes: { rate, seed, stream } }) {
    e.call("dropout", out, x!, count(x!), rate, seed, stream);
  },

  backward(e, { inputs: [x], outputs: [out], attributes: { rate, seed, stream } }) {
    e.call("dropoutBackward", e.gradient(x!), e.gradientOf(out)!, count(x!), rate, seed, stream);
  },
};
