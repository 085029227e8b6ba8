// Weights of a loss under a mask: nothing where a step is masked. For a mean they are scaled by n / kept, so that a mean over
// all n steps becomes the mean over the kept ones (keras.losses.Loss, apply_mask); or so that their sum is one.
// weights [..., width], mask [...]: a masked step masks all below it.
import { Size } from "../program/size.js";
import { count, type Op } from "./op.js";

export const maskedWeights: Op<{ scaling: "none" | "mean" | "toOne" }> = {
  name: "maskedWeights",

  // What is left is counted over all parts of the batch.
  mixesSamples: () => false,

  outputs([weights]) {
    return [{ shape: weights!.shape }];
  },

  forward(e, { name, inputs: [weights, mask], outputs: [out], attributes: { scaling } }) {
    const width = Size.product(weights!.shape.slice(mask!.shape.length));
    const rest = [scaling === "toOne" ? 1 : 0, count(mask!), width];
    if (scaling === "none") {
      e.call("maskedWeights", out, weights!, mask!, 0, ...rest);
      return;
    }
    const left = e.temporary(`${name}.left`, Size.of(8));
    e.call("leftWeights", left, weights!, mask!, ...rest);
    e.meet(left, 2);
    e.call("maskedWeights", out, weights!, mask!, left, ...rest);
  },
};
