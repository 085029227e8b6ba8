// What rows of a table have missed while they waited for a gradient (assembly/touched.ts, decay), made up for on the host: with the
// same products in the same order, so the same bits.

/** Below it, numbers that decay become 0. */
const LEAST = Math.fround(1.17549435e-38);

/** values [rows, width], each row times `rate` as often as `times` says, each product rounded to float32; in place. */
export function decayed(values: Float32Array, times: readonly number[], rate: number): Float32Array {
  const factor = Math.fround(rate);
  const width = values.length / times.length;
  times.forEach((count, row) => {
    for (let i = row * width; i < (row + 1) * width; i++) {
      for (let left = count; left > 0; left--) {
        const product = Math.fround(values[i] * factor);
        const next = Math.abs(product) < LEAST ? 0 : product;
        if (next === values[i]) break;
        values[i] = next;
      }
    }
  });
  return values;
}
