// exp, log, tanh, sigmoid, softplus, erf and their near relatives on four f32 lanes; nothing but v128 -> v128, all inlined.
// Not here: loops over blocks (activation.ts, softmax.ts, losses) and derivatives (next to their forward).
//
// Error figures are the largest seen by scripts/measure-ulp.js against float64 over every 61st of all floats, in units of
// the last place of the exact result, subnormal results included: plain build, then relaxed build with fused
// multiply-add. NaN gives NaN everywhere. Constants were fitted for the least relative error, then rounded.

import { atLeast, atMost, keep4, madd, nmadd, select4, splat } from "./simd";

// ---- exp ------------------------------------------------------------------------------------------------------------
// e^x = s*s*e^r with s = 2^m, m = round(x / 2 ln 2), |r| <= ln 2. Applying s twice keeps it a normal number from the
// smallest subnormal result to overflow, which costs less than the usual |r| <= (ln 2)/2 with a split exponent.

/** 1.5 * 2^23 + 127: adding it rounds to an integer m and leaves m + 127, the exponent field of 2^m, in the low bits. */
const ROUND: f32 = 12583039;
/** e^-104 rounds to zero. */
const EXP_LOW: f32 = -104;

// @ts-expect-error: decorator
@inline
function expRound(x: v128): v128 {
  return madd(x, splat(0.72134752), splat(ROUND));
}

/** x - m*2 ln 2 in two steps: the first constant has 15 bits, so that its product with m is exact. */
// @ts-expect-error: decorator
@inline
function expReduce(x: v128, rounded: v128): v128 {
  const m = f32x4.sub(rounded, splat(ROUND));
  return nmadd(m, splat(2.8572136e-6), nmadd(m, splat(1.3862915), x));
}

/** (e^r - 1 - r) / r^2. */
// @ts-expect-error: decorator
@inline
function expSeries(r: v128): v128 {
  let h = madd(splat(1.961160324e-4), r, splat(1.410447295e-3));
  h = madd(h, r, splat(8.336103185e-3));
  h = madd(h, r, splat(4.166126823e-2));
  h = madd(h, r, splat(0.1666661415));
  return madd(h, r, splat(0.5000003464));
}

/** e^x for -104 <= x <= 89. */
// @ts-expect-error: decorator
@inline
function expInRange(x: v128): v128 {
  const rounded = expRound(x);
  const r = expReduce(x, rounded);
  const s = i32x4.shl(rounded, 23);
  const p = madd(madd(expSeries(r), r, splat(1)), r, splat(1));
  return f32x4.mul(f32x4.mul(p, s), s);
}

/** e^x; infinity from 88.73 up, subnormal below -87.34, zero below -103.98. 2.39 ulp, relaxed 1.58. */
// @ts-expect-error: decorator
@inline
export function exp4(x: v128): v128 {
  return expInRange(atMost(atLeast(x, splat(EXP_LOW)), splat(89)));
}

/** e^-|x|. */
// @ts-expect-error: decorator
@inline
function expMinusAbs(x: v128): v128 {
  return expInRange(atLeast(v128.or(x, splat(-0.0)), splat(EXP_LOW)));
}

/** e^x - 1 for x <= 0, good near 0 too: s*s*(e^r - 1) + (s*s - 1). 1.71 ulp, relaxed 1.45. */
// @ts-expect-error: decorator
@inline
export function expm1Negative4(x: v128): v128 {
  const low = atLeast(x, splat(-18));
  const rounded = expRound(low);
  const r = expReduce(low, rounded);
  const s = i32x4.shl(rounded, 23);
  const ss = f32x4.mul(s, s);
  return madd(ss, madd(f32x4.mul(r, r), expSeries(r), r), f32x4.sub(ss, splat(1)));
}

// ---- logistic and hyperbolic ----------------------------------------------------------------------------------------

/**
 * 1 / (1 + e^-x) = s*s / (s*s + e^-r), x = r + m 2 ln 2, s = 2^m: no sign to look at, and the left tail keeps its
 * relative accuracy down to the last subnormal. 3.65 ulp, relaxed 2.82.
 */
// @ts-expect-error: decorator
@inline
export function sigmoid4(x: v128): v128 {
  const a = atMost(atLeast(x, splat(EXP_LOW)), splat(18));
  const rounded = expRound(a);
  const r = expReduce(a, rounded);
  const s = i32x4.shl(rounded, 23);
  // e^-r: the odd coefficients change sign.
  let p = madd(splat(-1.961160324e-4), r, splat(1.410447295e-3));
  p = madd(p, r, splat(-8.336103185e-3));
  p = madd(p, r, splat(4.166126823e-2));
  p = madd(p, r, splat(-0.1666661415));
  p = madd(p, r, splat(0.5000003464));
  p = madd(madd(p, r, splat(-1)), r, splat(1));
  return f32x4.mul(f32x4.div(s, madd(s, s, p)), s);
}

/**
 * tanh x = g / (g + 2), g = e^2x - 1 = s E + (s - 1): good near 0, and cannot pass 1. Not bit for bit odd.
 * x = r + m (ln 2)/2, |r| <= (ln 2)/4, s = 2^m, E = e^2r - 1 = 2 (r + r^2 h(r)). 2.52 ulp, relaxed 2.49. (A 9/8 rational takes four
 * fifths of the time but errs by 4.2 ulp, relaxed 3.6.)
 */
