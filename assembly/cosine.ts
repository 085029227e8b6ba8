// Cosine similarity as a loss, as keras.losses defines it.
// Not here: losses that are a mean over elements (loss.ts), the cross-entropies (crossentropy.ts).
// Shapes: yTrue, yPred, dyPred [rows, columns]; losses, dlosses [rows].

import { rowDot } from "./row";
import { LANES, VECTOR, load4, madd, splat, writeUpTo4 } from "./simd";

/** Keras' normalize caps 1/|x| here. */
const LARGEST_INVERSE: f32 = 1e7;

// @ts-expect-error: decorator
@inline
function inverseNorm(x: usize, n: i32): f32 {
  return min<f32>(1 / sqrt<f32>(rowDot(x, x, n)), LARGEST_INVERSE);
}

/** -cos of the angle between the rows: -1 is the same direction */
export function cosineSimilarity(losses: usize, yTrue: usize, yPred: usize, rows: i32, columns: i32): void {
  const stride = <usize>columns << 2;
  for (; rows > 0; rows--, losses += 4, yTrue += stride, yPred += stride) {
    const scale = inverseNorm(yTrue, columns) * inverseNorm(yPred, columns);
    store<f32>(losses, -rowDot(yTrue, yPred, columns) * scale);
  }
}

/** dyPred += dlosses (cos p/|p| - t/|t|) / |p|; the first part falls away where 1/|p| is capped */
export function cosineSimilarityBackward(
  dyPred: usize, dlosses: usize, yTrue: usize, yPred: usize, rows: i32, columns: i32,
): void {
  const stride = <usize>columns << 2;
  for (; rows > 0; rows--, dyPred += stride, dlosses += 4, yTrue += stride, yPred += stride) {
    const inverseTrue = inverseNorm(yTrue, columns);
    const inversePred = inverseNorm(yPred, columns);
    const cosine = rowDot(yTrue, yPred, columns) * inverseTrue * inversePred;
    const weight = load<f32>(dlosses) * inversePred;
    const alongPred = splat(inversePred == LARGEST_INVERSE ? 0 : weight * cosine * inversePred);
    const alongTrue = splat(-weight * inverseTrue);
    let n = columns;
    for (let i: usize = 0; n > 0; n -= LANES, i += VECTOR) {
      const y = madd(load4(yPred + i), alongPred, f32x4.mul(load4(yTrue + i), alongTrue));
      writeUpTo4(dyPred + i, f32x4.add(load4(dyPred + i), y), n);
    }
  }
}
