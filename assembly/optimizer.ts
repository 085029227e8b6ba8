// The rules by which weights follow their gradients, exactly Keras 3's: sgd, rmsprop, adagrad, adam, nadam, clipping, decoupled weight decay.
// Not here: schedules and the bias correction of a step (the host writes them into `hyper`), the other rules (adaptive.ts).
//
// Legend: n elements of one weight; w weight, g gradient, both [n]; every other block of a rule is its state, [n].
//   hyper  f32[4]: [0] η, the learning rate of this step; [1..3] what a rule says of them
// Keras' order of a step: clip, decayWeights, rule. Decay rates (ρ, β) are f64, because 1-β in f32 would be wrong by 1e-5
// for β = 0.999. No fused multiply-add: these loops wait for memory, and so both builds learn the same bits.

import { load4, splat, storeUpTo4 } from "./simd";

/** velocity may be 0 (no momentum). */
export function sgd(w: usize, velocity: usize, g: usize, n: i32, hyper: usize, momentum: f32, nesterov: i32): void {
  // v' = μv - ηg;  w' = w + v', nesterov: w + μv' - ηg;  without momentum: w' = w - ηg
  const rate = splat(load<f32>(hyper));
  const mu = splat(momentum);
  let at: usize = 0;
  for (let left = n; left > 0; left -= 4) {
    const step = f32x4.mul(load4(g + at), rate);
    let x = load4(w + at);
    if (velocity) {
      const v = f32x4.sub(f32x4.mul(load4(velocity + at), mu), step);
      storeUpTo4(velocity + at, v, left);
      x = f32x4.add(x, nesterov ? f32x4.sub(f32x4.mul(v, mu), step) : v);
    } else {
      x = f32x4.sub(x, step);
    }
    storeUpTo4(w + at, x, left);
    at += 16;
  }
}

/** momentumBuffer may be 0 (no momentum), averageGradient may be 0 (not centered). `sums` is adagrad: the sum of squares in
 * place of their mean, which begins at a number above zero (the host writes it). */
export function rmsprop(
  w: usize, velocity: usize, momentumBuffer: usize, averageGradient: usize, g: usize, n: i32, hyper: usize,
  rho: f64, momentum: f32, epsilon: f32, sums: i32,
): void {
  // v' = ρv + (1-ρ)g², adagrad: v + g²;  a' = ρa + (1-ρ)g;  s = ηg/√(v' - a'² + ε);  m' = μm + s;  w' = w - m', or w - s
  const rate = splat(load<f32>(hyper));
  const keep = splat(<f32>rho);
  const mix = splat(<f32>(1 - rho));
  const mu = splat(momentum);
  const eps = splat(epsilon);
  let at: usize = 0;
  for (let left = n; left > 0; left -= 4) {
    const d = load4(g + at);
    let v = load4(velocity + at);
    const square = f32x4.mul(d, d);
    v = sums ? f32x4.add(v, square) : f32x4.add(f32x4.mul(keep, v), f32x4.mul(mix, square));
    storeUpTo4(velocity + at, v, left);
    let variance = v;
    if (averageGradient) {
      const a = f32x4.add(f32x4.mul(keep, load4(averageGradient + at)), f32x4.mul(mix, d));
      storeUpTo4(averageGradient + at, a, left);
      variance = f32x4.sub(v, f32x4.mul(a, a));
    }
    let step = f32x4.div(f32x4.mul(rate, d), f32x4.sqrt(f32x4.add(variance, eps)));
    if (momentumBuffer) {
      step = f32x4.add(f32x4.mul(mu, load4(momentumBuffer + at)), step);
      storeUpTo4(momentumBuffer + at, step, left);
    }
    storeUpTo4(w + at, f32x4.sub(load4(w + at), step), left);
    at += 16;
  }
}

/**
 * 0 for what moves no weight: a mean that has decayed below 1e-30 becomes subnormal, in its products sooner than itself, and stays so;
 * a step over such numbers takes ten times as long.
 */
// @ts-expect-error: decorator
@inline
function unlessTiny(x: v128): v128 {
  return v128.and(x, f32x4.ge(f32x4.abs(x), splat(1e-30)));
}

/**
 * vhat may be 0 (no AMSGrad). adam: hyper[1] = η·√(1-β₂ᵗ)/(1-β₁ᵗ). `ahead` is nadam: hyper[1] = η·u₊/(1-Π₊), [2] = η(1-u)/(1-Π),
 * [3] = 1/(1-β₂ᵗ); u, Π: the momentum schedule and its product, ₊ of the next step.
 */
