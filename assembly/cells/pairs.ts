// The cells' arithmetic on eight units at a time, for the wide build: where an engine joins neighbouring 128-bit operations into 256-bit
// ones, it does so only if nothing comes between the two stores of a pair. The other builds never call these: there a second chain
// costs registers, and bytes.
// Not here: what the sums mean (lstm.ts, gru.ts, simple.ts have the same lines for four units, and do the rest of a row).
//
// Each takes pointers to a row of `units` and returns the bytes of it that are done, a multiple of 32.

import { sigmoid4, tanh4 } from "../math";
import { flush4, load4, madd, nmadd, one4 } from "../simd";

// @ts-expect-error: decorator
@inline
function second4(p: usize): v128 {
  return v128.load(p, 16);
}

// @ts-expect-error: decorator
@inline
function store8(p: usize, x: v128, y: v128): void {
  v128.store(p, x);
  v128.store(p, y, 16);
}

// @ts-expect-error: decorator
@inline
function wholePairs(units: i32): usize {
  return <usize>(units & -8) << 2;
}

export function simplePairs(hiddenNext: usize, gates: usize, units: i32): usize {
  const end = wholePairs(units);
  for (let at: usize = 0; at < end; at += 32) {
    const h = tanh4(load4(gates + at)), h2 = tanh4(second4(gates + at));
    store8(hiddenNext + at, h, h2);
  }
  return end;
}

export function simplePairsBackward(gates: usize, dhidden: usize, hiddenNext: usize, units: i32): usize {
  const one = one4();
  const end = wholePairs(units);
  for (let at: usize = 0; at < end; at += 32) {
    const h = load4(hiddenNext + at), h2 = second4(hiddenNext + at);
    const d = f32x4.mul(flush4(load4(dhidden + at)), f32x4.sub(one, f32x4.mul(h, h)));
    const d2 = f32x4.mul(flush4(second4(dhidden + at)), f32x4.sub(one, f32x4.mul(h2, h2)));
    store8(gates + at, d, d2);
  }
  return end;
}

export function lstmPairs(
  pi: usize, pf: usize, pg: usize, po: usize, cell: usize, cellNext: usize, hiddenNext: usize, units: i32,
): usize {
  const end = wholePairs(units);
  for (let at: usize = 0; at < end; at += 32) {
    const i = sigmoid4(load4(pi + at)), i2 = sigmoid4(second4(pi + at));
    const f = sigmoid4(load4(pf + at)), f2 = sigmoid4(second4(pf + at));
    const g = tanh4(load4(pg + at)), g2 = tanh4(second4(pg + at));
    const o = sigmoid4(load4(po + at)), o2 = sigmoid4(second4(po + at));
    const c = madd(f, load4(cell + at), f32x4.mul(i, g)), c2 = madd(f2, second4(cell + at), f32x4.mul(i2, g2));
    const h = f32x4.mul(o, tanh4(c)), h2 = f32x4.mul(o2, tanh4(c2));
    store8(pi + at, i, i2);
    store8(pf + at, f, f2);
    store8(pg + at, g, g2);
    store8(po + at, o, o2);
    store8(cellNext + at, c, c2);
    store8(hiddenNext + at, h, h2);
  }
  return end;
}

