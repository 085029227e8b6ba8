// The largest number or the mean of a window that moves along time: x [B, T, …], out [B, steps, …]. The window may begin `before`
// steps early and end late; what is not there is not counted. Of equal largest numbers the first has the gradient.
import { type Dim, Size } from "../program/size.js";
import { along } from "./along.js";
import { count, type Op, type Value } from "./op.js";

interface Attributes {
  readonly mean: boolean;
  readonly size: number;
  readonly stride: number;
  readonly before: Dim;
  /** How many windows there are. */
  readonly steps: Dim;
}

function sizes(x: Value, { mean, size, stride, before, steps }: Attributes) {
  return [...along(x, 1), Size.of(steps), size, stride, Size.of(before), mean ? 1 : 0] as const;
}

export const pool: Op<Attributes> = {
  name: "pool",

  flops: ({ outputs: [out], attributes: { size } }) => count(out).times(size),

  outputs([x], { steps }) {
    return [{ shape: x!.shape.with(1, steps), timeMajor: x!.timeMajor }];
  },

  forward(e, { inputs: [x], outputs: [out], attributes }) {
    e.call("pool", out, x!, ...sizes(x!, attributes));
  },

  backward(e, { inputs: [x], outputs: [out], attributes }) {
    e.call("poolBackward", e.gradient(x!), e.gradientOf(out)!, x!, out, ...sizes(x!, attributes));
  },
};
