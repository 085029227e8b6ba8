// Additive scores of attention (Bahdanau et al. 2015): out [B, T, S] = Σ_d scale · tanh(q + k), of q [B, T, D], k [B, S, D] and
// scale [D], or without it. Batch-major. The sums q + k are never stored: the way back computes them again.

import { Size } from "../program/size.js";
import { columns, count, type Op, type Value } from "./op.js";

function sizes(q: Value, k: Value) {
  return [q.shape[0], q.shape[1], k.shape[1], q.shape[2]].map((d) => Size.of(d));
}

export const additiveScores: Op<object> = {
  name: "additiveScores",

  // A curve costs about as much as ten products.
  flops: ({ inputs: [q], outputs: [out] }) => count(out).times(columns(q!)).times(20),

  outputs([q, k]) {
    return [{ shape: [q!.shape[0], q!.shape[1], k!.shape[1]] }];
  },

  forward(e, { inputs: [q, k, scale], outputs: [out] }) {
    e.call("additiveScores", out, q!, k!, scale ?? 0, ...sizes(q!, k!));
  },

  backward(e, { inputs: [q, k, scale], outputs: [out] }) {
    const place = (value: Value | undefined) => (e.wants(value) ? e.gradient(value) : 0);
    const gradients = [place(q), place(k), place(scale)] as const;
    e.call("additiveScoresBackward", ...gradients, e.gradientOf(out)!, q!, k!, scale ?? 0, ...sizes(q!, k!));
  },
};
