// Blocks of columns, rows that repeat, and masks made from values: what merging and masking layers need.
// Not here: rows chosen by a mask (select.ts), whole blocks (vector.ts).

import { accumulate } from "./vector";

/** out[r, 0 : columns] = x[r, 0 : columns]; strides are numbers from one row to the next. */
export function copyColumns(out: usize, outStride: i32, x: usize, xStride: i32, rows: i32, columns: i32): void {
  const bytes = <usize>columns << 2;
  for (let r = 0; r < rows; r++) {
    memory.copy(out, x, bytes);
    out += <usize>outStride << 2;
    x += <usize>xStride << 2;
  }
}

/** out[r, 0 : columns] += x[r, 0 : columns] */
export function accumulateColumns(out: usize, outStride: i32, x: usize, xStride: i32, rows: i32, columns: i32): void {
  for (let r = 0; r < rows; r++) {
    accumulate(out, x, columns);
    out += <usize>outStride << 2;
    x += <usize>xStride << 2;
  }
}

/** out[t, :] = x for all t: out [times, n], x [n]. */
export function repeatRows(out: usize, x: usize, times: i32, n: i32): void {
  const bytes = <usize>n << 2;
  for (let t = 0; t < times; t++, out += bytes) memory.copy(out, x, bytes);
}

/** dx += sum over t of dout[t, :] */
export function repeatRowsBackward(dx: usize, dout: usize, times: i32, n: i32): void {
  for (let t = 0; t < times; t++, dout += <usize>n << 2) accumulate(dx, dout, n);
}

/** mask[r] (i32) = 1 where any of x[r, :] differs from value, else 0: x [rows, columns]. */
export function differs(mask: usize, x: usize, value: f32, rows: i32, columns: i32): void {
  for (let r = 0; r < rows; r++, mask += 4) {
    let any = 0;
    for (let c = 0; c < columns; c++, x += 4) any |= i32(load<f32>(x) != value);
    store<i32>(mask, any);
  }
}
