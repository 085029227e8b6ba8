// Cross-entropies against Keras 3's formulas in float64, gradients against central differences, clipping and far logits.

import {
  binaryCrossentropy, binaryCrossentropyBackward,
  binaryCrossentropyLogits, binaryCrossentropyLogitsBackward,
  categoricalCrossentropy, categoricalCrossentropyBackward,
  categoricalCrossentropyLogits, categoricalCrossentropyLogitsBackward, categoricalCrossentropySoftmaxBackward,
  sparseCategoricalCrossentropy, sparseCategoricalCrossentropyBackward,
  sparseCategoricalCrossentropyLogits, sparseCategoricalCrossentropyLogitsBackward,
  sparseCategoricalCrossentropySoftmaxBackward,
} from "../../assembly/crossentropy";
import { softmax, softmaxBackward } from "../../assembly/softmax";
import { Block, difference, noise, noiseBlock, reseed } from "./blocks";

const SIZES: i32[] = [1, 2, 3, 5, 17];
const TOLERANCE: f64 = 2e-6;
const NAMES = [
  "binaryCrossentropy", "binaryCrossentropyLogits", "categoricalCrossentropy",
  "categoricalCrossentropyLogits", "sparseCategoricalCrossentropy",
  "sparseCategoricalCrossentropyLogits",
];
let smoothing: f32 = 0;

function forward(name: i32, losses: usize, t: usize, p: usize, rows: i32, columns: i32): void {
  switch (name) {
    case 0: return binaryCrossentropy(losses, t, p, rows, columns, smoothing);
    case 1: return binaryCrossentropyLogits(losses, t, p, rows, columns, smoothing);
    case 2: return categoricalCrossentropy(losses, t, p, rows, columns, smoothing);
    case 3: return categoricalCrossentropyLogits(losses, t, p, rows, columns, smoothing);
    case 4: return sparseCategoricalCrossentropy(losses, t, p, rows, columns);
    default: return sparseCategoricalCrossentropyLogits(losses, t, p, rows, columns);
  }
}

function backward(name: i32, dp: usize, dlosses: usize, t: usize, p: usize, rows: i32, columns: i32): void {
  switch (name) {
    case 0: return binaryCrossentropyBackward(dp, dlosses, t, p, rows, columns, smoothing);
    case 1: return binaryCrossentropyLogitsBackward(dp, dlosses, t, p, rows, columns, smoothing);
    case 2: return categoricalCrossentropyBackward(dp, dlosses, t, p, rows, columns, smoothing);
    case 3: return categoricalCrossentropyLogitsBackward(dp, dlosses, t, p, rows, columns, smoothing);
    case 4: return sparseCategoricalCrossentropyBackward(dp, dlosses, t, p, rows, columns);
    default: return sparseCategoricalCrossentropyLogitsBackward(dp, dlosses, t, p, rows, columns);
  }
}

/** The loss of row r, with yPred[r, at] moved by `step`. */
function exact(name: i32, truth: Block, p: Block, r: i32, columns: i32, at: i32, step: f64): f64 {
  const logits = NAMES[name].endsWith("Logits");
  const binary = name < 2;
  const s = <f64>smoothing;
  let total: f64 = 0;
  for (let c = 0; c < columns; c++) {
    const x = <f64>p.get(r * columns + c) + (c == at ? step : 0);
    total += logits ? Math.exp(x) : x;
  }
  let loss: f64 = 0;
  for (let c = 0; c < columns; c++) {
    const x = <f64>p.get(r * columns + c) + (c == at ? step : 0);
    let t: f64 = name >= 4 ? (truth.getInt(r) == c ? 1 : 0) : <f64>truth.get(r * columns + c);
    let q = logits ? Math.exp(x) : x;
    q /= binary ? (logits ? q + 1 : 1) : total;
    if (!logits) q = Math.min(Math.max(q, <f64>(<f32>1e-7)), <f64>(<f32>(1 - 1e-7)));
    if (binary) {
      t = t * (1 - s) + 0.5 * s;
      loss -= (t * Math.log(q) + (1 - t) * Math.log(1 - q)) / columns;
    } else {
      if (name < 4) t = t * (1 - s) + s / columns;
      loss -= t * Math.log(q);
    }
  }
  return loss;
}

