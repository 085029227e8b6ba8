// Matrix products: C[M,N] = (accumulate ? C : 0) + A B (+ bias[N] unless bias = 0), row-major, f32.
// Here: packing, cache blocking, choice of tile, tails. Not here: the unrolled inner loops (micro.ts, generated).
//
//   gemmNN  A [M,K]  B [K,N]        gemmPacked  A [M,K], B packed beforehand by packB or packBT
//   gemmNT  A [M,K]  B [N,K]        lda, ldb, ldc: elements from a row to the next (so parts of matrices work)
//   gemmTN  A [K,M]  B [K,N]        M, N, K may be 0; with K = 0 the product is zero, bias and accumulate still apply
//
// C must not overlap an input. Nothing beyond C's N columns is written. The order of every sum depends on M, N, K only.
//
// Packed B: panels of 8 columns, in each panel k after k, 32 bytes a k; the last panel is filled up with zeros.
// Tiles of 6 x 8, in the plain build 4 x 8 (a multiply and an add need one more register): 15 vector registers hold the
// sums, two vectors of B and one element of A. A single row takes 1 x 32, two rows 2 x 16, so that the adders stay busy.
// The wide build is for engines that join pairs of vectors into one register: everything has twice the columns there.

import { tile as tile8, tile1x32, tile2x16, tileT as tile8T } from "./micro";
import { tile as tile16, tile1x64, tile2x32, tileT as tile16T } from "./microWide";

/** Columns of a panel, and their bytes. WIDE is given to the compiler for the wide build alone (asconfig.json). */
const PANEL: i32 = isDefined(WIDE) ? 16 : 8;
const PANEL_BYTES: usize = PANEL * 4;

// Blocks: MC x KC of A and a panel of KC rows of B fit the first cache together, B_BYTES of packed B the second.
const KC: i32 = 128;
const MC: i32 = 24;
const NC: i32 = 256;
const B_BYTES: i32 = 128 * 1024;

/** Bytes of the small tile in which the columns of a partial panel are computed. */
const TILE_BYTES: i32 = 384;

// The host repeats these two numbers in TypeScript; a test compares them.
/** Scratch of gemmNN, gemmNT, gemmTN: the same for every shape; 16-byte aligned. */
export const GEMM_SCRATCH_BYTES: i32 = TILE_BYTES + B_BYTES;
/** Scratch of gemmPacked. */
export const GEMM_PACKED_SCRATCH_BYTES: i32 = TILE_BYTES;

/** Up to this many rows gemmNN reads B where it lies: packing would cost more than it saves. */
const DIRECT_ROWS: i32 = 6;

export function gemmNN(
  c: usize, ldc: i32, a: usize, lda: i32, b: usize, ldb: i32, bias: usize,
  M: i32, N: i32, K: i32, accumulate: i32, scratch: usize,
): void {
  if (M <= DIRECT_ROWS) direct(c, ldc, a, lda, b, ldb, bias, M, N, K, accumulate, scratch);
  else product(c, ldc, a, lda, b, ldb, bias, M, N, K, accumulate, scratch, false, false);
}

export function gemmNT(
  c: usize, ldc: i32, a: usize, lda: i32, b: usize, ldb: i32, bias: usize,
  M: i32, N: i32, K: i32, accumulate: i32, scratch: usize,
): void {
  product(c, ldc, a, lda, b, ldb, bias, M, N, K, accumulate, scratch, false, true);
}

export function gemmTN(
  c: usize, ldc: i32, a: usize, lda: i32, b: usize, ldb: i32, bias: usize,
  M: i32, N: i32, K: i32, accumulate: i32, scratch: usize,
): void {
  product(c, ldc, a, lda, b, ldb, bias, M, N, K, accumulate, scratch, true, false);
}

