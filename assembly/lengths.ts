// Vectors along one axis of an array: their lengths limited (constraints), made one, and how far they are from orthogonal.
// Not here: sums over whole blocks (reduce.ts) and the products between vectors (gemm.ts).
// Legend: x [outer, n, inner] holds outer * inner vectors of n numbers, `inner` words apart; its gradient dx likewise.

import { LANES, VECTOR, load4, loadTail, one4, splat, storeUpTo4, sumLanes } from "./simd";

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

/** The factor that brings a vector of this length between least and most, as far as rate goes. */
// @ts-expect-error: decorator
@inline
function limit(squares: v128, least: v128, most: v128, rate: v128, rest: v128): v128 {
  const norm = f32x4.sqrt(squares);
  const wanted = f32x4.min(f32x4.max(norm, least), most);
  const mixed = f32x4.add(f32x4.mul(rate, wanted), f32x4.mul(rest, norm));
  return f32x4.div(mixed, f32x4.add(splat(EPSILON), norm));
}

/** w *= (rate * min(max(|w|, least), most) + (1 - rate) * |w|) / (1e-7 + |w|), |w| the length of each vector. */
export function limitLengths(
  w: usize, outer: i32, n: i32, inner: i32, least: f32, most: f32, rate: f32,
): void {
  const low = splat(least);
  const high = splat(most);
  const share = splat(rate);
  const rest = splat(1 - rate);
  const stride = <usize>inner << 2;
  for (; outer > 0; outer--, w += <usize>n * stride) {
    if (inner == 1) {
      const factor = limit(splat(dotRow(w, w, n)), low, high, share, rest);
      let p = w;
      for (let left = n; left > 0; left -= LANES, p += VECTOR) storeUpTo4(p, f32x4.mul(load4(p), factor), left);
      continue;
    }
    let column = w;
    for (let left = inner; left > 0; left -= LANES, column += VECTOR) {
      const factor = limit(dotColumns(column, column, n, stride), low, high, share, rest);
      let p = column;
      for (let k = 0; k < n; k++, p += stride) storeUpTo4(p, f32x4.mul(load4(p), factor), left);
    }
  }
}

/** 1 / length, and no more than 1 / 1e-7. */
// @ts-expect-error: decorator
@inline
function inverse(squares: v128): v128 {
  return f32x4.min(f32x4.div(one4(), f32x4.sqrt(squares)), splat(1 / EPSILON));
}

/** out = x / |x|, for each vector. */
export function unitVectors(out: usize, x: usize, outer: i32, n: i32, inner: i32): void {
  const stride = <usize>inner << 2;
  for (; outer > 0; outer--, x += <usize>n * stride, out += <usize>n * stride) {
    let at: usize = 0;
    if (inner == 1) {
      const factor = inverse(splat(dotRow(x, x, n)));
      for (let left = n; left > 0; left -= LANES, at += VECTOR) {
        storeUpTo4(out + at, f32x4.mul(load4(x + at), factor), left);
      }
      continue;
    }
    for (let left = inner; left > 0; left -= LANES, at += VECTOR) {
      const factor = inverse(dotColumns(x + at, x + at, n, stride));
      let p = at;
      for (let k = 0; k < n; k++, p += stride) storeUpTo4(out + p, f32x4.mul(load4(x + p), factor), left);
    }
  }
}

/** dx += (dout - out * (dout . out)) / |x|; where |x| counts as 1e-7, dx += dout / 1e-7. */
export function unitVectorsBackward(
  dx: usize, dout: usize, out: usize, x: usize, outer: i32, n: i32, inner: i32,
): void {
  const stride = <usize>inner << 2;
  const clamped = splat(1 / EPSILON);
  for (; outer > 0; outer--) {
    let at: usize = 0;
    const step = inner == 1 ? VECTOR : stride;
    for (let left = inner; left > 0; left -= LANES, at += VECTOR) {
      const squares = inner == 1 ? splat(dotRow(x, x, n)) : dotColumns(x + at, x + at, n, stride);
      const along = inner == 1 ? splat(dotRow(dout, out, n)) : dotColumns(dout + at, out + at, n, stride);
      const factor = inverse(squares);
      const minus = v128.andnot(along, f32x4.ge(factor, clamped));
      let p = at;
      for (let k = inner == 1 ? n : n * LANES; k > 0; k -= LANES, p += step) {
        const change = f32x4.sub(load4(dout + p), f32x4.mul(load4(out + p), minus));
        storeUpTo4(dx + p, f32x4.add(load4(dx + p), f32x4.mul(change, factor)), inner == 1 ? k : left);
      }
    }
    const size = <usize>n * stride;
    dx += size;
    dout += size;
    out += size;
    x += size;
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
