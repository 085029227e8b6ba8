// What every kernel test needs: guarded blocks of memory and repeatable numbers. Not a test itself.

const GUARD: i32 = 32; // words on each side
const PATTERN: u32 = 0x7fc0dead; // a NaN: a kernel that lets it in shows it

/** n words, 16-byte aligned, between guards; filled with the guards' pattern at first. */
export class Block {
  at: usize;
  constructor(public n: i32) {
    const base = heap.alloc(<usize>(n + 2 * GUARD) << 2);
    for (let i = 0; i < n + 2 * GUARD; ++i) store<u32>(base + (<usize>i << 2), PATTERN);
    this.at = base + GUARD * 4;
  }

  get(i: i32): f32 {
    return load<f32>(this.at + (<usize>i << 2));
  }

  set(i: i32, x: f32): void {
    store<f32>(this.at + (<usize>i << 2), x);
  }

  getInt(i: i32): i32 {
    return load<i32>(this.at + (<usize>i << 2));
  }

  setInt(i: i32, x: i32): void {
    store<i32>(this.at + (<usize>i << 2), x);
  }

  /** Did nothing write beside the block? */
  intact(): bool {
    for (let i = 1; i <= GUARD; ++i) {
      if (load<u32>(this.at - (<usize>i << 2)) != PATTERN) return false;
      if (load<u32>(this.at + (<usize>(this.n + i - 1) << 2)) != PATTERN) return false;
    }
    return true;
  }

  free(): void {
    heap.free(this.at - GUARD * 4);
  }
}

let state: u32 = 1;

export function reseed(seed: u32): void {
  state = seed;
}

/** In [-1,1), a number that f32 holds exactly. */
export function noise(): f64 {
  state = state * 1664525 + 1013904223;
  return <f64>(<i32>state >> 8) / 8388608.0;
}

export function noiseBlock(n: i32): Block {
  const block = new Block(n);
  for (let i = 0; i < n; ++i) block.set(i, <f32>noise());
  return block;
}

/** |a - b| relative to b where b is large, absolute where it is small; NaN counts as infinitely wrong. */
export function difference(a: f64, b: f64): f64 {
  const d = abs(a - b) / max(1.0, abs(b));
  return d == d ? d : Infinity;
}