/** B packed as a whole by packB or packBT, for products that repeat with the same weights. */
export function gemmPacked(
  c: usize, ldc: i32, a: usize, lda: i32, packed: usize, bias: usize,
  M: i32, N: i32, K: i32, accumulate: i32, scratch: usize,
): void {
  // As many columns at a time as stay in the second cache while all rows pass by.
  const nc = M > MC ? max((B_BYTES / 4 / max(K, 1)) & -PANEL, NC) : N;
  for (let n = 0; n < N; n += nc) {
    blocks(
      c + <usize>n * 4, ldc, a, lda, packed + <usize>(n * K) * 4, bias ? bias + <usize>n * 4 : 0,
      M, min(nc, N - n), K, accumulate, scratch, false,
    );
  }
}

/** Bytes of a packed K x N matrix (a bound that leaves room for panels of 16). */
export function packedBytes(K: i32, N: i32): i32 {
  return K * ((N + 15) & -16) * 4;
}

/** packed = B [K,N]. */
export function packB(packed: usize, b: usize, ldb: i32, K: i32, N: i32): void {
  const step = <usize>ldb * 4;
  let n = N;
  for (; n >= PANEL; n -= PANEL) {
    let p = b;
    for (let k = 0; k < K; k++) {
      const x = v128.load(p), y = v128.load(p, 16);
      if (isDefined(WIDE)) {
        const z = v128.load(p, 32), w = v128.load(p, 48);
        v128.store(packed, z, 32);
        v128.store(packed, w, 48);
      }
      v128.store(packed, x);
      v128.store(packed, y, 16);
      p += step;
      packed += PANEL_BYTES;
    }
    b += PANEL_BYTES;
  }
  if (n <= 0) return;
  memory.fill(packed, 0, <usize>K * PANEL_BYTES);
  for (let k = 0; k < K; k++) {
    for (let j = 0; j < n; j++) store<f32>(packed + <usize>j * 4, load<f32>(b + <usize>j * 4));
    b += step;
    packed += PANEL_BYTES;
  }
}

/** packed = transpose of B [N,K]. */
export function packBT(packed: usize, b: usize, ldb: i32, K: i32, N: i32): void {
  const step = <usize>ldb * 4;
  for (let n = N; n > 0; n -= PANEL) {
    if (n < PANEL) memory.fill(packed, 0, <usize>K * PANEL_BYTES);
    transpose(packed, PANEL_BYTES, b, step, min(n, PANEL), K);
    packed += <usize>K * PANEL_BYTES;
    b += step * PANEL;
  }
}

/** out [columns, rows] = transpose of x [rows, columns]; strides in bytes. */
function transpose(out: usize, outStep: usize, x: usize, step: usize, rows: i32, columns: i32): void {
  let r = rows;
  for (; r >= 4; r -= 4) {
    let p = x;
    let q = out;
    let n = columns;
    for (; n >= 4; n -= 4) {
      const x0 = v128.load(p);
      const x1 = v128.load(p + step);
      const x2 = v128.load(p + step * 2);
      const x3 = v128.load(p + step * 3);
      const low01 = i32x4.shuffle(x0, x1, 0, 4, 1, 5);
      const low23 = i32x4.shuffle(x2, x3, 0, 4, 1, 5);
      const high01 = i32x4.shuffle(x0, x1, 2, 6, 3, 7);
      const high23 = i32x4.shuffle(x2, x3, 2, 6, 3, 7);
      v128.store(q, i64x2.shuffle(low01, low23, 0, 2));
      v128.store(q + outStep, i64x2.shuffle(low01, low23, 1, 3));
      v128.store(q + outStep * 2, i64x2.shuffle(high01, high23, 0, 2));
      v128.store(q + outStep * 3, i64x2.shuffle(high01, high23, 1, 3));
      p += 16;
      q += outStep * 4;
    }
    for (; n > 0; n--) {
      for (let i: usize = 0; i < 4; i++) store<f32>(q + i * 4, load<f32>(p + i * step));
      p += 4;
      q += outStep;
    }
    x += step * 4;
    out += 16;
  }
  for (; r > 0; r--) {
    let q = out;
    for (let n: usize = 0; n < <usize>columns; n++) {
      store<f32>(q, load<f32>(x + n * 4));
      q += outStep;
    }
    x += step;
    out += 4;
  }
}

