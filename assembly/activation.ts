// Activation functions, element by element, each with its gradient.
// Not here: their formulas (curve.ts), softmax (softmax.ts), the gates inside a cell (cells/*).
//
// Forward   name(out, x, n[, parameter])                    out [n] = f(x [n])
// Backward  nameBackward(dx, dout, x, out, n[, parameter])  dx [n] += dout [n] * f'; reads x or out, whichever is cheaper
// To add one: a member of Curve and a line in each of its two tables, then two exports here.

import { Curve, curve, curveSlope, hotCurve, hotSlope } from "./curve";
import { LANES, VECTOR, calledStoreTail, load4, madd, store4, storeUpTo4, writeUpTo4 } from "./simd";

// relu, leakyRelu, tanh, sigmoid and swish have loops of their own; the others share one, which looks at `kind` for every vector.

/** A long formula: one body for whole vectors and for the tail. */
// @ts-expect-error: decorator
@inline
function long(kind: Curve, out: usize, x: usize, n: i32): void {
  for (; n > 0; n -= LANES, out += VECTOR, x += VECTOR) storeUpTo4(out, hotCurve(kind, load4(x), 0), n);
}

/** A short one: nothing else in the loop over whole vectors. */
// @ts-expect-error: decorator
@inline
function short(kind: Curve, out: usize, x: usize, n: i32, a: f32 = 0): void {
  for (; n >= LANES; n -= LANES, out += VECTOR, x += VECTOR) store4(out, hotCurve(kind, load4(x), a));
  if (n > 0) calledStoreTail(out, hotCurve(kind, load4(x), a), n);
}

// @ts-expect-error: decorator
@inline
function shortBackward(kind: Curve, dx: usize, dout: usize, x: usize, out: usize, n: i32, a: f32 = 0): void {
  for (; n >= LANES; n -= LANES, dx += VECTOR, dout += VECTOR, x += VECTOR, out += VECTOR) {
    store4(dx, madd(load4(dout), hotSlope(kind, x, out, a), load4(dx)));
  }
  if (n > 0) calledStoreTail(dx, madd(load4(dout), hotSlope(kind, x, out, a), load4(dx)), n);
}

function map(kind: Curve, out: usize, x: usize, n: i32, a: f32, b: f32, low: f32, high: f32): void {
  for (; n > 0; n -= LANES, out += VECTOR, x += VECTOR) {
    writeUpTo4(out, curve(kind, load4(x), a, b, low, high), n);
  }
}

function mapBackward(
  kind: Curve, dx: usize, dout: usize, x: usize, out: usize, n: i32, a: f32, b: f32, low: f32, high: f32,
): void {
  for (; n > 0; n -= LANES, dx += VECTOR, dout += VECTOR, x += VECTOR, out += VECTOR) {
    writeUpTo4(dx, madd(load4(dout), curveSlope(kind, x, out, a, b, low, high), load4(dx)), n);
  }
}

/** A function without parameters. */
// @ts-expect-error: decorator
@call
function plain(kind: Curve, out: usize, x: usize, n: i32): void {
  map(kind, out, x, n, 0, 0, 0, 0);
}

// @ts-expect-error: decorator
@call
function plainBackward(kind: Curve, dx: usize, dout: usize, x: usize, out: usize, n: i32): void {
  mapBackward(kind, dx, dout, x, out, n, 0, 0, 0, 0);
}

/** max(x, 0) */
export function relu(out: usize, x: usize, n: i32): void {
  short(Curve.Relu, out, x, n);
}
export function reluBackward(dx: usize, dout: usize, x: usize, out: usize, n: i32): void {
  shortBackward(Curve.Relu, dx, dout, x, out, n);
}

/** x > 0 ? x : negativeSlope * x */
export function leakyRelu(out: usize, x: usize, n: i32, negativeSlope: f32): void {
  short(Curve.LeakyRelu, out, x, n, negativeSlope);
}
export function leakyReluBackward(dx: usize, dout: usize, x: usize, out: usize, n: i32, negativeSlope: f32): void {
  shortBackward(Curve.LeakyRelu, dx, dout, x, out, n, negativeSlope);
}

/** scale * (x > 0 ? x : alpha * (e^x - 1)): elu, celu and selu */
export function elu(out: usize, x: usize, n: i32, alpha: f32, scale: f32): void {
  map(Curve.Elu, out, x, n, alpha, scale, 0, 0);
}
export function eluBackward(dx: usize, dout: usize, x: usize, out: usize, n: i32, alpha: f32, scale: f32): void {
  mapBackward(Curve.Elu, dx, dout, x, out, n, alpha, scale, 0, 0);
}

/** slope * x + shift between low and high: relu6, hardSigmoid, hardTanh and sparseSigmoid */
export function clipped(out: usize, x: usize, n: i32, slope: f32, shift: f32, low: f32, high: f32): void {
  map(Curve.Clipped, out, x, n, slope, shift, low, high);
}
export function clippedBackward(
  dx: usize, dout: usize, x: usize, out: usize, n: i32, slope: f32, shift: f32, low: f32, high: f32,
): void {
  mapBackward(Curve.Clipped, dx, dout, x, out, n, slope, shift, low, high);
}

