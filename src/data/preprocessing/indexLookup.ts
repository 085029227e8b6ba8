// A vocabulary and its ids: what TextVectorization, StringLookup and IntegerLookup share (Keras' IndexLookup).
// Not here: how data is read (their own files), counting and ranking (vocabulary.ts).
import { positiveInteger, show, UnreelError } from "../../errors.js";
import { readOptions } from "../../layers/options.js";
import { DROPPED } from "./encode.js";
import { checkedVocabulary, type Key, type KeyCounts, type KeyKind } from "./vocabulary.js";

export type LookupMode = "int" | "oneHot" | "multiHot" | "count" | "tfIdf";

export interface VocabularyOptions {
  /** Also what stands before the learned keys. Default true. */
  includeSpecialTokens?: boolean;
}

export interface LookupSettings<K extends Key> {
  readonly maxTokens: number | null;
  readonly numOovIndices: number;
  readonly maskToken: K | null;
  readonly oovToken: K | null;
  readonly outputMode: LookupMode;
  readonly padToMaxTokens: boolean;
  readonly invert: boolean;
  readonly vocabulary: unknown;
  readonly idfWeights: ArrayLike<number> | null;
}

/** Each id of unknown keys has a place of its own. */
const MOST_UNKNOWN = 1_000_000;

export class IndexLookup<K extends Key> {
  readonly operation: string;
  readonly kind: KeyKind<K>;
  readonly settings: LookupSettings<K>;
  /** What stands before the learned keys: the mask (mode 'int') and one key for each out-of-vocabulary id. */
  readonly special: readonly (K | null)[];
  /** Whether the vocabulary was given with the options: `adapt` is refused. */
  readonly fixed: boolean;
  readonly #bucket: ((key: K, buckets: number) => number) | undefined;
  #keys: K[] = [];
  #ids: Map<K, number> | undefined;
  #idf: number[] = [];

  /** `bucket` chooses among several out-of-vocabulary ids. */
  constructor(
    operation: string,
    kind: KeyKind<K>,
    settings: LookupSettings<K>,
    bucket?: (key: K, buckets: number) => number,
  ) {
    this.operation = operation;
    this.kind = kind;
    this.settings = settings;
    this.#bucket = bucket;
    const { outputMode, maskToken, oovToken, numOovIndices, maxTokens, padToMaxTokens } = settings;
    if (!Number.isSafeInteger(numOovIndices) || numOovIndices < 0 || numOovIndices > MOST_UNKNOWN) {
      const expected = `an integer from 0 to ${MOST_UNKNOWN}`;
      throw new UnreelError({ operation: `${operation}: numOovIndices`, expected, got: show(numOovIndices) });
    }
    this.special = [
      ...(outputMode === "int" && maskToken !== null ? [maskToken] : []),
      ...new Array<K | null>(numOovIndices).fill(oovToken),
    ];
    if (maxTokens !== null || padToMaxTokens) {
      const hint = padToMaxTokens
        ? "padToMaxTokens needs it."
        : `${this.special.length} places are for special tokens.`;
      positiveInteger(`${operation}: maxTokens`, maxTokens ?? undefined, hint);
      if (maxTokens! <= this.special.length) {
        const expected = `more than the ${this.special.length} special tokens`;
        throw new UnreelError({ operation: `${operation}: maxTokens`, expected, got: show(maxTokens), hint });
      }
    }
    if (settings.invert && outputMode !== "int") {
      const expected = "'int' where invert is true";
      throw new UnreelError({ operation: `${operation}: outputMode`, expected, got: show(outputMode) });
    }
    this.fixed = settings.vocabulary !== null;
    if (this.fixed) this.set(settings.vocabulary, settings.idfWeights);
    else if (settings.idfWeights !== null) {
      const expected = "a vocabulary they belong to";
      throw new UnreelError({ operation: `${operation}: idfWeights`, expected, got: "none" });
    }
  }

  get isKnown(): boolean {
    return this.#ids !== undefined;
  }

  /** Number of ids, special ones included. */
  get size(): number {
    return this.#keys.length + this.special.length;
  }

  /** Width of encoded rows. */
  get depth(): number {
    return this.settings.padToMaxTokens ? this.settings.maxTokens! : this.size;
  }

  /** The weight of each id in 'tfIdf' mode. */
  get idfWeights(): readonly number[] {
    return this.#idf;
  }

