// Sparsemax (Martins & Astudillo 2016): a row moved down by a threshold and cut off at zero.
// The threshold is Keras 3's, (S_1 + ... + S_k - 1) / k over the k values of the support, where the paper has (S_k - 1) / k: the two
// agree for k = 1 only, and Keras' numbers are the ones that count here. S_r is the sum of the r largest values.
// Not here: softmax (softmax.ts). Values are ranked by counting, O(columns^2) a row: nothing is sorted or stored.
// Shapes: out, x, dx, dout [rows, columns].

/** Whether x[j] comes before x[i] from the largest down; equal values keep their order. */
// @ts-expect-error: decorator
@inline
function precedes(x: usize, j: i32, i: i32): bool {
  const a = load<f32>(x + (<usize>j << 2));
  const b = load<f32>(x + (<usize>i << 2));
  return a > b || (a == b && j < i);
}

/** The rank of x[i] from the largest, from 1. */
// @ts-expect-error: decorator
@call
function rankOf(x: usize, i: i32, columns: i32): i32 {
  let rank = 1;
  for (let j = 0; j < columns; ++j) if (precedes(x, j, i)) rank++;
  return rank;
}

/** S_rank of x[i]: the sum of it and of all that come before it. */
// @ts-expect-error: decorator
@call
function sumDownTo(x: usize, i: i32, columns: i32): f64 {
  let sum: f64 = load<f32>(x + (<usize>i << 2));
  for (let j = 0; j < columns; ++j) if (precedes(x, j, i)) sum += load<f32>(x + (<usize>j << 2));
  return sum;
}

/** Whether x[i] belongs to the support: it is above (S_rank - 1) / rank. */
// @ts-expect-error: decorator
@call
function supports(x: usize, i: i32, columns: i32): bool {
  return load<f32>(x + (<usize>i << 2)) - (sumDownTo(x, i, columns) - 1) / rankOf(x, i, columns) > 0;
}

/** out = max(x - threshold, 0) */
export function sparsemax(out: usize, x: usize, rows: i32, columns: i32): void {
  const stride = <usize>columns << 2;
  for (; rows > 0; rows--, out += stride, x += stride) {
    let total: f64 = -1;
    let support = 0;
    for (let i = 0; i < columns; ++i) {
      if (!supports(x, i, columns)) continue;
      total += sumDownTo(x, i, columns);
      support++;
    }
    const threshold = <f32>(total / support);
    for (let at: usize = 0; at < stride; at += 4) store<f32>(out + at, max<f32>(load<f32>(x + at) - threshold, 0));
  }
}

/** dx += dout where out > 0, less the sum of those dout by how far the threshold follows: (k - rank + 1) / k in the support */
export function sparsemaxBackward(dx: usize, dout: usize, x: usize, out: usize, rows: i32, columns: i32): void {
  const stride = <usize>columns << 2;
  for (; rows > 0; rows--, dx += stride, dout += stride, x += stride, out += stride) {
    let support = 0;
    let sum: f32 = 0;
    for (let i = 0; i < columns; ++i) {
      if (supports(x, i, columns)) support++;
      if (load<f32>(out + (<usize>i << 2)) > 0) sum += load<f32>(dout + (<usize>i << 2));
    }
    for (let i = 0; i < columns; ++i) {
      const at = <usize>i << 2;
      let d: f32 = load<f32>(out + at) > 0 ? load<f32>(dout + at) : 0;
      const rank = rankOf(x, i, columns);
      if (rank <= support) d -= (sum * <f32>(support - rank + 1)) / <f32>support;
      store<f32>(dx + at, load<f32>(dx + at) + d);
    }
  }
}
