// Film reviews, liked or not: the five networks of F. Chollet, Deep Learning with Python (2017), chapter 6, on the same words and split.
// 10,000 words, the last 500 of each review, filled up in front, no mask. Not here: the files (datasets.imdb).
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

const FILE = "keras-npz/imdb.npz";

interface Network {
  /** What it must reach on the fifth of the reviews that it is validated with. */
  readonly atLeast: number;
  readonly embedding: number;
  readonly learningRate: number;
  /** All between the embedding and the last layer. */
  layers(): Layer[];
}

const recurrent = (atLeast: number, layer: () => Layer, learningRate = 5e-4): Network => ({
  atLeast,
  embedding: 32,
  learningRate,
  layers: () => [layer()],
});

const NETWORKS = {
  simpleRNN: recurrent(0.84, () => layers.simpleRNN({ units: 32 }), 1e-3),
  lstm: recurrent(0.885, () => layers.lstm({ units: 32 })),
  gru: recurrent(0.88, () => layers.gru({ units: 32 }), 3e-4),
  bidirectional: recurrent(0.88, () => layers.bidirectional({ layer: layers.lstm({ units: 32 }) })),
  conv1D: {
    atLeast: 0.83,
    embedding: 128,
    learningRate: 1e-4,
    layers: () => [
      layers.conv1D({ filters: 32, kernelSize: 7, activation: "relu" }),
      layers.maxPooling1D({ poolSize: 5 }),
      layers.conv1D({ filters: 32, kernelSize: 7, activation: "relu" }),
      layers.globalMaxPooling1D(),
    ],
  },
} satisfies Record<string, Network>;

export const task = await start(import.meta.url, {
  about: "Tells whether a film review is praise: five networks on Keras' IMDB data.",
  epochs: { full: 10, quick: 4 },
  data: {
    files: [FILE],
    source: "Where it is not there it is fetched from where Keras has it (17 MB).",
    isOptional: true,
  },
  options: {
    model: choice(
      "a network",
      Object.keys(NETWORKS) as (keyof typeof NETWORKS)[],
      "lstm",
      "what stands behind the embedding",
    ),
    vocabulary: integer(10_000, "most frequent words kept"),
    patience: integer(10, "epochs without a better accuracy after which training ends"),
  },

  async run({ options, data, fit, part }) {
    const { quick, vocabulary } = options;
    const network: Network = NETWORKS[options.model];
    const { train, test } = await part("reading the reviews", () =>
      datasets.imdb.load({ path: fileIn(data, FILE), numWords: vocabulary }),
    );
    // The quick form learns from a fifth of the reviews, and reads only the ends of them.
    const some = quick ? 5000 : train.x.length;
    const ids = (reviews: Int32Array[]) => sequence.padSequences(reviews, { maxlen: quick ? 80 : 500 });

    const model = sequential([
      layers.embedding({ inputDim: vocabulary, outputDim: network.embedding }),
      ...network.layers(),
      layers.dense({ units: 1, activation: "sigmoid" }),
    ]);
    model.compile({
      optimizer: optimizers.rmsprop({ learningRate: quick ? 3e-3 : network.learningRate }),
      loss: "binaryCrossentropy",
      metrics: ["accuracy"],
    });
    const stop = callbacks.earlyStopping({
      monitor: "val_accuracy",
      patience: options.patience,
      restoreBestWeights: true,
    });
    const history = await part("training", () =>
      fit(model, ids(train.x.slice(0, some)), train.y.subarray(0, some), {
        batchSize: quick ? 64 : 128,
        validationSplit: 0.2,
        callbacks: [stop],
      }),
    );
    const validation = history.history.val_accuracy;

    const unseen = quick ? 1000 : test.x.length;
    const found = await part("reviews of the test", () =>
      model.predict(ids(test.x.slice(0, unseen)), { batchSize: 128 }),
    );
    model.dispose();
    const verdicts = Array.from(found.data, (probability) => (probability > 0.5 ? 1 : 0));
    const right = verdicts.filter((verdict, i) => verdict === test.y[i]).length;
    return {
      figures: [
        {
          name: `best validation accuracy, ${options.model}`,
          value: Math.max(...validation),
          atLeast: quick ? 0.75 : network.atLeast,
        },
        { name: "in epoch", value: stop.bestEpoch + 1 },
        { name: "test accuracy of that epoch", value: right / unseen },
      ],
      confusion: confusionOf(["disliked", "liked"], test.y.subarray(0, unseen), verdicts),
    };
  },
});
