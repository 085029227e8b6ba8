// Weights of a loss under a mask: nothing where a step is masked. For a mean they are scaled by n / kept, so that a mean over
// all n steps becomes the mean over the kept ones (keras.losses.Loss, apply_mask); or so that their sum is one.
// weights [..., width], mask [...]: a masked step masks all below it.
import { Size } from "../program/size.js";
import { count, type Op } from "./op.js";

const SCALINGS = ["none", "mean", "toOne"] as const;

export const maskedWeights: Op<{ scaling: (typeof SCALINGS)[number] }> = {
  name: "maskedWeights",

  outputs([weights]) {
    return [{ shape: weights!.shape }];
  },

  forward(e, { inputs: [weights, mask], outputs: [out], attributes: { scaling } }) {
    const width = Size.product(weights!.shape.slice(mask!.shape.length));
    e.call("maskedWeights", out, weights!, mask!, SCALINGS.indexOf(scaling), count(mask!), width);
  },
};
