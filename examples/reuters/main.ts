// News in 46 topics: many to one with many classes. A recurrent network reads both ways and averages what it finds under the mask;
// or a convolution keeps what stands out. Not here: the files (datasets.reuters).
import {
  callbacks,
  datasets,
  type Layer,
  layers,
  optimizers,
  sequence,
  sequential,
} from "../../src/index.js";
import { choice, integer } from "../shared/options.js";
import { confusionOf } from "../shared/report.js";
import { fileIn, start } from "../shared/task.js";

const FILE = "keras-npz/reuters.npz";

/** Means over steps under a mask: a topic is a matter of all words, not of the last ones. */
const bothWays = (layer: Layer): Layer[] => [
  layers.bidirectional({ layer }),
  layers.globalAveragePooling1D(),
];

const NETWORKS = {
  lstm: (units: number) => bothWays(layers.lstm({ units, returnSequences: true })),
  gru: (units: number) => bothWays(layers.gru({ units, returnSequences: true })),
  conv1D: (units: number) => [
    layers.conv1D({ filters: 4 * units, kernelSize: 3, activation: "relu" }),
    layers.globalMaxPooling1D(),
  ],
} satisfies Record<string, (units: number) => Layer[]>;

export const task = await start(import.meta.url, {
  about: "Sorts news into 46 topics, on Keras' Reuters data.",
  epochs: { full: 20, quick: 2 },
  data: {
    files: [FILE],
    source: "Where it is not there it is fetched from where Keras has it (2 MB).",
    isOptional: true,
  },
  options: {
    model: choice(
      "a network",
      Object.keys(NETWORKS) as (keyof typeof NETWORKS)[],
      "gru",
      "what stands behind the embedding",
    ),
    units: integer(
      64,
      "units of the recurrent layer, each way; filters of the convolution: four times as many",
    ),
    vocabulary: integer(10_000, "most frequent words kept"),
    length: integer(120, "words read of each text, from its beginning"),
  },

  async run({ options, data, fit, part }) {
    const { quick, vocabulary } = options;
    const { train, test } = await part("reading the news", () =>
      datasets.reuters.load({ path: fileIn(data, FILE), numWords: vocabulary }),
    );
    // News say what they are about in their first lines; zeros behind a text are masked.
    const ids = (texts: Int32Array[]) =>
      sequence.padSequences(texts, {
        maxlen: quick ? 40 : options.length,
        padding: "post",
        truncating: "post",
      });
    const isConvolution = options.model === "conv1D";
    const model = sequential([
      // The convolution sees the zeros.
      layers.embedding({ inputDim: vocabulary, outputDim: 64, maskZero: !isConvolution }),
      layers.spatialDropout1D({ rate: 0.2 }),
      ...NETWORKS[options.model](quick ? 32 : options.units),
      layers.dropout({ rate: 0.5 }),
      layers.dense({ units: 46, activation: "softmax" }),
    ]);
    model.compile({
      optimizer: optimizers.adam({ learningRate: quick ? 5e-3 : 2e-3 }),
      loss: "sparseCategoricalCrossentropy",
      metrics: ["accuracy"],
    });
    // The last tenth of what is for training says when to stop: the test is looked at once, at the end.
    const stop = callbacks.earlyStopping({
      monitor: "val_accuracy",
      patience: 3,
      restoreBestWeights: true,
    });
    await part("training", () =>
      fit(model, ids(train.x), train.y, { batchSize: 64, validationSplit: 0.1, callbacks: [stop] }),
    );

    const found = await model.predict(ids(test.x), { batchSize: 128 });
    model.dispose();
    const topics = Array.from(test.y, (_, i) => {
      const row = found.data.subarray(i * 46, (i + 1) * 46);
      return row.indexOf(Math.max(...row));
    });
    const right = (some: readonly number[]) => some.filter((i) => topics[i] === test.y[i]).length;
    const all = Array.from(topics.keys());
    const { confusion, others } = ofTheMostFrequent(test.y, topics);
    return {
      figures: [
        { name: "accuracy", value: right(all) / all.length, atLeast: quick ? 0.75 : 0.78 },
        { name: "accuracy outside of 'earn' and 'acq'", value: right(others) / others.length },
        { name: "in epoch", value: stop.bestEpoch + 1 },
      ],
      confusion,
    };
  },
});

/** 46 rows are no table for a page: the nine most frequent topics and the rest. */
function ofTheMostFrequent(truth: Int32Array, found: readonly number[]) {
  const names = datasets.reuters.getLabelNames();
  const counts = names.map((_, topic) => truth.filter((each) => each === topic).length);
  const order = [...names.keys()].sort((a, b) => counts[b] - counts[a]).slice(0, 9);
  const place = (topic: number) => (order.includes(topic) ? order.indexOf(topic) : 9);
  return {
    confusion: confusionOf(
      [...order.map((topic) => names[topic]), "others"],
      Array.from(truth, place),
      found.map(place),
    ),
    others: [...truth.keys()].filter((i) => !order.slice(0, 2).includes(truth[i])),
  };
}
