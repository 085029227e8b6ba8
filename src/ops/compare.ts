// 1 where a value compares with another of its shape, or with a number; 0 elsewhere. No gradient.
import { count, type Op } from "./op.js";

/** The kernel's number of each comparison. */
export const COMPARISONS = {
  greater: 0,
  greaterEqual: 1,
  less: 2,
  lessEqual: 3,
  equal: 4,
  notEqual: 5,
} as const;
export type Comparison = keyof typeof COMPARISONS;

export const compare: Op<{ comparison: Comparison; scalar?: number }> = {
  name: "compare",

  outputs([a]) {
    return [{ shape: a!.shape, timeMajor: a!.timeMajor }];
  },

  forward(e, { inputs: [a, b], outputs: [out], attributes: { comparison, scalar = 0 } }) {
    e.call("compare", out, a!, b ?? 0, scalar, count(out), COMPARISONS[comparison]);
  },
};
