// exp, log, tanh, sigmoid, softplus, erf and their near relatives on four f32 lanes; nothing but v128 -> v128. What hot loops need is
// inlined; the others, and the `called` forms of the same, are calls, which take a fifth of the bytes where many kernels need them.
// Not here: loops over blocks (activation.ts, softmax.ts, losses) and derivatives (next to their forward).
//
// Error figures are the largest seen by scripts/measure-ulp.js against float64 over every 61st of all floats, in units of
// the last place of the exact result, subnormal results included: plain build, then relaxed build with fused
// multiply-add. NaN gives NaN everywhere. Constants were fitted for the least relative error, then rounded.

import { atLeast, atMost, keep4, madd, nmadd, select4, splat } from "./simd";

// Constants come from tables, in the order of their use: V8 builds a v128.const anew each time. lstmSequence B1 T100 H64: 0.194 ms
// with constants, 0.167 so (relaxed); even on the plain build.

/** One constant on four lanes. */
// @ts-expect-error: decorator
@inline
function known(table: usize, index: usize): v128 {
  return v128.load32_splat(table + (index << 2));
}

// ---- exp ------------------------------------------------------------------------------------------------------------
// e^x = s*s*e^r with s = 2^m, m = round(x / 2 ln 2), |r| <= ln 2. Applying s twice keeps it a normal number from the
// smallest subnormal result to overflow, which costs less than the usual |r| <= (ln 2)/2 with a split exponent.

/** 1.5 * 2^23 + 127: adding it rounds to an integer m and leaves m + 127, the exponent field of 2^m, in the low bits. */
const ROUND: f32 = 12583039;
/** e^-104 rounds to zero. */
const EXP_LOW: f32 = -104;

const EXP_ROUND: usize = memory.data<f32>([0.72134752, ROUND]);
// @ts-expect-error: decorator
@inline
function expRound(x: v128): v128 {
  return madd(x, known(EXP_ROUND, 0), known(EXP_ROUND, 1));
}

const EXP_REDUCE: usize = memory.data<f32>([ROUND, 2.8572136e-6, 1.3862915]);
/** x - m*2 ln 2 in two steps: the first constant has 15 bits, so that its product with m is exact. */
// @ts-expect-error: decorator
@inline
function expReduce(x: v128, rounded: v128): v128 {
  const m = f32x4.sub(rounded, known(EXP_REDUCE, 0));
  return nmadd(m, known(EXP_REDUCE, 1), nmadd(m, known(EXP_REDUCE, 2), x));
}

const EXP_SERIES: usize = memory.data<f32>([1.961160324e-4, 1.410447295e-3, 8.336103185e-3, 4.166126823e-2, 0.1666661415, 0.5000003464]);
/** (e^r - 1 - r) / r^2. */
// @ts-expect-error: decorator
@inline
function expSeries(r: v128): v128 {
  let h = madd(known(EXP_SERIES, 0), r, known(EXP_SERIES, 1));
  h = madd(h, r, known(EXP_SERIES, 2));
  h = madd(h, r, known(EXP_SERIES, 3));
  h = madd(h, r, known(EXP_SERIES, 4));
  return madd(h, r, known(EXP_SERIES, 5));
}

const EXP: usize = memory.data<f32>([1]);
/** e^x for -104 <= x <= 89. */
// @ts-expect-error: decorator
@inline
function expInRange(x: v128): v128 {
  const rounded = expRound(x);
  const r = expReduce(x, rounded);
  const s = i32x4.shl(rounded, 23);
  const p = madd(madd(expSeries(r), r, known(EXP, 0)), r, known(EXP, 0));
  return f32x4.mul(f32x4.mul(p, s), s);
}

const EXP_RANGE: usize = memory.data<f32>([EXP_LOW, 89]);
/** e^x; infinity from 88.73 up, subnormal below -87.34, zero below -103.98. 2.39 ulp, relaxed 1.58. */
// @ts-expect-error: decorator
@inline
export function exp4(x: v128): v128 {
  return expInRange(atMost(atLeast(x, known(EXP_RANGE, 0)), known(EXP_RANGE, 1)));
}

// @ts-expect-error: decorator
@call
export function calledExp4(x: v128): v128 {
  return exp4(x);
}

const EXPM1: usize = memory.data<f32>([-18, 1]);
/** e^x - 1 for x <= 0, good near 0 too: s*s*(e^r - 1) + (s*s - 1). 1.71 ulp, relaxed 1.45. */
// @ts-expect-error: decorator
@call
export function expm1Negative4(x: v128): v128 {
  const low = atLeast(x, known(EXPM1, 0));
  const rounded = expRound(low);
  const r = expReduce(low, rounded);
  const s = i32x4.shl(rounded, 23);
  const ss = f32x4.mul(s, s);
  return madd(ss, madd(f32x4.mul(r, r), expSeries(r), r), f32x4.sub(ss, known(EXPM1, 1)));
}

