// The smallest character model: after "h" comes "e", after the first "l" another one, after the second "o". The letters are one-hot,
// so only the recurrent layer can tell the two "l" apart.
import { decode, layers, optimizers, sequential, tensor } from "../../src/index.js";
import { start } from "../shared/task.js";

const WORD = "hello";
const LETTERS = ["h", "e", "l", "o"];
const idOf = (letter: string) => LETTERS.indexOf(letter);
const oneHot = (id: number) => LETTERS.map((_, i) => (i === id ? 1 : 0));

export const task = await start(import.meta.url, {
  about: 'The next letter of "hello": a simple RNN over one-hot letters that spells the word.',
  epochs: { full: 20, quick: 20 },

  async run({ options, fit }) {
    const ids = [...WORD].map(idOf);
    const x = tensor([ids.slice(0, -1).map(oneHot)]);
    const y = [ids.slice(1)];
    const model = sequential([
      layers.simpleRNN({ units: 8, returnSequences: true, inputShape: [null, LETTERS.length] }),
      layers.dense({ units: LETTERS.length, activation: "softmax" }),
    ]);
    model.compile({
      optimizer: optimizers.adam({ learningRate: 0.1 }),
      loss: "sparseCategoricalCrossentropy",
      metrics: ["accuracy"],
    });
    await fit(model, x, y, { epochs: options.epochs });

    const stream = await model.stream();
    const { ids: said, logProbability } = await decode.greedy({
      start: idOf(WORD[0]),
      maxLength: WORD.length - 1,
      step: (ids) => ({ probabilities: stream.step([oneHot(ids.at(-1)!)]) }),
    });
    const spelled = WORD[0] + said.map((id) => LETTERS[id]).join("");
    model.dispose();
    return {
      figures: [
        {
          name: "letters right",
          value: [...spelled].filter((letter, i) => letter === WORD[i]).length,
          atLeast: 5,
        },
        { name: "probability of the word", value: Math.exp(logProbability) },
      ],
      says: `${WORD[0]} -> ${spelled}`,
    };
  },
});
