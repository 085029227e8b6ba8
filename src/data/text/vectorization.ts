// TextVectorization: texts to rows of ids, or to multi-hot, count or tf-idf rows, with Keras 3's options and results.
// Not a layer: it runs on the host, before the model. Not here: tokens (standardize.ts), ids (../preprocessing/indexLookup.ts).
import { positiveInteger, show, suggestion, UnreelError } from "../../errors.js";
import { camelCase, readOptions } from "../../layers/options.js";
import { Tensor } from "../../tensor.js";
import { IndexLookup, type VocabularyOptions } from "../preprocessing/indexLookup.js";
import { KeyCounts, TOKENS } from "../preprocessing/vocabulary.js";
import { plainOption, readSaved, type Saved } from "../saved.js";
import { type Split, type Standardize, tokenizer } from "./standardize.js";

const MODES = ["int", "multiHot", "count", "tfIdf"] as const;
export type OutputMode = (typeof MODES)[number];

/** Keras' mask token ('int' mode: id 0, elsewhere dropped) and its out-of-vocabulary token. */
const MASK = "";
const OOV = "[UNK]";

export interface TextVectorizationOptions {
  /** Largest vocabulary, special tokens included; null: no limit. */
  maxTokens?: number | null;
  /** What is done to each text first. ASCII only, as in Keras. Default 'lowerAndStripPunctuation'. */
  standardize?: Standardize;
  /** How a text is cut into tokens; null: each text is one token. Default 'whitespace'. 'words', 'graphemes' and 'jamo' are those
   * of `text.korean`. */
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
  /** Only false: rows are dense. */
  sparse?: false;
  /** Only false: `sequences` gives rows of their own lengths. */
  ragged?: false;
}

/** Texts, one by one or in batches. */
export type Texts = Iterable<string | readonly string[]> | AsyncIterable<string | readonly string[]>;

/** Keras 3's `TextVectorization` (https://keras.io/api/layers/preprocessing_layers/text/text_vectorization/). */
export class TextVectorization {
  readonly #options: Required<TextVectorizationOptions>;
  readonly #mode: OutputMode;
  readonly #length: number | null;
  readonly #tokens: (text: unknown, row: number) => string[];
  readonly #lookup: IndexLookup<string>;

  constructor(given: TextVectorizationOptions = {}) {
    const options = readOptions<Required<TextVectorizationOptions>>("TextVectorization", given, {
      maxTokens: null,
      standardize: "lowerAndStripPunctuation",
      split: "whitespace",
      ngrams: null,
      outputMode: "int",
      outputSequenceLength: null,
      padToMaxTokens: false,
      vocabulary: null,
      idfWeights: null,
      sparse: false,
      ragged: false,
    });
    const { standardize, split, ngrams, outputSequenceLength, maxTokens, padToMaxTokens } = options;
    refuseTrue("sparse", options.sparse, "Rows are dense tensors here.");
    refuseTrue(
      "ragged",
      options.ragged,
      "sequences(texts) gives one row of ids for each text, of its own length.",
    );
    this.#options = options;
    this.#mode = outputMode(options.outputMode);
    this.#length = outputSequenceLength;
    if (this.#length !== null) {
      positiveInteger("TextVectorization: outputSequenceLength", this.#length);
      if (this.#mode !== "int") {
        throw new UnreelError({
          operation: "TextVectorization: outputSequenceLength",
          expected: `none with outputMode '${this.#mode}'`,
          got: show(this.#length),
          hint: "Only outputMode 'int' gives sequences.",
        });
      }
    }
    this.#tokens = tokenizer(standardize, split, ngrams);
    this.#lookup = new IndexLookup("TextVectorization", TOKENS, {
      maxTokens,
      numOovIndices: 1,
      maskToken: MASK,
      oovToken: OOV,
      outputMode: this.#mode,
      padToMaxTokens,
      invert: false,
      vocabulary: options.vocabulary,
      idfWeights: options.idfWeights,
    });
  }

