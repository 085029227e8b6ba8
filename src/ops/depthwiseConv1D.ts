// Convolution along time with a filter for each channel, without padding: x [B, T, C], kernel [k, …] of C numbers a tap, bias [C],
// out [B, steps, C]. Either order of batch and time.
import type { Dim } from "../program/size.js";
import { columns, count, type Op, rows } from "./op.js";
import { type Moves, windowsIn } from "./windows.js";

interface Attributes extends Moves {
  /** How many windows there are. */
  readonly steps: Dim;
}

export const depthwiseConv1D: Op<Attributes> = {
  name: "depthwiseConv1D",

  flops: ({ inputs: [, kernel], outputs: [out] }) => count(out).times(kernel!.shape[0]).times(2),

  outputs([x], { steps }) {
    return [{ shape: x!.shape.with(1, steps), timeMajor: x!.timeMajor }];
  },

  forward(e, { inputs: [x, kernel, bias], outputs: [out], attributes }) {
    const sizes = [...windowsIn(x!, attributes.steps, attributes), kernel!.shape[0] as number] as const;
    e.call("depthwise", out, x!, kernel!, bias ?? 0, ...sizes, columns(x!));
  },

  backward(e, { inputs: [x, kernel, bias], outputs: [out], attributes }) {
    const sizes = [...windowsIn(x!, attributes.steps, attributes), kernel!.shape[0] as number] as const;
    const dout = e.gradientOf(out)!;
    const [dx, dkernel] = [x, kernel].map((value) => (e.wants(value) ? e.gradient(value) : 0));
    if (dx || dkernel) e.call("depthwiseBackward", dx, dkernel, dout, x!, kernel!, ...sizes, columns(x!));
    if (e.wants(bias)) e.call("sumColumns", e.gradient(bias), dout, rows(out), columns(out));
  },
};
