// What a loss says of each row, in double precision: for losses on plain values and for the metrics that are their mean.
// By the names of the kernels that training uses (assembly/loss.ts and its neighbours), which tests compare with these.
import { exponential, logarithm, power } from "../numerics.js";

/** Targets and predictions as rows. */
export interface Rows {
  /** [rows, columns], or [rows] class numbers when `sparse`. */
  readonly target: ArrayLike<number>;
  /** [rows, columns] */
  readonly prediction: ArrayLike<number>;
  readonly rows: number;
  readonly columns: number;
  readonly sparse: boolean;
}

/** The value of a row. */
export type RowValue = (row: number) => number;
/** With a loss's parameters, as its kernel takes them. */
type Formula = (...parameters: number[]) => (rows: Rows) => RowValue;

const EPSILON = 1e-7;
/** 1 - 1e-7 as float32 has it: what Keras clips to. */
const ALMOST_ONE = Math.fround(1 - 1e-7);

const clip = (x: number, low: number, high: number) => Math.min(Math.max(x, low), high);
const probability = (p: number) => clip(p, EPSILON, ALMOST_ONE);
const smooth = (y: number, share: number, towards: number) => y * (1 - share) + share * towards;
/** log(1 + e^x) without overflow */
const softplus = (x: number) => Math.max(x, 0) + logarithm(1 + exponential(-Math.abs(x)));
/** As the kernel has it: 0 where a fraction is the power of what is not above 0. */
const focus = (x: number, gamma: number) => (x > 0 || Number.isInteger(gamma) ? power(x, gamma) : 0);

/** Σ over a row of a function of each pair. */
function total(term: (y: number, p: number) => number): (rows: Rows) => RowValue {
  return ({ target, prediction, columns }) =>
    (row) => {
      let sum = 0;
      for (let i = row * columns; i < (row + 1) * columns; i++) sum += term(target[i], prediction[i]);
      return sum;
    };
}

/** Its mean. */
function each(term: (y: number, p: number) => number): (rows: Rows) => RowValue {
  return (rows) => {
    const sum = total(term)(rows);
    return (row) => sum(row) / rows.columns;
  };
}

/** Labels of the hinge losses are -1 and 1: where all are 0 or 1 they are translated. */
function eachLabel(term: (y: number, p: number) => number): (rows: Rows) => RowValue {
  return (rows) => {
    let isBinary = true;
    for (let i = 0; i < rows.target.length && isBinary; i++)
      isBinary = rows.target[i] === 0 || rows.target[i] === 1;
    return each(isBinary ? (y, p) => term(2 * y - 1, p) : term)(rows);
  };
}

const hinge = (y: number, p: number) => Math.max(1 - y * p, 0);

function rowSum({ prediction, columns }: Rows, row: number): number {
  let sum = 0;
  for (let i = row * columns; i < (row + 1) * columns; i++) sum += prediction[i];
  return sum;
}

/** log Σ e^x of a row */
function logSum({ prediction, columns }: Rows, row: number): number {
  let top = Number.NEGATIVE_INFINITY;
  for (let i = row * columns; i < (row + 1) * columns; i++) top = Math.max(top, prediction[i]);
  let sum = 0;
  for (let i = row * columns; i < (row + 1) * columns; i++) sum += exponential(prediction[i] - top);
  return top + logarithm(sum);
}

/** Σ over classes of t · cost(class): t the target, smoothed, or 1 at the class number. */
function classes(
  smoothing: number,
  costOf: (rows: Rows, row: number) => (x: number) => number,
): (rows: Rows) => RowValue {
  return (rows) => (row) => {
    const { target, prediction, columns, sparse } = rows;
    const cost = costOf(rows, row);
    if (sparse) return cost(prediction[row * columns + target[row]]);
    let sum = 0;
    for (let i = row * columns; i < (row + 1) * columns; i++) {
      const t = smooth(target[i], smoothing, 1 / columns);
      if (t !== 0) sum += t * cost(prediction[i]);
    }
    return sum;
  };
}

const ofProbabilities = (smoothing = 0) =>
  classes(smoothing, (rows, row) => {
    const size = rowSum(rows, row);
    return (p) => -logarithm(probability(p / size));
  });
const ofLogits = (smoothing = 0) =>
  classes(smoothing, (rows, row) => {
    const size = logSum(rows, row);
    return (x) => size - x;
  });

const binaryEntropy = (y: number, p: number) => {
  const q = probability(p);
  return -y * logarithm(q) - (1 - y) * logarithm(1 - q);
};

