// Focal and overlap losses, and weights under a mask: against their formulas in float64, gradients against central differences.

import {
  binaryFocalCrossentropy, binaryFocalCrossentropyBackward, categoricalFocalCrossentropy,
  categoricalFocalCrossentropyBackward,
} from "../../assembly/focal";
import { tversky, tverskyBackward } from "../../assembly/overlap";
import { leftWeights, maskedWeights } from "../../assembly/reduce";
import { Block, difference, noise, noiseBlock, reseed } from "./blocks";

const SIZES: i32[] = [1, 2, 3, 5, 6, 17];
const TOLERANCE: f64 = 2e-6;
/** Shares of labels, as a loss with smoothing sees them. */
const SMOOTHING: f32 = 0.125;

function positive(n: i32): Block {
  const block = new Block(n);
  for (let i = 0; i < n; i++) block.set(i, <f32>(Math.abs(noise()) * 0.8 + 0.1));
  return block;
}

/** The loss of row r, with yPred[r, at] moved by `step`. kind: 0 binary, 1 categorical, 2 overlap. */
function exact(kind: i32, t: Block, p: Block, r: i32, columns: i32, gamma: f64, at: i32, step: f64): f64 {
  let size: f64 = 0;
  for (let c = 0; c < columns; c++) size += <f64>p.get(r * columns + c) + (c == at ? step : 0);
  let total: f64 = 0;
  let apart: f64 = 0;
  for (let c = 0; c < columns; c++) {
    const label = <f64>t.get(r * columns + c);
    const x = <f64>p.get(r * columns + c) + (c == at ? step : 0);
    if (kind == 2) {
      total += label * x;
      apart += 0.3 * label * (1 - x) + 0.8 * x * (1 - label);
    } else if (kind == 1) {
      const y = label * (1 - <f64>SMOOTHING) + <f64>SMOOTHING / columns;
      // One class has all the probability, but for what clipping leaves.
      const q = Math.min(x / size, <f64>(<f32>(1 - 1e-7)));
      total -= 0.25 * y * Math.pow(1 - q, gamma) * Math.log(q);
    } else {
      const y = label * (1 - <f64>SMOOTHING) + <f64>SMOOTHING / 2;
      const miss = y * (1 - x) + (1 - y) * x;
      const entropy = -y * Math.log(x) - (1 - y) * Math.log(1 - x);
      total += ((y * 0.7 + (1 - y) * 0.4) * Math.pow(miss, gamma) * entropy) / columns;
    }
  }
  return kind == 2 ? 1 - total / (total + apart + 1e-7) : total;
}

function check(kind: i32, rows: i32, columns: i32, gamma: f32): void {
  const what = `${kind} [${rows}, ${columns}] gamma ${gamma}`;
  const n = rows * columns;
  const t = positive(n);
  const p = positive(n);
  const losses = new Block(rows);
  const dlosses = noiseBlock(rows);
  const dyPred = noiseBlock(n + 4); // more than n, as adding to the guards' NaN would not show
  const before = new StaticArray<f64>(n + 4);
  for (let i = 0; i < n + 4; i++) before[i] = <f64>dyPred.get(i);
  if (kind == 0) {
    binaryFocalCrossentropy(losses.at, t.at, p.at, rows, columns, SMOOTHING, gamma, 0.7, 0.4);
    binaryFocalCrossentropyBackward(dyPred.at, dlosses.at, t.at, p.at, rows, columns, SMOOTHING, gamma, 0.7, 0.4);
  } else if (kind == 1) {
    categoricalFocalCrossentropy(losses.at, t.at, p.at, rows, columns, SMOOTHING, gamma, 0.25);
    categoricalFocalCrossentropyBackward(dyPred.at, dlosses.at, t.at, p.at, rows, columns, SMOOTHING, gamma, 0.25);
  } else {
    tversky(losses.at, t.at, p.at, rows, columns, 0.3, 0.8, 1e-7);
    tverskyBackward(dyPred.at, dlosses.at, t.at, p.at, rows, columns, 0.3, 0.8, 1e-7);
  }
  for (let r = 0; r < rows; r++) {
    const want = exact(kind, t, p, r, columns, gamma, -1, 0);
    expect<f64>(difference(<f64>losses.get(r), want)).toBeLessThan(TOLERANCE, what);
    for (let c = 0; c < columns; c++) {
      const step = 1e-6;
      const above = exact(kind, t, p, r, columns, gamma, c, step);
      const slope = (above - exact(kind, t, p, r, columns, gamma, c, -step)) / (2 * step);
      const sum = before[r * columns + c] + <f64>dlosses.get(r) * slope;
      expect<f64>(difference(<f64>dyPred.get(r * columns + c), sum)).toBeLessThan(4 * TOLERANCE, `d ${what} ${c}`);
    }
  }
  for (let i = n; i < n + 4; i++) expect<f64>(<f64>dyPred.get(i)).toBe(before[i], what);
  expect<bool>(t.intact() && p.intact() && losses.intact() && dlosses.intact() && dyPred.intact()).toBe(true, what);
  t.free();
  p.free();
  losses.free();
  dlosses.free();
  dyPred.free();
}

