// The functions of four lanes: their stated error on a coarse sample of all floats, their limits, NaN.
// The fine sample, over every exponent and both builds, is scripts/measure-ulp.js.

import {
  erf4, exp4, expm1Negative4, expScalar, log1pExpMinusAbs4, log4, logScalar, sigmoid4, softplus4, tanh4,
} from "../../assembly/math";

const enum Name { Exp, Expm1, Log, Tanh, Sigmoid, Softplus, Bend, Erf }
const NAMES = ["exp", "expm1", "log", "tanh", "sigmoid", "softplus", "log1pExpMinusAbs", "erf"];

function compute(name: i32, x: f32): f32 {
  const v = f32x4.splat(x);
  let y: v128;
  switch (name) {
    case Name.Exp: y = exp4(v); break;
    case Name.Expm1: y = expm1Negative4(v); break;
    case Name.Log: y = log4(v); break;
    case Name.Tanh: y = tanh4(v); break;
    case Name.Sigmoid: y = sigmoid4(v); break;
    case Name.Softplus: y = softplus4(v); break;
    case Name.Bend: y = log1pExpMinusAbs4(v); break;
    default: y = erf4(v);
  }
  const first = f32x4.extract_lane(y, 0);
  if (reinterpret<u32>(first) != reinterpret<u32>(f32x4.extract_lane(y, 3))) return NaN;
  return first;
}

/** Taylor series; good to 1e-12 for |x| < 3. */
function erf(x: f64): f64 {
  let term = x;
  let sum = x;
  for (let k = 1; k < 80; k++) {
    term *= (-x * x) / k;
    sum += term / (2 * k + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

function exact(name: i32, x: f64): f64 {
  switch (name) {
    case Name.Exp: return Math.exp(x);
    case Name.Expm1: return Math.expm1(x);
    case Name.Log: return Math.log(x);
    case Name.Tanh: return Math.tanh(x);
    case Name.Sigmoid: return x < 0 ? Math.exp(x) / (1 + Math.exp(x)) : 1 / (1 + Math.exp(-x));
    case Name.Softplus: return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
    case Name.Bend: return Math.log1p(Math.exp(-Math.abs(x)));
    default: return erf(x);
  }
}

/** In units of the last place of `want` as f32. */
function ulps(got: f32, want: f64): f64 {
  if (Math.abs(want) > 3.40282357e38) return Math.abs(got) == Infinity ? 0 : Infinity;
  const exponent = max<i64>(((reinterpret<u64>(want) >> 52) & 0x7ff) - 1023, -126);
  const error = Math.abs(<f64>got - want) / reinterpret<f64>(<u64>(exponent - 23 + 1023) << 52);
  return error == error ? error : Infinity;
}

function worst(name: i32, low: f32, high: f32): f64 {
  let result: f64 = 0;
  for (let bits: u32 = 7; bits < 0xffff0000; bits += 20011) {
    const x = reinterpret<f32>(bits);
    if (!(x >= low && x <= high)) continue;
    result = max(result, ulps(compute(name, x), exact(name, <f64>x)));
  }
  return result;
}

const inf: f32 = Infinity;

describe("math", () => {
  test("stays within its stated error", () => {
    expect<f64>(worst(Name.Exp, -inf, inf)).toBeLessThan(2.4, "exp");
    expect<f64>(worst(Name.Expm1, -inf, 0)).toBeLessThan(2, "expm1");
    expect<f64>(worst(Name.Log, 0, inf)).toBeLessThan(1, "log");
    expect<f64>(worst(Name.Tanh, -inf, inf)).toBeLessThan(3, "tanh");
    expect<f64>(worst(Name.Sigmoid, -inf, inf)).toBeLessThan(3.7, "sigmoid");
    expect<f64>(worst(Name.Softplus, -inf, inf)).toBeLessThan(3.3, "softplus");
    expect<f64>(worst(Name.Bend, -inf, inf)).toBeLessThan(3.3, "log1pExpMinusAbs");
    expect<f64>(worst(Name.Erf, -3, 3)).toBeLessThan(3.1, "erf");
  });

  test("keeps the tails", () => {
    expect<f64>(ulps(compute(Name.Sigmoid, -80), Math.exp(-80))).toBeLessThan(3, "sigmoid(-80)");
    expect<f64>(ulps(compute(Name.Sigmoid, -100), Math.exp(-100))).toBeLessThan(1, "sigmoid(-100), subnormal");
    expect<f64>(ulps(compute(Name.Softplus, -80), Math.exp(-80))).toBeLessThan(3, "softplus(-80)");
    expect<f64>(ulps(compute(Name.Exp, -100), Math.exp(-100))).toBeLessThan(1, "exp(-100), subnormal");
    expect<f32>(compute(Name.Tanh, 1e-40)).toBe(1e-40, "tanh of a subnormal");
    expect<f64>(ulps(compute(Name.Log, 1e-40), Math.log(<f64>(<f32>1e-40)))).toBeLessThan(1, "log of a subnormal");
  });

  test("has the right limits", () => {
    expect<f32>(compute(Name.Exp, inf)).toBe(inf);
    expect<f32>(compute(Name.Exp, 88.8)).toBe(inf);
    expect<f32>(compute(Name.Exp, -inf)).toBe(0);
    expect<f32>(compute(Name.Exp, 0)).toBe(1);
    expect<f32>(compute(Name.Expm1, -inf)).toBe(-1);
    expect<f32>(compute(Name.Log, 0)).toBe(-inf);
    expect<f32>(compute(Name.Log, 1)).toBe(0);
    expect<f32>(compute(Name.Log, inf)).toBe(inf);
    expect<f32>(compute(Name.Tanh, inf)).toBe(1);
    expect<f32>(compute(Name.Tanh, -inf)).toBe(-1);
    expect<f32>(compute(Name.Sigmoid, inf)).toBe(1);
    expect<f32>(compute(Name.Sigmoid, -inf)).toBe(0);
    expect<f32>(compute(Name.Sigmoid, 0)).toBe(0.5);
    expect<f32>(compute(Name.Softplus, inf)).toBe(inf);
    expect<f32>(compute(Name.Softplus, -inf)).toBe(0);
    expect<f32>(compute(Name.Erf, inf)).toBe(1);
    expect<f32>(compute(Name.Erf, -inf)).toBe(-1);
    expect<f32>(expScalar(1)).toBe(compute(Name.Exp, 1));
    expect<f32>(logScalar(3)).toBe(compute(Name.Log, 3));
  });

  test("passes NaN on, and log of a negative is NaN", () => {
    for (let name = 0; name < NAMES.length; name++) {
      const y = compute(name, NaN);
      expect<bool>(y != y).toBe(true, NAMES[name]);
    }
    for (let bits: u32 = 0x80000001; bits < 0xff800000; bits += 9999991) {
      const y = compute(Name.Log, reinterpret<f32>(bits));
      expect<bool>(y != y).toBe(true, "log of a negative");
    }
    const y = compute(Name.Log, -inf);
    expect<bool>(y != y).toBe(true, "log(-Infinity)");
  });

  test("never leaves the range of tanh, sigmoid and erf", () => {
    let inside = true;
    for (let bits: u32 = 3; bits < 0x7f800000; bits += 10007) {
      const x = reinterpret<f32>(bits);
      inside = inside && abs(compute(Name.Tanh, x)) <= 1 && abs(compute(Name.Tanh, -x)) <= 1;
      inside = inside && abs(compute(Name.Erf, x)) <= 1 && abs(compute(Name.Sigmoid, x)) <= 1;
    }
    expect<bool>(inside).toBe(true);
  });
});
