// Strings that are categories or tokens already to ids, or to encoded rows; and ids back to strings.
import { readOptions } from "../../layers/options.js";
import type { Tensor, TensorLike } from "../../tensor.js";
import type { Saved } from "../saved.js";
import type { VocabularyOptions } from "./indexLookup.js";
import { hashBucket, type KeyBatches, Lookup, type LookupOptions } from "./lookup.js";
import type { Nested } from "./nested.js";
import { TOKENS } from "./vocabulary.js";

export type StringLookupOptions = LookupOptions<string>;

/** Keras 3's `StringLookup` (https://keras.io/api/layers/preprocessing_layers/categorical/string_lookup/), on the host. Strings are
 * NFC-normalised. */
export class StringLookup {
  readonly #options: Required<StringLookupOptions>;
  readonly #lookup: Lookup<string>;

  constructor(given: StringLookupOptions = {}) {
    const options = readOptions<Required<StringLookupOptions>>("StringLookup", given, {
      maxTokens: null,
      numOovIndices: 1,
      maskToken: null,
      oovToken: "[UNK]",
      vocabulary: null,
      idfWeights: null,
      invert: false,
      outputMode: "int",
      padToMaxTokens: false,
      salt: null,
    });
    this.#options = options;
    this.#lookup = new Lookup("StringLookup", TOKENS, options, hashBucket("StringLookup", options.salt));
  }

  /** Learns the vocabulary from nested arrays of strings, or from batches of them, iterable or async iterable (then a promise).
   * Most frequent first, equal counts by the strings, highest first. */
  adapt(data: Nested<string> | Iterable<Nested<string>>): this;
  adapt(data: AsyncIterable<Nested<string>>): Promise<this>;
  adapt(data: KeyBatches<string>): this | Promise<this> {
    return this.#lookup.adapt(data)?.then(() => this) ?? this;
  }

  /** Int32 ids of the shape of the data, or float32 rows: see `outputMode`. */
  apply(data: Nested<string>): Tensor {
    return this.#lookup.apply(data);
  }

  /** The strings of ids, nested like them. With or without `invert`. */
  keys(ids: TensorLike): Nested<string> {
    return this.#lookup.keys(ids) as Nested<string>;
  }

  getVocabulary(options: VocabularyOptions = {}): string[] {
    return this.#lookup.lookup.vocabulary(options);
  }

  /** Number of ids, special ones included: the `inputDim` of an embedding. */
  vocabularySize(): number {
    return this.#lookup.lookup.size;
  }

  /** Replaces the vocabulary; `idfWeights` are needed in 'tfIdf' mode and wrong elsewhere. */
  setVocabulary(vocabulary: readonly string[], idfWeights?: ArrayLike<number> | null): void {
    this.#lookup.lookup.set(vocabulary, idfWeights);
  }

  /** A lookup with the same vocabulary that turns ids into strings. */
  inverse(): StringLookup {
    const made = new StringLookup({ ...this.#options, vocabulary: null, idfWeights: null, invert: true });
    made.setVocabulary(this.getVocabulary());
    return made;
  }

  getConfig(): Record<string, unknown> {
    return this.#lookup.getConfig();
  }

  static fromConfig(config: Record<string, unknown>): StringLookup {
    return new StringLookup(config);
  }

  toJSON(): Saved {
    return this.#lookup.toJSON();
  }

  /** What `toJSON` gave, as an object or as text, made again. */
  static fromJSON(json: string | Saved): StringLookup {
    return Lookup.read("StringLookup", json, (config) => new StringLookup(config));
  }
}
