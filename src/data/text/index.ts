// What `text.*` offers. Not here: how it works.
import { TextVectorization as Class, type TextVectorizationOptions } from "./vectorization.js";

export type { Split, Standardize } from "./standardize.js";
export type { OutputMode, TextVectorizationOptions } from "./vectorization.js";

export type TextVectorization = Class;
/** Keras 3's TextVectorization; `new` may be left out, as with layers. */
export const TextVectorization = /* @__PURE__ */ new Proxy(Class, {
  apply: (Target, _, [options]: [TextVectorizationOptions?]) => new Target(options),
}) as typeof Class & ((options?: TextVectorizationOptions) => Class);
