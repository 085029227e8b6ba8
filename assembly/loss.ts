// Losses that compare element with element, one number a row, as keras.losses defines them, each with its gradient.
// Not here: crossentropy.ts, focal.ts, overlap.ts, categoricalHinge.ts, cosine.ts, and the mean over the batch: weightedSum (reduce.ts).
//
// Shapes: yTrue, yPred, dyPred [rows, columns]; losses, dlosses [rows].
// Forward   name(losses, yTrue, yPred, rows, columns[, parameter])               losses[r] = mean over c of l(yTrue, yPred)
// One loop for all of them: `kind` is looked at for every vector, which costs less than ten loops weigh.
// Backward  nameBackward(dyPred, dlosses, yTrue, yPred, rows, columns[, parameter])   dyPred += dlosses[r] * dl/dyPred / columns

import { log1pExpMinusAbs4, log4, calledTanh4 } from "./math";
import {
  LANES, VECTOR, atLeast, atMost, half4, keep4, laneMask, load4, loadTail, madd, one4, splat, storeUpTo4, sumLanes,
} from "./simd";

const enum Loss {
  Squared,
  Absolute,
  Percentage,
  SquaredLog,
  Huber,
  LogCosh,
  Poisson,
  Divergence,
  Hinge,
  SquaredHinge,
}

/** Keras' backend.epsilon(). */
const EPSILON: f32 = 1e-7;
const LOG2: f32 = 0.69314718056;

/** -1, 0 or 1. */
// @ts-expect-error: decorator
@inline
function sign(x: v128): v128 {
  const one = one4();
  return f32x4.sub(keep4(f32x4.gt(x, splat(0)), one), keep4(f32x4.lt(x, splat(0)), one));
}

/** log(max(x, epsilon) + 1) */
// @ts-expect-error: decorator
@inline
function logPlusOne(x: v128): v128 {
  return log4(f32x4.add(atLeast(x, splat(EPSILON)), one4()));
}

// @ts-expect-error: decorator
@inline
function clipped(x: v128): v128 {
  return atMost(atLeast(x, splat(EPSILON)), one4());
}

/** l(t, p); t = yTrue, p = yPred. */
// @ts-expect-error: decorator
@inline
function value(kind: Loss, t: v128, p: v128, delta: f32): v128 {
  const d = f32x4.sub(p, t);
  if (kind == Loss.Squared) return f32x4.mul(d, d);
  if (kind == Loss.Absolute) return f32x4.abs(d);
  if (kind == Loss.Percentage) {
    return f32x4.mul(splat(100), f32x4.abs(f32x4.div(d, atLeast(f32x4.abs(t), splat(EPSILON)))));
  }
  if (kind == Loss.SquaredLog) {
    const e = f32x4.sub(logPlusOne(p), logPlusOne(t));
    return f32x4.mul(e, e);
  }
  if (kind == Loss.Huber) {
    // (d^2)/2 up to delta, a line of slope delta from there: m (|d| - m/2) with m = min(|d|, delta) is both.
    const size = f32x4.abs(d);
    const m = atMost(size, splat(delta));
    return f32x4.mul(m, f32x4.sub(size, f32x4.mul(m, half4())));
  }
  if (kind == Loss.LogCosh) {
    return f32x4.sub(f32x4.add(f32x4.abs(d), log1pExpMinusAbs4(f32x4.add(d, d))), splat(LOG2));
  }
  if (kind == Loss.Poisson) return f32x4.sub(p, f32x4.mul(t, log4(f32x4.add(p, splat(EPSILON)))));
  if (kind == Loss.Divergence) return f32x4.mul(clipped(t), log4(f32x4.div(clipped(t), clipped(p))));
  const margin = atLeast(f32x4.sub(one4(), f32x4.mul(t, p)), splat(0));
  return kind == Loss.Hinge ? margin : f32x4.mul(margin, margin);
}

/** 1 where x > 0, 1/2 where x = 0: Keras' share of a gradient in max(x, 0). */
// @ts-expect-error: decorator
@inline
function positive(x: v128): v128 {
  const half = half4();
  return f32x4.add(keep4(f32x4.gt(x, splat(0)), half), keep4(f32x4.ge(x, splat(0)), half));
}

