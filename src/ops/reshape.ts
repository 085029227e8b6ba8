// Another shape for the same elements: no call at all, the memory and the gradient are shared.
import type { Dim } from "../program/size.js";
import type { Op } from "./op.js";

export const reshape: Op<{ shape: readonly Dim[] }> = {
  name: "reshape",

  outputs([x], { shape }) {
    return [{ shape, dtype: x!.dtype, viewOf: x }];
  },

  forward() {},

  backward() {},
};
