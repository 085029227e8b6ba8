// TextVectorization: texts to rows of ids, or to multi-hot, count or tf-idf rows, with Keras 3's options and results.
// Not a layer: it runs on the host, before the model. Not here: tokens (standardize.ts), counting (vocabulary.ts).

import { positiveInteger, show, suggestion, UnreelError } from "../../errors.js";
import { readOptions } from "../../layers/options.js";
import { Tensor } from "../../tensor.js";
import { type Split, type Standardize, tokenizer } from "./standardize.js";
import { checkedVocabulary, MASK, OOV, TokenCounts } from "./vocabulary.js";

const MODES = ["int", "multiHot", "count", "tfIdf"] as const;
export type OutputMode = (typeof MODES)[number];

export interface TextVectorizationOptions {
  /** Largest vocabulary, special tokens included; null: no limit. */
  maxTokens?: number | null;
  /** What is done to each text first. ASCII only, as in Keras. Default 'lower_and_strip_punctuation'. */
  standardize?: Standardize;
  /** How a text is cut into tokens; null: each text is one token. Default 'whitespace'. */
  split?: Split;
  /** n: groups of 1..n tokens; a list: groups of exactly these widths; null: tokens alone. */
  ngrams?: number | readonly number[] | null;
  /** 'int' (default): ids. Else one row as wide as the vocabulary; 'multi_hot' and 'tf_idf' are understood too. */
  outputMode?: OutputMode | "multi_hot" | "tf_idf";
  /** 'int' only: every row is cut or padded at its end to this length; null: the longest text of the call. */
  outputSequenceLength?: number | null;
  /** Not for 'int': rows are maxTokens wide even when the vocabulary is smaller. */
  padToMaxTokens?: boolean;
  /** Tokens in order of id, with or without the special ones, instead of `adapt`. */
  vocabulary?: readonly string[] | null;
  /** 'tfIdf' with a vocabulary: one weight for each of its entries. */
  idfWeights?: ArrayLike<number> | null;
}

/** Keras 3's `TextVectorization` (https://keras.io/api/layers/preprocessing_layers/text/text_vectorization/). */
export class TextVectorization {
  private readonly mode: OutputMode;
  private readonly maxTokens: number | null;
  private readonly length: number | null;
  private readonly padded: boolean;
  private readonly wholeTexts: boolean;
  private readonly tokens: (text: unknown, row: number) => string[];
  private readonly special: readonly string[];
  private readonly fixed: boolean;
  private words: string[] = [];
  private ids: Map<string, number> | undefined;
  private idf: number[] = [];

  constructor(given: TextVectorizationOptions = {}) {
    const options = readOptions<TextVectorizationOptions>("TextVectorization", given, {
      maxTokens: undefined,
      standardize: undefined,
      split: undefined,
      ngrams: undefined,
      outputMode: undefined,
      outputSequenceLength: undefined,
      padToMaxTokens: undefined,
      vocabulary: undefined,
      idfWeights: undefined,
    });
    const { standardize = "lower_and_strip_punctuation", split = "whitespace", ngrams = null } = options;
    this.mode = outputMode(options.outputMode ?? "int");
    this.special = this.mode === "int" ? [MASK, OOV] : [OOV];
    this.padded = options.padToMaxTokens ?? false;
    this.maxTokens = options.maxTokens ?? null;
    if (this.maxTokens !== null || this.padded) {
      const hint = this.padded
        ? "padToMaxTokens needs it."
        : `${this.special.length} places are for special tokens.`;
      positiveInteger("TextVectorization: maxTokens", this.maxTokens, hint);
      if (this.maxTokens! <= this.special.length) {
        const expected = `more than the ${this.special.length} special tokens`;
        throw new UnreelError({
          operation: "TextVectorization: maxTokens",
          expected,
          got: show(this.maxTokens),
          hint,
        });
      }
    }
    this.length = options.outputSequenceLength ?? null;
    if (this.length !== null) {
      positiveInteger("TextVectorization: outputSequenceLength", this.length);
      if (this.mode !== "int") {
        throw new UnreelError({
          operation: "TextVectorization: outputSequenceLength",
          expected: `none with outputMode '${this.mode}'`,
          got: show(this.length),
          hint: "Only outputMode 'int' gives sequences.",
        });
      }
    }
    this.tokens = tokenizer(standardize, split, ngrams);
    this.wholeTexts = split === null;
    this.fixed = options.vocabulary != null;
    if (options.vocabulary != null) this.setVocabulary(options.vocabulary, options.idfWeights);
    else if (options.idfWeights != null) {
      const operation = "TextVectorization: idfWeights";
      throw new UnreelError({ operation, expected: "a vocabulary they belong to", got: "none" });
    }
  }

