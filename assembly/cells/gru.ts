// The GRU cell (Cho et al. 2014), sigmoid gates, tanh, in both of Keras' forms: reset after the product (the default) or
// before it. One step forward and, under it, one step back, for a run of batch rows.
// Not here: the loop over time and masks (sequence.ts), x·W + b (one GEMM over all steps), dW, dR, dx, db (GEMMs after the loop).
//
// Legend: n rows of the batch, H units. A row of gates is z | r | k, H columns each (Keras' z, r, h; k is the candidate).
// All pointers are to the first row of the run; rows are contiguous. R is packed as two matrices, z | r and k, because the
// two forms differ in what meets the second: so one packing serves both.

import { gemmPacked, packedBytes } from "../gemm";
import { sigmoid4, tanh4 } from "../math";
import { flush4, load4, madd, nmadd, one4, storeUpTo4 } from "../simd";
import { gruPairs, gruPairsBackward } from "./pairs";

/**
 * hiddenNext    [n,H]  out
 * gates         [n,3H] in: x·W + b, out: z | r | k
 * inner         [n,H]  out: what the candidate takes from the state: hR + b (reset after), r∘h (reset before)
 * hidden        [n,H]  the state before this step
 * recurrentBias [3H]   or 0; only the form that resets after has one
 * packed               R [H,2H] and [H,H], each by packB
 */
export function gruStep(
  hiddenNext: usize, gates: usize, inner: usize, hidden: usize, recurrentBias: usize,
  packed: usize, n: i32, H: i32, resetAfter: i32, scratch: usize,
): void {
  const width = <usize>H << 2;
  const candidate = packed + packedBytes(H, 2 * H);
  gemmPacked(gates, 3 * H, hidden, H, packed, recurrentBias, n, 2 * H, H, 1, scratch);
  if (resetAfter) {
    const bias = recurrentBias ? recurrentBias + (width << 1) : 0;
    gemmPacked(inner, H, hidden, H, candidate, bias, n, H, H, 0, scratch);
  } else {
    resetState(inner, gates, hidden, n, H);
    gemmPacked(gates + (width << 1), 3 * H, inner, H, candidate, 0, n, H, H, 1, scratch);
  }
  // reset after:   z, r = σ(xW + b + hR + b');  k = tanh(xW + b + r∘(hR + b'));  h' = z∘h + (1-z)∘k
  // reset before:  z, r = σ(xW + b + hR);       k = tanh(xW + b + (r∘h)R);       h' = z∘h + (1-z)∘k
  for (let row = 0; row < n; ++row) {
    let pz = gates;
    let pr = pz + width;
    let pk = pr + width;
    let at: usize = 0;
    let left = H;
    if (isDefined(WIDE)) {
      at = gruPairs(pz, pr, pk, inner, hidden, hiddenNext, H, resetAfter);
      left -= <i32>(at >> 2);
      pz += at;
      pr += at;
      pk += at;
    }
    for (; left > 0; left -= 4) {
      const z = sigmoid4(load4(pz));
      let r = load4(pr);
      let a = load4(pk);
      if (resetAfter) {
        r = sigmoid4(r);
        a = madd(r, load4(inner + at), a);
      }
      const k = tanh4(a);
      const h = madd(z, f32x4.sub(load4(hidden + at), k), k);
      storeUpTo4(pz, z, left);
      storeUpTo4(pr, r, left);
      storeUpTo4(pk, k, left);
      storeUpTo4(hiddenNext + at, h, left);
      pz += 16;
      pr += 16;
      pk += 16;
      at += 16;
    }
    gates += 3 * width;
    inner += width;
    hidden += width;
    hiddenNext += width;
  }
}

/** Reset before: r = σ(r) in gates [n,3H], inner [n,H] = r∘hidden [n,H]. */
function resetState(inner: usize, gates: usize, hidden: usize, n: i32, H: i32): void {
  const width = <usize>H << 2;
  for (let row = 0; row < n; ++row) {
    let pr = gates + width;
    let at: usize = 0;
    for (let left = H; left > 0; left -= 4) {
      const r = sigmoid4(load4(pr));
      const s = f32x4.mul(r, load4(hidden + at));
      storeUpTo4(pr, r, left);
      storeUpTo4(inner + at, s, left);
      pr += 16;
      at += 16;
    }
    gates += 3 * width;
    inner += width;
    hidden += width;
  }
}