/** The size of equal blocks of at most `limit` (a multiple of `unit`), so that no small rest is left. */
function share(size: i32, limit: i32, unit: i32): i32 {
  if (size <= limit) return size;
  const blocks = (size + limit - 1) / limit;
  const each = (size + blocks - 1) / blocks;
  return ((each + unit - 1) / unit) * unit;
}

/** Packs as much of B as the scratch holds, multiplies, and so on. */
function product(
  c: usize, ldc: i32, a: usize, lda: i32, b: usize, ldb: i32, bias: usize,
  M: i32, N: i32, K: i32, accumulate: i32, scratch: usize, transA: bool, transB: bool,
): void {
  const packed = scratch + TILE_BYTES;
  const nc = share(N, NC, PANEL);
  const kc = share(K, (B_BYTES / 4 / max((nc + PANEL - 1) & -PANEL, PANEL)) & -KC, 4);
  for (let n = 0; n < N; n += nc) {
    const width = min(nc, N - n);
    let k = 0;
    do {
      const depth = min(kc, K - k);
      if (transB) packBT(packed, b + <usize>(n * ldb + k) * 4, ldb, depth, width);
      else packB(packed, b + <usize>(k * ldb + n) * 4, ldb, depth, width);
      blocks(
        c + <usize>n * 4, ldc, a + <usize>(transA ? k * lda : k) * 4, lda, packed,
        k == 0 && bias ? bias + <usize>n * 4 : 0, M, width, depth, i32(accumulate || k > 0), scratch, transA,
      );
      k += depth;
    } while (k < K);
  }
}

/** All of B [K,N] packed: blocks of A that stay in the first cache while the panels pass by. */
function blocks(
  c: usize, ldc: i32, a: usize, lda: i32, packed: usize, bias: usize,
  M: i32, N: i32, K: i32, accumulate: i32, scratch: usize, transA: bool,
): void {
  // With one tile of rows nothing is read twice: no blocks of K.
  const kc = M <= DIRECT_ROWS && !transA ? K : share(K, KC, 4);
  const mc = share(M, MC, 12);
  for (let m = 0; m < M; m += mc) {
    const height = min(mc, M - m);
    let k = 0;
    do {
      const depth = min(kc, K - k);
      const rows = a + <usize>(transA ? k * lda + m : m * lda + k) * 4;
      block(
        c + <usize>(m * ldc) * 4, <usize>ldc * 4, rows, <usize>lda * 4, packed + <usize>k * PANEL_BYTES, PANEL_BYTES, <usize>K * PANEL_BYTES,
        k == 0 ? bias : 0, height, N, depth, i32(accumulate || k > 0), scratch, transA,
      );
      k += depth;
    } while (k < K);
  }
}

/** Few rows: B is read in place, but for the last columns. */
function direct(
  c: usize, ldc: i32, a: usize, lda: i32, b: usize, ldb: i32, bias: usize,
  M: i32, N: i32, K: i32, accumulate: i32, scratch: usize,
): void {
  const whole = N & -PANEL;
  block(
    c, <usize>ldc * 4, a, <usize>lda * 4, b, <usize>ldb * 4, PANEL_BYTES, bias, M, whole, K, accumulate, scratch, false,
  );
  if (whole == N) return;
  const at = <usize>whole * 4;
  const packed = scratch + TILE_BYTES;
  const most = B_BYTES / <i32>PANEL_BYTES;
  let k = 0;
  do {
    const depth = min(K - k, most);
    packB(packed, b + at + <usize>(k * ldb) * 4, ldb, depth, N - whole);
    block(
      c + at, <usize>ldc * 4, a + <usize>k * 4, <usize>lda * 4, packed, PANEL_BYTES, 0, k == 0 && bias ? bias + at : 0,
      M, N - whole, depth, i32(accumulate || k > 0), scratch, false,
    );
    k += depth;
  } while (k < K);
}

