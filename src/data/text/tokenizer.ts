// Keras' Tokenizer (keras.preprocessing.text of Keras 2, kept in Keras 3 for old programs): word index, sequences and matrices.
// Not here: how a text is cut into words (words.ts), JSON as Python writes it (tokenizerJson.ts).
import { positiveInteger, show, suggestion, UnreelError } from "../../errors.js";
import { readOptions } from "../../layers/options.js";
import { logarithm } from "../../numerics.js";
import { Tensor } from "../../tensor.js";
import { readTokenizer, type TokenizerState, writeTokenizer } from "./tokenizerJson.js";
import { FILTERS, type HashingOptions, wordCutter } from "./words.js";

export interface TokenizerOptions extends HashingOptions {
  /** Only the `numWords - 1` most frequent words get ids in sequences; null: all. */
  numWords?: number | null;
  /** Each character is a token. Default false. */
  charLevel?: boolean;
  /** Stands for unknown words, as id 1; null: they are left out. */
  oovToken?: string | null;
}

/** A text, or one that is cut into tokens already. */
export type TokenizerText = string | readonly string[];
export type MatrixMode = "binary" | "count" | "tfidf" | "freq";
const MODES: readonly MatrixMode[] = ["binary", "count", "tfidf", "freq"];

/** https://www.tensorflow.org/api_docs/python/tf/keras/preprocessing/text/Tokenizer. `TextVectorization` is its successor. */
export class Tokenizer {
  readonly options: Required<TokenizerOptions>;
  /** How often each word was seen, in the order of first sight. */
  wordCounts = new Map<string, number>();
  /** In how many texts each word was seen. */
  wordDocs = new Map<string, number>();
  /** The same by id. */
  indexDocs = new Map<number, number>();
  /** Ids by word, from 1, most frequent first: all words, whatever numWords. */
  wordIndex = new Map<string, number>();
  indexWord = new Map<number, string>();
  documentCount = 0;
  readonly #cut: (text: string) => string[];

  constructor(options: TokenizerOptions = {}) {
    const read = readOptions<Required<TokenizerOptions>>("Tokenizer", options, {
      numWords: null,
      filters: FILTERS,
      lower: true,
      split: " ",
      charLevel: false,
      oovToken: null,
      analyzer: null,
    });
    const { numWords, filters, lower, split, charLevel, oovToken, analyzer } = read;
    if (numWords !== null) positiveInteger("Tokenizer: numWords", numWords);
    if (oovToken !== null && typeof oovToken !== "string") {
      throw new UnreelError({
        operation: "Tokenizer: oovToken",
        expected: "a token (string)",
        got: show(oovToken),
      });
    }
    if (analyzer !== null && typeof analyzer !== "function") {
      const expected = "a function from a text to its words";
      throw new UnreelError({ operation: "Tokenizer: analyzer", expected, got: show(analyzer) });
    }
    const cut = wordCutter("Tokenizer", { filters, lower, split });
    this.options = read;
    // Python counts code points, not halves of them.
    this.#cut = charLevel
      ? (text) => Array.from(lower ? text.toLowerCase() : text)
      : analyzer === null
        ? cut
        : (text) => checkedWords(analyzer(text));
  }

  /** Counts the words of texts and gives them ids; may be called again with more. Async iterables make it a promise. */
  fitOnTexts(texts: Iterable<TokenizerText>): this;
  fitOnTexts(texts: AsyncIterable<TokenizerText>): Promise<this>;
  fitOnTexts(texts: Iterable<TokenizerText> | AsyncIterable<TokenizerText>): this | Promise<this> {
    const operation = "Tokenizer.fitOnTexts";
    const before = this.documentCount;
    if (typeof texts === "object" && texts !== null) {
      if (Symbol.iterator in texts) {
        for (const text of texts) this.#count(this.#tokens(operation, text, this.documentCount - before));
        return this.#rank(before);
      }
      if (Symbol.asyncIterator in texts) return this.#fitAsync(texts, before);
    }
    throw notTexts(operation, texts);
  }

