// Convolution, depthwise convolution, pooling and padding against plain loops: both orders in memory, groups, strides and distances
// of taps, lengths with and without tails, nothing written beside.

import { padAxis } from "../../assembly/axes";
import { conv1D, conv1DInput, conv1DKernel } from "../../assembly/conv1d";
import { depthwise, depthwiseBackward } from "../../assembly/depthwise";
import { GEMM_SCRATCH_BYTES, packedBytes } from "../../assembly/gemm";
import { pool, poolBackward } from "../../assembly/pool";
import { Block, difference, noiseBlock, reseed } from "./blocks";

/** Four numbers more than are used, so that adding past the end shows: adding to the guards' NaN would not. */
const SPARE: i32 = 4;

function copyOf(block: Block): StaticArray<f64> {
  const copy = new StaticArray<f64>(block.n);
  for (let i = 0; i < block.n; i++) copy[i] = <f64>block.get(i);
  return copy;
}

/** Whether a block holds what is expected, its spare numbers included. */
function holds(block: Block, expected: StaticArray<f64>): bool {
  let right = block.intact();
  for (let i = 0; i < block.n; i++) right = right && difference(<f64>block.get(i), expected[i]) < 2e-5;
  return right;
}

/** G = 0: a filter for each channel. */
function checkConvolution(
  B: i32, T: i32, C: i32, F: i32, k: i32, stride: i32, dilation: i32, G: i32, timeMajor: bool, hasBias: bool,
): void {
  const what = `B${B} T${T} C${C} F${F} k${k} stride ${stride} dilation ${dilation} G${G} ${timeMajor} ${hasBias}`;
  const steps = (T - (k - 1) * dilation - 1) / stride + 1;
  const c = G ? C / G : 1;
  const f = G ? F / G : 1;
  const x = noiseBlock(B * T * C);
  const w = noiseBlock(k * c * F);
  const bias = noiseBlock(F);
  const y = noiseBlock(B * steps * F + SPARE);
  const dy = noiseBlock(B * steps * F);
  const dx = noiseBlock(B * T * C + SPARE);
  const dw = noiseBlock(k * c * F + SPARE);
  const wantedY = copyOf(y);
  const wantedDx = copyOf(dx);
  const wantedDw = copyOf(dw);
  for (let b = 0; b < B; b++) {
    for (let t = 0; t < steps; t++) {
      for (let o = 0; o < F; o++) {
        const to = (timeMajor ? t * B + b : b * steps + t) * F + o;
        const d = <f64>dy.get(to);
        let sum: f64 = hasBias ? <f64>bias.get(o) : 0;
        for (let j = 0; j < k; j++) {
          const s = t * stride + j * dilation;
          for (let i = 0; i < c; i++) {
            const from = (timeMajor ? s * B + b : b * T + s) * C + (o / f) * c + i;
            const weight = (j * c + i) * F + o;
            sum += <f64>x.get(from) * <f64>w.get(weight);
            wantedDx[from] += d * <f64>w.get(weight);
            wantedDw[weight] += d * <f64>x.get(from);
          }
        }
        wantedY[to] = sum;
      }
    }
  }
  const N = timeMajor ? steps : B;
  const R = timeMajor ? B : steps;
  const block = timeMajor ? stride * B * C : T * C;
  const row = timeMajor ? C : stride * C;
  const tap = dilation * (timeMajor ? B * C : C);
  const start = hasBias ? bias.at : 0;
  if (G) {
    const bytes = max(packedBytes(c, f), packedBytes(f, c)) * k * G;
    const scratch = new Block((max(bytes, 0) + GEMM_SCRATCH_BYTES) / 4);
    conv1D(y.at, x.at, w.at, start, N, R, block, row, tap, k, C, F, G, 0, scratch.at);
    conv1DInput(dx.at, dy.at, w.at, N, R, block, row, tap, k, C, F, G, scratch.at);
    conv1DKernel(dw.at, x.at, dy.at, N, R, block, row, tap, k, C, F, G, scratch.at);
    expect(scratch.intact()).toBe(true, `${what}: scratch`);
    const twice = copyOf(y);
    const first = copyOf(y);
    conv1D(y.at, x.at, w.at, start, N, R, block, row, tap, k, C, F, G, 1, scratch.at);
    for (let i = 0; i < y.n - SPARE; i++) twice[i] = first[i] * 2;
    expect(holds(y, twice)).toBe(true, `${what}: added to`);
    for (let i = 0; i < y.n; i++) y.set(i, <f32>first[i]);
    scratch.free();
  } else {
    depthwise(y.at, x.at, w.at, start, N, R, block, row, tap, k, C);
    depthwiseBackward(dx.at, 0, dy.at, x.at, w.at, N, R, block, row, tap, k, C);
    depthwiseBackward(0, dw.at, dy.at, x.at, w.at, N, R, block, row, tap, k, C);
  }
  expect(holds(y, wantedY)).toBe(true, `${what}: y`);
  expect(holds(dx, wantedDx)).toBe(true, `${what}: dx`);
  expect(holds(dw, wantedDw)).toBe(true, `${what}: dw`);
  x.free();
  w.free();
  bias.free();
  y.free();
  dy.free();
  dx.free();
  dw.free();
}

