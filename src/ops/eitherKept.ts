// Steps that either of two masks keeps: int32, in the order that both share.
import { count, type Op } from "./op.js";

export const eitherKept: Op<object> = {
  name: "eitherKept",

  outputs([a]) {
    return [{ shape: a!.shape, dtype: "int32", timeMajor: a!.timeMajor }];
  },

  forward(e, { inputs: [a, b], outputs: [out] }) {
    e.call("eitherKept", out, a!, b!, count(out));
  },
};
