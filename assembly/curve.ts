// What each activation function is and how steep it is, on four lanes, as keras.activations defines them. Internal: the
// kernels are in activation.ts, the functions they are made of in math.ts.
//
// Relu, LeakyRelu, Swish, Tanh and Sigmoid have tables of their own, for a `kind` that is a compile-time constant: one line remains. The
// others are told apart while they run, and call what is long.
// a, b, low and high are the function's parameters: leakyRelu's negativeSlope (a), elu's alpha (a) and scale (b), clipped's slope (a) and
// shift (b), shrink's threshold (a) and pull (b), squareplus' b (a).

import {
  calledExp4, calledSigmoid4, calledTanh4, erf4, expm1Negative4, log1pExpMinusAbs4, sigmoid4, softplus4, tanh4,
} from "./math";
import { atLeast, atMost, half4, keep4, load4, madd, nmadd, one4, select4, splat } from "./simd";

export const enum Curve {
  Relu,
  LeakyRelu,
  Swish,
  Tanh,
  Sigmoid,
  Clipped,
  Elu,
  Shrink,
  TanhShrink,
  SparsePlus,
  Squareplus,
  Gelu,
  GeluTanh,
  Mish,
  Softplus,
  Softsign,
  HardSwish,
  Exponential,
  LogSigmoid,
}

/** f(x) of the five; a: leakyRelu's negativeSlope. */
// @ts-expect-error: decorator
@inline
export function hotCurve(kind: Curve, x: v128, a: f32): v128 {
  if (kind == Curve.Relu) return atLeast(x, splat(0));
  if (kind == Curve.LeakyRelu) return select4(f32x4.gt(x, splat(0)), x, f32x4.mul(x, splat(a)));
  if (kind == Curve.Swish) return f32x4.mul(x, sigmoid4(x));
  if (kind == Curve.Tanh) return tanh4(x);
  return sigmoid4(x);
}

/** f'(x) of the five, from the block x or from the block out = f(x). */
// @ts-expect-error: decorator
@inline
export function hotSlope(kind: Curve, x: usize, out: usize, a: f32): v128 {
  const one = one4();
  if (kind == Curve.Relu) return keep4(f32x4.gt(load4(out), splat(0)), one);
  if (kind == Curve.LeakyRelu) return select4(f32x4.gt(load4(x), splat(0)), one, splat(a));
  if (kind == Curve.Swish) {
    const s = sigmoid4(load4(x));
    return madd(load4(out), f32x4.sub(one, s), s);
  }
  if (kind == Curve.Tanh) return nmadd(load4(out), load4(out), one);
  return f32x4.mul(load4(out), f32x4.sub(one, load4(out)));
}

// @ts-expect-error: decorator
@inline
function clip(x: v128, low: f32, high: f32): v128 {
  return atMost(atLeast(x, splat(low)), splat(high));
}

/** 1 where low < x < high. */
// @ts-expect-error: decorator
@inline
function inside(x: v128, low: f32, high: f32): v128 {
  return v128.and(f32x4.gt(x, splat(low)), f32x4.lt(x, splat(high)));
}

/** The logistic form of gelu's tanh: (1 + tanh z)/2 = sigmoid(2z), 2z = 2 sqrt(2/pi) (x + 0.044715 x^3). */
// @ts-expect-error: decorator
@call
function geluGate(x: v128): v128 {
  const c = clip(x, -20, 20);
  return calledSigmoid4(f32x4.mul(c, madd(f32x4.mul(c, c), splat(0.07135481627), splat(1.5957691216))));
}

/** sqrt(x^2 + b), without overflow. */
// @ts-expect-error: decorator
@call
function squareplusRoot(x: v128, b: f32): v128 {
  const near = atMost(f32x4.abs(x), splat(1e15));
  return atLeast(f32x4.sqrt(madd(near, near, splat(b))), f32x4.abs(x));
}

