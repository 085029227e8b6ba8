// What `toJSON` of a vectorizer, a lookup or a scaler gave, made again, whichever it is; other JSON is what it is.
import { show, UnreelError } from "../errors.js";
import { CategoryEncoding } from "./preprocessing/categoryEncoding.js";
import { Discretization } from "./preprocessing/discretization.js";
import { IntegerLookup } from "./preprocessing/integerLookup.js";
import { MinMaxScaler } from "./preprocessing/minMaxScaler.js";
import { Normalization } from "./preprocessing/normalization.js";
import { Rescaling } from "./preprocessing/rescaling.js";
import { StringLookup } from "./preprocessing/stringLookup.js";
import type { Saved } from "./saved.js";
import { Tokenizer } from "./text/tokenizer.js";
import { TextVectorization } from "./text/vectorization.js";

/** What JSON holds: names of classes, a threshold. */
export type Plain = string | number | boolean | null | readonly Plain[] | { readonly [name: string]: Plain };

/** What a file of a model may have beside it. */
export type Asset =
  | Plain
  | CategoryEncoding
  | Discretization
  | IntegerLookup
  | MinMaxScaler
  | Normalization
  | Rescaling
  | StringLookup
  | TextVectorization
  | Tokenizer;

const CLASSES: Readonly<Record<string, { fromJSON(json: Saved): Asset }>> = {
  CategoryEncoding,
  Discretization,
  IntegerLookup,
  MinMaxScaler,
  Normalization,
  Rescaling,
  StringLookup,
  TextVectorization,
};

export function reviveSaved(operation: string, json: unknown): Asset {
  const saved = json as { className?: unknown; class_name?: unknown } | null;
  // Keras' tokenizer has a JSON of its own.
  if (saved?.class_name === "Tokenizer") return Tokenizer.fromJSON(saved);
  const className = saved?.className;
  if (typeof className === "string" && Object.hasOwn(CLASSES, className))
    return CLASSES[className].fromJSON(saved as Saved);
  if (saved === null || typeof saved !== "object" || className === undefined) return json as Plain;
  const expected = `one of ${Object.keys(CLASSES).join(", ")}, Tokenizer`;
  throw new UnreelError({ operation, expected, got: show(className) });
}
