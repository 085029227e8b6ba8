// Sums and maxima over one row, for the kernels that work row by row (softmax, cross-entropy, hinge, cosine). Internal.
// Not here: sums that the host asks for (reduce.ts), which must stay accurate over millions of words.

import { exp4 } from "./math";
import { LANES, VECTOR, keep4, laneMask, load4, loadTail, madd, maxLanes, select4, splat, sumLanes } from "./simd";

/** Largest of n words; NaN if any is. */
// @ts-expect-error: decorator
@call
export function rowMax(x: usize, n: i32): f32 {
  let top = splat(-Infinity);
  for (; n >= LANES; n -= LANES, x += VECTOR) top = f32x4.max(top, load4(x));
  if (n > 0) top = f32x4.max(top, select4(laneMask(n), load4(x), splat(-Infinity)));
  return maxLanes(top);
}

/** Sum of e^(x - top). */
// @ts-expect-error: decorator
@call
export function rowExpSum(x: usize, top: f32, n: i32): f32 {
  let total = splat(0);
  for (; n > 0; n -= LANES, x += VECTOR) {
    const e = exp4(f32x4.sub(load4(x), splat(top)));
    total = f32x4.add(total, keep4(laneMask(n), e));
  }
  return sumLanes(total);
}

/** Sum of n words. */
// @ts-expect-error: decorator
@call
export function rowSum(x: usize, n: i32): f32 {
  let total = splat(0);
  for (; n > 0; n -= LANES, x += VECTOR) total = f32x4.add(total, keep4(laneMask(n), load4(x)));
  return sumLanes(total);
}

/** Sum of a*b over n words. */
// @ts-expect-error: decorator
@call
export function rowDot(a: usize, b: usize, n: i32): f32 {
  let total = splat(0);
  for (; n >= LANES; n -= LANES, a += VECTOR, b += VECTOR) total = madd(load4(a), load4(b), total);
  if (n > 0) total = madd(loadTail(a, n), loadTail(b, n), total);
  return sumLanes(total);
}
