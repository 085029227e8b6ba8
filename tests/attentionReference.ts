// Attention in float64, slowly and plainly, for the cases of ops and layers: one query, one key and one head at a time.
import { type Real, real } from "./reference.js";

/** The vector of a step of a sample, x [B, T, F]. */
export function stepOf({ shape: [, T, F], data }: Real, b: number, t: number): readonly number[] {
  return data.slice((b * T + t) * F, (b * T + t + 1) * F);
}

export const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, x, k) => sum + x * b[k], 0);

/** Σ scale · tanh(a + b) */
export const additive = (a: readonly number[], b: readonly number[], scale?: readonly number[]): number =>
  a.reduce((sum, x, k) => sum + (scale?.[k] ?? 1) * Math.tanh(x + b[k]), 0);

/** Scores [B, T, S] of q [B, T, ·] and k [B, S, ·]. */
export function scores(q: Real, k: Real, rule: (a: readonly number[], b: readonly number[]) => number): Real {
  const [B, T, S] = [q.shape[0], q.shape[1], k.shape[1]];
  return real([B, T, S], (i) => {
    const b = Math.floor(i / (T * S));
    return rule(stepOf(q, b, Math.floor(i / S) % T), stepOf(k, b, i % S));
  });
}

/** Softmax over the keys that are seen; of a query that sees none, over `blind`: all alike, or none. */
export function weightsOf(
  { shape, data }: Real,
  isSeen: (b: number, t: number, s: number) => boolean,
  blind: "alike" | "none",
): Real {
  const [, T, S] = shape;
  return real(shape, (i) => {
    const [b, t] = [Math.floor(i / (T * S)), Math.floor(i / S) % T];
    const row = data.slice(i - (i % S), i - (i % S) + S);
    const seen = row.map((_, s) => isSeen(b, t, s));
    if (!seen.includes(true)) return blind === "alike" ? 1 / S : 0;
    const powers = row.map((x, s) => (seen[s] ? Math.exp(x) : 0));
    return powers[i % S] / powers.reduce((a, x) => a + x, 0);
  });
}

/** Weights [B, T, S] times values [B, S, V]. */
export function mixed(weights: Real, values: Real): Real {
  const [B, T, S] = weights.shape;
  const V = values.shape[2];
  return real([B, T, V], (i) => {
    const [b, row] = [Math.floor(i / (T * V)), Math.floor(i / V)];
    let sum = 0;
    for (let s = 0; s < S; s++) sum += weights.data[row * S + s] * values.data[(b * S + s) * V + (i % V)];
    return sum;
  });
}

/** A kernel [F, N, H] for one of its heads: [F, H]. */
export function head({ shape: [F, N, H], data }: Real, n: number): Real {
  return real([F, H], (i) => data[(Math.floor(i / H) * N + n) * H + (i % H)]);
}
