// Sums over blocks, added to what is already there.
// Not here: sums inside a larger kernel (softmax.ts, loss.ts).
//
// Accuracy: a running f32 sum of n numbers drifts by about sqrt(n) rounding errors. So sums are cut into blocks; `sum`,
// `sumSquares` and `penalty` carry the blocks' results in one f64, `sumColumns` adds each block's result to its column.

import { LANES, VECTOR, keep4, load4, loadTail, splat, store4, storeUpTo4, sumLanes } from "./simd";

/** Words summed in f32 before they go to the f64: 16 additions in each of 16 lanes. */
const BLOCK: i32 = 256;

// Bits of a number: all, or all but its sign.
const VALUE: i32 = -1;
const SIZE: i32 = 0x7fffffff;

// @ts-expect-error: decorator
@inline
function term(squares: bool, x: v128, bits: v128): v128 {
  return squares ? f32x4.mul(x, x) : v128.and(x, bits);
}

/** Sum of these bits of the words of x, or of x^2. */
// @ts-expect-error: decorator
@inline
function total(squares: bool, x: usize, n: i32, bits: v128): f64 {
  let result: f64 = 0;
  for (; n >= BLOCK; n -= BLOCK) {
    let a = splat(0);
    let b = splat(0);
    let c = splat(0);
    let d = splat(0);
    for (const end = x + 4 * BLOCK; x < end; x += 4 * VECTOR) {
      a = f32x4.add(a, term(squares, load4(x), bits));
      b = f32x4.add(b, term(squares, load4(x + VECTOR), bits));
      c = f32x4.add(c, term(squares, load4(x + 2 * VECTOR), bits));
      d = f32x4.add(d, term(squares, load4(x + 3 * VECTOR), bits));
    }
    result += <f64>sumLanes(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)));
  }
  let rest = splat(0);
  for (; n >= LANES; n -= LANES, x += VECTOR) rest = f32x4.add(rest, term(squares, load4(x), bits));
  if (n > 0) rest = f32x4.add(rest, term(squares, loadTail(x, n), bits));
  return result + <f64>sumLanes(rest);
}

// @ts-expect-error: decorator
@call
function totalOf(x: usize, n: i32, bits: i32): f64 {
  return total(false, x, n, i32x4.splat(bits));
}

// @ts-expect-error: decorator
@call
function totalSquares(x: usize, n: i32): f64 {
  return total(true, x, n, splat(0));
}

/** out[0] += sum of x [n] */
export function sum(out: usize, x: usize, n: i32): void {
  store<f32>(out, <f32>(<f64>load<f32>(out) + totalOf(x, n, VALUE)));
}

/** out[0] += sum of the squares of x [n], or of x [rows[0], n] if `rows` is not 0. */
export function sumSquares(out: usize, x: usize, n: i32, rows: usize): void {
  const count = rows ? n * load<i32>(rows) : n;
  store<f32>(out, <f32>(<f64>load<f32>(out) + totalSquares(x, count)));
}

/** Rows summed in registers before the result is added to the column: a strip of them stays in the second cache. */
const ROWS: i32 = 64;

/** Up to four columns over `rows` rows, four rows at a time so that the additions do not wait for each other. */
// @ts-expect-error: decorator
@inline
function narrowStrip(x: usize, rows: i32, stride: usize): v128 {
  let a = splat(0);
  let b = splat(0);
  let c = splat(0);
  let d = splat(0);
  for (; rows >= 4; rows -= 4, x += 4 * stride) {
    a = f32x4.add(a, load4(x));
    b = f32x4.add(b, load4(x + stride));
    c = f32x4.add(c, load4(x + 2 * stride));
    d = f32x4.add(d, load4(x + 3 * stride));
  }
  for (; rows > 0; rows--, x += stride) a = f32x4.add(a, load4(x));
  return f32x4.add(f32x4.add(a, b), f32x4.add(c, d));
}

/** out[c] += sum over r of x[r, c]; out [columns], x [rows, columns]. */
export function sumColumns(out: usize, x: usize, rows: i32, columns: i32): void {
  if (columns == 1) {
    sum(out, x, rows);
    return;
  }
  const stride = <usize>columns << 2;
  for (; rows > 0; rows -= ROWS, x += <usize>ROWS * stride) {
    const block = min(rows, ROWS);
    let from = x;
    let to = out;
    let left = columns;
    for (; left >= 4 * LANES; left -= 4 * LANES, from += 4 * VECTOR, to += 4 * VECTOR) {
      let a = splat(0);
      let b = splat(0);
      let c = splat(0);
      let d = splat(0);
      let p = from;
      for (let r = 0; r < block; r++, p += stride) {
        a = f32x4.add(a, load4(p));
        b = f32x4.add(b, load4(p + VECTOR));
        c = f32x4.add(c, load4(p + 2 * VECTOR));
        d = f32x4.add(d, load4(p + 3 * VECTOR));
      }
      store4(to, f32x4.add(load4(to), a));
      store4(to + VECTOR, f32x4.add(load4(to + VECTOR), b));
      store4(to + 2 * VECTOR, f32x4.add(load4(to + 2 * VECTOR), c));
      store4(to + 3 * VECTOR, f32x4.add(load4(to + 3 * VECTOR), d));
    }
    for (; left > 0; left -= LANES, from += VECTOR, to += VECTOR) {
      storeUpTo4(to, f32x4.add(load4(to), narrowStrip(from, block, stride)), left);
    }
  }
}

