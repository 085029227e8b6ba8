// Activation functions, element by element, each with its gradient.
// Not here: their formulas (curve.ts), softmax (softmax.ts), the gates inside a cell (cells/*).
//
// Forward   name(out, x, n[, parameter])                    out [n] = f(x [n])
// Backward  nameBackward(dx, dout, x, out, n[, parameter])  dx [n] += dout [n] * f'; reads x or out, whichever is cheaper
// To add one: a member of Curve and a line in each of its two tables, then two exports here.

import { Curve, curve, curveSlope } from "./curve";
import { LANES, VECTOR, load4, madd, storeUpTo4 } from "./simd";

const SELU_ALPHA: f32 = 1.6732632423543772848;
const SELU_SCALE: f32 = 1.0507009873554804934;

// One body for whole vectors and for the tail: these functions are long, and would be compiled in twice.

// @ts-expect-error: decorator
@inline
function map(kind: Curve, out: usize, x: usize, n: i32, a: f32 = 0, b: f32 = 0): void {
  for (; n > 0; n -= LANES, out += VECTOR, x += VECTOR) {
    storeUpTo4(out, curve(kind, load4(x), a, b), n);
  }
}

// @ts-expect-error: decorator
@inline
function mapBackward(kind: Curve, dx: usize, dout: usize, x: usize, out: usize, n: i32, a: f32 = 0, b: f32 = 0): void {
  for (; n > 0; n -= LANES, dx += VECTOR, dout += VECTOR, x += VECTOR, out += VECTOR) {
    storeUpTo4(dx, madd(load4(dout), curveSlope(kind, x, out, a, b), load4(dx)), n);
  }
}

/** max(x, 0) */
export function relu(out: usize, x: usize, n: i32): void {
  map(Curve.Relu, out, x, n);
}
export function reluBackward(dx: usize, dout: usize, x: usize, out: usize, n: i32): void {
  mapBackward(Curve.Relu, dx, dout, x, out, n);
}

/** min(max(x, 0), 6) */
export function relu6(out: usize, x: usize, n: i32): void {
  map(Curve.Relu6, out, x, n);
}
export function relu6Backward(dx: usize, dout: usize, x: usize, out: usize, n: i32): void {
  mapBackward(Curve.Relu6, dx, dout, x, out, n);
}

/** x > 0 ? x : negativeSlope * x */
export function leakyRelu(out: usize, x: usize, n: i32, negativeSlope: f32): void {
  map(Curve.LeakyRelu, out, x, n, negativeSlope);
}
export function leakyReluBackward(dx: usize, dout: usize, x: usize, out: usize, n: i32, negativeSlope: f32): void {
  mapBackward(Curve.LeakyRelu, dx, dout, x, out, n, negativeSlope);
}

/** x > 0 ? x : alpha * (e^x - 1) */
export function elu(out: usize, x: usize, n: i32, alpha: f32): void {
  map(Curve.Elu, out, x, n, alpha, 1);
}
export function eluBackward(dx: usize, dout: usize, x: usize, out: usize, n: i32, alpha: f32): void {
  mapBackward(Curve.Elu, dx, dout, x, out, n, alpha, 1);
}

/** scale * elu(x, alpha), both constants of Klambauer et al. 2017 */
export function selu(out: usize, x: usize, n: i32): void {
  map(Curve.Elu, out, x, n, SELU_ALPHA, SELU_SCALE);
}
export function seluBackward(dx: usize, dout: usize, x: usize, out: usize, n: i32): void {
  mapBackward(Curve.Elu, dx, dout, x, out, n, SELU_ALPHA, SELU_SCALE);
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
  map(Curve.Swish, out, x, n);
}
export function swishBackward(dx: usize, dout: usize, x: usize, out: usize, n: i32): void {
  mapBackward(Curve.Swish, dx, dout, x, out, n);
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
  map(Curve.Tanh, out, x, n);
}
export function tanhBackward(dx: usize, dout: usize, x: usize, out: usize, n: i32): void {
  mapBackward(Curve.Tanh, dx, dout, x, out, n);
}

/** 1 / (1 + e^-x) */
export function sigmoid(out: usize, x: usize, n: i32): void {
  map(Curve.Sigmoid, out, x, n);
}
export function sigmoidBackward(dx: usize, dout: usize, x: usize, out: usize, n: i32): void {
  mapBackward(Curve.Sigmoid, dx, dout, x, out, n);
}

/** relu6(x + 3) / 6 */
export function hardSigmoid(out: usize, x: usize, n: i32): void {
  map(Curve.HardSigmoid, out, x, n);
}
export function hardSigmoidBackward(dx: usize, dout: usize, x: usize, out: usize, n: i32): void {
  mapBackward(Curve.HardSigmoid, dx, dout, x, out, n);
}

/** x between -1 and 1 */
export function hardTanh(out: usize, x: usize, n: i32): void {
  map(Curve.HardTanh, out, x, n);
}
export function hardTanhBackward(dx: usize, dout: usize, x: usize, out: usize, n: i32): void {
  mapBackward(Curve.HardTanh, dx, dout, x, out, n);
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
