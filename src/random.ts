// Random numbers on the host: the same counter-based generator as assembly/random.ts, and what is drawn from it.
// The same seed gives the same numbers in every engine, so nothing here calls an engine's own transcendental functions.
// Threefry-2x32, 20 rounds: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (2011).
import { show, UnreelError } from "./errors.js";
import { logarithm } from "./numerics.js";

const ROTATIONS = [13, 15, 26, 6, 17, 29, 16, 24];
const PARITY = 0x1bd11bda;

/** One block: key (k0, k1) and counter (c0, c1) to two words, written to `out`. */
export function threefry(out: Uint32Array, k0: number, k1: number, c0: number, c1: number): void {
  const key = [k0, k1, PARITY ^ k0 ^ k1];
  let x0 = (c0 + k0) | 0;
  let x1 = (c1 + k1) | 0;
  for (let round = 0; round < 20; round++) {
    const rotation = ROTATIONS[round & 7];
    x0 = (x0 + x1) | 0;
    x1 = ((x1 << rotation) | (x1 >>> (32 - rotation))) ^ x0;
    if ((round & 3) === 3) {
      const injection = (round + 1) >> 2;
      x0 = (x0 + key[injection % 3]) | 0;
      x1 = (x1 + key[(injection + 1) % 3] + injection) | 0;
    }
  }
  out[0] = x0;
  out[1] = x1;
}

/** A stream of numbers drawn from one seed. Two streams of one seed are independent. */
export class Random {
  readonly #seed: number;
  readonly #stream: number;
  readonly #words = new Uint32Array(2);
  #drawn = 0;

  constructor(seed: number, stream = 0) {
    this.#seed = checkSeed("seed", seed);
    this.#stream = stream;
  }

  /** The next 32 bits. */
  word(): number {
    const half = this.#drawn & 1;
    if (half === 0) {
      const high = Math.floor(this.#seed / 2 ** 32);
      threefry(this.#words, this.#seed | 0, high, this.#drawn >>> 1, this.#stream);
    }
    this.#drawn++;
    return this.#words[half];
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
    for (;;) {
      const x = this.uniform(-1, 1);
      const y = this.uniform(-1, 1);
      const square = x * x + y * y;
      if (square > 0 && square < 1) return x * Math.sqrt((-2 * logarithm(square)) / square);
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
