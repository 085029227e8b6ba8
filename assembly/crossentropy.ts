// Cross-entropies as Keras 3 computes them, from probabilities (normalized and clipped first) or from logits.
// Not here: focal losses (focal.ts), other losses (loss.ts, categoricalHinge.ts, cosine.ts), softmax as a layer (softmax.ts).
//
// Shapes: yTrue, yPred, dyPred [rows, columns]; labels i32 [rows]; losses, dlosses [rows].
// Forward writes losses, backward adds to dyPred. A label outside [0, columns) counts as no class: loss and gradient 0.
// Where yPred is a softmax, `…SoftmaxBackward` writes the gradient of what went into it.

import { exp4, log1pExpMinusAbs4, log4, logScalar, sigmoid4 } from "./math";
import { clipped, smoothed, unclipped } from "./probability";
import { rowExpSum, rowMax, rowSum } from "./row";
import {
  LANES, VECTOR, atLeast, count4, keep4, laneMask, load4, madd, one4, splat, storeUpTo4, sumLanes,
} from "./simd";

// ---- binary: every column is a question of its own ------------------------------------------------------------------

function binary(
  logits: bool, losses: usize, yTrue: usize, yPred: usize, rows: i32, columns: i32, labelSmoothing: f32,
): void {
  const stride = <usize>columns << 2;
  for (; rows > 0; rows--, losses += 4, yTrue += stride, yPred += stride) {
    let total = splat(0);
    let n = columns;
    for (let i: usize = 0; n > 0; n -= LANES, i += VECTOR) {
      const t = smoothed(yTrue + i, labelSmoothing * 0.5, labelSmoothing);
      let l: v128;
      if (logits) {
        // -t log s(x) - (1 - t) log(1 - s(x)) = max(x, 0) - t x + log(1 + e^-|x|)
        const x = load4(yPred + i);
        l = f32x4.add(f32x4.sub(atLeast(x, splat(0)), f32x4.mul(t, x)), log1pExpMinusAbs4(x));
      } else {
        const p = clipped(load4(yPred + i));
        const no = log4(f32x4.sub(one4(), p));
        l = f32x4.neg(f32x4.add(f32x4.mul(t, log4(p)), f32x4.mul(f32x4.sub(one4(), t), no)));
      }
      total = f32x4.add(total, keep4(laneMask(n), l));
    }
    store<f32>(losses, sumLanes(total) / <f32>columns);
  }
}

function binaryBackward(
  logits: bool, dyPred: usize, dlosses: usize, yTrue: usize, yPred: usize, rows: i32, columns: i32, labelSmoothing: f32,
): void {
  const stride = <usize>columns << 2;
  for (; rows > 0; rows--, dyPred += stride, dlosses += 4, yTrue += stride, yPred += stride) {
    const weight = splat(load<f32>(dlosses) / <f32>columns);
    let n = columns;
    for (let i: usize = 0; n > 0; n -= LANES, i += VECTOR) {
      const t = smoothed(yTrue + i, labelSmoothing * 0.5, labelSmoothing);
      const p = load4(yPred + i);
      let g: v128;
      if (logits) g = f32x4.sub(sigmoid4(p), t);
      else g = keep4(unclipped(p), f32x4.div(f32x4.sub(p, t), f32x4.mul(p, f32x4.sub(one4(), p))));
      storeUpTo4(dyPred + i, madd(g, weight, load4(dyPred + i)), n);
    }
  }
}

/** mean over c of -t log p - (1 - t) log(1 - p), t = y (1 - labelSmoothing) + labelSmoothing/2 */
export function binaryCrossentropy(
  losses: usize, yTrue: usize, yPred: usize, rows: i32, columns: i32, labelSmoothing: f32,
): void {
  binary(false, losses, yTrue, yPred, rows, columns, labelSmoothing);
}
export function binaryCrossentropyBackward(
  dyPred: usize, dlosses: usize, yTrue: usize, yPred: usize, rows: i32, columns: i32, labelSmoothing: f32,
): void {
  binaryBackward(false, dyPred, dlosses, yTrue, yPred, rows, columns, labelSmoothing);
}

/** The same with p = sigmoid(yPred), without ever forming p. */
export function binaryCrossentropyLogits(
  losses: usize, yTrue: usize, yPred: usize, rows: i32, columns: i32, labelSmoothing: f32,
): void {
  binary(true, losses, yTrue, yPred, rows, columns, labelSmoothing);
}
export function binaryCrossentropyLogitsBackward(
  dyPred: usize, dlosses: usize, yTrue: usize, yPred: usize, rows: i32, columns: i32, labelSmoothing: f32,
): void {
  binaryBackward(true, dyPred, dlosses, yTrue, yPred, rows, columns, labelSmoothing);
}

