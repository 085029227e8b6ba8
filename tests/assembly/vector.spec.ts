// Element by element arithmetic, transposes and reversals against plain loops; guards and sizes with and without tails.

import {
  accumulate, add, copy, divide, divideBackward, fill, maximum, maximumBackward, minimum, minimumBackward, multiply,
  multiplyAccumulate, reverse, reverseAccumulate, scale, scaleAccumulate, subtract, subtractAccumulate, transpose,
  transposeAccumulate,
} from "../../assembly/vector";
import { Block, difference, noiseBlock, reseed } from "./blocks";

const SIZES: i32[] = [1, 2, 3, 4, 5, 17];
const NAMES = [
  "fill", "copy", "accumulate", "subtractAccumulate", "scale", "scaleAccumulate", "add", "subtract", "multiply",
  "multiplyAccumulate", "divide", "maximum", "minimum",
];

function compute(name: i32, out: usize, a: usize, b: usize, n: i32): void {
  switch (name) {
    case 0: return fill(out, 0.3, n);
    case 1: return copy(out, a, n);
    case 2: return accumulate(out, a, n);
    case 3: return subtractAccumulate(out, a, n);
    case 4: return scale(out, a, 0.3, n);
    case 5: return scaleAccumulate(out, a, 0.3, n);
    case 6: return add(out, a, b, n);
    case 7: return subtract(out, a, b, n);
    case 8: return multiply(out, a, b, n);
    case 9: return multiplyAccumulate(out, a, b, n);
    case 10: return divide(out, a, b, n);
    case 11: return maximum(out, a, b, n);
    default: return minimum(out, a, b, n);
  }
}

function exact(name: i32, out: f64, a: f64, b: f64): f64 {
  const s = <f64>(<f32>0.3);
  switch (name) {
    case 0: return s;
    case 1: return a;
    case 2: return out + a;
    case 3: return out - a;
    case 4: return a * s;
    case 5: return out + a * s;
    case 6: return a + b;
    case 7: return a - b;
    case 8: return a * b;
    case 9: return out + a * b;
    case 10: return a / b;
    case 11: return Math.max(a, b);
    default: return Math.min(a, b);
  }
}

/** x [rows, columns, inner] -> first two axes exchanged, and rows reversed; ids, so that a word's bits must survive. */
function checkMoves(rows: i32, columns: i32, inner: i32): void {
  const n = rows * columns * inner;
  const what = `[${rows}, ${columns}, ${inner}]`;
  const x = noiseBlock(n);
  const out = new Block(n);
  const total = noiseBlock(n + 4);
  const before = new StaticArray<f32>(n + 4);
  for (let i = 0; i < n + 4; i++) before[i] = total.get(i);
  transpose(out.at, x.at, rows, columns, inner);
  transposeAccumulate(total.at, x.at, rows, columns, inner);
  let right = true;
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      for (let k = 0; k < inner; k++) {
        const from = x.get((r * columns + c) * inner + k);
        const to = (c * rows + r) * inner + k;
        right = right && out.get(to) == from && total.get(to) == before[to] + from;
      }
    }
  }
  expect<bool>(right).toBe(true, `transpose ${what}`);
  const width = columns * inner;
  for (let i = 0; i < n; i++) before[i] = total.get(i);
  reverse(out.at, x.at, rows, width);
  reverseAccumulate(total.at, x.at, rows, width);
  for (let r = 0; r < rows; r++) {
    for (let k = 0; k < width; k++) {
      const from = x.get((rows - 1 - r) * width + k);
      const to = r * width + k;
      right = right && out.get(to) == from && total.get(to) == before[to] + from;
    }
  }
  expect<bool>(right).toBe(true, `reverse ${what}`);
  for (let i = n; i < n + 4; i++) right = right && total.get(i) == before[i];
  expect<bool>(right && x.intact() && out.intact() && total.intact()).toBe(true, what);
  x.free();
  out.free();
  total.free();
}

