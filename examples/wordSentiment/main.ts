// Many to one: is a sentence praise? Words are one-hot by a frozen embedding, padding is masked, two recurrent layers are stacked.
// With --corpus reviews: the same on real sentences, whose words have learned vectors.
import {
  callbacks,
  initializers,
  layers,
  optimizers,
  sequential,
  type Tensor,
  tensor,
  text,
} from "../../src/index.js";
import { choice, type Declared, integer } from "../shared/options.js";
import { confusionOf } from "../shared/report.js";
import { type Outcome, type Run, start } from "../shared/task.js";
import { reviews, SOURCE, TABLE } from "./reviews.js";
import { heldOut, type Sentence, training } from "./sentences.js";

const CORPORA = ["sentences", "reviews"] as const;

const labels = (sentences: readonly Sentence[]) => tensor(sentences.map(({ liked }) => [liked]));
const classes = ({ data }: Tensor) => Array.from(data, (probability) => (probability > 0.5 ? 1 : 0));
const right = (sentences: readonly Sentence[], found: readonly number[]) =>
  sentences.filter(({ liked }, i) => liked === found[i]).length / sentences.length;

/** Pang and Lee's sentences: two GRUs on top of each other, the first both ways. */
async function onReviews(
  { data, fit, part }: Pick<Run<Declared>, "data" | "fit" | "part">,
  units: number,
  epochs: number,
): Promise<Outcome> {
  const corpus = await part("reading the sentences", () => reviews(data));
  const vectorize = new text.TextVectorization({ maxTokens: 10_000 });
  vectorize.adapt(corpus.training.map((sentence) => sentence.text));
  const ids = (sentences: readonly Sentence[]) => vectorize.apply(sentences.map((sentence) => sentence.text));
  const model = sequential([
    layers.embedding({
      inputDim: vectorize.vocabularySize(),
      outputDim: 64,
      maskZero: true,
      inputShape: [null],
    }),
    layers.dropout({ rate: 0.5 }),
    layers.bidirectional({ layer: layers.gru({ units, returnSequences: true }) }),
    layers.dropout({ rate: 0.5 }),
    layers.gru({ units }),
    layers.dropout({ rate: 0.5 }),
    layers.dense({ units: 1, activation: "sigmoid" }),
  ]);
  model.compile({
    optimizer: optimizers.adam({ learningRate: 2e-3, clipnorm: 1 }),
    loss: "binaryCrossentropy",
    metrics: ["accuracy"],
  });
  const best = callbacks.earlyStopping({ monitor: "val_accuracy", patience: 3, restoreBestWeights: true });
  await part("training", () =>
    fit(model, ids(corpus.training), labels(corpus.training), {
      batchSize: 32,
      epochs,
      validationData: [ids(corpus.validation), labels(corpus.validation)],
      callbacks: [best],
    }),
  );
  const found = classes(await model.predict(ids(corpus.test), { batchSize: 128 }));
  model.dispose();
  return {
    figures: [
      { name: "accuracy, sentences of reviews", value: right(corpus.test, found), atLeast: 0.75 },
      { name: "in epoch", value: best.bestEpoch + 1 },
    ],
    confusion: confusionOf(
      ["disliked", "liked"],
      corpus.test.map(({ liked }) => liked),
      found,
    ),
    says: corpus.test
      .slice(0, 5)
      .map((sentence, i) => `${found[i] ? "liked   " : "disliked"}  ${sentence.text}`)
      .join("\n"),
  };
}

export const task = await start(import.meta.url, {
  about:
    "Sentiment of short sentences: one-hot words, a mask over padding, two simple RNNs on top of each other.",
  epochs: { full: 40, quick: 40 },
  data: { files: [TABLE], source: SOURCE, isOptional: true, isForQuick: false },
  options: {
    units: integer(16, "units of each recurrent layer; twice as many for reviews"),
    corpus: choice("a corpus", CORPORA, "sentences", "built-in sentences, or real ones"),
  },

  async run(run) {
    const { options, fit } = run;
    if (options.corpus === "reviews") return onReviews(run, 2 * options.units, Math.min(options.epochs, 10));
    const vectorize = new text.TextVectorization();
    vectorize.adapt(training.map((sentence) => sentence.text));
    const ids = (sentences: readonly Sentence[]) =>
      vectorize.apply(sentences.map((sentence) => sentence.text));
    const words = vectorize.getVocabulary().length;

    const model = sequential([
      layers.embedding({
        inputDim: words,
        outputDim: words,
        embeddingsInitializer: initializers.identity(),
        trainable: false,
        maskZero: true,
        inputShape: [null],
      }),
      layers.simpleRNN({ units: options.units, returnSequences: true }),
      layers.simpleRNN({ units: options.units }),
      layers.dense({ units: 1, activation: "sigmoid" }),
    ]);
    model.compile({
      optimizer: optimizers.adam({ learningRate: 0.01 }),
      loss: "binaryCrossentropy",
      metrics: ["accuracy"],
    });
    await fit(model, ids(training), labels(training), {
      batchSize: 8,
      validationData: [ids(heldOut), labels(heldOut)],
    });

    const learned = classes(await model.predict(ids(training)));
    const unseen = classes(await model.predict(ids(heldOut)));
    model.dispose();
    return {
      figures: [
        { name: "accuracy", value: right(training, learned), atLeast: 1 },
        { name: "accuracy, sentences not trained on", value: right(heldOut, unseen), atLeast: 1 },
      ],
      confusion: confusionOf(
        ["disliked", "liked"],
        heldOut.map(({ liked }) => liked),
        unseen,
      ),
      says: heldOut
        .map((sentence, i) => `${unseen[i] ? "liked   " : "disliked"}  ${sentence.text}`)
        .join("\n"),
    };
  },
});