// ---- categorical: the columns of a row are the classes --------------------------------------------------------------

/** Target of the four classes from column `c` on: yTrue smoothed, or 1 at the row's label. */
// @ts-expect-error: decorator
@inline
function target(sparse: bool, truth: usize, c: i32, columns: i32, labelSmoothing: f32): v128 {
  if (!sparse) return smoothed(truth + (<usize>c << 2), labelSmoothing / <f32>columns, labelSmoothing);
  const class4 = i32x4.add(i32x4.splat(c), count4());
  return keep4(i32x4.eq(class4, i32x4.splat(load<i32>(truth))), one4());
}

/** Bytes from one row of the truth to the next. */
// @ts-expect-error: decorator
@inline
function truthStride(sparse: bool, columns: i32): usize {
  return sparse ? 4 : <usize>columns << 2;
}

function categorical(
  logits: bool, sparse: bool, losses: usize, truth: usize, yPred: usize, rows: i32, columns: i32, labelSmoothing: f32,
): void {
  const stride = <usize>columns << 2;
  for (; rows > 0; rows--, losses += 4, truth += truthStride(sparse, columns), yPred += stride) {
    const top = logits ? rowMax(yPred, columns) : 0;
    const size = logits ? logScalar(rowExpSum(yPred, top, columns)) : rowSum(yPred, columns);
    let total = splat(0);
    // With labels only the vector that holds the label counts.
    let c = sparse ? load<i32>(truth) & ~3 : 0;
    const end = sparse ? (<u32>c < <u32>columns ? c + 1 : c) : columns;
    for (; c < end; c += LANES) {
      const p = load4(yPred + (<usize>c << 2));
      // -log of the probability
      const cost = logits
        ? f32x4.add(f32x4.sub(splat(top), p), splat(size))
        : f32x4.neg(log4(clipped(f32x4.div(p, splat(size)))));
      const t = target(sparse, truth, c, columns, labelSmoothing);
      const l = sparse ? keep4(f32x4.gt(t, splat(0)), cost) : f32x4.mul(t, cost);
      total = f32x4.add(total, keep4(laneMask(columns - c), l));
    }
    store<f32>(losses, sumLanes(total));
  }
}

/** The sum of a row's targets: for probabilities, of those whose q = p / size is not clipped. */
function targets(logits: bool, sparse: bool, truth: usize, yPred: usize, size: v128, columns: i32, labelSmoothing: f32): f32 {
  let total = splat(0);
  // With labels only the vector that holds the label counts.
  let c = sparse ? load<i32>(truth) & ~3 : 0;
  const end = sparse ? (<u32>c < <u32>columns ? c + 1 : c) : columns;
  for (; c < end; c += LANES) {
    let t = target(sparse, truth, c, columns, labelSmoothing);
    if (!logits) t = keep4(unclipped(f32x4.div(load4(yPred + (<usize>c << 2)), size)), t);
    total = f32x4.add(total, keep4(laneMask(columns - c), t));
  }
  return sumLanes(total);
}

/**
 * Probabilities: q = p / S, S = sum of p: dL/dp = (T - t/q) / S, where t/q and its share in T = sum of t fall away if q is
 * clipped. Logits: dL/dx = T softmax(x) - t.
 */
function categoricalBackward(
  logits: bool, sparse: bool, dyPred: usize, dlosses: usize, truth: usize, yPred: usize, rows: i32, columns: i32,
  labelSmoothing: f32,
): void {
  const stride = <usize>columns << 2;
  for (; rows > 0; rows--, dyPred += stride, dlosses += 4, truth += truthStride(sparse, columns), yPred += stride) {
    const top = logits ? rowMax(yPred, columns) : 0;
    const size = splat(logits ? rowExpSum(yPred, top, columns) : rowSum(yPred, columns));
    const sum = splat(targets(logits, sparse, truth, yPred, size, columns, labelSmoothing));
    const weight = splat(load<f32>(dlosses));
    for (let c = 0; c < columns; c += LANES) {
      const offset = <usize>c << 2;
      const p = load4(yPred + offset);
      const t = target(sparse, truth, c, columns, labelSmoothing);
      let g: v128;
      if (logits) {
        g = f32x4.sub(f32x4.mul(f32x4.div(exp4(f32x4.sub(p, splat(top))), size), sum), t);
      } else {
        const q = f32x4.div(p, size);
        g = f32x4.div(f32x4.sub(sum, keep4(unclipped(q), f32x4.div(t, q))), size);
      }
      storeUpTo4(dyPred + offset, madd(g, weight, load4(dyPred + offset)), columns - c);
    }
  }
}

