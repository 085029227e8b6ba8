// Random numbers without state: Threefry-2x32 with 20 rounds (Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as
// easy as 1, 2, 3"). The same key, stream and place give the same number in every build, thread and engine.
// Not here: other distributions; who owns seeds and streams (the host).
//
// Layout, which the TypeScript twin repeats: key = the two u32 at `seed`; counter = (block, stream); the two words of block
// i are elements 2i and 2i+1. A float is the upper 24 bits of its word times 2^-24.
//
// A batch may be computed in parts, each with rows of its own; what is drawn for a sample does not depend on how it was cut.
// So behind the key lie two more words: how many samples stand before those of this part, and how many stand in other parts.
// `width` numbers belong to a sample. Those of all samples follow each other, `runs` times (steps, where time is outermost).

import { count4, load4, one4, splat, storeUpTo4 } from "./simd";

// @ts-expect-error: decorator
@inline
function rotate(x: v128, bits: i32): v128 {
  return v128.or(i32x4.shl(x, bits), i32x4.shr_u(x, 32 - bits));
}

/**
 * Four blocks from `block` on, four at once: their eight words in order to out [count], without the first if it is to `skip` one;
 * 1 <= count <= 8 - skip. One copy for all users, through memory, because a function returns one vector only.
 */
export function threefry(out: usize, count: i32, block: i32, skip: i32, stream: i32, key0: i32, key1: i32): void {
  const k0 = i32x4.splat(key0);
  const k1 = i32x4.splat(key1);
  const k2 = i32x4.splat(key0 ^ key1 ^ 0x1bd11bda);
  let x = i32x4.add(i32x4.add(i32x4.splat(block), count4()), k0);
  let y = i32x4.add(i32x4.splat(stream), k1);

  x = i32x4.add(x, y); y = v128.xor(rotate(y, 13), x);
  x = i32x4.add(x, y); y = v128.xor(rotate(y, 15), x);
  x = i32x4.add(x, y); y = v128.xor(rotate(y, 26), x);
  x = i32x4.add(x, y); y = v128.xor(rotate(y, 6), x);
  x = i32x4.add(x, k1); y = i32x4.add(i32x4.add(y, k2), i32x4.splat(1));

  x = i32x4.add(x, y); y = v128.xor(rotate(y, 17), x);
  x = i32x4.add(x, y); y = v128.xor(rotate(y, 29), x);
  x = i32x4.add(x, y); y = v128.xor(rotate(y, 16), x);
  x = i32x4.add(x, y); y = v128.xor(rotate(y, 24), x);
  x = i32x4.add(x, k2); y = i32x4.add(i32x4.add(y, k0), i32x4.splat(2));

  x = i32x4.add(x, y); y = v128.xor(rotate(y, 13), x);
  x = i32x4.add(x, y); y = v128.xor(rotate(y, 15), x);
  x = i32x4.add(x, y); y = v128.xor(rotate(y, 26), x);
  x = i32x4.add(x, y); y = v128.xor(rotate(y, 6), x);
  x = i32x4.add(x, k0); y = i32x4.add(i32x4.add(y, k1), i32x4.splat(3));

  x = i32x4.add(x, y); y = v128.xor(rotate(y, 17), x);
  x = i32x4.add(x, y); y = v128.xor(rotate(y, 29), x);
  x = i32x4.add(x, y); y = v128.xor(rotate(y, 16), x);
  x = i32x4.add(x, y); y = v128.xor(rotate(y, 24), x);
  x = i32x4.add(x, k1); y = i32x4.add(i32x4.add(y, k2), i32x4.splat(4));

  x = i32x4.add(x, y); y = v128.xor(rotate(y, 13), x);
  x = i32x4.add(x, y); y = v128.xor(rotate(y, 15), x);
  x = i32x4.add(x, y); y = v128.xor(rotate(y, 26), x);
  x = i32x4.add(x, y); y = v128.xor(rotate(y, 6), x);
  x = i32x4.add(x, k2); y = i32x4.add(i32x4.add(y, k0), i32x4.splat(5));

  let low = i32x4.shuffle(x, y, 0, 4, 1, 5);
  let high = i32x4.shuffle(x, y, 2, 6, 3, 7);
  if (skip) {
    low = i32x4.shuffle(low, high, 1, 2, 3, 4);
    high = i32x4.shuffle(high, high, 1, 2, 3, 3);
  }
  storeUpTo4(out, low, count);
  if (count > 4) storeUpTo4(out + 16, high, count - 4);
}

/** The element at which a run of a part begins; n is how many numbers the part has in a run. */
// @ts-expect-error: decorator
@inline
export function runStart(run: i32, n: i32, width: i32, seed: usize): i32 {
  return run * (n + load<i32>(seed, 12) * width) + load<i32>(seed, 8) * width;
}

/** Four words as floats in [0,1): exact, for 24 bits fit into a float. */
// @ts-expect-error: decorator
@inline
export function unit4(words: v128): v128 {
  return f32x4.mul(f32x4.convert_i32x4_u(i32x4.shr_u(words, 8)), splat(5.9604644775390625e-8));
}

/** out [n] = floats in [0,1); seed [2] u32. */
export function uniform(out: usize, n: i32, seed: usize, stream: i32): void {
  const key0 = load<i32>(seed);
  const key1 = load<i32>(seed, 4);
  for (let block = 0; n > 0; block += 4) {
    threefry(out, min(n, 8), block, 0, stream, key0, key1);
    for (let half = 0; half < 2; ++half) {
      if (n > 0) storeUpTo4(out, unit4(load4(out)), n);
      out += 16;
      n -= 4;
    }
  }
}