/** One block, all strides in bytes; see micro.ts for ldb and panel. */
function block(
  c: usize, ldc: usize, a: usize, lda: usize, b: usize, ldb: usize, panel: usize, bias: usize,
  M: i32, N: i32, K: i32, accumulate: i32, scratch: usize, transA: bool,
): void {
  let n = N;
  if (M == 1 && !transA) {
    for (; n >= 4 * PANEL; n -= 4 * PANEL) {
      if (isDefined(WIDE)) tile1x64(c, ldc, a, lda, b, ldb, panel, bias, K, accumulate);
      else tile1x32(c, ldc, a, lda, b, ldb, panel, bias, K, accumulate);
      c += PANEL_BYTES * 4;
      b += panel * 4;
      if (bias) bias += PANEL_BYTES * 4;
    }
  } else if (M == 2 && !transA) {
    for (; n >= 2 * PANEL; n -= 2 * PANEL) {
      if (isDefined(WIDE)) tile2x32(c, ldc, a, lda, b, ldb, panel, bias, K, accumulate);
      else tile2x16(c, ldc, a, lda, b, ldb, panel, bias, K, accumulate);
      c += PANEL_BYTES * 2;
      b += panel * 2;
      if (bias) bias += PANEL_BYTES * 2;
    }
  }
  for (; n > 0; n -= PANEL) {
    let d = c;
    let rows = a;
    let m = M;
    while (m > 0) {
      const height = tileRows(m);
      if (n >= PANEL) tile(height, d, ldc, rows, lda, b, ldb, bias, K, accumulate, transA);
      else {
        tile(height, scratch, PANEL_BYTES, rows, lda, b, ldb, 0, K, 0, transA);
        finish(d, ldc, scratch, bias, height, n, accumulate);
      }
      d += <usize>height * ldc;
      rows += <usize>height * (transA ? 4 : lda);
      m -= height;
    }
    c += PANEL_BYTES;
    b += panel;
    if (bias) bias += PANEL_BYTES;
  }
}

/** A tile of one panel. */
// @ts-expect-error: decorator
@inline
function tile(
  rows: i32, c: usize, ldc: usize, a: usize, lda: usize, b: usize, ldb: usize, bias: usize,
  K: i32, accumulate: i32, transA: bool,
): void {
  if (isDefined(WIDE)) {
    if (transA) tile16T(rows, c, ldc, a, lda, b, ldb, bias, K, accumulate);
    else tile16(rows, c, ldc, a, lda, b, ldb, bias, K, accumulate);
  } else {
    if (transA) tile8T(rows, c, ldc, a, lda, b, ldb, bias, K, accumulate);
    else tile8(rows, c, ldc, a, lda, b, ldb, bias, K, accumulate);
  }
}

/** Rows of the next tile when m are left: the largest tile, but the last two share, as one of 1 or 2 rows is slow. */
// @ts-expect-error: decorator
@inline
function tileRows(m: i32): i32 {
  if (ASC_FEATURE_RELAXED_SIMD) {
    if (m >= 10) return 6;
    return m == 9 ? 5 : m == 8 || m == 7 ? 4 : m;
  }
  if (m >= 7) return 4;
  return m >= 5 ? 3 : m;
}

/** The first `columns` of a tile, in the micro-kernels' order: (product + bias) + C. */
function finish(c: usize, ldc: usize, tile: usize, bias: usize, rows: i32, columns: i32, accumulate: i32): void {
  for (let r = 0; r < rows; r++) {
    for (let j: usize = 0; j < <usize>columns * 4; j += 4) {
      let sum = load<f32>(tile + j);
      if (bias) sum += load<f32>(bias + j);
      if (accumulate) sum += load<f32>(c + j);
      store<f32>(c + j, sum);
    }
    c += ldc;
    tile += PANEL_BYTES;
  }
}
