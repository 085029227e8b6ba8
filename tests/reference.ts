// What every op computes, written slowly and plainly in float64: the numbers that kernels are compared with.
// Everything is batch-major and goes by Keras 3 (keras/src/ops, activations, losses, layers/rnn).
// Not here: gradients. They come from central differences (gradcheck.ts), so no derivative is written twice.

import { formulas } from "../src/training/formulas.js";

/** Numbers with a shape, row-major. */
export interface Real {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

export const product = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** An array of a shape, number by number. */
export function real(shape: readonly number[], at: (index: number) => number): Real {
  return { shape, data: Array.from({ length: product(shape) }, (_, index) => at(index)) };
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const clip = (x: number, low: number, high: number): number => Math.min(Math.max(x, low), high);

/** The rows of the last axis. */
export function rowsOf({ shape, data }: Real): number[][] {
  const columns = shape.at(-1)!;
  return Array.from({ length: data.length / columns }, (_, r) => data.slice(r * columns, (r + 1) * columns));
}

/** row [I] · matrix [I, ·], its columns `from` to `to` only. */
function times(row: readonly number[], { shape, data }: Real, from: number, to: number): number[] {
  const out = new Array<number>(to - from).fill(0);
  for (let i = 0; i < row.length; i++) {
    for (let j = from; j < to; j++) out[j - from] += row[i] * data[i * shape[1] + j];
  }
  return out;
}

/** x [..., I] · kernel [I, U] + bias [U] */
export function dense(x: Real, kernel: Real, bias?: Real): Real {
  const U = kernel.shape[1];
  const rows = rowsOf(x).map((row) => times(row, kernel, 0, U).map((v, u) => v + (bias?.data[u] ?? 0)));
  return { shape: [...x.shape.slice(0, -1), U], data: rows.flat() };
}

// ---------------------------------------------------------------------------------------------------------- activations

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
/** log(1 + e^x) without overflow */
const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
const relu6 = (x: number): number => clip(x, 0, 6);
const elu = (x: number, alpha: number): number => (x > 0 ? x : alpha * Math.expm1(x));

/** 2/√π · e^(-x²) · Σ 2ⁿ x^(2n+1) / (1·3·5···(2n+1)): no cancellation. */
function erf(x: number): number {
  let term = x;
  let total = x;
  for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(total); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    total += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * total;
}

/** By Keras' names, with Keras' parameters. */
export const activations: Readonly<Record<string, (x: number) => number>> = {
  relu: (x) => Math.max(x, 0),
  relu6,
  leakyRelu: (x) => (x > 0 ? x : 0.2 * x),
  elu: (x) => elu(x, 1),
  celu: (x) => elu(x, 1),
  selu: (x) => 1.0507009873554805 * elu(x, 1.6732632423543772),
  gelu: (x) => (x * (1 + erf(x / Math.SQRT2))) / 2,
  geluTanh: (x) => (x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))) / 2,
  swish: (x) => x * sigmoid(x),
  mish: (x) => x * Math.tanh(softplus(x)),
  softplus,
  squareplus: (x) => (x + Math.sqrt(x * x + 4)) / 2,
  sparsePlus: (x) => (x <= -1 ? 0 : x < 1 ? (x + 1) ** 2 / 4 : x),
  softsign: (x) => x / (1 + Math.abs(x)),
  softShrink: (x) => (Math.abs(x) > 0.5 ? x - 0.5 * Math.sign(x) : 0),
  hardShrink: (x) => (Math.abs(x) > 0.5 ? x : 0),
  tanhShrink: (x) => x - Math.tanh(x),
  tanh: Math.tanh,
  sigmoid,
  sparseSigmoid: (x) => clip(0.5 * x + 0.5, 0, 1),
  keras2HardSigmoid: (x) => clip(0.2 * x + 0.5, 0, 1),
  hardSigmoid: (x) => relu6(x + 3) / 6,
  hardTanh: (x) => clip(x, -1, 1),
  hardSwish: (x) => (x * relu6(x + 3)) / 6,
  exponential: Math.exp,
  logSigmoid: (x) => -softplus(-x),
};

export function activation({ shape, data }: Real, name: string): Real {
  return { shape, data: data.map((x) => activations[name](x)) };
}

