// What several tests share: comparing arrays, golden files, gradients of a model.
import * as assert from "uvu/assert";
import { Executor } from "../src/graph/executor.js";
import type { TargetKind } from "../src/graph/training.js";
import type { Layer } from "../src/layers/layer.js";
import { camelCase } from "../src/layers/options.js";
import type { SymbolicTensor } from "../src/layers/symbolic.js";
import type { Model } from "../src/model/model.js";
import { Random } from "../src/random.js";
import { type Tensor, type TensorLike, tensor } from "../src/tensor.js";
import { type InputLike, readInputs, readTargets } from "../src/training/arrays.js";
import type { Loss } from "../src/training/losses.js";
import { sgd } from "../src/training/optimizers.js";
import { resolveLoss } from "../src/training/resolveLoss.js";
import { type Compiled, Steps } from "../src/training/step.js";
import { readWeights } from "../src/training/weights.js";

/** The root of the project, from build/tests. */
export const root = new URL("../../", import.meta.url);

export function readGolden<T>(name: string): T {
  return JSON.parse(readText(`tests/golden/${name}`)!) as T;
}

/** A file of the project, in Node, Deno, Bun and on a page whose server has the project's files; undefined where there is none. */
function readText(path: string): string | undefined {
  const fs = globalThis.process?.getBuiltinModule?.("node:fs");
  if (fs) {
    const url = new URL(path, root);
    return fs.existsSync(url) ? fs.readFileSync(url, "utf8") : undefined;
  }
  const request = new XMLHttpRequest();
  request.open("GET", `/${path}`, false);
  request.send();
  return request.status === 200 ? request.responseText : undefined;
}

/** An array as golden files spell it: flat, row-major. */
export interface Numbers {
  shape: number[];
  data: number[];
  dtype?: string;
}

/** A layer, loss or the like as golden files spell it. */
export interface Described {
  className: string;
  config: Record<string, unknown>;
}

/** Keras' class names that are no camelCase of ours. */
const SPECIAL: Record<string, string> = {
  SimpleRNN: "simpleRNN",
  LSTM: "lstm",
  GRU: "gru",
  RNN: "rnn",
  SimpleRNNCell: "simpleRNNCell",
  LSTMCell: "lstmCell",
  GRUCell: "gruCell",
  StackedRNNCells: "stackedRNNCells",
  L1L2: "l1l2",
  SGD: "sgd",
  RMSprop: "rmsprop",
  AdamW: "adamw",
  ReduceLROnPlateau: "reduceLROnPlateau",
};

/** What Keras' class is called here. */
export function nameOf(className: string): string {
  return SPECIAL[className] ?? camelCase(className);
}

/** Makes what is described with the factories of a registry. */
export function make<T>(registry: object, { className, config }: Described): T {
  const factory = (registry as Record<string, (config: object) => T>)[nameOf(className)];
  assert.ok(factory, `${className} is offered`);
  return factory(config);
}

/** The largest difference, relative to the largest number expected (at least `floor`). */
export function relativeError(found: ArrayLike<number>, expected: ArrayLike<number>, floor = 1e-3): number {
  assert.is(found.length, expected.length, `${expected.length} numbers expected, ${found.length} found`);
  let scale = floor;
  let worst = 0;
  for (let i = 0; i < expected.length; i++) scale = Math.max(scale, Math.abs(expected[i]));
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(found[i] - expected[i]);
    worst = Math.max(worst, Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference);
  }
  return worst / scale;
}

export function assertClose(
  what: string,
  found: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance = 1e-5,
  floor = 1e-3,
): void {
  const error = relativeError(found, expected, floor);
  assert.ok(error <= tolerance, `${what}: relative error ${error.toExponential(2)} exceeds ${tolerance}`);
}

export interface Gradients {
  loss: number;
  /** In the order of the model's weights; undefined for those that are not trained. */
  weights: (Float32Array | undefined)[];
}

/** Loss and gradients of a model on one batch, by its own program, without an update. */
export async function gradients(
  model: Model,
  x: InputLike,
  y: InputLike,
  options: { loss: Loss | string; sampleWeight?: TensorLike },
): Promise<Gradients> {
  const graph = await graphOf(model, x);
  const executor = await Executor.create(graph, "gradients");
  try {
    const losses = graph.outputs.map(() => resolveLoss("gradients", options.loss));
    const optimizer = sgd();
    const compiled: Compiled = { optimizer, update: optimizer, losses, lossWeights: losses.map(() => 1) };
    const inputs = readInputs("gradients", graph, x);
    const samples = inputs[0].shape[0];
    const kinds = losses.map(({ sparse }) => (sparse ? "classes" : "values") as TargetKind);
    const targets = readTargets("gradients", graph, kinds, y, samples);
    const weights = targets.map((target, index) =>
      readWeights("gradients", { sampleWeight: options.sampleWeight }, target!, losses[index], samples),
    );
    const steps = new Steps(executor, "gradients", { inputs, targets, weights, samples }, compiled);
    steps.fill(undefined, 0, samples);
    // What other programs left in working memory must not matter.
    executor.fillWork(Number.NaN);
    steps.fill(undefined, 0, samples);
    await steps.run("gradients");
    const found = graph.weights.map((weight) => {
      const storage = steps.prepared.gradients.get(weight);
      if (!storage) return undefined;
      const { floats, index } = executor.trainingWords(storage.address!.evaluate({}));
      return floats.slice(index, index + weight.size);
    });
    return { loss: steps.loss(), weights: found };
  } finally {
    executor.dispose();
  }
}

/** The graph of a model, built from data when it has no input shape. */
async function graphOf(model: Model, x: InputLike): Promise<Executor["graph"]> {
  await model.predict(x);
  return (model as unknown as { graph(operation: string): Executor["graph"] }).graph("test");
}

export function asTensor({ data, shape, dtype }: Numbers): Tensor {
  return tensor(data, shape, dtype === "int32" ? "int32" : "float32");
}

/** Repeatable numbers from -1 to 1. */
export function numbers(seed: number, ...shape: number[]): Tensor {
  const random = new Random(seed);
  const size = shape.reduce((a, b) => a * b, 1);
  return tensor(
    Float32Array.from({ length: size }, () => random.uniform(-1, 1)),
    shape,
  );
}

/** A layer that has one output, applied. */
export const one = (layer: Layer, x: SymbolicTensor | SymbolicTensor[], options = {}): SymbolicTensor =>
  layer.apply(x, options);
