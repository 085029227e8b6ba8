// Convolution along one axis and both of its gradients, as products of gemm.ts over rows where they lie: nothing is unfolded.
// Not here: padding (axes.ts) and one filter for each channel (depthwise.ts).
// Legend: y [N, R, F] is dense; its row (n, r) reads at tap j the C numbers from x + n·block + r·row + j·tap on (in numbers).
//   x [B, T, C]: N = B, R = rows of y, block = T·C, row = stride·C, tap = dilation·C
//   x [T, B, C]: N = rows of y, R = B, block = stride·B·C, row = C, tap = dilation·B·C
// w [k, C / G, F]: k taps, G groups of C / G channels and F / G filters. bias [F], 0 for none.

import { GEMM_PACKED_SCRATCH_BYTES, gemmPacked, gemmTN, packB, packBT, packedBytes } from "./gemm";

const OUTPUT: i32 = 0;
const INPUT: i32 = 1;
const KERNEL: i32 = 2;

/** Rows for which all taps are taken before the next ones: they stay in the second cache. */
const ROWS: i32 = 192;

/** y (accumulate ? += : =) x * w + bias. Scratch: GEMM_PACKED_SCRATCH_BYTES + k G packedBytes(C / G, F / G). */
export function conv1D(
  y: usize, x: usize, w: usize, bias: usize,
  N: i32, R: i32, block: i32, row: i32, tap: i32, k: i32, C: i32, F: i32, G: i32, accumulate: i32, scratch: usize,
): void {
  products(OUTPUT, y, x, w, bias, N, R, block, row, tap, k, C, F, G, accumulate, scratch);
}

/** dx += the way back of dy. Scratch: GEMM_PACKED_SCRATCH_BYTES + k G packedBytes(F / G, C / G). */
export function conv1DInput(
  dx: usize, dy: usize, w: usize,
  N: i32, R: i32, block: i32, row: i32, tap: i32, k: i32, C: i32, F: i32, G: i32, scratch: usize,
): void {
  products(INPUT, dy, dx, w, 0, N, R, block, row, tap, k, C, F, G, 1, scratch);
}

/** dw += the way back of dy. Scratch: GEMM_SCRATCH_BYTES. */
export function conv1DKernel(
  dw: usize, x: usize, dy: usize,
  N: i32, R: i32, block: i32, row: i32, tap: i32, k: i32, C: i32, F: i32, G: i32, scratch: usize,
): void {
  products(KERNEL, dy, x, dw, 0, N, R, block, row, tap, k, C, F, G, 1, scratch);
}

function products(
  what: i32, y: usize, x: usize, w: usize, bias: usize,
  N: i32, R: i32, block: i32, row: i32, tap: i32, k: i32, C: i32, F: i32, G: i32, accumulate: i32, scratch: usize,
): void {
  if (R == 1) {
    R = N;
    row = block;
    N = 1;
  } else if (block == R * row) {
    R *= N;
    N = 1;
  }
  // The taps of a row lie side by side: one product over all of them, whose rows overlap. What is written must not.
  if (what != INPUT && G == 1 && tap == C) {
    C *= k;
    k = 1;
  }
  const c = C / G;
  const f = F / G;
  const packed = scratch + GEMM_PACKED_SCRATCH_BYTES;
  const size = <usize>(what == INPUT ? packedBytes(f, c) : packedBytes(c, f));
  if (what != KERNEL) {
    for (let i = 0; i < k * G; i++) {
      const from = w + <usize>(i / G * c * F + i % G * f) * 4;
      const to = packed + <usize>i * size;
      if (what == INPUT) packBT(to, from, F, f, c);
      else packB(to, from, F, c, f);
    }
  }
  const most = k > 1 ? ROWS : R;
  for (; N > 0; N--, x += <usize>block * 4, y += <usize>(R * F) * 4) {
    for (let r = 0; r < R; r += most) {
      const rows = min(most, R - r);
      for (let i = 0; i < k * G; i++) {
        const j = i / G;
        const g = i % G;
        const xs = x + <usize>(r * row + j * tap + g * c) * 4;
        const ys = y + <usize>(r * F + g * f) * 4;
        const b = packed + <usize>i * size;
        if (what == OUTPUT) {
          const start = bias && j == 0 ? bias + <usize>(g * f) * 4 : 0;
          gemmPacked(ys, F, xs, row, b, start, rows, f, c, i32(accumulate || j > 0), scratch);
        } else if (what == INPUT) {
          gemmPacked(xs, row, ys, F, b, 0, rows, c, f, 1, scratch);
        } else {
          gemmTN(w + <usize>(j * c * F + g * f) * 4, F, xs, row, ys, F, 0, c, f, rows, 1, scratch);
        }
      }
    }
  }
}
