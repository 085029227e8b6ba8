// Regression, hinge and cosine losses against keras.losses' formulas in float64, gradients against central differences.

import { categoricalHinge, categoricalHingeBackward } from "../../assembly/categoricalHinge";
import { cosineSimilarity, cosineSimilarityBackward } from "../../assembly/cosine";
import {
  hinge, hingeBackward, huber, huberBackward, kullbackLeiblerDivergence, kullbackLeiblerDivergenceBackward, logCosh, logCoshBackward,
  meanAbsoluteError, meanAbsoluteErrorBackward, meanAbsolutePercentageError, meanAbsolutePercentageErrorBackward,
  meanSquaredError, meanSquaredErrorBackward, meanSquaredLogarithmicError, meanSquaredLogarithmicErrorBackward,
  poisson, poissonBackward, squaredHinge, squaredHingeBackward,
} from "../../assembly/loss";
import { Block, difference, noise, noiseBlock, reseed } from "./blocks";

const SIZES: i32[] = [1, 2, 3, 5, 17];
const TOLERANCE: f64 = 1e-6;
const NAMES = [
  "meanSquaredError", "meanAbsoluteError", "meanAbsolutePercentageError", "meanSquaredLogarithmicError",
  "huber", "logCosh", "poisson", "kullbackLeiblerDivergence", "hinge",
  "squaredHinge", "categoricalHinge", "cosineSimilarity",
];

function square(x: f64): f64 {
  return x * x;
}

function clip(x: f64, high: f64): f64 {
  return Math.min(Math.max(x, 1e-7), high);
}

function element(name: i32, t: f64, p: f64): f64 {
  switch (name) {
    case 0: return (p - t) * (p - t);
    case 1: return Math.abs(p - t);
    case 2: return (100 * Math.abs(p - t)) / Math.max(Math.abs(t), 1e-7);
    case 3: return square(Math.log(Math.max(p, 1e-7) + 1) - Math.log(Math.max(t, 1e-7) + 1));
    case 4: return Math.abs(p - t) <= 0.4 ? 0.5 * square(p - t) : 0.4 * Math.abs(p - t) - 0.5 * 0.4 * 0.4;
    case 5: return Math.log(Math.cosh(p - t));
    case 6: return p - t * Math.log(p + 1e-7);
    case 7: return clip(t, 1) * Math.log(clip(t, 1) / clip(p, 1));
    case 8: return Math.max(1 - t * p, 0);
    default: return square(Math.max(1 - t * p, 0));
  }
}

/** The loss of row r, with yPred[r, at] moved by `step`. */
function exact(name: i32, t: Block, p: Block, r: i32, columns: i32, at: i32, step: f64): f64 {
  let total: f64 = 0;
  let tt: f64 = 0;
  let pp: f64 = 0;
  let top: f64 = -Infinity;
  for (let c = 0; c < columns; c++) {
    const y = <f64>t.get(r * columns + c);
    const x = <f64>p.get(r * columns + c) + (c == at ? step : 0);
    total += name < 10 ? element(name, y, x) : y * x;
    tt += y * y;
    pp += x * x;
    top = Math.max(top, (1 - y) * x);
  }
  if (NAMES[name] == "categoricalHinge") return Math.max(top - total + 1, 0);
  if (NAMES[name] == "cosineSimilarity") return -total / Math.sqrt(tt * pp);
  return NAMES[name] == "kullbackLeiblerDivergence" ? total : total / columns;
}

/** Labels for the hinges, numbers away from 0 for the rest, all positive where a logarithm is taken. */
function truth(name: i32, rows: i32, columns: i32): Block {
  const block = new Block(rows * columns);
  for (let i = 0; i < block.n; i++) {
    const x = noise();
    if (NAMES[name] == "categoricalHinge") block.set(i, i % columns == (i / columns) % columns ? 1 : 0);
    else if (NAMES[name].endsWith("inge")) block.set(i, x < 0 ? -1 : 1);
    else block.set(i, <f32>(Math.abs(x) * 0.7 + 0.2));
  }
  return block;
}

function prediction(name: i32, n: i32): Block {
  const block = new Block(n);
  const signed = NAMES[name].endsWith("inge") || NAMES[name] == "logCosh" || NAMES[name] == "meanSquaredError";
  for (let i = 0; i < n; i++) block.set(i, <f32>(signed ? noise() * 2 : Math.abs(noise()) * 0.8 + 0.1));
  return block;
}

