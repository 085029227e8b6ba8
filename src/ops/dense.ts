// Matrix product over the last axis, with bias: out = x · kernel + bias.
// x [rows, I], kernel [I, U], bias [U], out [rows, U]; rows are all leading axes, in whatever order they lie. With `starts` of keptRows
// only so many rows are there.
import type { Pointer } from "../program/program.js";
import { numberKept } from "./keptRows.js";
import { columns, count, type Op, rows, type Value } from "./op.js";

/** How many rows count, and the end of the names of kernels that read that number from memory. */
function extent(
  x: Value,
  starts: Value | undefined,
): [number: Pointer | ReturnType<typeof rows>, suffix: string] {
  return starts ? [numberKept(starts), "Kept"] : [rows(x), ""];
}

export const dense: Op<object> = {
  name: "dense",

  flops: ({ inputs: [x], outputs: [out] }) => count(out).times(columns(x!)).times(2),

  outputs([x, kernel]) {
    return [{ shape: [...x!.shape.slice(0, -1), columns(kernel!)], timeMajor: x!.timeMajor }];
  },

  byRows: ({ inputs: [x, kernel, , starts] }) => !starts && columns(x!) <= columns(kernel!),

  forward(e, { inputs: [x, kernel, bias, starts], outputs: [out] }) {
    const [I, U] = [columns(x!), columns(kernel!)];
    const [n, kept] = extent(x!, starts);
    if (!starts && e.isConstant(kernel!)) {
      const packed = e.packed(kernel!, [U as number]);
      e.call("gemmPacked", out, U, x!, I, packed, bias ?? 0, n, U, I, 0, e.gemmScratch());
      return;
    }
    e.call(`gemmNN${kept}`, out, U, x!, I, kernel!, U, bias ?? 0, n, U, I, 0, e.gemmScratch());
  },

  backward(e, { inputs: [x, kernel, bias, starts], outputs: [out] }) {
    const [I, U] = [columns(x!), columns(kernel!)];
    const [n, kept] = extent(x!, starts);
    const dout = e.gradientOf(out)!;
    if (e.wants(kernel)) {
      const { pointer, accumulate } = e.accumulator(kernel);
      e.call(`gemmTN${kept}`, pointer, U, x!, I, dout, U, 0, I, U, n, accumulate, e.gemmScratch());
    }
    if (e.wants(bias)) e.call(`sumColumns${kept}`, e.gradient(bias), dout, n, U);
    if (e.wants(x)) {
      const { pointer, accumulate } = e.accumulator(x);
      e.call(`gemmNT${kept}`, pointer, I, dout, U, kernel!, U, 0, n, I, U, accumulate, e.gemmScratch());
    }
  },
};