/** Each loss by its kernel's name. */
export const formulas: Readonly<Record<string, Formula>> = {
  meanSquaredError: () => each((y, p) => (y - p) * (y - p)),
  meanAbsoluteError: () => each((y, p) => Math.abs(y - p)),
  meanAbsolutePercentageError: () => each((y, p) => (100 * Math.abs(y - p)) / Math.max(Math.abs(y), EPSILON)),
  meanSquaredLogarithmicError: () =>
    each((y, p) => {
      const error = logarithm(1 + Math.max(p, EPSILON)) - logarithm(1 + Math.max(y, EPSILON));
      return error * error;
    }),
  logCosh: () => each((y, p) => Math.abs(p - y) + softplus(-2 * Math.abs(p - y)) - Math.LN2),
  poisson: () => each((y, p) => p - y * logarithm(p + EPSILON)),
  kullbackLeiblerDivergence: () =>
    total((y, p) => {
      const t = clip(y, EPSILON, 1);
      return t * logarithm(t / clip(p, EPSILON, 1));
    }),
  hinge: () => eachLabel(hinge),
  squaredHinge: () => eachLabel((y, p) => hinge(y, p) * hinge(y, p)),
  categoricalHinge:
    () =>
    ({ target, prediction, columns }) =>
    (row) => {
      let [right, wrong] = [0, Number.NEGATIVE_INFINITY];
      for (let i = row * columns; i < (row + 1) * columns; i++) {
        right += target[i] * prediction[i];
        wrong = Math.max(wrong, (1 - target[i]) * prediction[i]);
      }
      return Math.max(wrong - right + 1, 0);
    },
  cosineSimilarity: () => {
    const products = [(y: number, p: number) => y * p, (y: number) => y * y, (_: number, p: number) => p * p];
    return (rows) => {
      const [both, ofTarget, ofPrediction] = products.map((product) => total(product)(rows));
      const norm = (squares: number) => Math.max(Math.sqrt(squares), EPSILON);
      return (row) => -both(row) / (norm(ofTarget(row)) * norm(ofPrediction(row)));
    };
  },
  huber: (delta) =>
    each((y, p) => {
      const error = Math.abs(p - y);
      return error <= delta ? (error * error) / 2 : delta * error - (delta * delta) / 2;
    }),
  binaryCrossentropy: (smoothing) => each((y, p) => binaryEntropy(smooth(y, smoothing, 0.5), p)),
  binaryCrossentropyLogits: (smoothing) => each((y, x) => softplus(x) - smooth(y, smoothing, 0.5) * x),
  binaryFocalCrossentropy: (smoothing, gamma, yes, no) =>
    each((y, p) => {
      const t = smooth(y, smoothing, 0.5);
      const miss = t * (1 - p) + (1 - t) * p;
      return (t * yes + (1 - t) * no) * focus(miss, gamma) * binaryEntropy(t, p);
    }),
  categoricalCrossentropy: ofProbabilities,
  categoricalCrossentropyLogits: ofLogits,
  categoricalFocalCrossentropy: (smoothing, gamma, alpha) =>
    classes(smoothing, (rows, row) => {
      const size = rowSum(rows, row);
      return (p) => {
        const q = probability(p / size);
        return -alpha * focus(1 - q, gamma) * logarithm(q);
      };
    }),
  sparseCategoricalCrossentropy: ofProbabilities,
  sparseCategoricalCrossentropyLogits: ofLogits,
  tversky: (alpha, beta, epsilon) => {
    const parts = [
      (y: number, p: number) => y * p,
      (y: number, p: number) => y * (1 - p),
      (y: number, p: number) => p * (1 - y),
    ];
    return (rows) => {
      const [both, missed, wrong] = parts.map((part) => total(part)(rows));
      return (row) => 1 - both(row) / (both(row) + alpha * missed(row) + beta * wrong(row) + epsilon);
    };
  },
};

/** Probabilities from logits, for the losses whose kernels only read probabilities. */
export function probabilities(rows: Rows, activation: "sigmoid" | "softmax"): Rows {
  const { prediction, columns } = rows;
  const out = new Float64Array(rows.rows * columns);
  for (let row = 0; row < rows.rows; row++) {
    const size = activation === "softmax" ? logSum(rows, row) : 0;
    for (let i = row * columns; i < (row + 1) * columns; i++) {
      out[i] =
        activation === "softmax" ? exponential(prediction[i] - size) : 1 / (1 + exponential(-prediction[i]));
    }
  }
  return { ...rows, prediction: out };
}
