// Four f32 lanes: loads, stores, tails and the few arithmetic helpers that every kernel shares.
// Not here: mathematical functions (math.ts), loops over blocks (vector.ts and the kernels themselves).
//
// This is the only file that knows of relaxed SIMD. ASC_FEATURE_RELAXED_SIMD is a compile-time constant: the branch
// not taken leaves no trace, so the plain build stays free of relaxed opcodes and gives the same bits on every engine.
//
// Tails: blocks start on 16 bytes and have readable bytes up to the next 16, so a vector may read past the end of a
// block but must never write there. Kernels run `for (; n >= 4; n -= 4)` and finish with loadTail / storeTail if n > 0.

/** Bytes in one vector, and f32 lanes in it. */
export const VECTOR: usize = 16;
export const LANES: i32 = 4;

/** Four consecutive words at `p`. */
// @ts-expect-error: decorator
@inline
export function load4(p: usize): v128 {
  return v128.load(p);
}

// @ts-expect-error: decorator
@inline
export function store4(p: usize, v: v128): void {
  v128.store(p, v);
}

/** The word at `p` in all four lanes. */
// @ts-expect-error: decorator
@inline
export function loadSplat(p: usize): v128 {
  return v128.load32_splat(p);
}

// @ts-expect-error: decorator
@inline
export function splat(x: f32): v128 {
  return f32x4.splat(x);
}

// Constants that many kernels need are loaded: a third of the bytes of a v128.const, and V8 builds that anew at each use.
const COUNT: usize = memory.data<i32>([0, 1, 2, 3]);
const UNITS: usize = memory.data<f32>([1, 0.5]);

/** 0 in all lanes. */
// @ts-expect-error: decorator
@inline
export function zero4(): v128 {
  return f32x4.splat(0);
}

/** 1 in all lanes. */
// @ts-expect-error: decorator
@inline
export function one4(): v128 {
  return v128.load32_splat(UNITS);
}

/** 1/2 in all lanes. */
// @ts-expect-error: decorator
@inline
export function half4(): v128 {
  return v128.load32_splat(UNITS, 4);
}

/** a*b + c. Relaxed: one rounding where the hardware has a fused instruction, two elsewhere. Plain: always two. */
// @ts-expect-error: decorator
@inline
export function madd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

/** c - a*b. */
// @ts-expect-error: decorator
@inline
export function nmadd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_nmadd(a, b, c);
  return f32x4.sub(c, f32x4.mul(a, b));
}

/** The smaller of x and limit: one instruction on x86, unlike f32x4.min. NaN in x passes through, NaN in limit does not. */
// @ts-expect-error: decorator
@inline
export function atMost(x: v128, limit: v128): v128 {
  return f32x4.pmin(x, limit);
}

/** The larger of x and limit. NaN in x passes through, NaN in limit does not. */
// @ts-expect-error: decorator
@inline
export function atLeast(x: v128, limit: v128): v128 {
  return f32x4.pmax(x, limit);
}

/** Per bit: mask ? a : b. */
// @ts-expect-error: decorator
@inline
export function select4(mask: v128, a: v128, b: v128): v128 {
  return v128.bitselect(a, b, mask);
}

/** x where the mask is set, +0 elsewhere (also for x = NaN or infinity). */
// @ts-expect-error: decorator
@inline
export function keep4(mask: v128, x: v128): v128 {
  return v128.and(x, mask);
}

/** Sum of the lanes, as (0+2) + (1+3): a fixed order, so that results repeat. */
// @ts-expect-error: decorator
@inline
export function sumLanes(v: v128): f32 {
  const pair = f32x4.add(v, i32x4.shuffle(v, v, 2, 3, 0, 1));
  return f32x4.extract_lane(pair, 0) + f32x4.extract_lane(pair, 1);
}

/** Largest lane; NaN if any lane is NaN. */
// @ts-expect-error: decorator
@inline
export function maxLanes(v: v128): f32 {
  const pair = f32x4.max(v, i32x4.shuffle(v, v, 2, 3, 0, 1));
  return max<f32>(f32x4.extract_lane(pair, 0), f32x4.extract_lane(pair, 1));
}

/** 0, 1, 2, 3 (i32). */
// @ts-expect-error: decorator
@inline
export function count4(): v128 {
  return v128.load(COUNT);
}

/** All ones in lanes 0 .. count-1, zeros in the rest. */
// @ts-expect-error: decorator
@inline
export function laneMask(count: i32): v128 {
  return i32x4.gt_s(i32x4.splat(count), v128.load(COUNT));
}

/** The first `count` (1..3) words at `p`; the other lanes are zero, whatever lies there. */
// @ts-expect-error: decorator
@inline
export function loadTail(p: usize, count: i32): v128 {
  return v128.and(v128.load(p), laneMask(count));
}

/** Write the first `count` (1..3) lanes of `v` at `p`, and nothing else. */
// @ts-expect-error: decorator
@inline
export function storeTail(p: usize, v: v128, count: i32): void {
  if (count & 2) {
    v128.store_lane<i64>(p, v, 0);
    if (count & 1) v128.store_lane<i32>(p, v, 2, 8);
  } else {
    v128.store_lane<i32>(p, v, 0);
  }
}

/** The same as a call. */
// @ts-expect-error: decorator
@call
export function calledStoreTail(p: usize, v: v128, count: i32): void {
  storeTail(p, v, count);
}

/** Write four lanes, or fewer where only `left` words are left: one loop body for whole vectors and the tail. */
// @ts-expect-error: decorator
@inline
export function storeUpTo4(p: usize, v: v128, left: i32): void {
  if (left >= LANES) store4(p, v);
  else storeTail(p, v, left);
}

/**
 * The same with a call for the tail, a quarter of the bytes: for all kernels but those that take most of the time. What stands in
 * registers around a loop is loaded anew at each turn of it, so short loops over long blocks lose by it.
 */
// @ts-expect-error: decorator
@inline
export function writeUpTo4(p: usize, v: v128, left: i32): void {
  if (left >= LANES) store4(p, v);
  else calledStoreTail(p, v, left);
}

/** x, or 0 where it is too small to matter: numbers below 1e-38 are many times slower. NaN stays. */
// @ts-expect-error: decorator
@inline
export function flush4(x: v128): v128 {
  return v128.andnot(x, f32x4.lt(f32x4.abs(x), splat(1e-30)));
}
