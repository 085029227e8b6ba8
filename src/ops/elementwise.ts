// Functions of each number that are no activations, by one kernel (assembly/elementwise.ts).
import { count, type Op } from "./op.js";

/** The kernel's number of each function, and its constants: x·a + b, a / x, max(x, a), min(x, a), x in [a, b], …, x^a. */
export const ELEMENTWISE = {
  shift: 0,
  quotient: 1,
  maximum: 2,
  minimum: 3,
  clip: 4,
  abs: 5,
  sqrt: 6,
  log: 7,
  log1p: 8,
  erf: 9,
  power: 10,
} as const;
export type Elementwise = keyof typeof ELEMENTWISE;

export const elementwise: Op<{ kind: Elementwise; a?: number; b?: number }> = {
  name: "elementwise",

  outputs([x]) {
    return [{ shape: x!.shape, timeMajor: x!.timeMajor }];
  },

  forward(e, { inputs: [x], outputs: [out], attributes: { kind, a = 0, b = 0 } }) {
    e.call("elementwise", out, x!, count(x!), ELEMENTWISE[kind], a, b);
  },

  backward(e, { inputs: [x], outputs: [out], attributes: { kind, a = 0, b = 0 } }) {
    const dout = e.gradientOf(out)!;
    e.call("elementwiseBackward", e.gradient(x!), dout, x!, out, count(x!), ELEMENTWISE[kind], a, b);
  },
};
