// Focal cross-entropies, as keras.losses defines them: what is predicted well already counts less (Lin et al., 2017).
// Not here: the plain cross-entropies (crossentropy.ts). Logits come here as probabilities.
//
// Shapes: yTrue, yPred, dyPred [rows, columns]; losses, dlosses [rows]. Forward writes losses, backward adds to dyPred.

import { calledExp4, log4 } from "./math";
import { clipped, smoothed, unclipped } from "./probability";
import { rowSum } from "./row";
import { LANES, VECTOR, atLeast, keep4, laneMask, load4, madd, one4, splat, sumLanes, writeUpTo4 } from "./simd";

/** x^gamma: by multiplication for small whole exponents, which are the usual ones; otherwise 0 where x <= 0. */
function power(x: v128, gamma: f32): v128 {
  if (gamma >= 0 && gamma <= 8 && gamma == nearest<f32>(gamma)) {
    let y = one4();
    for (let k = <i32>gamma; k > 0; k--) y = f32x4.mul(y, x);
    return y;
  }
  const y = calledExp4(f32x4.mul(splat(gamma), log4(atLeast(x, splat(1e-30)))));
  return keep4(f32x4.gt(x, splat(0)), y);
}

/** 1 - x */
// @ts-expect-error: decorator
@inline
function rest(x: v128): v128 {
  return f32x4.sub(one4(), x);
}

/** a t + b (1 - t) */
// @ts-expect-error: decorator
@inline
function mixed(t: v128, a: v128, b: v128): v128 {
  return f32x4.add(f32x4.mul(t, a), f32x4.mul(rest(t), b));
}

/** -t log q - (1 - t) log(1 - q) */
function entropy(t: v128, q: v128): v128 {
  return f32x4.neg(mixed(t, log4(q), log4(rest(q))));
}

/**
 * mean over c of w m^gamma H: m = t (1 - p) + (1 - t) p is the miss, H the cross-entropy, w = t yes + (1 - t) no,
 * t = y (1 - labelSmoothing) + labelSmoothing/2
 */
export function binaryFocalCrossentropy(
  losses: usize, yTrue: usize, yPred: usize, rows: i32, columns: i32,
  labelSmoothing: f32, gamma: f32, yes: f32, no: f32,
): void {
  const stride = <usize>columns << 2;
  for (; rows > 0; rows--, losses += 4, yTrue += stride, yPred += stride) {
    let total = splat(0);
    let n = columns;
    for (let i: usize = 0; n > 0; n -= LANES, i += VECTOR) {
      const t = smoothed(yTrue + i, labelSmoothing * 0.5, labelSmoothing);
      const p = load4(yPred + i);
      const focus = power(mixed(t, rest(p), p), gamma);
      const l = f32x4.mul(mixed(t, splat(yes), splat(no)), f32x4.mul(focus, entropy(t, clipped(p))));
      total = f32x4.add(total, keep4(laneMask(n), l));
    }
    store<f32>(losses, sumLanes(total) / <f32>columns);
  }
}

/** dl/dp = w m^(gamma - 1) ((1 - 2t) gamma H + m (q - t) / (q (1 - q))), the last only where q is not clipped. */
export function binaryFocalCrossentropyBackward(
  dyPred: usize, dlosses: usize, yTrue: usize, yPred: usize, rows: i32, columns: i32,
  labelSmoothing: f32, gamma: f32, yes: f32, no: f32,
): void {
  const stride = <usize>columns << 2;
  for (; rows > 0; rows--, dyPred += stride, dlosses += 4, yTrue += stride, yPred += stride) {
    const weight = splat(load<f32>(dlosses) / <f32>columns);
    let n = columns;
    for (let i: usize = 0; n > 0; n -= LANES, i += VECTOR) {
      const t = smoothed(yTrue + i, labelSmoothing * 0.5, labelSmoothing);
      const p = load4(yPred + i);
      const q = clipped(p);
      const miss = mixed(t, rest(p), p);
      const slope = keep4(unclipped(p), f32x4.div(f32x4.sub(q, t), f32x4.mul(q, rest(q))));
      const turn = f32x4.mul(f32x4.mul(f32x4.sub(rest(t), t), splat(gamma)), entropy(t, q));
      const focus = f32x4.mul(mixed(t, splat(yes), splat(no)), power(miss, gamma - 1));
      const g = f32x4.mul(focus, madd(miss, slope, turn));
      writeUpTo4(dyPred + i, madd(g, weight, load4(dyPred + i)), n);
    }
  }
}

/** - sum over c of alpha (1 - q)^gamma t log q, q = p / sum of p, t = y (1 - labelSmoothing) + labelSmoothing / columns */
export function categoricalFocalCrossentropy(
  losses: usize, yTrue: usize, yPred: usize, rows: i32, columns: i32, labelSmoothing: f32, gamma: f32, alpha: f32,
): void {
  const stride = <usize>columns << 2;
  const offset = labelSmoothing / <f32>columns;
  for (; rows > 0; rows--, losses += 4, yTrue += stride, yPred += stride) {
    const size = splat(rowSum(yPred, columns));
    let total = splat(0);
    let n = columns;
    for (let i: usize = 0; n > 0; n -= LANES, i += VECTOR) {
      const q = clipped(f32x4.div(load4(yPred + i), size));
      const l = f32x4.mul(smoothed(yTrue + i, offset, labelSmoothing), f32x4.mul(power(rest(q), gamma), log4(q)));
      total = f32x4.add(total, keep4(laneMask(n), l));
    }
    store<f32>(losses, -alpha * sumLanes(total));
  }
}

/** h = dl/dq = t (1 - q)^(gamma - 1) (gamma log q - (1 - q) / q), without alpha; 0 where q is clipped. */
function classSlope(t: v128, q: v128, gamma: f32): v128 {
  const r = clipped(q);
  const m = rest(r);
  const h = f32x4.sub(f32x4.mul(splat(gamma), log4(r)), f32x4.div(m, r));
  return keep4(unclipped(q), f32x4.mul(f32x4.mul(t, power(m, gamma - 1)), h));
}

/** dl/dp = alpha (h - sum of h q) / sum of p */
export function categoricalFocalCrossentropyBackward(
  dyPred: usize, dlosses: usize, yTrue: usize, yPred: usize, rows: i32, columns: i32,
  labelSmoothing: f32, gamma: f32, alpha: f32,
): void {
  const stride = <usize>columns << 2;
  const offset = labelSmoothing / <f32>columns;
  for (; rows > 0; rows--, dyPred += stride, dlosses += 4, yTrue += stride, yPred += stride) {
    const sum = rowSum(yPred, columns);
    const size = splat(sum);
    let total = splat(0);
    let n = columns;
    for (let i: usize = 0; n > 0; n -= LANES, i += VECTOR) {
      const q = f32x4.div(load4(yPred + i), size);
      const h = classSlope(smoothed(yTrue + i, offset, labelSmoothing), q, gamma);
      total = f32x4.add(total, keep4(laneMask(n), f32x4.mul(h, q)));
    }
    const shared = splat(sumLanes(total));
    const weight = splat((load<f32>(dlosses) * alpha) / sum);
    n = columns;
    for (let i: usize = 0; n > 0; n -= LANES, i += VECTOR) {
      const q = f32x4.div(load4(yPred + i), size);
      const h = classSlope(smoothed(yTrue + i, offset, labelSmoothing), q, gamma);
      writeUpTo4(dyPred + i, madd(f32x4.sub(h, shared), weight, load4(dyPred + i)), n);
    }
  }
}
