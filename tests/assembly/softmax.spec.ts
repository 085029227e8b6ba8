// Softmax and log-softmax against the textbook in float64, their gradients against central differences.

import { logSoftmax, logSoftmaxBackward, softmax, softmaxBackward } from "../../assembly/softmax";
import { Block, difference, noise, noiseBlock, reseed } from "./blocks";

const SIZES: i32[] = [1, 2, 3, 5, 17];

/** Element c of the (log-)softmax of row r, with x[r, at] moved by `step`. */
function exact(log: bool, x: Block, r: i32, c: i32, columns: i32, at: i32, step: f64): f64 {
  let total: f64 = 0;
  let value: f64 = 0;
  for (let k = 0; k < columns; k++) {
    const moved = <f64>x.get(r * columns + k) + (k == at ? step : 0);
    total += Math.exp(moved);
    if (k == c) value = moved;
  }
  return log ? value - Math.log(total) : Math.exp(value) / total;
}

function check(log: bool, rows: i32, columns: i32): void {
  reseed(<u32>(rows * 31 + columns));
  const n = rows * columns;
  const x = new Block(n);
  for (let i = 0; i < n; i++) x.set(i, <f32>(noise() * 6));
  const out = new Block(n);
  const dout = noiseBlock(n);
  const dx = noiseBlock(n + 4); // more than n, as adding to the guards' NaN would not show
  const before = new StaticArray<f64>(n + 4);
  for (let i = 0; i < n + 4; i++) before[i] = <f64>dx.get(i);
  if (log) {
    logSoftmax(out.at, x.at, rows, columns);
    logSoftmaxBackward(dx.at, dout.at, out.at, rows, columns);
  } else {
    softmax(out.at, x.at, rows, columns);
    softmaxBackward(dx.at, dout.at, out.at, rows, columns);
  }
  const what = `${log ? "log " : ""}softmax [${rows}, ${columns}]`;
  for (let r = 0; r < rows; r++) {
    for (let j = 0; j < columns; j++) {
      const i = r * columns + j;
      expect<f64>(difference(<f64>out.get(i), exact(log, x, r, j, columns, -1, 0))).toBeLessThan(1e-6, what);
      let gradient = before[i];
      for (let c = 0; c < columns; c++) {
        const up = exact(log, x, r, c, columns, j, 1e-5);
        const down = exact(log, x, r, c, columns, j, -1e-5);
        gradient += (<f64>dout.get(r * columns + c) * (up - down)) / 2e-5;
      }
      expect<f64>(difference(<f64>dx.get(i), gradient)).toBeLessThan(2e-6, `d ${what}`);
    }
  }
  for (let i = n; i < n + 4; i++) expect<f64>(<f64>dx.get(i)).toBe(before[i], what);
  expect<bool>(x.intact() && out.intact() && dout.intact() && dx.intact()).toBe(true, what);
}

describe("softmax", () => {
  test("agrees with the formula and its central differences", () => {
    for (let s = 0; s < SIZES.length; s++) {
      check(false, 1, SIZES[s]);
      check(false, 3, SIZES[s]);
      check(true, 1, SIZES[s]);
      check(true, 3, SIZES[s]);
    }
  });

  test("does not overflow, and may work in place", () => {
    const x = new Block(3);
    x.set(0, 1e30);
    x.set(1, 1e30);
    x.set(2, -Infinity);
    softmax(x.at, x.at, 1, 3);
    expect<f32>(x.get(0)).toBe(0.5);
    expect<f32>(x.get(1)).toBe(0.5);
    expect<f32>(x.get(2)).toBe(0);
    expect<bool>(x.intact()).toBe(true);
  });

  test("shows NaN in its row only", () => {
    const x = noiseBlock(10);
    x.set(3, NaN);
    const out = new Block(10);
    softmax(out.at, x.at, 2, 5);
    for (let i = 0; i < 10; i++) expect<bool>(out.get(i) != out.get(i)).toBe(i < 5, `${i}`);
  });
});
