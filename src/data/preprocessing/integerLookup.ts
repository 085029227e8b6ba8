// Integers that are categories to ids, or to encoded rows; and ids back to the integers.
import { show, UnreelError } from "../../errors.js";
import { readOptions } from "../../layers/options.js";
import type { Tensor, TensorLike } from "../../tensor.js";
import type { Saved } from "../saved.js";
import type { VocabularyOptions } from "./indexLookup.js";
import { hashBucket, type KeyBatches, Lookup, type LookupOptions } from "./lookup.js";
import type { Nested } from "./nested.js";
import { INTEGERS } from "./vocabulary.js";

export interface IntegerLookupOptions extends LookupOptions<number> {
  /** How unknown integers are spread over several ids: 'floormod' (default) is their remainder, 'farmhash' FarmHash64 of their
   * digits. `salt` needs 'farmhash'. */
  oovMethod?: "floormod" | "farmhash";
}

type Data = Nested<number> | TensorLike;

/** Keras 3's `IntegerLookup` (https://keras.io/api/layers/preprocessing_layers/categorical/integer_lookup/), on the host. */
export class IntegerLookup {
  readonly #options: Required<IntegerLookupOptions>;
  readonly #lookup: Lookup<number>;

  constructor(given: IntegerLookupOptions = {}) {
    const options = readOptions<Required<IntegerLookupOptions>>("IntegerLookup", given, {
      maxTokens: null,
      numOovIndices: 1,
      maskToken: null,
      oovToken: -1,
      vocabulary: null,
      idfWeights: null,
      invert: false,
      outputMode: "int",
      padToMaxTokens: false,
      oovMethod: "floormod",
      salt: null,
    });
    const { oovMethod, salt } = options;
    if (oovMethod !== "floormod" && oovMethod !== "farmhash") {
      const expected = "'floormod' or 'farmhash'";
      throw new UnreelError({ operation: "IntegerLookup: oovMethod", expected, got: show(oovMethod) });
    }
    if (salt !== null && oovMethod !== "farmhash") {
      const expected = "none, or oovMethod 'farmhash'";
      throw new UnreelError({ operation: "IntegerLookup: salt", expected, got: show(salt) });
    }
    const hash = hashBucket("IntegerLookup", salt);
    const bucket = (key: number, buckets: number) =>
      oovMethod === "farmhash" ? hash(String(key), buckets) : ((key % buckets) + buckets) % buckets;
    this.#options = options;
    this.#lookup = new Lookup("IntegerLookup", INTEGERS, options, bucket);
  }

  /** Learns the vocabulary from nested arrays or tensors of integers, or from batches of them, iterable or async iterable (then a
   * promise). Most frequent first, equal counts by the integers, highest first. */
  adapt(data: Data | Iterable<Data>): this;
  adapt(data: AsyncIterable<Data>): Promise<this>;
  adapt(data: Data | Iterable<Data> | AsyncIterable<Data>): this | Promise<this> {
    return this.#lookup.adapt(data as KeyBatches<number>)?.then(() => this) ?? this;
  }

  /** Int32 ids of the shape of the data, or float32 rows: see `outputMode`. */
  apply(data: Data): Tensor {
    return this.#lookup.apply(data);
  }

  /** The integers of ids, nested like them. With or without `invert`. */
  keys(ids: TensorLike): Nested<number> {
    return this.#lookup.keys(ids) as Nested<number>;
  }

  getVocabulary(options: VocabularyOptions = {}): number[] {
    return this.#lookup.lookup.vocabulary(options);
  }

  /** Number of ids, special ones included: the `inputDim` of an embedding. */
  vocabularySize(): number {
    return this.#lookup.lookup.size;
  }

  /** Replaces the vocabulary; `idfWeights` are needed in 'tfIdf' mode and wrong elsewhere. */
  setVocabulary(vocabulary: readonly number[], idfWeights?: ArrayLike<number> | null): void {
    this.#lookup.lookup.set(vocabulary, idfWeights);
  }

  /** A lookup with the same vocabulary that turns ids into integers. */
  inverse(): IntegerLookup {
    const made = new IntegerLookup({ ...this.#options, vocabulary: null, idfWeights: null, invert: true });
    made.setVocabulary(this.getVocabulary());
    return made;
  }

  getConfig(): Record<string, unknown> {
    return this.#lookup.getConfig();
  }

  static fromConfig(config: Record<string, unknown>): IntegerLookup {
    return new IntegerLookup(config);
  }

  toJSON(): Saved {
    return this.#lookup.toJSON();
  }

  /** What `toJSON` gave, as an object or as text, made again. */
  static fromJSON(json: string | Saved): IntegerLookup {
    return Lookup.read("IntegerLookup", json, (config) => new IntegerLookup(config));
  }
}
