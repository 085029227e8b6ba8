// Gaussian noise: a normal number added to each element. The words are those of random.ts; the same seed, step, stream and
// position give the same noise. Not here: which seed and stream (the host).
//
// Legend: out, x [runs, n]; width numbers of a sample in each run, seed [4] and stream as in random.ts: element k of all samples is
// made of word k.

import { log4 } from "./math";
import { runStart, threefry } from "./random";
import { half4, load4, one4, select4, splat, writeUpTo4 } from "./simd";

// Giles 2010, "Approximating the erfinv function", single precision, times sqrt 2: z / u over w = -log(1 - u^2), first for w < 5
// in w - 2.5, then for the rest in sqrt w - 3.
const NEAR: usize = memory.data<f32>([
  3.97426023e-8, 4.8546266e-7, -4.98282267e-6, -6.21052811e-6, 3.09120031e-4, -1.77303494e-3, -5.90813403e-3, 0.348802661, 2.12331355,
]);
const FAR: usize = memory.data<f32>([
  -2.83145718e-4, 1.42765648e-4, 1.90825948e-3, -5.19501232e-3, 8.11688967e-3, -1.07797881e-2, 1.33485786e-2, 1.41658104, 4.00643424,
]);

// @ts-expect-error: decorator
@inline
function series(table: usize, x: v128): v128 {
  let p = v128.load32_splat(table);
  for (let k: usize = 4; k < 36; k += 4) p = f32x4.add(f32x4.mul(p, x), v128.load32_splat(table + k));
  return p;
}

/**
 * Four words as normal numbers: the word is a point u of (-1, 1) with half a step to either end, and z the number below which a
 * share (1 + u) / 2 of all normal numbers lies. The distance to the nearer end is kept in integers, so that tails reach 6.3. Good to
 * 1e-6 of z up to 5, to 4e-4 at the end.
 */
export function normal4(words: v128): v128 {
  const unit = splat(4.656612873077393e-10); // 2^-31
  const magnitude = v128.xor(words, i32x4.shr_s(words, 31));
  const half = half4();
  const u = f32x4.mul(f32x4.add(f32x4.convert_i32x4_s(magnitude), half), unit);
  const left = i32x4.sub(i32x4.splat(0x7fffffff), magnitude);
  const tail = f32x4.mul(f32x4.add(f32x4.convert_i32x4_s(left), half), unit);
  const w = f32x4.neg(log4(f32x4.mul(tail, f32x4.add(one4(), u))));
  const near = series(NEAR, f32x4.sub(w, splat(2.5)));
  const far = series(FAR, f32x4.sub(f32x4.sqrt(w), splat(3)));
  const z = f32x4.mul(u, select4(f32x4.lt(w, splat(5)), near, far));
  return v128.or(z, v128.and(words, splat(-0.0)));
}

/** out = x + stddev * normal numbers. out may be x. Its gradient is that of x. */
export function gaussianNoise(
  out: usize, x: usize, runs: i32, n: i32, width: i32, stddev: f32, seed: usize, stream: i32,
): void {
  const key0 = load<i32>(seed);
  const key1 = load<i32>(seed, 4);
  const scale = splat(stddev);
  // The words pass through the output block, up to eight at a time, after what lies there has been read; so out may be x.
  for (let run = 0; run < runs; run++) {
    let position = runStart(run, n, width, seed);
    for (let left = n; left > 0; ) {
      const skip = position & 1;
      const count = min(left, 8 - skip);
      const low = load4(x);
      const high = count > 4 ? load4(x + 16) : low;
      threefry(out, count, <i32>(<u32>position >> 1), skip, stream, key0, key1);
      writeUpTo4(out, f32x4.add(low, f32x4.mul(scale, normal4(load4(out)))), count);
      if (count > 4) writeUpTo4(out + 16, f32x4.add(high, f32x4.mul(scale, normal4(load4(out + 16)))), count - 4);
      x += <usize>count << 2;
      out += <usize>count << 2;
      position += count;
      left -= count;
    }
  }
}
