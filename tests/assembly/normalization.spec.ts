// Layer and batch normalization against the formulas in float64, at sizes with every tail and across strips of 64 rows; gradients
// are added, and nothing is written beside a block. That the gradients are those of the formulas: tests/ops.test.ts.

import {
  columnMoments, columnMomentsBackward, movingAverage, normalizeColumns, normalizeColumnsBackward,
} from "../../assembly/batchNormalization";
import { layerNormalization, layerNormalizationBackward } from "../../assembly/layerNormalization";
import { Block, difference, noiseBlock, reseed } from "./blocks";

const COLUMNS: i32[] = [1, 2, 3, 5, 6, 17];
const ROWS: i32[] = [1, 3, 64, 67, 130];
const EPSILON: f64 = 1e-3;

/** What stands in a block before something is added to it. */
function copyOf(block: Block): StaticArray<f64> {
  const values = new StaticArray<f64>(block.n);
  for (let i = 0; i < block.n; i++) values[i] = <f64>block.get(i);
  return values;
}

function maskBlock(rows: i32): Block {
  const mask = new Block(rows);
  for (let r = 0; r < rows; r++) mask.setInt(r, r % 3 == 1 ? 0 : r + 1);
  return mask;
}

function checkLayer(rows: i32, columns: i32, rms: bool): void {
  const what = `[${rows}, ${columns}] rms ${rms}`;
  reseed(<u32>(rows * 100 + columns));
  let worst = 0.0; // in units of what is allowed
  const n = rows * columns;
  const x = noiseBlock(n), gamma = noiseBlock(columns), beta = noiseBlock(columns), dout = noiseBlock(n);
  const out = new Block(n), stats = new Block(2 * rows);
  layerNormalization(out.at, stats.at, x.at, gamma.at, beta.at, rows, columns, <f32>EPSILON, rms);
  const dx = noiseBlock(n), dgamma = noiseBlock(columns), dbeta = noiseBlock(columns);
  const wantGamma = copyOf(dgamma), wantBeta = copyOf(dbeta), wantX = copyOf(dx);
  layerNormalizationBackward(
    dx.at, dgamma.at, dbeta.at, dout.at, x.at, stats.at, gamma.at, rows, columns, rms,
  );
  for (let r = 0; r < rows; r++) {
    let mean = 0.0, variance = 0.0, a = 0.0, ay = 0.0;
    for (let c = 0; c < columns; c++) mean += <f64>x.get(r * columns + c) / columns;
    for (let c = 0; c < columns; c++) variance += (<f64>x.get(r * columns + c) - mean) ** 2 / columns;
    const s = Math.sqrt(variance + EPSILON);
    const shift = rms ? 0.0 : mean;
    for (let c = 0; c < columns; c++) {
      const i = r * columns + c;
      const y = (<f64>x.get(i) - shift) / s;
      const want = y * <f64>gamma.get(c) + <f64>beta.get(c);
      worst = max(worst, difference(<f64>out.get(i), want) / 2e-6);
      a += (<f64>dout.get(i) * <f64>gamma.get(c)) / columns;
      ay += (<f64>dout.get(i) * <f64>gamma.get(c) * y) / columns;
      wantGamma[c] += <f64>dout.get(i) * y;
      wantBeta[c] += <f64>dout.get(i);
    }
    for (let c = 0; c < columns; c++) {
      const i = r * columns + c;
      const z = (<f64>x.get(i) - mean) / s;
      const slope = (<f64>dout.get(i) * <f64>gamma.get(c) - (rms ? 0.0 : a) - z * ay) / s;
      worst = max(worst, difference(<f64>dx.get(i), wantX[i] + slope) / 1e-5);
    }
  }
  for (let c = 0; c < columns; c++) {
    worst = max(worst, difference(<f64>dgamma.get(c), wantGamma[c]) / 1e-5);
    worst = max(worst, difference(<f64>dbeta.get(c), wantBeta[c]) / 1e-5);
  }
  expect<f64>(worst).toBeLessThan(1, what);
  expect<bool>(out.intact() && stats.intact() && dx.intact() && dgamma.intact() && dbeta.intact()).toBe(true, what);
}

