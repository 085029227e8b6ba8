// A text to words as Keras' Tokenizer cuts it: lower case, filtered, split at one separator.
import { show, UnreelError } from "../../errors.js";
import { readOptions } from "../../layers/options.js";

/** All of ASCII's punctuation but ', and tab and newline. */
export const FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n';

export interface WordsOptions {
  /** Characters that separate like `split` does. Default: ASCII's punctuation without ', tab and newline. */
  filters?: string;
  /** Default true. */
  lower?: boolean;
  /** What separates words. Default ' '. */
  split?: string;
}

export const WORDS = { filters: FILTERS, lower: true, split: " " };

export interface HashingOptions extends WordsOptions {
  /** A text to its words, in the place of filters, lower and split. */
  analyzer?: ((text: string) => string[]) | null;
}

/** Python's str.lower, str.translate and str.split, and no empty words. */
export function textToWordSequence(text: string, options: WordsOptions = {}): string[] {
  return wordCutter("text.textToWordSequence", options)(checkedText("text.textToWordSequence", text));
}

/** The function from a text to words that the options describe. */
export function wordCutter(operation: string, options: WordsOptions): (text: string) => string[] {
  const { filters, lower, split } = readOptions(operation, options, WORDS);
  for (const [name, value] of Object.entries({ filters, split })) {
    if (typeof value !== "string" || (name === "split" && value === "")) {
      const expected = name === "split" ? "a text of one character or more" : "a text";
      const hint =
        name === "split" && value === "" ? "charLevel: true makes each character a token." : undefined;
      throw new UnreelError({ operation: `${operation}: ${name}`, expected, got: show(value), hint });
    }
  }
  const unwanted = new Set(filters);
  const pattern = new RegExp(`[${[...unwanted].map(escaped).join("")}]`, "gu");
  return (text) => {
    const cased = lower ? text.toLowerCase() : text;
    const filtered = unwanted.size === 0 ? cased : cased.replace(pattern, () => split);
    return filtered.split(split).filter((word) => word !== "");
  };
}

function escaped(character: string): string {
  return `\\u{${character.codePointAt(0)!.toString(16)}}`;
}

export function checkedText(operation: string, text: unknown): string {
  if (typeof text === "string") return text;
  throw new UnreelError({ operation, expected: "a text (string)", got: show(text) });
}