/** dl/dp; of the hinge losses its negative */
// @ts-expect-error: decorator
@inline
function slope(kind: Loss, t: v128, p: v128, delta: f32): v128 {
  const d = f32x4.sub(p, t);
  if (kind == Loss.Squared) return f32x4.add(d, d);
  if (kind == Loss.Absolute) return sign(d);
  if (kind == Loss.Percentage) {
    return f32x4.div(f32x4.mul(splat(100), sign(d)), atLeast(f32x4.abs(t), splat(EPSILON)));
  }
  if (kind == Loss.SquaredLog) {
    const e = f32x4.sub(logPlusOne(p), logPlusOne(t));
    return keep4(f32x4.gt(p, splat(EPSILON)), f32x4.div(f32x4.add(e, e), f32x4.add(p, one4())));
  }
  if (kind == Loss.Huber) return atMost(atLeast(d, splat(-delta)), splat(delta));
  if (kind == Loss.LogCosh) return calledTanh4(d);
  if (kind == Loss.Poisson) return f32x4.sub(one4(), f32x4.div(t, f32x4.add(p, splat(EPSILON))));
  if (kind == Loss.Divergence) {
    const within = v128.and(f32x4.ge(p, splat(EPSILON)), f32x4.le(p, one4()));
    return keep4(within, f32x4.neg(f32x4.div(clipped(t), p)));
  }
  const margin = f32x4.sub(one4(), f32x4.mul(t, p));
  return f32x4.mul(t, kind == Loss.Hinge ? positive(margin) : f32x4.mul(splat(2), atLeast(margin, splat(0))));
}

/**
 * Labels of the hinge losses are -1 and 1; if every one of the batch is 0 or 1, Keras takes 2y - 1. This is the factor, 1 or 2; 0 for
 * the other losses. A batch split among threads gives the same, unless only some shards have labels other than 0 and 1.
 */
// @ts-expect-error: decorator
@call
function labelFactor(kind: Loss, yTrue: usize, n: i32): f32 {
  if (kind < Loss.Hinge) return 0;
  let others = splat(0);
  for (; n > 0; n -= LANES, yTrue += VECTOR) {
    const t = n >= LANES ? load4(yTrue) : loadTail(yTrue, n);
    others = v128.or(others, v128.and(f32x4.ne(t, splat(0)), f32x4.ne(t, one4())));
  }
  return v128.any_true(others) ? 1 : 2;
}

// @ts-expect-error: decorator
@inline
function target(yTrue: usize, factor: f32): v128 {
  const t = load4(yTrue);
  return factor ? f32x4.add(f32x4.mul(t, splat(factor)), splat(1 - factor)) : t;
}

function map(kind: Loss, losses: usize, yTrue: usize, yPred: usize, rows: i32, columns: i32, delta: f32 = 0): void {
  const stride = <usize>columns << 2;
  const share: f32 = kind == Loss.Divergence ? 1 : 1 / <f32>columns;
  const factor = labelFactor(kind, yTrue, rows * columns);
  for (; rows > 0; rows--, losses += 4, yTrue += stride, yPred += stride) {
    let total = splat(0);
    let n = columns;
    for (let i: usize = 0; n > 0; n -= LANES, i += VECTOR) {
      const l = value(kind, target(yTrue + i, factor), load4(yPred + i), delta);
      total = f32x4.add(total, keep4(laneMask(n), l));
    }
    const sum = sumLanes(total);
    store<f32>(losses, factor ? sum / <f32>columns : sum * share);
  }
}

function mapBackward(
  kind: Loss, dyPred: usize, dlosses: usize, yTrue: usize, yPred: usize, rows: i32, columns: i32, delta: f32 = 0,
): void {
  const stride = <usize>columns << 2;
  const share: f32 = kind == Loss.Divergence ? 1 : 1 / <f32>columns;
  const factor = labelFactor(kind, yTrue, rows * columns);
  for (; rows > 0; rows--, dyPred += stride, dlosses += 4, yTrue += stride, yPred += stride) {
    const d = load<f32>(dlosses);
    const weight = splat(factor ? -d / <f32>columns : d * share);
    let n = columns;
    for (let i: usize = 0; n > 0; n -= LANES, i += VECTOR) {
      const g = slope(kind, target(yTrue + i, factor), load4(yPred + i), delta);
      storeUpTo4(dyPred + i, madd(g, weight, load4(dyPred + i)), n);
    }
  }
}

/** (p - t)^2 */
export function meanSquaredError(losses: usize, yTrue: usize, yPred: usize, rows: i32, columns: i32): void {
  map(Loss.Squared, losses, yTrue, yPred, rows, columns);
}
export function meanSquaredErrorBackward(
  dyPred: usize, dlosses: usize, yTrue: usize, yPred: usize, rows: i32, columns: i32,
): void {
  mapBackward(Loss.Squared, dyPred, dlosses, yTrue, yPred, rows, columns);
}

