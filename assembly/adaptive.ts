// More rules by which weights follow their gradients, exactly Keras 3's: adamax, adadelta, lion.
// Not here: sgd, rmsprop, adagrad, adam, nadam, clipping and decay (optimizer.ts), what changes from step to step (the host writes `hyper`).
//
// Legend: n elements of one weight; w weight, g gradient, both [n]; every other block of a rule is its state, [n].
//   hyper  f32[4]: [0] η, the learning rate of this step; [1..3] what a rule says of them
// As in optimizer.ts: decay rates are f64, and no fused multiply-add, so that both builds learn the same bits.

import { load4, splat, storeUpTo4 } from "./simd";

/** hyper[1] = η/(1-β₁ᵗ). */
export function adamax(
  w: usize, m: usize, u: usize, g: usize, n: i32, hyper: usize, beta1: f64, beta2: f64, epsilon: f32,
): void {
  // m' = m + (g-m)(1-β₁);  u' = max(β₂u, |g|);  w' = w - hyper₁m'/(u' + ε)
  const alpha = splat(load<f32>(hyper, 4));
  const mix = splat(<f32>(1 - beta1));
  const keep = splat(<f32>beta2);
  const eps = splat(epsilon);
  let at: usize = 0;
  for (let left = n; left > 0; left -= 4) {
    const d = load4(g + at);
    const m0 = load4(m + at);
    const m1 = f32x4.add(m0, f32x4.mul(f32x4.sub(d, m0), mix));
    const u1 = f32x4.max(f32x4.mul(keep, load4(u + at)), f32x4.abs(d));
    storeUpTo4(m + at, m1, left);
    storeUpTo4(u + at, u1, left);
    const step = f32x4.div(f32x4.mul(m1, alpha), f32x4.add(u1, eps));
    storeUpTo4(w + at, f32x4.sub(load4(w + at), step), left);
    at += 16;
  }
}

/** a: running mean square of the gradients, x: of the steps before their rate. */
export function adadelta(
  w: usize, a: usize, x: usize, g: usize, n: i32, hyper: usize, rho: f64, epsilon: f32,
): void {
  // a' = ρa + (1-ρ)g²;  s = g√(x + ε)/√(a' + ε);  x' = ρx + (1-ρ)s²;  w' = w - ηs
  const rate = splat(load<f32>(hyper));
  const keep = splat(<f32>rho);
  const mix = splat(<f32>(1 - rho));
  const eps = splat(epsilon);
  let at: usize = 0;
  for (let left = n; left > 0; left -= 4) {
    const d = load4(g + at);
    const x0 = load4(x + at);
    const a1 = f32x4.add(f32x4.mul(keep, load4(a + at)), f32x4.mul(mix, f32x4.mul(d, d)));
    storeUpTo4(a + at, a1, left);
    const root = f32x4.sqrt(f32x4.add(x0, eps));
    const step = f32x4.div(f32x4.mul(root, d), f32x4.sqrt(f32x4.add(a1, eps)));
    storeUpTo4(x + at, f32x4.add(f32x4.mul(keep, x0), f32x4.mul(mix, f32x4.mul(step, step))), left);
    storeUpTo4(w + at, f32x4.sub(load4(w + at), f32x4.mul(rate, step)), left);
    at += 16;
  }
}

/** The sign of 0 (and of NaN, as in PyTorch) is 0: such a weight stays. */
export function lion(w: usize, m: usize, g: usize, n: i32, hyper: usize, beta1: f64, beta2: f64): void {
  // w' = w - η·sign(β₁m + (1-β₁)g);  m' = β₂m + (1-β₂)g
  const up = splat(load<f32>(hyper));
  const down = splat(-load<f32>(hyper));
  const zero = splat(0);
  const keep1 = splat(<f32>beta1);
  const mix1 = splat(<f32>(1 - beta1));
  const keep2 = splat(<f32>beta2);
  const mix2 = splat(<f32>(1 - beta2));
  let at: usize = 0;
  for (let left = n; left > 0; left -= 4) {
    const d = load4(g + at);
    const m0 = load4(m + at);
    const c = f32x4.add(f32x4.mul(m0, keep1), f32x4.mul(d, mix1));
    const step = v128.or(v128.and(f32x4.gt(c, zero), up), v128.and(f32x4.lt(c, zero), down));
    storeUpTo4(w + at, f32x4.sub(load4(w + at), step), left);
    storeUpTo4(m + at, f32x4.add(f32x4.mul(m0, keep2), f32x4.mul(d, mix2)), left);
    at += 16;
  }
}
