// Text to tokens: the three steps of TextVectorization before the vocabulary (standardize, split, ngrams), byte for byte
// as TensorFlow's string ops do them for Keras. Not here: counting and indices (vocabulary.ts, vectorization.ts).
import { show, suggestion, UnreelError } from "../../errors.js";
import { camelCase } from "../../layers/options.js";
import { graphemes, jamo, words } from "./korean.js";
import { groups, widthsOf } from "./ngrams.js";

export type Standardize =
  | "lowerAndStripPunctuation"
  | "lower"
  | "stripPunctuation"
  | "lower_and_strip_punctuation"
  | "strip_punctuation"
  | null
  | ((text: string) => string);
/** 'whitespace' and 'character' (code points) are Keras'; words, graphemes and jamo are those of `text.korean`. */
export type Split =
  | "whitespace"
  | "character"
  | "words"
  | "graphemes"
  | "jamo"
  | null
  | ((text: string) => string[]);

/** Keras' class `[!"#$%&()*+,-./:;<=>?@[\]^_`{|}~']`: all of ASCII's punctuation, and nothing beyond ASCII. */
const PUNCTUATION = /[!-/:-@[-`{-~]+/g;
/** tf.strings.split knows ASCII's six blanks only: U+00A0, U+0085 and U+3000 stay inside their token. */
const WORD = /[^ \t\n\v\f\r]+/g;
const BEYOND_ASCII = /[\u0080-\uffff]/;

const STANDARDIZERS: Record<string, (text: string) => string> = {
  lowerAndStripPunctuation: (text) => lower(text).replace(PUNCTUATION, ""),
  lower,
  stripPunctuation: (text) => text.replace(PUNCTUATION, ""),
};
const SPLITTERS: Record<string, (text: string) => string[]> = {
  whitespace: (text) => text.match(WORD) ?? [],
  character: (text) => Array.from(text), // code points, as tf.strings.unicode_split: not graphemes
  words,
  graphemes,
  jamo,
};

/** tf.strings.lower without an encoding folds A-Z only ('É' stays 'É'), so Keras does too. */
function lower(text: string): string {
  return BEYOND_ASCII.test(text) ? text.replace(/[A-Z]+/g, (run) => run.toLowerCase()) : text.toLowerCase();
}

function named<T>(option: string, value: unknown, known: Record<string, T>): T {
  const name = typeof value === "string" ? camelCase(value) : "";
  if (Object.hasOwn(known, name)) return known[name];
  const names = Object.keys(known);
  throw new UnreelError({
    operation: `TextVectorization: ${option}`,
    expected: `${names.map((name) => `'${name}'`).join(", ")}, null or a function`,
    got: show(value),
    hint: typeof value === "string" ? suggestion(value, names) : undefined,
  });
}

/** One function from a text to its tokens. `row` names the text in errors. */
export function tokenizer(
  standardize: Standardize,
  split: Split,
  ngrams: number | readonly number[] | null,
): (text: unknown, row: number) => string[] {
  const clean =
    typeof standardize === "function" || standardize === null
      ? standardize
      : named("standardize", standardize, STANDARDIZERS);
  const cut = typeof split === "function" || split === null ? split : named("split", split, SPLITTERS);
  const widths =
    ngrams === null
      ? null
      : widthsOf(
          "TextVectorization: ngrams",
          typeof ngrams === "number" ? Array.from({ length: upTo(ngrams) }, (_, i) => i + 1) : ngrams,
          ngrams,
        );

  return (text, row) => {
    if (typeof text !== "string") {
      throw new UnreelError({
        operation: "TextVectorization",
        expected: "texts (strings)",
        got: `${show(text)} in row ${row}`,
        hint: "Every row must be one string; leave out or replace rows without text.",
      });
    }
    const normal = text.normalize("NFC");
    const cleaned = clean ? clean(normal) : normal;
    if (typeof cleaned !== "string") throw wrongReturn("standardize", "a string", cleaned, row);
    const tokens = cut ? cut(cleaned) : [cleaned];
    if (typeof split === "function" && !(Array.isArray(tokens) && tokens.every(isString))) {
      throw wrongReturn("split", "an array of strings", tokens, row);
    }
    return widths ? groups(tokens, widths, " ") : tokens;
  };
}

const isString = (value: unknown) => typeof value === "string";

function wrongReturn(option: string, expected: string, value: unknown, row: number): UnreelError {
  return new UnreelError({
    operation: `TextVectorization: ${option}`,
    expected: `the function to return ${expected}`,
    got: `${show(value)} for row ${row}`,
    hint: "It is called with one text at a time.",
  });
}

/** How wide runs of tokens may be. */
const WIDEST = 1000;

function upTo(width: number): number {
  if (!(width > WIDEST)) return width;
  const expected = `a width of at most ${WIDEST}`;
  throw new UnreelError({ operation: "TextVectorization: ngrams", expected, got: `${width}` });
}
