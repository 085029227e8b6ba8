// Weights of a loss under a mask: nothing where a step is masked. For a mean they are scaled by n / kept, so that a mean over
// all n steps becomes the mean over the kept ones (keras.losses.Loss, apply_mask).
import { count, type Op } from "./op.js";

export const maskedWeights: Op<{ rescale: boolean }> = {
  name: "maskedWeights",

  outputs([weights]) {
    return [{ shape: weights!.shape }];
  },

  forward(e, { inputs: [weights, mask], outputs: [out], attributes: { rescale } }) {
    e.call("maskedWeights", out, weights!, mask!, rescale ? 1 : 0, count(weights!));
  },
};
