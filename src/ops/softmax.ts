// Softmax or its logarithm over the last axis.
import { columns, type Op, rows } from "./op.js";
import { hasSamples } from "./samples.js";

export const softmax: Op<{ logarithm: boolean }> = {
  name: "softmax",

  mixesSamples: ([x]) => x!.shape.length === 1 && hasSamples(x!.shape[0]),

  outputs([x]) {
    return [{ shape: x!.shape, timeMajor: x!.timeMajor }];
  },

  byRows: () => true,

  forward(e, { inputs: [x], outputs: [out], attributes: { logarithm } }) {
    e.call(logarithm ? "logSoftmax" : "softmax", out, x!, rows(x!), columns(x!));
  },

  backward(e, { inputs: [x], outputs: [out], attributes: { logarithm } }) {
    const kernel = logarithm ? "logSoftmaxBackward" : "softmaxBackward";
    e.call(kernel, e.gradient(x!), e.gradientOf(out)!, out, rows(x!), columns(x!));
  },
};
