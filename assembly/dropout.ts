// Dropout: each element is dropped with probability `rate`, the others grow by 1/(1-rate), so that the mean stays.
// Not here: the numbers themselves (random.ts). No mask is stored: the way back draws the same numbers again.
//
// Legend: out, x [runs, n]; width numbers of a sample in each run, seed [4] and stream as in random.ts: element k of all samples is
// kept where uniform's element k is >= rate.

import { runStart, threefry, unit4 } from "./random";
import { keep4, load4, splat, storeUpTo4 } from "./simd";

// The random words pass through the output block, up to eight at a time, after what lies there has been read; so out may be x.
// `backward` is a constant: it adds to what was in the output.
// @ts-expect-error: decorator
@inline
function drop(backward: bool, out: usize, x: usize, runs: i32, n: i32, width: i32, rate: f32, seed: usize, stream: i32): void {
  const key0 = load<i32>(seed);
  const key1 = load<i32>(seed, 4);
  const rate4 = splat(rate);
  const scale = splat(1 / (1 - rate));
  for (let run = 0; run < runs; run++) {
    let position = runStart(run, n, width, seed);
    for (let left = n; left > 0; ) {
      const skip = position & 1;
      const count = min(left, 8 - skip);
      let low = f32x4.mul(load4(x), scale);
      let high = count > 4 ? f32x4.mul(load4(x + 16), scale) : low;
      const oldLow = backward ? load4(out) : low;
      const oldHigh = backward && count > 4 ? load4(out + 16) : low;
      threefry(out, count, <i32>(<u32>position >> 1), skip, stream, key0, key1);
      low = keep4(f32x4.ge(unit4(load4(out)), rate4), low);
      if (backward) low = f32x4.add(oldLow, low);
      storeUpTo4(out, low, count);
      if (count > 4) {
        high = keep4(f32x4.ge(unit4(load4(out + 16)), rate4), high);
        if (backward) high = f32x4.add(oldHigh, high);
        storeUpTo4(out + 16, high, count - 4);
      }
      x += <usize>count << 2;
      out += <usize>count << 2;
      position += count;
      left -= count;
    }
  }
}

/** out = x, dropped and scaled. out may be x. */
export function dropout(
  out: usize, x: usize, runs: i32, n: i32, width: i32, rate: f32, seed: usize, stream: i32,
): void {
  drop(false, out, x, runs, n, width, rate, seed, stream);
}

/** dx += dout, dropped and scaled as x was. */
export function dropoutBackward(
  dx: usize, dout: usize, runs: i32, n: i32, width: i32, rate: f32, seed: usize, stream: i32,
): void {
  drop(true, dx, dout, runs, n, width, rate, seed, stream);
}
