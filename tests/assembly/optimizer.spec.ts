// Each rule over several steps against the same rule in float64, as Keras 3 writes it.

import {
  adam, clipByGlobalNorm, clipByNorm, clipByValue, decayWeights, rmsprop, sgd,
} from "../../assembly/optimizer";
import { Block, difference, noiseBlock, reseed } from "./blocks";

const SIZES: i32[] = [1, 3, 4, 5, 17];
const STEPS: i32 = 5;
const RATE: f64 = 0.01;

/** A weight, four blocks of state at zero, and a new gradient for every step; and the same in float64. */
class Bench {
  w: Block;
  s: Block[] = [];
  g: Block;
  hyper: Block = new Block(2);
  W: StaticArray<f64>;
  S: StaticArray<f64>[] = [];

  constructor(public n: i32) {
    reseed(<u32>n);
    this.w = noiseBlock(n);
    this.g = noiseBlock(n);
    this.W = new StaticArray<f64>(n);
    for (let i = 0; i < n; ++i) this.W[i] = <f64>this.w.get(i);
    for (let k = 0; k < 3; ++k) {
      const block = new Block(n);
      for (let i = 0; i < n; ++i) block.set(i, 0);
      this.s.push(block);
      this.S.push(new StaticArray<f64>(n));
    }
    this.hyper.set(0, <f32>RATE);
  }

  /** The next gradient; the rate that adam uses in step t (from 1). */
  next(t: i32, beta1: f64, beta2: f64): void {
    const g = noiseBlock(this.n);
    memory.copy(this.g.at, g.at, <usize>this.n << 2);
    g.free();
    const alpha = (RATE * Math.sqrt(1 - Math.pow(beta2, t))) / (1 - Math.pow(beta1, t));
    this.hyper.set(1, <f32>alpha);
  }

  check(what: string): void {
    for (let i = 0; i < this.n; ++i) {
      expect<f64>(difference(<f64>this.w.get(i), this.W[i])).toBeLessThan(1e-6, `${what} n ${this.n}`);
    }
    let intact = this.w.intact();
    for (let k = 0; k < 3; ++k) intact = intact && this.s[k].intact();
    expect<bool>(intact).toBe(true, what);
  }
}

function checkSgd(n: i32, momentum: f64, nesterov: bool): void {
  const b = new Bench(n);
  for (let t = 1; t <= STEPS; ++t) {
    b.next(t, 0.9, 0.999);
    sgd(b.w.at, momentum ? b.s[0].at : 0, b.g.at, n, b.hyper.at, <f32>momentum, i32(nesterov));
    for (let i = 0; i < n; ++i) {
      const g = <f64>b.g.get(i);
      b.S[0][i] = b.S[0][i] * momentum - g * RATE;
      b.W[i] += nesterov ? b.S[0][i] * momentum - g * RATE : b.S[0][i];
    }
  }
  b.check(`momentum ${momentum}`);
}

function checkRmsprop(n: i32, rho: f64, momentum: f64, centered: bool): void {
  const b = new Bench(n);
  const v = b.S[0], m = b.S[1], a = b.S[2];
  for (let t = 1; t <= STEPS; ++t) {
    b.next(t, 0.9, 0.999);
    const buffer: usize = momentum ? b.s[1].at : 0;
    const average: usize = centered ? b.s[2].at : 0;
    rmsprop(b.w.at, b.s[0].at, buffer, average, b.g.at, n, b.hyper.at, rho, <f32>momentum, 1e-7, 0);
    for (let i = 0; i < n; ++i) {
      const g = <f64>b.g.get(i);
      v[i] = rho * v[i] + (1 - rho) * g * g;
      if (centered) a[i] = rho * a[i] + (1 - rho) * g;
      const step = (RATE * g) / Math.sqrt(v[i] - a[i] * a[i] + 1e-7);
      m[i] = momentum * m[i] + step;
      b.W[i] -= m[i];
    }
  }
  b.check(`momentum ${momentum} centered ${centered}`);
}

