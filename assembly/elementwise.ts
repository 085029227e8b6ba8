// Functions of each number that are no activations: with constants, roots, logarithms, powers; comparisons and choices.
// Not here: activations and e^x (activation.ts), arithmetic of two blocks (vector.ts).
//
// One loop for all functions, as they are short or rare: `kind` is looked at for every vector. ops/elementwise.ts repeats the
// numbers of the kinds. a and b are the function's constants.

import { erf4, calledExp4, log4 } from "./math";
import { LANES, VECTOR, half4, keep4, load4, madd, one4, select4, splat, writeUpTo4 } from "./simd";

const enum Kind {
  Shift, // x a + b
  Quotient, // a / x
  Maximum, // max(x, a)
  Minimum, // min(x, a)
  Clip, // x between a and b
  Absolute,
  SquareRoot,
  Logarithm,
  Logarithm1p, // log(1 + x)
  Error, // erf
  Power, // x^a
}

/** log(1 + x) = log(u) x / (u - 1), u = 1 + x rounded: the quotient takes back what the rounding lost. */
// @ts-expect-error: decorator
@inline
function log1p4(x: v128): v128 {
  const u = f32x4.add(x, one4());
  const d = f32x4.sub(u, one4());
  const y = f32x4.mul(log4(u), f32x4.div(x, d));
  const exact = v128.or(f32x4.eq(d, splat(0)), f32x4.eq(u, splat(Infinity)));
  return select4(exact, x, y);
}

/**
 * x^a in f64, so that only the last rounding counts: 2^k (1 + s)/(1 - s) for |x|, its logarithm times a, and e to that, by
 * series to 1e-10 of themselves. Negative x: whole a only, else NaN.
 */
function powerOf(x: f32, a: f32): f32 {
  if (a == 0 || x == 1) return 1;
  if (a == 1 || x != x) return x;
  if (a != a) return a;
  const whole = <f32>Math.floor(a) == a;
  const odd = whole && abs(a) < 16777216 && (<i32>a & 1) != 0;
  const size = abs(x);
  let y: f64;
  if (size == 0 || size == Infinity) y = (size == 0) == (a > 0) ? 0 : Infinity;
  else {
    if (x < 0 && !whole) return NaN;
    const bits = reinterpret<i64>(<f64>size);
    // Taking away the bits of sqrt(1/2) makes the exponent step there.
    const k = (bits - 0x3fe6a09e667f3bcd) >> 52;
    const m = reinterpret<f64>(bits - (k << 52));
    const s = (m - 1) / (m + 1);
    const z = s * s;
    let series: f64 = 1.0 / 13;
    for (let j = 11; j > 1; j -= 2) series = 1 / <f64>j + z * series;
    const exponent = (<f64>k + (s + s * z * series) * 2.8853900817779268) * <f64>a;
    const e = max(min(exponent, 200), -200);
    const rounded = Math.floor(e + 0.5);
    const r = (e - rounded) * 0.6931471805599453;
    let t = 1 + r * (1.0 / 9) * (1 + r * (1.0 / 10));
    for (let j = 8; j > 0; j--) t = 1 + (r / <f64>j) * t;
    y = t * reinterpret<f64>((<i64>rounded + 1023) << 52);
  }
  return <f32>(odd && (reinterpret<u32>(x) >> 31) != 0 ? -y : y);
}

// @ts-expect-error: decorator
@call
function power4(x: v128, a: f32): v128 {
  let y = splat(powerOf(f32x4.extract_lane(x, 0), a));
  y = f32x4.replace_lane(y, 1, powerOf(f32x4.extract_lane(x, 1), a));
  y = f32x4.replace_lane(y, 2, powerOf(f32x4.extract_lane(x, 2), a));
  return f32x4.replace_lane(y, 3, powerOf(f32x4.extract_lane(x, 3), a));
}

// @ts-expect-error: decorator
@inline
function value(kind: Kind, x: v128, a: f32, b: f32): v128 {
  if (kind == Kind.Shift) return f32x4.add(f32x4.mul(x, splat(a)), splat(b));
  if (kind == Kind.Quotient) return f32x4.div(splat(a), x);
  if (kind == Kind.Maximum) return f32x4.max(x, splat(a));
  if (kind == Kind.Minimum) return f32x4.min(x, splat(a));
  if (kind == Kind.Clip) return f32x4.min(f32x4.max(x, splat(a)), splat(b));
  if (kind == Kind.Absolute) return f32x4.abs(x);
  if (kind == Kind.SquareRoot) return f32x4.sqrt(x);
  if (kind == Kind.Logarithm) return log4(x);
  if (kind == Kind.Logarithm1p) return log1p4(x);
  if (kind == Kind.Error) return erf4(x);
  return power4(x, a);
}

/** One where the first comparison holds, a half where only the second does. */
// @ts-expect-error: decorator
@inline
function share(greater: v128, notLess: v128): v128 {
  return f32x4.add(keep4(greater, half4()), keep4(notLess, half4()));
}

