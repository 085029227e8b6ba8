// What Keras does to lists of word ids when it loads them: order, start, unknown words, lengths.
import { inRange, show, UnreelError } from "../../errors.js";
import type { MersenneTwister } from "../mersenneTwister.js";
import type { FileOptions } from "./file.js";

export interface WordIdOptions extends FileOptions {
  /** Only ids below this are kept; null: all below the greatest. */
  numWords?: number | null;
  /** The most frequent words to leave out. Default 0. */
  skipTop?: number;
  /** Only texts shorter than this are kept; null: all. */
  maxlen?: number | null;
  /** Of the order, NumPy's. Default 113. */
  seed?: number;
  /** Stands at the start of each text; null: nothing. Default 1. */
  startChar?: number | null;
  /** In the place of words that are left out; null: nothing. Default 2. */
  oovChar?: number | null;
  /** Added to every id. Default 3. */
  indexFrom?: number;
}

export interface Labelled {
  readonly x: Int32Array[];
  readonly y: Int32Array;
}

export const WORD_ID_OPTIONS = {
  numWords: null as number | null,
  skipTop: 0,
  maxlen: null as number | null,
  seed: 113,
  startChar: undefined as unknown as number | null,
  oovChar: undefined as unknown as number | null,
  indexFrom: 3,
};

type Read = typeof WORD_ID_OPTIONS;

export function checkWordIdOptions(operation: string, options: Read): void {
  options.startChar = options.startChar === undefined ? 1 : options.startChar;
  options.oovChar = options.oovChar === undefined ? 2 : options.oovChar;
  const { numWords, skipTop, maxlen, seed, startChar, oovChar, indexFrom } = options;
  const numbers = { numWords, skipTop, maxlen, startChar, oovChar, indexFrom };
  for (const [name, value] of Object.entries(numbers)) {
    if (value === null) continue;
    const least = name === "numWords" || name === "maxlen" ? 1 : 0;
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= least) continue;
    const expected = `an integer, ${least} or more`;
    throw new UnreelError({ operation: `${operation}: ${name}`, expected, got: show(value) });
  }
  inRange(`${operation}: seed`, seed, 0, 2 ** 32);
  if (!Number.isInteger(seed)) {
    throw new UnreelError({ operation: `${operation}: seed`, expected: "an integer", got: show(seed) });
  }
}

/** In NumPy's order. One state orders all parts of a data set, one after the other. */
export function reordered(random: MersenneTwister, { x, y }: Labelled): Labelled {
  const order = random.order(x.length);
  return { x: Array.from(order, (i) => x[i]), y: Int32Array.from(order, (i) => y[i]) };
}

/** With a start, shifted, and none that is too long. */
export function begun(
  operation: string,
  { x, y }: Labelled,
  { startChar, indexFrom, maxlen }: Read,
): Labelled {
  const skip = startChar === null ? 0 : 1;
  const rows = x.map((ids) => {
    const out = new Int32Array(ids.length + skip);
    if (startChar !== null) out[0] = startChar;
    for (let i = 0; i < ids.length; i++) out[i + skip] = ids[i] + indexFrom;
    return out;
  });
  if (maxlen === null) return { x: rows, y };
  const kept = rows.flatMap((row, i) => (row.length < maxlen ? [i] : []));
  if (kept.length === 0) {
    const shortest = rows.reduce((least, row) => Math.min(least, row.length), Number.POSITIVE_INFINITY);
    const expected = `more than ${shortest}, the length of the shortest text`;
    throw new UnreelError({ operation: `${operation}: maxlen`, expected, got: String(maxlen) });
  }
  return { x: kept.map((i) => rows[i]), y: Int32Array.from(kept, (i) => y[i]) };
}

/** Words outside of skipTop and numWords replaced, or left out. As in Keras, without numWords the greatest id is one of them. */
export function known(parts: readonly Labelled[], { numWords, skipTop, oovChar }: Read): Labelled[] {
  let limit = numWords ?? 0;
  if (numWords === null)
    for (const { x } of parts) for (const row of x) for (const id of row) limit = Math.max(limit, id);
  const isKnown = (id: number) => id >= skipTop && id < limit;
  return parts.map(({ x, y }) => ({
    x: x.map((row) =>
      oovChar === null ? row.filter(isKnown) : row.map((id) => (isKnown(id) ? id : oovChar)),
    ),
    y,
  }));
}

/** What `np.load` should have found. */
export function labelled(operation: string, file: string, x: unknown, y: unknown): Labelled {
  const labels = typeof y === "object" && y !== null && "data" in y ? y.data : undefined;
  if (Array.isArray(x) && labels instanceof Int32Array && labels.length === x.length) return { x, y: labels };
  const expected = `${file}: lists of ids and as many integers as labels`;
  const got = Array.isArray(x) ? `${x.length} lists` : "no lists";
  throw new UnreelError({ operation, expected, got });
}

/** The word index of a data set: a JSON object of words and ids. */
export function wordIndexOf(operation: string, file: string, text: string): Map<string, number> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UnreelError({ operation, expected: `${file}: JSON`, got: (error as Error).message });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new UnreelError({ operation, expected: `${file}: an object of words and ids`, got: show(value) });
  }
  const wrong = Object.entries(value).find(([, id]) => !Number.isSafeInteger(id));
  if (wrong) {
    throw new UnreelError({
      operation,
      expected: `${file}: integers as ids`,
      got: `${show(wrong[1])} for ${show(wrong[0])}`,
    });
  }
  return new Map(Object.entries(value));
}
