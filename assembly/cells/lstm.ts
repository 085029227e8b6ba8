// The LSTM cell (Hochreiter & Schmidhuber 1997, with forget gate: Gers 2000), sigmoid gates, tanh: one step forward and,
// under it, one step back, for a run of batch rows.
// Not here: the loop over time and masks (sequence.ts), x·W + b (one GEMM over all steps), dW, dR, dx, db (GEMMs after the loop).
//
// Legend: n rows of the batch, H units. A row of gates is i | f | g | o, H columns each (Keras' i, f, c, o).
// All pointers are to the first row of the run; rows are contiguous.

import { gemmPacked } from "../gemm";
import { sigmoid4, tanh4 } from "../math";
import { flush4, load4, madd, nmadd, one4, storeUpTo4 } from "../simd";
import { lstmPairs, lstmPairsBackward } from "./pairs";

/**
 * hiddenNext, cellNext [n,H]  out
 * gates                [n,4H] in: x·W + b, out: i | f | g | o
 * hidden, cell         [n,H]  the states before this step
 * packed                      R by packB
 */
export function lstmStep(
  hiddenNext: usize, cellNext: usize, gates: usize, hidden: usize, cell: usize,
  packed: usize, n: i32, H: i32, scratch: usize,
): void {
  gemmPacked(gates, 4 * H, hidden, H, packed, 0, n, 4 * H, H, 1, scratch);
  // i, f, o = σ(xW + b + hR);  g = tanh(xW + b + hR);  c' = f∘c + i∘g;  h' = o∘tanh(c')
  const width = <usize>H << 2;
  for (let row = 0; row < n; ++row) {
    let pi = gates;
    let pf = pi + width;
    let pg = pf + width;
    let po = pg + width;
    let at: usize = 0;
    let left = H;
    if (isDefined(WIDE)) {
      at = lstmPairs(pi, pf, pg, po, cell, cellNext, hiddenNext, H);
      left -= <i32>(at >> 2);
      pi += at;
      pf += at;
      pg += at;
      po += at;
    }
    for (; left > 0; left -= 4) {
      const i = sigmoid4(load4(pi));
      const f = sigmoid4(load4(pf));
      const g = tanh4(load4(pg));
      const o = sigmoid4(load4(po));
      const c = madd(f, load4(cell + at), f32x4.mul(i, g));
      const h = f32x4.mul(o, tanh4(c));
      storeUpTo4(pi, i, left);
      storeUpTo4(pf, f, left);
      storeUpTo4(pg, g, left);
      storeUpTo4(po, o, left);
      storeUpTo4(cellNext + at, c, left);
      storeUpTo4(hiddenNext + at, h, left);
      pi += 16;
      pf += 16;
      pg += 16;
      po += 16;
      at += 16;
    }
    gates += width << 2;
    cell += width;
    cellNext += width;
    hiddenNext += width;
  }
}

/**
 * gates          [n,4H] in: i | f | g | o, out: dL/d(xW + b), overwritten
 * dhidden, dcell [n,H]  in: dL/dh' and dL/dc', out: dL/dh and dL/dc
 * cellNext, cell [n,H]  the state after and before this step
 */
export function lstmStepBackward(
  gates: usize, dhidden: usize, dcell: usize, cellNext: usize, cell: usize,
  packed: usize, n: i32, H: i32, scratch: usize,
): void {
  // dc' += dh'∘o∘(1 - tanh²(c'));  dc = dc'∘f;  dh = [di df dg do] Rᵀ, where before their activations
  // di = dc'∘g∘i(1-i);  df = dc'∘c∘f(1-f);  dg = dc'∘i∘(1-g²);  do = dh'∘tanh(c')∘o(1-o)
  const one = one4();
  const width = <usize>H << 2;
  let first = gates;
  let dh = dhidden;
  for (let row = 0; row < n; ++row) {
    let pi = first;
    let pf = pi + width;
    let pg = pf + width;
    let po = pg + width;
    let at: usize = 0;
    let left = H;
    if (isDefined(WIDE)) {
      at = lstmPairsBackward(pi, pf, pg, po, dh, dcell, cellNext, cell, H);
      left -= <i32>(at >> 2);
      pi += at;
      pf += at;
      pg += at;
      po += at;
    }
    for (; left > 0; left -= 4) {
      const i = load4(pi);
      const f = load4(pf);
      const g = load4(pg);
      const o = load4(po);
      const y = tanh4(load4(cellNext + at));
      const d = flush4(load4(dh + at));
      const doo = f32x4.mul(d, o);
      const dc = flush4(madd(doo, nmadd(y, y, one), load4(dcell + at)));
      const dcf = f32x4.mul(dc, f);
      const dci = f32x4.mul(dc, i);
      const di = f32x4.mul(f32x4.mul(dci, g), f32x4.sub(one, i));
      const df = f32x4.mul(f32x4.mul(dcf, load4(cell + at)), f32x4.sub(one, f));
      const dg = f32x4.mul(dci, nmadd(g, g, one));
      const dO = f32x4.mul(f32x4.mul(doo, y), f32x4.sub(one, o));
      storeUpTo4(pi, di, left);
      storeUpTo4(pf, df, left);
      storeUpTo4(pg, dg, left);
      storeUpTo4(po, dO, left);
      storeUpTo4(dcell + at, dcf, left);
      pi += 16;
      pf += 16;
      pg += 16;
      po += 16;
      at += 16;
    }
    first += width << 2;
    dh += width;
    dcell += width;
    cellNext += width;
    cell += width;
  }
  gemmPacked(dhidden, H, gates, 4 * H, packed, 0, n, H, 4 * H, 0, scratch);
}
