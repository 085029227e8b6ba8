// A block of columns of a value: out = x[…, from : from + width].
import { columns, type Op, rows, shifted } from "./op.js";

export const sliceColumns: Op<{ from: number; width: number }> = {
  name: "sliceColumns",

  outputs([x], { width }) {
    return [{ shape: [...x!.shape.slice(0, -1), width], timeMajor: x!.timeMajor }];
  },

  forward(e, { inputs: [x], outputs: [out], attributes: { from, width } }) {
    e.call("copyColumns", out, width, shifted(x!.pointer, from * 4), columns(x!), rows(x!), width);
  },

  backward(e, { inputs: [x], outputs: [out], attributes: { from, width } }) {
    e.call(
      "accumulateColumns",
      shifted(e.gradient(x!), from * 4),
      columns(x!),
      e.gradientOf(out)!,
      width,
      rows(x!),
      width,
    );
  },
};
