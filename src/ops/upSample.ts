// Each step so many times: x [B, T, …], out [B, T·times, …]. Either order of batch and time.
import { type Dim, Size } from "../program/size.js";
import { along } from "./along.js";
import type { Op, Value } from "./op.js";

/** The steps of x, one after the other where they lie: [steps, times, numbers of one]. */
function sizes(x: Value, times: number) {
  const [outer, steps, inner] = along(x, 1);
  return [outer.times(steps), times, inner] as const;
}

export const upSample: Op<{ times: number }> = {
  name: "upSample",

  outputs([x], { times }) {
    const time = Size.of(x!.shape[1]).times(times);
    return [{ shape: x!.shape.with(1, (time.constant ?? time) as Dim), timeMajor: x!.timeMajor }];
  },

  forward(e, { inputs: [x], outputs: [out], attributes: { times } }) {
    e.call("expandAxis", out, x!, ...sizes(x!, times), 0, 0);
  },

  backward(e, { inputs: [x], outputs: [out], attributes: { times } }) {
    e.call("sumAxis", e.gradient(x!), e.gradientOf(out)!, ...sizes(x!, times), 0);
  },
};
