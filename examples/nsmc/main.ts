// Korean film reviews, liked or not, character by character: syllables as they are written and pairs of neighbours, as ids; their
// embeddings added up; a GRU both ways. Reviews stream in batches of about one length. Not here: the files (datasets.nsmc).
import {
  callbacks,
  data,
  datasets,
  input,
  layers,
  model,
  optimizers,
  type SymbolicTensor,
  text,
} from "../../src/index.js";
import { integer } from "../shared/options.js";
import { confusionOf } from "../shared/report.js";
import { fileIn, start } from "../shared/task.js";

const FILES = {
  train: "sentiment-ko/nsmc-raw-train.tsv.gz",
  validation: "sentiment-ko/nsmc-raw-validation.tsv.gz",
  test: "sentiment-ko/nsmc-raw-test.tsv.gz",
};

interface Reviews {
  readonly texts: readonly string[];
  readonly labels: Int32Array;
}

/** Stands before the first character, so that there are as many pairs as characters. */
const BEGIN = "\u2581";

/** Blanks that a reader takes for one, and a letter or sign beyond its third time: ㅋㅋㅋㅋㅋㅋ is ㅋㅋㅋ. */
const evenOut = (review: string) =>
  review
    .normalize("NFC")
    .toLowerCase()
    .replace(/\s+/g, " ")
    .replace(/(.)\1{3,}/gu, "$1$1$1")
    .trim();

const some = ({ texts, labels }: Reviews, from: number, to?: number): Reviews => ({
  texts: texts.slice(from, to),
  labels: labels.subarray(from, to),
});

export const task = await start(import.meta.url, {
  about: "Tells whether a Korean film review is praise, from its characters.",
  epochs: { full: 3, quick: 3 },
  data: {
    files: Object.values(FILES),
    source: "Where it is not there it is fetched from where its makers have it (github.com/e9t/nsmc, 20 MB).",
    isOptional: true,
  },
  options: {
    units: integer(64, "units of the GRU, each way"),
    embedding: integer(64, "numbers for each character and each pair"),
    pairs: integer(20_000, "most frequent pairs of characters kept"),
    batch: integer(128, "reviews for each training step"),
  },

  async run({ options, data: folder, fit, part }) {
    const { quick, batch } = options;
    const { train, validation, test } = await part("reading the reviews", async () => {
      const [first, second, third] = Object.values(FILES).map((file) => fileIn(folder, file));
      const isThere = first && second && third;
      // The quick form does with the smallest file.
      const path = quick ? { validation: second } : { train: first, validation: second, test: third };
      const read = await datasets.nsmc.load(isThere ? { path } : {});
      if (quick) {
        const few = isThere ? read.validation : read.train;
        return {
          train: some(few, 0, 8000),
          validation: some(few, 8000, 9000),
          test: some(few, 9000, 10_000),
        };
      }
      if (isThere) return read;
      return { train: some(read.train, 10_000), validation: some(read.train, 0, 10_000), test: read.test };
    });
    console.log(`${train.texts.length} reviews to learn from, ${test.texts.length} held out`);

    const characters = new text.TextVectorization({ standardize: null, split: "character", maxTokens: 3000 });
    const pairs = new text.TextVectorization({
      standardize: null,
      split: "character",
      ngrams: [2],
      maxTokens: quick ? 5000 : options.pairs,
    });
    await part("vocabularies", () => {
      const even = train.texts.map(evenOut);
      characters.adapt(even);
      pairs.adapt(even.map((review) => BEGIN + review));
    });
    /** Batches of reviews of about one length: little padding, and the mask hides what there is. */
    const batches = ({ texts, labels }: Reviews) => {
      const even = texts.map(evenOut);
      const one = characters.sequences(even);
      const two = pairs.sequences(even.map((review) => BEGIN + review));
      // A review of blanks has nothing to read: it is one unknown character.
      const ids = (rows: readonly Int32Array[]) =>
        rows.map((row) => (row.length > 0 ? row : Int32Array.of(1)));
      return data.Dataset.fromTensors({ x: { characters: ids(one), pairs: ids(two) }, y: labels });
    };
    const bucketed = {
      boundaries: [16, 24, 32, 40, 56, 80],
      batchSizes: new Array(7).fill(batch) as number[],
      lengthOf: ({ x }: { x: { characters: { shape: readonly number[] } } }) => x.characters.shape[0],
    };
    const known = batches(validation).bucketByLength(bucketed);

    const [one, two] = ["characters", "pairs"].map((name) => input({ shape: [null], dtype: "int32", name }));
    const embedded = (ids: SymbolicTensor, words: text.TextVectorization) =>
      layers
        .embedding({ inputDim: words.vocabularySize(), outputDim: options.embedding, maskZero: true })
        .apply(ids) as SymbolicTensor;
    const sum = layers.add().apply([embedded(one, characters), embedded(two, pairs)]) as SymbolicTensor;
    const dropped = layers.dropout({ rate: 0.3 }).apply(sum) as SymbolicTensor;
    const read = layers
      .bidirectional({ layer: layers.gru({ units: quick ? 32 : options.units }) })
      .apply(dropped) as SymbolicTensor;
    const praise = layers
      .dense({ units: 1, activation: "sigmoid" })
      .apply(layers.dropout({ rate: 0.3 }).apply(read) as SymbolicTensor) as SymbolicTensor;
    const network = model({ inputs: [one, two], outputs: praise });
    network.compile({
      optimizer: optimizers.adam({ learningRate: quick ? 3e-3 : 2e-3, clipnorm: 1 }),
      loss: "binaryCrossentropy",
      metrics: ["accuracy"],
    });
    const best = callbacks.earlyStopping({ monitor: "val_accuracy", patience: 2, restoreBestWeights: true });
    const shuffled = batches(train)
      .shuffle(20_000, { seed: options.seed })
      .bucketByLength(bucketed)
      .prefetch(4);
    await part("training", () => fit(network, shuffled, { validationData: known, callbacks: [best] }));

    // In their order, whatever their lengths: verdicts are compared with labels one by one.
    const inOrder = batches(test).paddedBatch(256);
    const { data: probabilities } = await part("held-out reviews", () => network.predict(inOrder));
    network.dispose();
    const verdicts = Array.from(probabilities, (probability) => (probability > 0.5 ? 1 : 0));
    const right = verdicts.filter((verdict, i) => verdict === test.labels[i]).length;
    return {
      figures: [{ name: "accuracy", value: right / verdicts.length, atLeast: quick ? 0.75 : 0.86 }],
      confusion: confusionOf(["disliked", "liked"], test.labels, verdicts),
      says: [0, 1, 2, 3, 4]
        .map(
          (i) => `${(100 * probabilities[i]).toFixed(1).padStart(5)} % praise: ${test.texts[i].slice(0, 60)}`,
        )
        .join("\n"),
    };
  },
});
