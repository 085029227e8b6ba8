// Vectors along one axis against float64: every place of the axis, odd sizes, guards.

import {
  limitLengths, orthogonality, orthogonalityBackward, unitVectors, unitVectorsBackward,
} from "../../assembly/lengths";
import { Block, difference, noiseBlock, reseed } from "./blocks";

/** outer, n, inner */
const SHAPES: i32[][] = [
  [1, 1, 1], [1, 17, 1], [3, 5, 1], [5, 2, 1], [2, 300, 1], [1, 3, 2], [1, 5, 3], [1, 17, 4], [2, 3, 5], [3, 1, 17],
  [1, 131, 6], [2, 70, 19],
];

/** Sum of a * b along a vector. */
function dot(a: Block, b: Block, first: i32, n: i32, inner: i32): f64 {
  let sum: f64 = 0;
  for (let k = 0; k < n; k++) sum += <f64>a.get(first + k * inner) * <f64>b.get(first + k * inner);
  return sum;
}

function limited(norm: f64, least: f64, most: f64, rate: f64): f64 {
  return (rate * min(max(norm, least), most) + (1 - rate) * norm) / (1e-7 + norm);
}

/** least, most, rate */
const LIMITS: f64[][] = [[0, 0.75, 1], [1, 1, 1], [0.5, 0.625, 0.25], [0, 1000, 1], [2, 3, 0]];

