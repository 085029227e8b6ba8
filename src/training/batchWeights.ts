// Sample weights of one batch, spread over the values or rows that they weigh. Not here: their checks (weights.ts).
import type { Tensor } from "../tensor.js";

/** Samples order[start : start + count] of a data set; without an order those from `start` on. */
export interface Batch {
  readonly order: Uint32Array | undefined;
  readonly start: number;
  readonly count: number;
}

/** Calls back with each value's place and its weight, which is that of its sample, or of its step. */
export function eachWeight(
  weights: Tensor,
  { order, start, count }: Batch,
  size: number,
  take: (index: number, weight: number) => void,
): void {
  const perSample = size / count;
  const given = weights.size / weights.shape[0];
  for (let i = 0; i < count; i++) {
    const from = (order ? order[start + i] : start + i) * given;
    for (let k = 0; k < perSample; k++)
      take(i * perSample + k, weights.data[from + Math.floor((k * given) / perSample)]);
  }
}

/** Sample weights of rows, zero where a mask is. Weights finer than rows count with their mean. */
export function rowWeights(
  weights: Tensor,
  batch: Batch,
  rows: number,
  kept: ArrayLike<number> | undefined,
): Float64Array {
  const out = new Float64Array(rows);
  const perRow = Math.max(1, weights.size / weights.shape[0] / (rows / batch.count));
  eachWeight(weights, batch, rows * perRow, (index, weight) => {
    const row = Math.floor(index / perRow);
    out[row] += (weight * (kept ? kept[row] : 1)) / perRow;
  });
  return out;
}

/** As they were given: a weight of a sample counts once, not once for each step. */
export function sumOfWeights(weights: Tensor, batch: Batch): number {
  let sum = 0;
  eachWeight(weights, batch, (weights.size / weights.shape[0]) * batch.count, (_, weight) => {
    sum += weight;
  });
  return sum;
}
