// One axis of a block at a time: expanding an axis of size one, zeros around it, sums, means, maxima and minima over an axis,
// neighbouring axes exchanged. Not here: sums over all but the last axis or over everything (reduce.ts), two axes alone (vector.ts).
// Shapes: a block seen along an axis is [outer, n, inner]; without the axis [outer, inner].

import { sumColumns } from "./reduce";
import { LANES, VECTOR, keep4, load4, one4, splat, storeUpTo4 } from "./simd";
import { scale, scaleAccumulate, transpose, transposeAccumulate } from "./vector";

/** out [outer, n, inner] (accumulate ? += : =) x [outer, inner] for every place along n; with mean, x / n. Words of any kind
 * when neither adding nor averaging. Also the gradient of sumAxis. */
export function expandAxis(
  out: usize, x: usize, outer: i32, n: i32, inner: i32, mean: i32, accumulate: i32,
): void {
  const factor: f32 = mean ? 1 / <f32>n : 1;
  const row = <usize>inner << 2;
  for (; outer > 0; outer--, x += row) {
    if (inner == 1) {
      const word = v128.load32_splat(x);
      const value = mean ? f32x4.mul(word, splat(factor)) : word;
      for (let k = n; k > 0; k -= LANES, out += VECTOR) {
        storeUpTo4(out, accumulate ? f32x4.add(load4(out), value) : value, k);
      }
      // The last vector may have been shorter.
      out -= <usize>(-n & (LANES - 1)) << 2;
    } else {
      for (let k = 0; k < n; k++, out += row) {
        if (accumulate) scaleAccumulate(out, x, factor, inner);
        else if (mean) scale(out, x, factor, inner);
        else memory.copy(out, x, row);
      }
    }
  }
}

/** out [outer, inner] += sum over n of x [outer, n, inner]; with mean, all of out is divided by n afterwards. Also the
 * gradient of expandAxis. */
export function sumAxis(out: usize, x: usize, outer: i32, n: i32, inner: i32, mean: i32): void {
  const row = <usize>inner << 2;
  for (let o: usize = 0; o < <usize>outer; o++) sumColumns(out + o * row, x + o * row * <usize>n, n, inner);
  if (mean) scale(out, out, 1 / <f32>n, outer * inner);
}

/** out [outer, inner] = the largest over n of x [outer, n, inner], or the smallest; NaN if any is. */
export function extremeAxis(out: usize, x: usize, outer: i32, n: i32, inner: i32, smallest: i32): void {
  const row = <usize>inner << 2;
  for (; outer > 0; outer--, x += row * <usize>(n - 1)) {
    for (let left = inner; left > 0; left -= LANES) {
      let best = load4(x);
      let p = x;
      for (let k = 1; k < n; k++) {
        p += row;
        best = smallest ? f32x4.min(best, load4(p)) : f32x4.max(best, load4(p));
      }
      storeUpTo4(out, best, left);
      const step = <usize>min(left, LANES) << 2;
      out += step;
      x += step;
    }
  }
}

/** dx [outer, n, inner] += dout [outer, inner] where x is the extreme out [outer, inner], in equal parts on ties. */
export function extremeAxisBackward(
  dx: usize, dout: usize, x: usize, out: usize, outer: i32, n: i32, inner: i32,
): void {
  const row = <usize>inner << 2;
  for (; outer > 0; outer--, x += row * <usize>(n - 1), dx += row * <usize>(n - 1)) {
    for (let left = inner; left > 0; left -= LANES) {
      const best = load4(out);
      let ties = splat(0);
      let p = x;
      for (let k = 0; k < n; k++, p += row) ties = f32x4.add(ties, keep4(f32x4.eq(load4(p), best), one4()));
      const share = f32x4.div(load4(dout), ties);
      p = x;
      let q = dx;
      for (let k = 0; k < n; k++, p += row, q += row) {
        storeUpTo4(q, f32x4.add(load4(q), keep4(f32x4.eq(load4(p), best), share)), left);
      }
      const step = <usize>min(left, LANES) << 2;
      out += step;
      dout += step;
      x += step;
      dx += step;
    }
  }
}

/** out [outer, b, a, inner] (accumulate ? += : =) x [outer, a, b, inner]; words of any kind when not adding. */
export function swapBlocks(out: usize, x: usize, outer: i32, a: i32, b: i32, inner: i32, accumulate: i32): void {
  const size = <usize>(a * b * inner) << 2;
  for (; outer > 0; outer--, out += size, x += size) {
    if (accumulate) transposeAccumulate(out, x, a, b, inner);
    else transpose(out, x, a, b, inner);
  }
}

/** out [outer, before + n + after] = x [outer, n] between zeros. */
export function padAxis(out: usize, x: usize, outer: i32, before: i32, n: i32, after: i32): void {
  const size = <usize>n << 2;
  for (; outer > 0; outer--, x += size) {
    memory.fill(out, 0, <usize>before << 2);
    out += <usize>before << 2;
    memory.copy(out, x, size);
    out += size;
    memory.fill(out, 0, <usize>after << 2);
    out += <usize>after << 2;
  }
}