  vocabulary(options: VocabularyOptions): K[] {
    const { includeSpecialTokens } = readOptions(`${this.operation}.getVocabulary`, options, {
      includeSpecialTokens: true,
    });
    return includeSpecialTokens ? [...(this.special as K[]), ...this.#keys] : [...this.#keys];
  }

  checkAdaptable(): void {
    if (!this.fixed) return;
    throw new UnreelError({
      operation: `${this.operation}.adapt`,
      expected: `a ${this.operation} without a vocabulary`,
      got: "one made with the option vocabulary",
      hint: "Leave the option out to learn it from data.",
    });
  }

  learn(counts: KeyCounts<K>): void {
    const { maxTokens, maskToken, oovToken, outputMode } = this.settings;
    const limit = maxTokens === null ? undefined : maxTokens - this.special.length;
    const keys = counts.ranked(this.kind, [maskToken, oovToken], limit);
    if (keys.length === 0) {
      const isEmpty = counts.documents === 0;
      throw new UnreelError({
        operation: `${this.operation}.adapt`,
        expected: "at least one token",
        got: isEmpty ? "no texts" : `none in ${counts.documents} texts`,
        hint: isEmpty ? "An iterator that was read before is empty." : "Look at standardize and split.",
      });
    }
    const idf = outputMode === "tfIdf" ? counts.inverseDocumentFrequencies(keys).map(Math.fround) : [];
    this.#install(keys, outputMode === "tfIdf" ? this.#withSpecial(idf) : []);
  }

  /** Replaces the vocabulary; weights are needed in 'tfIdf' mode and wrong elsewhere. */
  set(vocabulary: unknown, idfWeights: ArrayLike<number> | null = null): void {
    const { outputMode, maskToken, oovToken, maxTokens, invert } = this.settings;
    const { keys, hasSpecial } = checkedVocabulary(vocabulary, this.kind, {
      operation: this.operation,
      special: this.special,
      reserved: invert ? [maskToken, oovToken] : [maskToken],
      maxTokens,
    });
    const operation = `${this.operation}: idfWeights`;
    if (outputMode !== "tfIdf") {
      if (idfWeights !== null) {
        const expected = `none with outputMode '${outputMode}'`;
        throw new UnreelError({ operation, expected, got: show(idfWeights) });
      }
      this.#install(keys, []);
      return;
    }
    const wanted = keys.length + (hasSpecial ? this.special.length : 0);
    if (idfWeights?.length !== wanted) {
      const got = idfWeights === null ? "none" : `${idfWeights.length}`;
      throw new UnreelError({ operation, expected: `${wanted} weights, one for each token`, got });
    }
    const weights = Array.from(idfWeights);
    const wrong = weights.findIndex((weight) => !Number.isFinite(weight));
    if (wrong >= 0) {
      const got = `${show(weights[wrong])} at place ${wrong}`;
      throw new UnreelError({ operation, expected: "finite numbers", got });
    }
    this.#install(keys, hasSpecial ? weights : this.#withSpecial(weights));
  }

  /** Ids unknown keys have no weight of their own: the mean of all. */
  #withSpecial(weights: readonly number[]): number[] {
    const mean = weights.reduce((sum, weight) => sum + weight, 0) / weights.length;
    return [...this.special.map(() => mean), ...weights];
  }

  #install(keys: K[], idf: readonly number[]): void {
    const { maskToken, outputMode } = this.settings;
    this.#keys = keys;
    this.#idf = idf.map(Math.fround);
    this.#ids = new Map(keys.map((key, place) => [key, place + this.special.length]));
    // The mask is no key: id 0 in 'int' mode; encoded rows drop it.
    if (maskToken !== null) this.#ids.set(maskToken, outputMode === "int" ? 0 : DROPPED);
  }

  /** Refuses to answer before there is a vocabulary. */
  checkKnown(): void {
    if (this.isKnown) return;
    throw new UnreelError({
      operation: `${this.operation}.apply`,
      expected: "a known vocabulary",
      got: "none yet",
      hint: "Call adapt(…) first, or give the option vocabulary.",
    });
  }

  /** The id of a key; DROPPED for the mask in encoded modes. Keys come as `kind.read` gives them. */
  id(key: K): number {
    const id = this.#ids!.get(key);
    if (id !== undefined) return id;
    const { numOovIndices, maskToken, outputMode } = this.settings;
    const first = outputMode === "int" && maskToken !== null ? 1 : 0;
    if (numOovIndices === 1) return first;
    if (numOovIndices > 1) return first + this.#bucket!(key, numOovIndices);
    throw new UnreelError({
      operation: `${this.operation}.apply`,
      expected: "keys of the vocabulary only, where numOovIndices is 0",
      got: show(key),
      hint: "numOovIndices: 1 gives all unknown keys one id.",
    });
  }

  /** The key of an id, the out-of-vocabulary key for ids that have none. */
  key(id: number): K | null {
    const place = id - this.special.length;
    if (place >= 0 && place < this.#keys.length) return this.#keys[place];
    return id === 0 && this.settings.maskToken !== null ? this.settings.maskToken : this.settings.oovToken;
  }
}
