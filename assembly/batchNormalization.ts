// Batch normalization (Ioffe & Szegedy 2015): the mean and variance of each column, and columns brought to mean 0 and variance 1.
// Not here: statistics of rows (layerNormalization.ts).
//
// Legend: x, out, dx, dout [rows, columns]; mean, variance, gamma, beta and their gradients [columns]; mask [rows] i32, not 0 =
// the row counts; gamma, beta, mask and any gradient may be absent (0).
// Accuracy: sums run over strips of rows in registers, then into their column, as in reduce.ts; the variance is that around the
// mean, not the difference of two large numbers.

import { LANES, VECTOR, half4, load4, madd, nmadd, one4, splat, storeUpTo4, writeUpTo4 } from "./simd";

/** Rows of a strip: it stays in the second cache, and what is worked out for a column serves all of them. */
const ROWS: i32 = 64;
/** What Keras adds to the number of rows under a mask: with none, mean and variance are 0. */
const NOT_ZERO: f32 = 1e-7;

// @ts-expect-error: decorator
@inline
function counts(mask: usize, r: i32): bool {
  return !mask || load<i32>(mask + (<usize>r << 2)) != 0;
}

// @ts-expect-error: decorator
@inline
function weight(mask: usize, rows: i32): f32 {
  if (!mask) return <f32>rows;
  let kept = 0;
  for (let r = 0; r < rows; r++) kept += i32(counts(mask, r));
  return <f32>kept + NOT_ZERO;
}

/** out = share * sum over rows of x, or with a mean of (x - mean)^2; one strip after the other. */
// @ts-expect-error: decorator
@call
function columnMean(out: usize, mean: usize, x: usize, mask: usize, rows: i32, columns: i32, share: f32): void {
  const stride = <usize>columns << 2;
  memory.fill(out, 0, stride);
  for (let first = 0; first < rows; first += ROWS, x += <usize>ROWS * stride) {
    const end = min(first + ROWS, rows);
    let n = columns;
    for (let i: usize = 0; n > 0; n -= LANES, i += VECTOR) {
      let total = splat(0);
      let at = x + i;
      if (mean) {
        const middle = load4(mean + i);
        for (let r = first; r < end; r++, at += stride) {
          if (!counts(mask, r)) continue;
          const d = f32x4.sub(load4(at), middle);
          total = madd(d, d, total);
        }
      } else {
        for (let r = first; r < end; r++, at += stride) if (counts(mask, r)) total = f32x4.add(total, load4(at));
      }
      writeUpTo4(out + i, f32x4.add(load4(out + i), total), n);
    }
  }
  const factor = splat(share);
  for (; columns > 0; columns -= LANES, out += VECTOR) writeUpTo4(out, f32x4.mul(load4(out), factor), columns);
}

/** Mean and variance of each column over the rows that count. */
export function columnMoments(mean: usize, variance: usize, x: usize, mask: usize, rows: i32, columns: i32): void {
  const share: f32 = 1 / weight(mask, rows);
  columnMean(mean, 0, x, mask, rows, columns, share);
  columnMean(variance, mean, x, mask, rows, columns, share);
}

/** dx += (dmean + 2 (x - mean) dvariance) / rows, in the rows that count. */
export function columnMomentsBackward(
  dx: usize, dmean: usize, dvariance: usize, x: usize, mean: usize, mask: usize, rows: i32, columns: i32,
): void {
  const stride = <usize>columns << 2;
  const share = splat(1 / weight(mask, rows));
  for (let first = 0; first < rows; first += ROWS, x += <usize>ROWS * stride, dx += <usize>ROWS * stride) {
    const end = min(first + ROWS, rows);
    let n = columns;
    for (let i: usize = 0; n > 0; n -= LANES, i += VECTOR) {
      const flat = dmean ? f32x4.mul(load4(dmean + i), share) : splat(0);
      const steep = dvariance ? f32x4.mul(load4(dvariance + i), f32x4.add(share, share)) : splat(0);
      const middle = load4(mean + i);
      let at = i;
      for (let r = first; r < end; r++, at += stride) {
        if (!counts(mask, r)) continue;
        const slope = madd(f32x4.sub(load4(x + at), middle), steep, flat);
        storeUpTo4(dx + at, f32x4.add(load4(dx + at), slope), n);
      }
    }
  }
}

