// The same numbers, through which no gradient flows back.
import type { Op } from "./op.js";

export const stopGradient: Op<object> = {
  name: "stopGradient",

  outputs([x]) {
    return [{ shape: x!.shape, dtype: x!.dtype, viewOf: x, timeMajor: x!.timeMajor }];
  },

  forward() {},
};
