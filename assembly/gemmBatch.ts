// The products of gemm.ts, once for each pair of a batch of matrices.
// Legend: form 0: C [M,N] = A [M,K] B [K,N]; form 1: B is [N,K]; form 2: A is [K,M]. Rows lie side by side.

import { gemmNN, gemmNT, gemmTN } from "./gemm";

/** c, a, b: numbers from one matrix to the next; 0 for one that all share. What is added to a shared C is a sum. */
export function gemmBatch(
  c: usize, cStep: i32, a: usize, aStep: i32, b: usize, bStep: i32,
  batch: i32, M: i32, N: i32, K: i32, form: i32, accumulate: i32, scratch: usize,
): void {
  for (; batch > 0; batch--, c += <usize>cStep << 2, a += <usize>aStep << 2, b += <usize>bStep << 2) {
    if (form == 0) gemmNN(c, N, a, K, b, N, 0, M, N, K, accumulate, scratch);
    else if (form == 1) gemmNT(c, N, a, K, b, K, 0, M, N, K, accumulate, scratch);
    else gemmTN(c, N, a, M, b, N, 0, M, N, K, accumulate, scratch);
    if (cStep == 0) accumulate = 1;
  }
}
