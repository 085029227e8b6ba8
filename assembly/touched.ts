// The update of a table [V,D] of which a step has touched a few rows: the rules of optimizer.ts and adaptive.ts, row by row.
// Not here: how rows come to be touched (embedding.ts), and for which rules an untouched row may wait (the host knows the numbers).
//
// Legend: V vocabulary, D dim; w, s0, s1, s2 [V,D]: the table and the states of the rule, in its order, 0 for one that is absent
//   g [touched,D]  gradients; rows, places, touched as embeddingScatterAdd leaves them
//   clock [1+V]    i32, zeros at first: how many updates there were, and for each row the last it took part in; may be 0
//   a, b, c, d     the numbers of the rule, in its order

import { adadelta, adamax, lion } from "./adaptive";
import { placeOf } from "./embedding";
import { adam, rmsprop, sgd } from "./optimizer";
import { keep4, laneMask, load4, splat, storeUpTo4 } from "./simd";

// The host has them in the same order (training/optimizers/touched.ts).
const enum Rule {
  Sgd,
  Rmsprop,
  Adam,
  Adamax,
  Adadelta,
  Lion,
}

/** n numbers from byte `at` of the table on. */
function update(
  rule: i32, w: usize, s0: usize, s1: usize, s2: usize, at: usize, g: usize, n: i32, hyper: usize,
  a: f64, b: f64, c: f64, d: f64,
): void {
  w += at;
  if (s0) s0 += at;
  if (s1) s1 += at;
  if (s2) s2 += at;
  if (rule == Rule.Sgd) sgd(w, s0, g, n, hyper, <f32>a, <i32>b);
  else if (rule == Rule.Rmsprop) rmsprop(w, s0, s1, s2, g, n, hyper, a, <f32>b, <f32>c, <i32>d);
  else if (rule == Rule.Adam) adam(w, s0, s1, s2, g, n, hyper, a, b, <f32>c, <i32>d);
  else if (rule == Rule.Adamax) adamax(w, s0, s1, g, n, hyper, a, b, <f32>c);
  else if (rule == Rule.Adadelta) adadelta(w, s0, s1, g, n, hyper, a, <f32>b);
  else lion(w, s0, g, n, hyper, a, b);
}

/** Rows of zeros behind the gradients of touched rows, for the others. */
const ZEROS: i32 = 16;
/** Every so many steps, states of rows that are not touched are looked through for subnormal numbers: not lion's, whose sign counts
 * however small they are. */
const SWEEP: i32 = 64;

/**
 * Without `places`, for rules that leave a number as it is when its gradient is 0: the touched rows alone. With a clock, states decay
 * by `a` meanwhile: that is made up for when the row is touched next, product by product, so that the bits are those of a row that was
 * never left out. With `places`, for all other rules: all rows in one pass. Neighbours are taken together.
 */
export function updateRows(
  rule: i32, w: usize, s0: usize, s1: usize, s2: usize, g: usize, vocabulary: i32, dim: i32, hyper: usize,
  a: f64, b: f64, c: f64, d: f64, rows: usize, places: usize, touched: usize, clock: usize,
): void {
  const width = <usize>dim << 2;
  const found = load<i32>(touched);
  const zeros = places ? min(ZEROS, vocabulary - found) : 0;
  memory.fill(g + <usize>found * width, 0, <usize>zeros * width);
  const now = clock ? load<i32>(clock) : 0;
  for (let row = 0, place = 0, run = 0; ; row += run, place += run) {
    if (places ? row >= vocabulary : place >= found) break;
    if (places) place = placeOf(row, rows, places, found);
    else row = load<i32>(rows + (<usize>place << 2));
    run = 1;
    if (place == found) while (run < zeros && row + run < vocabulary && placeOf(row + run, rows, places, found) == found) run++;
    else while (place + run < found && load<i32>(rows + (<usize>(place + run) << 2)) == row + run) run++;
    const at = <usize>row * width;
    if (clock && !places) {
      for (let k = 0; k < run; ++k) {
        const last = clock + 4 + (<usize>(row + k) << 2);
        decayStates(s0, s1, at + <usize>k * width, dim, a, now - load<i32>(last));
        store<i32>(last, now + 1);
      }
    }
    update(rule, w, s0, s1, s2, at, g + <usize>place * width, run * dim, hyper, a, b, c, d);
    if (rule != Rule.Lion && place == found && (((row / ZEROS) ^ now) & (SWEEP - 1)) == 0) decayStates(s0, s1, at, run * dim, 1, 1);
  }
  if (clock) store<i32>(clock, now + 1);
}

function decayStates(s0: usize, s1: usize, at: usize, n: i32, rate: f64, times: i32): void {
  decay(s0 + at, n, rate, times);
  if (s1) decay(s1 + at, n, rate, times);
}

/**
 * x [n] *= rate, so many times, or until nothing changes any more. Subnormal numbers become 0: what decays would stay there, and adam
 * over rows that had no gradient for a thousand steps took fifteen times as long.
 */
// @ts-expect-error: decorator
@inline
function decay(x: usize, n: i32, rate: f64, times: i32): void {
  const keep = splat(<f32>rate);
  const least = splat(1.17549435e-38);
  for (; times > 0; --times) {
    let changes = splat(0);
    let p = x;
    for (let left = n; left > 0; left -= 4, p += 16) {
      const v = load4(p);
      const product = f32x4.mul(keep, v);
      const next = v128.andnot(product, f32x4.lt(f32x4.abs(product), least));
      changes = v128.or(changes, keep4(laneMask(left), f32x4.ne(next, v)));
      storeUpTo4(p, next, left);
    }
    if (!v128.any_true(changes)) break;
  }
}