export function lstmPairsBackward(
  pi: usize, pf: usize, pg: usize, po: usize, dhidden: usize, dcell: usize, cellNext: usize, cell: usize, units: i32,
): usize {
  const one = one4();
  const end = wholePairs(units);
  for (let at: usize = 0; at < end; at += 32) {
    const i = load4(pi + at), i2 = second4(pi + at);
    const f = load4(pf + at), f2 = second4(pf + at);
    const g = load4(pg + at), g2 = second4(pg + at);
    const o = load4(po + at), o2 = second4(po + at);
    const y = tanh4(load4(cellNext + at)), y2 = tanh4(second4(cellNext + at));
    const doo = f32x4.mul(flush4(load4(dhidden + at)), o), doo2 = f32x4.mul(flush4(second4(dhidden + at)), o2);
    const dc = flush4(madd(doo, nmadd(y, y, one), load4(dcell + at)));
    const dc2 = flush4(madd(doo2, nmadd(y2, y2, one), second4(dcell + at)));
    const dcf = f32x4.mul(dc, f), dcf2 = f32x4.mul(dc2, f2);
    const dci = f32x4.mul(dc, i), dci2 = f32x4.mul(dc2, i2);
    const di = f32x4.mul(f32x4.mul(dci, g), f32x4.sub(one, i)), di2 = f32x4.mul(f32x4.mul(dci2, g2), f32x4.sub(one, i2));
    const df = f32x4.mul(f32x4.mul(dcf, load4(cell + at)), f32x4.sub(one, f));
    const df2 = f32x4.mul(f32x4.mul(dcf2, second4(cell + at)), f32x4.sub(one, f2));
    const dg = f32x4.mul(dci, nmadd(g, g, one)), dg2 = f32x4.mul(dci2, nmadd(g2, g2, one));
    const dO = f32x4.mul(f32x4.mul(doo, y), f32x4.sub(one, o)), dO2 = f32x4.mul(f32x4.mul(doo2, y2), f32x4.sub(one, o2));
    store8(pi + at, di, di2);
    store8(pf + at, df, df2);
    store8(pg + at, dg, dg2);
    store8(po + at, dO, dO2);
    store8(dcell + at, dcf, dcf2);
  }
  return end;
}

export function gruPairs(
  pz: usize, pr: usize, pk: usize, inner: usize, hidden: usize, hiddenNext: usize, units: i32, resetAfter: i32,
): usize {
  const end = wholePairs(units);
  for (let at: usize = 0; at < end; at += 32) {
    const z = sigmoid4(load4(pz + at)), z2 = sigmoid4(second4(pz + at));
    let r = load4(pr + at), r2 = second4(pr + at);
    let a = load4(pk + at), a2 = second4(pk + at);
    if (resetAfter) {
      r = sigmoid4(r), r2 = sigmoid4(r2);
      a = madd(r, load4(inner + at), a), a2 = madd(r2, second4(inner + at), a2);
    }
    const k = tanh4(a), k2 = tanh4(a2);
    const h = madd(z, f32x4.sub(load4(hidden + at), k), k), h2 = madd(z2, f32x4.sub(second4(hidden + at), k2), k2);
    store8(pz + at, z, z2);
    store8(pr + at, r, r2);
    store8(pk + at, k, k2);
    store8(hiddenNext + at, h, h2);
  }
  return end;
}

export function gruPairsBackward(
  pz: usize, pr: usize, pk: usize, inner: usize, dhidden: usize, hidden: usize, units: i32, resetAfter: i32,
): usize {
  const one = one4();
  const end = wholePairs(units);
  for (let at: usize = 0; at < end; at += 32) {
    const z = load4(pz + at), z2 = second4(pz + at);
    const k = load4(pk + at), k2 = second4(pk + at);
    const d = flush4(load4(dhidden + at)), d2 = flush4(second4(dhidden + at));
    const dhz = f32x4.mul(d, z), dhz2 = f32x4.mul(d2, z2);
    const notZ = f32x4.sub(one, z), notZ2 = f32x4.sub(one, z2);
    const dz = f32x4.mul(f32x4.mul(dhz, notZ), f32x4.sub(load4(hidden + at), k));
    const dz2 = f32x4.mul(f32x4.mul(dhz2, notZ2), f32x4.sub(second4(hidden + at), k2));
    const dk = f32x4.mul(f32x4.mul(d, notZ), nmadd(k, k, one)), dk2 = f32x4.mul(f32x4.mul(d2, notZ2), nmadd(k2, k2, one));
    let dr = load4(pr + at), dr2 = second4(pr + at);
    let dinner = load4(inner + at), dinner2 = second4(inner + at);
    if (resetAfter) {
      const dkr = f32x4.mul(dk, dr), dkr2 = f32x4.mul(dk2, dr2);
      dr = f32x4.mul(f32x4.mul(dkr, dinner), f32x4.sub(one, dr)), dr2 = f32x4.mul(f32x4.mul(dkr2, dinner2), f32x4.sub(one, dr2));
      dinner = dkr, dinner2 = dkr2;
    }
    store8(pz + at, dz, dz2);
    store8(pr + at, dr, dr2);
    store8(pk + at, dk, dk2);
    store8(inner + at, dinner, dinner2);
    store8(dhidden + at, dhz, dhz2);
  }
  return end;
}
