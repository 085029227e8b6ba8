// Turns the time axis of a time-major value around.
import { Size } from "../program/size.js";
import type { Op, Value } from "./op.js";

function axes({ shape: [batch, time, ...rest] }: Value) {
  return [Size.of(time), Size.product([batch, ...rest])] as const;
}

export const reverse: Op<object> = {
  name: "reverse",

  outputs([x]) {
    return [{ shape: x!.shape, dtype: x!.dtype, timeMajor: true }];
  },

  forward(e, { inputs: [x], outputs: [out] }) {
    e.call("reverse", out, x!, ...axes(x!));
  },

  backward(e, { inputs: [x], outputs: [out] }) {
    e.call("reverseAccumulate", e.gradient(x!), e.gradientOf(out)!, ...axes(x!));
  },
};
