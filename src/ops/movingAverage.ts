// A moving average after one more value: average · momentum + value · (1 - momentum). It is not trained: no gradient passes.
import { count, type Op } from "./op.js";

export const movingAverage: Op<{ momentum: number }> = {
  name: "movingAverage",

  outputs([average]) {
    return [{ shape: average!.shape }];
  },

  forward(e, { inputs: [average, value], outputs: [out], attributes: { momentum } }) {
    e.call("movingAverage", out, average!, value!, momentum, 1 - momentum, count(out));
  },
};