/** |x| > threshold ? x - pull * sign(x) : 0: hardShrink (pull 0) and softShrink (pull = threshold) */
export function shrink(out: usize, x: usize, n: i32, threshold: f32, pull: f32): void {
  map(Curve.Shrink, out, x, n, threshold, pull, 0, 0);
}
export function shrinkBackward(dx: usize, dout: usize, x: usize, out: usize, n: i32, threshold: f32, pull: f32): void {
  mapBackward(Curve.Shrink, dx, dout, x, out, n, threshold, pull, 0, 0);
}

/** x - tanh(x) */
export function tanhShrink(out: usize, x: usize, n: i32): void {
  plain(Curve.TanhShrink, out, x, n);
}
export function tanhShrinkBackward(dx: usize, dout: usize, x: usize, out: usize, n: i32): void {
  plainBackward(Curve.TanhShrink, dx, dout, x, out, n);
}

/** 0 up to -1, (x + 1)^2 / 4 up to 1, then x */
export function sparsePlus(out: usize, x: usize, n: i32): void {
  plain(Curve.SparsePlus, out, x, n);
}
export function sparsePlusBackward(dx: usize, dout: usize, x: usize, out: usize, n: i32): void {
  plainBackward(Curve.SparsePlus, dx, dout, x, out, n);
}

/** (x + sqrt(x^2 + b)) / 2 */
export function squareplus(out: usize, x: usize, n: i32, b: f32): void {
  map(Curve.Squareplus, out, x, n, b, 0, 0, 0);
}
export function squareplusBackward(dx: usize, dout: usize, x: usize, out: usize, n: i32, b: f32): void {
  mapBackward(Curve.Squareplus, dx, dout, x, out, n, b, 0, 0, 0);
}

/** x * (1 + erf(x / sqrt 2)) / 2 */
export function gelu(out: usize, x: usize, n: i32): void {
  plain(Curve.Gelu, out, x, n);
}
export function geluBackward(dx: usize, dout: usize, x: usize, out: usize, n: i32): void {
  plainBackward(Curve.Gelu, dx, dout, x, out, n);
}

/** gelu, approximate=True */
export function geluTanh(out: usize, x: usize, n: i32): void {
  plain(Curve.GeluTanh, out, x, n);
}
export function geluTanhBackward(dx: usize, dout: usize, x: usize, out: usize, n: i32): void {
  plainBackward(Curve.GeluTanh, dx, dout, x, out, n);
}

/** x * sigmoid(x), also called silu */
export function swish(out: usize, x: usize, n: i32): void {
  long(Curve.Swish, out, x, n);
}
export function swishBackward(dx: usize, dout: usize, x: usize, out: usize, n: i32): void {
  for (; n > 0; n -= LANES, dx += VECTOR, dout += VECTOR, x += VECTOR, out += VECTOR) {
    storeUpTo4(dx, madd(load4(dout), hotSlope(Curve.Swish, x, out, 0), load4(dx)), n);
  }
}

/** x * tanh(softplus(x)) */
export function mish(out: usize, x: usize, n: i32): void {
  plain(Curve.Mish, out, x, n);
}
export function mishBackward(dx: usize, dout: usize, x: usize, out: usize, n: i32): void {
  plainBackward(Curve.Mish, dx, dout, x, out, n);
}

/** log(1 + e^x) */
export function softplus(out: usize, x: usize, n: i32): void {
  plain(Curve.Softplus, out, x, n);
}
export function softplusBackward(dx: usize, dout: usize, x: usize, out: usize, n: i32): void {
  plainBackward(Curve.Softplus, dx, dout, x, out, n);
}

/** x / (1 + |x|) */
export function softsign(out: usize, x: usize, n: i32): void {
  plain(Curve.Softsign, out, x, n);
}
export function softsignBackward(dx: usize, dout: usize, x: usize, out: usize, n: i32): void {
  plainBackward(Curve.Softsign, dx, dout, x, out, n);
}

export function tanh(out: usize, x: usize, n: i32): void {
  long(Curve.Tanh, out, x, n);
}
export function tanhBackward(dx: usize, dout: usize, x: usize, out: usize, n: i32): void {
  shortBackward(Curve.Tanh, dx, dout, x, out, n);
}

/** 1 / (1 + e^-x) */
export function sigmoid(out: usize, x: usize, n: i32): void {
  long(Curve.Sigmoid, out, x, n);
}
export function sigmoidBackward(dx: usize, dout: usize, x: usize, out: usize, n: i32): void {
  shortBackward(Curve.Sigmoid, dx, dout, x, out, n);
}

/** x * relu6(x + 3) / 6 */
export function hardSwish(out: usize, x: usize, n: i32): void {
  plain(Curve.HardSwish, out, x, n);
}
export function hardSwishBackward(dx: usize, dout: usize, x: usize, out: usize, n: i32): void {
  plainBackward(Curve.HardSwish, dx, dout, x, out, n);
}

/** e^x */
export function exponential(out: usize, x: usize, n: i32): void {
  plain(Curve.Exponential, out, x, n);
}
export function exponentialBackward(dx: usize, dout: usize, x: usize, out: usize, n: i32): void {
  plainBackward(Curve.Exponential, dx, dout, x, out, n);
}

/** -log(1 + e^-x) */
export function logSigmoid(out: usize, x: usize, n: i32): void {
  plain(Curve.LogSigmoid, out, x, n);
}
export function logSigmoidBackward(dx: usize, dout: usize, x: usize, out: usize, n: i32): void {
  plainBackward(Curve.LogSigmoid, dx, dout, x, out, n);
}