describe("focal and overlap", () => {
  test("agree with the formula and its central differences", () => {
    const gammas: f32[] = [0, 1, 1.5, 2, 3];
    for (let s = 0; s < SIZES.length; s++) {
      reseed(<u32>(s + 3));
      for (let g = 0; g < gammas.length; g++) {
        check(0, 3, SIZES[s], gammas[g]);
        check(1, 3, SIZES[s], gammas[g]);
      }
      check(2, 1, SIZES[s], 0);
      check(2, 3, SIZES[s], 0);
    }
  });

  test("overlap of more than a block of numbers", () => {
    reseed(9);
    const t = positive(1001);
    const p = positive(1001);
    const losses = new Block(1);
    tversky(losses.at, t.at, p.at, 1, 1001, 0.3, 0.8, 1e-7);
    expect<f64>(difference(<f64>losses.get(0), exact(2, t, p, 0, 1001, 0, -1, 0))).toBeLessThan(TOLERANCE);
  });
});

describe("maskedWeights", () => {
  test("scales what a mask leaves", () => {
    const mask = new Block(3);
    mask.setInt(0, 1);
    mask.setInt(1, 0);
    mask.setInt(2, 7);
    const weights = new Block(6);
    for (let i = 0; i < 6; i++) weights.set(i, <f32>(i + 1));
    const out = new Block(6);
    const factors: f32[] = [1, 1.5, 1 / 14.0];
    const left = new Block(2);
    for (let scaling = 0; scaling < 3; scaling++) {
      leftWeights(left.at, weights.at, mask.at, scaling == 2 ? 1 : 0, 3, 2);
      maskedWeights(out.at, weights.at, mask.at, scaling ? left.at : 0, scaling == 2 ? 1 : 0, 3, 2);
      for (let i = 0; i < 6; i++) {
        const want: f32 = i / 2 == 1 ? 0 : <f32>(i + 1) * factors[scaling];
        expect<f32>(out.get(i)).toBe(want, `scaling ${scaling}, ${i}`);
      }
    }
    for (let i = 0; i < 3; i++) mask.setInt(i, 0);
    for (let scaling = 0; scaling < 3; scaling++) {
      leftWeights(left.at, weights.at, mask.at, scaling == 2 ? 1 : 0, 3, 2);
      maskedWeights(out.at, weights.at, mask.at, scaling ? left.at : 0, scaling == 2 ? 1 : 0, 3, 2);
      for (let i = 0; i < 6; i++) expect<f32>(out.get(i)).toBe(0, `nothing left, scaling ${scaling}`);
    }
    expect<bool>(out.intact() && left.intact()).toBe(true);
  });
});
