// Every activation against keras.activations' formula in float64, its gradient against central differences of that formula.

import {
  relu, reluBackward,
  clipped, clippedBackward,
  leakyRelu, leakyReluBackward,
  elu, eluBackward,
  shrink, shrinkBackward,
  tanhShrink, tanhShrinkBackward,
  sparsePlus, sparsePlusBackward,
  squareplus, squareplusBackward,
  gelu, geluBackward,
  geluTanh, geluTanhBackward,
  swish, swishBackward,
  mish, mishBackward,
  softplus, softplusBackward,
  softsign, softsignBackward,
  tanh, tanhBackward,
  sigmoid, sigmoidBackward,
  hardSwish, hardSwishBackward,
  exponential, exponentialBackward,
  logSigmoid, logSigmoidBackward,
} from "../../assembly/activation";
import { Block, difference, noise, noiseBlock, reseed } from "./blocks";

const SIZES: i32[] = [1, 2, 3, 5, 17];
const NAMES = [
  "relu", "relu6", "leakyRelu", "elu", "selu", "gelu", "geluTanh", "swish", "mish",
  "softplus", "softsign", "tanh", "sigmoid", "hardSigmoid", "hardTanh", "hardSwish", "exponential", "logSigmoid",
  "softShrink", "hardShrink", "tanhShrink", "sparsePlus", "squareplus", "sparseSigmoid",
];

