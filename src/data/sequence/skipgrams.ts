// Pairs of words that stand near each other, and pairs that do not: for word2vec. Keras' skipgrams and make_sampling_table.
import { inRange, positiveInteger, show, UnreelError } from "../../errors.js";
import { readOptions } from "../../layers/options.js";
import { logarithm } from "../../numerics.js";
import { Random, seedOr } from "../../random.js";

export interface SkipgramsOptions {
  /** Largest id + 1. */
  vocabularySize: number;
  /** Words on each side. Default 4. */
  windowSize?: number;
  /** Random pairs for each true pair. Default 1. */
  negativeSamples?: number;
  /** Default true. */
  shuffle?: boolean;
  /** Labels are [0, 1] for true pairs and [1, 0] for random ones. Default false: 1 and 0. */
  categorical?: boolean;
  /** For each id, how likely it is kept: `makeSamplingTable`. */
  samplingTable?: ArrayLike<number> | null;
  /** Default: drawn from the global generator. Unlike in Keras it is the seed of all that is random here. */
  seed?: number | null;
}

/** Mikolov et al., "Efficient estimation of word representations in vector space" (2013). Id 0 is no word and left out. The pairs are
 * Keras'; what is random (negative samples, order, the sampling table) comes from our own generator. */
export function skipgrams(
  sequence: ArrayLike<number>,
  options: SkipgramsOptions,
): { couples: [number, number][]; labels: number[] | [number, number][] } {
  const operation = "skipgrams";
  const read = readOptions(operation, options, {
    vocabularySize: undefined as unknown as number,
    windowSize: 4,
    negativeSamples: 1,
    shuffle: true,
    categorical: false,
    samplingTable: null as ArrayLike<number> | null,
    seed: null as number | null,
  });
  const { vocabularySize, windowSize, negativeSamples, categorical, samplingTable } = read;
  positiveInteger(`${operation}: vocabularySize`, vocabularySize);
  positiveInteger(`${operation}: windowSize`, windowSize);
  inRange(`${operation}: negativeSamples`, negativeSamples, 0, Number.POSITIVE_INFINITY);
  if (vocabularySize < 2) {
    const expected = "2 or more: id 0 is no word";
    throw new UnreelError({ operation: `${operation}: vocabularySize`, expected, got: show(vocabularySize) });
  }
  if (samplingTable !== null && samplingTable.length < vocabularySize) {
    const expected = `${vocabularySize} probabilities`;
    throw new UnreelError({
      operation: `${operation}: samplingTable`,
      expected,
      got: `${samplingTable?.length}`,
    });
  }
  const isList = Array.isArray(sequence) || ArrayBuffer.isView(sequence);
  const ids = isList ? Array.from(sequence) : [];
  const wrong = ids.findIndex((id) => !Number.isSafeInteger(id) || id < 0 || id >= vocabularySize);
  if (!isList || wrong >= 0) {
    const got = isList ? `${show(ids[wrong])} at place ${wrong}` : show(sequence);
    throw new UnreelError({ operation, expected: `ids from 0 to ${vocabularySize - 1}`, got });
  }
  const random = new Random(seedOr(read.seed, `${operation}: seed`));
  const couples: [number, number][] = [];
  ids.forEach((word, i) => {
    if (word === 0 || (samplingTable !== null && samplingTable[word] < random.uniform())) return;
    for (let j = Math.max(0, i - windowSize); j < Math.min(ids.length, i + windowSize + 1); j++) {
      if (j !== i && ids[j] !== 0) couples.push([word, ids[j]]);
    }
  });
  const labels = couples.map(() => 1);
  if (couples.length > 0) {
    const words = Uint32Array.from(couples, ([word]) => word);
    random.shuffle(words);
    const count = Math.floor(couples.length * negativeSamples);
    for (let i = 0; i < count; i++) {
      couples.push([words[i % words.length], 1 + random.integer(vocabularySize - 1)]);
      labels.push(0);
    }
  }
  const order = Array.from(couples, (_, i) => i);
  if (read.shuffle) random.shuffle(order);
  return {
    couples: order.map((i) => couples[i]),
    labels: categorical
      ? order.map((i): [number, number] => [1 - labels[i], labels[i]])
      : order.map((i) => labels[i]),
  };
}

/** How likely the i-th most frequent word is kept, float64 [size], if words follow Zipf's law: frequent ones less. Keras'
 * make_sampling_table. `samplingFactor` is word2vec's. */
export function makeSamplingTable(size: number, samplingFactor = 1e-5): Float64Array {
  positiveInteger("makeSamplingTable: size", size);
  inRange("makeSamplingTable: samplingFactor", samplingFactor, Number.MIN_VALUE, Number.POSITIVE_INFINITY);
  const gamma = 0.577;
  return Float64Array.from({ length: size }, (_, i) => {
    const rank = Math.max(i, 1);
    const frequency = samplingFactor * (rank * (logarithm(rank) + gamma) + 0.5 - 1 / (12 * rank));
    return Math.min(1, frequency / Math.sqrt(frequency));
  });
}