function checkBatch(rows: i32, columns: i32, masked: bool): void {
  const what = `[${rows}, ${columns}] masked ${masked}`;
  reseed(<u32>(rows * 100 + columns));
  let worst = 0.0; // in units of what is allowed
  const n = rows * columns;
  const x = noiseBlock(n), gamma = noiseBlock(columns), beta = noiseBlock(columns), dout = noiseBlock(n);
  const mask = maskBlock(rows);
  const mean = new Block(columns), variance = new Block(columns), out = new Block(n);
  const maskAt = masked ? mask.at : 0;
  columnMoments(mean.at, variance.at, x.at, maskAt, rows, columns);
  normalizeColumns(out.at, x.at, mean.at, variance.at, gamma.at, beta.at, rows, columns, <f32>EPSILON);
  const dx = noiseBlock(n), dgamma = noiseBlock(columns), dbeta = noiseBlock(columns);
  const dmean = noiseBlock(columns), dvariance = noiseBlock(columns);
  const beforeX = copyOf(dx), beforeGamma = copyOf(dgamma), beforeBeta = copyOf(dbeta);
  const beforeMean = copyOf(dmean), beforeVariance = copyOf(dvariance);
  normalizeColumnsBackward(
    dx.at, dmean.at, dvariance.at, dgamma.at, dbeta.at, dout.at, x.at, mean.at, variance.at, gamma.at,
    rows, columns, <f32>EPSILON,
  );
  columnMomentsBackward(dx.at, dmean.at, dvariance.at, x.at, mean.at, maskAt, rows, columns);
  for (let c = 0; c < columns; c++) {
    let kept = 0.0, m = 0.0, v = 0.0, sum = 0.0, product = 0.0;
    for (let r = 0; r < rows; r++) {
      if (masked && mask.getInt(r) == 0) continue;
      kept += 1;
      m += <f64>x.get(r * columns + c);
    }
    if (masked) kept += 1e-7;
    m /= kept;
    for (let r = 0; r < rows; r++) {
      if (!masked || mask.getInt(r) != 0) v += (<f64>x.get(r * columns + c) - m) ** 2 / kept;
    }
    worst = max(worst, difference(<f64>mean.get(c), m) / 1e-6);
    worst = max(worst, difference(<f64>variance.get(c), v) / 1e-6);
    const s = Math.sqrt(v + EPSILON), g = <f64>gamma.get(c);
    for (let r = 0; r < rows; r++) {
      const i = r * columns + c;
      const z = (<f64>x.get(i) - m) / s;
      worst = max(worst, difference(<f64>out.get(i), z * g + <f64>beta.get(c)) / 3e-6);
      sum += <f64>dout.get(i);
      product += <f64>dout.get(i) * z;
    }
    worst = max(worst, difference(<f64>dgamma.get(c), beforeGamma[c] + product) / 1e-5);
    worst = max(worst, difference(<f64>dbeta.get(c), beforeBeta[c] + sum) / 1e-5);
    const wantMean = beforeMean[c] - (sum * g) / s, wantVariance = beforeVariance[c] - (product * g) / (2 * s * s);
    worst = max(worst, difference(<f64>dmean.get(c), wantMean) / 1e-5);
    worst = max(worst, difference(<f64>dvariance.get(c), wantVariance) / 1e-5);
    for (let r = 0; r < rows; r++) {
      const i = r * columns + c;
      let want = beforeX[i] + (<f64>dout.get(i) * g) / s;
      if (!masked || mask.getInt(r) != 0) want += (wantMean + 2 * (<f64>x.get(i) - m) * wantVariance) / kept;
      worst = max(worst, difference(<f64>dx.get(i), want) / 2e-5);
    }
  }
  expect<f64>(worst).toBeLessThan(1, what);
  const written = mean.intact() && variance.intact() && out.intact() && dx.intact() && dgamma.intact();
  expect<bool>(written && dbeta.intact() && dmean.intact() && dvariance.intact()).toBe(true, what);
}