  async #fitAsync(texts: AsyncIterable<TokenizerText>, before: number): Promise<this> {
    for await (const text of texts) {
      this.#count(this.#tokens("Tokenizer.fitOnTexts", text, this.documentCount - before));
    }
    return this.#rank(before);
  }

  #count(tokens: readonly string[]): void {
    this.documentCount++;
    for (const token of tokens) this.wordCounts.set(token, (this.wordCounts.get(token) ?? 0) + 1);
    for (const token of new Set(tokens)) this.wordDocs.set(token, (this.wordDocs.get(token) ?? 0) + 1);
  }

  /** Most frequent first; equal counts in the order of first sight. */
  #rank(before: number): this {
    if (this.documentCount === before || this.wordCounts.size === 0) {
      throw new UnreelError({
        operation: "Tokenizer.fitOnTexts",
        expected: "at least one word",
        got: this.documentCount === before ? "no texts" : `none in ${this.documentCount} texts`,
        hint: "An iterator that was read before is empty.",
      });
    }
    const { oovToken } = this.options;
    const words = [...this.wordCounts].sort(([, a], [, b]) => b - a).map(([word]) => word);
    this.wordIndex = new Map();
    // As Python's dict: the last place of a word counts, the first place in order.
    [...(oovToken === null ? [] : [oovToken]), ...words].forEach((word, place) => {
      this.wordIndex.set(word, place + 1);
    });
    this.indexWord = new Map([...this.wordIndex].map(([word, id]) => [id, word]));
    for (const [word, count] of this.wordDocs) this.indexDocs.set(this.wordIndex.get(word)!, count);
    return this;
  }

  /** Counts documents of ids, for 'tfidf' without texts. */
  fitOnSequences(sequences: Iterable<ArrayLike<number>>): this {
    const rows = checkedSequences("Tokenizer.fitOnSequences", sequences);
    this.documentCount += rows.length;
    for (const row of rows) {
      for (const id of new Set(Array.from(row))) this.indexDocs.set(id, (this.indexDocs.get(id) ?? 0) + 1);
    }
    return this;
  }

  /** The ids of each text; unknown words (and those beyond numWords) are left out, or are the oovToken. */
  textsToSequences(texts: Iterable<TokenizerText>): number[][] {
    return [...this.textsToSequencesGenerator(texts)];
  }

  *textsToSequencesGenerator(texts: Iterable<TokenizerText>): Generator<number[]> {
    const operation = "Tokenizer.textsToSequences";
    if (typeof texts !== "object" || texts === null || !(Symbol.iterator in texts))
      throw notTexts(operation, texts);
    this.#checkFitted(operation);
    const { numWords, oovToken } = this.options;
    const unknown = oovToken === null ? undefined : this.wordIndex.get(oovToken);
    let row = 0;
    for (const text of texts) {
      const ids: number[] = [];
      for (const token of this.#tokens(operation, text, row++)) {
        const found = this.wordIndex.get(token);
        const id = found !== undefined && (numWords === null || found < numWords) ? found : unknown;
        if (id !== undefined) ids.push(id);
      }
      yield ids;
    }
  }

  /** The words of ids, joined by a blank. */
  sequencesToTexts(sequences: Iterable<ArrayLike<number>>): string[] {
    const operation = "Tokenizer.sequencesToTexts";
    const rows = checkedSequences(operation, sequences);
    this.#checkFitted(operation);
    const { numWords, oovToken } = this.options;
    return rows.map((row) => {
      const words: string[] = [];
      for (const id of Array.from(row)) {
        const found = numWords === null || id < numWords ? this.indexWord.get(id) : undefined;
        const word = found ?? oovToken;
        if (word !== null) words.push(word);
      }
      return words.join(" ");
    });
  }

  /** One row a text, float32 [texts, numWords or words + 1]: see `sequencesToMatrix`. */
  textsToMatrix(texts: Iterable<TokenizerText>, mode: MatrixMode = "binary"): Tensor {
    return this.sequencesToMatrix(this.textsToSequences(texts), mode);
  }

  /**
   * One row a sequence: 1 where an id occurs ('binary', the default), how often ('count'), how often for each id of the
   * sequence ('freq'), or (1 + ln count) · ln(1 + texts / (1 + texts with the id)) ('tfidf').
   */
  sequencesToMatrix(sequences: Iterable<ArrayLike<number>>, mode: MatrixMode = "binary"): Tensor {
    const operation = "Tokenizer.sequencesToMatrix";
    const rows = checkedSequences(operation, sequences);
    if (!MODES.includes(mode)) {
      throw new UnreelError({
        operation: `${operation}: mode`,
        expected: MODES.map((known) => `'${known}'`).join(", "),
        got: show(mode),
        hint: typeof mode === "string" ? suggestion(mode, MODES) : undefined,
      });
    }
    const width = this.options.numWords ?? (this.wordIndex.size > 0 ? this.wordIndex.size + 1 : 0);
    if (width === 0 || (mode === "tfidf" && this.documentCount === 0)) {
      const expected =
        mode === "tfidf" ? "a tokenizer that was fitted" : "numWords, or a tokenizer that was fitted";
      const hint = "Call fitOnTexts first.";
      throw new UnreelError({ operation, expected, got: "neither", hint });
    }
    const data = new Float32Array(rows.length * width);
    rows.forEach((row, r) => {
      const counts = new Map<number, number>();
      for (const id of Array.from(row)) if (id < width) counts.set(id, (counts.get(id) ?? 0) + 1);
      for (const [id, count] of counts) data[r * width + id] = this.#value(mode, id, count, row.length);
    });
    return new Tensor(data, [rows.length, width]);
  }

  #value(mode: MatrixMode, id: number, count: number, length: number): number {
    if (mode === "count") return count;
    if (mode === "binary") return 1;
    if (mode === "freq") return count / length;
    const documents = this.documentCount / (1 + (this.indexDocs.get(id) ?? 0));
    return (1 + logarithm(count)) * logarithm(1 + documents);
  }

  /** JSON with the bytes that Keras' `to_json` writes: `tokenizer_from_json` reads it. An analyzer is not kept, as in Keras. */
  toJson(): string {
    return writeTokenizer(this.options, this);
  }

  /** What `JSON.stringify` keeps of it: the text of `toJson`, read. */
  toJSON(): unknown {
    return JSON.parse(this.toJson());
  }

  /** A tokenizer from what `toJson`, or Keras' `to_json`, wrote. */
  static fromJson(json: string): Tokenizer {
    const { options, state } = readTokenizer(json);
    return Object.assign(new Tokenizer(options), state satisfies TokenizerState);
  }

  /** The same, from `toJSON`'s object too. */
  static fromJSON(json: unknown): Tokenizer {
    return Tokenizer.fromJson(json as string);
  }

  #tokens(operation: string, text: unknown, row: number): readonly string[] {
    if (typeof text === "string") return this.#cut(text);
    if (Array.isArray(text) && text.every((token) => typeof token === "string")) {
      return this.options.lower ? text.map((token) => token.toLowerCase()) : text;
    }
    throw new UnreelError({
      operation,
      expected: "texts (strings, or lists of tokens)",
      got: `${show(text)} in row ${row}`,
    });
  }

  #checkFitted(operation: string): void {
    if (this.wordIndex.size > 0) return;
    const hint = "Call fitOnTexts first.";
    throw new UnreelError({
      operation,
      expected: "a tokenizer that was fitted",
      got: "one without words",
      hint,
    });
  }
}

