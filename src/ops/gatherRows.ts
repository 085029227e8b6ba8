// The kept rows of a time-major sequence side by side: [B, T, F] in, the same shape out, of which only so many rows hold numbers.
// Inputs: x, rows and starts of keptRows.
import { numberKept } from "./keptRows.js";
import { columns, type Op } from "./op.js";

export const gatherRows: Op<object> = {
  name: "gatherRows",

  outputs([x]) {
    return [{ shape: x!.shape, timeMajor: true }];
  },

  forward(e, { inputs: [x, rows, starts], outputs: [out] }) {
    e.call("gatherRows", out, x!, rows!, numberKept(starts!), columns(x!));
  },

  backward(e, { inputs: [x, rows, starts], outputs: [out] }) {
    e.call("gatherRowsBackward", e.gradient(x!), e.gradientOf(out)!, rows!, numberKept(starts!), columns(x!));
  },
};
