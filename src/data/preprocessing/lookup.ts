// What StringLookup and IntegerLookup have in common: reading keys, adapting, applying, JSON.
// Not here: the vocabulary and its ids (indexLookup.ts).
import { show, suggestion, UnreelError } from "../../errors.js";
import { camelCase } from "../../layers/options.js";
import { Tensor, type TensorLike, tensor } from "../../tensor.js";
import { readSaved, type Saved } from "../saved.js";
import { encode } from "./encode.js";
import { farmHash64 } from "./farmHash.js";
import { IndexLookup, type LookupMode } from "./indexLookup.js";
import { type Nested, nest, readKeys } from "./nested.js";
import { sipHash64 } from "./sipHash.js";
import { type Key, KeyCounts, type KeyKind } from "./vocabulary.js";

const MODES: readonly LookupMode[] = ["int", "oneHot", "multiHot", "count", "tfIdf"];
const OLD_MODES: Record<string, LookupMode> = { binary: "multiHot", "tf-idf": "tfIdf" };

export interface LookupOptions<K extends Key> {
  /** Largest vocabulary, special keys included; null: no limit. */
  maxTokens?: number | null;
  /** Ids for unknown keys, among which they are spread by hashing; 0: unknown keys are refused. Default 1. */
  numOovIndices?: number;
  /** The key that is padding: id 0 in mode 'int', left out elsewhere; null: none. Default null. */
  maskToken?: K | null;
  /** What `invert` gives for ids without a key. */
  oovToken?: K;
  /** Keys in order of id, with or without the special ones, instead of `adapt`. */
  vocabulary?: readonly K[] | null;
  /** 'tfIdf' with a vocabulary: one weight for each of its entries. */
  idfWeights?: ArrayLike<number> | null;
  /** Ids to keys. Default false. */
  invert?: boolean;
  /** 'int' (default): ids. 'oneHot': a row for each key. 'multiHot', 'count', 'tfIdf': a row for each sample, the keys along the
   * last axis. Keras' spellings are understood too. */
  outputMode?: LookupMode | "one_hot" | "multi_hot" | "tf_idf";
  /** Encoded rows are maxTokens wide even when the vocabulary is smaller. Default false. */
  padToMaxTokens?: boolean;
  /** Hashes unknown keys with SipHash under this key, one number or two, 0 or more; null: FarmHash64. */
  salt?: number | readonly [number, number] | null;
}

/** A batch of keys: nested arrays of one shape. */
export type KeyBatches<K> = Nested<K> | Iterable<Nested<K>> | AsyncIterable<Nested<K>>;

/** Everything but what differs between strings and integers. */
export class Lookup<K extends Key> {
  readonly #name: string;
  readonly #kind: KeyKind<K>;
  readonly #options: Record<string, unknown>;
  readonly #mode: LookupMode;
  readonly #lookup: IndexLookup<K>;

  constructor(
    name: string,
    kind: KeyKind<K>,
    options: Required<LookupOptions<K>>,
    bucket: (key: K, buckets: number) => number,
  ) {
    this.#name = name;
    this.#kind = kind;
    this.#options = options as unknown as Record<string, unknown>;
    this.#mode = lookupMode(name, options.outputMode, MODES);
    const keyOr = (option: "maskToken" | "oovToken") => {
      const value = options[option];
      if (value === null) return null;
      const key = kind.read(value);
      if (key !== undefined) return key;
      throw new UnreelError({ operation: `${name}: ${option}`, expected: kind.name, got: show(value) });
    };
    this.#lookup = new IndexLookup(
      name,
      kind,
      { ...options, maskToken: keyOr("maskToken"), oovToken: keyOr("oovToken"), outputMode: this.#mode },
      bucket,
    );
  }

  adapt(data: KeyBatches<K>): void | Promise<void> {
    const operation = `${this.#name}.adapt`;
    this.#lookup.checkAdaptable();
    const counts = new KeyCounts<K>();
    const isArray = Array.isArray(data) || ArrayBuffer.isView(data) || data instanceof Tensor;
    if (!isArray && typeof data === "object" && data !== null) {
      if (Symbol.iterator in data) {
        for (const batch of data as Iterable<Nested<K>>) this.#count(operation, batch, counts, false);
        return this.#lookup.learn(counts);
      }
      if (Symbol.asyncIterator in data) return this.#adaptAsync(operation, data, counts);
    }
    if (!isArray) {
      const expected = `${this.#kind.name} in arrays, or batches of them, iterable`;
      throw new UnreelError({ operation, expected, got: show(data) });
    }
    this.#count(operation, data, counts, true);
    this.#lookup.learn(counts);
  }

