// Rows of a table by number: gather, and the gradient's scatter back onto the rows that were read.
// Not here: the mask that id 0 may stand for, and telling the user which id is wrong: the host has looked at the ids before.
//
// Legend: n ids, V vocabulary, D dim.  ids [n] i32, table [V,D], out [n,D]. An id outside [0,V) reads as zeros and takes no
// gradient, so that a wrong id can never reach memory outside the table.

import { load4, storeUpTo4, zero4 } from "./simd";

/** out [n,D] = table [V,D] at ids [n]. */
export function embeddingGather(out: usize, ids: usize, table: usize, n: i32, dim: i32, vocabulary: i32): void {
  const width = <usize>dim << 2;
  for (let k = 0; k < n; ++k) {
    const id = load<u32>(ids + (<usize>k << 2));
    const known = id < <u32>vocabulary;
    const row = table + <usize>id * width;
    let at: usize = 0;
    for (let left = dim; left > 0; left -= 4) {
      const v = known ? load4(row + at) : zero4();
      storeUpTo4(out + at, v, left);
      at += 16;
    }
    out += width;
  }
}

/** dtable [V,D] at ids [n] += dout [n,D], in the order of the ids: costs what the ids cost, whatever V is. */
export function embeddingScatterAdd(dtable: usize, dout: usize, ids: usize, n: i32, dim: i32, vocabulary: i32): void {
  const width = <usize>dim << 2;
  for (let k = 0; k < n; ++k) {
    const id = load<u32>(ids + (<usize>k << 2));
    if (id < <u32>vocabulary) {
      const row = dtable + <usize>id * width;
      let at: usize = 0;
      for (let left = dim; left > 0; left -= 4) {
        const v = f32x4.add(load4(row + at), load4(dout + at));
        storeUpTo4(row + at, v, left);
        at += 16;
      }
    }
    dout += width;
  }
}
