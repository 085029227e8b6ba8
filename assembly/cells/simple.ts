// The simple (Elman) cell, tanh: one step forward and, under it, one step back, for a run of batch rows.
// Not here: the loop over time and masks (sequence.ts), x·W + b (one GEMM over all steps), dW, dR, dx, db (GEMMs after the loop).
//
// Legend: n rows of the batch, H units. All pointers are to the first row of the run; rows are contiguous.

import { gemmPacked } from "../gemm";
import { tanh4 } from "../math";
import { flush4, load4, one4, storeUpTo4 } from "../simd";
import { simplePairs, simplePairsBackward } from "./pairs";

/**
 * hiddenNext [n,H] out
 * gates      [n,H] in: x·W + b, out: the argument of tanh
 * hidden     [n,H] the state before this step
 * packed           R by packB
 */
export function simpleStep(
  hiddenNext: usize, gates: usize, hidden: usize, packed: usize, n: i32, H: i32, scratch: usize,
): void {
  gemmPacked(gates, H, hidden, H, packed, 0, n, H, H, 1, scratch);
  // h' = tanh(xW + b + hR)
  let left = n * H;
  if (isDefined(WIDE)) {
    const done = simplePairs(hiddenNext, gates, left);
    left -= <i32>(done >> 2);
    hiddenNext += done;
    gates += done;
  }
  for (; left > 0; left -= 4) {
    storeUpTo4(hiddenNext, tanh4(load4(gates)), left);
    hiddenNext += 16;
    gates += 16;
  }
}

/**
 * gates      [n,H] out: dL/d(xW + b), overwritten
 * dhidden    [n,H] in: dL/dh', out: dL/dh
 * hiddenNext [n,H] the state after this step
 */
export function simpleStepBackward(
  gates: usize, dhidden: usize, hiddenNext: usize, packed: usize, n: i32, H: i32, scratch: usize,
): void {
  // da = dh' (1 - h'²);  dh = da Rᵀ
  const one = one4();
  let da = gates;
  let dh = dhidden;
  let left = n * H;
  if (isDefined(WIDE)) {
    const done = simplePairsBackward(da, dh, hiddenNext, left);
    left -= <i32>(done >> 2);
    da += done;
    dh += done;
    hiddenNext += done;
  }
  for (; left > 0; left -= 4) {
    const h = load4(hiddenNext);
    const d = f32x4.mul(flush4(load4(dh)), f32x4.sub(one, f32x4.mul(h, h)));
    storeUpTo4(da, d, left);
    da += 16;
    dh += 16;
    hiddenNext += 16;
  }
  gemmPacked(dhidden, H, gates, H, packed, 0, n, H, H, 0, scratch);
}
