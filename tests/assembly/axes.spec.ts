// Kernels along an axis and over single numbers against plain loops: sizes with and without tails, nothing written beside.

import { expandAxis, extremeAxis, extremeAxisBackward, sumAxis, swapBlocks } from "../../assembly/axes";
import { choose, chooseBackward, compare, eitherKept, elementwise, elementwiseBackward } from "../../assembly/elementwise";
import { GEMM_SCRATCH_BYTES } from "../../assembly/gemm";
import { gemmBatch } from "../../assembly/gemmBatch";
import { Block, difference, noiseBlock, reseed } from "./blocks";

const SIZES: i32[] = [1, 2, 3, 5, 17];

function checkAxis(outer: i32, n: i32, inner: i32): void {
  const what = `[${outer}, ${n}, ${inner}]`;
  const whole = outer * n * inner;
  const part = outer * inner;
  const x = noiseBlock(whole);
  if (n > 1) for (let i = 0; i < inner; i++) x.set(inner + i, x.get(i)); // ties
  const small = noiseBlock(part);
  // Blocks that are added to are longer, as adding to the guards' NaN would not show.
  const total = noiseBlock(part + 4);
  const big = noiseBlock(whole + 4);
  const beforeTotal = new StaticArray<f64>(part + 4);
  const beforeBig = new StaticArray<f64>(whole + 4);
  for (let i = 0; i < part + 4; i++) beforeTotal[i] = <f64>total.get(i);
  for (let i = 0; i < whole + 4; i++) beforeBig[i] = <f64>big.get(i);
  const expanded = new Block(whole);
  const averaged = new Block(whole);
  const extreme = new Block(part);
  const least = new Block(part);
  expandAxis(expanded.at, small.at, outer, n, inner, 0, 0);
  expandAxis(averaged.at, small.at, outer, n, inner, 1, 0);
  expandAxis(big.at, small.at, outer, n, inner, 0, 1);
  sumAxis(total.at, x.at, outer, n, inner, 0);
  extremeAxis(extreme.at, x.at, outer, n, inner, 0);
  extremeAxis(least.at, x.at, outer, n, inner, 1);
  const dx = noiseBlock(whole + 4);
  const beforeDx = new StaticArray<f64>(whole + 4);
  for (let i = 0; i < whole + 4; i++) beforeDx[i] = <f64>dx.get(i);
  extremeAxisBackward(dx.at, small.at, x.at, extreme.at, outer, n, inner);
  let right = true;
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      const at = o * inner + i;
      let sum = beforeTotal[at];
      let most: f64 = -Infinity;
      let fewest: f64 = Infinity;
      let ties = 0;
      for (let k = 0; k < n; k++) {
        const v = <f64>x.get((o * n + k) * inner + i);
        sum += v;
        most = max(most, v);
        fewest = min(fewest, v);
      }
      for (let k = 0; k < n; k++) ties += i32(<f64>x.get((o * n + k) * inner + i) == most);
      right = right && difference(<f64>total.get(at), sum) < 1e-6;
      right = right && <f64>extreme.get(at) == most && <f64>least.get(at) == fewest;
      for (let k = 0; k < n; k++) {
        const place = (o * n + k) * inner + i;
        const value = <f64>small.get(at);
        const share = <f64>x.get(place) == most ? value / <f64>ties : 0;
        right = right && expanded.get(place) == small.get(at);
        right = right && difference(<f64>averaged.get(place), value / <f64>n) < 1e-6;
        right = right && difference(<f64>big.get(place), beforeBig[place] + value) < 1e-6;
        right = right && difference(<f64>dx.get(place), beforeDx[place] + share) < 1e-6;
      }
    }
  }
  for (let i = 0; i < 4; i++) {
    right = right && <f64>total.get(part + i) == beforeTotal[part + i];
    right = right && <f64>big.get(whole + i) == beforeBig[whole + i] && <f64>dx.get(whole + i) == beforeDx[whole + i];
  }
  expect<bool>(right).toBe(true, what);
  const intact = expanded.intact() && averaged.intact() && extreme.intact() && least.intact() && dx.intact();
  expect<bool>(intact && total.intact() && big.intact() && x.intact() && small.intact()).toBe(true, what);
}

