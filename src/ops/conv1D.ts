// Convolution along time without padding: x [B, T, C], kernel [k, C / groups, F], bias [F], out [B, steps, F].
// Either order of batch and time: rows are read where they lie.
import { type Dim, Size } from "../program/size.js";
import { GEMM_PACKED_SCRATCH_BYTES, packedBytes } from "./gemm.js";
import { count, type Emitter, type Op, rows, type Value } from "./op.js";
import { type Moves, windowsIn } from "./windows.js";

interface Attributes extends Moves {
  readonly groups: number;
  /** How many windows there are. */
  readonly steps: Dim;
}

/** Taps, channels, filters. */
export function extent(kernel: Value, groups: number): [k: number, C: number, F: number] {
  const [k, c, F] = kernel.shape as number[];
  return [k, c * groups, F];
}

/** Room for a kernel packed for products with matrices [K, N], and for one call of them. */
export function packedScratch(e: Emitter, count: number, K: number, N: number) {
  return e.temporary("scratch", Size.of(GEMM_PACKED_SCRATCH_BYTES + count * packedBytes(K, N)));
}

export const conv1D: Op<Attributes> = {
  name: "conv1D",

  flops: ({ inputs: [, kernel], outputs: [out] }) =>
    count(out)
      .times(Size.product(kernel!.shape.slice(0, 2)))
      .times(2),

  outputs([x, kernel], { steps }) {
    return [{ shape: [x!.shape[0], steps, kernel!.shape[2]], timeMajor: x!.timeMajor }];
  },

  forward(e, { inputs: [x, kernel, bias], outputs: [out], attributes }) {
    const { steps, groups } = attributes;
    const [k, C, F] = extent(kernel!, groups);
    const scratch = packedScratch(e, k * groups, C / groups, F / groups);
    const windows = windowsIn(x!, steps, attributes);
    e.call("conv1D", out, x!, kernel!, bias ?? 0, ...windows, k, C, F, groups, 0, scratch);
  },

  backward(e, { inputs: [x, kernel, bias], outputs: [out], attributes }) {
    const { steps, groups } = attributes;
    const [k, C, F] = extent(kernel!, groups);
    const sizes = [...windowsIn(x!, steps, attributes), k, C, F, groups] as const;
    const dout = e.gradientOf(out)!;
    if (e.wants(kernel)) e.call("conv1DKernel", e.gradient(kernel), x!, dout, ...sizes, e.gemmScratch());
    if (e.wants(bias)) e.call("sumColumns", e.gradient(bias), dout, rows(out), F);
    if (e.wants(x)) {
      const scratch = packedScratch(e, k * groups, F / groups, C / groups);
      e.call("conv1DInput", e.gradient(x), dout, kernel!, ...sizes, scratch);
    }
  },
};
