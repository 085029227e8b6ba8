// Rows that a mask keeps, side by side, so that padding costs nothing: their numbers, the rows themselves, and products over them.
// Not here: masks over whole outputs (select.ts), the loop over time that reads rows laid out so (sequence.ts).
//
// Legend: T time, B batch
//   mask    [T,B] i32    non-zero = keep
//   rows    [T*B] i32    the numbers t*B+b of the kept rows, in this order; what follows the last of them is left as it is
//   starts  [T+1] i32    where in `rows` each step begins; starts[T] is how many there are
//   kept                 the address of that number: how many rows of a block count, those behind are neither read nor written

import { gemmNN, gemmNT, gemmTN } from "./gemm";
import { sumColumns } from "./reduce";
import { accumulate } from "./vector";

export function keptRows(rows: usize, starts: usize, mask: usize, T: i32, B: i32): void {
  let found = 0;
  for (let t = 0, row = 0; t < T; t++, starts += 4) {
    store<i32>(starts, found);
    for (let b = 0; b < B; b++, row++, mask += 4) {
      if (load<i32>(mask) == 0) continue;
      store<i32>(rows + (<usize>found << 2), row);
      found++;
    }
  }
  store<i32>(starts, found);
}

/** out[i] = x[rows[i]] for i < n; `bytes` in a row. */
export function gather(out: usize, x: usize, rows: usize, n: i32, bytes: usize): void {
  for (; n > 0; n--, out += bytes, rows += 4) memory.copy(out, x + <usize>load<i32>(rows) * bytes, bytes);
}

/** out[rows[i]] = x[i] for i < n. */
export function scatter(out: usize, x: usize, rows: usize, n: i32, bytes: usize): void {
  for (; n > 0; n--, x += bytes, rows += 4) memory.copy(out + <usize>load<i32>(rows) * bytes, x, bytes);
}

/** out[i] = x[rows[i]]: x [T*B, columns], out [kept, columns] */
export function gatherRows(out: usize, x: usize, rows: usize, kept: usize, columns: i32): void {
  gather(out, x, rows, load<i32>(kept), <usize>columns << 2);
}

/** dx[rows[i]] += dout[i] */
export function gatherRowsBackward(dx: usize, dout: usize, rows: usize, kept: usize, columns: i32): void {
  const bytes = <usize>columns << 2;
  for (let n = load<i32>(kept); n > 0; n--, dout += bytes, rows += 4) {
    accumulate(dx + <usize>load<i32>(rows) * bytes, dout, columns);
  }
}

/** gemmNN with M read from memory. */
export function gemmNNKept(
  c: usize, ldc: i32, a: usize, lda: i32, b: usize, ldb: i32, bias: usize,
  kept: usize, N: i32, K: i32, accumulate: i32, scratch: usize,
): void {
  gemmNN(c, ldc, a, lda, b, ldb, bias, load<i32>(kept), N, K, accumulate, scratch);
}

/** gemmNT with M read from memory. */
export function gemmNTKept(
  c: usize, ldc: i32, a: usize, lda: i32, b: usize, ldb: i32, bias: usize,
  kept: usize, N: i32, K: i32, accumulate: i32, scratch: usize,
): void {
  gemmNT(c, ldc, a, lda, b, ldb, bias, load<i32>(kept), N, K, accumulate, scratch);
}

/** gemmTN with K read from memory. */
export function gemmTNKept(
  c: usize, ldc: i32, a: usize, lda: i32, b: usize, ldb: i32, bias: usize,
  M: i32, N: i32, kept: usize, accumulate: i32, scratch: usize,
): void {
  gemmTN(c, ldc, a, lda, b, ldb, bias, M, N, load<i32>(kept), accumulate, scratch);
}

/** sumColumns with the number of rows read from memory. */
export function sumColumnsKept(sums: usize, x: usize, kept: usize, columns: i32): void {
  sumColumns(sums, x, load<i32>(kept), columns);
}
