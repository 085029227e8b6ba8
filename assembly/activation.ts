// Activation functions, element by element, each with its gradient.
// Not here: their formulas (curve.ts), softmax (softmax.ts), the gates inside a cell (cells/*).
//
// Forward   name(out, x, n[, parameter])                    out [n] = f(x [n])
// Backward  nameBackward(dx, dout, x, out, n[, parameter])  dx [n] += dout [n] * f'; reads x or out, whichever is cheaper
// To add one: a member of Curve and a line in each of its two tables, then two exports here.

import { Curve, curve, curveSlope } from "./curve";
import { LANES, VECTOR, load4, madd, storeUpTo4 } from "./simd";

// One body for whole vectors and for the tail: these functions are long, and would be compiled in twice. relu,
// leakyRelu, tanh, sigmoid and swish have loops of their own; the others share one, which looks at `kind` for every vector.

// @ts-expect-error: decorator
@inline
function hot(kind: Curve, out: usize, x: usize, n: i32, a: f32 = 0, b: f32 = 0, low: f32 = 0, high: f32 = 0): void {
  for (; n > 0; n -= LANES, out += VECTOR, x += VECTOR) {
    storeUpTo4(out, curve(kind, load4(x), a, b, low, high), n);
  }
}

// @ts-expect-error: decorator
@inline
function hotBackward(
  kind: Curve, dx: usize, dout: usize, x: usize, out: usize, n: i32, a: f32 = 0, b: f32 = 0, low: f32 = 0, high: f32 = 0,
): void {
  for (; n > 0; n -= LANES, dx += VECTOR, dout += VECTOR, x += VECTOR, out += VECTOR) {
    storeUpTo4(dx, madd(load4(dout), curveSlope(kind, x, out, a, b, low, high), load4(dx)), n);
  }
}

function map(kind: Curve, out: usize, x: usize, n: i32, a: f32 = 0, b: f32 = 0, low: f32 = 0, high: f32 = 0): void {
  hot(kind, out, x, n, a, b, low, high);
}

function mapBackward(
  kind: Curve, dx: usize, dout: usize, x: usize, out: usize, n: i32, a: f32 = 0, b: f32 = 0, low: f32 = 0, high: f32 = 0,
): void {
  hotBackward(kind, dx, dout, x, out, n, a, b, low, high);
}

/** max(x, 0) */
export function relu(out: usize, x: usize, n: i32): void {
  hot(Curve.Relu, out, x, n);
}
export function reluBackward(dx: usize, dout: usize, x: usize, out: usize, n: i32): void {
  hotBackward(Curve.Relu, dx, dout, x, out, n);
}

/** x > 0 ? x : negativeSlope * x */
export function leakyRelu(out: usize, x: usize, n: i32, negativeSlope: f32): void {
  hot(Curve.LeakyRelu, out, x, n, negativeSlope);
}
export function leakyReluBackward(dx: usize, dout: usize, x: usize, out: usize, n: i32, negativeSlope: f32): void {
  hotBackward(Curve.LeakyRelu, dx, dout, x, out, n, negativeSlope);
}

/** scale * (x > 0 ? x : alpha * (e^x - 1)): elu, celu and selu */
export function elu(out: usize, x: usize, n: i32, alpha: f32, scale: f32): void {
  map(Curve.Elu, out, x, n, alpha, scale);
}
export function eluBackward(dx: usize, dout: usize, x: usize, out: usize, n: i32, alpha: f32, scale: f32): void {
  mapBackward(Curve.Elu, dx, dout, x, out, n, alpha, scale);
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
  map(Curve.Shrink, out, x, n, threshold, pull);
}
export function shrinkBackward(dx: usize, dout: usize, x: usize, out: usize, n: i32, threshold: f32, pull: f32): void {
  mapBackward(Curve.Shrink, dx, dout, x, out, n, threshold, pull);
}

/** x - tanh(x) */
export function tanhShrink(out: usize, x: usize, n: i32): void {
  map(Curve.TanhShrink, out, x, n);
}
export function tanhShrinkBackward(dx: usize, dout: usize, x: usize, out: usize, n: i32): void {
  mapBackward(Curve.TanhShrink, dx, dout, x, out, n);
}

