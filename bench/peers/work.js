// The work itself, before any contender: weights in Keras' order and layout, and data; the same in every run.

/** Products in a chain, so that what a peer copies in and out counts little. Even: the last has the first one's shape. */
export const PRODUCTS = 8;

/** Training is checked by the losses of three steps of plain gradient descent: Adam's first steps follow the sign of each
 * gradient, however small, and so enlarge differences of rounding. Timed is Adam. */
export const CHECK_RATE = 0.1;

/** Numbers from -1 to 1. */
function generator() {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state / 2 ** 31;
  };
}

const uniform = (random, size, limit) => Float32Array.from({ length: size }, () => random() * limit);

/** x [M,K] · b [K,N] · c [N,K] · b · …; every factor keeps the size of the numbers. */
export function drawGemm({ m, n, k }) {
  const random = generator();
  const b = uniform(random, k * n, Math.sqrt(3 / k));
  const c = uniform(random, n * k, Math.sqrt(3 / n));
  return { x: uniform(random, m * k, 1), b, c };
}

const GATES = { simpleRNN: 1, gru: 3, lstm: 4 };

/** Weights of the recurrent layer (and, for training, of an embedding before and a dense layer behind), and a batch. */
export function drawModel({ cell, batch, steps, inputs, units, vocabulary, resetAfter = true }) {
  const random = generator();
  const gates = GATES[cell];
  const weight = (shape, limit) => ({
    shape,
    data: uniform(
      random,
      shape.reduce((a, b) => a * b),
      limit,
    ),
  });
  const width = gates * units;
  const recurrent = [
    weight([inputs, width], Math.sqrt(3 / inputs) / 2),
    weight([units, width], Math.sqrt(3 / units)),
    weight(cell === "gru" && resetAfter ? [2, width] : [width], 0.1),
  ];
  const dense = [weight([units, 1], Math.sqrt(3 / units)), weight([1], 0.1)];
  const embedding = vocabulary ? [weight([vocabulary, inputs], 0.5)] : [];
  const ids = () => Math.min(vocabulary - 1, Math.floor(((random() + 1) / 2) * vocabulary));
  const x = vocabulary
    ? Int32Array.from({ length: batch * steps }, ids)
    : uniform(random, batch * steps * inputs, 1);
  const y = Float32Array.from({ length: batch }, (_, index) => index % 2);
  return { recurrent, dense, embedding, x, y };
}

/** Outputs and losses may differ by this much. */
export const TOLERANCE = 1e-4;

/** Of results, one a contender: the largest difference from the first, relative to the largest number in it where that is above 1. */
export function disagreement([first, ...others]) {
  const scale = first.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
  let worst = 0;
  for (const other of others) {
    if (other.length !== first.length) return Number.MAX_VALUE;
    for (let i = 0; i < other.length; i++) {
      const difference = Math.abs(other[i] - first[i]) / scale;
      if (!(difference <= worst)) worst = Number.isNaN(difference) ? Number.MAX_VALUE : difference;
    }
  }
  return worst;
}
