// Matrix product over the last axis, with bias: out = x · kernel + bias.
// x [rows, I], kernel [I, U], bias [U], out [rows, U]; rows are all leading axes, in whatever order they lie.
import { columns, type Op, rows } from "./op.js";

export const dense: Op<object> = {
  name: "dense",

  outputs([x, kernel]) {
    return [{ shape: [...x!.shape.slice(0, -1), columns(kernel!)], timeMajor: x!.timeMajor }];
  },

  forward(e, { inputs: [x, kernel, bias], outputs: [out] }) {
    const [I, U] = [columns(x!), columns(kernel!)];
    e.call("gemmNN", out, U, x!, I, kernel!, U, bias ?? 0, rows(x!), U, I, 0, e.gemmScratch());
  },

  backward(e, { inputs: [x, kernel, bias], outputs: [out] }) {
    const [I, U] = [columns(x!), columns(kernel!)];
    const dout = e.gradientOf(out)!;
    if (e.wants(kernel)) {
      const { pointer, accumulate } = e.accumulator(kernel);
      e.call("gemmTN", pointer, U, x!, I, dout, U, 0, I, U, rows(x!), accumulate, e.gemmScratch());
    }
    if (e.wants(bias)) e.call("sumColumns", e.gradient(bias), dout, rows(x!), U);
    if (e.wants(x)) {
      const { pointer, accumulate } = e.accumulator(x);
      e.call("gemmNT", pointer, I, dout, U, kernel!, U, 0, rows(x), I, U, accumulate, e.gemmScratch());
    }
  },
};