/** out[0] += scale * sum of weights * losses; weights [n] may be absent (all 1). The mean over a batch, masked or not. */
export function weightedSum(out: usize, losses: usize, weights: usize, scale: f32, n: i32): void {
  let result: f64 = 0;
  if (weights) {
    for (; n > 0; n--, losses += 4, weights += 4) result += <f64>load<f32>(losses) * <f64>load<f32>(weights);
  } else {
    result = totalOf(losses, n, VALUE);
  }
  store<f32>(out, <f32>(<f64>load<f32>(out) + result * <f64>scale));
}

/** dlosses += dout[0] * scale * weights */
export function weightedSumBackward(dlosses: usize, dout: usize, weights: usize, scale: f32, n: i32): void {
  const factor = splat(load<f32>(dout) * scale);
  for (; n > 0; n -= LANES, dlosses += VECTOR) {
    let y = factor;
    if (weights) {
      y = f32x4.mul(factor, load4(weights));
      weights += VECTOR;
    }
    storeUpTo4(dlosses, f32x4.add(load4(dlosses), y), n);
  }
}

/**
 * What a mask leaves of weights [n, width], mask [n] (i32): left [2] = how many rows there are and how many are kept; with `weighs`
 * nothing and the sum of the weights that are left. For a part of a batch: the parts' are added.
 */
export function leftWeights(left: usize, weights: usize, mask: usize, weighs: i32, n: i32, width: i32): void {
  const row = <usize>width << 2;
  let sum: f64 = 0;
  for (let i = 0; i < n; i++) {
    if (load<i32>(mask + (<usize>i << 2))) sum += weighs ? totalOf(weights + <usize>i * row, width, VALUE) : 1;
  }
  store<f32>(left, weighs ? 0 : <f32>n);
  store<f32>(left, <f32>sum, 4);
}

/**
 * Weights under a mask: out = weights where mask (i32) is not 0, else 0, times a factor. out, weights [n, width], mask [n].
 * The factor, with what leftWeights has left: 1 without it, rows / kept rows, or with `weighs` 1 / sum.
 */
export function maskedWeights(
  out: usize, weights: usize, mask: usize, left: usize, weighs: i32, n: i32, width: i32,
): void {
  const row = <usize>width << 2;
  let factor: f32 = 1;
  if (left) {
    const sum = load<f32>(left, 4);
    factor = sum == 0 ? 0 : (weighs ? 1 : load<f32>(left)) / sum;
  }
  for (let i = 0; i < n; i++, mask += 4) {
    const keep = load<i32>(mask) != 0;
    for (const end = weights + row; weights < end; weights += 4, out += 4) {
      store<f32>(out, keep ? load<f32>(weights) * factor : 0);
    }
  }
}

/** out[0] += (l1 * sum of |x| + l2 * sum of x^2) / samples; x [n]. */
export function penalty(out: usize, x: usize, l1: f32, l2: f32, samples: i32, n: i32): void {
  let result: f64 = 0;
  if (l1 != 0) result += <f64>l1 * totalOf(x, n, SIZE);
  if (l2 != 0) result += <f64>l2 * totalSquares(x, n);
  store<f32>(out, <f32>(<f64>load<f32>(out) + result / <f64>samples));
}

/** dx += dout[0] * (l1 * sign(x) + 2 * l2 * x) / samples; sign(0) = 0. */
export function penaltyBackward(dx: usize, dout: usize, x: usize, l1: f32, l2: f32, samples: i32, n: i32): void {
  const factor = load<f32>(dout) / <f32>samples;
  const plus = splat(factor * l1);
  const minus = splat(-factor * l1);
  const twice = splat(2 * factor * l2);
  const nothing = splat(0);
  for (; n > 0; n -= LANES, dx += VECTOR, x += VECTOR) {
    const v = load4(x);
    const sign = v128.or(keep4(f32x4.gt(v, nothing), plus), keep4(f32x4.lt(v, nothing), minus));
    storeUpTo4(dx, f32x4.add(load4(dx), f32x4.add(sign, f32x4.mul(twice, v))), n);
  }
}