function checkSwap(outer: i32, a: i32, b: i32, inner: i32): void {
  const n = outer * a * b * inner;
  const x = noiseBlock(n);
  const out = new Block(n);
  const total = noiseBlock(n);
  const before = new StaticArray<f32>(n);
  for (let i = 0; i < n; i++) before[i] = total.get(i);
  swapBlocks(out.at, x.at, outer, a, b, inner, 0);
  swapBlocks(total.at, x.at, outer, a, b, inner, 1);
  let right = out.intact() && total.intact();
  for (let i = 0; i < n; i++) {
    const k = i % inner;
    const bb = (i / inner) % b;
    const aa = (i / inner / b) % a;
    const place = ((i / inner / b / a) * b + bb) * a * inner + aa * inner + k;
    right = right && out.get(place) == x.get(i) && total.get(place) == before[place] + x.get(i);
  }
  expect<bool>(right).toBe(true, `swap [${outer}, ${a}, ${b}, ${inner}]`);
}

/** One number through a function. */
function through(kind: i32, x: f32, a: f32 = 0, b: f32 = 0): f32 {
  const from = new Block(1);
  const to = new Block(1);
  from.set(0, x);
  elementwise(to.at, from.at, 1, kind, a, b);
  expect<bool>(to.intact()).toBe(true);
  return to.get(0);
}

/** Distance in units of the last place of the exact result. */
function ulps(found: f32, exact: f64): f64 {
  const near = <f32>exact;
  const unit = <f64>reinterpret<f32>((reinterpret<u32>(near) & 0x7fffffff) + 1) - <f64>abs(near);
  return abs(<f64>found - exact) / unit;
}

describe("axes", () => {
  test("expand, sum, largest, smallest and their gradients", () => {
    reseed(3);
    for (let o = 0; o < SIZES.length; o++) {
      for (let n = 0; n < SIZES.length; n++) {
        for (let i = 0; i < SIZES.length; i++) checkAxis(SIZES[o], SIZES[n], SIZES[i]);
      }
    }
  });

  test("swap blocks", () => {
    reseed(4);
    for (let a = 0; a < SIZES.length; a++) {
      for (let b = 0; b < SIZES.length; b++) {
        checkSwap(3, SIZES[a], SIZES[b], 1);
        checkSwap(2, SIZES[a], SIZES[b], 5);
      }
    }
  });
});

