// What the tests of the data side share: the golden file, refusals, camelCase options.
import * as assert from "uvu/assert";
import { UnreelError } from "../../src/errors.js";
import { camelCase } from "../../src/layers/options.js";
import { type Numbers, readGolden } from "../support.js";

export type Options = Record<string, unknown>;

/** tests/golden/keras_data.json. */
export interface Golden {
  texts: string[];
  asked: string[];
  tokenizers: {
    options: Options;
    word_index: [string, number][];
    sequences: number[][];
    texts: string[];
    matrices: Record<"binary" | "count" | "tfidf" | "freq", Numbers>;
    json: string;
  }[];
  hashing: { text: string; n: number; ids: number[]; words: string[] }[];
  ngrams: { tokens: string[]; width: number | number[]; options: Options; ngrams: string[] }[];
  lookups: {
    kind: "StringLookup" | "IntegerLookup";
    options: Options;
    vocabulary: (string | number | null)[];
    data: (string | number)[][];
    asked: (string | number)[][];
    answer: Numbers;
    row: Numbers;
    scalar: Numbers;
  }[];
  hashes: { words: string[]; farm: number[]; sip: number[] };
  inverses: { kind: "StringLookup" | "IntegerLookup"; options: Options; keys: (string | number)[][] }[];
  normalizations: {
    axis: number | number[] | null;
    given?: { mean: number | number[]; variance: number | number[] };
    data: Numbers;
    answer: Numbers;
    inverse?: Numbers;
    mean?: Numbers;
    variance?: Numbers;
  }[];
  discretizations: {
    options: Options;
    batches?: Numbers[];
    boundaries?: number[];
    asked?: Numbers;
    answer?: Numbers;
    column?: Numbers;
  }[];
  encodings: { mode: string; asked: number[] | number[][]; weights?: number[][]; answer: Numbers }[];
  series: { options: Options; data: Numbers; targets: Numbers | null; batches: Numbers[][] }[];
  skipgrams: {
    sequence: number[];
    window: number;
    categorical: boolean;
    couples: number[][];
    labels: (number | number[])[];
  }[];
  samplingTable: Record<string, number[]>;
  batches: {
    rows: number[][];
    bucketed: { options: Options; batches: Numbers[] }[];
    padded: { size: number; shape: number | null; value: number | null; drop: boolean; batches: Numbers[] }[];
    windows: { size: number; shift: number | null; stride: number; drop: boolean; windows: number[][] }[];
  };
  shuffles: { seed: number; orders: number[][] }[];
}

export const golden = readGolden<Golden>("keras_data.json");

/** Keras' option names (and the values that are names) as unreel spells them. */
export function camelOptions(options: Options): Options {
  return Object.fromEntries(
    Object.entries(options).map(([name, value]) => [
      camelCase(name),
      name === "output_mode" ? camelCase(value as string) : value,
    ]),
  );
}

/** The promise is refused with an error of ours that fits the pattern. */
export async function rejects(attempt: () => unknown, message: RegExp): Promise<void> {
  try {
    await attempt();
  } catch (error) {
    assert.instance(error, UnreelError);
    assert.match(String(error), message);
    return;
  }
  assert.unreachable(`nothing was refused; ${message} was expected`);
}