/** f(x) of the others. */
// @ts-expect-error: decorator
@inline
export function curve(kind: Curve, x: v128, a: f32, b: f32, low: f32, high: f32): v128 {
  if (kind == Curve.Clipped) return clip(madd(x, splat(a), splat(b)), low, high);
  if (kind == Curve.Elu) {
    const left = f32x4.mul(expm1Negative4(atMost(x, splat(0))), splat(a * b));
    return select4(f32x4.gt(x, splat(0)), f32x4.mul(x, splat(b)), left);
  }
  if (kind == Curve.Gelu) {
    const half = f32x4.mul(x, half4());
    return madd(half, erf4(f32x4.mul(x, splat(0.70710678))), half);
  }
  if (kind == Curve.GeluTanh) return f32x4.mul(x, geluGate(x));
  if (kind == Curve.Mish) {
    // tanh(log(1 + e)) = n / (n + 2) with n = e (e + 2), e = e^x.
    const e = calledExp4(atMost(x, splat(20)));
    const n = f32x4.mul(e, f32x4.add(e, splat(2)));
    return f32x4.mul(x, f32x4.div(n, f32x4.add(n, splat(2))));
  }
  if (kind == Curve.Softplus) return softplus4(x);
  if (kind == Curve.Softsign) return f32x4.div(x, f32x4.add(f32x4.abs(x), one4()));
  if (kind == Curve.Shrink) {
    const pull = v128.or(keep4(x, splat(-0.0)), splat(b));
    return v128.andnot(f32x4.sub(x, pull), f32x4.le(f32x4.abs(x), splat(a)));
  }
  if (kind == Curve.TanhShrink) return f32x4.sub(x, calledTanh4(x));
  if (kind == Curve.SparsePlus) {
    const bend = clip(f32x4.add(x, one4()), 0, 2);
    return madd(f32x4.mul(bend, bend), splat(0.25), atLeast(f32x4.sub(x, one4()), splat(0)));
  }
  if (kind == Curve.Squareplus) return madd(x, half4(), f32x4.mul(squareplusRoot(x, a), half4()));
  if (kind == Curve.HardSwish) return f32x4.mul(x, f32x4.mul(clip(f32x4.add(x, splat(3)), 0, 6), splat(1.0 / 6)));
  if (kind == Curve.Exponential) return calledExp4(x);
  return f32x4.sub(atMost(x, splat(0)), log1pExpMinusAbs4(x)); // LogSigmoid
}

/** f'(x) of the others, from the block x or from the block out = f(x). */
// @ts-expect-error: decorator
@inline
export function curveSlope(kind: Curve, x: usize, out: usize, a: f32, b: f32, low: f32, high: f32): v128 {
  const one = one4();
  if (kind == Curve.Clipped) return keep4(inside(madd(load4(x), splat(a), splat(b)), low, high), splat(a));
  if (kind == Curve.Elu) return select4(f32x4.gt(load4(x), splat(0)), splat(b), f32x4.add(load4(out), splat(a * b)));
  if (kind == Curve.Gelu) {
    const t = f32x4.mul(load4(x), splat(0.70710678));
    const density = f32x4.mul(calledExp4(f32x4.neg(f32x4.mul(t, t))), splat(0.39894228));
    return madd(clip(load4(x), -20, 20), density, madd(erf4(t), half4(), half4()));
  }
  if (kind == Curve.GeluTanh) {
    const s = geluGate(load4(x));
    const c = clip(load4(x), -20, 20);
    const dz = f32x4.mul(c, madd(f32x4.mul(c, c), splat(0.2140644488), splat(1.5957691216)));
    return madd(f32x4.mul(s, nmadd(s, one, one)), dz, s);
  }
  if (kind == Curve.Mish) {
    const e = calledExp4(atMost(load4(x), splat(20)));
    const n = f32x4.mul(e, f32x4.add(e, splat(2)));
    const r = f32x4.div(one, f32x4.add(n, splat(2)));
    const bend = f32x4.mul(f32x4.mul(f32x4.mul(e, r), f32x4.mul(f32x4.add(e, one), r)), splat(4));
    return madd(atMost(load4(x), splat(20)), bend, f32x4.mul(n, r));
  }
  if (kind == Curve.Softplus) return calledSigmoid4(load4(x));
  if (kind == Curve.Softsign) {
    const r = f32x4.div(one, f32x4.add(f32x4.abs(load4(x)), one));
    return f32x4.mul(r, r);
  }
  if (kind == Curve.Shrink) return keep4(f32x4.gt(f32x4.abs(load4(x)), splat(a)), one);
  if (kind == Curve.TanhShrink) {
    const t = calledTanh4(load4(x));
    return f32x4.mul(t, t);
  }
  if (kind == Curve.SparsePlus) return f32x4.mul(clip(f32x4.add(load4(x), one), 0, 2), half4());
  if (kind == Curve.Squareplus) {
    return madd(f32x4.div(load4(x), squareplusRoot(load4(x), a)), half4(), half4());
  }
  if (kind == Curve.HardSwish) {
    const bend = keep4(f32x4.gt(load4(x), splat(-3)), madd(load4(x), splat(1.0 / 3), half4()));
    return select4(f32x4.gt(load4(x), splat(3)), one, bend);
  }
  if (kind == Curve.Exponential) return load4(out);
  return calledSigmoid4(f32x4.neg(load4(x))); // LogSigmoid
}
