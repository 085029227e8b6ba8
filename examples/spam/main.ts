// Spam or not: from 6,046 raw mails to a trained recurrent network that classifies mails it never saw.
// text -> vocabulary -> embedding -> recurrent layer -> sigmoid.  npm start -- --help shows what can be changed.
import { layers, metrics, optimizers, sequential, type Tensor, tensor, text } from "../../src/index.js";
import { choice, integer, positive } from "../shared/options.js";
import { confusionOf } from "../shared/report.js";
import { start } from "../shared/task.js";
import { loadMails, type Mail, split } from "./mails.js";

const CELLS = ["simpleRNN", "lstm", "gru"] as const;

const content = ({ subject, body }: Mail) => `${subject} ${body}`;
const labels = (mails: readonly Mail[]) => tensor(mails.map(({ spam }) => [spam ? 1 : 0]));

/** Three mails: a clear case of each kind, and the one the model is least sure of. */
function threeOf(probabilities: Tensor, mails: readonly Mail[]): string {
  const rows = mails.map((mail, row) => ({ mail, probability: probabilities.data[row] }));
  const by = (rank: (probability: number) => number) =>
    rows.reduce((best, row) => (rank(row.probability) > rank(best.probability) ? row : best));
  const chosen = [by((p) => p), by((p) => -p), by((p) => -Math.abs(p - 0.5))];
  return chosen
    .map(({ mail, probability }) => {
      const share = (100 * probability).toFixed(1).padStart(5);
      const verdict = probability > 0.5 ? "spam" : "not spam";
      return `${share} % spam -> ${verdict} (it is ${mail.group}): ${mail.subject.slice(0, 60)}`;
    })
    .join("\n");
}

export const task = await start(import.meta.url, {
  about: "Tells spam from wanted mail with a recurrent network.",
  epochs: { full: 3, quick: 6 },
  options: {
    cell: choice("a recurrent layer", CELLS, "lstm", "recurrent layer"),
    units: integer(32, "units of the recurrent layer"),
    embedding: integer(32, "numbers for each word"),
    vocabulary: integer(10_000, "most frequent words kept"),
    length: integer(200, "words read of each mail"),
    batch: integer(32, "mails for each training step"),
    learningRate: positive(0.001, "step size of the optimizer"),
  },

  async run({ options, fit, part }) {
    const every = options.quick ? 8 : 1;
    const mails = await part("reading and parsing the mails", () => loadMails({ every }));
    const { training, heldOut } = split(mails);
    const spam = (some: readonly Mail[]) => some.filter((mail) => mail.spam).length;
    console.log(
      `${training.length} mails to learn from (${spam(training)} spam), ${heldOut.length} held out (${spam(heldOut)} spam)`,
    );

    const vectorize = new text.TextVectorization({
      maxTokens: options.vocabulary,
      outputSequenceLength: options.length,
    });
    const [x, heldOutX] = await part("vocabulary and ids", () => {
      vectorize.adapt(training.map(content));
      return [vectorize.apply(training.map(content)), vectorize.apply(heldOut.map(content))];
    });

    const model = sequential([
      layers.embedding({
        inputDim: options.vocabulary,
        outputDim: options.embedding,
        maskZero: true,
        inputShape: [options.length],
      }),
      layers.dropout({ rate: 0.5 }),
      // Read from its end, so that the subject and the first lines, which say most, come last.
      layers[options.cell]({ units: options.units, goBackwards: true }),
      layers.dropout({ rate: 0.5 }),
      layers.dense({ units: 1, activation: "sigmoid" }),
    ]);
    model.summary();
    model.compile({
      optimizer: optimizers.adam({ learningRate: options.learningRate, clipnorm: 1 }),
      loss: "binaryCrossentropy",
      metrics: ["accuracy"],
    });
    await part("training", () =>
      fit(model, x, labels(training), {
        batchSize: options.batch,
        validationData: [heldOutX, labels(heldOut)],
      }),
    );

    const probabilities = await model.predict(heldOutX);
    model.dispose();
    const y = labels(heldOut);
    const measure = (metric: metrics.Metric<number>) => metric.update(y, probabilities).result();
    const precision = measure(metrics.precision());
    const recall = measure(metrics.recall());
    return {
      figures: [
        { name: "accuracy", value: measure(metrics.binaryAccuracy()), atLeast: options.quick ? 0.9 : 0.97 },
        { name: "precision", value: precision },
        { name: "recall", value: recall },
        { name: "F1", value: (2 * precision * recall) / (precision + recall || 1) },
      ],
      confusion: confusionOf(
        ["wanted", "spam"],
        y.data,
        Array.from(probabilities.data, (p) => (p > 0.5 ? 1 : 0)),
      ),
      says: `of ${heldOut.length} mails that were held out:\n${threeOf(probabilities, heldOut)}`,
    };
  },
});