export function adam(
  w: usize, m: usize, v: usize, vhat: usize, g: usize, n: i32, hyper: usize, beta1: f64, beta2: f64, epsilon: f32, ahead: i32,
): void {
  // m' = m + (g-m)(1-β₁);  v' = v + (g²-v)(1-β₂);  AMSGrad: v̂ = max(v̂, v');  w' = w - hyper₁m'/(√v̂ + ε)
  // nadam: w' = w - (hyper₁m' + hyper₂g)/(√(hyper₃v') + ε)
  const ofMean = splat(load<f32>(hyper, 4));
  const ofGradient = splat(load<f32>(hyper, 8));
  const correction = splat(load<f32>(hyper, 12));
  const mix1 = splat(<f32>(1 - beta1));
  const mix2 = splat(<f32>(1 - beta2));
  const eps = splat(epsilon);
  let at: usize = 0;
  for (let left = n; left > 0; left -= 4) {
    const d = load4(g + at);
    const m0 = load4(m + at);
    const v0 = load4(v + at);
    const m1 = unlessTiny(f32x4.add(m0, f32x4.mul(f32x4.sub(d, m0), mix1)));
    const v1 = unlessTiny(f32x4.add(v0, f32x4.mul(f32x4.sub(f32x4.mul(d, d), v0), mix2)));
    storeUpTo4(m + at, m1, left);
    storeUpTo4(v + at, v1, left);
    let second = v1;
    if (vhat) {
      second = f32x4.max(load4(vhat + at), v1);
      storeUpTo4(vhat + at, second, left);
    }
    let move = f32x4.mul(m1, ofMean);
    if (ahead) {
      move = f32x4.add(move, f32x4.mul(d, ofGradient));
      second = f32x4.mul(second, correction);
    }
    const step = f32x4.div(move, f32x4.add(f32x4.sqrt(second), eps));
    storeUpTo4(w + at, f32x4.sub(load4(w + at), step), left);
    at += 16;
  }
}

/** w -= w·rate·learning rate (decoupled decay: AdamW, and Keras' weight_decay of every rule). */
export function decayWeights(w: usize, n: i32, hyper: usize, rate: f32): void {
  const decay = splat(rate);
  const eta = splat(load<f32>(hyper));
  for (let left = n; left > 0; left -= 4) {
    const x = load4(w);
    storeUpTo4(w, f32x4.sub(x, f32x4.mul(f32x4.mul(x, decay), eta)), left);
    w += 16;
  }
}

// The gradient of a table may be that of its touched rows alone: n numbers for each, and `rows` the address of how many; else 0.

// @ts-expect-error: decorator
@inline
function total(n: i32, rows: usize): i32 {
  return rows ? n * load<i32>(rows) : n;
}

/** g = min(max(g, -limit), limit); NaN stays. */
export function clipByValue(g: usize, limit: f32, n: i32, rows: usize): void {
  const high = splat(limit);
  const low = splat(-limit);
  for (let left = total(n, rows); left > 0; left -= 4) {
    storeUpTo4(g, f32x4.min(f32x4.max(load4(g), low), high), left);
    g += 16;
  }
}

/** g = g·limit / max(‖g‖, limit): the norm of this weight's gradient alone. */
export function clipByNorm(g: usize, limit: f32, n: i32, rows: usize): void {
  n = total(n, rows);
  const norm = <f32>sqrt<f64>(squares(g, n));
  const factor = splat(limit);
  const divisor = splat(max<f32>(norm, limit));
  for (let left = n; left > 0; left -= 4) {
    storeUpTo4(g, f32x4.div(f32x4.mul(load4(g), factor), divisor), left);
    g += 16;
  }
}

/** g *= limit·min(1/norm, 1/limit), norm = √sumsq[0] over all gradients; NaN if the norm is not finite, as in Keras. */
export function clipByGlobalNorm(g: usize, sumsq: usize, limit: f32, n: i32, rows: usize): void {
  const norm = sqrt<f32>(load<f32>(sumsq));
  const factor = splat(norm < Infinity ? limit * min<f32>(1 / norm, 1 / limit) : NaN);
  for (let left = total(n, rows); left > 0; left -= 4) {
    storeUpTo4(g, f32x4.mul(load4(g), factor), left);
    g += 16;
  }
}

/** Σ x [n] ², in f64: no size of weight loses digits, and its square cannot overflow. */
function squares(x: usize, n: i32): f64 {
  let low = f64x2.splat(0);
  let high = f64x2.splat(0);
  for (; n >= 4; n -= 4) {
    const v = load4(x);
    const a = f64x2.promote_low_f32x4(v);
    const b = f64x2.promote_low_f32x4(i32x4.shuffle(v, v, 2, 3, 0, 1));
    low = f64x2.add(low, f64x2.mul(a, a));
    high = f64x2.add(high, f64x2.mul(b, b));
    x += 16;
  }
  const both = f64x2.add(low, high);
  let sum = f64x2.extract_lane(both, 0) + f64x2.extract_lane(both, 1);
  for (; n > 0; --n) {
    const y = <f64>load<f32>(x);
    sum += y * y;
    x += 4;
  }
  return sum;
}
