// What the products' kernels need besides their operands, repeated from assembly/gemm.ts; a test compares the numbers.

/** Scratch of gemmNN, gemmNT and gemmTN, whatever their shape. */
export const GEMM_SCRATCH_BYTES = 384 + 128 * 1024;
/** Scratch of a product with a packed matrix, besides that matrix. */
export const GEMM_PACKED_SCRATCH_BYTES = 384;

/** Bytes of a packed K x N matrix. */
export function packedBytes(K: number, N: number): number {
  return K * Math.ceil(N / 16) * 64;
}
