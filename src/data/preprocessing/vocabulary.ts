// Vocabularies: counts keys (tokens or integers) as data streams by, ranks them as Keras' IndexLookup does, weighs them by inverse
// document frequency. Not here: ids and encodings (indexLookup.ts), how text becomes tokens (text/standardize.ts).
import { show, UnreelError } from "../../errors.js";
import { logarithm } from "../../numerics.js";

export type Key = string | number;

/** What tokens and integers do differently. */
export interface KeyKind<K extends Key> {
  /** In messages: `tokens (strings)`. */
  readonly name: string;
  /** The key in the form it is compared in; undefined for what is no key. */
  read(value: unknown): K | undefined;
  compare(a: K, b: K): number;
}

interface Count {
  occurrences: number;
  /** Documents the key occurs in, and the last of them. */
  documents: number;
  last: number;
}

/** A corpus' counts so far. Memory grows with distinct keys, not with documents. */
export class KeyCounts<K extends Key> {
  documents = 0;
  private readonly counts = new Map<K, Count>();

  /** One document's keys. */
  add(keys: Iterable<K>): void {
    this.documents++;
    for (const key of keys) {
      const count = this.counts.get(key);
      if (count === undefined) {
        this.counts.set(detached(key), { occurrences: 1, documents: 1, last: this.documents });
        continue;
      }
      count.occurrences++;
      if (count.last !== this.documents) {
        count.last = this.documents;
        count.documents++;
      }
    }
  }

  /** Most frequent first; equal counts by the keys themselves, highest first, as Keras' reversed lexsort leaves them. */
  ranked(kind: KeyKind<K>, without: readonly (K | null)[], limit = Number.POSITIVE_INFINITY): K[] {
    const entries = [...this.counts].filter(([key]) => !without.includes(key));
    entries.sort(([a, x], [b, y]) => y.occurrences - x.occurrences || kind.compare(b, a));
    return entries.slice(0, limit).map(([key]) => key);
  }

  /** log(1 + documents / (1 + documents with the key)) of each key, equal in every engine. */
  inverseDocumentFrequencies(keys: readonly K[]): number[] {
    return keys.map((key) => logarithm(1 + this.documents / (1 + (this.counts.get(key)?.documents ?? 0))));
  }
}

/**
 * The same string with storage of its own. V8 lets a long token point into the text it was cut from, so a vocabulary of
 * such tokens would keep the whole corpus in memory; a property name is always stored by itself.
 */
function detached<K extends Key>(key: K): K {
  return typeof key === "number" || key.length < 13 ? key : (Object.keys({ [key]: 0 })[0] as K);
}

/** Tokens, NFC-normalised; in the order of UTF-8 bytes. */
export const TOKENS: KeyKind<string> = {
  name: "tokens (strings)",
  read: (value) => (typeof value === "string" ? value.normalize("NFC") : undefined),
  compare: byCodePoint,
};

/** Whole numbers. */
export const INTEGERS: KeyKind<number> = {
  name: "integers",
  read: (value) => (Number.isSafeInteger(value) ? (value as number) + 0 : undefined),
  compare: (a, b) => a - b,
};

/** Order of UTF-8 bytes = order of code points, which UTF-16 breaks between surrogates and U+E000..U+FFFF. */
function byCodePoint(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return x >= 0xd800 && y >= 0xd800 ? lift(x) - lift(y) : x - y;
  }
  return a.length - b.length;
}

/** Surrogates (astral code points) above the rest of the basic plane. */
function lift(unit: number): number {
  return unit < 0xe000 ? unit + 0x10000 : unit;
}

/** What surrounds a vocabulary: the keys Keras would put at its start, in order, and which of them may not stand elsewhere. */
export interface Frame<K extends Key> {
  readonly operation: string;
  readonly special: readonly (K | null)[];
  readonly reserved: readonly (K | null)[];
  readonly maxTokens: number | null;
}

/** A vocabulary given by the user, checked and without its leading special keys. */
export function checkedVocabulary<K extends Key>(given: unknown, kind: KeyKind<K>, frame: Frame<K>) {
  const { special, reserved, maxTokens } = frame;
  const operation = `${frame.operation}: vocabulary`;
  const list = ArrayBuffer.isView(given) ? Array.from(given as Int32Array) : given;
  if (!Array.isArray(list) || list.length === 0) {
    const got = Array.isArray(list) ? "an empty list" : show(given);
    const hint = typeof given === "string" ? "Read a file of tokens first, one a line." : undefined;
    throw new UnreelError({ operation, expected: "a list of at least one token", got, hint });
  }
  const all = list.map((value: unknown, place) => {
    const key = kind.read(value);
    if (key !== undefined) return key;
    throw new UnreelError({ operation, expected: kind.name, got: `${show(value)} at place ${place}` });
  });
  const hasSpecial = special.every((key, place) => all[place] === key);
  const keys = hasSpecial ? all.slice(special.length) : all;
  if (keys.length === 0) {
    throw new UnreelError({ operation, expected: "tokens behind the special ones", got: "none" });
  }
  const seen = new Set<K>();
  for (const key of keys) {
    if (seen.has(key)) {
      throw new UnreelError({ operation, expected: "each token once", got: `${show(key)} twice` });
    }
    seen.add(key);
  }
  for (const key of reserved) {
    if (key === null || !seen.has(key)) continue;
    throw new UnreelError({
      operation,
      expected: `the special token ${show(key)} only at the start, as in ${show([...special])}`,
      got: `${show(key)} at place ${all.lastIndexOf(key)}`,
      hint: "The special tokens may be left out: they are added.",
    });
  }
  const size = keys.length + special.length;
  if (maxTokens !== null && size > maxTokens) {
    throw new UnreelError({
      operation,
      expected: `at most maxTokens = ${maxTokens} tokens, ${special.length} special ones included`,
      got: `${size}`,
    });
  }
  return { keys, hasSpecial };
}
