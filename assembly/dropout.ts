// Dropout: each element is dropped with probability `rate`, the others grow by 1/(1-rate), so that the mean stays.
// Not here: the numbers themselves (random.ts). No mask is stored: the way back draws the same numbers again.
//
// Legend: n elements; seed [2] u32 and stream as in random.ts: element k is kept where uniform's element k is >= rate.

import { threefry, unit4 } from "./random";
import { keep4, load4, splat, storeUpTo4 } from "./simd";

// The random words pass through the output block, eight at a time, after what lies there has been read; so out may be x.
// `backward` is a constant: it adds to what was in the output.
// @ts-expect-error: decorator
@inline
function drop(backward: bool, out: usize, x: usize, n: i32, rate: f32, seed: usize, stream: i32): void {
  const key0 = load<i32>(seed);
  const key1 = load<i32>(seed, 4);
  const rate4 = splat(rate);
  const scale = splat(1 / (1 - rate));
  for (let block = 0; n > 0; block += 4) {
    let low = f32x4.mul(load4(x), scale);
    let high = n > 4 ? f32x4.mul(load4(x + 16), scale) : low;
    const oldLow = backward ? load4(out) : low;
    const oldHigh = backward && n > 4 ? load4(out + 16) : low;
    threefry(out, min(n, 8), block, stream, key0, key1);
    low = keep4(f32x4.ge(unit4(load4(out)), rate4), low);
    if (backward) low = f32x4.add(oldLow, low);
    storeUpTo4(out, low, n);
    if (n > 4) {
      high = keep4(f32x4.ge(unit4(load4(out + 16)), rate4), high);
      if (backward) high = f32x4.add(oldHigh, high);
      storeUpTo4(out + 16, high, n - 4);
    }
    x += 32;
    out += 32;
    n -= 8;
  }
}

/** out [n] = x [n], dropped and scaled. out may be x. */
export function dropout(out: usize, x: usize, n: i32, rate: f32, seed: usize, stream: i32): void {
  drop(false, out, x, n, rate, seed, stream);
}

/** dx [n] += dout [n], dropped and scaled as x was. */
export function dropoutBackward(dx: usize, dout: usize, n: i32, rate: f32, seed: usize, stream: i32): void {
  drop(true, dx, dout, n, rate, seed, stream);
}