  /**
   * Learns the vocabulary (and the idf weights) from texts, reading them once; earlier learning is forgotten.
   * An async iterable makes it a promise. Returns itself.
   */
  adapt(texts: Iterable<string>): this;
  adapt(texts: AsyncIterable<string>): Promise<this>;
  adapt(texts: Iterable<string> | AsyncIterable<string>): this | Promise<this> {
    const operation = "TextVectorization.adapt";
    if (this.fixed) {
      throw new UnreelError({
        operation,
        expected: "a TextVectorization without a vocabulary",
        got: "one made with the option vocabulary",
        hint: "Leave the option out to learn it from texts.",
      });
    }
    const counts = new TokenCounts();
    if (typeof texts === "object" && texts !== null) {
      if (Symbol.iterator in texts) {
        for (const text of texts) counts.add(this.tokens(text, counts.texts));
        return this.learn(counts);
      }
      if (Symbol.asyncIterator in texts) return this.adaptAsync(texts, counts);
    }
    const hint = typeof texts === "string" ? "Put a single text into a list: [text]." : undefined;
    throw new UnreelError({
      operation,
      expected: "texts, iterable or async iterable",
      got: show(texts),
      hint,
    });
  }

  /**
   * Ids (int32) or encoded rows (float32) of texts; the vocabulary must be known.
   * A list of N texts gives [N, tokens] in 'int' mode and [N, vocabulary] elsewhere, one text the same without N.
   * With `split: null` a list counts as a column, as in `adapt`: [N, 1].
   */
  apply(texts: string | readonly string[]): Tensor {
    const single = typeof texts === "string";
    if (!single && !Array.isArray(texts)) {
      const expected = "a text or a list of texts";
      throw new UnreelError({ operation: "TextVectorization.apply", expected, got: show(texts) });
    }
    if (!this.ids) {
      throw new UnreelError({
        operation: "TextVectorization.apply",
        expected: "a known vocabulary",
        got: "none yet",
        hint: "Call adapt(texts) first, or give the option vocabulary.",
      });
    }
    const rows = (single ? [texts] : texts).map(this.tokens);
    const out = this.mode === "int" ? this.sequences(rows, this.ids) : this.bags(rows, this.ids);
    return single ? new Tensor(out.data, [out.shape[1]]) : out;
  }

  /** The tokens by id. In 'int' mode the first two are '' (padding) and '[UNK]'; elsewhere the first is '[UNK]'. */
  getVocabulary({ includeSpecialTokens = true }: { includeSpecialTokens?: boolean } = {}): string[] {
    return includeSpecialTokens ? [...this.special, ...this.words] : [...this.words];
  }

  /** Number of ids, special tokens included: the `inputDim` of an embedding. */
  vocabularySize(): number {
    return this.words.length + this.special.length;
  }

  /** The idf weight of each id in 'tfIdf' mode, as `idfWeights` takes them next to `getVocabulary()`. */
  getIdfWeights(): number[] {
    return [...this.idf];
  }

