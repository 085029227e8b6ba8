// The vocabulary of TextVectorization: counts tokens as texts stream by, ranks them as Keras' IndexLookup does, weighs
// them by inverse document frequency. Not here: how text becomes tokens (standardize.ts) or rows (vectorization.ts).

import { show, UnreelError } from "../../errors.js";
import { logarithm } from "../../numerics.js";

/** Keras' mask token ('int' mode: id 0, elsewhere dropped) and its out-of-vocabulary token. */
export const MASK = "";
export const OOV = "[UNK]";

interface Count {
  occurrences: number;
  /** Texts the token occurs in, and the last of them. */
  documents: number;
  last: number;
}

/** A corpus' counts so far. Memory grows with distinct tokens, not with texts. */
export class TokenCounts {
  texts = 0;
  private readonly counts = new Map<string, Count>();

  add(tokens: readonly string[]): void {
    this.texts++;
    for (const token of tokens) {
      const count = this.counts.get(token);
      if (count === undefined) {
        this.counts.set(detached(token), { occurrences: 1, documents: 1, last: this.texts });
        continue;
      }
      count.occurrences++;
      if (count.last !== this.texts) {
        count.last = this.texts;
        count.documents++;
      }
    }
  }

  /** Most frequent first; equal counts by the tokens' UTF-8 bytes, highest first, as Keras' reversed lexsort leaves them. */
  ranked(limit = Number.POSITIVE_INFINITY): string[] {
    const entries = [...this.counts].filter(([token]) => token !== MASK && token !== OOV);
    entries.sort(([a, x], [b, y]) => y.occurrences - x.occurrences || byCodePoint(b, a));
    return entries.slice(0, limit).map(([token]) => token);
  }

  /** log(1 + texts / (1 + texts with the token)) of each token, equal in every engine. */
  inverseDocumentFrequencies(tokens: readonly string[]): number[] {
    return tokens.map((token) => logarithm(1 + this.texts / (1 + (this.counts.get(token)?.documents ?? 0))));
  }
}

/**
 * The same string with storage of its own. V8 lets a long token point into the text it was cut from, so a vocabulary of
 * such tokens would keep the whole corpus in memory; a property name is always stored by itself.
 */
function detached(token: string): string {
  return token.length < 13 ? token : Object.keys({ [token]: 0 })[0];
}

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

/**
 * A vocabulary given by the user, checked and without its leading special tokens. `special` is what Keras would put
 * there: ['', '[UNK]'] in 'int' mode, ['[UNK]'] elsewhere.
 */
export function checkedVocabulary(given: unknown, special: readonly string[], maxTokens: number | null) {
  const operation = "TextVectorization: vocabulary";
  if (!Array.isArray(given) || given.length === 0) {
    const got = Array.isArray(given) ? "an empty list" : show(given);
    throw new UnreelError({ operation, expected: "a list of at least one token", got });
  }
  const all = given.map((token: unknown, place) => {
    if (typeof token === "string") return token.normalize("NFC");
    throw new UnreelError({
      operation,
      expected: "tokens (strings)",
      got: `${show(token)} at place ${place}`,
    });
  });
  const hasSpecial = special.every((token, place) => all[place] === token);
  const tokens = hasSpecial ? all.slice(special.length) : all;
  const seen = new Set<string>();
  for (const token of tokens) {
    if (seen.has(token)) {
      throw new UnreelError({ operation, expected: "each token once", got: `${show(token)} twice` });
    }
    seen.add(token);
  }
  if (seen.has(MASK)) {
    throw new UnreelError({
      operation,
      expected: `the padding token '' only at the start, as in ${show([...special])}`,
      got: `'' at place ${all.lastIndexOf(MASK)}`,
      hint: "The special tokens may be left out: they are added.",
    });
  }
  const size = tokens.length + special.length;
  if (maxTokens !== null && size > maxTokens) {
    throw new UnreelError({
      operation,
      expected: `at most maxTokens = ${maxTokens} tokens, ${special.length} special ones included`,
      got: `${size}`,
    });
  }
  return { tokens, hasSpecial };
}