/** Keras' threshold: (S_1 + … + S_k - 1) / k, S_r the sum of the r largest values, k of them in the support. */
export function sparsemax(x: Real): Real {
  const data = rowsOf(x).flatMap((row) => {
    const sums: number[] = [];
    for (const value of [...row].sort((a, b) => b - a)) sums.push((sums.at(-1) ?? 0) + value);
    const sorted = [...row].sort((a, b) => b - a);
    const supported = sums.filter((total, r) => sorted[r] - (total - 1) / (r + 1) > 0);
    const threshold = (sum(supported) - 1) / supported.length;
    return row.map((value) => Math.max(value - threshold, 0));
  });
  return { shape: x.shape, data };
}

const logSoftmaxRow = (row: readonly number[]): number[] => {
  const largest = Math.max(...row);
  const total = Math.log(sum(row.map((x) => Math.exp(x - largest))));
  return row.map((x) => x - largest - total);
};

export function logSoftmax(x: Real): Real {
  return { shape: x.shape, data: rowsOf(x).flatMap(logSoftmaxRow) };
}

export function softmax(x: Real): Real {
  return { shape: x.shape, data: logSoftmax(x).data.map(Math.exp) };
}

// ------------------------------------------------------------------------------------------------- moving numbers around

/** Rows of table [V, D] at ids [...]. */
export function embedding(ids: Real, table: Real): Real {
  const rows = rowsOf(table);
  return { shape: [...ids.shape, table.shape[1]], data: ids.data.flatMap((id) => rows[id]) };
}

/** [A, B, ...] to [B, A, ...] */
export function transpose({ shape: [A, B, ...rest], data }: Real): Real {
  const inner = product(rest);
  return real([B, A, ...rest], (index) => {
    const [row, k] = [Math.floor(index / inner), index % inner];
    const [b, a] = [Math.floor(row / A), row % A];
    return data[(a * B + b) * inner + k];
  });
}

/** [B, T, ...] with time turned around */
export function reverse({ shape, data }: Real): Real {
  const [, T, ...rest] = shape;
  const inner = product(rest);
  return real(shape, (index) => {
    const t = Math.floor(index / inner) % T;
    return data[index + (T - 1 - 2 * t) * inner];
  });
}

export const reshape = ({ data }: Real, shape: readonly number[]): Real => ({ shape, data });

/** mask: what dropout makes of ones. */
export function dropout({ shape, data }: Real, mask: ArrayLike<number>): Real {
  return { shape, data: data.map((x, index) => x * mask[index]) };
}

// --------------------------------------------------------------------------------------------------------------- losses

/** yTrue and yPred [..., C] (class numbers [...] when sparse) to one number a row, by the formulas of losses on plain values: those
 * are compared with Keras in losses.test.ts, and kernels with them. `kept` first axes stay, all but the last by default. */
export function loss(
  yTrue: Real,
  yPred: Real,
  kernel: string,
  parameters: readonly number[] = [],
  kept = yPred.shape.length - 1,
): Real {
  const shape = yPred.shape.slice(0, kept);
  const rows = product(shape);
  const columns = yPred.data.length / rows;
  const sparse = yTrue.data.length === rows && kernel.startsWith("sparse");
  const value = formulas[kernel](...parameters)({
    target: yTrue.data,
    prediction: yPred.data,
    rows,
    columns,
    sparse,
  });
  return real(shape, value);
}

/** Σ values · weights, shape [1] */
export function weightedSum(values: Real, weights: Real): Real {
  return { shape: [1], data: [sum(values.data.map((v, i) => v * weights.data[i]))] };
}

/** Nothing for masked steps; for a mean, weights that turn one over all steps into one over the kept ones (apply_mask); or
 * weights whose sum is one. */
export function maskedWeights(weights: Real, mask: Real, scaling: "none" | "mean" | "toOne" = "mean"): Real {
  const width = weights.data.length / mask.data.length;
  const left = weights.data.map((weight, i) => (mask.data[Math.floor(i / width)] ? weight : 0));
  const kept = mask.data.filter((m) => m !== 0).length;
  const factor = { none: 1, mean: mask.data.length / kept, toOne: 1 / sum(left) }[scaling];
  return real(weights.shape, (i) => (left[i] === 0 ? 0 : left[i] * factor));
}

// ---------------------------------------------------------------------------------------------------------- recurrences

type State = readonly number[];
const plus = (a: State, b: State): number[] => a.map((x, i) => x + b[i]);
const map = (f: (...values: number[]) => number, ...rows: State[]): number[] =>
  rows[0].map((_, i) => f(...rows.map((row) => row[i])));