function truth(name: i32, rows: i32, columns: i32): Block {
  const block = new Block(name >= 4 ? rows : rows * columns);
  for (let i = 0; i < block.n; i++) {
    if (name >= 4) block.setInt(i, (i * 7 + columns - 1) % columns);
    else if (name < 2) block.set(i, noise() < 0 ? 0 : 1);
    else block.set(i, <f32>(Math.abs(noise()) / columns));
  }
  return block;
}

function prediction(name: i32, n: i32): Block {
  const block = new Block(n);
  const logits = NAMES[name].endsWith("Logits");
  for (let i = 0; i < n; i++) block.set(i, <f32>(logits ? noise() * 5 : Math.abs(noise()) * 0.8 + 0.1));
  return block;
}

function check(name: i32, rows: i32, columns: i32): void {
  const what = `${NAMES[name]} [${rows}, ${columns}]`;
  const n = rows * columns;
  const t = truth(name, rows, columns);
  const p = prediction(name, n);
  const losses = new Block(rows);
  const dlosses = noiseBlock(rows);
  const dyPred = noiseBlock(n + 4); // more than n, as adding to the guards' NaN would not show
  const before = new StaticArray<f64>(n + 4);
  for (let i = 0; i < n + 4; i++) before[i] = <f64>dyPred.get(i);
  forward(name, losses.at, t.at, p.at, rows, columns);
  backward(name, dyPred.at, dlosses.at, t.at, p.at, rows, columns);
  for (let r = 0; r < rows; r++) {
    expect<f64>(difference(<f64>losses.get(r), exact(name, t, p, r, columns, -1, 0))).toBeLessThan(TOLERANCE, what);
    for (let c = 0; c < columns; c++) {
      const step = 1e-6;
      const slope = (exact(name, t, p, r, columns, c, step) - exact(name, t, p, r, columns, c, -step)) / (2 * step);
      const want = before[r * columns + c] + <f64>dlosses.get(r) * slope;
      expect<f64>(difference(<f64>dyPred.get(r * columns + c), want)).toBeLessThan(4 * TOLERANCE, `d ${what} ${c}`);
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

/** The gradient of x through p = softmax(x): in one pass, as the way back of two kernels, and as the loss of logits has it. */
function checkPastSoftmax(sparse: bool, rows: i32, columns: i32, far: f32): void {
  const name = sparse ? 4 : 2;
  const what = `${NAMES[name]} past softmax [${rows}, ${columns}] ${far}`;
  const n = rows * columns;
  const t = truth(name, rows, columns);
  const x = new Block(n);
  for (let i = 0; i < n; i++) x.set(i, <f32>noise() * far);
  const p = new Block(n);
  const dp = new Block(n);
  const dlosses = noiseBlock(rows);
  const want = new Block(n);
  const got = noiseBlock(n);
  for (let i = 0; i < n; i++) {
    dp.set(i, 0);
    want.set(i, 0);
  }
  softmax(p.at, x.at, rows, columns);
  backward(name, dp.at, dlosses.at, t.at, p.at, rows, columns);
  softmaxBackward(want.at, dp.at, p.at, rows, columns);
  if (sparse) sparseCategoricalCrossentropySoftmaxBackward(got.at, dlosses.at, t.at, p.at, rows, columns);
  else categoricalCrossentropySoftmaxBackward(got.at, dlosses.at, t.at, p.at, rows, columns, smoothing);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      const g = <f64>got.get(r * columns + c);
      expect<f64>(difference(g, <f64>want.get(r * columns + c))).toBeLessThan(4 * TOLERANCE, `${what} ${c}`);
      if (far > 5) continue;
      const step = 1e-6;
      const slope = (exact(name + 1, t, x, r, columns, c, step) - exact(name + 1, t, x, r, columns, c, -step)) / (2 * step);
      expect<f64>(difference(g, <f64>dlosses.get(r) * slope)).toBeLessThan(4 * TOLERANCE, `${what} ${c}: slope`);
    }
  }
  expect<bool>(t.intact() && p.intact() && dlosses.intact() && got.intact()).toBe(true, what);
  t.free();
  x.free();
  p.free();
  dp.free();
  dlosses.free();
  want.free();
  got.free();
}

function row(values: f32[]): Block {
  const block = new Block(values.length);
  for (let i = 0; i < values.length; i++) block.set(i, values[i]);
  return block;
}

describe("crossentropy", () => {
  test("agrees with the formula and its central differences", () => {
    for (let name = 0; name < NAMES.length; name++) {
      for (let s = 0; s < SIZES.length; s++) {
        reseed(<u32>(s + 11));
        smoothing = 0;
        check(name, 1, SIZES[s]);
        check(name, 3, SIZES[s]);
        if (name >= 4) continue;
        smoothing = 0.1;
        check(name, 3, SIZES[s]);
      }
    }
    smoothing = 0;
  });

  test("goes back past a softmax in one pass, with the clip kept", () => {
    for (let s = 0; s < SIZES.length; s++) {
      reseed(<u32>(s + 31));
      for (let far: f32 = 3; far < 100; far *= 5) {
        for (let k: i32 = 0; k < 3; k++) {
          smoothing = k == 2 ? 0.1 : 0;
          checkPastSoftmax(k == 0, 3, SIZES[s], far);
        }
      }
    }
    smoothing = 0;
  });

  test("clips probabilities, without slope there", () => {
    const losses = new Block(1);
    const d = row([0, 0]);
    const one = row([1]);
    const sure = row([1, 0]);
    const wrong = row([0, 1]);
    binaryCrossentropy(losses.at, sure.at, wrong.at, 1, 2, 0);
    expect<f64>(difference(<f64>losses.get(0), (-Math.log(1e-7) - Math.log(<f64>(<f32>1.1920929e-7))) / 2)).toBeLessThan(1e-6);
    binaryCrossentropyBackward(d.at, one.at, sure.at, wrong.at, 1, 2, 0);
    expect<f32>(d.get(0)).toBe(0);
    expect<f32>(d.get(1)).toBe(0);
    categoricalCrossentropy(losses.at, sure.at, wrong.at, 1, 2, 0);
    expect<f64>(difference(<f64>losses.get(0), -Math.log(1e-7))).toBeLessThan(1e-6);
    categoricalCrossentropyBackward(d.at, one.at, sure.at, wrong.at, 1, 2, 0);
    expect<f32>(d.get(0)).toBe(0);
    expect<f32>(d.get(1)).toBe(0);
  });

  test("takes logits as far as they go", () => {
    const losses = new Block(1);
    const d = row([0, 0]);
    const one = row([1]);
    const x = row([2000, -2000]);
    binaryCrossentropyLogits(losses.at, row([0, 0]).at, x.at, 1, 2, 0);
    expect<f32>(losses.get(0)).toBe(1000);
    categoricalCrossentropyLogits(losses.at, row([0, 1]).at, x.at, 1, 2, 0);
    expect<f32>(losses.get(0)).toBe(4000);
    categoricalCrossentropyLogitsBackward(d.at, one.at, row([0, 1]).at, x.at, 1, 2, 0);
    expect<f32>(d.get(0)).toBe(1);
    expect<f32>(d.get(1)).toBe(-1);
    binaryCrossentropyLogits(losses.at, row([1]).at, row([20]).at, 1, 1, 0);
    expect<f64>(Math.abs(<f64>losses.get(0) / Math.log1p(Math.exp(-20)) - 1)).toBeLessThan(1e-6, "right and sure");
  });

  test("a label that is no class costs nothing", () => {
    const losses = new Block(1);
    const p = noiseBlock(5);
    const d = row([0, 0, 0, 0, 0]);
    const one = row([1]);
    const bad: i32[] = [-1, 5, 6, 8, i32.MIN_VALUE, i32.MAX_VALUE];
    for (let k = 0; k < bad.length; k++) {
      const label = new Block(1);
      label.setInt(0, bad[k]);
      sparseCategoricalCrossentropyLogits(losses.at, label.at, p.at, 1, 5);
      expect<f32>(losses.get(0)).toBe(0);
      sparseCategoricalCrossentropy(losses.at, label.at, p.at, 1, 5);
      expect<f32>(losses.get(0)).toBe(0);
      sparseCategoricalCrossentropyLogitsBackward(d.at, one.at, label.at, p.at, 1, 5);
      sparseCategoricalCrossentropyBackward(d.at, one.at, label.at, p.at, 1, 5);
      for (let c = 0; c < 5; c++) expect<f32>(d.get(c)).toBe(0);
      sparseCategoricalCrossentropySoftmaxBackward(d.at, one.at, label.at, p.at, 1, 5);
      for (let c = 0; c < 5; c++) expect<f32>(d.get(c)).toBe(0);
    }
  });
});
