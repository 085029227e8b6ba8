// Class numbers to one-hot, multi-hot or count rows.
import { positiveInteger, show, UnreelError } from "../../errors.js";
import { readOptions } from "../../layers/options.js";
import { type Tensor, type TensorLike, tensor } from "../../tensor.js";
import { readSaved, type Saved } from "../saved.js";
import { type Encoding, encode } from "./encode.js";
import { lookupMode } from "./lookup.js";

const MODES: readonly Encoding[] = ["oneHot", "multiHot", "count"];

export interface CategoryEncodingOptions {
  /** Width of the rows: ids are from 0 to numTokens - 1. */
  numTokens: number;
  /** 'multiHot' (default) and 'count': one row a sample, the ids along the last axis. 'oneHot': one row an id. */
  outputMode?: Encoding | "one_hot" | "multi_hot";
}

/** Keras 3's `CategoryEncoding` (https://keras.io/api/layers/preprocessing_layers/categorical/category_encoding/), on the host. */
export class CategoryEncoding {
  readonly #options: Required<CategoryEncodingOptions>;
  readonly #mode: Encoding;

  constructor(given: CategoryEncodingOptions) {
    this.#options = readOptions<Required<CategoryEncodingOptions>>("CategoryEncoding", given, {
      numTokens: undefined as never,
      outputMode: "multiHot",
    });
    positiveInteger("CategoryEncoding: numTokens", this.#options.numTokens);
    this.#mode = lookupMode("CategoryEncoding", this.#options.outputMode, MODES);
  }

  /** Float32 rows. `countWeights`, of the shape of the ids, are what each counts for in 'count'. */
  apply(ids: TensorLike, options: { countWeights?: TensorLike } = {}): Tensor {
    const operation = "CategoryEncoding.apply";
    const { countWeights } = readOptions(operation, options, {
      countWeights: undefined as TensorLike | undefined,
    });
    const { data, shape } = tensor(ids, undefined, "int32");
    const wrong = data.findIndex((id) => id < 0 || id >= this.#options.numTokens);
    if (wrong >= 0) {
      const got = `${data[wrong]} at flat position ${wrong}`;
      throw new UnreelError({ operation, expected: `ids from 0 to ${this.#options.numTokens - 1}`, got });
    }
    const weights = countWeights === undefined ? undefined : tensor(countWeights);
    if (weights && this.#mode !== "count") {
      const expected = `none with outputMode '${this.#mode}'`;
      throw new UnreelError({ operation: `${operation}: countWeights`, expected, got: "some" });
    }
    if (weights && String(weights.shape) !== String(shape)) {
      const expected = `the ids' shape [${shape}]`;
      throw new UnreelError({
        operation: `${operation}: countWeights`,
        expected,
        got: show([...weights.shape]),
      });
    }
    return encode(operation, data, shape, this.#mode, this.#options.numTokens, weights?.data);
  }

  getConfig(): Record<string, unknown> {
    return { ...this.#options };
  }

  static fromConfig(config: Record<string, unknown>): CategoryEncoding {
    return new CategoryEncoding(config as unknown as CategoryEncodingOptions);
  }

  toJSON(): Saved {
    return { className: "CategoryEncoding", config: this.getConfig() };
  }

  static fromJSON(json: string | Saved): CategoryEncoding {
    return CategoryEncoding.fromConfig(readSaved("CategoryEncoding", json).config);
  }
}
