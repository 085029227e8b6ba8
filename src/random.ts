// Random numbers on the host: the same counter-based generator as assembly/random.ts, and what is drawn from it.
// The same seed gives the same numbers in every engine, so nothing here calls an engine's own transcendental functions.
// Threefry-2x32, 20 rounds: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (2011).
import { show, UnreelError } from "./errors.js";
import { logarithm } from "./numerics.js";

const PARITY = 0x1bd11bda;

/** One block: key (k0, k1) and counter (c0, c1) to two words, written to `out` from `at` on. Five groups of four rounds, written out
 * because initial weights are drawn before an engine has optimized anything. */
export function threefry(out: Uint32Array, at: number, k0: number, k1: number, c0: number, c1: number): void {
  let x0 = (c0 + k0) | 0;
  let x1 = (c1 + k1) | 0;
  // The three words of the key take turns: a is the next to go into x0, b into x1.
  let a = k1;
  let b = PARITY ^ k0 ^ k1;
  let c = k0;
  for (let group = 1; group <= 5; group++) {
    if (group & 1) {
      x0 = (x0 + x1) | 0;
      x1 = ((x1 << 13) | (x1 >>> 19)) ^ x0;
      x0 = (x0 + x1) | 0;
      x1 = ((x1 << 15) | (x1 >>> 17)) ^ x0;
      x0 = (x0 + x1) | 0;
      x1 = ((x1 << 26) | (x1 >>> 6)) ^ x0;
      x0 = (x0 + x1) | 0;
      x1 = ((x1 << 6) | (x1 >>> 26)) ^ x0;
    } else {
      x0 = (x0 + x1) | 0;
      x1 = ((x1 << 17) | (x1 >>> 15)) ^ x0;
      x0 = (x0 + x1) | 0;
      x1 = ((x1 << 29) | (x1 >>> 3)) ^ x0;
      x0 = (x0 + x1) | 0;
      x1 = ((x1 << 16) | (x1 >>> 16)) ^ x0;
      x0 = (x0 + x1) | 0;
      x1 = ((x1 << 24) | (x1 >>> 8)) ^ x0;
    }
    x0 = (x0 + a) | 0;
    x1 = (x1 + b + group) | 0;
    const next = a;
    a = b;
    b = c;
    c = next;
  }
  out[at] = x0;
  out[at + 1] = x1;
}

/** Words that a stream draws ahead. */
const AHEAD = 64;

/** A stream of numbers drawn from one seed. Two streams of one seed are independent. */
export class Random {
  readonly #seed: number;
  readonly #stream: number;
  readonly #words = new Uint32Array(AHEAD);
  /** Blocks made so far, and the next of the words that lie ready. */
  #blocks = 0;
  #next = AHEAD;
  /** The polar method makes two normal numbers at once: the second waits here. */
  #spare: number | undefined;

  constructor(seed: number, stream = 0) {
    this.#seed = checkSeed("seed", seed);
    this.#stream = stream;
  }

  /** The next 32 bits. */
  word(): number {
    if (this.#next === AHEAD) this.#draw();
    return this.#words[this.#next++];
  }

  #draw(): void {
    const words = this.#words;
    const [low, high] = [this.#seed | 0, Math.floor(this.#seed / 2 ** 32)];
    for (let at = 0; at < AHEAD; at += 2) threefry(words, at, low, high, this.#blocks++, this.#stream);
    this.#next = 0;
  }

  /** A float in [low, high), from 32 random bits. */
  uniform(low = 0, high = 1): number {
    return low + (this.word() / 2 ** 32) * (high - low);
  }

  /** An integer in [0, n), without bias. */
  integer(n: number): number {
    const limit = 2 ** 32 - (2 ** 32 % n);
    let word = this.word();
    while (word >= limit) word = this.word();
    return word % n;
  }

  /** A standard normal number (the polar method of Marsaglia). */
  normal(): number {
    const spare = this.#spare;
    this.#spare = undefined;
    if (spare !== undefined) return spare;
    for (;;) {
      const x = this.uniform(-1, 1);
      const y = this.uniform(-1, 1);
      const square = x * x + y * y;
      if (square === 0 || square >= 1) continue;
      const scale = Math.sqrt((-2 * logarithm(square)) / square);
      this.#spare = y * scale;
      return x * scale;
    }
  }

  /** Fisher and Yates' shuffle, in place. */
  shuffle<A extends { length: number; [index: number]: number }>(values: A): A {
    for (let i = values.length - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      const held = values[i];
      values[i] = values[j];
      values[j] = held;
    }
    return values;
  }
}

let global = new Random(crypto.getRandomValues(new Uint32Array(1))[0]);

/** Makes everything that is random from here on repeatable: initial weights, shuffles, dropout of whatever has no seed of
 * its own. Like `keras.utils.set_random_seed`. */
export function setRandomSeed(seed: number): void {
  global = new Random(checkSeed("setRandomSeed", seed));
}

/** The seed for something random: the user's, or the next of the global generator. */
export function seedOr(seed: number | null | undefined, operation: string): number {
  return seed === undefined || seed === null ? global.word() : checkSeed(operation, seed);
}

function checkSeed(operation: string, seed: unknown): number {
  if (typeof seed === "number" && Number.isSafeInteger(seed) && seed >= 0) return seed;
  throw new UnreelError({ operation, expected: "a seed: an integer from 0 to 2^53 - 1", got: show(seed) });
}
