// A language model of characters: what comes next? Stateful layers carry their states from batch to batch, so that they remember more
// than a window (truncated backpropagation through time); then the model writes, character by character.
import {
  callbacks,
  decode,
  input,
  layers,
  model as modelOf,
  optimizers,
  schedules,
  type Tensor,
  text,
} from "../../src/index.js";
import { choice, integer, positive } from "../shared/options.js";
import { start } from "../shared/task.js";
import { continuing, loadText, TEXTS } from "./corpus.js";

const CELLS = ["lstm", "gru"] as const;

/** How text is drawn, from careful to daring. */
const WAYS: Record<string, decode.SampleOptions> = {
  "temperature 0.5": { temperature: 0.5 },
  "the 5 likeliest": { topK: 5 },
  "the likeliest 90 %": { topP: 0.9 },
  "as it is": {},
};

/** What --quick trains. */
const SMALL = { units: 64, embedding: 32, rows: 16, steps: 32, learningRate: 0.01, characters: 80 };

export const task = await start(import.meta.url, {
  about: "A language model of characters: stateful recurrent layers, and text that they write.",
  epochs: { full: 7, quick: 3 },
  data: {
    files: [],
    source: "Only --text shakespeare reads a file of it, and fetches that where it is not there.",
  },
  options: {
    text: choice("a text", TEXTS, "mobyDick", "text to learn"),
    cell: choice("a recurrent layer", CELLS, "gru", "recurrent layer"),
    units: integer(512, "units of each recurrent layer"),
    depth: integer(1, "recurrent layers on top of each other"),
    embedding: integer(64, "numbers for each character"),
    dropout: positive(0.2, "share of the numbers dropped before and after each recurrent layer"),
    rows: integer(32, "stretches of the text that are read side by side: the batch"),
    steps: integer(64, "characters of a window, through which errors go back"),
    learningRate: positive(
      0.003,
      "step size of the optimizer at the start; it falls to nothing along a cosine",
    ),
    characters: integer(500, "characters to write in each way"),
  },

  async run({ options, data, fit, part }) {
    const { quick, epochs, units, embedding, rows, steps, learningRate, characters } = options.quick
      ? { ...options, ...SMALL }
      : options;
    const whole = await loadText(options.text, data);
    const all = quick ? whole.slice(0, 120_000) : whole;
    const cut = Math.floor(all.length * 0.9);
    const vectorize = new text.TextVectorization({ standardize: null, split: "character" });
    vectorize.adapt([all.slice(0, cut)]);
    const learned = vectorize.apply(all.slice(0, cut));
    const heldOut = vectorize.apply(all.slice(cut));
    const vocabulary = vectorize.getVocabulary();
    const training = continuing(learned, rows, steps);
    const validation = continuing(heldOut, rows, steps);
    console.log(
      `${learned.size} characters to learn from, ${heldOut.size} held out, ${vocabulary.length} ids`,
    );

    // Stateful layers have a state for each row: the batch is fixed.
    const ids = input({ shape: [null], batchSize: rows, dtype: "int32" });
    let hidden = layers.embedding({ inputDim: vocabulary.length, outputDim: embedding }).apply(ids);
    for (let layer = 0; layer < options.depth; layer++) {
      hidden = layers.dropout({ rate: options.dropout }).apply(hidden);
      hidden = layers[options.cell]({ units, returnSequences: true, stateful: true }).apply(hidden);
    }
    hidden = layers.dropout({ rate: options.dropout }).apply(hidden);
    const next = layers.dense({ units: vocabulary.length, activation: "softmax" }).apply(hidden);
    const model = modelOf({ inputs: ids, outputs: next });
    model.summary();
    model.compile({
      optimizer: optimizers.adam({
        learningRate: schedules.cosineDecay({
          initialLearningRate: learningRate,
          decaySteps: (epochs * training.x.shape[0]) / rows,
        }),
        globalClipnorm: 1,
      }),
      loss: "sparseCategoricalCrossentropy",
    });
    const forget = () => model.resetStates();
    await part("training", () =>
      fit(model, training.x, training.y, {
        batchSize: rows,
        shuffle: false,
        validationData: [validation.x, validation.y],
        callbacks: [callbacks.lambda({ onEpochBegin: forget, onTestBegin: forget })],
      }),
    );

    // The held-out text from its first character to its last, one after the other: nothing is left out, no state is ever lost.
    const stream = await model.stream();
    const nats = await part("reading the held-out text", () => {
      let sum = 0;
      for (let at = 0; at + 1 < heldOut.size; at++) {
        const probability = stream.step([heldOut.data[at]]).data[heldOut.data[at + 1]];
        sum -= Math.log(Math.max(probability, 1e-30));
      }
      return sum / (heldOut.size - 1);
    });

    const prompt = Array.from(heldOut.data.subarray(0, 64));
    const spell = (some: readonly number[]) => some.map((id) => vocabulary[id]).join("");
    const written: string[] = [];
    for (const [way, how] of Object.entries(WAYS)) {
      stream.reset();
      const step = (seen: readonly number[]) => ({ probabilities: stream.step([seen.at(-1)!]) as Tensor });
      const { ids } = await decode.sample({
        step,
        start: prompt,
        maxLength: characters,
        seed: options.seed,
        ...how,
      });
      written.push(`--- ${way}\n${spell(ids)}`);
    }
    model.dispose();
    const goal = quick ? 2.2 : options.text === "shakespeare" ? 1.5 : undefined;
    return {
      figures: [
        { name: "nats a character, held out", value: nats, atMost: goal },
        { name: "bits a character, held out", value: nats / Math.LN2 },
      ],
      says: [`it goes on from: ${JSON.stringify(spell(prompt))}`, ...written].join("\n\n"),
    };
  },
});