/** Runs a cell over gates [B, T, G·H]: the first state at all steps, then each last state. A masked step carries states on. */
function sequence(
  gates: Real,
  states: readonly (Real | undefined)[],
  H: number,
  mask: Real | undefined,
  step: (gate: number[], states: State[]) => State[],
): Real[] {
  const [B, T] = gates.shape;
  const rows = rowsOf(gates);
  const outputs: number[] = [];
  const last: number[][] = states.map(() => []);
  for (let b = 0; b < B; b++) {
    let now: State[] = states.map((state) => (state ? rowsOf(state)[b] : new Array<number>(H).fill(0)));
    for (let t = 0; t < T; t++) {
      if (!mask || mask.data[b * T + t]) now = step(rows[b * T + t], now);
      outputs.push(...now[0]);
    }
    now.forEach((state, index) => {
      last[index].push(...state);
    });
  }
  return [{ shape: [B, T, H], data: outputs }, ...last.map((data) => ({ shape: [B, H], data }))];
}

/** h' = tanh(gate + h·R) */
export function simpleSequence(gates: Real, R: Real, mask?: Real, initial?: Real): Real[] {
  const H = R.shape[0];
  return sequence(gates, [initial], H, mask, (gate, [h]) => [map(Math.tanh, plus(gate, times(h, R, 0, H)))]);
}

/** Gates i, f, c, o: c' = f∘c + i∘tanh(c gate), h' = o∘tanh(c') */
export function lstmSequence(gates: Real, R: Real, mask?: Real, initial?: Real, initialCell?: Real): Real[] {
  const H = R.shape[0];
  return sequence(gates, [initial, initialCell], H, mask, (gate, [h, c]) => {
    const a = plus(gate, times(h, R, 0, 4 * H));
    const [i, f, k, o] = [0, 1, 2, 3].map((g) => a.slice(g * H, (g + 1) * H));
    const next = map((i, f, k, c) => sigmoid(f) * c + sigmoid(i) * Math.tanh(k), i, f, k, c);
    return [map((o, c) => sigmoid(o) * Math.tanh(c), o, next), next];
  });
}

/** bias [3H]. Gates z, r, h: h' = z∘h + (1 - z)∘k, k with the reset gate after the product or before it. */
export function gruSequence(
  gates: Real,
  R: Real,
  { resetAfter, mask, initial, bias }: { resetAfter: boolean; mask?: Real; initial?: Real; bias?: Real },
): Real[] {
  const H = R.shape[0];
  const b = bias?.data ?? new Array<number>(3 * H).fill(0);
  return sequence(gates, [initial], H, mask, (gate, [h]) => {
    const zr = map(sigmoid, plus(gate.slice(0, 2 * H), plus(times(h, R, 0, 2 * H), b.slice(0, 2 * H))));
    const [z, r] = [zr.slice(0, H), zr.slice(H)];
    const inner = resetAfter
      ? map((r, s) => r * s, r, plus(times(h, R, 2 * H, 3 * H), b.slice(2 * H)))
      : times(
          map((r, h) => r * h, r, h),
          R,
          2 * H,
          3 * H,
        );
    const k = map(Math.tanh, plus(gate.slice(2 * H), inner));
    return [map((z, h, k) => z * h + (1 - z) * k, z, h, k)];
  });
}

/** (l1 Σ|x| + l2 Σx²) / samples (keras.regularizers.L1L2). */
export function penalty({ data }: Real, l1: number, l2: number, samples: number): Real {
  const sum = data.reduce((total, x) => total + l1 * Math.abs(x) + l2 * x * x, 0);
  return { shape: [1], data: [sum / samples] };
}

/** factor · mean |uᵢ·uⱼ| over pairs of different rows or columns, of length one (keras.regularizers.OrthogonalRegularizer). */
export function orthogonality(x: Real, factor: number, mode: "rows" | "columns", samples: number): Real {
  const [R, C] = x.shape;
  const [count, length] = mode === "rows" ? [R, C] : [C, R];
  const at = (i: number, k: number) => x.data[mode === "rows" ? i * C + k : k * C + i];
  const dot = (i: number, j: number) =>
    Array.from({ length }, (_, k) => at(i, k) * at(j, k)).reduce((a, b) => a + b, 0);
  let sum = 0;
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < i; j++) sum += Math.abs(dot(i, j)) / Math.sqrt(dot(i, i) * dot(j, j));
  }
  return { shape: [1], data: [(factor * sum) / ((count * (count - 1)) / 2) / samples] };
}
