// Swaps the first two axes in memory: [B, T, …] as batch-major or time-major. The logical shape stays.
import { Size } from "../program/size.js";
import type { Op, Value } from "./op.js";

/** Rows and columns as they lie in memory before the swap, and the length of what stays together. */
function axes(value: Value) {
  const [batch, time, ...rest] = value.shape;
  const [rows, columns] = value.timeMajor ? [time, batch] : [batch, time];
  return [Size.of(rows), Size.of(columns), Size.product(rest)] as const;
}

export const transpose: Op<object> = {
  name: "transpose",

  outputs([x]) {
    return [{ shape: x!.shape, dtype: x!.dtype, timeMajor: !x!.timeMajor }];
  },

  forward(e, { inputs: [x], outputs: [out] }) {
    e.call("transpose", out, x!, ...axes(x!));
  },

  backward(e, { inputs: [x], outputs: [out] }) {
    const { pointer, accumulate } = e.accumulator(x!);
    e.call(accumulate ? "transposeAccumulate" : "transpose", pointer, e.gradientOf(out)!, ...axes(out));
  },
};
