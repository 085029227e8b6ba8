// What `data.*` offers: datasets that stream, and what prepares numbers and categories. Not here: how it works.
import { callable } from "./callable.js";
import { CategoryEncoding as CategoryEncodingClass } from "./preprocessing/categoryEncoding.js";
import { Discretization as DiscretizationClass } from "./preprocessing/discretization.js";
import { IntegerLookup as IntegerLookupClass } from "./preprocessing/integerLookup.js";
import { MinMaxScaler as MinMaxScalerClass } from "./preprocessing/minMaxScaler.js";
import { Normalization as NormalizationClass } from "./preprocessing/normalization.js";
import { Rescaling as RescalingClass } from "./preprocessing/rescaling.js";
import { StringLookup as StringLookupClass } from "./preprocessing/stringLookup.js";

export { type NpyOptions, npyBytes, npzBytes, readNpy, readNpz } from "./arrayFiles.js";
export type { CsvElement, CsvElementOf, CsvFeatures, CsvOptions, CsvRecord, CsvValue } from "./csvTypes.js";
export { type BucketOptions, Dataset, type ShuffleOptions } from "./dataset.js";
export type { Batch } from "./element.js";
export type { CategoryEncodingOptions } from "./preprocessing/categoryEncoding.js";
export type { DiscretizationOptions } from "./preprocessing/discretization.js";
export type { IntegerLookupOptions } from "./preprocessing/integerLookup.js";
export type { MinMaxScalerOptions } from "./preprocessing/minMaxScaler.js";
export type { Nested } from "./preprocessing/nested.js";
export type { NormalizationOptions } from "./preprocessing/normalization.js";
export type { RescalingOptions } from "./preprocessing/rescaling.js";
export type { StringLookupOptions } from "./preprocessing/stringLookup.js";
export type { Saved } from "./saved.js";
export type { Source } from "./source.js";

// All are classes; `new` may be left out, as with layers.
export type CategoryEncoding = CategoryEncodingClass;
export const CategoryEncoding = /* @__PURE__ */ callable(CategoryEncodingClass);
export type Discretization = DiscretizationClass;
export const Discretization = /* @__PURE__ */ callable(DiscretizationClass);
export type IntegerLookup = IntegerLookupClass;
export const IntegerLookup = /* @__PURE__ */ callable(IntegerLookupClass);
export type MinMaxScaler = MinMaxScalerClass;
export const MinMaxScaler = /* @__PURE__ */ callable(MinMaxScalerClass);
export type Normalization = NormalizationClass;
export const Normalization = /* @__PURE__ */ callable(NormalizationClass);
export type Rescaling = RescalingClass;
export const Rescaling = /* @__PURE__ */ callable(RescalingClass);
export type StringLookup = StringLookupClass;
export const StringLookup = /* @__PURE__ */ callable(StringLookupClass);