function notTexts(operation: string, texts: unknown): UnreelError {
  const hint = typeof texts === "string" ? "Put a single text into a list: [text]." : undefined;
  return new UnreelError({ operation, expected: "texts, iterable", got: show(texts), hint });
}

function checkedWords(words: unknown): string[] {
  if (Array.isArray(words) && words.every((word) => typeof word === "string")) return words;
  const expected = "the function to return an array of strings";
  throw new UnreelError({ operation: "Tokenizer: analyzer", expected, got: show(words) });
}

function checkedSequences(operation: string, sequences: unknown): ArrayLike<number>[] {
  const isIterable = typeof sequences === "object" && sequences !== null && Symbol.iterator in sequences;
  if (!isIterable) {
    throw new UnreelError({ operation, expected: "a list of sequences of ids", got: show(sequences) });
  }
  return Array.from(sequences as Iterable<ArrayLike<number>>, (row, r) => {
    const wrong =
      Array.isArray(row) || ArrayBuffer.isView(row)
        ? Array.from(row as ArrayLike<number>).findIndex((id) => !Number.isSafeInteger(id) || id < 0)
        : 0;
    if ((Array.isArray(row) || ArrayBuffer.isView(row)) && wrong < 0) return row;
    const got = typeof row === "object" && row !== null ? show(row[wrong]) : show(row);
    throw new UnreelError({ operation, expected: "ids: integers, 0 or more", got: `${got} in row ${r}` });
  });
}
