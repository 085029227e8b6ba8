// Targets and probabilities as the cross-entropies read them. Internal.
// Not here: the losses themselves (crossentropy.ts, focal.ts).

import { atLeast, atMost, load4, madd, splat } from "./simd";

/** Probabilities are clipped to [1e-7, 1 - 1e-7], in f32. */
const LOW: f32 = 1e-7;
const HIGH: f32 = 1 - 1e-7;

// @ts-expect-error: decorator
@inline
export function clipped(p: v128): v128 {
  return atMost(atLeast(p, splat(LOW)), splat(HIGH));
}

/** Where clipping changes nothing, so that the gradient passes. */
// @ts-expect-error: decorator
@inline
export function unclipped(p: v128): v128 {
  return v128.and(f32x4.ge(p, splat(LOW)), f32x4.le(p, splat(HIGH)));
}

/** y (1 - s) + offset; the offset is s/2 for a question with two answers, s/C for C classes */
// @ts-expect-error: decorator
@inline
export function smoothed(yTrue: usize, offset: f32, labelSmoothing: f32): v128 {
  return madd(load4(yTrue), splat(1 - labelSmoothing), splat(offset));
}
