// Rows of one value or of another, by a mask: out[row] = mask[row] ? a[row] : b[row]. Without b: zeros.
// mask [rows] int32, non-zero = a.
import { Size } from "../program/size.js";
import { count, type Op, type Value } from "./op.js";

/** Rows as the mask counts them, and numbers in each. */
function extent(mask: Value, a: Value) {
  return [count(mask), Size.product(a.shape.slice(mask.shape.length))] as const;
}

export const selectRows: Op<object> = {
  name: "selectRows",

  outputs([, a]) {
    return [{ shape: a!.shape, timeMajor: a!.timeMajor }];
  },

  forward(e, { inputs: [mask, a, b], outputs: [out] }) {
    e.call("selectRows", out, mask!, a!, b ?? 0, ...extent(mask!, a!));
  },

  backward(e, { inputs: [mask, a, b], outputs: [out] }) {
    const da = e.wants(a) ? e.gradient(a) : 0;
    const db = e.wants(b) ? e.gradient(b) : 0;
    e.call("selectRowsBackward", da, db, e.gradientOf(out)!, mask!, ...extent(mask!, a!));
  },
};