// ---- logistic and hyperbolic ----------------------------------------------------------------------------------------

const SIGMOID: usize = memory.data<f32>([EXP_LOW, 18, -1.961160324e-4, 1.410447295e-3, -8.336103185e-3, 4.166126823e-2, -0.1666661415, 0.5000003464, -1, 1]);
/**
 * 1 / (1 + e^-x) = s*s / (s*s + e^-r), x = r + m 2 ln 2, s = 2^m: no sign to look at, and the left tail keeps its
 * relative accuracy down to the last subnormal. 3.65 ulp, relaxed 2.82.
 */
// @ts-expect-error: decorator
@inline
export function sigmoid4(x: v128): v128 {
  const a = atMost(atLeast(x, known(SIGMOID, 0)), known(SIGMOID, 1));
  const rounded = expRound(a);
  const r = expReduce(a, rounded);
  const s = i32x4.shl(rounded, 23);
  // e^-r: the odd coefficients change sign.
  let p = madd(known(SIGMOID, 2), r, known(SIGMOID, 3));
  p = madd(p, r, known(SIGMOID, 4));
  p = madd(p, r, known(SIGMOID, 5));
  p = madd(p, r, known(SIGMOID, 6));
  p = madd(p, r, known(SIGMOID, 7));
  p = madd(madd(p, r, known(SIGMOID, 8)), r, known(SIGMOID, 9));
  return f32x4.mul(f32x4.div(s, madd(s, s, p)), s);
}

const TANH: usize = memory.data<f32>([-9.02, 9.02, 2.8853901, ROUND, 7.1430341e-7, 0.34657288, 4.4424024265e-2, 0.13386528761, 0.33333761453, 0.66666172706, 0.99999996288, 0.5, -0.5, 1]);
/**
 * tanh x = g / (g + 2), g = e^2x - 1 = s E + (s - 1): good near 0, and cannot pass 1. Not bit for bit odd.
 * x = r + m (ln 2)/2, |r| <= (ln 2)/4, s = 2^m, E = e^2r - 1 = 2 (r + r^2 h(r)). 2.52 ulp, relaxed 2.49. (A 9/8 rational takes four
 * fifths of the time but errs by 4.2 ulp, relaxed 3.6.)
 */
// @ts-expect-error: decorator
@inline
export function tanh4(x: v128): v128 {
  const a = atMost(atLeast(x, known(TANH, 0)), known(TANH, 1));
  const rounded = madd(a, known(TANH, 2), known(TANH, 3));
  const m = f32x4.sub(rounded, known(TANH, 3));
  const s = i32x4.shl(rounded, 23);
  const r = nmadd(m, known(TANH, 4), nmadd(m, known(TANH, 5), a));
  let h = madd(known(TANH, 6), r, known(TANH, 7));
  h = madd(h, r, known(TANH, 8));
  h = madd(h, r, known(TANH, 9));
  h = madd(h, r, known(TANH, 10));
  // Everything halved: g/2 = s (r + r^2 h) + (s - 1)/2.
  const half = madd(s, madd(f32x4.mul(r, r), h, r), madd(s, known(TANH, 11), known(TANH, 12)));
  return f32x4.div(half, f32x4.add(half, known(TANH, 13)));
}

// @ts-expect-error: decorator
@call
export function calledSigmoid4(x: v128): v128 {
  return sigmoid4(x);
}

// @ts-expect-error: decorator
@call
export function calledTanh4(x: v128): v128 {
  return tanh4(x);
}

// ---- log ------------------------------------------------------------------------------------------------------------

const LOG_SERIES: usize = memory.data<f32>([-7.634429963e-2, 0.1276155038, -0.1316019504, 0.1420176246, -0.1662335648, 0.2000122667, -0.2500082106, 0.3333333171, -2.12194440e-4, 0.5, 0.693359375]);
/** log(1 + f) + k ln 2 for sqrt(1/2) <= 1 + f < sqrt(2): f - f^2/2 + f^3 R(f), ln 2 in two parts. */
// @ts-expect-error: decorator
@inline
function logParts(f: v128, k: v128): v128 {
  const z = f32x4.mul(f, f);
  let p = madd(known(LOG_SERIES, 0), f, known(LOG_SERIES, 1));
  p = madd(p, f, known(LOG_SERIES, 2));
  p = madd(p, f, known(LOG_SERIES, 3));
  p = madd(p, f, known(LOG_SERIES, 4));
  p = madd(p, f, known(LOG_SERIES, 5));
  p = madd(p, f, known(LOG_SERIES, 6));
  p = madd(p, f, known(LOG_SERIES, 7));
  let y = madd(f32x4.mul(z, f), p, f32x4.mul(k, known(LOG_SERIES, 8)));
  y = nmadd(known(LOG_SERIES, 9), z, y);
  return madd(k, known(LOG_SERIES, 10), f32x4.add(f, y));
}

