// Sums against float64: odd sizes, guards, and how well they hold over a million words.

import {
  penalty, penaltyBackward, sum, sumColumns, sumSquares, weightedSum, weightedSumBackward,
} from "../../assembly/reduce";
import { Block, difference, noiseBlock, reseed } from "./blocks";

const SIZES: i32[] = [1, 2, 3, 5, 17, 255, 256, 259, 1031];

describe("reduce", () => {
  test("sum and sumSquares add to what is there", () => {
    for (let s = 0; s < SIZES.length; s++) {
      const n = SIZES[s];
      reseed(<u32>n);
      const x = noiseBlock(n);
      const out = new Block(1);
      let plain: f64 = 2;
      let squares: f64 = 3;
      for (let i = 0; i < n; i++) {
        plain += <f64>x.get(i);
        squares += <f64>x.get(i) * <f64>x.get(i);
      }
      out.set(0, 2);
      sum(out.at, x.at, n);
      expect<f64>(difference(<f64>out.get(0), plain)).toBeLessThan(1e-6, `sum ${n}`);
      out.set(0, 3);
      sumSquares(out.at, x.at, n, 0);
      expect<f64>(difference(<f64>out.get(0), squares)).toBeLessThan(1e-6, `sumSquares ${n}`);
      expect<bool>(out.intact() && x.intact()).toBe(true);
      x.free();
    }
  });

  test("a million words keep six digits", () => {
    const n = 1000003;
    const x = new Block(n);
    for (let i = 0; i < n; i++) x.set(i, 0.1);
    const out = new Block(1);
    const want = <f64>n * <f64>(<f32>0.1);
    out.set(0, 0);
    sum(out.at, x.at, n);
    expect<f64>(difference(<f64>out.get(0), want)).toBeLessThan(1e-6, "sum");
    out.set(0, 0);
    sumSquares(out.at, x.at, n, 0);
    expect<f64>(difference(<f64>out.get(0), want * <f64>(<f32>0.1))).toBeLessThan(1e-6, "sumSquares");
    const columns = new Block(3);
    for (let c = 0; c < 3; c++) columns.set(c, 0);
    sumColumns(columns.at, x.at, n / 3, 3);
    expect<f64>(difference(<f64>columns.get(2), want / 3)).toBeLessThan(5e-5, "sumColumns of 333,334 equal rows");
    x.free();
  });

  test("sumColumns over tall, wide and odd blocks", () => {
    const shapes: i32[][] = [[1, 1], [3, 1], [5, 3], [5, 2], [17, 5], [3, 6], [1, 17], [64, 4], [65, 16], [131, 37], [2, 67], [0, 3]];
    for (let s = 0; s < shapes.length; s++) {
      const rows = shapes[s][0];
      const columns = shapes[s][1];
      reseed(<u32>s);
      const x = noiseBlock(rows * columns);
      const out = noiseBlock(columns + 4); // more than columns, as adding to the guards' NaN would not show
      const want = new StaticArray<f64>(columns + 4);
      for (let c = 0; c < columns + 4; c++) {
        want[c] = <f64>out.get(c);
        if (c >= columns) continue;
        for (let r = 0; r < rows; r++) want[c] += <f64>x.get(r * columns + c);
      }
      sumColumns(out.at, x.at, rows, columns);
      for (let c = 0; c < columns + 4; c++) {
        expect<f64>(difference(<f64>out.get(c), want[c])).toBeLessThan(2e-6, `[${rows}, ${columns}] ${c}`);
      }
      expect<bool>(out.intact() && x.intact()).toBe(true, `[${rows}, ${columns}]`);
    }
  });

  test("weightedSum and its gradient, with and without weights", () => {
    for (let s = 0; s < 5; s++) {
      const n = SIZES[s];
      reseed(<u32>n);
      const losses = noiseBlock(n);
      const weights = noiseBlock(n);
      const dlosses = noiseBlock(n + 4);
      const out = new Block(1);
      for (let weighted = 0; weighted < 2; weighted++) {
        let want: f64 = 1;
        const gradient = new StaticArray<f64>(n + 4);
        for (let i = n; i < n + 4; i++) gradient[i] = <f64>dlosses.get(i);
        out.set(0, 1);
        for (let i = 0; i < n; i++) {
          const w = weighted ? <f64>weights.get(i) : 1;
          want += 0.25 * w * <f64>losses.get(i);
          gradient[i] = <f64>dlosses.get(i) + 2 * 0.25 * w;
        }
        weightedSum(out.at, losses.at, weighted ? weights.at : 0, 0.25, n);
        expect<f64>(difference(<f64>out.get(0), want)).toBeLessThan(1e-6, `n ${n}`);
        out.set(0, 2);
        weightedSumBackward(dlosses.at, out.at, weighted ? weights.at : 0, 0.25, n);
        for (let i = 0; i < n + 4; i++) {
          expect<f64>(difference(<f64>dlosses.get(i), gradient[i])).toBeLessThan(1e-6, `d n ${n}`);
        }
      }
      expect<bool>(out.intact() && dlosses.intact() && losses.intact() && weights.intact()).toBe(true);
    }
  });

  test("penalty and its gradient; zero has no sign", () => {
    for (let s = 0; s < SIZES.length; s++) {
      const n = SIZES[s];
      reseed(<u32>n);
      const x = noiseBlock(n);
      x.set(n / 2, 0);
      const dx = noiseBlock(n + 4);
      const out = new Block(1);
      for (let kind = 0; kind < 4; kind++) {
        const l1: f64 = kind & 1 ? 0.5 : 0;
        const l2: f64 = kind & 2 ? 0.25 : 0;
        let want: f64 = 2;
        for (let i = 0; i < n; i++) {
          const v = <f64>x.get(i);
          want += (l1 * abs(v) + l2 * v * v) / 3;
        }
        const gradient = new StaticArray<f64>(n + 4);
        for (let i = 0; i < n + 4; i++) {
          gradient[i] = <f64>dx.get(i);
          if (i >= n) continue;
          const v = <f64>x.get(i);
          gradient[i] += (4 * (l1 * (v > 0 ? 1.0 : v < 0 ? -1.0 : 0.0) + 2 * l2 * v)) / 3;
        }
        out.set(0, 2);
        penalty(out.at, x.at, <f32>l1, <f32>l2, 3, n);
        expect<f64>(difference(<f64>out.get(0), want)).toBeLessThan(1e-6, `n ${n} kind ${kind}`);
        out.set(0, 4);
        penaltyBackward(dx.at, out.at, x.at, <f32>l1, <f32>l2, 3, n);
        for (let i = 0; i < n + 4; i++) {
          expect<f64>(difference(<f64>dx.get(i), gradient[i])).toBeLessThan(1e-6, `d n ${n} kind ${kind} at ${i}`);
        }
      }
      expect<bool>(out.intact() && x.intact() && dx.intact()).toBe(true);
      x.free();
      dx.free();
    }
  });
});