describe("vector", () => {
  test("does its arithmetic, beside the output nothing changes", () => {
    for (let name = 0; name < NAMES.length; name++) {
      for (let s = 0; s < SIZES.length; s++) {
        const n = SIZES[s];
        reseed(<u32>n);
        const a = noiseBlock(n);
        const b = noiseBlock(n);
        const out = noiseBlock(n + 4); // more than n, as adding to the guards' NaN would not show
        const want = new StaticArray<f64>(n + 4);
        for (let i = n; i < n + 4; i++) want[i] = <f64>out.get(i);
        for (let i = 0; i < n; i++) want[i] = exact(name, <f64>out.get(i), <f64>a.get(i), <f64>b.get(i));
        compute(name, out.at, a.at, b.at, n);
        for (let i = 0; i < n + 4; i++) {
          expect<f64>(difference(<f64>out.get(i), want[i])).toBeLessThan(1e-6, `${NAMES[name]} n ${n}`);
        }
        expect<bool>(a.intact() && b.intact() && out.intact()).toBe(true, NAMES[name]);
        for (let i = 0; i < n; i++) want[i] = exact(name, <f64>a.get(i), <f64>a.get(i), <f64>b.get(i));
        compute(name, a.at, a.at, b.at, n);
        for (let i = 0; i < n; i++) {
          expect<f64>(difference(<f64>a.get(i), want[i])).toBeLessThan(1e-6, `${NAMES[name]} in place`);
        }
      }
    }
  });

  test("divides, picks maxima and minima backward", () => {
    for (let s = 0; s < SIZES.length; s++) {
      const n = SIZES[s];
      reseed(<u32>(n + 40));
      const a = noiseBlock(n);
      const b = noiseBlock(n);
      const dout = noiseBlock(n);
      b.set(n / 2, a.get(n / 2)); // a tie
      for (let kind = 0; kind < 3; kind++) {
        const da = noiseBlock(n + 4);
        const db = noiseBlock(n + 4);
        const wantA = new StaticArray<f64>(n + 4);
        const wantB = new StaticArray<f64>(n + 4);
        for (let i = 0; i < n + 4; i++) {
          wantA[i] = <f64>da.get(i);
          wantB[i] = <f64>db.get(i);
          if (i >= n) continue;
          const x = <f64>a.get(i);
          const y = <f64>b.get(i);
          const share = x == y ? 0.5 : x > y == (kind == 1) ? 1.0 : 0.0;
          wantA[i] += <f64>dout.get(i) * (kind == 0 ? 1 / y : share);
          wantB[i] += <f64>dout.get(i) * (kind == 0 ? -x / (y * y) : 1 - share);
        }
        if (kind == 0) divideBackward(da.at, db.at, dout.at, a.at, b.at, n);
        else if (kind == 1) maximumBackward(da.at, db.at, dout.at, a.at, b.at, n);
        else minimumBackward(da.at, db.at, dout.at, a.at, b.at, n);
        for (let i = 0; i < n + 4; i++) {
          expect<f64>(difference(<f64>da.get(i), wantA[i])).toBeLessThan(1e-6, `da, kind ${kind} n ${n}`);
          expect<f64>(difference(<f64>db.get(i), wantB[i])).toBeLessThan(1e-6, `db, kind ${kind} n ${n}`);
        }
        expect<bool>(da.intact() && db.intact()).toBe(true, `kind ${kind}`);
        if (kind == 0) divideBackward(0, 0, dout.at, a.at, b.at, n);
        else minimumBackward(da.at, 0, dout.at, a.at, b.at, n);
        expect<bool>(db.get(0) == <f32>wantB[0] || difference(<f64>db.get(0), wantB[0]) < 1e-6).toBe(true);
      }
    }
  });

  test("transposes and reverses", () => {
    const sizes: i32[] = [1, 3, 4, 5, 9, 17];
    reseed(5);
    for (let r = 0; r < sizes.length; r++) {
      for (let c = 0; c < sizes.length; c++) {
        for (let k = 0; k < sizes.length; k++) checkMoves(sizes[r], sizes[c], sizes[k]);
      }
    }
    checkMoves(3, 5, 64);
    checkMoves(2, 3, 131);
  });
});