/** 0 up to -1, (x + 1)^2 / 4 up to 1, then x */
export function sparsePlus(out: usize, x: usize, n: i32): void {
  map(Curve.SparsePlus, out, x, n);
}
export function sparsePlusBackward(dx: usize, dout: usize, x: usize, out: usize, n: i32): void {
  mapBackward(Curve.SparsePlus, dx, dout, x, out, n);
}

/** (x + sqrt(x^2 + b)) / 2 */
export function squareplus(out: usize, x: usize, n: i32, b: f32): void {
  map(Curve.Squareplus, out, x, n, b);
}
export function squareplusBackward(dx: usize, dout: usize, x: usize, out: usize, n: i32, b: f32): void {
  mapBackward(Curve.Squareplus, dx, dout, x, out, n, b);
}

/** x * (1 + erf(x / sqrt 2)) / 2 */
export function gelu(out: usize, x: usize, n: i32): void {
  map(Curve.Gelu, out, x, n);
}
export function geluBackward(dx: usize, dout: usize, x: usize, out: usize, n: i32): void {
  mapBackward(Curve.Gelu, dx, dout, x, out, n);
}

/** gelu, approximate=True */
export function geluTanh(out: usize, x: usize, n: i32): void {
  map(Curve.GeluTanh, out, x, n);
}
export function geluTanhBackward(dx: usize, dout: usize, x: usize, out: usize, n: i32): void {
  mapBackward(Curve.GeluTanh, dx, dout, x, out, n);
}

/** x * sigmoid(x), also called silu */
export function swish(out: usize, x: usize, n: i32): void {
  hot(Curve.Swish, out, x, n);
}
export function swishBackward(dx: usize, dout: usize, x: usize, out: usize, n: i32): void {
  hotBackward(Curve.Swish, dx, dout, x, out, n);
}

/** x * tanh(softplus(x)) */
export function mish(out: usize, x: usize, n: i32): void {
  map(Curve.Mish, out, x, n);
}
export function mishBackward(dx: usize, dout: usize, x: usize, out: usize, n: i32): void {
  mapBackward(Curve.Mish, dx, dout, x, out, n);
}

/** log(1 + e^x) */
export function softplus(out: usize, x: usize, n: i32): void {
  map(Curve.Softplus, out, x, n);
}
export function softplusBackward(dx: usize, dout: usize, x: usize, out: usize, n: i32): void {
  mapBackward(Curve.Softplus, dx, dout, x, out, n);
}

/** x / (1 + |x|) */
export function softsign(out: usize, x: usize, n: i32): void {
  map(Curve.Softsign, out, x, n);
}
export function softsignBackward(dx: usize, dout: usize, x: usize, out: usize, n: i32): void {
  mapBackward(Curve.Softsign, dx, dout, x, out, n);
}

export function tanh(out: usize, x: usize, n: i32): void {
  hot(Curve.Tanh, out, x, n);
}
export function tanhBackward(dx: usize, dout: usize, x: usize, out: usize, n: i32): void {
  hotBackward(Curve.Tanh, dx, dout, x, out, n);
}

/** 1 / (1 + e^-x) */
export function sigmoid(out: usize, x: usize, n: i32): void {
  hot(Curve.Sigmoid, out, x, n);
}
export function sigmoidBackward(dx: usize, dout: usize, x: usize, out: usize, n: i32): void {
  hotBackward(Curve.Sigmoid, dx, dout, x, out, n);
}

/** x * relu6(x + 3) / 6 */
export function hardSwish(out: usize, x: usize, n: i32): void {
  map(Curve.HardSwish, out, x, n);
}
export function hardSwishBackward(dx: usize, dout: usize, x: usize, out: usize, n: i32): void {
  mapBackward(Curve.HardSwish, dx, dout, x, out, n);
}

/** e^x */
export function exponential(out: usize, x: usize, n: i32): void {
  map(Curve.Exponential, out, x, n);
}
export function exponentialBackward(dx: usize, dout: usize, x: usize, out: usize, n: i32): void {
  mapBackward(Curve.Exponential, dx, dout, x, out, n);
}

/** -log(1 + e^-x) */
export function logSigmoid(out: usize, x: usize, n: i32): void {
  map(Curve.LogSigmoid, out, x, n);
}
export function logSigmoidBackward(dx: usize, dout: usize, x: usize, out: usize, n: i32): void {
  mapBackward(Curve.LogSigmoid, dx, dout, x, out, n);
}
