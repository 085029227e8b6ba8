// Plain values as rows: what losses and metrics are given outside a model, and weights spread over them.
// Not here: the arrays of a model (arrays.ts).
import { UnreelError } from "../errors.js";
import { showShape } from "../layers/symbolic.js";
import type { Tensor } from "../tensor.js";
import type { Rows } from "./formulas.js";

/** Targets and predictions of the same values as rows, with the predictions' shape. Targets may be class numbers: they must be when
 * `sparse` is true, and must not when it is false. */
export function alike(
  operation: string,
  target: Tensor,
  prediction: Tensor,
  sparse?: boolean,
): Rows & { readonly shape: readonly number[] } {
  // [N] reads as [N, 1].
  const shape = prediction.shape.length < 2 ? [prediction.size, 1] : prediction.shape;
  const columns = shape.at(-1)!;
  const rows = prediction.size / Math.max(columns, 1);
  const values = { target: target.data, prediction: prediction.data, rows, columns, shape };
  if (sparse !== true && target.size === prediction.size) return { ...values, sparse: false };
  if (sparse !== false && columns > 1 && target.size === rows) {
    for (let i = 0; i < rows; i++) {
      const label = target.data[i];
      if (label >= 0 && label < columns && Math.floor(label) === label) continue;
      const expected = `class numbers from 0 to ${columns - 1} in yTrue`;
      throw new UnreelError({ operation, expected, got: `${label}` });
    }
    return { ...values, sparse: true };
  }
  const expected =
    sparse === true
      ? `yTrue with ${rows} class numbers`
      : `yTrue with ${prediction.size} values${sparse === undefined ? `, or ${rows} class numbers` : ""}`;
  throw new UnreelError({ operation, expected, got: `${target.size} values` });
}

/** Trailing axes of length one count nothing. */
export function trimmed(shape: readonly number[]): readonly number[] {
  let rank = shape.length;
  while (rank > 1 && shape[rank - 1] === 1) rank--;
  return shape.slice(0, rank);
}

/** The weight of each value of a shape: weights have its first axes, and count for all that lies below. */
export function spread(
  operation: string,
  weights: Tensor,
  shape: readonly number[],
): (index: number) => number {
  const axes = trimmed(weights.shape);
  if (axes.length > shape.length || axes.some((d, axis) => d !== shape[axis])) {
    const expected = `weights like the first axes of ${showShape(shape)}`;
    throw new UnreelError({ operation, expected, got: `shape ${showShape(weights.shape)}` });
  }
  const below = shape.slice(axes.length).reduce((a, b) => a * b, 1);
  return (index) => weights.data[Math.floor(index / below)];
}
