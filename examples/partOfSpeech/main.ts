// Parts of speech: a tag for each word of a sentence, many to many. What is seen of a word: itself, how it begins and ends (for words
// never seen before), how it is written; a bidirectional LSTM under a mask; the same dense layer at every step.
import {
  callbacks,
  data,
  input,
  layers,
  model,
  optimizers,
  type SymbolicTensor,
  text,
} from "../../src/index.js";
import { choice, integer } from "../shared/options.js";
import { confusionOf } from "../shared/report.js";
import { start } from "../shared/task.js";
import { brown, type Corpus, KAIST_FILES, kaist, type Sentence } from "./corpora.js";

/** What of a word becomes an id: how many ids at most, and numbers for each. */
interface Feature {
  readonly of: (word: string) => string;
  readonly most: number;
  readonly width: number;
}

const ending = (letters: number) => (word: string) => Array.from(word).slice(-letters).join("");
const beginning = (letters: number) => (word: string) => Array.from(word).slice(0, letters).join("");

/** "Aa-a", "0,0": runs of capitals, small letters and digits, each as one sign. */
const shape = (word: string) =>
  word
    .replace(/[A-Z]+/g, "A")
    .replace(/[a-z]+/g, "a")
    .replace(/[0-9]+/g, "0");

const ENGLISH: Record<string, Feature> = {
  word: { of: (word) => word.toLowerCase(), most: 20_000, width: 64 },
  ending: { of: (word) => ending(3)(word.toLowerCase()), most: 4000, width: 32 },
  shape: { of: shape, most: 200, width: 8 },
};

/** Particles and endings are written onto the word: two syllables at its end say most about it. */
const KOREAN: Record<string, Feature> = {
  word: { of: (word) => word, most: 20_000, width: 64 },
  last: { of: ending(1), most: 2000, width: 32 },
  ending: { of: ending(2), most: 12_000, width: 32 },
  beginning: { of: beginning(2), most: 12_000, width: 32 },
};

const CORPORA = {
  brown: { features: ENGLISH, atLeast: 0.965 },
  kaist: { features: KOREAN, atLeast: 0.894 },
} as const;

