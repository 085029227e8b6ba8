// What every op computes, written slowly and plainly in float64: the numbers that kernels are compared with.
// Everything is batch-major and goes by Keras 3 (keras/src/ops, activations, losses, layers/rnn).
// Not here: gradients. They come from central differences (gradcheck.ts), so no derivative is written twice.

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
const mean = (values: readonly number[]): number => sum(values) / values.length;
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

/** By the kernel's name; parameters as in ACTIVATION_KERNELS. */
export const activations: Readonly<Record<string, (x: number, ...parameters: number[]) => number>> = {
  relu: (x) => Math.max(x, 0),
  relu6,
  leakyRelu: (x, negativeSlope) => (x > 0 ? x : negativeSlope * x),
  elu,
  selu: (x) => 1.0507009873554805 * elu(x, 1.6732632423543772),
  gelu: (x) => (x * (1 + erf(x / Math.SQRT2))) / 2,
  geluTanh: (x) => (x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))) / 2,
  swish: (x) => x * sigmoid(x),
  mish: (x) => x * Math.tanh(softplus(x)),
  softplus,
  softsign: (x) => x / (1 + Math.abs(x)),
  tanh: Math.tanh,
  sigmoid,
  hardSigmoid: (x) => relu6(x + 3) / 6,
  hardTanh: (x) => clip(x, -1, 1),
  hardSwish: (x) => (x * relu6(x + 3)) / 6,
  exponential: Math.exp,
  logSigmoid: (x) => -softplus(-x),
};

export function activation({ shape, data }: Real, kernel: string, parameters: readonly number[] = []): Real {
  return { shape, data: data.map((x) => activations[kernel](x, ...parameters)) };
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

const EPSILON = 1e-7;
/** 1 - 1e-7 as float32 has it: what Keras clips to. */
const ALMOST_ONE = Math.fround(1 - 1e-7);

type RowLoss = (yTrue: readonly number[], yPred: readonly number[], ...parameters: number[]) => number;

/** The mean over the row of a function of each pair. */
const each =
  (f: (y: number, p: number, ...parameters: number[]) => number): RowLoss =>
  (yTrue, yPred, ...parameters) =>
    mean(yPred.map((p, i) => f(yTrue[i], p, ...parameters)));

const smooth = (y: number, share: number, towards: number): number => y * (1 - share) + share * towards;
const logProbabilities = (yPred: readonly number[]): number[] =>
  yPred.map((p) => Math.log(clip(p / sum(yPred), EPSILON, ALMOST_ONE)));
const entropy = (yTrue: readonly number[], logs: readonly number[], smoothing = 0): number =>
  -sum(logs.map((log, i) => smooth(yTrue[i], smoothing, 1 / logs.length) * log));
const hinge = (y: number, p: number): number => Math.max(1 - y * p, 0);

function cosine(yTrue: readonly number[], yPred: readonly number[]): number {
  const norm = (v: readonly number[]) => Math.max(Math.hypot(...v), EPSILON);
  return -sum(yTrue.map((y, i) => y * yPred[i])) / (norm(yTrue) * norm(yPred));
}

/** One row of each loss by its kernel's name. The sparse ones take [class number]. */
export const losses: Readonly<Record<string, RowLoss>> = {
  meanSquaredError: each((y, p) => (y - p) ** 2),
  meanAbsoluteError: each((y, p) => Math.abs(y - p)),
  meanAbsolutePercentageError: each((y, p) => (100 * Math.abs(y - p)) / Math.max(Math.abs(y), EPSILON)),
  meanSquaredLogarithmicError: each(
    (y, p) => (Math.log1p(Math.max(p, EPSILON)) - Math.log1p(Math.max(y, EPSILON))) ** 2,
  ),
  logCosh: each((y, p) => p - y + softplus(-2 * (p - y)) - Math.LN2),
  poisson: each((y, p) => p - y * Math.log(p + EPSILON)),
  kullbackLeiblerDivergence: (yTrue, yPred) =>
    sum(
      yTrue.map((y, i) => clip(y, EPSILON, 1) * Math.log(clip(y, EPSILON, 1) / clip(yPred[i], EPSILON, 1))),
    ),
  hinge: each(hinge),
  squaredHinge: each((y, p) => hinge(y, p) ** 2),
  categoricalHinge: (yTrue, yPred) => {
    const negative = Math.max(...yPred.map((p, i) => (1 - yTrue[i]) * p));
    return Math.max(negative - sum(yPred.map((p, i) => yTrue[i] * p)) + 1, 0);
  },
  cosineSimilarity: cosine,
  huber: each((y, p, delta) => {
    const error = Math.abs(p - y);
    return error <= delta ? error ** 2 / 2 : delta * error - delta ** 2 / 2;
  }),
  binaryCrossentropy: each((label, p, smoothing) => {
    const y = smooth(label, smoothing, 0.5);
    const q = clip(p, EPSILON, ALMOST_ONE);
    return -y * Math.log(q) - (1 - y) * Math.log(1 - q);
  }),
  binaryCrossentropyLogits: each((label, x, smoothing) => {
    const y = smooth(label, smoothing, 0.5);
    return y * softplus(-x) + (1 - y) * softplus(x);
  }),
  categoricalCrossentropy: (yTrue, yPred, smoothing) => entropy(yTrue, logProbabilities(yPred), smoothing),
  categoricalCrossentropyLogits: (yTrue, yPred, smoothing) => entropy(yTrue, logSoftmaxRow(yPred), smoothing),
  sparseCategoricalCrossentropy: ([label], yPred) => -logProbabilities(yPred)[label],
  sparseCategoricalCrossentropyLogits: ([label], yPred) => -logSoftmaxRow(yPred)[label],
};

/** yTrue and yPred [..., C] (class numbers [...] when sparse) to one number a row. */
export function loss(yTrue: Real, yPred: Real, kernel: string, parameters: readonly number[] = []): Real {
  const rows = rowsOf(yPred);
  const width = yTrue.data.length / rows.length;
  // Hinge losses want labels -1 and 1: labels that are all 0 or 1 are translated.
  const isBinary =
    kernel.endsWith("inge") && kernel !== "categoricalHinge" && yTrue.data.every((y) => y === 0 || y === 1);
  const labels = isBinary ? yTrue.data.map((y) => 2 * y - 1) : yTrue.data;
  const data = rows.map((row, index) =>
    losses[kernel](labels.slice(index * width, (index + 1) * width), row, ...parameters),
  );
  return { shape: yPred.shape.slice(0, -1), data };
}

/** Σ values · weights, shape [1] */
export function weightedSum(values: Real, weights: Real): Real {
  return { shape: [1], data: [sum(values.data.map((v, i) => v * weights.data[i]))] };
}

/** Nothing for masked steps; for a mean, weights that turn one over all steps into one over the kept ones (apply_mask). */
export function maskedWeights(weights: Real, mask: Real, rescale = true): Real {
  const kept = mask.data.filter((m) => m !== 0).length;
  const factor = rescale ? mask.data.length / kept : 1;
  return real(weights.shape, (i) => (mask.data[i] ? weights.data[i] * factor : 0));
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
