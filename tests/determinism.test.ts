// With deterministic: true, 200 steps of training with dropout, shuffling and Adam end with the same bits on every engine, and so does a
// prediction: hashes of all weights, in determinism.json. A change that moves a bit is seen here; where it is meant to, the file is
// made again: UNREEL_HASHES=write npx uvu build/tests "determinism\\.test\\.js$".
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Layer } from "../src/index.js";
import {
  configure,
  input,
  layers,
  losses,
  type Model,
  model,
  optimizers,
  type SymbolicTensor,
  schedules,
  sequential,
  setRandomSeed,
  type Tensor,
  tensor,
} from "../src/index.js";
import { Random } from "../src/random.js";
import { readGolden } from "./support.js";

const [SAMPLES, STEPS, FEATURES, BATCH, EPOCHS] = [20, 8, 5, 5, 50];

const head = [layers.globalAveragePooling1D, layers.flatten];

/** Layers between a sequence of features and the head; `rate` wherever there is one. */
const STACKS: Record<string, () => Layer[]> = {
  simpleRNN: () => [
    layers.simpleRNN({ units: 7, dropout: 0.1, recurrentDropout: 0.1, returnSequences: true }),
  ],
  "simpleRNN in one kernel": () => [layers.simpleRNN({ units: 7 })],
  lstm: () => [layers.lstm({ units: 7, dropout: 0.1, recurrentDropout: 0.1, returnSequences: true })],
  "lstm in one kernel": () => [layers.lstm({ units: 7 })],
  gru: () => [layers.gru({ units: 7, dropout: 0.1, recurrentDropout: 0.1, returnSequences: true })],
  "gru in one kernel": () => [layers.gru({ units: 7 })],
  "gru, reset before": () => [layers.gru({ units: 7, resetAfter: false, goBackwards: true })],
  "bidirectional stack": () => [
    layers.bidirectional({ layer: layers.lstm({ units: 3, returnSequences: true }) }),
    layers.bidirectional({ layer: layers.gru({ units: 3 }), mergeMode: "sum" }),
  ],
  "stacked cells": () => [
    layers.rnn({
      cell: layers.stackedRNNCells({
        cells: [layers.gruCell({ units: 4 }), layers.lstmCell({ units: 3, dropout: 0.2 })],
      }),
      returnSequences: true,
    }),
  ],
  timeDistributed: () => [layers.timeDistributed({ layer: layers.dense({ units: 6, activation: "gelu" }) })],
  masking: () => [layers.masking({ maskValue: 0 }), layers.lstm({ units: 5 })],
  conv1D: () => [layers.conv1D({ filters: 6, kernelSize: 3, padding: "causal", activation: "relu" })],
  "depthwise and separable": () => [
    layers.depthwiseConv1D({ kernelSize: 3, depthMultiplier: 2, padding: "same" }),
    layers.separableConv1D({ filters: 4, kernelSize: 3, activation: "swish" }),
  ],
  "transposed and pooled": () => [
    layers.conv1DTranspose({ filters: 4, kernelSize: 3, strides: 2 }),
    layers.maxPooling1D({ poolSize: 2 }),
    layers.averagePooling1D({ poolSize: 2 }),
  ],
  normalizations: () => [
    layers.dense({ units: 6, activation: "elu" }),
    layers.batchNormalization({}),
    layers.layerNormalization({}),
  ],
  noise: () => [
    layers.gaussianNoise({ stddev: 0.1 }),
    layers.spatialDropout1D({ rate: 0.2 }),
    layers.gru({ units: 4 }),
  ],
};

const OPTIMIZERS = {
  sgd: () => optimizers.sgd({ learningRate: 0.05, momentum: 0.9, nesterov: true, clipnorm: 1 }),
  rmsprop: () =>
    optimizers.rmsprop({
      learningRate: schedules.exponentialDecay({ initialLearningRate: 0.01, decaySteps: 50, decayRate: 0.9 }),
    }),
  adamw: () => optimizers.adamw({ learningRate: 0.01 }),
  nadam: () => optimizers.nadam({ learningRate: 0.01 }),
  adamax: () => optimizers.adamax({ learningRate: 0.01 }),
  adagrad: () => optimizers.adagrad({ learningRate: 0.05 }),
  adadelta: () => optimizers.adadelta({ learningRate: 1 }),
  lion: () => optimizers.lion({ learningRate: 0.001 }),
};

function features(random: Random): Tensor {
  const values = Float32Array.from({ length: SAMPLES * STEPS * FEATURES }, () => random.uniform() * 2 - 1);
  // Some steps of zeros, for masking.
  for (let i = 0; i < SAMPLES; i += 3) values.fill(0, i * STEPS * FEATURES, (i * STEPS + 3) * FEATURES);
  return tensor(values, [SAMPLES, STEPS, FEATURES]);
}

