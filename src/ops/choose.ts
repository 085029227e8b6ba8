// Number by number, one value where a condition is not 0 and another elsewhere; either may be a number.
import { count, type Op } from "./op.js";

export const choose: Op<{ a?: number; b?: number }> = {
  name: "choose",

  outputs([condition]) {
    return [{ shape: condition!.shape, timeMajor: condition!.timeMajor }];
  },

  forward(e, { inputs: [condition, a, b], outputs: [out], attributes }) {
    e.call("choose", out, condition!, a ?? 0, b ?? 0, attributes.a ?? 0, attributes.b ?? 0, count(out));
  },

  backward(e, { inputs: [condition, a, b], outputs: [out] }) {
    const da = e.wants(a) ? e.gradient(a) : 0;
    const db = e.wants(b) ? e.gradient(b) : 0;
    if (da !== 0 || db !== 0) e.call("chooseBackward", da, db, e.gradientOf(out)!, condition!, count(out));
  },
};