// @ts-expect-error: decorator
@inline
export function tanh4(x: v128): v128 {
  const a = atMost(atLeast(x, splat(-9.02)), splat(9.02));
  const rounded = madd(a, splat(2.8853901), splat(ROUND));
  const m = f32x4.sub(rounded, splat(ROUND));
  const s = i32x4.shl(rounded, 23);
  const r = nmadd(m, splat(7.1430341e-7), nmadd(m, splat(0.34657288), a));
  let h = madd(splat(4.4424024265e-2), r, splat(0.13386528761));
  h = madd(h, r, splat(0.33333761453));
  h = madd(h, r, splat(0.66666172706));
  h = madd(h, r, splat(0.99999996288));
  // Everything halved: g/2 = s (r + r^2 h) + (s - 1)/2.
  const half = madd(s, madd(f32x4.mul(r, r), h, r), madd(s, splat(0.5), splat(-0.5)));
  return f32x4.div(half, f32x4.add(half, splat(1)));
}

// ---- log ------------------------------------------------------------------------------------------------------------

/** log(1 + f) + k ln 2 for sqrt(1/2) <= 1 + f < sqrt(2): f - f^2/2 + f^3 R(f), ln 2 in two parts. */
// @ts-expect-error: decorator
@inline
function logParts(f: v128, k: v128): v128 {
  const z = f32x4.mul(f, f);
  let p = madd(splat(-7.634429963e-2), f, splat(0.1276155038));
  p = madd(p, f, splat(-0.1316019504));
  p = madd(p, f, splat(0.1420176246));
  p = madd(p, f, splat(-0.1662335648));
  p = madd(p, f, splat(0.2000122667));
  p = madd(p, f, splat(-0.2500082106));
  p = madd(p, f, splat(0.3333333171));
  let y = madd(f32x4.mul(z, f), p, f32x4.mul(k, splat(-2.12194440e-4)));
  y = nmadd(splat(0.5), z, y);
  return madd(k, splat(0.693359375), f32x4.add(f, y));
}

/** Natural logarithm; -infinity at 0, NaN left of it; subnormal arguments keep their digits. 0.82 ulp, relaxed 0.82. */
// @ts-expect-error: decorator
@inline
export function log4(x: v128): v128 {
  const small = f32x4.lt(x, splat(1.17549435e-38));
  const normal = select4(small, f32x4.mul(x, splat(8388608)), x);
  // Subtracting the bits of sqrt(1/2) makes the exponent field step at sqrt(1/2) * 2^k instead of at 2^k.
  const bits = i32x4.sub(normal, i32x4.splat(0x3f3504f3));
  const k = f32x4.add(f32x4.convert_i32x4_s(i32x4.shr_s(bits, 23)), keep4(small, splat(-23)));
  const m = i32x4.add(v128.and(bits, i32x4.splat(0x7fffff)), i32x4.splat(0x3f3504f3));
  let y = logParts(f32x4.sub(m, splat(1)), k);
  y = select4(f32x4.eq(x, splat(0)), splat(-Infinity), y);
  y = select4(f32x4.eq(x, splat(Infinity)), x, y);
  return v128.or(y, v128.not(f32x4.ge(x, splat(0))));
}

/** log(1 + t) for 0 <= t <= 1. */
// @ts-expect-error: decorator
@inline
function log1pUnit(t: v128): v128 {
  const upper = f32x4.gt(t, splat(0.41421356));
  const f = select4(upper, f32x4.mul(f32x4.sub(t, splat(1)), splat(0.5)), t);
  return logParts(f, keep4(upper, splat(1)));
}

/** log(1 + e^-|x|), the bend of softplus. 3.25 ulp, relaxed 2.41. */
// @ts-expect-error: decorator
@inline
export function log1pExpMinusAbs4(x: v128): v128 {
  return log1pUnit(expMinusAbs(x));
}

/** log(1 + e^x) = max(x, 0) + log(1 + e^-|x|). 3.25 ulp, relaxed 2.41. */
// @ts-expect-error: decorator
@inline
export function softplus4(x: v128): v128 {
  return f32x4.add(atLeast(x, splat(0)), log1pExpMinusAbs4(x));
}

// ---- erf ------------------------------------------------------------------------------------------------------------

/** Error function: 1 - e^(-a g(a)), sign of x, for a = |x| < 3.95, where it rounds to one. 3.05 ulp, relaxed 3.05. */
// @ts-expect-error: decorator
@inline
export function erf4(x: v128): v128 {
  const a = atMost(f32x4.abs(x), splat(3.95));
  let g = madd(splat(4.0649619802e-5), a, splat(-3.8056133808e-4));
  g = madd(g, a, splat(1.2504659446e-3));
  g = madd(g, a, splat(2.07550877e-4));
  g = madd(g, a, splat(-1.9323070808e-2));
  g = madd(g, a, splat(0.10281490324));
  g = madd(g, a, splat(0.63661642129));
  g = madd(g, a, splat(1.1283792102));
  return v128.or(f32x4.abs(expm1Negative4(f32x4.neg(f32x4.mul(a, g)))), keep4(x, splat(-0.0)));
}

// ---- one value ------------------------------------------------------------------------------------------------------

export function expScalar(x: f32): f32 {
  return f32x4.extract_lane(exp4(splat(x)), 0);
}

export function logScalar(x: f32): f32 {
  return f32x4.extract_lane(log4(splat(x)), 0);
}
