// Questions about a story: one encoder reads the question, another the story sentence by sentence with the question in mind, and the
// answer is one of all answers. Trained from questions and answers alone: which sentences matter is not told.
import {
  callbacks,
  input,
  layers,
  type Model,
  model as modelOf,
  ops,
  optimizers,
  schedules,
} from "../../src/index.js";
import { integer, isSwitch, positive } from "../shared/options.js";
import type { Figure } from "../shared/report.js";
import { start } from "../shared/task.js";
import { Encoder, FOLDER, readTask, tasksIn } from "./stories.js";

/** What must be reached, by task; the mean error of all is the LSTM's of Sukhbaatar et al. (2015). */
const GOALS: Record<number, number> = { 1: 0.99, 4: 0.98 };
const MEAN_ERROR = 0.36;
const VALIDATION = 1000;

interface Sizes {
  readonly embedding: number;
  readonly units: number;
  readonly dropout: number;
}

function twoEncoders(
  { words, sentences, vocabulary, answers }: Encoder,
  { embedding, units, dropout }: Sizes,
): Model {
  const story = input({ shape: [sentences * words], dtype: "int32", name: "story" });
  const question = input({ shape: [null], dtype: "int32", name: "question" });

  const inQuestion = layers.embedding({ inputDim: vocabulary, outputDim: embedding, maskZero: true });
  const asked = layers.gru({ units, name: "question_encoder" }).apply(inQuestion.apply(question));

  // A window as wide as a sentence, and as far to the next: one vector for each sentence, in which words have their places.
  const inStory = layers.embedding({ inputDim: vocabulary, outputDim: embedding });
  const window = { kernelSize: words, strides: words, activation: "relu" };
  const said = layers.conv1D({ filters: units, ...window, name: "sentences" }).apply(inStory.apply(story));
  const each = layers.repeatVector({ n: sentences }).apply(asked);
  const together = layers.concatenate().apply([said, each, ops.multiply(said, each)]);
  const inMind = layers.dense({ units, activation: "relu" }).apply(together);
  const mask = ops.max(ops.reshape(ops.notEqual(story, 0), [null, sentences, words]), { axis: 2 });
  const first = layers.gru({ units, returnSequences: true, name: "story_encoder" }).apply(inMind, { mask });
  const last = layers.gru({ units, name: "story_encoder_2" }).apply(first, { mask });

  const known = layers.dropout({ rate: dropout }).apply(layers.concatenate().apply([last, asked]));
  const hidden = layers.dense({ units, activation: "relu" }).apply(known);
  const answer = layers.dense({ units: answers.vocabularySize(), activation: "softmax" }).apply(hidden);
  return modelOf({ inputs: [story, question], outputs: answer });
}

export const task = await start(import.meta.url, {
  about: "Questions and answers (bAbI): a question encoder and a story encoder.",
  epochs: { full: 15, quick: 6 },
  data: {
    files: [`${FOLDER}/qa1_single-supporting-fact_train.txt.gz`],
    source: `bAbI tasks v1.2 (Weston et al. 2015), the files of en-10k in a folder ${FOLDER}, packed with gzip.`,
  },
  options: {
    task: integer(1, "number of the task"),
    all: isSwitch("all tasks that are there, one after the other"),
    embedding: integer(32, "numbers for each word"),
    units: integer(64, "units of both encoders"),
    dropout: positive(0.1, "share of what is known that is dropped before the answer"),
    batch: integer(32, "questions for each training step"),
    sentences: integer(40, "last sentences of a story that are read"),
    learningRate: positive(0.005, "step size of the optimizer at the start; it falls along a cosine"),
  },

  async run({ options, data, fit, part }) {
    const numbers = options.all ? tasksIn(data) : [options.task];
    const figures: Figure[] = [];
    const rows: string[] = [];
    let errors = 0;
    for (const number of numbers) {
      const { name, questions } = await readTask(data, number, "train");
      const test = (await readTask(data, number, "test")).questions;
      // The last 1000 of the training's questions choose when to stop.
      const learned = questions.slice(0, -VALIDATION);
      const encoder = new Encoder(learned, options.sentences);
      const [training, validation, tested] = [learned, questions.slice(-VALIDATION), test].map((some) =>
        encoder.encode(some),
      );
      const model = twoEncoders(encoder, options);
      model.compile({
        optimizer: optimizers.adam({
          learningRate: schedules.cosineDecay({
            initialLearningRate: options.learningRate,
            decaySteps: (options.epochs * learned.length) / options.batch,
            alpha: 0.05,
          }),
          globalClipnorm: 1,
        }),
        loss: "sparseCategoricalCrossentropy",
        metrics: ["accuracy"],
      });
      console.log(
        `qa${number} ${name}: ${learned.length} questions, ${encoder.sentences} sentences of ${encoder.words} words, ` +
          `${encoder.vocabulary} words, ${encoder.answers.vocabularySize()} answers`,
      );
      const history = await part(`qa${number}`, () =>
        fit(model, [training.story, training.question], training.answer, {
          name: `qa${number}`,
          batchSize: options.batch,
          validationData: [[validation.story, validation.question], validation.answer],
          callbacks: [
            callbacks.earlyStopping({ monitor: "val_loss", patience: 4, restoreBestWeights: true }),
            callbacks.lambda({
              onEpochEnd(_, logs, run) {
                run.stop ||= logs.val_accuracy === 1;
              },
            }),
          ],
        }),
      );
      const { accuracy } = await model.evaluate([tested.story, tested.question], tested.answer, {
        verbose: 0,
      });
      model.dispose();
      errors += 1 - accuracy;
      const goal = options.quick ? 0.9 : GOALS[number];
      figures.push({ name: `qa${number} ${name}`, value: accuracy, atLeast: goal });
      const epochs = history.history.loss.length;
      rows.push(`${`qa${number}`.padEnd(5)} ${name.padEnd(26)} ${accuracy.toFixed(3)}  ${epochs} epochs`);
    }
    if (options.all) {
      figures.unshift({ name: "mean error", value: errors / numbers.length, atMost: MEAN_ERROR });
    }
    return { figures, says: ["accuracy on the test's questions", ...rows].join("\n") };
  },
});