/** The slope, from x or from out = value(x). */
// @ts-expect-error: decorator
@inline
function slope(kind: Kind, x: v128, out: v128, a: f32, b: f32): v128 {
  if (kind == Kind.Shift) return splat(a);
  if (kind == Kind.Quotient) return f32x4.neg(f32x4.div(out, x));
  if (kind == Kind.Maximum) return share(f32x4.gt(x, splat(a)), f32x4.ge(x, splat(a)));
  if (kind == Kind.Minimum) return share(f32x4.lt(x, splat(a)), f32x4.le(x, splat(a)));
  if (kind == Kind.Clip) return keep4(v128.and(f32x4.ge(x, splat(a)), f32x4.le(x, splat(b))), one4());
  if (kind == Kind.Absolute) {
    return f32x4.sub(keep4(f32x4.gt(x, splat(0)), one4()), keep4(f32x4.lt(x, splat(0)), one4()));
  }
  if (kind == Kind.SquareRoot) return f32x4.div(half4(), out);
  if (kind == Kind.Logarithm) return f32x4.div(one4(), x);
  if (kind == Kind.Logarithm1p) return f32x4.div(one4(), f32x4.add(x, one4()));
  if (kind == Kind.Error) return f32x4.mul(calledExp4(f32x4.neg(f32x4.mul(x, x))), splat(1.1283792));
  if (a == 0) return splat(0);
  return f32x4.mul(power4(x, a - 1), splat(a));
}

/** out [n] = f(x [n]) */
export function elementwise(out: usize, x: usize, n: i32, kind: i32, a: f32, b: f32): void {
  for (; n > 0; n -= LANES, out += VECTOR, x += VECTOR) writeUpTo4(out, value(kind, load4(x), a, b), n);
}

/** dx [n] += dout [n] f'(x [n]) */
export function elementwiseBackward(
  dx: usize, dout: usize, x: usize, out: usize, n: i32, kind: i32, a: f32, b: f32,
): void {
  for (; n > 0; n -= LANES, dx += VECTOR, dout += VECTOR, x += VECTOR, out += VECTOR) {
    writeUpTo4(dx, madd(load4(dout), slope(kind, load4(x), load4(out), a, b), load4(dx)), n);
  }
}

/** out [n] = 1 where a [n] compares with b [n] (absent: with scalar), else 0. kind: 0 >, 1 >=, 2 <, 3 <=, 4 ==, 5 !=. */
export function compare(out: usize, a: usize, b: usize, scalar: f32, n: i32, kind: i32): void {
  for (; n > 0; n -= LANES, out += VECTOR, a += VECTOR) {
    const x = load4(a);
    let y = splat(scalar);
    if (b) {
      y = load4(b);
      b += VECTOR;
    }
    let holds = f32x4.ne(x, y);
    if (kind == 0) holds = f32x4.gt(x, y);
    else if (kind == 1) holds = f32x4.ge(x, y);
    else if (kind == 2) holds = f32x4.lt(x, y);
    else if (kind == 3) holds = f32x4.le(x, y);
    else if (kind == 4) holds = f32x4.eq(x, y);
    writeUpTo4(out, keep4(holds, one4()), n);
  }
}

/** out [n] = condition [n] is not 0 ? a [n] : b [n]; a or b absent: its scalar. */
export function choose(out: usize, condition: usize, a: usize, b: usize, aScalar: f32, bScalar: f32, n: i32): void {
  for (let i: usize = 0; n > 0; n -= LANES, i += VECTOR) {
    const x = a ? load4(a + i) : splat(aScalar);
    const y = b ? load4(b + i) : splat(bScalar);
    writeUpTo4(out + i, select4(f32x4.ne(load4(condition + i), splat(0)), x, y), n);
  }
}

/** da += dout where condition is not 0, else db += dout; da or db may be absent. */
export function chooseBackward(da: usize, db: usize, dout: usize, condition: usize, n: i32): void {
  for (let i: usize = 0; n > 0; n -= LANES, i += VECTOR) {
    const chosen = f32x4.ne(load4(condition + i), splat(0));
    const d = load4(dout + i);
    if (da) writeUpTo4(da + i, f32x4.add(load4(da + i), keep4(chosen, d)), n);
    if (db) writeUpTo4(db + i, f32x4.add(load4(db + i), v128.andnot(d, chosen)), n);
  }
}

/** out [n] (i32) = a | b: kept by either of two masks. */
export function eitherKept(out: usize, a: usize, b: usize, n: i32): void {
  for (let i: usize = 0; n > 0; n -= LANES, i += VECTOR) writeUpTo4(out + i, v128.or(load4(a + i), load4(b + i)), n);
}

/** out [n] (i32) = 1 where neither a nor b is 0: kept by both of two masks. */
export function bothKept(out: usize, a: usize, b: usize, n: i32): void {
  const zero = i32x4.splat(0);
  for (let i: usize = 0; n > 0; n -= LANES, i += VECTOR) {
    const kept = v128.and(i32x4.ne(load4(a + i), zero), i32x4.ne(load4(b + i), zero));
    writeUpTo4(out + i, v128.and(kept, i32x4.splat(1)), n);
  }
}
