// Weights of a loss under a mask: nothing where a step is masked, and n / kept elsewhere, so that a mean over all n steps
// becomes the mean over the kept ones (keras.losses.Loss, apply_mask).
import { count, type Op } from "./op.js";

export const maskedWeights: Op<object> = {
  name: "maskedWeights",

  outputs([weights]) {
    return [{ shape: weights!.shape }];
  },

  forward(e, { inputs: [weights, mask], outputs: [out] }) {
    e.call("maskedWeights", out, weights!, mask!, count(weights!));
  },
};
