// What `text.*` offers. Not here: how it works.
import { callable } from "../callable.js";
import { Tokenizer as TokenizerClass } from "./tokenizer.js";
import { TextVectorization as VectorizationClass } from "./vectorization.js";

export { type HashingTrickOptions, hashingTrick, oneHot } from "./hashing.js";
export * as korean from "./korean.js";
export { type NgramsOptions, ngrams } from "./ngrams.js";
export type { Split, Standardize } from "./standardize.js";
export type { MatrixMode, TokenizerOptions, TokenizerText } from "./tokenizer.js";
export type { OutputMode, TextVectorizationOptions } from "./vectorization.js";
export { textToWordSequence, type WordsOptions } from "./words.js";

export type TextVectorization = VectorizationClass;
/** Keras 3's TextVectorization; `new` may be left out, as with layers. */
export const TextVectorization = /* @__PURE__ */ callable(VectorizationClass);

export type Tokenizer = TokenizerClass;
/** Keras' Tokenizer; `new` may be left out. */
export const Tokenizer = /* @__PURE__ */ callable(TokenizerClass);

/** A tokenizer from the JSON that `toJson`, or Keras' `to_json`, wrote. */
export const tokenizerFromJson = (json: string): Tokenizer => TokenizerClass.fromJson(json);