  /** Replaces the vocabulary; `idfWeights` are needed in 'tfIdf' mode and wrong elsewhere. */
  setVocabulary(vocabulary: readonly string[], idfWeights?: ArrayLike<number> | null): void {
    const { tokens, hasSpecial } = checkedVocabulary(vocabulary, this.special, this.maxTokens);
    const operation = "TextVectorization: idfWeights";
    if (this.mode !== "tfIdf" && idfWeights != null) {
      throw new UnreelError({
        operation,
        expected: `none with outputMode '${this.mode}'`,
        got: show(idfWeights),
      });
    }
    if (this.mode === "tfIdf" && idfWeights?.length !== vocabulary.length) {
      const got = idfWeights == null ? "none" : `${idfWeights.length}`;
      throw new UnreelError({ operation, expected: `${vocabulary.length} weights, one for each token`, got });
    }
    const weights = Array.from(idfWeights ?? []);
    this.install(tokens, hasSpecial || weights.length === 0 ? weights : [mean(weights), ...weights]);
  }

  private async adaptAsync(texts: AsyncIterable<string>, counts: TokenCounts): Promise<this> {
    for await (const text of texts) counts.add(this.tokens(text, counts.texts));
    return this.learn(counts);
  }

  private learn(counts: TokenCounts): this {
    const words = counts.ranked(this.maxTokens === null ? undefined : this.maxTokens - this.special.length);
    if (words.length === 0) {
      throw new UnreelError({
        operation: "TextVectorization.adapt",
        expected: "at least one token",
        got: counts.texts === 0 ? "no texts" : `none in ${counts.texts} texts`,
        hint:
          counts.texts === 0
            ? "An iterator that was read before is empty."
            : "Look at standardize and split.",
      });
    }
    const idf = this.mode === "tfIdf" ? counts.inverseDocumentFrequencies(words).map(Math.fround) : [];
    this.install(words, idf.length === 0 ? idf : [mean(idf), ...idf]);
    return this;
  }

  private install(words: string[], idf: number[]): void {
    this.words = words;
    this.idf = idf.map(Math.fround);
    this.ids = new Map(words.map((word, place) => [word, place + this.special.length]));
    // The padding token is no word: id 0 in 'int' mode; encoded rows drop it.
    this.ids.set(MASK, this.mode === "int" ? 0 : -1);
  }

  /** [rows, length]: ids, cut or padded with 0 at the end. */
  private sequences(rows: string[][], ids: Map<string, number>): Tensor {
    const length =
      this.length ?? rows.reduce((most, row) => Math.max(most, row.length), this.wholeTexts ? 1 : 0);
    const data = new Int32Array(rows.length * length);
    const unknown = this.special.indexOf(OOV);
    rows.forEach((row, r) => {
      const end = Math.min(row.length, length);
      for (let t = 0; t < end; t++) data[r * length + t] = ids.get(row[t]) ?? unknown;
    });
    return new Tensor(data, [rows.length, length]);
  }

  /** [rows, vocabulary]: 1 where a token occurs, or how often, or that times its idf weight. */
  private bags(rows: string[][], ids: Map<string, number>): Tensor {
    const width = this.padded ? this.maxTokens! : this.vocabularySize();
    const data = new Float32Array(rows.length * width);
    rows.forEach((row, r) => {
      for (const token of row) {
        const id = ids.get(token) ?? 0;
        if (id >= 0) data[r * width + id] = this.mode === "multiHot" ? 1 : data[r * width + id] + 1;
      }
    });
    if (this.mode === "tfIdf") {
      for (let i = 0; i < data.length; i++) data[i] *= this.idf[i % width] ?? 0;
    }
    return new Tensor(data, [rows.length, width]);
  }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The mode under its Keras or its camelCase name. */
function outputMode(name: string): OutputMode {
  const mode = MODES.find(
    (known) => known === name || known.replace(/[A-Z]/, (c) => `_${c.toLowerCase()}`) === name,
  );
  if (mode) return mode;
  throw new UnreelError({
    operation: "TextVectorization: outputMode",
    expected: MODES.map((known) => `'${known}'`).join(", "),
    got: show(name),
    hint: typeof name === "string" ? suggestion(name, MODES) : undefined,
  });
}
