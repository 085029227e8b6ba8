// Normalization in float64, as reference.ts does for the other ops: slowly, plainly, by Keras 3.
import { type Real, rowsOf } from "./reference.js";

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

export interface LayerNormalization {
  /** How many of the last axes are one row. Default 1. */
  axes?: number;
  epsilon?: number;
  rms?: boolean;
}

/** Each row less its mean (not under `rms`), over its deviation. */
export function layerNormalization(
  { shape, data }: Real,
  gamma?: Real,
  beta?: Real,
  { axes = 1, epsilon = 1e-3, rms = false }: LayerNormalization = {},
): Real {
  const columns = shape.slice(-axes).reduce((a, b) => a * b, 1);
  const out = rowsOf({ shape: [data.length / columns, columns], data }).flatMap((row) => {
    const mean = sum(row) / columns;
    const deviation = Math.sqrt(sum(row.map((x) => (x - mean) ** 2)) / columns + epsilon);
    return row.map(
      (x, c) => ((x - (rms ? 0 : mean)) / deviation) * (gamma?.data[c] ?? 1) + (beta?.data[c] ?? 0),
    );
  });
  return { shape, data: out };
}

/** Mean and variance of each column over the rows that a mask keeps; their number is 1e-7 larger under a mask, as in Keras. */
export function columnMoments(x: Real, mask?: Real): [Real, Real] {
  const columns = x.shape.at(-1)!;
  const rows = rowsOf(x).filter((_, r) => mask?.data[r] !== 0);
  const n = rows.length + (mask ? 1e-7 : 0);
  const over = (f: (c: number) => number): Real => ({
    shape: [columns],
    data: Array.from({ length: columns }, (_, c) => f(c)),
  });
  const mean = over((c) => sum(rows.map((row) => row[c])) / n);
  return [mean, over((c) => sum(rows.map((row) => (row[c] - mean.data[c]) ** 2)) / n)];
}

export function normalizeColumns(
  x: Real,
  [mean, variance]: readonly Real[],
  gamma?: Real,
  beta?: Real,
  epsilon = 1e-3,
): Real {
  const columns = x.shape.at(-1)!;
  const data = x.data.map((value, i) => {
    const c = i % columns;
    const z = (value - mean.data[c]) / Math.sqrt(variance.data[c] + epsilon);
    return z * (gamma?.data[c] ?? 1) + (beta?.data[c] ?? 0);
  });
  return { shape: x.shape, data };
}