export const task = await start(import.meta.url, {
  about: "Tags words with their parts of speech: a bidirectional LSTM under a mask, English or Korean.",
  epochs: { full: 2, quick: 3 },
  data: {
    files: KAIST_FILES,
    source: "Only --corpus kaist needs it: github.com/UniversalDependencies/UD_Korean-Kaist.",
    isOptional: true,
    isForQuick: false,
  },
  options: {
    corpus: choice("a corpus", Object.keys(CORPORA) as (keyof typeof CORPORA)[], "brown", "sentences"),
    units: integer(64, "units of the LSTM, each way"),
    batch: integer(32, "sentences for each training step"),
  },

  async run({ options, data: folder, fit, part }) {
    const { quick, batch } = options;
    const { features, atLeast } = CORPORA[options.corpus];
    const corpus: Corpus = await part("reading the corpus", () =>
      options.corpus === "kaist" ? kaist(folder) : brown({ texts: quick ? 25 : 500 }),
    );
    const tagNames = [...new Set(corpus.training.flatMap(({ tags }) => tags))].sort();
    const words = (some: readonly Sentence[]) =>
      some.reduce((sum, sentence) => sum + sentence.words.length, 0);
    console.log(
      `${corpus.training.length} sentences to learn from (${words(corpus.training)} words), ${words(corpus.test)} words held out, ${tagNames.length} tags`,
    );

    // One vocabulary a feature. Words hold no blanks, so a sentence is its words between blanks.
    const sentenceOf = ({ words }: Sentence) => words.join(" ");
    const vocabularies = Object.values(features).map(
      ({ of, most }) =>
        new text.TextVectorization({
          standardize: null,
          split: (sentence) => sentence.split(" ").map(of),
          maxTokens: most,
        }),
    );
    await part("vocabularies", () => {
      for (const each of vocabularies) each.adapt(corpus.training.map(sentenceOf));
    });
    const elements = (some: readonly Sentence[]) => {
      const texts = some.map(sentenceOf);
      const ids = Object.keys(features).map((name, i) => [name, vocabularies[i].sequences(texts)] as const);
      const tags = some.map((sentence) => Int32Array.from(sentence.tags, (tag) => tagNames.indexOf(tag)));
      return data.Dataset.fromTensors({ x: Object.fromEntries(ids), y: tags });
    };
    const buckets = {
      boundaries: [8, 14, 20, 26, 34, 48],
      batchSizes: new Array(7).fill(batch) as number[],
      lengthOf: ({ y }: { y: { shape: readonly number[] } }) => y.shape[0],
    };

    const inputs = Object.keys(features).map((name) => input({ shape: [null], dtype: "int32", name }));
    const embedded = Object.values(features).map(
      ({ width }, i) =>
        layers
          .embedding({ inputDim: vocabularies[i].vocabularySize(), outputDim: width, maskZero: true })
          .apply(inputs[i]) as SymbolicTensor,
    );
    const sum = [
      layers.dropout({ rate: 0.3 }),
      layers.bidirectional({ layer: layers.lstm({ units: options.units, returnSequences: true }) }),
      layers.dropout({ rate: 0.3 }),
      layers.timeDistributed({ layer: layers.dense({ units: tagNames.length, activation: "softmax" }) }),
    ].reduce(
      (x, layer) => layer.apply(x) as SymbolicTensor,
      layers.concatenate().apply(embedded) as SymbolicTensor,
    );
    const tagger = model({ inputs, outputs: sum });
    tagger.compile({
      optimizer: optimizers.adam({ learningRate: quick ? 1e-2 : 4e-3, clipnorm: 1 }),
      loss: "sparseCategoricalCrossentropy",
      metrics: ["accuracy"],
    });
    const best = callbacks.earlyStopping({ monitor: "val_accuracy", patience: 2, restoreBestWeights: true });
    await part("training", () =>
      fit(
        tagger,
        elements(corpus.training).shuffle(60_000, { seed: options.seed }).bucketByLength(buckets).prefetch(4),
        { validationData: elements(corpus.validation).paddedBatch(64), callbacks: [best] },
      ),
    );

    const known = new Set(corpus.training.flatMap((sentence) => sentence.words));
    const truth: number[] = [];
    const found: number[] = [];
    const isNew: boolean[] = [];
    let row = 0;
    for await (const { x, y } of elements(corpus.test).paddedBatch(64)) {
      const { data: probabilities } = await tagger.predict(x);
      const steps = y.shape[1];
      for (let i = 0; i < y.shape[0]; i++, row++) {
        corpus.test[row].words.forEach((word, step) => {
          const from = (i * steps + step) * tagNames.length;
          const of = probabilities.subarray(from, from + tagNames.length);
          truth.push(y.data[i * steps + step]);
          found.push(of.indexOf(Math.max(...of)));
          isNew.push(!known.has(word));
        });
      }
    }
    tagger.dispose();
    const share = (some: readonly number[]) => some.filter((i) => truth[i] === found[i]).length / some.length;
    const all = [...truth.keys()];
    const first = corpus.test.findIndex((sentence) => sentence.words.length > 6);
    const before = words(corpus.test.slice(0, first));
    return {
      figures: [
        { name: `words tagged right, ${options.corpus}`, value: share(all), atLeast: quick ? 0.9 : atLeast },
        { name: "most frequent tag of each word", value: baseline(corpus, tagNames) },
        { name: "words never seen before, tagged right", value: share(all.filter((i) => isNew[i])) },
        { name: "share of such words", value: isNew.filter(Boolean).length / isNew.length },
      ],
      confusion: confusionOf(tagNames, truth, found),
      says: corpus.test[first].words
        .slice(0, 12)
        .map((word, i) => `${word}/${tagNames[found[before + i]]}`)
        .join(" "),
    };
  },
});

/** What a table does: each word's most frequent tag; for others the most frequent tag of words with the same three last letters. */
function baseline({ training, test }: Corpus, tagNames: readonly string[]): number {
  const tables = [(word: string) => word, ending(3), () => ""].map((key) => {
    const counts = new Map<string, Map<string, number>>();
    for (const { words, tags } of training) {
      words.forEach((word, i) => {
        const of = counts.get(key(word)) ?? new Map<string, number>();
        counts.set(key(word), of.set(tags[i], (of.get(tags[i]) ?? 0) + 1));
      });
    }
    const best = new Map([...counts].map(([each, of]) => [each, [...of].sort((a, b) => b[1] - a[1])[0][0]]));
    return (word: string) => best.get(key(word));
  });
  const guess = (word: string) =>
    tables.map((table) => table(word)).find((tag) => tag !== undefined) ?? tagNames[0];
  const pairs = test.flatMap(({ words, tags }) => words.map((word, i) => guess(word) === tags[i]));
  return pairs.filter(Boolean).length / pairs.length;
}
