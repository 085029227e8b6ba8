// The mask of steps whose vector differs from one value: x [B, T, F] to int32 [B, T], in the order in which x lies.
import { columns, type Op, rows } from "./op.js";

export const differs: Op<{ value: number }> = {
  name: "differs",

  outputs([x]) {
    return [{ shape: x!.shape.slice(0, -1), dtype: "int32", timeMajor: x!.timeMajor }];
  },

  forward(e, { inputs: [x], outputs: [mask], attributes: { value } }) {
    e.call("differs", mask, x!, value, rows(x!), columns(x!));
  },
};