const LOG: usize = memory.data<f32>([1.17549435e-38, 8388608, -23, 1, 0]);
/** Natural logarithm; -infinity at 0, NaN left of it; subnormal arguments keep their digits. 0.82 ulp, relaxed 0.82. */
// @ts-expect-error: decorator
@call
export function log4(x: v128): v128 {
  const small = f32x4.lt(x, known(LOG, 0));
  const normal = select4(small, f32x4.mul(x, known(LOG, 1)), x);
  // Subtracting the bits of sqrt(1/2) makes the exponent field step at sqrt(1/2) * 2^k instead of at 2^k.
  const bits = i32x4.sub(normal, i32x4.splat(0x3f3504f3));
  const k = f32x4.add(f32x4.convert_i32x4_s(i32x4.shr_s(bits, 23)), keep4(small, known(LOG, 2)));
  const m = i32x4.add(v128.and(bits, i32x4.splat(0x7fffff)), i32x4.splat(0x3f3504f3));
  let y = logParts(f32x4.sub(m, known(LOG, 3)), k);
  y = select4(f32x4.eq(x, known(LOG, 4)), splat(-Infinity), y);
  y = select4(f32x4.eq(x, splat(Infinity)), x, y);
  return v128.or(y, v128.not(f32x4.ge(x, known(LOG, 4))));
}

const LOG1PUNIT: usize = memory.data<f32>([0.41421356, 1, 0.5]);
/** log(1 + t) for 0 <= t <= 1. */
// @ts-expect-error: decorator
@inline
function log1pUnit(t: v128): v128 {
  const upper = f32x4.gt(t, known(LOG1PUNIT, 0));
  const f = select4(upper, f32x4.mul(f32x4.sub(t, known(LOG1PUNIT, 1)), known(LOG1PUNIT, 2)), t);
  return logParts(f, keep4(upper, known(LOG1PUNIT, 1)));
}

/** log(1 + e^-|x|), the bend of softplus. 3.25 ulp, relaxed 2.41. */
// @ts-expect-error: decorator
@call
export function log1pExpMinusAbs4(x: v128): v128 {
  return log1pUnit(calledExp4(v128.or(x, splat(-0.0))));
}

const SOFTPLUS4: usize = memory.data<f32>([0]);
/** log(1 + e^x) = max(x, 0) + log(1 + e^-|x|). 3.25 ulp, relaxed 2.41. */
// @ts-expect-error: decorator
@inline
export function softplus4(x: v128): v128 {
  return f32x4.add(atLeast(x, known(SOFTPLUS4, 0)), log1pExpMinusAbs4(x));
}

// ---- erf ------------------------------------------------------------------------------------------------------------

const ERF: usize = memory.data<f32>([3.95, 4.0649619802e-5, -3.8056133808e-4, 1.2504659446e-3, 2.07550877e-4, -1.9323070808e-2, 0.10281490324, 0.63661642129, 1.1283792102]);
/** Error function: 1 - e^(-a g(a)), sign of x, for a = |x| < 3.95, where it rounds to one. 3.05 ulp, relaxed 3.05. */
// @ts-expect-error: decorator
@call
export function erf4(x: v128): v128 {
  const a = atMost(f32x4.abs(x), known(ERF, 0));
  let g = madd(known(ERF, 1), a, known(ERF, 2));
  g = madd(g, a, known(ERF, 3));
  g = madd(g, a, known(ERF, 4));
  g = madd(g, a, known(ERF, 5));
  g = madd(g, a, known(ERF, 6));
  g = madd(g, a, known(ERF, 7));
  g = madd(g, a, known(ERF, 8));
  return v128.or(f32x4.abs(expm1Negative4(f32x4.neg(f32x4.mul(a, g)))), keep4(x, splat(-0.0)));
}

// ---- one value ------------------------------------------------------------------------------------------------------

export function expScalar(x: f32): f32 {
  return f32x4.extract_lane(exp4(splat(x)), 0);
}

export function logScalar(x: f32): f32 {
  return f32x4.extract_lane(log4(splat(x)), 0);
}
