// Rows chosen by a mask, for steps that are masked out. Not here: masks inside the fused recurrences (sequence.ts).
// Legend: mask [rows] i32, not 0 = keep; a, b, out [rows, columns]

import { accumulate } from "./vector";

/** out[r] = mask[r] ? a[r] : b[r], or 0 where b is absent (0). */
export function selectRows(out: usize, mask: usize, a: usize, b: usize, rows: i32, columns: i32): void {
  const bytes = <usize>columns << 2;
  for (let r: usize = 0; r < <usize>rows; r++) {
    const at = r * bytes;
    if (load<i32>(mask + (r << 2))) memory.copy(out + at, a + at, bytes);
    else if (b) memory.copy(out + at, b + at, bytes);
    else memory.fill(out + at, 0, bytes);
  }
}

/** da[r] += dout[r] where mask[r], else db[r] += dout[r]; either may be absent (0). */
export function selectRowsBackward(da: usize, db: usize, dout: usize, mask: usize, rows: i32, columns: i32): void {
  const bytes = <usize>columns << 2;
  for (let r: usize = 0; r < <usize>rows; r++) {
    const target = load<i32>(mask + (r << 2)) ? da : db;
    if (target) accumulate(target + r * bytes, dout + r * bytes, columns);
  }
}

/** out[t, b] (i32) = 1 where mask[s, b] is not 0 for any s <= t, else 0: mask, out [T, B]. */
export function everKept(out: usize, mask: usize, T: i32, B: i32): void {
  const row = <usize>B << 2;
  for (let t = 0; t < T; t++) {
    for (let b: usize = 0; b < row; b += 4) {
      const before = t > 0 ? load<i32>(out + b - row) : 0;
      store<i32>(out + b, before | i32(load<i32>(mask + b) != 0));
    }
    out += row;
    mask += row;
  }
}
