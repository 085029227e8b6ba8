// Many to one: is a sentence praise? Words are one-hot by a frozen embedding, padding is masked, two recurrent layers are stacked.
import { initializers, layers, optimizers, sequential, type Tensor, tensor, text } from "../../src/index.js";
import { integer } from "../shared/options.js";
import { confusionOf } from "../shared/report.js";
import { start } from "../shared/task.js";
import { heldOut, type Sentence, training } from "./sentences.js";

export const task = await start(import.meta.url, {
  about:
    "Sentiment of short sentences: one-hot words, a mask over padding, two simple RNNs on top of each other.",
  epochs: { full: 40, quick: 40 },
  options: { units: integer(16, "units of each recurrent layer") },

  async run({ options, fit }) {
    const vectorize = new text.TextVectorization();
    vectorize.adapt(training.map((sentence) => sentence.text));
    const ids = (sentences: readonly Sentence[]) =>
      vectorize.apply(sentences.map((sentence) => sentence.text));
    const labels = (sentences: readonly Sentence[]) => tensor(sentences.map(({ liked }) => [liked]));
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

    const classes = ({ data }: Tensor) => Array.from(data, (probability) => (probability > 0.5 ? 1 : 0));
    const right = (sentences: readonly Sentence[], found: readonly number[]) =>
      sentences.filter(({ liked }, i) => liked === found[i]).length / sentences.length;
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
