// Calls of the matrix products.
import { GEMM_SCRATCH_BYTES } from "../src/ops/gemm.js";
import { roundUp } from "../src/wasm/memory.js";
import type { KernelRow } from "./kernelMemory.js";
import type { GemmShape } from "./shapes.js";

/** NT: B transposed, TN: A transposed; Packed: B packed beforehand. */
export const PRODUCTS = ["gemmNN", "gemmNT", "gemmTN", "gemmPacked"] as const;

export function product(kernel: (typeof PRODUCTS)[number], { m, n, k }: GemmShape): KernelRow {
  return {
    name: `${kernel} ${m}x${n}x${k}`,
    make(memory) {
      const { gemmNN, gemmNT, gemmTN, gemmPacked, packB } = memory.kernels;
      const c = memory.words(m * n);
      const a = memory.words(m * k);
      const b = memory.words(k * n);
      const scratch = memory.words(GEMM_SCRATCH_BYTES / 4);
      const packed = memory.words(kernel === "gemmPacked" ? k * roundUp(n, 16) : 0);
      if (kernel === "gemmPacked") packB(packed, b, n, k, n);
      const run = {
        gemmNN: () => gemmNN(c, n, a, k, b, n, 0, m, n, k, 0, scratch),
        gemmNT: () => gemmNT(c, n, a, k, b, k, 0, m, n, k, 0, scratch),
        gemmTN: () => gemmTN(c, n, a, m, b, n, 0, m, n, k, 0, scratch),
        gemmPacked: () => gemmPacked(c, n, a, k, packed, 0, m, n, k, 0, scratch),
      }[kernel];
      return { run, flops: 2 * m * n * k, bytes: 4 * (m * n + m * k + k * n) };
    },
  };
}