/** Within 2e-8. */
function erf(x: f64): f64 {
  if (Math.abs(x) > 4) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let k = 1; k < 200; k++) {
    term *= (-x * x) / k;
    sum += term / (2 * k + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

function exact(name: i32, x: f64): f64 {
  switch (name) {
    case 0: return Math.max(x, 0);
    case 1: return Math.min(Math.max(x, 0), 6);
    case 2: return x > 0 ? x : 0.25 * x;
    case 3: return x > 0 ? x : 0.75 * (Math.exp(x) - 1);
    case 4: return 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * (Math.exp(x) - 1));
    case 5: return 0.5 * x * (1 + erf(x / Math.SQRT2));
    case 6: return 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
    case 7: return x / (1 + Math.exp(-x));
    case 8: return x * Math.tanh(Math.log(1 + Math.exp(x)));
    case 9: return Math.log(1 + Math.exp(x));
    case 10: return x / (1 + Math.abs(x));
    case 11: return Math.tanh(x);
    case 12: return 1 / (1 + Math.exp(-x));
    case 13: return Math.min(Math.max(x + 3, 0), 6) / 6;
    case 14: return Math.min(Math.max(x, -1), 1);
    case 15: return (x * Math.min(Math.max(x + 3, 0), 6)) / 6;
    case 16: return Math.exp(x);
    case 17: return -Math.log(1 + Math.exp(-x));
    case 18: return Math.abs(x) > 0.3 ? x - 0.3 * Math.sign(x) : 0;
    case 19: return Math.abs(x) > 0.3 ? x : 0;
    case 20: return x - Math.tanh(x);
    case 21: return x <= -1 ? 0 : x < 1 ? ((x + 1) * (x + 1)) / 4 : x;
    case 22: return (x + Math.sqrt(x * x + 3)) / 2;
    default: return Math.min(Math.max(0.5 * x + 0.5, 0), 1);
  }
}

function forward(name: i32, out: usize, x: usize, n: i32): void {
  switch (name) {
    case 0: return relu(out, x, n);
    case 1: return clipped(out, x, n, 1, 0, 0, 6);
    case 2: return leakyRelu(out, x, n, 0.25);
    case 3: return elu(out, x, n, 0.75, 1);
    case 4: return elu(out, x, n, <f32>1.6732632423543772, <f32>1.0507009873554805);
    case 5: return gelu(out, x, n);
    case 6: return geluTanh(out, x, n);
    case 7: return swish(out, x, n);
    case 8: return mish(out, x, n);
    case 9: return softplus(out, x, n);
    case 10: return softsign(out, x, n);
    case 11: return tanh(out, x, n);
    case 12: return sigmoid(out, x, n);
    case 13: return clipped(out, x, n, 1.0 / 6, 0.5, 0, 1);
    case 14: return clipped(out, x, n, 1, 0, -1, 1);
    case 15: return hardSwish(out, x, n);
    case 16: return exponential(out, x, n);
    case 17: return logSigmoid(out, x, n);
    case 18: return shrink(out, x, n, 0.3, 0.3);
    case 19: return shrink(out, x, n, 0.3, 0);
    case 20: return tanhShrink(out, x, n);
    case 21: return sparsePlus(out, x, n);
    case 22: return squareplus(out, x, n, 3);
    default: return clipped(out, x, n, 0.5, 0.5, 0, 1);
  }
}

function backward(name: i32, dx: usize, dout: usize, x: usize, out: usize, n: i32): void {
  switch (name) {
    case 0: return reluBackward(dx, dout, x, out, n);
    case 1: return clippedBackward(dx, dout, x, out, n, 1, 0, 0, 6);
    case 2: return leakyReluBackward(dx, dout, x, out, n, 0.25);
    case 3: return eluBackward(dx, dout, x, out, n, 0.75, 1);
    case 4: return eluBackward(dx, dout, x, out, n, <f32>1.6732632423543772, <f32>1.0507009873554805);
    case 5: return geluBackward(dx, dout, x, out, n);
    case 6: return geluTanhBackward(dx, dout, x, out, n);
    case 7: return swishBackward(dx, dout, x, out, n);
    case 8: return mishBackward(dx, dout, x, out, n);
    case 9: return softplusBackward(dx, dout, x, out, n);
    case 10: return softsignBackward(dx, dout, x, out, n);
    case 11: return tanhBackward(dx, dout, x, out, n);
    case 12: return sigmoidBackward(dx, dout, x, out, n);
    case 13: return clippedBackward(dx, dout, x, out, n, 1.0 / 6, 0.5, 0, 1);
    case 14: return clippedBackward(dx, dout, x, out, n, 1, 0, -1, 1);
    case 15: return hardSwishBackward(dx, dout, x, out, n);
    case 16: return exponentialBackward(dx, dout, x, out, n);
    case 17: return logSigmoidBackward(dx, dout, x, out, n);
    case 18: return shrinkBackward(dx, dout, x, out, n, 0.3, 0.3);
    case 19: return shrinkBackward(dx, dout, x, out, n, 0.3, 0);
    case 20: return tanhShrinkBackward(dx, dout, x, out, n);
    case 21: return sparsePlusBackward(dx, dout, x, out, n);
    case 22: return squareplusBackward(dx, dout, x, out, n, 3);
    default: return clippedBackward(dx, dout, x, out, n, 0.5, 0.5, 0, 1);
  }
}

function check(name: i32, n: i32, spread: f64): void {
  reseed(<u32>(n + 1));
  const x = new Block(n);
  for (let i = 0; i < n; i++) x.set(i, <f32>(noise() * spread));
  const out = new Block(n);
  const dout = noiseBlock(n);
  const dx = noiseBlock(n + 4); // more than n, as adding to the guards' NaN would not show
  const before = new StaticArray<f64>(n + 4);
  for (let i = 0; i < n + 4; i++) before[i] = <f64>dx.get(i);
  forward(name, out.at, x.at, n);
  backward(name, dx.at, dout.at, x.at, out.at, n);
  for (let i = 0; i < n; i++) {
    const at = <f64>x.get(i);
    const what = `${NAMES[name]} n ${n} at ${at}`;
    expect<f64>(difference(<f64>out.get(i), exact(name, at))).toBeLessThan(1e-6, what);
    const step = 1e-5;
    const slope = (exact(name, at + step) - exact(name, at - step)) / (2 * step);
    expect<f64>(difference(<f64>dx.get(i), before[i] + <f64>dout.get(i) * slope)).toBeLessThan(2e-6, `d ${what}`);
  }
  for (let i = n; i < n + 4; i++) expect<f64>(<f64>dx.get(i)).toBe(before[i], NAMES[name]);
  expect<bool>(x.intact() && out.intact() && dout.intact() && dx.intact()).toBe(true, NAMES[name]);
  x.free();
  out.free();
  dout.free();
  dx.free();
}

function one(name: i32, x: f32, derivative: bool): f32 {
  const block = new Block(1);
  const out = new Block(1);
  const dout = new Block(1);
  const dx = new Block(1);
  block.set(0, x);
  dout.set(0, 1);
  dx.set(0, 0);
  forward(name, out.at, block.at, 1);
  backward(name, dx.at, dout.at, block.at, out.at, 1);
  return derivative ? dx.get(0) : out.get(0);
}

describe("activation", () => {
  test("agrees with the formula and its central differences", () => {
    for (let name = 0; name < NAMES.length; name++) {
      for (let s = 0; s < SIZES.length; s++) check(name, SIZES[s], 1);
      for (let s = 0; s < SIZES.length; s++) check(name, SIZES[s], 8);
    }
  });

  test("stays between its asymptotes far out", () => {
    const far: f32[] = [30, 1e10, 1e30, 3e38];
    for (let name = 0; name < NAMES.length; name++) {
      const what = NAMES[name];
      if (what == "exponential") continue;
      const unboundedLeft = what == "leakyRelu" || what == "logSigmoid" || what.endsWith("Shrink");
      for (let k = 0; k < far.length; k++) {
        const x = far[k];
        const right = <f64>one(name, x, false);
        expect<bool>(right >= -1e-6 && right <= 1.06 * <f64>x).toBe(true, `${what}(${x})`);
        const left = <f64>one(name, -x, false);
        expect<bool>(left >= (unboundedLeft ? -1.06 * <f64>x : -2) && left <= 0.1).toBe(true, `${what}(-${x})`);
        const up = one(name, x, true);
        expect<bool>(up >= 0 && up <= 1.06).toBe(true, `d ${what}(${x})`);
        const down = one(name, -x, true);
        expect<bool>(down >= -1e-6 && down <= 1).toBe(true, `d ${what}(-${x})`);
      }
    }
  });

  test("passes NaN on", () => {
    for (let name = 0; name < NAMES.length; name++) {
      const y = one(name, NaN, false);
      expect<bool>(y != y).toBe(true, NAMES[name]);
    }
  });
});
