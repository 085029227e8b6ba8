// Mean and variance of each number of a vector over all rows (samples and steps), or over those that a mask keeps.
// x [rows, columns], mask [rows] int32 in the same memory order; outputs [columns] each.
import { columns, type Op, rows } from "./op.js";

export const columnMoments: Op<object> = {
  name: "columnMoments",

  mixesSamples: () => true,

  outputs([x]) {
    const shape = [columns(x!)];
    return [{ shape }, { shape }];
  },

  forward(e, { inputs: [x, mask], outputs: [mean, variance] }) {
    e.call("columnMoments", mean, variance, x!, mask ?? 0, rows(x!), columns(x!));
  },

  backward(e, { inputs: [x, mask], outputs: [mean, variance] }) {
    const dmean = e.gradientOf(mean) ?? 0;
    const dvariance = e.gradientOf(variance) ?? 0;
    const dx = e.gradient(x!);
    e.call("columnMomentsBackward", dx, dmean, dvariance, x!, mean, mask ?? 0, rows(x!), columns(x!));
  },
};
