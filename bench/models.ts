// Whole models: inference and training steps as a user calls them, the bare program inside, and where its time goes.
import { Executor } from "../src/graph/executor.js";
import { input } from "../src/layers/core.js";
import { makeGraph } from "../src/layers/graph.js";
import * as layers from "../src/layers/index.js";
import { Model } from "../src/model/model.js";
import { callsOf, isPointer } from "../src/program/program.js";
import { tensor } from "../src/tensor.js";
import { resolveLoss } from "../src/training/losses.js";
import { adam } from "../src/training/optimizers.js";
import { type Compiled, type DataSet, Steps } from "../src/training/step.js";
import { type Effort, figures, measure, measureAsync, Table } from "./measure.js";
import { type ModelShape, nameOf, shapes } from "./shapes.js";

interface Setting {
  effort: Effort;
  wanted(name: string): boolean;
}

const COLUMNS = ["shape", "ms", "best", "bare ms", "bare best"];

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

async function trainingSteps(shape: ModelShape): Promise<{ steps: Steps; end(): void }> {
  const executor = await Executor.create(graphOf(shape, true), "bench");
  const compiled = compiledFor(shape);
  const steps = new Steps(executor, "train", dataOf(shape), compiled);
  steps.fill(undefined, 0, shape.batch);
  steps.writeSettings(compiled.optimizer);
  return { steps, end: () => executor.dispose() };
}

export async function benchInference({ effort, wanted }: Setting): Promise<void> {
  const chosen = shapes.inference.filter((shape) => wanted(`predict ${nameOf(shape)}`));
  if (chosen.length === 0) return;
  const table = new Table("Inference: model.predict, and the program without the host", COLUMNS);
  for (const shape of chosen) {
    const graph = graphOf(shape, false);
    const data = dataOf(shape);
    const model = new Model("bench", graph);
    const whole = await measureAsync(() => model.predict(data.inputs[0], { batchSize: shape.batch }), effort);
    model.dispose();

    const executor = await Executor.create(graph, "bench");
    const steps = new Steps(executor, "predict", data);
    steps.fill(undefined, 0, shape.batch);
    const bare = measure(() => steps.prepared.bound[0].run(), effort);
    executor.dispose();
    table.row([
      `predict ${nameOf(shape)}`,
      ...[whole.median, whole.best, bare.median, bare.best].map(figures),
    ]);
  }
}

export async function benchTraining({ effort, wanted }: Setting): Promise<void> {
  const chosen = shapes.training.filter((shape) => wanted(`train ${nameOf(shape)}`));
  if (chosen.length === 0) return;
  const table = new Table(
    "Training step (adam): model.trainOnBatch, and the program without the host",
    COLUMNS,
  );
  for (const shape of chosen) {
    const data = dataOf(shape);
    const model = new Model("bench", graphOf(shape, true));
    model.compile({ optimizer: adam(), loss: lossOf(shape) });
    const whole = await measureAsync(() => model.trainOnBatch(data.inputs[0], data.targets![0]!), effort);
    model.dispose();

    const { steps, end } = await trainingSteps(shape);
    const bare = measure(() => steps.prepared.bound[0].run(), effort);
    end();
    table.row([`train ${nameOf(shape)}`, ...[whole.median, whole.best, bare.median, bare.best].map(figures)]);
  }
}

/** The share of each call in a training step, with what it writes first: the medians of many steps. */
export async function profileTraining({ effort, wanted }: Setting): Promise<void> {
  for (const shape of shapes.training.filter((each) => wanted(`train ${nameOf(each)}`))) {
    const { steps, end } = await trainingSteps(shape);
    const {
      bound: [bound],
      program,
    } = steps.prepared;
    const { median } = measure(() => bound.run(), effort);
    const repeats = Math.max(5, Math.min(51, Math.ceil(effort.budget / median)));
    const samples = program.steps.map(() => [] as number[]);
    for (let repeat = 0; repeat < repeats; repeat++) {
      for (const [index, times] of samples.entries()) {
        const start = effort.now();
        bound.run(index, index + 1);
        times.push(effort.now() - start);
      }
    }
    end();
    const calls = program.steps.map((step, index) => {
      const [{ kernel, args }] = callsOf(step);
      const target = args.find(isPointer)?.storage.name ?? "";
      const ms = samples[index].toSorted((a, b) => a - b)[repeats >> 1];
      return { name: `${kernel} → ${target}`, ms };
    });
    const total = calls.reduce((sum, { ms }) => sum + ms, 0);
    const table = new Table(`Profile: train ${nameOf(shape)}, ${figures(median)} ms`, [
      "call",
      "ms",
      "share",
    ]);
    for (const { name, ms } of calls.sort((a, b) => b.ms - a.ms)) {
      if (ms / total >= 0.001) table.row([name, ms.toFixed(3), `${((100 * ms) / total).toFixed(1)} %`]);
    }
  }
}