function forward(name: i32, losses: usize, t: usize, p: usize, rows: i32, columns: i32): void {
  switch (name) {
    case 0: return meanSquaredError(losses, t, p, rows, columns);
    case 1: return meanAbsoluteError(losses, t, p, rows, columns);
    case 2: return meanAbsolutePercentageError(losses, t, p, rows, columns);
    case 3: return meanSquaredLogarithmicError(losses, t, p, rows, columns);
    case 4: return huber(losses, t, p, rows, columns, 0.4);
    case 5: return logCosh(losses, t, p, rows, columns);
    case 6: return poisson(losses, t, p, rows, columns);
    case 7: return kullbackLeiblerDivergence(losses, t, p, rows, columns);
    case 8: return hinge(losses, t, p, rows, columns);
    case 9: return squaredHinge(losses, t, p, rows, columns);
    case 10: return categoricalHinge(losses, t, p, rows, columns);
    default: return cosineSimilarity(losses, t, p, rows, columns);
  }
}

function backward(name: i32, dp: usize, dlosses: usize, t: usize, p: usize, rows: i32, columns: i32): void {
  switch (name) {
    case 0: return meanSquaredErrorBackward(dp, dlosses, t, p, rows, columns);
    case 1: return meanAbsoluteErrorBackward(dp, dlosses, t, p, rows, columns);
    case 2: return meanAbsolutePercentageErrorBackward(dp, dlosses, t, p, rows, columns);
    case 3: return meanSquaredLogarithmicErrorBackward(dp, dlosses, t, p, rows, columns);
    case 4: return huberBackward(dp, dlosses, t, p, rows, columns, 0.4);
    case 5: return logCoshBackward(dp, dlosses, t, p, rows, columns);
    case 6: return poissonBackward(dp, dlosses, t, p, rows, columns);
    case 7: return kullbackLeiblerDivergenceBackward(dp, dlosses, t, p, rows, columns);
    case 8: return hingeBackward(dp, dlosses, t, p, rows, columns);
    case 9: return squaredHingeBackward(dp, dlosses, t, p, rows, columns);
    case 10: return categoricalHingeBackward(dp, dlosses, t, p, rows, columns);
    default: return cosineSimilarityBackward(dp, dlosses, t, p, rows, columns);
  }
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

function row(values: f32[]): Block {
  const block = new Block(values.length);
  for (let i = 0; i < values.length; i++) block.set(i, values[i]);
  return block;
}

describe("loss", () => {
  test("agrees with the formula and its central differences", () => {
    for (let name = 0; name < NAMES.length; name++) {
      for (let s = 0; s < SIZES.length; s++) {
        reseed(<u32>(s + 3));
        check(name, 1, SIZES[s]);
        check(name, 3, SIZES[s]);
      }
    }
  });

  test("hinge takes labels 0 and 1 for -1 and 1, if there are no others", () => {
    const p = row([0.5, -0.25, 2]);
    const losses = new Block(1);
    hinge(losses.at, row([0, 1, 0]).at, p.at, 1, 3);
    expect<f32>(losses.get(0)).toBe((1.5 + 1.25 + 3) / 3);
    hinge(losses.at, row([0, 1, -1]).at, p.at, 1, 3);
    expect<f32>(losses.get(0)).toBe((1 + 1.25 + 3) / 3);
  });

  test("has no slope where Keras has none", () => {
    const one = row([1]);
    const d = row([0]);
    meanAbsoluteErrorBackward(d.at, one.at, one.at, one.at, 1, 1);
    expect<f32>(d.get(0)).toBe(0, "meanAbsoluteError at 0");
    kullbackLeiblerDivergenceBackward(d.at, one.at, one.at, row([1.5]).at, 1, 1);
    expect<f32>(d.get(0)).toBe(0, "kullbackLeiblerDivergence, clipped");
    meanSquaredLogarithmicErrorBackward(d.at, one.at, one.at, row([-0.5]).at, 1, 1);
    expect<f32>(d.get(0)).toBe(0, "meanSquaredLogarithmicError, clipped");
    hingeBackward(d.at, one.at, one.at, one.at, 1, 1);
    expect<f32>(d.get(0)).toBe(-0.5, "hinge at its corner: half, as max() gives on a tie");
  });

  test("cosineSimilarity of a row of zeros is 0", () => {
    const losses = new Block(1);
    cosineSimilarity(losses.at, row([1, 2]).at, row([0, 0]).at, 1, 2);
    expect<f32>(losses.get(0)).toBe(0);
  });
});
