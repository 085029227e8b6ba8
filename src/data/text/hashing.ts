// Words to ids by hashing, without a vocabulary: Keras' hashing_trick and one_hot.
import { md5 } from "@noble/hashes/legacy";
import { show, UnreelError } from "../../errors.js";
import { readOptions } from "../../layers/options.js";
import { checkedText, type HashingOptions, WORDS, wordCutter } from "./words.js";

export interface HashingTrickOptions extends HashingOptions {
  /** 'md5' (default), or a function from a word to a whole number, 0 or more. */
  hashFunction?: "md5" | ((word: string) => number | bigint) | null;
}

/**
 * An id from 1 to n - 1 for each word; different words may share one. The default is md5, the same ids as Keras with
 * `hash_function='md5'`. Keras' own default, Python's `hash`, changes from one run of Python to the next and cannot be had again.
 */
export function hashingTrick(text: string, n: number, options: HashingTrickOptions = {}): number[] {
  return hashed("text.hashingTrick", text, n, options);
}

/** `hashingTrick` under the name that Keras gave it (no one-hot rows come out): ids from 1 to n - 1, by md5, because Python's
 * `hash` cannot be had again. */
export function oneHot(text: string, n: number, options: HashingOptions = {}): number[] {
  return hashed("text.oneHot", text, n, options);
}

function hashed(operation: string, text: unknown, n: unknown, options: HashingTrickOptions): number[] {
  const { analyzer, hashFunction, ...rest } = readOptions<HashingTrickOptions>(operation, options, {
    ...WORDS,
    analyzer: null,
    hashFunction: null,
  });
  if (!(typeof n === "number" && Number.isSafeInteger(n) && n >= 2 && n <= 2 ** 45)) {
    throw new UnreelError({
      operation: `${operation}: n`,
      expected: "an integer from 2 to 2^45",
      got: show(n),
    });
  }
  const read = checkedText(operation, text);
  const cut = analyzer ?? wordCutter(operation, rest);
  if (typeof cut !== "function") {
    throw new UnreelError({ operation: `${operation}: analyzer`, expected: "a function", got: show(cut) });
  }
  const words = cut(read);
  if (!Array.isArray(words) || words.some((word) => typeof word !== "string")) {
    const expected = "the function to return an array of strings";
    throw new UnreelError({ operation: `${operation}: analyzer`, expected, got: show(words) });
  }
  if (hashFunction !== undefined && hashFunction !== null && hashFunction !== "md5") {
    if (typeof hashFunction === "function") return words.map((word) => own(operation, hashFunction, word, n));
    const hint = "Python's hash changes from run to run; 'md5' is stable.";
    const expected = "'md5' or a function";
    const got = show(hashFunction);
    throw new UnreelError({ operation: `${operation}: hashFunction`, expected, got, hint });
  }
  return words.map((word) => remainder(md5(new TextEncoder().encode(word)), n - 1) + 1);
}

/** Of a big-endian number of many bytes. */
function remainder(bytes: Uint8Array, divisor: number): number {
  return bytes.reduce((rest, byte) => (rest * 256 + byte) % divisor, 0);
}

function own(operation: string, hash: (word: string) => number | bigint, word: string, n: number): number {
  const value = hash(word);
  if (typeof value === "bigint" && value >= 0n) return Number(value % BigInt(n - 1)) + 1;
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return (value % (n - 1)) + 1;
  throw new UnreelError({
    operation: `${operation}: hashFunction`,
    expected: "the function to return a whole number, 0 or more",
    got: `${show(value)} for ${show(word)}`,
  });
}