  async #adaptAsync(operation: string, data: AsyncIterable<Nested<K>>, counts: KeyCounts<K>): Promise<void> {
    for await (const batch of data) this.#count(operation, batch, counts, false);
    this.#lookup.learn(counts);
  }

  /** A document is a row of the first axis. As in Keras, a flat array is a column of documents when it is all the data, and one
   * document when it is a batch. */
  #count(operation: string, batch: unknown, counts: KeyCounts<K>, whole: boolean): void {
    const { keys, shape } = readKeys(operation, batch, this.#kind);
    const documents = shape.length > 1 || (whole && shape.length === 1) ? shape[0] : 1;
    const width = documents === 0 ? 0 : keys.length / documents;
    for (let d = 0; d < documents; d++) counts.add(keys.slice(d * width, (d + 1) * width));
  }

  apply(given: unknown): Tensor {
    const operation = `${this.#name}.apply`;
    this.#lookup.checkKnown();
    if (this.#options.invert) {
      const hint = "With invert: true the method `keys` turns ids into keys.";
      throw new UnreelError({ operation, expected: "a lookup without invert", got: "one with it", hint });
    }
    const { keys, shape } = readKeys(operation, given, this.#kind);
    const ids = Int32Array.from(keys, (key) => this.#lookup.id(key));
    if (this.#mode === "int") return new Tensor(ids, shape);
    const { depth, idfWeights } = this.#lookup;
    const encoding = this.#mode === "tfIdf" ? "count" : this.#mode;
    const rows = encode(operation, ids, shape, encoding, depth);
    if (this.#mode === "tfIdf") {
      for (let i = 0; i < rows.size; i++) rows.data[i] *= idfWeights[i % depth] ?? 0;
    }
    return rows;
  }

  keys(given: TensorLike): Nested<K | null> {
    const operation = `${this.#name}.keys`;
    this.#lookup.checkKnown();
    if (this.#mode !== "int") {
      throw new UnreelError({ operation, expected: "outputMode 'int'", got: show(this.#mode) });
    }
    const ids = tensor(given, undefined, "int32");
    return nest(
      Array.from(ids.data, (id) => this.#lookup.key(id)),
      ids.shape,
    );
  }

  get lookup(): IndexLookup<K> {
    return this.#lookup;
  }

  getConfig(): Record<string, unknown> {
    const { idfWeights, vocabulary, ...rest } = this.#options;
    const list = (values: unknown) => values && Array.from(values as ArrayLike<unknown>);
    return { ...rest, vocabulary: list(vocabulary), idfWeights: list(idfWeights) };
  }

  toJSON(): Saved {
    const saved: Saved = { className: this.#name, config: this.getConfig() };
    if (this.#lookup.isKnown) {
      saved.state = { vocabulary: this.#lookup.vocabulary({}) };
      if (this.#mode === "tfIdf") saved.state.idfWeights = [...this.#lookup.idfWeights];
    }
    return saved;
  }

  /** Calls back with the options, then gives the vocabulary to what was made. */
  static read<M extends { setVocabulary(vocabulary: never, weights?: ArrayLike<number> | null): void }>(
    name: string,
    json: string | Saved,
    make: (config: Record<string, unknown>) => M,
  ): M {
    const { config, state } = readSaved(name, json);
    const made = make(config);
    if (state) made.setVocabulary(state.vocabulary as never, (state.idfWeights ?? null) as number[] | null);
    return made;
  }
}

/** A mode under its Keras or its camelCase name. */
export function lookupMode<M extends LookupMode>(name: string, given: unknown, known: readonly M[]): M {
  const key = typeof given === "string" ? (OLD_MODES[given] ?? camelCase(given)) : "";
  const mode = known.find((candidate) => candidate === key);
  if (mode) return mode;
  throw new UnreelError({
    operation: `${name}: outputMode`,
    expected: known.map((candidate) => `'${candidate}'`).join(", "),
    got: show(given),
    hint: typeof given === "string" ? suggestion(given, known) : undefined,
  });
}

/** Which of several ids an unknown key gets: FarmHash64 of its text, or SipHash with a salt. */
export function hashBucket(
  name: string,
  salt: number | readonly [number, number] | null,
): (text: string, buckets: number) => number {
  const pair = typeof salt === "number" ? [salt, salt] : salt;
  if (pair !== null) {
    const isPair = Array.isArray(pair) && pair.length === 2;
    if (!isPair || pair.some((part) => !Number.isSafeInteger(part) || part < 0)) {
      const expected = "an integer, 0 or more, or two of them";
      throw new UnreelError({ operation: `${name}: salt`, expected, got: show(salt) });
    }
  }
  const key = pair && ([BigInt(pair[0]), BigInt(pair[1])] as const);
  return (text, buckets) => {
    const bytes = new TextEncoder().encode(text);
    return Number((key ? sipHash64(bytes, key) : farmHash64(bytes)) % BigInt(buckets));
  };
}
