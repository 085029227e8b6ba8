// Groups of neighbouring tokens.
import { show, UnreelError } from "../../errors.js";
import { readOptions } from "../../layers/options.js";

export interface NgramsOptions {
  /** Between the tokens of a group. Default ' '. */
  separator?: string;
  /** [left, right], or one token for both sides: stands before and behind the tokens, so that each is in as many groups. */
  padValues?: string | readonly [string, string] | null;
  /** How many pad values on each side, at most; null: one less than the width. */
  paddingWidth?: number | null;
  /** Tokens that are too few for the smallest width make one group. Default false. */
  preserveShortSequences?: boolean;
}

/**
 * All groups of `width` neighbouring tokens; a list gives the groups of each width in turn. A bag of n-grams is what
 * `TextVectorization({ ngrams, outputMode: 'count' })` counts: there `ngrams: 2` means widths 1 and 2, as in Keras.
 * As tf.strings.ngrams (https://www.tensorflow.org/api_docs/python/tf/strings/ngrams).
 */
export function ngrams(
  tokens: readonly string[],
  width: number | readonly number[],
  options: NgramsOptions = {},
): string[] {
  const operation = "text.ngrams";
  const { separator, padValues, paddingWidth, preserveShortSequences } = readOptions(operation, options, {
    separator: " ",
    padValues: null as NgramsOptions["padValues"],
    paddingWidth: null as number | null,
    preserveShortSequences: false,
  });
  const wrong = Array.isArray(tokens) ? tokens.findIndex((token) => typeof token !== "string") : 0;
  if (!Array.isArray(tokens) || wrong >= 0) {
    const got = Array.isArray(tokens) ? `${show(tokens[wrong])} at place ${wrong}` : show(tokens);
    throw new UnreelError({ operation, expected: "a list of tokens (strings)", got });
  }
  const widths = widthsOf(`${operation}: width`, typeof width === "number" ? [width] : width, width);
  const pads = typeof padValues === "string" ? [padValues, padValues] : padValues;
  if (pads !== null && pads !== undefined) {
    if (!Array.isArray(pads) || pads.length !== 2 || pads.some((pad) => typeof pad !== "string")) {
      const expected = "a token, or two: [left, right]";
      throw new UnreelError({ operation: `${operation}: padValues`, expected, got: show(padValues) });
    }
  }
  if (paddingWidth !== null && !(Number.isSafeInteger(paddingWidth) && paddingWidth >= 0)) {
    const expected = "an integer, 0 or more";
    throw new UnreelError({ operation: `${operation}: paddingWidth`, expected, got: show(paddingWidth) });
  }
  if (tokens.length === 0) return [];
  const padded = (size: number) => {
    if (!pads) return [...tokens];
    const count = Math.min(size - 1, paddingWidth ?? size - 1);
    return [...new Array(count).fill(pads[0]), ...tokens, ...new Array(count).fill(pads[1])];
  };
  const out = widths.flatMap((size) => groups(padded(size), [size], separator));
  if (out.length > 0 || !preserveShortSequences) return out;
  return [padded(Math.min(...widths)).join(separator)];
}

/** All groups of each width in turn. */
export function groups(tokens: readonly string[], widths: readonly number[], separator: string): string[] {
  const out: string[] = [];
  for (const width of widths) {
    for (let end = width; end <= tokens.length; end++) {
      out.push(width === 1 ? tokens[end - 1] : tokens.slice(end - width, end).join(separator));
    }
  }
  return out;
}

export function widthsOf(operation: string, widths: unknown, given: unknown): number[] {
  if (
    Array.isArray(widths) &&
    widths.length > 0 &&
    widths.every((width) => Number.isSafeInteger(width) && width > 0)
  ) {
    return [...widths];
  }
  throw new UnreelError({
    operation,
    expected: "a positive integer or a list of positive integers",
    got: show(given),
    hint: operation.startsWith("Text") ? "2 means single words and pairs; [2] means pairs only." : undefined,
  });
}
