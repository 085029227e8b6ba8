// Places that both of two masks keep: int32, in the order that both share.
import { count, type Op } from "./op.js";

export const bothKept: Op<object> = {
  name: "bothKept",

  outputs([a]) {
    return [{ shape: a!.shape, dtype: "int32", timeMajor: a!.timeMajor }];
  },

  forward(e, { inputs: [a, b], outputs: [out] }) {
    e.call("bothKept", out, a!, b!, count(out));
  },
};
