// The hinge losses, as keras.losses defines them.
// Not here: other losses over elements (loss.ts), the cross-entropies (crossentropy.ts).
// Shapes: yTrue, yPred, dyPred [rows, columns]; losses, dlosses [rows].

import { rowDot } from "./row";
import {
  LANES, VECTOR, atLeast, half4, keep4, laneMask, load4, loadTail, madd, maxLanes, one4, select4, splat, storeUpTo4, sumLanes,
} from "./simd";

/**
 * Labels are -1 and 1; if every one of the batch is 0 or 1, Keras takes 2y - 1. This is the factor, 1 or 2. A batch split
 * among threads gives the same, unless only some shards have labels other than 0 and 1.
 */
function labelFactor(yTrue: usize, n: i32): f32 {
  let others = splat(0);
  for (; n > 0; n -= LANES, yTrue += VECTOR) {
    const t = n >= LANES ? load4(yTrue) : loadTail(yTrue, n);
    others = v128.or(others, v128.and(f32x4.ne(t, splat(0)), f32x4.ne(t, one4())));
  }
  return v128.any_true(others) ? 1 : 2;
}

// @ts-expect-error: decorator
@inline
function labels(yTrue: usize, factor: f32): v128 {
  return f32x4.add(f32x4.mul(load4(yTrue), splat(factor)), splat(1 - factor));
}

function mean(squared: bool, losses: usize, yTrue: usize, yPred: usize, rows: i32, columns: i32): void {
  const stride = <usize>columns << 2;
  const factor = labelFactor(yTrue, rows * columns);
  for (; rows > 0; rows--, losses += 4, yTrue += stride, yPred += stride) {
    let total = splat(0);
    let n = columns;
    for (let i: usize = 0; n > 0; n -= LANES, i += VECTOR) {
      const product = f32x4.mul(labels(yTrue + i, factor), load4(yPred + i));
      const margin = atLeast(f32x4.sub(one4(), product), splat(0));
      total = f32x4.add(total, keep4(laneMask(n), squared ? f32x4.mul(margin, margin) : margin));
    }
    store<f32>(losses, sumLanes(total) / <f32>columns);
  }
}

function meanBackward(
  squared: bool, dyPred: usize, dlosses: usize, yTrue: usize, yPred: usize, rows: i32, columns: i32,
): void {
  const stride = <usize>columns << 2;
  const factor = labelFactor(yTrue, rows * columns);
  for (; rows > 0; rows--, dyPred += stride, dlosses += 4, yTrue += stride, yPred += stride) {
    const weight = splat(-load<f32>(dlosses) / <f32>columns);
    let n = columns;
    for (let i: usize = 0; n > 0; n -= LANES, i += VECTOR) {
      const t = labels(yTrue + i, factor);
      const margin = f32x4.sub(one4(), f32x4.mul(t, load4(yPred + i)));
      const steep = squared ? f32x4.mul(splat(2), atLeast(margin, splat(0))) : positive(margin);
      storeUpTo4(dyPred + i, madd(f32x4.mul(t, steep), weight, load4(dyPred + i)), n);
    }
  }
}

/** 1 where x > 0, 1/2 where x = 0: Keras' share of a gradient in max(x, 0). */
// @ts-expect-error: decorator
@inline
function positive(x: v128): v128 {
  const half = half4();
  return f32x4.add(keep4(f32x4.gt(x, splat(0)), half), keep4(f32x4.ge(x, splat(0)), half));
}

/** mean over c of max(1 - t p, 0) */
export function hinge(losses: usize, yTrue: usize, yPred: usize, rows: i32, columns: i32): void {
  mean(false, losses, yTrue, yPred, rows, columns);
}
export function hingeBackward(
  dyPred: usize, dlosses: usize, yTrue: usize, yPred: usize, rows: i32, columns: i32,
): void {
  meanBackward(false, dyPred, dlosses, yTrue, yPred, rows, columns);
}

/** mean over c of max(1 - t p, 0)^2 */
export function squaredHinge(losses: usize, yTrue: usize, yPred: usize, rows: i32, columns: i32): void {
  mean(true, losses, yTrue, yPred, rows, columns);
}
export function squaredHingeBackward(
  dyPred: usize, dlosses: usize, yTrue: usize, yPred: usize, rows: i32, columns: i32,
): void {
  meanBackward(true, dyPred, dlosses, yTrue, yPred, rows, columns);
}

/** (1 - t) p */
// @ts-expect-error: decorator
@inline
function wrong(yTrue: usize, yPred: usize): v128 {
  return f32x4.mul(f32x4.sub(one4(), load4(yTrue)), load4(yPred));
}

/** Largest (1 - t) p of the row. */
// @ts-expect-error: decorator
@inline
function worst(yTrue: usize, yPred: usize, n: i32): f32 {
  let top = splat(-Infinity);
  for (; n > 0; n -= LANES, yTrue += VECTOR, yPred += VECTOR) {
    top = f32x4.max(top, select4(laneMask(n), wrong(yTrue, yPred), splat(-Infinity)));
  }
  return maxLanes(top);
}

/** max(largest (1 - t) p - sum of t p + 1, 0) */
export function categoricalHinge(losses: usize, yTrue: usize, yPred: usize, rows: i32, columns: i32): void {
  const stride = <usize>columns << 2;
  for (; rows > 0; rows--, losses += 4, yTrue += stride, yPred += stride) {
    const margin = worst(yTrue, yPred, columns) - rowDot(yTrue, yPred, columns) + 1;
    store<f32>(losses, max<f32>(margin, 0));
  }
}

/** Columns that tie for the largest share its gradient; a margin of exactly 0 passes half of it on. */
export function categoricalHingeBackward(
  dyPred: usize, dlosses: usize, yTrue: usize, yPred: usize, rows: i32, columns: i32,
): void {
  const stride = <usize>columns << 2;
  for (; rows > 0; rows--, dyPred += stride, dlosses += 4, yTrue += stride, yPred += stride) {
    const top = worst(yTrue, yPred, columns);
    const margin = top - rowDot(yTrue, yPred, columns) + 1;
    if (margin < 0) continue;
    const weight = margin == 0 ? load<f32>(dlosses) * 0.5 : load<f32>(dlosses);
    let ties = splat(0);
    let n = columns;
    for (let i: usize = 0; n > 0; n -= LANES, i += VECTOR) {
      const tie = v128.and(laneMask(n), f32x4.eq(wrong(yTrue + i, yPred + i), splat(top)));
      ties = f32x4.add(ties, keep4(tie, one4()));
    }
    const share = splat(1 / sumLanes(ties));
    n = columns;
    for (let i: usize = 0; n > 0; n -= LANES, i += VECTOR) {
      const t = load4(yTrue + i);
      const tie = keep4(f32x4.eq(wrong(yTrue + i, yPred + i), splat(top)), share);
      const g = f32x4.sub(f32x4.mul(f32x4.sub(one4(), t), tie), t);
      storeUpTo4(dyPred + i, madd(g, splat(weight), load4(dyPred + i)), n);
    }
  }
}
