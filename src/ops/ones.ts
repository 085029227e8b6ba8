// One number everywhere, one by default.
import type { Dim } from "../program/size.js";
import { count, type Op } from "./op.js";

export const ones: Op<{ shape: readonly Dim[]; value?: number }> = {
  name: "ones",

  outputs(_, { shape }) {
    return [{ shape }];
  },

  forward(e, { outputs: [out], attributes: { value = 1 } }) {
    e.call("fill", out, value, count(out));
  },
};