function checkPool(outer: i32, n: i32, inner: i32, size: i32, stride: i32, before: i32, m: i32, mean: i32): void {
  const what = `[${outer}, ${n}, ${inner}] size ${size} stride ${stride} before ${before} mean ${mean}`;
  const x = noiseBlock(outer * n * inner);
  if (n > 2) for (let i = 0; i < inner; i++) x.set(2 * inner + i, x.get(inner + i)); // ties
  const y = noiseBlock(outer * m * inner + SPARE);
  const dy = noiseBlock(outer * m * inner);
  const dx = noiseBlock(outer * n * inner + SPARE);
  const wantedY = copyOf(y);
  const wantedDx = copyOf(dx);
  for (let o = 0; o < outer; o++) {
    for (let t = 0; t < m; t++) {
      for (let i = 0; i < inner; i++) {
        const to = (o * m + t) * inner + i;
        let sum: f64 = 0;
        let count = 0;
        let best = -1;
        for (let j = 0; j < size; j++) {
          const s = t * stride - before + j;
          if (s < 0 || s >= n) continue;
          const from = (o * n + s) * inner + i;
          sum += <f64>x.get(from);
          count++;
          if (best < 0 || x.get(from) > x.get(best)) best = from;
        }
        wantedY[to] = mean ? sum / count : <f64>x.get(best);
        if (!mean) wantedDx[best] += <f64>dy.get(to);
        else {
          for (let j = 0; j < size; j++) {
            const s = t * stride - before + j;
            if (s >= 0 && s < n) wantedDx[(o * n + s) * inner + i] += <f64>dy.get(to) / count;
          }
        }
      }
    }
  }
  pool(y.at, x.at, outer, n, inner, m, size, stride, before, mean);
  poolBackward(dx.at, dy.at, x.at, y.at, outer, n, inner, m, size, stride, before, mean);
  expect(holds(y, wantedY)).toBe(true, `${what}: y`);
  expect(holds(dx, wantedDx)).toBe(true, `${what}: dx`);
  x.free();
  y.free();
  dy.free();
  dx.free();
}

const WIDTHS: i32[] = [1, 2, 3, 5, 17];

describe("conv1D, conv1DInput, conv1DKernel", () => {
  it("are plain sums over taps and channels", () => {
    reseed(1);
    for (let a = 0; a < WIDTHS.length; a++) {
      for (let b = 0; b < WIDTHS.length; b++) {
        for (let order = 0; order < 2; order++) {
          checkConvolution(3, 9, WIDTHS[a], WIDTHS[b], 3, 1, 1, 1, order == 1, true);
          checkConvolution(1, 9, WIDTHS[a], WIDTHS[b], 2, 1, 3, 1, order == 1, false);
          checkConvolution(2, 9, WIDTHS[a], WIDTHS[b], 4, 2, 1, 1, order == 1, true);
          checkConvolution(6, 3, WIDTHS[a], WIDTHS[b], 1, 3, 1, 1, order == 1, false);
        }
      }
    }
  });

  it("keep groups apart", () => {
    reseed(2);
    for (let order = 0; order < 2; order++) {
      checkConvolution(3, 7, 4, 6, 3, 1, 1, 2, order == 1, true);
      checkConvolution(1, 7, 9, 3, 2, 2, 1, 3, order == 1, false);
      checkConvolution(2, 7, 10, 34, 2, 1, 3, 2, order == 1, true);
    }
  });

  it("take more rows than stay in the cache at once", () => {
    reseed(3);
    checkConvolution(2, 400, 3, 5, 3, 1, 2, 1, false, true);
    checkConvolution(5, 90, 3, 5, 3, 1, 1, 1, true, true);
  });
});

describe("depthwise and its way back", () => {
  it("are plain sums over taps", () => {
    reseed(4);
    for (let a = 0; a < WIDTHS.length; a++) {
      for (let order = 0; order < 2; order++) {
        checkConvolution(3, 9, WIDTHS[a], WIDTHS[a], 3, 1, 1, 0, order == 1, true);
        checkConvolution(1, 9, WIDTHS[a], WIDTHS[a], 2, 1, 3, 0, order == 1, false);
        checkConvolution(2, 9, WIDTHS[a], WIDTHS[a], 4, 2, 1, 0, order == 1, true);
      }
    }
  });
});

describe("pool and its way back", () => {
  it("see what is there of each window, the first of equal numbers", () => {
    reseed(5);
    for (let mean = 0; mean < 2; mean++) {
      for (let a = 0; a < WIDTHS.length; a++) {
        checkPool(2, 7, WIDTHS[a], 3, 2, 0, 3, mean);
        checkPool(1, 7, WIDTHS[a], 3, 1, 1, 7, mean);
        checkPool(3, 8, WIDTHS[a], 5, 3, 1, 3, mean);
        checkPool(2, 1, WIDTHS[a], 5, 5, 2, 1, mean);
      }
    }
  });
});

describe("padAxis", () => {
  it("puts zeros around each block", () => {
    reseed(6);
    for (let outer = 1; outer < 4; outer++) {
      for (let before = 0; before < 3; before++) {
        const after = 4 - before - outer % 2;
        const n = 5;
        const x = noiseBlock(outer * n);
        const out = noiseBlock(outer * (before + n + after) + SPARE);
        const wanted = copyOf(out);
        for (let o = 0; o < outer; o++) {
          for (let i = 0; i < before + n + after; i++) {
            const inside = i >= before && i < before + n;
            wanted[o * (before + n + after) + i] = inside ? <f64>x.get(o * n + i - before) : 0;
          }
        }
        padAxis(out.at, x.at, outer, before, n, after);
        expect(holds(out, wanted)).toBe(true, `${outer} ${before} ${after}`);
      }
    }
  });
});