describe("lengths", () => {
  test("limitLengths: no further than least and most, as far as rate goes", () => {
    for (let s = 0; s < SHAPES.length; s++) {
      for (let l = 0; l < LIMITS.length; l++) {
        const outer = SHAPES[s][0];
        const n = SHAPES[s][1];
        const inner = SHAPES[s][2];
        const least = LIMITS[l][0];
        const most = LIMITS[l][1];
        const rate = LIMITS[l][2];
        reseed(<u32>s);
        const w = noiseBlock(outer * n * inner);
        const want = new StaticArray<f64>(outer * n * inner);
        for (let o = 0; o < outer; o++) {
          for (let i = 0; i < inner; i++) {
            const first = o * n * inner + i;
            const factor = limited(sqrt(dot(w, w, first, n, inner)), least, most, rate);
            for (let k = 0; k < n; k++) want[first + k * inner] = factor * <f64>w.get(first + k * inner);
          }
        }
        limitLengths(w.at, outer, n, inner, <f32>least, <f32>most, <f32>rate);
        for (let i = 0; i < want.length; i++) {
          expect<f64>(difference(<f64>w.get(i), want[i])).toBeLessThan(2e-6, `shape ${s} limits ${l} at ${i}`);
        }
        expect<bool>(w.intact()).toBe(true, `shape ${s}`);
        w.free();
      }
    }
  });

  test("limitLengths leaves zeros zero, and long vectors keep their digits", () => {
    const w = new Block(6);
    for (let i = 0; i < 6; i++) w.set(i, 0);
    limitLengths(w.at, 1, 3, 2, 1, 1, 1);
    limitLengths(w.at, 3, 2, 1, 1, 1, 1);
    for (let i = 0; i < 6; i++) expect<f32>(w.get(i)).toBe(0);
    const n = 100003;
    for (let inner = 1; inner < 3; inner++) {
      const long = new Block(n * inner);
      for (let i = 0; i < n * inner; i++) long.set(i, 0.1);
      limitLengths(long.at, 1, n, inner, 1, 1, 1);
      const want = 1 / sqrt<f64>(<f64>n);
      expect<f64>(abs(<f64>long.get(n - 1) - want) / want).toBeLessThan(5e-5, `inner ${inner}`);
      long.free();
    }
  });

  test("unitVectors and its gradient", () => {
    for (let s = 0; s < SHAPES.length; s++) {
      const outer = SHAPES[s][0];
      const n = SHAPES[s][1];
      const inner = SHAPES[s][2];
      const size = outer * n * inner;
      reseed(<u32>s);
      const x = noiseBlock(size);
      const dout = noiseBlock(size);
      const dx = noiseBlock(size + 4); // more, as adding to the guards' NaN would not show
      const out = new Block(size);
      const before = new StaticArray<f64>(size + 4);
      for (let i = 0; i < size + 4; i++) before[i] = <f64>dx.get(i);
      unitVectors(out.at, x.at, outer, n, inner);
      unitVectorsBackward(dx.at, dout.at, out.at, x.at, outer, n, inner);
      for (let o = 0; o < outer; o++) {
        for (let i = 0; i < inner; i++) {
          const first = o * n * inner + i;
          const norm = sqrt(dot(x, x, first, n, inner));
          const along = dot(dout, x, first, n, inner) / norm;
          for (let k = 0; k < n; k++) {
            const at = first + k * inner;
            const unit = <f64>x.get(at) / norm;
            expect<f64>(difference(<f64>out.get(at), unit)).toBeLessThan(2e-6, `shape ${s} at ${at}`);
            const slope = (<f64>dout.get(at) - unit * along) / norm;
            const scale = max<f64>(1, 1 / norm);
            expect<f64>(difference(<f64>dx.get(at), before[at] + slope) / scale).toBeLessThan(5e-6, `d ${s} at ${at}`);
          }
        }
      }
      for (let i = size; i < size + 4; i++) expect<f64>(<f64>dx.get(i)).toBe(before[i]);
      expect<bool>(x.intact() && dout.intact() && out.intact() && dx.intact()).toBe(true, `shape ${s}`);
      x.free();
      dout.free();
      dx.free();
      out.free();
    }
  });

  test("a vector of zeros stays one, and its gradient is finite", () => {
    const x = new Block(5);
    const out = new Block(5);
    const dx = new Block(5);
    for (let i = 0; i < 5; i++) {
      x.set(i, 0);
      dx.set(i, 0);
    }
    unitVectors(out.at, x.at, 1, 5, 1);
    unitVectorsBackward(dx.at, x.at, out.at, x.at, 1, 5, 1);
    for (let i = 0; i < 5; i++) {
      expect<f32>(out.get(i)).toBe(0);
      expect<f32>(dx.get(i)).toBe(0);
    }
  });

  test("orthogonality counts each pair once, and not the diagonal", () => {
    const counts: i32[] = [2, 3, 5, 17];
    for (let c = 0; c < counts.length; c++) {
      const n = counts[c];
      reseed(<u32>n);
      const products = noiseBlock(n * n);
      for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) products.set(j * n + i, products.get(i * n + j));
      products.set(1, 0);
      products.set(n, 0);
      let sum: f64 = 0;
      for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) sum += abs(<f64>products.get(i * n + j));
      const pairs = <f64>(n * (n - 1)) / 2;
      const out = new Block(1);
      out.set(0, 2);
      orthogonality(out.at, products.at, 0.75, 3, n);
      expect<f64>(difference(<f64>out.get(0), 2 + (0.75 * sum) / pairs / 3)).toBeLessThan(1e-6, `n ${n}`);
      const dproducts = new Block(n * n);
      for (let i = 0; i < n * n; i++) dproducts.set(i, 1);
      orthogonalityBackward(dproducts.at, out.at, products.at, 0.75, 3, n);
      for (let i = 0; i < n * n; i++) {
        const product = <f64>products.get(i);
        const sign: f64 = i % (n + 1) == 0 || product == 0 ? 0 : product > 0 ? 1 : -1;
        const want = 1 + (sign * <f64>out.get(0) * 0.75) / pairs / 3;
        expect<f64>(difference(<f64>dproducts.get(i), want)).toBeLessThan(1e-6, `n ${n} at ${i}`);
      }
      expect<bool>(out.intact() && products.intact() && dproducts.intact()).toBe(true, `n ${n}`);
    }
  });
});
