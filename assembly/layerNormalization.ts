// Layer normalization (Ba, Kiros, Hinton 2016): each row less its mean, over its standard deviation.
// Not here: statistics of columns (batchNormalization.ts).
//
// Legend: x, out, dx, dout [rows, columns]; gamma, beta, dgamma, dbeta [columns], each may be absent (0);
// stats [rows, 2] = mean, 1 / sqrt(variance + epsilon). With `rms` the mean is not taken off, but the variance is still the one
// around it: what Keras' deprecated rms_scaling computes.

import { rowSum } from "./row";
import {
  LANES, VECTOR, keep4, laneMask, load4, loadSplat, madd, nmadd, splat, storeUpTo4, sumLanes, writeUpTo4,
} from "./simd";

/** Rows whose share of dgamma and dbeta is summed in registers before it is added: a strip of them stays in the second cache. */
const ROWS: i32 = 64;

// @ts-expect-error: decorator
@inline
function rowVariance(x: usize, mean: f32, columns: i32): f32 {
  const mean4 = splat(mean);
  let total = splat(0);
  for (let n = columns; n > 0; n -= LANES, x += VECTOR) {
    const d = keep4(laneMask(n), f32x4.sub(load4(x), mean4));
    total = madd(d, d, total);
  }
  return sumLanes(total) / <f32>columns;
}

/** out = gamma (x - mean) / sqrt(variance + epsilon) + beta; stats are left for the way back. */
export function layerNormalization(
  out: usize, stats: usize, x: usize, gamma: usize, beta: usize, rows: i32, columns: i32, epsilon: f32, rms: i32,
): void {
  const stride = <usize>columns << 2;
  for (; rows > 0; rows--, out += stride, x += stride, stats += 8) {
    const mean = rowSum(x, columns) / <f32>columns;
    const inverse: f32 = 1 / sqrt<f32>(rowVariance(x, mean, columns) + epsilon);
    store<f32>(stats, mean);
    store<f32>(stats, inverse, 4);
    const shift = splat(rms ? 0 : mean);
    const inverse4 = splat(inverse);
    let n = columns;
    for (let i: usize = 0; n > 0; n -= LANES, i += VECTOR) {
      let y = f32x4.mul(f32x4.sub(load4(x + i), shift), inverse4);
      if (gamma) y = f32x4.mul(y, load4(gamma + i));
      if (beta) y = f32x4.add(y, load4(beta + i));
      storeUpTo4(out + i, y, n);
    }
  }
}

// With a = dout gamma, y = (x - shift) / s, z = (x - mean) / s: dx = (a - mean of a - z mean of a y) / s, and under rms without the
// mean of a.
// @ts-expect-error: decorator
@inline
function inputGradient(
  dx: usize, dout: usize, x: usize, stats: usize, gamma: usize, columns: i32, rms: i32,
): void {
  const mean = loadSplat(stats);
  const inverse = loadSplat(stats + 4);
  const shift = rms ? splat(0) : mean;
  let sum = splat(0);
  let product = splat(0);
  let n = columns;
  for (let i: usize = 0; n > 0; n -= LANES, i += VECTOR) {
    let a = load4(dout + i);
    if (gamma) a = f32x4.mul(a, load4(gamma + i));
    const tail = laneMask(n);
    sum = f32x4.add(sum, keep4(tail, a));
    product = f32x4.add(product, keep4(tail, f32x4.mul(a, f32x4.sub(load4(x + i), shift))));
  }
  const share: f32 = 1 / <f32>columns;
  const meanA = splat(rms ? 0 : sumLanes(sum) * share);
  const slope = f32x4.mul(splat(sumLanes(product) * share), f32x4.mul(inverse, inverse));
  n = columns;
  for (let i: usize = 0; n > 0; n -= LANES, i += VECTOR) {
    let a = load4(dout + i);
    if (gamma) a = f32x4.mul(a, load4(gamma + i));
    const inner = nmadd(f32x4.sub(load4(x + i), mean), slope, f32x4.sub(a, meanA));
    storeUpTo4(dx + i, madd(inner, inverse, load4(dx + i)), n);
  }
}

/** dgamma += sum of dout (x - shift) / s, dbeta += sum of dout, over `rows` rows. */
// @ts-expect-error: decorator
@inline
function stripGradients(
  dgamma: usize, dbeta: usize, dout: usize, x: usize, stats: usize, rows: i32, columns: i32, rms: i32,
): void {
  const stride = <usize>columns << 2;
  let n = columns;
  for (let i: usize = 0; n > 0; n -= LANES, i += VECTOR) {
    let scale = splat(0);
    let offset = splat(0);
    let at = i;
    let stat = stats;
    for (let r = 0; r < rows; r++, at += stride, stat += 8) {
      const d = load4(dout + at);
      const from = load4(x + at);
      const y = f32x4.mul(rms ? from : f32x4.sub(from, loadSplat(stat)), loadSplat(stat + 4));
      scale = madd(d, y, scale);
      offset = f32x4.add(offset, d);
    }
    if (dgamma) writeUpTo4(dgamma + i, f32x4.add(load4(dgamma + i), scale), n);
    if (dbeta) writeUpTo4(dbeta + i, f32x4.add(load4(dbeta + i), offset), n);
  }
}

/** Adds the gradients of x, gamma and beta; dx, dgamma and dbeta may each be absent (0). */
export function layerNormalizationBackward(
  dx: usize, dgamma: usize, dbeta: usize, dout: usize, x: usize, stats: usize, gamma: usize,
  rows: i32, columns: i32, rms: i32,
): void {
  const stride = <usize>columns << 2;
  for (; rows > 0; rows -= ROWS) {
    const block = min(rows, ROWS);
    if (dgamma || dbeta) stripGradients(dgamma, dbeta, dout, x, stats, block, columns, rms);
    for (let r = 0; r < block; r++, dout += stride, x += stride, stats += 8) {
      if (!dx) continue;
      inputGradient(dx, dout, x, stats, gamma, columns, rms);
      dx += stride;
    }
  }
}
