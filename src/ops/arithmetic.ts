// Elementwise arithmetic of two values of one shape: add, subtract, multiply, divide, maximum, minimum.
import type { Pointer } from "../program/program.js";
import { count, type Emitter, type Op, type Value } from "./op.js";

export const ARITHMETIC = ["add", "subtract", "multiply", "divide", "maximum", "minimum"] as const;
export type Arithmetic = (typeof ARITHMETIC)[number];

export const arithmetic: Op<{ kernel: Arithmetic }> = {
  name: "arithmetic",

  outputs([a]) {
    return [{ shape: a!.shape, timeMajor: a!.timeMajor }];
  },

  forward(e, { inputs: [a, b], outputs: [out], attributes: { kernel } }) {
    e.call(kernel, out, a!, b!, count(out));
  },

  backward(e, { inputs: [a, b], outputs: [out], attributes: { kernel } }) {
    const dout = e.gradientOf(out)!;
    const n = count(out);
    if (kernel === "add" || kernel === "subtract") {
      if (e.wants(a)) e.call("accumulate", e.gradient(a), dout, n);
      if (e.wants(b)) e.call(kernel === "add" ? "accumulate" : "subtractAccumulate", e.gradient(b), dout, n);
    } else if (kernel === "multiply") {
      if (e.wants(a)) e.call("multiplyAccumulate", e.gradient(a), dout, b!, n);
      if (e.wants(b)) e.call("multiplyAccumulate", e.gradient(b), dout, a!, n);
    } else {
      e.call(`${kernel}Backward`, gradientOrNowhere(e, a!), gradientOrNowhere(e, b!), dout, a!, b!, n);
    }
  },
};

/** The gradient of a value, or a place where nobody looks when it wants none. */
function gradientOrNowhere(e: Emitter, value: Value): Pointer {
  const { name } = value;
  return e.wants(value) ? e.gradient(value) : e.temporary(`d${name}.unused`, count(value).times(4));
}