const classes = (random: Random) =>
  tensor(
    Int32Array.from({ length: SAMPLES }, () => random.integer(3)),
    [SAMPLES],
  );

function ids(random: Random): Tensor {
  return tensor(
    Int32Array.from({ length: SAMPLES * STEPS }, () => random.integer(30)),
    [SAMPLES, STEPS],
  );
}

/** A classifier of three classes over a stack of layers. */
function classifier(stack: readonly Layer[]): Model {
  const made = sequential([
    layers.activation({ activation: "linear", inputShape: [STEPS, FEATURES] }),
    ...stack,
  ]);
  const [, ...rest] = made.outputs[0].shape;
  if (rest.length > 1) made.add(head[stack.length % 2]({}));
  made.add(layers.dropout({ rate: 0.2 }));
  made.add(layers.dense({ units: 3, activation: "softmax" }));
  return made;
}

/** Ids with padding, two branches that share an embedding, states handed on. */
function branches(): Model {
  const x = input({ shape: [STEPS], dtype: "int32" });
  const embedded = layers.embedding({ inputDim: 30, outputDim: 6, maskZero: true }).apply(x);
  const [, ...states] = layers.lstm({ units: 4, returnState: true }).apply(embedded) as SymbolicTensor[];
  const last = layers.lstm({ units: 4 }).apply(embedded, { initialState: states });
  const other = layers.globalMaxPooling1D({}).apply(embedded);
  const both = layers.concatenate().apply([last, other]);
  return model({ inputs: x, outputs: layers.dense({ units: 3, activation: "softmax" }).apply(both) });
}

/** Ids with padding, and attention of every kind over them. */
function attending(): Model {
  const x = input({ shape: [STEPS], dtype: "int32" });
  const embedded = layers
    .embedding({ inputDim: 30, outputDim: 6, maskZero: true })
    .apply(x) as SymbolicTensor;
  const query = layers.gru({ units: 6, returnSequences: true }).apply(embedded) as SymbolicTensor;
  const found = [
    layers.attention({ useScale: true, dropout: 0.1 }).apply([query, embedded], { useCausalMask: true }),
    layers.attention({ scoreMode: "concat", useScale: true }).apply([query, embedded]),
    layers.additiveAttention({ dropout: 0.1 }).apply([query, embedded]),
    layers
      .multiHeadAttention({ numHeads: 2, keyDim: 3, dropout: 0.1, useGate: true, slidingWindow: 3 })
      .apply([query, embedded], { useCausalMask: true }),
  ];
  const last = layers.globalAveragePooling1D().apply(layers.concatenate().apply(found as SymbolicTensor[]));
  return model({ inputs: x, outputs: layers.dense({ units: 3, activation: "softmax" }).apply(last) });
}

async function sha(arrays: readonly Tensor[]): Promise<string> {
  const bytes = arrays.flatMap(({ data }) => [
    ...new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  ]);
  const digest = await crypto.subtle.digest("SHA-256", new Uint8Array(bytes));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

type Hashes = Record<string, { weights: string; prediction: string }>;
const known: Hashes = readGolden<Hashes>("../determinism.json");
const writes = globalThis.process?.env?.UNREEL_HASHES === "write";
const found: Hashes = {};

function hashed(
  name: string,
  build: () => Model | Promise<Model>,
  optimizer: () => ReturnType<typeof optimizers.adam>,
  x: (random: Random) => Tensor,
): void {
  test(`the same bits everywhere: ${name}`, async () => {
    configure({ deterministic: true });
    try {
      setRandomSeed(11);
      const random = new Random(5);
      const [given, labels] = [x(random), classes(random)];
      const made = await build();
      made.compile({ optimizer: optimizer(), loss: losses.sparseCategoricalCrossentropy() });
      await made.fit(given, labels, { batchSize: BATCH, epochs: EPOCHS, verbose: 0 });
      const predicted = await made.predict(given);
      found[name] = { weights: await sha(made.getWeights()), prediction: await sha([predicted]) };
      made.dispose();
    } finally {
      configure({ deterministic: false });
    }
    if (!writes) assert.equal(found[name], known[name]);
  });
}

const adam = () => optimizers.adam({ learningRate: 0.01 });
for (const [name, stack] of Object.entries(STACKS)) hashed(name, () => classifier(stack()), adam, features);
hashed("embedding and branches", branches, adam, ids);
hashed("attention", attending, adam, ids);
for (const [name, make] of Object.entries(OPTIMIZERS)) {
  hashed(name, () => classifier([layers.lstm({ units: 5 })]), make, features);
}

test("no hash is of a model that is gone", () => {
  if (!writes) assert.equal(Object.keys(known), Object.keys(found));
});

test.after(() => {
  if (!writes) return;
  const fs = process.getBuiltinModule("node:fs");
  fs.writeFileSync(
    new URL("../../tests/determinism.json", import.meta.url),
    `${JSON.stringify(found, null, 2)}\n`,
  );
});

test.run();
