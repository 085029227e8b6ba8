// One vector at every time step: [B, F] to time-major [B, times, F].
import { type Dim, Size } from "../program/size.js";
import { count, type Op } from "./op.js";

export const repeat: Op<{ times: Dim }> = {
  name: "repeat",

  outputs([x], { times }) {
    const [batch, ...rest] = x!.shape;
    return [{ shape: [batch, times, ...rest], timeMajor: true }];
  },

  forward(e, { inputs: [x], outputs: [out], attributes: { times } }) {
    e.call("repeatRows", out, x!, Size.of(times), count(x!));
  },

  backward(e, { inputs: [x], outputs: [out], attributes: { times } }) {
    e.call("repeatRowsBackward", e.gradient(x!), e.gradientOf(out)!, Size.of(times), count(x!));
  },
};
