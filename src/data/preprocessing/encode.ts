// Ids to rows as wide as the vocabulary: Keras' encode_categorical_inputs.
import { UnreelError } from "../../errors.js";
import { Tensor } from "../../tensor.js";

export type Encoding = "oneHot" | "multiHot" | "count";

/** An id that is left out of every row. */
export const DROPPED = -1;

/**
 * Float32 rows of `depth`. `oneHot` encodes each id: `depth` is added to the shape, or takes the place of a last axis of one.
 * The others make one row of each sample, the ids along the last axis: at most two axes. `weights` count for each id in `count`.
 */
export function encode(
  operation: string,
  ids: ArrayLike<number>,
  shape: readonly number[],
  mode: Encoding,
  depth: number,
  weights?: ArrayLike<number>,
): Tensor {
  if (mode === "oneHot") {
    const data = new Float32Array(ids.length * depth);
    for (let i = 0; i < ids.length; i++) if (ids[i] >= 0) data[i * depth + ids[i]] = 1;
    // A single id is a row of one, as in Keras.
    const kept =
      shape.length === 0 ? [1] : shape.length > 1 && shape.at(-1) === 1 ? shape.slice(0, -1) : shape;
    return new Tensor(data, [...kept, depth]);
  }
  if (shape.length > 2) {
    const got = `${shape.length}: [${shape}]`;
    throw new UnreelError({ operation, expected: `at most two axes with outputMode '${mode}'`, got });
  }
  const rows = shape.length === 2 ? shape[0] : 1;
  const width = rows === 0 ? 0 : ids.length / rows;
  const data = new Float32Array(rows * depth);
  for (let i = 0; i < ids.length; i++) {
    if (ids[i] < 0) continue;
    const at = Math.floor(i / width) * depth + ids[i];
    data[at] = mode === "multiHot" ? 1 : data[at] + (weights ? weights[i] : 1);
  }
  return new Tensor(data, shape.length === 2 ? [rows, depth] : [depth]);
}