  /**
   * Learns the vocabulary (and the idf weights) from texts, reading them once; earlier learning is forgotten.
   * An element may also be a batch of texts. An async iterable, as a Dataset is, makes it a promise. Returns itself.
   */
  adapt(texts: Iterable<string | readonly string[]>): this;
  adapt(texts: AsyncIterable<string | readonly string[]>): Promise<this>;
  adapt(texts: Texts): this | Promise<this> {
    this.#lookup.checkAdaptable();
    const counts = new KeyCounts<string>();
    if (typeof texts === "object" && texts !== null) {
      if (Symbol.iterator in texts) {
        for (const text of texts) this.#count(text, counts);
        return this.#learn(counts);
      }
      if (Symbol.asyncIterator in texts) return this.#adaptAsync(texts, counts);
    }
    const hint = typeof texts === "string" ? "Put a single text into a list: [text]." : undefined;
    throw new UnreelError({
      operation: "TextVectorization.adapt",
      expected: "texts, iterable or async iterable",
      got: show(texts),
      hint,
    });
  }

  async #adaptAsync(
    texts: AsyncIterable<string | readonly string[]>,
    counts: KeyCounts<string>,
  ): Promise<this> {
    for await (const text of texts) this.#count(text, counts);
    return this.#learn(counts);
  }

  #count(text: unknown, counts: KeyCounts<string>): void {
    if (Array.isArray(text)) for (const each of text) counts.add(this.#tokens(each, counts.documents));
    else counts.add(this.#tokens(text, counts.documents));
  }

  #learn(counts: KeyCounts<string>): this {
    this.#lookup.learn(counts);
    return this;
  }

  /**
   * Ids (int32) or encoded rows (float32) of texts; the vocabulary must be known.
   * A list of N texts (or a column, [N][1]) gives [N, tokens] in 'int' mode and [N, vocabulary] elsewhere, one text the same
   * without N. With `split: null` a list counts as a column, as in `adapt`: [N, 1].
   */
  apply(texts: string | readonly string[] | readonly (readonly string[])[]): Tensor {
    const rows = this.#rows("TextVectorization.apply", texts);
    const out = this.#mode === "int" ? this.#padded(rows) : this.#bags(rows);
    return typeof texts === "string" ? new Tensor(out.data, [out.shape[1]]) : out;
  }

  /** The ids of each text ('int' mode), cut at `outputSequenceLength` but not padded: for buckets by length. */
  sequences(texts: readonly string[] | readonly (readonly string[])[]): Int32Array[] {
    const operation = "TextVectorization.sequences";
    if (this.#mode !== "int") {
      throw new UnreelError({ operation, expected: "outputMode 'int'", got: show(this.#mode) });
    }
    const rows = this.#rows(operation, texts);
    return rows.map((row) =>
      Int32Array.from(row.slice(0, this.#length ?? undefined), (token) => this.#lookup.id(token)),
    );
  }

  #rows(operation: string, texts: unknown): string[][] {
    const single = typeof texts === "string";
    if (!single && !Array.isArray(texts)) {
      throw new UnreelError({ operation, expected: "a text or a list of texts", got: show(texts) });
    }
    this.#lookup.checkKnown();
    return (single ? [texts] : texts).map((text: unknown, row) =>
      this.#tokens(Array.isArray(text) && text.length === 1 ? text[0] : text, row),
    );
  }

  /** The tokens by id. In 'int' mode the first two are '' (padding) and '[UNK]'; elsewhere the first is '[UNK]'. */
  getVocabulary(options: VocabularyOptions = {}): string[] {
    return this.#lookup.vocabulary(options);
  }

  /** Number of ids, special tokens included: the `inputDim` of an embedding. */
  vocabularySize(): number {
    return this.#lookup.size;
  }

  /** The idf weight of each id in 'tfIdf' mode, as `idfWeights` takes them next to `getVocabulary()`. */
  getIdfWeights(): number[] {
    return [...this.#lookup.idfWeights];
  }

  /** Replaces the vocabulary; `idfWeights` are needed in 'tfIdf' mode and wrong elsewhere. */
  setVocabulary(vocabulary: readonly string[], idfWeights?: ArrayLike<number> | null): void {
    this.#lookup.set(vocabulary, idfWeights);
  }

  /** The options it was made with, as plain values. Functions are refused: they cannot be kept. */
  getConfig(): Record<string, unknown> {
    const { standardize, split, idfWeights, ...rest } = this.#options;
    return {
      ...rest,
      standardize: plainOption("TextVectorization: standardize", standardize),
      split: plainOption("TextVectorization: split", split),
      idfWeights: idfWeights && Array.from(idfWeights),
    };
  }

  static fromConfig(config: Record<string, unknown>): TextVectorization {
    return new TextVectorization(config);
  }

  /** Options and vocabulary as plain values. */
  toJSON(): Saved {
    const saved: Saved = { className: "TextVectorization", config: this.getConfig() };
    if (this.#lookup.isKnown) {
      saved.state = { vocabulary: this.getVocabulary() };
      if (this.#mode === "tfIdf") saved.state.idfWeights = this.getIdfWeights();
    }
    return saved;
  }

  /** What `toJSON` gave, as an object or as text, made again. */
  static fromJSON(json: string | Saved): TextVectorization {
    const { config, state } = readSaved("TextVectorization", json);
    const made = new TextVectorization(config);
    if (state) made.#lookup.set(state.vocabulary, (state.idfWeights ?? null) as number[] | null);
    return made;
  }

  /** [rows, length]: ids, cut or padded with 0 at the end. */
  #padded(rows: string[][]): Tensor {
    const wholeTexts = this.#options.split === null;
    const length = this.#length ?? rows.reduce((most, row) => Math.max(most, row.length), wholeTexts ? 1 : 0);
    const data = new Int32Array(rows.length * length);
    rows.forEach((row, r) => {
      const end = Math.min(row.length, length);
      for (let t = 0; t < end; t++) data[r * length + t] = this.#lookup.id(row[t]);
    });
    return new Tensor(data, [rows.length, length]);
  }

  /** [rows, vocabulary]: 1 where a token occurs, or how often, or that times its idf weight. */
  #bags(rows: string[][]): Tensor {
    const { depth, idfWeights } = this.#lookup;
    const data = new Float32Array(rows.length * depth);
    rows.forEach((row, r) => {
      for (const token of row) {
        const id = this.#lookup.id(token);
        if (id >= 0) data[r * depth + id] = this.#mode === "multiHot" ? 1 : data[r * depth + id] + 1;
      }
    });
    if (this.#mode === "tfIdf") {
      for (let i = 0; i < data.length; i++) data[i] *= idfWeights[i % depth] ?? 0;
    }
    return new Tensor(data, [rows.length, depth]);
  }
}

function refuseTrue(option: string, value: unknown, hint: string): void {
  if (!value) return;
  throw new UnreelError({ operation: `TextVectorization: ${option}`, expected: "false", got: "true", hint });
}

/** Names that Keras still understands. */
const OLD_MODES: Record<string, OutputMode> = { binary: "multiHot", "tf-idf": "tfIdf" };

/** The mode under its Keras or its camelCase name. */
function outputMode(name: unknown): OutputMode {
  const key = typeof name === "string" ? (OLD_MODES[name] ?? camelCase(name)) : "";
  const mode = MODES.find((known) => known === key);
  if (mode) return mode;
  throw new UnreelError({
    operation: "TextVectorization: outputMode",
    expected: MODES.map((known) => `'${known}'`).join(", "),
    got: show(name),
    hint: typeof name === "string" ? suggestion(name, MODES) : undefined,
  });
}