/**
 * The gradient of x, p = softmax(x), overwritten: categoricalBackward's and softmaxBackward's in one pass over p. What p weighs in the
 * latter's mean cancels: dL/dx = T q - t, t without what is clipped.
 */
function categoricalSoftmaxBackward(
  sparse: bool, dx: usize, dlosses: usize, truth: usize, p: usize, rows: i32, columns: i32, labelSmoothing: f32,
): void {
  const stride = <usize>columns << 2;
  for (; rows > 0; rows--, dx += stride, dlosses += 4, truth += truthStride(sparse, columns), p += stride) {
    const size = splat(rowSum(p, columns));
    const sum = targets(false, sparse, truth, p, size, columns, labelSmoothing);
    const weight = load<f32>(dlosses);
    const factor = f32x4.div(splat(sum * weight), size);
    for (let c = 0; c < columns; c += LANES) {
      const offset = <usize>c << 2;
      const v = load4(p + offset);
      let g = f32x4.mul(v, factor);
      if (!sparse) {
        const t = keep4(unclipped(f32x4.div(v, size)), target(false, truth, c, columns, labelSmoothing));
        g = f32x4.sub(g, f32x4.mul(t, splat(weight)));
      }
      storeUpTo4(dx + offset, g, columns - c);
    }
    // With a label there is one target; the sum is 0 where it is clipped or none.
    const at = dx + (<usize>load<u32>(truth) << 2);
    if (sparse && sum != 0) store<f32>(at, load<f32>(at) - weight);
  }
}

/** - sum of t log p, t = y (1 - labelSmoothing) + labelSmoothing / columns */
export function categoricalCrossentropy(
  losses: usize, yTrue: usize, yPred: usize, rows: i32, columns: i32, labelSmoothing: f32,
): void {
  categorical(false, false, losses, yTrue, yPred, rows, columns, labelSmoothing);
}
export function categoricalCrossentropyBackward(
  dyPred: usize, dlosses: usize, yTrue: usize, yPred: usize, rows: i32, columns: i32, labelSmoothing: f32,
): void {
  categoricalBackward(false, false, dyPred, dlosses, yTrue, yPred, rows, columns, labelSmoothing);
}
export function categoricalCrossentropySoftmaxBackward(
  dx: usize, dlosses: usize, yTrue: usize, p: usize, rows: i32, columns: i32, labelSmoothing: f32,
): void {
  categoricalSoftmaxBackward(false, dx, dlosses, yTrue, p, rows, columns, labelSmoothing);
}

/** The same with p = softmax(yPred). */
export function categoricalCrossentropyLogits(
  losses: usize, yTrue: usize, yPred: usize, rows: i32, columns: i32, labelSmoothing: f32,
): void {
  categorical(true, false, losses, yTrue, yPred, rows, columns, labelSmoothing);
}
export function categoricalCrossentropyLogitsBackward(
  dyPred: usize, dlosses: usize, yTrue: usize, yPred: usize, rows: i32, columns: i32, labelSmoothing: f32,
): void {
  categoricalBackward(true, false, dyPred, dlosses, yTrue, yPred, rows, columns, labelSmoothing);
}

/** -log p at the label */
export function sparseCategoricalCrossentropy(
  losses: usize, labels: usize, yPred: usize, rows: i32, columns: i32,
): void {
  categorical(false, true, losses, labels, yPred, rows, columns, 0);
}
export function sparseCategoricalCrossentropyBackward(
  dyPred: usize, dlosses: usize, labels: usize, yPred: usize, rows: i32, columns: i32,
): void {
  categoricalBackward(false, true, dyPred, dlosses, labels, yPred, rows, columns, 0);
}
export function sparseCategoricalCrossentropySoftmaxBackward(
  dx: usize, dlosses: usize, labels: usize, p: usize, rows: i32, columns: i32,
): void {
  categoricalSoftmaxBackward(true, dx, dlosses, labels, p, rows, columns, 0);
}

/** The same with p = softmax(yPred). */
export function sparseCategoricalCrossentropyLogits(
  losses: usize, labels: usize, yPred: usize, rows: i32, columns: i32,
): void {
  categorical(true, true, losses, labels, yPred, rows, columns, 0);
}
export function sparseCategoricalCrossentropyLogitsBackward(
  dyPred: usize, dlosses: usize, labels: usize, yPred: usize, rows: i32, columns: i32,
): void {
  categoricalBackward(true, true, dyPred, dlosses, labels, yPred, rows, columns, 0);
}
