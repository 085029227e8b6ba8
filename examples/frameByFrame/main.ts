// Many to many: each frame of a clip gets a label. What one frame cannot tell, which way a door moves, the frames before it do.
import { layers, optimizers, sequential, tensor } from "../../src/index.js";
import { integer } from "../shared/options.js";
import { confusionOf } from "../shared/report.js";
import { start } from "../shared/task.js";
import { type Clip, LABELS, makeClips, PIXELS } from "./door.js";

export const task = await start(import.meta.url, {
  about: "A label for each frame: is the door closed, opening, open or closing?",
  epochs: { full: 12, quick: 8 },
  options: {
    units: integer(32, "units of the recurrent layer"),
    length: integer(50, "frames of a clip"),
  },

  async run({ options, fit }) {
    const [trained, tested] = options.quick ? [400, 100] : [1000, 500];
    const clips = makeClips(trained + tested, options.length, options.seed);
    const [training, heldOut] = [clips.slice(0, trained), clips.slice(trained)];
    const x = (some: readonly Clip[]) => tensor(some.map(({ frames }) => frames));
    const y = (some: readonly Clip[]) => tensor(some.map(({ labels }) => labels));

    const model = sequential([
      layers.timeDistributed({
        layer: layers.dense({ units: 16, activation: "relu" }),
        inputShape: [null, PIXELS],
      }),
      layers.gru({ units: options.units, returnSequences: true }),
      layers.timeDistributed({ layer: layers.dense({ units: LABELS.length, activation: "softmax" }) }),
    ]);
    model.compile({
      optimizer: optimizers.adam({ learningRate: 0.01 }),
      loss: "sparseCategoricalCrossentropy",
      metrics: ["accuracy"],
    });
    await fit(model, x(training), y(training), { validationData: [x(heldOut), y(heldOut)] });

    const { data } = await model.predict(x(heldOut));
    model.dispose();
    const targets = heldOut.flatMap(({ labels }) => labels);
    const found = targets.map((_, frame) => {
      const row = data.subarray(frame * LABELS.length, (frame + 1) * LABELS.length);
      return row.indexOf(Math.max(...row));
    });
    const right = targets.filter((label, frame) => label === found[frame]).length;
    const letters = (labels: readonly number[]) => labels.map((label) => ".o#c"[label]).join("");
    return {
      figures: [{ name: "frames right", value: right / targets.length, atLeast: 0.99 }],
      confusion: confusionOf(LABELS, targets, found),
      says: [
        ". closed  o opening  # open  c closing",
        `it is     ${letters(heldOut[0].labels)}`,
        `it says   ${letters(found.slice(0, options.length))}`,
      ].join("\n"),
    };
  },
});
