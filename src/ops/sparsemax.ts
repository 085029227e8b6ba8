// Sparsemax over the last axis (Martins & Astudillo 2016), as Keras 3 computes its threshold.
import { columns, type Op, rows } from "./op.js";
import { hasSamples } from "./samples.js";

export const sparsemax: Op<object> = {
  name: "sparsemax",

  mixesSamples: ([x]) => x!.shape.length === 1 && hasSamples(x!.shape[0]),

  outputs([x]) {
    return [{ shape: x!.shape, timeMajor: x!.timeMajor }];
  },

  forward(e, { inputs: [x], outputs: [out] }) {
    e.call("sparsemax", out, x!, rows(x!), columns(x!));
  },

  backward(e, { inputs: [x], outputs: [out] }) {
    e.call("sparsemaxBackward", e.gradient(x!), e.gradientOf(out)!, x!, out, rows(x!), columns(x!));
  },
};
