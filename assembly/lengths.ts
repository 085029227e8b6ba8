// Vectors along one axis of an array: their lengths limited (constraints), made one, and how far they are from orthogonal.
// Not here: sums over whole blocks (reduce.ts) and the products between vectors (gemm.ts).
// Legend: x [outer, n, inner] holds outer * inner vectors of n numbers, `inner` words apart; its gradient dx likewise.

import { LANES, VECTOR, load4, loadTail, one4, splat, sumLanes, writeUpTo4 } from "./simd";

/** Numbers summed in f32 before they go to a sum of sums, so that long vectors keep their digits. */
const BLOCK: i32 = 64;
/** Keras' epsilon: no length counts as less. */
const EPSILON: f32 = 1e-7;

/** Sum of a * b over n words side by side. */
// @ts-expect-error: decorator
@inline
function dotRow(a: usize, b: usize, n: i32): f32 {
  let total = splat(0);
  while (n >= LANES) {
    let part = splat(0);
    for (let left = min(n / LANES, BLOCK); left > 0; left--, n -= LANES, a += VECTOR, b += VECTOR) {
      part = f32x4.add(part, f32x4.mul(load4(a), load4(b)));
    }
    total = f32x4.add(total, part);
  }
  if (n > 0) total = f32x4.add(total, f32x4.mul(loadTail(a, n), loadTail(b, n)));
  return sumLanes(total);
}

/** The same for four vectors side by side, `stride` bytes from one number to the next. */
// @ts-expect-error: decorator
@inline
function dotColumns(a: usize, b: usize, n: i32, stride: usize): v128 {
  let total = splat(0);
  while (n > 0) {
    let part = splat(0);
    for (let left = min(n, BLOCK); left > 0; left--, n--, a += stride, b += stride) {
      part = f32x4.add(part, f32x4.mul(load4(a), load4(b)));
    }
    total = f32x4.add(total, part);
  }
  return total;
}

/** a . b of the vector that begins here (inner = 1), on all lanes; or of the four that begin side by side. */
// @ts-expect-error: decorator
@call
function dot(a: usize, b: usize, n: i32, inner: i32): v128 {
  return inner == 1 ? splat(dotRow(a, b, n)) : dotColumns(a, b, n, <usize>inner << 2);
}

/** The factor that brings a vector of this length between least and most, as far as rate goes. */
// @ts-expect-error: decorator
@inline
function limit(squares: v128, least: f32, most: f32, rate: f32): v128 {
  const norm = f32x4.sqrt(squares);
  const wanted = f32x4.min(f32x4.max(norm, splat(least)), splat(most));
  const mixed = f32x4.add(f32x4.mul(splat(rate), wanted), f32x4.mul(splat(1 - rate), norm));
  return f32x4.div(mixed, f32x4.add(splat(EPSILON), norm));
}

/** 1 / length, and no more than 1 / 1e-7. */
// @ts-expect-error: decorator
@inline
function inverse(squares: v128): v128 {
  return f32x4.min(f32x4.div(one4(), f32x4.sqrt(squares)), splat(1 / EPSILON));
}

/** out = each vector of x times its factor: limit or inverse. */
// @ts-expect-error: decorator
@call
function rescale(
  unit: bool, out: usize, x: usize, outer: i32, n: i32, inner: i32, least: f32, most: f32, rate: f32,
): void {
  const size = <usize>(n * inner) << 2;
  const step = inner == 1 ? VECTOR : <usize>inner << 2;
  for (; outer > 0; outer--, x += size, out += size) {
    let at: usize = 0;
    for (let left = inner; left > 0; left -= LANES, at += VECTOR) {
      const squares = dot(x + at, x + at, n, inner);
      const factor = unit ? inverse(squares) : limit(squares, least, most, rate);
      let p = at;
      for (let k = inner == 1 ? n : n * LANES; k > 0; k -= LANES, p += step) {
        writeUpTo4(out + p, f32x4.mul(load4(x + p), factor), inner == 1 ? k : left);
      }
    }
  }
}

/** w *= (rate * min(max(|w|, least), most) + (1 - rate) * |w|) / (1e-7 + |w|), |w| the length of each vector. */
export function limitLengths(
  w: usize, outer: i32, n: i32, inner: i32, least: f32, most: f32, rate: f32,
): void {
  rescale(false, w, w, outer, n, inner, least, most, rate);
}

/** out = x / |x|, for each vector. */
export function unitVectors(out: usize, x: usize, outer: i32, n: i32, inner: i32): void {
  rescale(true, out, x, outer, n, inner, 0, 0, 0);
}

/** dx += (dout - out * (dout . out)) / |x|; where |x| counts as 1e-7, dx += dout / 1e-7. */
export function unitVectorsBackward(
  dx: usize, dout: usize, out: usize, x: usize, outer: i32, n: i32, inner: i32,
): void {
  const size = <usize>(n * inner) << 2;
  const step = inner == 1 ? VECTOR : <usize>inner << 2;
  for (; outer > 0; outer--, dx += size, dout += size, out += size, x += size) {
    let at: usize = 0;
    for (let left = inner; left > 0; left -= LANES, at += VECTOR) {
      const factor = inverse(dot(x + at, x + at, n, inner));
      const along = v128.andnot(dot(dout + at, out + at, n, inner), f32x4.ge(factor, splat(1 / EPSILON)));
      let p = at;
      for (let k = inner == 1 ? n : n * LANES; k > 0; k -= LANES, p += step) {
        const change = f32x4.sub(load4(dout + p), f32x4.mul(load4(out + p), along));
        writeUpTo4(dx + p, f32x4.add(load4(dx + p), f32x4.mul(change, factor)), inner == 1 ? k : left);
      }
    }
  }
}

/** factor / (n (n - 1) samples): the mean over pairs, as each stands twice in the products. */
// @ts-expect-error: decorator
@inline
function perPair(factor: f32, samples: i32, n: i32): f32 {
  return <f32>(<f64>factor / (<f64>n * <f64>(n - 1) * <f64>samples));
}

/** out[0] += factor * mean of |products| between different vectors / samples; products [n, n], symmetric. */
export function orthogonality(out: usize, products: usize, factor: f32, samples: i32, n: i32): void {
  let result: f64 = 0;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++, products += 4) if (i != j) result += <f64>abs(load<f32>(products));
  }
  store<f32>(out, load<f32>(out) + <f32>(result * <f64>perPair(factor, samples, n)));
}

/** dproducts += dout[0] * the slope of both halves: what reaches a vector by (i, j) and by (j, i) at once. */
export function orthogonalityBackward(
  dproducts: usize, dout: usize, products: usize, factor: f32, samples: i32, n: i32,
): void {
  const slope: f32 = <f32>2 * load<f32>(dout) * perPair(factor, samples, n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++, products += 4, dproducts += 4) {
      const product = load<f32>(products);
      if (i == j || product == 0) continue;
      store<f32>(dproducts, load<f32>(dproducts) + (product > 0 ? slope : -slope));
    }
  }
}
