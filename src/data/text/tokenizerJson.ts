// The tokenizer's JSON as Python's json module writes it: tables inside are texts of JSON themselves, non-ASCII is escaped.
import { isPlain, show, UnreelError } from "../../errors.js";
import type { TokenizerOptions } from "./tokenizer.js";

export interface TokenizerState {
  wordCounts: Map<string, number>;
  wordDocs: Map<string, number>;
  indexDocs: Map<number, number>;
  wordIndex: Map<string, number>;
  indexWord: Map<number, string>;
  documentCount: number;
}

const OPERATION = "Tokenizer.fromJson";

export function writeTokenizer(options: TokenizerOptions, state: TokenizerState): string {
  const config = {
    num_words: options.numWords,
    filters: options.filters,
    lower: options.lower,
    split: options.split,
    char_level: options.charLevel,
    oov_token: options.oovToken,
    document_count: state.documentCount,
    word_counts: dumps(state.wordCounts),
    word_docs: dumps(state.wordDocs),
    index_docs: dumps(state.indexDocs),
    index_word: dumps(state.indexWord),
    word_index: dumps(state.wordIndex),
  };
  return `{"class_name": "Tokenizer", "config": ${dumps(Object.entries(config))}}`;
}

/** json.dumps of a dict with its default separators. */
function dumps(entries: Iterable<readonly [string | number, unknown]>): string {
  return `{${Array.from(entries, ([key, value]) => `${ascii(String(key))}: ${ascii(value)}`).join(", ")}}`;
}

function ascii(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

export function readTokenizer(json: unknown): { options: TokenizerOptions; state: TokenizerState } {
  const outer = isPlain(json) ? json : parsed(json, "");
  const config = outer.config as Record<string, unknown> | undefined;
  if (outer.class_name !== "Tokenizer" || typeof config !== "object" || config === null) {
    throw new UnreelError({
      operation: OPERATION,
      expected: "the JSON of a Tokenizer: class_name and config",
      got: `class_name ${show(outer.class_name)}`,
    });
  }
  const { num_words, filters, lower, split, char_level, oov_token, document_count } = config;
  if (!Number.isSafeInteger(document_count) || (document_count as number) < 0) {
    const expected = "an integer, 0 or more";
    throw new UnreelError({
      operation: `${OPERATION}: document_count`,
      expected,
      got: show(document_count),
    });
  }
  const ids = (name: string, table: Map<string, unknown>) =>
    new Map(Array.from(table, ([key, value]) => [checkedCount(`${name}, key ${key}`, Number(key)), value]));
  const words = [...ids("index_word", entries(config, "index_word"))].map(([id, word]) => {
    if (typeof word === "string") return [id, word] as const;
    const operation = `${OPERATION}: index_word`;
    throw new UnreelError({ operation, expected: "words (strings)", got: show(word) });
  });
  return {
    options: {
      numWords: num_words,
      filters,
      lower,
      split,
      charLevel: char_level,
      oovToken: oov_token,
    } as TokenizerOptions,
    state: {
      wordCounts: counts(config, "word_counts"),
      wordDocs: counts(config, "word_docs"),
      indexDocs: ids("index_docs", counts(config, "index_docs")) as Map<number, number>,
      wordIndex: counts(config, "word_index"),
      indexWord: new Map(words),
      documentCount: document_count as number,
    },
  };
}

function counts(config: Record<string, unknown>, name: string): Map<string, number> {
  const table = entries(config, name);
  for (const [key, value] of table) checkedCount(`${name}, ${show(key)}`, value);
  return table as Map<string, number>;
}

function checkedCount(where: string, value: unknown): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  const operation = `${OPERATION}: ${where}`;
  throw new UnreelError({ operation, expected: "an integer, 0 or more", got: show(value) });
}

/** A table in the order it was written in: objects of JavaScript would put words like '2013' first. */
function entries(config: Record<string, unknown>, name: string): Map<string, unknown> {
  const text = config[name];
  parsed(text, `: ${name}`);
  const pairs = (text as string).matchAll(/("(?:[^"\\]|\\.)*")\s*:\s*("(?:[^"\\]|\\.)*"|[^,}\s]+)/g);
  return new Map(
    Array.from(pairs, ([, key, value]) => [JSON.parse(key) as string, JSON.parse(value) as unknown]),
  );
}

function parsed(json: unknown, where: string): Record<string, unknown> {
  const operation = `${OPERATION}${where}`;
  if (typeof json !== "string") {
    throw new UnreelError({ operation, expected: "a text of JSON", got: show(json) });
  }
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw new UnreelError({ operation, expected: "JSON", got: (error as Error).message });
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw new UnreelError({ operation, expected: "an object of JSON", got: show(value) });
}