// @ts-expect-error: decorator
@inline
function inverseRoot(variance: v128, epsilon: f32): v128 {
  return f32x4.div(one4(), f32x4.sqrt(f32x4.add(variance, splat(epsilon))));
}

/** out = gamma (x - mean) / sqrt(variance + epsilon) + beta */
export function normalizeColumns(
  out: usize, x: usize, mean: usize, variance: usize, gamma: usize, beta: usize, rows: i32, columns: i32, epsilon: f32,
): void {
  const stride = <usize>columns << 2;
  for (; rows > 0; rows -= ROWS, x += <usize>ROWS * stride, out += <usize>ROWS * stride) {
    const block = min(rows, ROWS);
    let n = columns;
    for (let i: usize = 0; n > 0; n -= LANES, i += VECTOR) {
      const middle = load4(mean + i);
      let scale = inverseRoot(load4(variance + i), epsilon);
      if (gamma) scale = f32x4.mul(scale, load4(gamma + i));
      const offset = beta ? load4(beta + i) : splat(0);
      let at = i;
      for (let r = 0; r < block; r++, at += stride) {
        storeUpTo4(out + at, madd(f32x4.sub(load4(x + at), middle), scale, offset), n);
      }
    }
  }
}

/** With z = (x - mean) / s, s = sqrt(variance + epsilon): dx += dout gamma / s, dgamma += sum of dout z, dbeta += sum of dout,
 * dmean -= sum of dout gamma / s, dvariance -= sum of dout gamma z / (2 s^2). */
export function normalizeColumnsBackward(
  dx: usize, dmean: usize, dvariance: usize, dgamma: usize, dbeta: usize, dout: usize, x: usize,
  mean: usize, variance: usize, gamma: usize, rows: i32, columns: i32, epsilon: f32,
): void {
  const stride = <usize>columns << 2;
  const strip = <usize>ROWS * stride;
  for (; rows > 0; rows -= ROWS, x += strip, dout += strip) {
    const block = min(rows, ROWS);
    let n = columns;
    for (let i: usize = 0; n > 0; n -= LANES, i += VECTOR) {
      const middle = load4(mean + i);
      const inverse = inverseRoot(load4(variance + i), epsilon);
      const scale = gamma ? f32x4.mul(inverse, load4(gamma + i)) : inverse;
      let sum = splat(0);
      let product = splat(0);
      let at = i;
      for (let r = 0; r < block; r++, at += stride) {
        const d = load4(dout + at);
        sum = f32x4.add(sum, d);
        product = madd(d, f32x4.sub(load4(x + at), middle), product);
        if (dx) storeUpTo4(dx + at, madd(d, scale, load4(dx + at)), n);
      }
      product = f32x4.mul(product, inverse);
      if (dgamma) writeUpTo4(dgamma + i, f32x4.add(load4(dgamma + i), product), n);
      if (dbeta) writeUpTo4(dbeta + i, f32x4.add(load4(dbeta + i), sum), n);
      if (dmean) writeUpTo4(dmean + i, nmadd(sum, scale, load4(dmean + i)), n);
      if (dvariance) {
        const slope = f32x4.mul(f32x4.mul(product, scale), f32x4.mul(inverse, half4()));
        writeUpTo4(dvariance + i, f32x4.sub(load4(dvariance + i), slope), n);
      }
    }
    if (dx) dx += strip;
  }
}

/** out = average * kept + value * share; out may be average. */
export function movingAverage(out: usize, average: usize, value: usize, kept: f32, share: f32, n: i32): void {
  const kept4 = splat(kept);
  const share4 = splat(share);
  for (; n > 0; n -= LANES, out += VECTOR, average += VECTOR, value += VECTOR) {
    writeUpTo4(out, f32x4.add(f32x4.mul(load4(average), kept4), f32x4.mul(load4(value), share4)), n);
  }
}
