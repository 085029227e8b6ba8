// Losses of overlap: Tversky's, of which Dice's is one case, as keras.losses defines them (Salehi et al., 2017).
// Not here: losses that are a mean over elements (loss.ts).
// Shapes: yTrue, yPred, dyPred [rows, columns]; losses, dlosses [rows]. A row is all that is counted together: a whole batch by default.

import { LANES, VECTOR, keep4, laneMask, load4, madd, one4, splat, sumLanes, writeUpTo4 } from "./simd";

/** Columns summed in f32 before they go to the f64: a row may be a whole batch. */
const BLOCK: i32 = 256;

/** sum of a b, or of a (1 - b) */
// @ts-expect-error: decorator
@call
function overlap(a: usize, b: usize, n: i32, apart: bool): f64 {
  let result: f64 = 0;
  for (; n > 0; n -= BLOCK) {
    let total = splat(0);
    for (let left = min(n, BLOCK); left > 0; left -= LANES, a += VECTOR, b += VECTOR) {
      const factor = apart ? f32x4.sub(one4(), load4(b)) : load4(b);
      total = f32x4.add(total, keep4(laneMask(left), f32x4.mul(load4(a), factor)));
    }
    result += <f64>sumLanes(total);
  }
  return result;
}

/** alpha (sum of t (1 - p)) + beta (sum of p (1 - t)) */
// @ts-expect-error: decorator
@inline
function difference(yTrue: usize, yPred: usize, n: i32, alpha: f32, beta: f32): f64 {
  return <f64>alpha * overlap(yTrue, yPred, n, true) + <f64>beta * overlap(yPred, yTrue, n, true);
}

/** 1 - I / D, I = sum of t p, D = I + alpha (sum of t (1 - p)) + beta (sum of p (1 - t)) + epsilon */
export function tversky(
  losses: usize, yTrue: usize, yPred: usize, rows: i32, columns: i32, alpha: f32, beta: f32, epsilon: f32,
): void {
  const stride = <usize>columns << 2;
  for (; rows > 0; rows--, losses += 4, yTrue += stride, yPred += stride) {
    const shared = overlap(yTrue, yPred, columns, false);
    const apart = difference(yTrue, yPred, columns, alpha, beta);
    store<f32>(losses, <f32>(1 - shared / (shared + apart + <f64>epsilon)));
  }
}

/** dl/dp = (I (t (1 - alpha) + beta (1 - t)) - t D) / D^2 */
export function tverskyBackward(
  dyPred: usize, dlosses: usize, yTrue: usize, yPred: usize, rows: i32, columns: i32, alpha: f32, beta: f32, epsilon: f32,
): void {
  const stride = <usize>columns << 2;
  for (; rows > 0; rows--, dyPred += stride, dlosses += 4, yTrue += stride, yPred += stride) {
    const shared = overlap(yTrue, yPred, columns, false);
    const apart = difference(yTrue, yPred, columns, alpha, beta);
    const size = shared + apart + <f64>epsilon;
    // The slope is linear in t: from beta I / D^2 where t = 0 to ((1 - alpha) I - D) / D^2 where t = 1.
    const weight = <f64>load<f32>(dlosses) / (size * size);
    const low = <f64>beta * shared;
    const high = (1 - <f64>alpha) * shared - size;
    const offset = splat(<f32>(low * weight));
    const slope = splat(<f32>((high - low) * weight));
    let n = columns;
    for (let i: usize = 0; n > 0; n -= LANES, i += VECTOR) {
      const g = madd(load4(yTrue + i), slope, offset);
      writeUpTo4(dyPred + i, f32x4.add(load4(dyPred + i), g), n);
    }
  }
}
