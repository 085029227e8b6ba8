// The hinge loss between classes, as keras.losses defines it.
// Not here: losses over elements, two hinge losses among them (loss.ts), the cross-entropies (crossentropy.ts).
// Shapes: yTrue, yPred, dyPred [rows, columns]; losses, dlosses [rows].

import { rowDot } from "./row";
import {
  LANES, VECTOR, keep4, laneMask, load4, madd, maxLanes, one4, select4, splat, sumLanes, writeUpTo4,
} from "./simd";

/** (1 - t) p */
// @ts-expect-error: decorator
@inline
function wrong(yTrue: usize, yPred: usize): v128 {
  return f32x4.mul(f32x4.sub(one4(), load4(yTrue)), load4(yPred));
}

/** Largest (1 - t) p of the row. */
// @ts-expect-error: decorator
@call
function worst(yTrue: usize, yPred: usize, n: i32): f32 {
  let top = splat(-Infinity);
  for (; n > 0; n -= LANES, yTrue += VECTOR, yPred += VECTOR) {
    top = f32x4.max(top, select4(laneMask(n), wrong(yTrue, yPred), splat(-Infinity)));
  }
  return maxLanes(top);
}

/** max(largest (1 - t) p - sum of t p + 1, 0) */
export function categoricalHinge(losses: usize, yTrue: usize, yPred: usize, rows: i32, columns: i32): void {
  const stride = <usize>columns << 2;
  for (; rows > 0; rows--, losses += 4, yTrue += stride, yPred += stride) {
    const margin = worst(yTrue, yPred, columns) - rowDot(yTrue, yPred, columns) + 1;
    store<f32>(losses, max<f32>(margin, 0));
  }
}

/** Columns that tie for the largest share its gradient; a margin of exactly 0 passes half of it on. */
export function categoricalHingeBackward(
  dyPred: usize, dlosses: usize, yTrue: usize, yPred: usize, rows: i32, columns: i32,
): void {
  const stride = <usize>columns << 2;
  for (; rows > 0; rows--, dyPred += stride, dlosses += 4, yTrue += stride, yPred += stride) {
    const top = worst(yTrue, yPred, columns);
    const margin = top - rowDot(yTrue, yPred, columns) + 1;
    if (margin < 0) continue;
    const weight = margin == 0 ? load<f32>(dlosses) * 0.5 : load<f32>(dlosses);
    let ties = splat(0);
    let n = columns;
    for (let i: usize = 0; n > 0; n -= LANES, i += VECTOR) {
      const tie = v128.and(laneMask(n), f32x4.eq(wrong(yTrue + i, yPred + i), splat(top)));
      ties = f32x4.add(ties, keep4(tie, one4()));
    }
    const share = splat(1 / sumLanes(ties));
    n = columns;
    for (let i: usize = 0; n > 0; n -= LANES, i += VECTOR) {
      const t = load4(yTrue + i);
      const tie = keep4(f32x4.eq(wrong(yTrue + i, yPred + i), splat(top)), share);
      const g = f32x4.sub(f32x4.mul(f32x4.sub(one4(), t), tie), t);
      writeUpTo4(dyPred + i, madd(g, splat(weight), load4(dyPred + i)), n);
    }
  }
}