function checkAdam(n: i32, beta1: f64, beta2: f64, amsgrad: bool): void {
  const b = new Bench(n);
  const m = b.S[0], v = b.S[1], vhat = b.S[2];
  for (let t = 1; t <= STEPS; ++t) {
    b.next(t, beta1, beta2);
    adam(b.w.at, b.s[0].at, b.s[1].at, amsgrad ? b.s[2].at : 0, b.g.at, n, b.hyper.at, beta1, beta2, 1e-7, 0);
    const alpha = (RATE * Math.sqrt(1 - Math.pow(beta2, t))) / (1 - Math.pow(beta1, t));
    for (let i = 0; i < n; ++i) {
      const g = <f64>b.g.get(i);
      m[i] += (g - m[i]) * (1 - beta1);
      v[i] += (g * g - v[i]) * (1 - beta2);
      vhat[i] = amsgrad ? max(vhat[i], v[i]) : v[i];
      b.W[i] -= (m[i] * alpha) / (Math.sqrt(vhat[i]) + 1e-7);
      // 1 - beta must be right to the last digits, not only to those that show in the weight.
      expect<f64>(abs(<f64>b.s[1].get(i) / v[i] - 1)).toBeLessThan(1e-6, "velocity");
    }
  }
  b.check(`amsgrad ${amsgrad}`);
}

describe("rules", () => {
  it("sgd", () => {
    for (let k = 0; k < SIZES.length; ++k) {
      checkSgd(SIZES[k], 0, false);
      checkSgd(SIZES[k], 0.9, false);
      checkSgd(SIZES[k], 0.9, true);
    }
  });
  it("rmsprop", () => {
    for (let k = 0; k < SIZES.length; ++k) {
      checkRmsprop(SIZES[k], 0.9, 0, false);
      checkRmsprop(SIZES[k], 0.99, 0.5, false);
      checkRmsprop(SIZES[k], 0.9, 0, true);
      checkRmsprop(SIZES[k], 0.9, 0.5, true);
    }
  });
  it("adam", () => {
    for (let k = 0; k < SIZES.length; ++k) {
      checkAdam(SIZES[k], 0.9, 0.999, false);
      checkAdam(SIZES[k], 0.5, 0.9, true);
    }
  });
  it("weight decay", () => {
    const b = new Bench(5);
    decayWeights(b.w.at, 5, b.hyper.at, 0.1);
    for (let i = 0; i < 5; ++i) b.W[i] -= b.W[i] * 0.1 * RATE;
    b.check("decay");
  });
});

describe("clipping", () => {
  it("by value, NaN stays", () => {
    const g = noiseBlock(5);
    g.set(0, 3);
    g.set(1, -3);
    g.set(2, NaN);
    g.set(3, 0.25);
    clipByValue(g.at, 0.5, 5, 0);
    expect<f32>(g.get(0)).toBe(0.5);
    expect<f32>(g.get(1)).toBe(-0.5);
    expect<bool>(isNaN(g.get(2))).toBe(true);
    expect<f32>(g.get(3)).toBe(0.25);
    expect<bool>(g.intact()).toBe(true);
  });

  it("by norm: longer ones shrink to the limit, shorter ones and zeros stay", () => {
    for (let k = 0; k < SIZES.length; ++k) {
      const n = SIZES[k];
      const g = new Block(n);
      for (let i = 0; i < n; ++i) g.set(i, <f32>(i + 1));
      let sum = 0.0;
      for (let i = 0; i < n; ++i) sum += <f64>((i + 1) * (i + 1));
      clipByNorm(g.at, 0.5, n, 0);
      for (let i = 0; i < n; ++i) {
        expect<f64>(difference(<f64>g.get(i), (<f64>(i + 1) * 0.5) / Math.sqrt(sum))).toBeLessThan(1e-6);
      }
      clipByNorm(g.at, 1, n, 0);
      for (let i = 0; i < n; ++i) {
        expect<f64>(difference(<f64>g.get(i), (<f64>(i + 1) * 0.5) / Math.sqrt(sum))).toBeLessThan(1e-6);
        g.set(i, 0);
      }
      clipByNorm(g.at, 1, n, 0);
      for (let i = 0; i < n; ++i) expect<f32>(g.get(i)).toBe(0);
      expect<bool>(g.intact()).toBe(true);
    }
  });

  it("by global norm; a norm that is not finite makes NaN, a zero norm changes nothing", () => {
    const g = new Block(5);
    const sumsq = new Block(1);
    const sums: f32[] = [16, 0.25, 0, Infinity, NaN];
    const factors: f64[] = [0.25, 1, 1, NaN, NaN];
    for (let k = 0; k < sums.length; ++k) {
      for (let i = 0; i < 5; ++i) g.set(i, <f32>(i + 1));
      sumsq.set(0, sums[k]);
      clipByGlobalNorm(g.at, sumsq.at, 1, 5, 0);
      for (let i = 0; i < 5; ++i) {
        const want = <f64>(i + 1) * factors[k];
        const got = <f64>g.get(i);
        expect<bool>(want == want ? difference(got, want) < 1e-6 : got != got).toBe(true, `sum ${sums[k]}`);
      }
    }
    expect<bool>(g.intact()).toBe(true);
  });
});