describe("layer normalization", () => {
  test("agrees with the formula at every size, and adds its gradients", () => {
    for (let r = 0; r < ROWS.length; r++) {
      for (let c = 0; c < COLUMNS.length; c++) {
        checkLayer(ROWS[r], COLUMNS[c], false);
        checkLayer(ROWS[r], COLUMNS[c], true);
      }
    }
  });

  test("does without gamma, beta and any gradient", () => {
    const x = noiseBlock(6), dout = noiseBlock(6), ones = new Block(3), zeros = new Block(3);
    for (let c = 0; c < 3; c++) ones.set(c, 1);
    for (let c = 0; c < 3; c++) zeros.set(c, 0);
    const a = new Block(6), b = new Block(6), stats = new Block(4);
    layerNormalization(a.at, stats.at, x.at, 0, 0, 2, 3, 1e-3, 0);
    layerNormalization(b.at, stats.at, x.at, ones.at, zeros.at, 2, 3, 1e-3, 0);
    for (let i = 0; i < 6; i++) expect<f32>(a.get(i)).toBe(b.get(i));
    layerNormalizationBackward(0, 0, 0, dout.at, x.at, stats.at, 0, 2, 3, 0);
    const dgamma = new Block(3), dx = new Block(6);
    for (let c = 0; c < 3; c++) dgamma.set(c, 0);
    for (let i = 0; i < 6; i++) dx.set(i, 0);
    layerNormalizationBackward(0, dgamma.at, 0, dout.at, x.at, stats.at, 0, 2, 3, 0);
    layerNormalizationBackward(dx.at, 0, 0, dout.at, x.at, stats.at, 0, 2, 3, 0);
    expect<bool>(dx.get(0) != 0 && dgamma.get(0) != 0 && dx.intact() && dgamma.intact()).toBe(true);
  });

  test("keeps its digits far from 0, and NaN to its row", () => {
    const x = new Block(10), out = new Block(10), stats = new Block(4);
    for (let i = 0; i < 10; i++) x.set(i, 4096 + <f32>(i % 5));
    x.set(7, NaN);
    layerNormalization(out.at, stats.at, x.at, 0, 0, 2, 5, 0, 0);
    for (let c = 0; c < 5; c++) {
      expect<f64>(difference(<f64>out.get(c), <f64>(c - 2) / Math.sqrt(2))).toBeLessThan(1e-6);
      expect<bool>(out.get(5 + c) != out.get(5 + c)).toBe(true);
    }
  });
});

describe("batch normalization", () => {
  test("agrees with the formulas at every size, masked and not, and adds its gradients", () => {
    for (let r = 0; r < ROWS.length; r++) {
      for (let c = 0; c < COLUMNS.length; c++) {
        checkBatch(ROWS[r], COLUMNS[c], false);
        // A single row has no variance: what is left of it is rounding.
        if (ROWS[r] > 1) checkBatch(ROWS[r], COLUMNS[c], true);
      }
    }
  });

  test("when no row counts, mean and variance are 0; what is masked may be anything", () => {
    const x = new Block(6), mask = new Block(2), mean = new Block(3), variance = new Block(3);
    for (let i = 0; i < 6; i++) x.set(i, NaN);
    mask.setInt(0, 0);
    mask.setInt(1, 0);
    columnMoments(mean.at, variance.at, x.at, mask.at, 2, 3);
    for (let c = 0; c < 3; c++) {
      expect<f32>(mean.get(c)).toBe(0);
      expect<f32>(variance.get(c)).toBe(0);
    }
  });

  test("a moving average, in place and at every length", () => {
    for (let n = 1; n <= 9; n++) {
      const average = noiseBlock(n), value = noiseBlock(n);
      const before = copyOf(average);
      movingAverage(average.at, average.at, value.at, 0.75, 0.25, n);
      for (let i = 0; i < n; i++) {
        expect<f64>(difference(<f64>average.get(i), before[i] * 0.75 + <f64>value.get(i) * 0.25)).toBeLessThan(1e-7);
      }
      expect<bool>(average.intact()).toBe(true);
    }
  });
});
