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

/**
 * dtable [V,D] at ids [n] += dout [n,D], in the order of the ids.
 *
 * With `rows` for the rows that ids touch alone, so that nothing has to be zeroed and nothing costs what V is. Row i of dtable is then
 * that of table row rows[i]; touched[0] of them are there. An id is among them if places[id] says where, and `rows` there says id:
 * whatever else lies in `places` [V] and `rows` [V] does not matter (Briggs & Torczon 1993, "An efficient representation for sparse
 * sets"). `accumulate` 0 begins with no rows. They stand in the order in which they are first touched, or, where there are ids enough to
 * pay for a walk through the vocabulary, in that of the table, so that neighbours in the table are neighbours here.
 */
export function embeddingScatterAdd(
  dtable: usize, dout: usize, ids: usize, n: i32, dim: i32, vocabulary: i32,
  rows: usize, places: usize, touched: usize, accumulate: i32,
): void {
  const width = <usize>dim << 2;
  let found: u32 = accumulate ? load<u32>(touched) : 0;
  // So many rows have a place but no gradient yet; a place is negative until then.
  const inOrder = rows != 0 && !accumulate && n >= vocabulary >> 2;
  if (inOrder) found = placeInOrder(rows, places, ids, n, vocabulary);
  for (let k = 0; k < n; ++k, dout += width) {
    const id = load<u32>(ids + (<usize>k << 2));
    if (id >= <u32>vocabulary) continue;
    let place = id;
    let first = false;
    if (inOrder) {
      const marked = load<i32>(places + (<usize>id << 2));
      first = marked < 0;
      place = first ? ~marked : marked;
    } else if (rows) {
      place = placeOf(id, rows, places, found);
      first = place == found;
      if (first) {
        store<u32>(rows + (<usize>found << 2), id);
        found++;
      }
    }
    if (first) store<u32>(places + (<usize>id << 2), place);
    let row = dtable + <usize>place * width;
    let from = dout;
    for (let left = dim; left > 0; left -= 4, row += 16, from += 16) {
      const v = load4(from);
      storeUpTo4(row, first ? v : f32x4.add(load4(row), v), left);
    }
  }
  if (rows) store<u32>(touched, found);
}

/** Gives the rows that ids touch their places, negated (~), in the order of the table; how many there are. */
function placeInOrder(rows: usize, places: usize, ids: usize, n: i32, vocabulary: i32): u32 {
  memory.fill(places, 0, <usize>vocabulary << 2);
  for (const end = ids + (<usize>n << 2); ids < end; ids += 4) {
    const id = load<u32>(ids);
    if (id < <u32>vocabulary) store<i32>(places + (<usize>id << 2), 1);
  }
  let found = 0;
  for (let id = 0; id < vocabulary; ++id, places += 4) {
    if (!load<i32>(places)) continue;
    store<i32>(places, ~found);
    store<i32>(rows + (<usize>found << 2), id);
    found++;
  }
  return found;
}

/** Where a row of the table stands among the touched ones; behind all of them if it is not there. */
// @ts-expect-error: decorator
@inline
export function placeOf(id: u32, rows: usize, places: usize, touched: u32): u32 {
  const place = load<u32>(places + (<usize>id << 2));
  return place < touched && load<u32>(rows + (<usize>place << 2)) == id ? place : touched;
}