describe("elementwise", () => {
  test("logarithm of 1 + x and powers are good to a few units of the last place", () => {
    reseed(5);
    const x = noiseBlock(1000);
    const powers: f32[] = [2, 3, 0.5, -0.5, -1, 1.7, -2.3, 7, 20.5];
    let worst: f64 = 0;
    let worstPower: f64 = 0;
    for (let i = 0; i < x.n; i++) {
      const v = x.get(i) * (i % 3 == 0 ? 1e-4 : i % 3 == 1 ? 0.99 : 0.1);
      worst = max(worst, ulps(through(8, v), Math.log1p(<f64>v)));
      const base = abs(x.get(i)) * (i % 2 == 0 ? 1 : 50) + <f32>1e-3;
      for (let p = 0; p < powers.length; p++) {
        worstPower = max(worstPower, ulps(through(10, base, powers[p]), Math.pow(<f64>base, <f64>powers[p])));
      }
    }
    expect<f64>(worst).toBeLessThan(4, "log1p");
    expect<f64>(worstPower).toBeLessThan(0.501, "power");
  });

  test("powers at the edges are those of IEEE 754", () => {
    expect<f32>(through(10, -2, 3)).toBe(-8);
    expect<f32>(through(10, -2, 4)).toBe(16);
    expect<bool>(isNaN(through(10, -2, 0.5))).toBe(true);
    expect<f32>(through(10, 0, 0)).toBe(1);
    expect<f32>(through(10, 0, 2)).toBe(0);
    expect<f32>(through(10, 0, -1)).toBe(Infinity);
    expect<f32>(through(10, -0.0, -1)).toBe(-Infinity);
    expect<f32>(through(10, Infinity, -2)).toBe(0);
    expect<f32>(through(10, 10, 39)).toBe(Infinity);
    expect<f32>(through(10, 10, -50)).toBe(0);
    expect<f32>(through(10, 2, -149)).toBe(<f32>1.401298464324817e-45);
    expect<f32>(through(10, <f32>1.401298464324817e-45, 1)).toBe(<f32>1.401298464324817e-45);
    expect<f32>(through(8, -1)).toBe(-Infinity);
    expect<f32>(through(8, Infinity)).toBe(Infinity);
    expect<bool>(isNaN(through(8, -2))).toBe(true);
  });

  test("writes nothing beside its blocks", () => {
    for (let s = 0; s < SIZES.length; s++) {
      const n = SIZES[s];
      const x = noiseBlock(n);
      const dout = noiseBlock(n);
      const out = new Block(n);
      const condition = new Block(n);
      const chosen = new Block(n);
      const either = new Block(n);
      const da = noiseBlock(n + 4);
      const db = noiseBlock(n + 4);
      const last = [da.get(n), da.get(n + 3), db.get(n), db.get(n + 3)];
      elementwise(out.at, x.at, n, 5, 0, 0);
      elementwiseBackward(da.at, dout.at, x.at, out.at, n, 5, 0, 0);
      compare(condition.at, x.at, dout.at, 0, n, 0);
      choose(chosen.at, condition.at, x.at, dout.at, 0, 0, n);
      chooseBackward(da.at, db.at, dout.at, condition.at, n);
      eitherKept(either.at, condition.at, condition.at, n);
      let right = out.intact() && condition.intact() && chosen.intact() && either.intact();
      for (let i = 0; i < n; i++) right = right && chosen.get(i) == max(x.get(i), dout.get(i));
      right = right && da.get(n) == last[0] && da.get(n + 3) == last[1];
      expect<bool>(right && db.get(n) == last[2] && db.get(n + 3) == last[3]).toBe(true, `n ${n}`);
    }
  });
});

describe("gemmBatch", () => {
  test("is one product after another, also into a shared result", () => {
    reseed(6);
    const batch = 3;
    const M = 5;
    const N = 3;
    const K = 17;
    const a = noiseBlock(batch * M * K);
    const b = noiseBlock(K * N);
    const c = new Block(batch * M * N);
    const shared = noiseBlock(M * N);
    const before = new StaticArray<f64>(M * N);
    for (let i = 0; i < M * N; i++) before[i] = <f64>shared.get(i);
    const scratch = heap.alloc(GEMM_SCRATCH_BYTES);
    gemmBatch(c.at, M * N, a.at, M * K, b.at, 0, batch, M, N, K, 0, 0, scratch);
    gemmBatch(shared.at, 0, a.at, M * K, b.at, 0, batch, M, N, K, 0, 1, scratch);
    for (let m = 0; m < M; m++) {
      for (let n = 0; n < N; n++) {
        let all = before[m * N + n];
        for (let s = 0; s < batch; s++) {
          let sum: f64 = 0;
          for (let k = 0; k < K; k++) sum += <f64>a.get((s * M + m) * K + k) * <f64>b.get(k * N + n);
          all += sum;
          expect<f64>(difference(<f64>c.get((s * M + m) * N + n), sum)).toBeLessThan(1e-6);
        }
        expect<f64>(difference(<f64>shared.get(m * N + n), all)).toBeLessThan(1e-6);
      }
    }
    expect<bool>(c.intact() && shared.intact()).toBe(true);
  });
});
