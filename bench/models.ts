// Whole models: inference and training steps as a user calls them, and the bare program inside. Where a step's time goes:
// profile.ts.
import { Executor } from "../src/graph/executor.js";
import { input } from "../src/layers/core.js";
import { makeGraph } from "../src/layers/graph.js";
import * as layers from "../src/layers/index.js";
import { Model } from "../src/model/model.js";
import { tensor } from "../src/tensor.js";
import { adam } from "../src/training/optimizers.js";
import { resolveLoss } from "../src/training/resolveLoss.js";
import { type Compiled, type DataSet, Steps } from "../src/training/step.js";
import { awaited, type Effort, figures, job, measure } from "./measure.js";
import type { Found, Section } from "./sections.js";
import { shapes } from "./shapeList.js";
import { type ModelShape, nameOf, tokensOf } from "./shapes.js";

/** A recurrent layer alone for inference; with a dense layer of one unit (and an embedding) for training. */
function graphOf(shape: ModelShape, training: boolean) {
  const { cell, steps, inputs, units, vocabulary, resetAfter = true } = shape;
  const start = vocabulary ? input({ shape: [steps], dtype: "int32" }) : input({ shape: [steps, inputs] });
  const x = vocabulary ? layers.embedding({ inputDim: vocabulary, outputDim: inputs }).apply(start) : start;
  const recurrent = {
    simpleRNN: () => layers.simpleRNN({ units }),
    lstm: () => layers.lstm({ units }),
    gru: () => layers.gru({ units, resetAfter }),
  }[cell]();
  const state = recurrent.apply(x);
  const activation = vocabulary ? "sigmoid" : "linear";
  const end = training ? layers.dense({ units: 1, activation }).apply(state) : state;
  return makeGraph("bench", [start], [end].flat());
}

function dataOf({ batch, steps, inputs, vocabulary }: ModelShape): DataSet {
  const wave = (index: number) => Math.sin(index * 12.9898) * 0.5;
  const x = vocabulary
    ? tensor(
        Int32Array.from(
          { length: batch * steps },
          (_, index) => (Math.imul(index, 2654435761) >>> 0) % vocabulary,
        ),
        [batch, steps],
      )
    : tensor(
        Float32Array.from({ length: batch * steps * inputs }, (_, index) => wave(index)),
        [batch, steps, inputs],
      );
  const y = tensor(
    Float32Array.from({ length: batch }, (_, index) => index % 2),
    [batch, 1],
  );
  return { inputs: [x], targets: [y], samples: batch };
}

const lossOf = ({ vocabulary }: ModelShape) => (vocabulary ? "binaryCrossentropy" : "meanSquaredError");

function compiledFor(shape: ModelShape): Compiled {
  const optimizer = adam();
  return { optimizer, update: optimizer, losses: [resolveLoss("bench", lossOf(shape))], lossWeights: [1] };
}

/** Short runs of every recurrence, so that what is measured later is optimized code. */
export async function warmUp(): Promise<void> {
  for (const cell of ["simpleRNN", "lstm", "gru"] as const) {
    const shape: ModelShape = { cell, batch: 8, steps: 4, inputs: 16, units: 24 };
    const { steps, end } = await trainingSteps(shape);
    const until = performance.now() + 150;
    while (performance.now() < until) steps.prepared.bound[0].run();
    end();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A training step that is ready to run. */
export async function trainingSteps(shape: ModelShape): Promise<{ steps: Steps; end(): void }> {
  const executor = await Executor.create(graphOf(shape, true), "bench");
  const compiled = compiledFor(shape);
  const steps = new Steps(executor, "train", dataOf(shape), compiled);
  steps.fill(undefined, 0, shape.batch);
  steps.writeSettings(compiled.optimizer);
  return { steps, end: () => executor.dispose() };
}

/** A model's inference or training step as a user calls it. */
export interface Whole {
  run(): Promise<unknown>;
  end(): void;
}

export function wholeInference(shape: ModelShape): Whole {
  const model = new Model("bench", graphOf(shape, false));
  const [x] = dataOf(shape).inputs;
  return { run: () => model.predict(x, { batchSize: shape.batch }), end: () => model.dispose() };
}

export function wholeTraining(shape: ModelShape): Whole {
  const { inputs, targets } = dataOf(shape);
  const model = new Model("bench", graphOf(shape, true));
  model.compile({ optimizer: adam(), loss: lossOf(shape) });
  return { run: () => model.trainOnBatch(inputs[0], targets![0]!), end: () => model.dispose() };
}

/** The inference program that is ready to run. */
async function inferenceSteps(shape: ModelShape): Promise<{ steps: Steps; end(): void }> {
  const executor = await Executor.create(graphOf(shape, false), "bench");
  const steps = new Steps(executor, "predict", dataOf(shape));
  steps.fill(undefined, 0, shape.batch);
  return { steps, end: () => executor.dispose() };
}

interface Speed extends Found {
  median: number;
  best: number;
  /** The program without the host. */
  bareMedian: number;
  bareBest: number;
}

/** `start` is awaited before a row is measured. */
export function modelSections(start: () => Promise<unknown>, effort: Effort): Section<Speed>[] {
  const section = (
    title: string,
    kind: string,
    list: ModelShape[],
    whole: (shape: ModelShape) => Whole,
    bare: (shape: ModelShape) => Promise<{ steps: Steps; end(): void }>,
  ): Section<Speed> => {
    const byName = new Map(list.map((shape) => [`${kind} ${nameOf(shape)}`, shape]));
    return {
      title,
      columns: ["shape", "ms", "best", "bare ms", "bare best", "tokens/s"],
      rows: [...byName].map(([name, shape]) => ({
        name,
        async measure() {
          await start();
          const model = whole(shape);
          const called = await measure(awaited(model.run, effort.now), effort);
          model.end();
          const { steps, end } = await bare(shape);
          const [bound] = steps.prepared.bound;
          const inside = await measure(
            job(() => bound.run(), effort.now),
            effort,
          );
          end();
          return { ...called, bareMedian: inside.median, bareBest: inside.best };
        },
      })),
      lines: (name, { median, best, bareMedian, bareBest }) => [
        [name, ...[median, best, bareMedian, bareBest].map(figures), tokensOf(byName.get(name)!, median)],
      ],
    };
  };
  return [
    section(
      "Inference: model.predict, and the program without the host",
      "predict",
      shapes.inference,
      wholeInference,
      inferenceSteps,
    ),
    section(
      "Training step (adam): model.trainOnBatch, and the program without the host",
      "train",
      shapes.training,
      wholeTraining,
      trainingSteps,
    ),
  ];
}