/**
 * gates   [n,3H] in: z | r | k, out: dL/d(xW + b), overwritten
 * inner   [n,H]  reset after: in: hR + b, out: dL/d(hR + b); reset before: r∘h, left as it is
 * dhidden [n,H]  in: dL/dh', out: dL/dh
 * hidden  [n,H]  the state before this step
 * dreset  [n,H]  scratch, reset before only: dL/d(r∘h)
 */
export function gruStepBackward(
  gates: usize, inner: usize, dhidden: usize, hidden: usize,
  packed: usize, n: i32, H: i32, resetAfter: i32, dreset: usize, scratch: usize,
): void {
  // dz = dh'∘(h-k)∘z(1-z);  dk = dh'∘(1-z)∘(1-k²), both before their activations
  // reset after:   s = hR + b';  dr = dk∘s∘r(1-r);  ds = dk∘r;          dh = dh'∘z + [dz dr]Rᵀ + ds Rᵀ
  // reset before:  s = r∘h;      dr = ds∘h∘r(1-r);  ds = dk Rᵀ;  dh = dh'∘z + [dz dr]Rᵀ + ds∘r
  const one = one4();
  const width = <usize>H << 2;
  const packedCandidate = packed + packedBytes(2 * H, H);
  let first = gates;
  let ds = inner;
  let dh = dhidden;
  let before = hidden;
  for (let row = 0; row < n; ++row) {
    let pz = first;
    let pr = pz + width;
    let pk = pr + width;
    let at: usize = 0;
    let left = H;
    if (isDefined(WIDE)) {
      at = gruPairsBackward(pz, pr, pk, ds, dh, before, H, resetAfter);
      left -= <i32>(at >> 2);
      pz += at;
      pr += at;
      pk += at;
    }
    for (; left > 0; left -= 4) {
      const z = load4(pz);
      const k = load4(pk);
      const d = flush4(load4(dh + at));
      const dhz = f32x4.mul(d, z);
      const notZ = f32x4.sub(one, z);
      const dz = f32x4.mul(f32x4.mul(dhz, notZ), f32x4.sub(load4(before + at), k));
      const dk = f32x4.mul(f32x4.mul(d, notZ), nmadd(k, k, one));
      let dr = load4(pr);
      let dinner = load4(ds + at);
      if (resetAfter) {
        const r = dr;
        const dkr = f32x4.mul(dk, r);
        dr = f32x4.mul(f32x4.mul(dkr, dinner), f32x4.sub(one, r));
        dinner = dkr;
      }
      storeUpTo4(pz, dz, left);
      storeUpTo4(pr, dr, left);
      storeUpTo4(pk, dk, left);
      storeUpTo4(ds + at, dinner, left);
      storeUpTo4(dh + at, dhz, left);
      pz += 16;
      pr += 16;
      pk += 16;
      at += 16;
    }
    first += 3 * width;
    ds += width;
    dh += width;
    before += width;
  }
  if (resetAfter) {
    gemmPacked(dhidden, H, inner, H, packedCandidate, 0, n, H, H, 1, scratch);
  } else {
    gemmPacked(dreset, H, gates + (width << 1), 3 * H, packedCandidate, 0, n, H, H, 0, scratch);
    resetStateBackward(gates, dhidden, dreset, hidden, n, H);
  }
  gemmPacked(dhidden, H, gates, 3 * H, packed, 0, n, H, 2 * H, 1, scratch);
}

/** Reset before: r -> dr in gates [n,3H], dhidden [n,H] += dreset∘r; dreset, hidden [n,H]. */
function resetStateBackward(gates: usize, dhidden: usize, dreset: usize, hidden: usize, n: i32, H: i32): void {
  const one = one4();
  const width = <usize>H << 2;
  for (let row = 0; row < n; ++row) {
    let pr = gates + width;
    let at: usize = 0;
    for (let left = H; left > 0; left -= 4) {
      const r = load4(pr);
      const dsr = f32x4.mul(load4(dreset + at), r);
      const dr = f32x4.mul(f32x4.mul(dsr, load4(hidden + at)), f32x4.sub(one, r));
      const dh = f32x4.add(load4(dhidden + at), dsr);
      storeUpTo4(pr, dr, left);
      storeUpTo4(dhidden + at, dh, left);
      pr += 16;
      at += 16;
    }
    gates += 3 * width;
    dhidden += width;
    dreset += width;
    hidden += width;
  }
}
