// How a CSV is to be read, and the types of the elements that come of it. Not here: the reading (csv.ts).

/** A number that is finite; the same without a fraction; any text; true, false, 1 or 0 as 1 and 0; or a function of the text. */
export type ColumnType = "number" | "integer" | "string" | "boolean" | ((text: string) => number | string);
export type CsvValue = number | string;
export type CsvRecord = Record<string, CsvValue>;

export interface CsvOptions {
  /** One character. Default ','; '\t' for TSV. */
  delimiter?: string;
  /** A field in quotes may hold delimiters and line breaks. false: quotes are characters like others, as many tab-separated files have
   * them. Default true. tf.data: use_quote_delim. */
  useQuoteDelim?: boolean;
  /** true (default): the first line names the columns. false: they are called '0', '1', …. A list: these are their names, and there
   * is no such line. */
  header?: boolean | readonly string[];
  /** The columns to read, in this order. Default: all. */
  columns?: readonly string[] | null;
  /** The column that is the target (or several): elements are [features, label]. */
  label?: string | readonly string[] | null;
  /** By column. A column without one is 'number' when all its values in the first 100 records are numbers, else 'string'. */
  types?: Readonly<Record<string, ColumnType>>;
  /** Texts that stand for a missing value. Default ['']. */
  naValues?: readonly string[];
  /** What is done about a missing value: 'error' (default), 'skip' the record, or a value in its place, for all or by column. In
   * 'string' columns only values by column are put in. */
  onMissing?: "error" | "skip" | number | Readonly<Record<string, CsvValue>>;
  /** Features in one float32 array, a number a column, in the place of a record; all must be numbers. Default false. */
  vector?: boolean;
  /** As TextDecoder names them. Default 'utf-8'. */
  encoding?: string;
}

export type CsvFeatures = CsvRecord | Float32Array;
/** The features, or [features, label]; the label is a value, or a record (with `vector` an array) of several. */
export type CsvElement = CsvFeatures | [CsvFeatures, CsvValue | CsvFeatures];

/** What a column's values are, as far as options tell. */
type ValueOf<T> = T extends "string"
  ? string
  : T extends "number" | "integer" | "boolean"
    ? number
    : T extends (text: string) => infer V
      ? V
      : CsvValue;
type TypedColumns<O> = O extends { readonly types: infer T }
  ? { [K in keyof T]: ValueOf<T[K]> } & CsvRecord
  : CsvRecord;
type FeaturesOf<O> = O extends { readonly vector: true }
  ? Float32Array
  : "vector" extends keyof O
    ? O extends { readonly vector?: false }
      ? TypedColumns<O>
      : CsvFeatures
    : TypedColumns<O>;
type LabelOf<O, L extends string> = O extends { readonly types: infer T }
  ? L extends keyof T
    ? ValueOf<T[L]>
    : CsvValue
  : CsvValue;

/** The elements that options make; options that are made elsewhere, and known as `CsvOptions` only, make any of them. */
export type CsvElementOf<O> = O extends { readonly label: infer L extends string }
  ? [FeaturesOf<O>, LabelOf<O, L>]
  : O extends { readonly label: readonly string[] }
    ? [FeaturesOf<O>, FeaturesOf<O>]
    : "label" extends keyof O
      ? O extends { readonly label?: null }
        ? FeaturesOf<O>
        : CsvElement
      : FeaturesOf<O>;
