// Largest number or mean of a window that moves along an axis. Windows may begin before the axis and end behind it: what is not
// there is not counted. Of equal largest numbers the first has the gradient.
// Legend: x [outer, n, inner], y [outer, m, inner]; window t is x from t·stride - before on, `size` places.

import { LANES, keep4, load4, splat, storeUpTo4 } from "./simd";

/** y = the mean of each window, or its largest number; NaN if any is. */
export function pool(
  y: usize, x: usize, outer: i32, n: i32, inner: i32, m: i32, size: i32, stride: i32, before: i32, mean: i32,
): void {
  const row = <usize>inner * 4;
  for (; outer > 0; outer--, x += row * <usize>n) {
    for (let t = 0; t < m; t++, y += row) {
      const from = max(t * stride - before, 0);
      const count = min(t * stride - before + size, n) - from;
      const scale = splat(1 / <f32>count);
      for (let c = 0; c < inner; c += LANES) {
        let p = x + <usize>from * row + <usize>c * 4;
        let result = load4(p);
        for (let i = 1; i < count; i++) {
          p += row;
          result = mean ? f32x4.add(result, load4(p)) : f32x4.max(result, load4(p));
        }
        storeUpTo4(y + <usize>c * 4, mean ? f32x4.mul(result, scale) : result, inner - c);
      }
    }
  }
}

/** dx += the way back of dy. x and y are read for the largest only. */
export function poolBackward(
  dx: usize, dy: usize, x: usize, y: usize,
  outer: i32, n: i32, inner: i32, m: i32, size: i32, stride: i32, before: i32, mean: i32,
): void {
  const row = <usize>inner * 4;
  for (; outer > 0; outer--, x += row * <usize>n, dx += row * <usize>n) {
    for (let t = 0; t < m; t++, y += row, dy += row) {
      const from = max(t * stride - before, 0);
      const count = min(t * stride - before + size, n) - from;
      const scale = splat(1 / <f32>count);
      for (let c = 0; c < inner; c += LANES) {
        const at = <usize>c * 4;
        let share = load4(dy + at);
        if (mean) share = f32x4.mul(share, scale);
        const best = mean ? share : load4(y + at);
        let place = <usize>from * row + at;
        for (let i = 0; i < count; i++, place += row) {
          let part = share;
          if (!mean) {
            const isBest = f32x4.eq(load4(x + place), best);
            part = keep4(isBest, share);
            share = v128.andnot(share, isBest);
          }
          storeUpTo4(dx + place, f32x4.add(load4(dx + place), part), inner - c);
        }
      }
    }
  }
}
