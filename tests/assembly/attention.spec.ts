// Kernels of attention against plain loops in float64: masks near the diagonal, scores under masks, additive scores and their gradients.
// Sizes with and without tails, nothing written beside. Blocks that are added to are longer, as adding to the guards' NaN would not show.

import { additiveScores, additiveScoresBackward, band, keepScores, keepScoresBackward } from "../../assembly/attention";
import { bothKept } from "../../assembly/elementwise";
import { Block, difference, noiseBlock, reseed } from "./blocks";

const SIZES: i32[] = [1, 2, 3, 5, 17];

function copyOf(block: Block): StaticArray<f64> {
  const values = new StaticArray<f64>(block.n);
  for (let i = 0; i < block.n; i++) values[i] = <f64>block.get(i);
  return values;
}

/** A block of 0, 1 and 2. */
function maskBlock(n: i32): Block {
  const block = new Block(n);
  const draw = noiseBlock(n);
  for (let i = 0; i < n; i++) block.setInt(i, draw.get(i) < -0.3 ? 0 : draw.get(i) < 0.3 ? 1 : 2);
  return block;
}

function checkBand(T: i32, S: i32, before: i32, after: i32): void {
  const out = new Block(T * S);
  band(out.at, T, S, before, after);
  let right = out.intact();
  for (let t = 0; t < T; t++) {
    for (let s = 0; s < S; s++) {
      right = right && out.getInt(t * S + s) == i32(s - t <= after && t - s <= before);
    }
  }
  expect<bool>(right).toBe(true, `band [${T}, ${S}] ${before} ${after}`);
}

function checkKept(outer: i32, repeats: i32, inner: i32, shift: i32): void {
  const n = outer * repeats * inner;
  const x = noiseBlock(n);
  const dout = noiseBlock(n);
  const mask = maskBlock(outer * inner);
  const out = new Block(n);
  const dx = noiseBlock(n + 4);
  const before = copyOf(dx);
  keepScores(out.at, x.at, mask.at, -3, shift, outer, repeats, inner);
  keepScoresBackward(dx.at, dout.at, mask.at, outer, repeats, inner);
  let right = out.intact() && dx.intact() && x.intact() && mask.intact();
  for (let i = 0; i < n; i++) {
    const kept = mask.getInt((i / (repeats * inner)) * inner + (i % inner)) != 0;
    const instead: f32 = shift ? x.get(i) - 3 : -3;
    right = right && out.get(i) == (kept ? x.get(i) : instead);
    right = right && difference(<f64>dx.get(i), before[i] + (kept ? <f64>dout.get(i) : 0)) < 1e-6;
  }
  for (let i = n; i < n + 4; i++) right = right && <f64>dx.get(i) == before[i];
  expect<bool>(right).toBe(true, `keepScores [${outer}, ${repeats}, ${inner}] ${shift}`);
}

function checkAdditive(B: i32, T: i32, S: i32, D: i32, isScaled: bool): void {
  const q = noiseBlock(B * T * D);
  const k = noiseBlock(B * S * D);
  const scale = noiseBlock(D);
  const dout = noiseBlock(B * T * S);
  const out = new Block(B * T * S);
  const dq = noiseBlock(B * T * D + 4);
  const dk = noiseBlock(B * S * D + 4);
  const dscale = noiseBlock(D + 4);
  const exactQ = copyOf(dq);
  const exactK = copyOf(dk);
  const exactScale = copyOf(dscale);
  const at = isScaled ? scale.at : 0;
  additiveScores(out.at, q.at, k.at, at, B, T, S, D);
  additiveScoresBackward(dq.at, dk.at, isScaled ? dscale.at : 0, dout.at, q.at, k.at, at, B, T, S, D);
  let right = out.intact() && dq.intact() && dk.intact() && dscale.intact() && q.intact() && k.intact();
  for (let b = 0; b < B; b++) {
    for (let t = 0; t < T; t++) {
      for (let s = 0; s < S; s++) {
        let sum: f64 = 0;
        const place = (b * T + t) * S + s;
        for (let d = 0; d < D; d++) {
          const i = (b * T + t) * D + d;
          const j = (b * S + s) * D + d;
          const curve = Math.tanh(<f64>q.get(i) + <f64>k.get(j));
          const factor = isScaled ? <f64>scale.get(d) : 1;
          sum += factor * curve;
          const slope = <f64>dout.get(place) * factor * (1 - curve * curve);
          exactQ[i] += slope;
          exactK[j] += slope;
          if (isScaled) exactScale[d] += <f64>dout.get(place) * curve;
        }
        right = right && difference(<f64>out.get(place), sum) < 2e-6;
      }
    }
  }
  for (let i = 0; i < dq.n; i++) right = right && difference(<f64>dq.get(i), exactQ[i]) < 5e-6;
  for (let i = 0; i < dk.n; i++) right = right && difference(<f64>dk.get(i), exactK[i]) < 5e-6;
  for (let i = 0; i < dscale.n; i++) right = right && difference(<f64>dscale.get(i), exactScale[i]) < 5e-6;
  expect<bool>(right).toBe(true, `additiveScores [${B}, ${T}, ${S}, ${D}]`);
}

describe("attention", () => {
  test("a band along the diagonal", () => {
    for (let i = 0; i < SIZES.length; i++) {
      for (let j = 0; j < SIZES.length; j++) {
        checkBand(SIZES[i], SIZES[j], 1 << 30, 0);
        checkBand(SIZES[i], SIZES[j], 1, 1);
        checkBand(SIZES[i], SIZES[j], 2, 1 << 30);
      }
    }
  });

  test("scores where a mask keeps them, and what is there instead", () => {
    reseed(7);
    for (let i = 0; i < SIZES.length; i++) {
      for (let j = 0; j < SIZES.length; j++) {
        checkKept(2, SIZES[j], SIZES[i], 0);
        checkKept(2, SIZES[j], SIZES[i], 1);
        checkKept(SIZES[j], 1, SIZES[i], 0);
      }
    }
  });

  test("additive scores and their gradients", () => {
    reseed(11);
    for (let i = 0; i < SIZES.length; i++) {
      checkAdditive(1, 1, 1, SIZES[i], true);
      checkAdditive(3, 2, 5, SIZES[i], true);
      checkAdditive(2, 5, 3, SIZES[i], false);
    }
  });

  test("both of two masks", () => {
    reseed(13);
    for (let i = 0; i < SIZES.length; i++) {
      const n = SIZES[i];
      const a = maskBlock(n);
      const b = maskBlock(n);
      const out = new Block(n);
      bothKept(out.at, a.at, b.at, n);
      let right = out.intact();
      for (let k = 0; k < n; k++) right = right && out.getInt(k) == i32(a.getInt(k) != 0 && b.getInt(k) != 0);
      expect<bool>(right).toBe(true, `bothKept ${n}`);
    }
  });
});