/** |p - t| */
export function meanAbsoluteError(losses: usize, yTrue: usize, yPred: usize, rows: i32, columns: i32): void {
  map(Loss.Absolute, losses, yTrue, yPred, rows, columns);
}
export function meanAbsoluteErrorBackward(
  dyPred: usize, dlosses: usize, yTrue: usize, yPred: usize, rows: i32, columns: i32,
): void {
  mapBackward(Loss.Absolute, dyPred, dlosses, yTrue, yPred, rows, columns);
}

/** 100 |p - t| / max(|t|, 1e-7) */
export function meanAbsolutePercentageError(losses: usize, yTrue: usize, yPred: usize, rows: i32, columns: i32): void {
  map(Loss.Percentage, losses, yTrue, yPred, rows, columns);
}
export function meanAbsolutePercentageErrorBackward(
  dyPred: usize, dlosses: usize, yTrue: usize, yPred: usize, rows: i32, columns: i32,
): void {
  mapBackward(Loss.Percentage, dyPred, dlosses, yTrue, yPred, rows, columns);
}

/** (log(max(p, 1e-7) + 1) - log(max(t, 1e-7) + 1))^2 */
export function meanSquaredLogarithmicError(losses: usize, yTrue: usize, yPred: usize, rows: i32, columns: i32): void {
  map(Loss.SquaredLog, losses, yTrue, yPred, rows, columns);
}
export function meanSquaredLogarithmicErrorBackward(
  dyPred: usize, dlosses: usize, yTrue: usize, yPred: usize, rows: i32, columns: i32,
): void {
  mapBackward(Loss.SquaredLog, dyPred, dlosses, yTrue, yPred, rows, columns);
}

/** d^2 / 2 for |d| <= delta, delta |d| - delta^2 / 2 beyond; d = p - t */
export function huber(losses: usize, yTrue: usize, yPred: usize, rows: i32, columns: i32, delta: f32): void {
  map(Loss.Huber, losses, yTrue, yPred, rows, columns, delta);
}
export function huberBackward(
  dyPred: usize, dlosses: usize, yTrue: usize, yPred: usize, rows: i32, columns: i32, delta: f32,
): void {
  mapBackward(Loss.Huber, dyPred, dlosses, yTrue, yPred, rows, columns, delta);
}

/** log(cosh(p - t)) */
export function logCosh(losses: usize, yTrue: usize, yPred: usize, rows: i32, columns: i32): void {
  map(Loss.LogCosh, losses, yTrue, yPred, rows, columns);
}
export function logCoshBackward(
  dyPred: usize, dlosses: usize, yTrue: usize, yPred: usize, rows: i32, columns: i32,
): void {
  mapBackward(Loss.LogCosh, dyPred, dlosses, yTrue, yPred, rows, columns);
}

/** p - t log(p + 1e-7) */
export function poisson(losses: usize, yTrue: usize, yPred: usize, rows: i32, columns: i32): void {
  map(Loss.Poisson, losses, yTrue, yPred, rows, columns);
}
export function poissonBackward(
  dyPred: usize, dlosses: usize, yTrue: usize, yPred: usize, rows: i32, columns: i32,
): void {
  mapBackward(Loss.Poisson, dyPred, dlosses, yTrue, yPred, rows, columns);
}

/** t log(t / p), both clipped to [1e-7, 1]; the sum over the columns, not the mean */
export function kullbackLeiblerDivergence(losses: usize, yTrue: usize, yPred: usize, rows: i32, columns: i32): void {
  map(Loss.Divergence, losses, yTrue, yPred, rows, columns);
}
export function kullbackLeiblerDivergenceBackward(
  dyPred: usize, dlosses: usize, yTrue: usize, yPred: usize, rows: i32, columns: i32,
): void {
  mapBackward(Loss.Divergence, dyPred, dlosses, yTrue, yPred, rows, columns);
}

/** max(1 - t p, 0) */
export function hinge(losses: usize, yTrue: usize, yPred: usize, rows: i32, columns: i32): void {
  map(Loss.Hinge, losses, yTrue, yPred, rows, columns);
}
export function hingeBackward(
  dyPred: usize, dlosses: usize, yTrue: usize, yPred: usize, rows: i32, columns: i32,
): void {
  mapBackward(Loss.Hinge, dyPred, dlosses, yTrue, yPred, rows, columns);
}

/** max(1 - t p, 0)^2 */
export function squaredHinge(losses: usize, yTrue: usize, yPred: usize, rows: i32, columns: i32): void {
  map(Loss.SquaredHinge, losses, yTrue, yPred, rows, columns);
}
export function squaredHingeBackward(
  dyPred: usize, dlosses: usize, yTrue: usize, yPred: usize, rows: i32, columns: i32,
): void {
  mapBackward(Loss.SquaredHinge, dyPred, dlosses, yTrue, yPred, rows, columns);
}
