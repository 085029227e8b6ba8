// For each step, whether it or any step before it was kept: mask int32 [B, T], time-major.
import { Size } from "../program/size.js";
import type { Op } from "./op.js";

export const everKept: Op<object> = {
  name: "everKept",

  outputs([mask]) {
    return [{ shape: mask!.shape, dtype: "int32", timeMajor: true }];
  },

  forward(e, { inputs: [mask], outputs: [out] }) {
    const [batch, time] = mask!.shape;
    e.call("everKept", out, mask!, Size.of(time), Size.of(batch));
  },
};
