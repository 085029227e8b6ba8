// Normal numbers added to a value. They are a function of (seed, step, stream, position); the gradient passes as it is.
import type { Pointer } from "../program/program.js";
import { draws, drawsMix } from "./dropout.js";
import { count, type Op } from "./op.js";

export const gaussianNoise: Op<{ stddev: number; seed: Pointer; stream: number }> = {
  name: "gaussianNoise",

  mixesSamples: drawsMix,

  outputs([x]) {
    return [{ shape: x!.shape, timeMajor: x!.timeMajor }];
  },

  forward(e, { inputs: [x], outputs: [out], attributes: { stddev, seed, stream } }) {
    e.call("gaussianNoise", out, x!, ...draws(x!), stddev, seed, stream);
  },

  backward(e, { inputs: [x], outputs: [out] }) {
    e.call("accumulate", e.gradient(x!), e.gradientOf(out)!, count(x!));
  },
};
