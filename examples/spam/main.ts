// Spam or not: from 6,046 raw mails to a trained recurrent network that classifies mails it never saw.
// text -> vocabulary -> embedding -> recurrent layer -> sigmoid.  npm start -- --help shows what can be changed.
import {
  layers,
  metrics,
  optimizers,
  sequential,
  setRandomSeed,
  type Tensor,
  tensor,
  text,
} from "../../src/index.js";
import { loadMails, type Mail, split } from "./mails.js";
import { type Options, parseOptions, usage } from "./options.js";

const DEFAULTS: Options = {
  cell: "lstm",
  units: 32,
  embedding: 32,
  vocabulary: 10_000,
  length: 200,
  epochs: 3,
  batch: 32,
  learningRate: 0.001,
  seed: 1,
};

/** Runs a part of the job and says how long it took. */
async function part<T>(name: string, work: () => T | Promise<T>): Promise<T> {
  const start = performance.now();
  const result = await work();
  console.log(`${name}: ${((performance.now() - start) / 1000).toFixed(1)} s`);
  return result;
}

function content({ subject, body }: Mail): string {
  return `${subject} ${body}`;
}

function labels(mails: readonly Mail[]): Tensor {
  return tensor(mails.map(({ spam }) => [spam ? 1 : 0]));
}

async function main(options: Options): Promise<void> {
  setRandomSeed(options.seed);
  const start = performance.now();
  const mails = await part("reading and parsing the mails", () => loadMails());
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
    model.fit(x, labels(training), { epochs: options.epochs, batchSize: options.batch }),
  );

  const probabilities = await part(
    "classifying the held-out mails",
    async () => (await model.predict(heldOutX)) as Tensor,
  );
  report(probabilities, heldOut);
  examples(probabilities, heldOut);
  console.log(`\nall of it: ${((performance.now() - start) / 1000).toFixed(1)} s`);
  model.dispose();
}

/** Accuracy, precision, recall and F1 on mails that training never saw. */
function report(probabilities: Tensor, mails: readonly Mail[]): void {
  const y = labels(mails);
  const measure = (metric: metrics.Metric<number>) => metric.update(y, probabilities).result();
  const precision = measure(metrics.precision());
  const recall = measure(metrics.recall());
  const f1 = (2 * precision * recall) / (precision + recall || 1);
  const figures = { accuracy: measure(metrics.binaryAccuracy()), precision, recall, F1: f1 };
  console.log(`\nheld-out mails (${mails.length}):`);
  for (const [name, value] of Object.entries(figures)) console.log(`  ${name.padEnd(10)}${value.toFixed(4)}`);
}

/** Three mails: a clear case of each kind, and the one the model is least sure of. */
function examples(probabilities: Tensor, mails: readonly Mail[]): void {
  const rows = mails.map((mail, row) => ({ mail, probability: probabilities.data[row] }));
  const by = (rank: (probability: number) => number) =>
    rows.reduce((best, row) => (rank(row.probability) > rank(best.probability) ? row : best));
  const chosen = [by((p) => p), by((p) => -p), by((p) => -Math.abs(p - 0.5))];
  console.log("\nthree of them:");
  for (const { mail, probability } of chosen) {
    const verdict = probability > 0.5 ? "spam" : "not spam";
    console.log(
      `  ${(100 * probability).toFixed(1).padStart(5)} % spam -> ${verdict} (it is ${mail.group}): ${mail.subject.slice(0, 60)}`,
    );
  }
}

try {
  const options = parseOptions(process.argv.slice(2), DEFAULTS);
  if (options) await main(options);
  else console.log(usage(DEFAULTS));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
