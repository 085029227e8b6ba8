// One to many: a feature vector becomes a caption. The vector makes the first state of a GRU; in training it is given the words that
// should have come (teacher forcing), afterwards its own, one at a time.
import {
  decode,
  input,
  layers,
  model,
  optimizers,
  type SymbolicTensor,
  type Tensor,
  tensor,
  text,
} from "../../src/index.js";
import { integer } from "../shared/options.js";
import { start } from "../shared/task.js";
import { FEATURES, makeScenes, type Scene } from "./scenes.js";

export const task = await start(import.meta.url, {
  about: "Captions of made-up scenes: a feature vector starts a GRU that says the words.",
  epochs: { full: 10, quick: 5 },
  options: {
    units: integer(64, "units of the recurrent layer"),
    scenes: integer(3000, "scenes to learn from"),
    width: integer(3, "width of the beam search"),
  },

  async run({ options, fit, part }) {
    const heldOutCount = options.quick ? 200 : 1000;
    const scenes = makeScenes(options.scenes + heldOutCount, options.seed);
    const [training, heldOut] = [scenes.slice(0, options.scenes), scenes.slice(options.scenes)];

    // 0 is padding. "<" opens a caption and ">" ends it: the input lacks the end, the target the beginning.
    const vectorize = new text.TextVectorization({ standardize: null });
    const whole = ({ caption }: Scene) => `< ${caption} >`;
    vectorize.adapt(training.map(whole));
    const vocabulary = vectorize.getVocabulary();
    const [opening, ending] = [vocabulary.indexOf("<"), vocabulary.indexOf(">")];
    const rows = (some: readonly Scene[]) => vectorize.apply(some.map(whole)).toArray(2);
    const features = (some: readonly Scene[]) => tensor(some.map((scene) => [...scene.features]));
    const said = (some: readonly Scene[]) =>
      tensor(rows(some).map((row) => row.slice(0, -1).map((id) => (id === ending ? 0 : id))));
    const next = (some: readonly Scene[]) => tensor(rows(some).map((row) => row.slice(1)));

    const embedding = layers.embedding({ inputDim: vocabulary.length, outputDim: 32, maskZero: true });
    const toState = layers.dense({ units: options.units, activation: "tanh" });
    const gru = layers.gru({ units: options.units, returnSequences: true });
    const toWord = layers.dense({ units: vocabulary.length, activation: "softmax" });

    const seen = input({ shape: [FEATURES] });
    const words = input({ shape: [null], dtype: "int32" });
    const states = (x: SymbolicTensor) => ({ initialState: toState.apply(x) });
    const captioner = model({
      inputs: [seen, words],
      outputs: toWord.apply(gru.apply(embedding.apply(words), { ...states(seen), mask: words })),
    });
    captioner.compile({
      optimizer: optimizers.adam({ learningRate: 0.005 }),
      loss: "sparseCategoricalCrossentropy",
      metrics: ["accuracy"],
    });
    await fit(captioner, [features(training), said(training)], next(training), {
      validationData: [[features(heldOut), said(heldOut)], next(heldOut)],
    });

    // The same layers, word by word: a stream whose state is set before each step, so that a search can try several ways on.
    const encoder = model({ inputs: seen, outputs: toState.apply(seen) });
    const speaker = model({ inputs: words, outputs: toWord.apply(gru.apply(embedding.apply(words))) });
    const stream = await speaker.stream();
    const step = (ids: readonly number[], state: readonly Tensor[]) => {
      stream.state = state;
      return { probabilities: stream.step([ids.at(-1)!]), state: stream.state };
    };
    const firstStates = await encoder.predict(features(heldOut));
    const searches = heldOut.map((_, i) => ({
      step,
      start: opening,
      end: ending,
      maxLength: 16,
      initialState: [
        tensor(firstStates.data.subarray(i * options.units, (i + 1) * options.units), [1, options.units]),
      ],
    }));
    const captionOf = ({ ids }: decode.Decoded) => ids.map((id) => vocabulary[id]).join(" ");
    const greedy = await part("greedy captions", async () => {
      const found: string[] = [];
      for (const search of searches) found.push(captionOf(await decode.greedy(search)));
      return found;
    });
    const beams = await part("captions by beam search", async () => {
      const found: string[] = [];
      for (const search of searches) {
        found.push(captionOf((await decode.beamSearch({ ...search, width: options.width }))[0]));
      }
      return found;
    });

    const right = (captions: readonly string[]) =>
      captions.filter((caption, i) => caption === heldOut[i].caption).length / heldOut.length;
    for (const each of [captioner, encoder, speaker]) each.dispose();
    return {
      figures: [
        { name: "captions right, greedy", value: right(greedy), atLeast: 0.99 },
        { name: `captions right, beam of ${options.width}`, value: right(beams), atLeast: 0.99 },
      ],
      says: heldOut
        .slice(0, 5)
        .map(({ caption }, i) => `${greedy[i]}${greedy[i] === caption ? "" : `   (it is: ${caption})`}`)
        .join("\n"),
    };
  },
});
