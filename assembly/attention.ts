// Scores of attention: which of them count, and the additive kind. Not here: products (gemmBatch.ts) and softmax (softmax.ts).
// Legend: B batch, T queries, S keys, D features; mask i32, not 0 = keep.

import { calledTanh4 } from "./math";
import { LANES, VECTOR, keep4, laneMask, load4, madd, nmadd, one4, select4, splat, sumLanes, writeUpTo4 } from "./simd";

/** out [T, S] (i32) = 1 where s is at most `before` places before t and at most `after` behind it, else 0. */
export function band(out: usize, T: i32, S: i32, before: i32, after: i32): void {
  for (let t = 0; t < T; t++) {
    for (let s = 0; s < S; s++, out += 4) store<i32>(out, i32(t - s <= before && s - t <= after));
  }
}

/**
 * out = x where the mask keeps it, else `value` (+ x if `shift`).
 * out, x [outer, repeats, inner]; mask [outer, inner] i32
 */
export function keepScores(
  out: usize, x: usize, mask: usize, value: f32, shift: i32, outer: i32, repeats: i32, inner: i32,
): void {
  const row = <usize>inner << 2;
  const shifted = i32x4.splat(-shift);
  for (; outer > 0; outer--, mask += row) {
    for (let r = repeats; r > 0; r--, out += row, x += row) {
      let n = inner;
      for (let i: usize = 0; n > 0; n -= LANES, i += VECTOR) {
        const kept = i32x4.ne(load4(mask + i), i32x4.splat(0));
        const v = load4(x + i);
        writeUpTo4(out + i, select4(kept, v, f32x4.add(keep4(shifted, v), splat(value))), n);
      }
    }
  }
}

/** dx += dout where the mask keeps it. Shapes as in keepScores. */
export function keepScoresBackward(
  dx: usize, dout: usize, mask: usize, outer: i32, repeats: i32, inner: i32,
): void {
  const row = <usize>inner << 2;
  for (; outer > 0; outer--, mask += row) {
    for (let r = repeats; r > 0; r--, dx += row, dout += row) {
      let n = inner;
      for (let i: usize = 0; n > 0; n -= LANES, i += VECTOR) {
        const kept = i32x4.ne(load4(mask + i), i32x4.splat(0));
        writeUpTo4(dx + i, f32x4.add(load4(dx + i), keep4(kept, load4(dout + i))), n);
      }
    }
  }
}

/**
 * out = sum over d of scale * tanh(q + k)
 * out [B, T, S]; q [B, T, D]; k [B, S, D]; scale [D], or absent (0) for ones
 */
export function additiveScores(out: usize, q: usize, k: usize, scale: usize, B: i32, T: i32, S: i32, D: i32): void {
  const row = <usize>D << 2;
  for (; B > 0; B--, k += <usize>S * row) {
    for (let t = 0; t < T; t++, q += row) {
      for (let s: usize = 0; s < <usize>S; s++, out += 4) {
        const key = k + s * row;
        let sum = splat(0);
        let n = D;
        for (let i: usize = 0; n > 0; n -= LANES, i += VECTOR) {
          const curve = calledTanh4(f32x4.add(load4(q + i), load4(key + i)));
          const term = scale ? f32x4.mul(load4(scale + i), curve) : curve;
          sum = f32x4.add(sum, keep4(laneMask(n), term));
        }
        store<f32>(out, sumLanes(sum));
      }
    }
  }
}

/**
 * dscale += dout * tanh(q + k); dq and dk += dout * scale * (1 - tanh²). Each of the three may be absent (0).
 * Shapes as in additiveScores.
 */
export function additiveScoresBackward(
  dq: usize, dk: usize, dscale: usize, dout: usize, q: usize, k: usize, scale: usize, B: i32, T: i32, S: i32, D: i32,
): void {
  const row = <usize>D << 2;
  const keys = <usize>S * row;
  for (; B > 0; B--, k += keys) {
    for (let t = 0; t < T; t++, q += row) {
      for (let s: usize = 0; s < <usize>S; s++, dout += 4) {
        const d = splat(load<f32>(dout));
        const at = s * row;
        let n = D;
        for (let i: usize = 0; n > 0; n -= LANES, i += VECTOR) {
          const curve = calledTanh4(f32x4.add(load4(q + i), load4(k + at + i)));
          const slope = nmadd(curve, curve, one4());
          const dx = f32x4.mul(d, scale ? f32x4.mul(load4(scale + i), slope) : slope);
          if (dscale) writeUpTo4(dscale + i, madd(d, curve, load4(dscale + i)), n);
          if (dq) writeUpTo4(dq + i, f32x4.add(load4(dq + i), dx), n);
          if (dk) writeUpTo4(dk + at + i, f32x4.add(load4(dk + at + i), dx), n);
        }
      }
      if (dq) dq += row;
    }
    if (dk) dk += keys;
  }
}
