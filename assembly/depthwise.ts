// Convolution along one axis with a filter for each channel, and its gradients: channels are the lanes.
// Legend: as in conv1d.ts, with y [N, R, C] and w [k, C].

import { LANES, VECTOR, load4, madd, storeUpTo4, zero4 } from "./simd";

/** y = x * w + bias */
export function depthwise(
  y: usize, x: usize, w: usize, bias: usize, N: i32, R: i32, block: i32, row: i32, tap: i32, k: i32, C: i32,
): void {
  for (let n = 0; n < N * R; n++) {
    let p = x + <usize>(n / R * block + n % R * row) * 4;
    let v = w;
    for (let c = 0; c < C; c += LANES, p += VECTOR, v += VECTOR) {
      let sum = bias ? load4(bias + <usize>c * 4) : zero4();
      let q = p;
      let u = v;
      for (let j = k; j > 0; j--, q += <usize>tap * 4, u += <usize>C * 4) sum = madd(load4(q), load4(u), sum);
      storeUpTo4(y + <usize>c * 4, sum, C - c);
    }
    y += <usize>C * 4;
  }
}

/** dx += the way back of dy through w; dw += that through x. Either may be 0. */
export function depthwiseBackward(
  dx: usize, dw: usize, dy: usize, x: usize, w: usize, N: i32, R: i32, block: i32, row: i32, tap: i32, k: i32, C: i32,
): void {
  for (let n = 0; n < N * R; n++) {
    const start = <usize>(n / R * block + n % R * row) * 4;
    for (let c = 0; c < C; c += LANES) {
      const d = load4(dy + <usize>c * 4);
      let at = start + <usize>c * 4;
      let u = <usize>c * 4;
      for (let j = k; j > 0; j--, at += <usize>tap * 4, u += <usize>C * 4) {
        if (dx) storeUpTo4(dx + at, madd(d, load4(w + u), load4(dx + at)), C - c);
        if (dw) storeUpTo4(dw + u, madd(d, load4(x + at), load4(dw + u)), C - c);
      }
    }
    dy += <usize>C * 4;
  }
}
