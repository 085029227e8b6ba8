// Models of TensorFlow.js, as it saves them, with inputs and predictions: tests/formats/tfjs.json. And the other way round: models that
// were written here, opened there. @tensorflow/tfjs 4.22.0 comes from bench/peers (npm install there).
//   node tests/formats/make_tfjs.mjs
//   node tests/formats/make_tfjs.mjs check     (needs a build; prints how far apart the predictions are)
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(new URL("../../bench/peers/package.json", import.meta.url));
const tf = require("@tensorflow/tfjs");

const fixture = new URL("tfjs.json", import.meta.url);
const base64 = (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");

/** Numbers from -1 to 1, the same on every run (mulberry32). */
function generator(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 31 - 1;
  };
}

const next = generator(5);
const numbers = (shape) => tf.tensor(Array.from({ length: shape.reduce((a, b) => a * b, 1) }, next), shape);
const ids = (shape, below) =>
  tf.tensor(
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => Math.floor(((next() + 1) / 2) * below)),
    shape,
    "int32",
  );

/** Steps at the end of each sequence but the first set to 0. */
function padded(x) {
  const [batch, steps, ...rest] = x.shape;
  const width = rest.reduce((a, b) => a * b, 1);
  const data = x.dataSync().slice();
  for (let b = 1; b < batch; b++) data.fill(0, (b * steps + steps - b) * width, (b + 1) * steps * width);
  return tf.tensor(data, x.shape, x.dtype);
}

const { layers: L } = tf;
const stack = (...layers) => tf.sequential({ layers });
const steps = { inputShape: [5, 3] };

/** Each model with its inputs. */
const models = {
  dense: () => [
    stack(
      L.dense({
        units: 5,
        activation: "relu",
        inputShape: [4],
        kernelRegularizer: tf.regularizers.l1l2({ l1: 0.01 }),
      }),
      L.dropout({ rate: 0.5 }),
      L.dense({
        units: 4,
        activation: "hardSigmoid",
        useBias: false,
        kernelConstraint: tf.constraints.maxNorm({ maxValue: 2 }),
      }),
      L.dense({ units: 3, activation: "softmax" }),
    ),
    numbers([3, 4]),
  ],
  embeddingLstm: () => [
    stack(
      L.embedding({ inputDim: 9, outputDim: 4, maskZero: true, inputLength: 5 }),
      L.lstm({ units: 3, returnSequences: true }),
      L.lstm({ units: 2, recurrentActivation: "sigmoid", unitForgetBias: true }),
    ),
    padded(ids([3, 5], 9)),
  ],
  gru: () => [
    stack(
      L.gru({ units: 4, returnSequences: true, ...steps }),
      L.gru({ units: 3, recurrentActivation: "sigmoid", goBackwards: true, useBias: false }),
    ),
    numbers([2, 5, 3]),
  ],
  simpleRNNs: () => [
    stack(
      L.simpleRNN({ units: 4, returnSequences: true, ...steps }),
      L.simpleRNN({ units: 3, activation: "relu", returnSequences: true }),
      L.simpleRNN({ units: 2, recurrentInitializer: "glorotUniform" }),
    ),
    numbers([2, 5, 3]),
  ],
  cells: () => [
    stack(
      L.rnn({
        cell: [L.lstmCell({ units: 3 }), L.gruCell({ units: 2 }), L.simpleRNNCell({ units: 4 })],
        returnSequences: true,
        ...steps,
      }),
      L.rnn({ cell: L.gruCell({ units: 2 }) }),
    ),
    numbers([2, 5, 3]),
  ],
  bidirectional: () => [
    stack(
      L.masking({ maskValue: 0, ...steps }),
      L.bidirectional({ layer: L.lstm({ units: 3, returnSequences: true }), mergeMode: "concat" }),
      L.bidirectional({ layer: L.gru({ units: 2 }), mergeMode: "sum" }),
    ),
    padded(numbers([3, 5, 3])),
  ],
  timeDistributed: () => [
    stack(
      L.lstm({ units: 3, returnSequences: true, ...steps }),
      L.timeDistributed({ layer: L.dense({ units: 4, activation: "tanh" }) }),
      L.timeDistributed({
        layer: stack(L.dense({ units: 2, inputShape: [4] }), L.activation({ activation: "hardSigmoid" })),
      }),
      L.flatten(),
    ),
    numbers([2, 5, 3]),
  ],
  convolution: () => [
    stack(
      L.conv1d({ filters: 4, kernelSize: 3, padding: "same", activation: "elu", inputShape: [12, 3] }),
      L.maxPooling1d({ poolSize: 2 }),
      L.conv1d({ filters: 3, kernelSize: 2, dilationRate: 2, activation: "gelu" }),
      L.averagePooling1d({ poolSize: 2, strides: 1, padding: "same" }),
      L.spatialDropout1d({ rate: 0.2 }),
      L.globalMaxPooling1d({}),
      L.repeatVector({ n: 2 }),
      L.permute({ dims: [2, 1] }),
      L.reshape({ targetShape: [2, 3] }),
      L.globalAveragePooling1d({}),
    ),
    numbers([2, 12, 3]),
  ],
  twoInputs: () => {
    const [a, b] = [tf.input({ shape: [5, 3], name: "left" }), tf.input({ shape: [4], name: "right" })];
    const [sequence, h, c] = L.lstm({ units: 4, returnSequences: true, returnState: true }).apply(a);
    const again = L.lstm({ units: 4 }).apply(sequence, { initialState: [h, c] });
    const shared = L.dense({ units: 4, activation: "tanh", name: "shared" });
    const sum = L.add().apply([shared.apply(b), shared.apply(again)]);
    const joined = L.concatenate().apply([sum, L.multiply().apply([b, again])]);
    const dot = L.dot({ axes: -1 }).apply([b, again]);
    const outputs = [L.dense({ units: 2, name: "out" }).apply(joined), dot];
    return [tf.model({ inputs: [a, b], outputs, name: "two" }), numbers([2, 5, 3]), numbers([2, 4])];
  },
  nested: () => {
    const x = tf.input({ shape: [5, 3] });
    const inner = tf.input({ shape: [5, 3] });
    const encode = tf.model({ inputs: inner, outputs: L.gru({ units: 3 }).apply(inner), name: "encode" });
    const decode = stack(L.dense({ units: 2, inputShape: [3] }), L.activation({ activation: "softsign" }));
    const y = L.average().apply([
      decode.apply(encode.apply(x)),
      decode.apply(encode.apply(L.dense({ units: 3 }).apply(x))),
    ]);
    return [tf.model({ inputs: x, outputs: y }), numbers([2, 5, 3])];
  },
  normalization: () => [
    stack(
      L.batchNormalization(steps),
      L.simpleRNN({ units: 4, returnSequences: true }),
      L.layerNormalization({ epsilon: 1e-4 }),
      L.batchNormalization({ scale: false, trainable: false }),
      L.gaussianNoise({ stddev: 0.1 }),
      L.timeDistributed({ layer: L.dense({ units: 2, activation: "selu" }) }),
    ),
    numbers([2, 5, 3]),
  ],
  stateful: () => [
    stack(
      L.gru({ units: 3, stateful: true, batchInputShape: [2, 5, 3] }),
      L.dense({ units: 1, activation: "swish" }),
    ),
    numbers([2, 5, 3]),
  ],
  compiled: () => {
    const model = stack(L.lstm({ units: 3, ...steps }), L.dense({ units: 2, activation: "sigmoid" }));
    model.compile({ optimizer: tf.train.adam(0.01), loss: "meanSquaredError", metrics: ["mae"] });
    return [model, numbers([2, 5, 3])];
  },
  activationLayers: () => [
    stack(
      L.dense({ units: 4, ...steps }),
      L.leakyReLU({ alpha: 0.2 }),
      L.reLU({ maxValue: 6 }),
      L.dense({ units: 3 }),
      L.elu(),
      L.simpleRNN({ units: 4 }),
      L.reLU(),
      L.thresholdedReLU({ theta: 0 }),
      L.dense({ units: 3 }),
      L.softmax(),
    ),
    numbers([2, 5, 3]),
  ],
  softmaxOverTheLast: () => [
    stack(L.dense({ units: 4, ...steps }), L.softmax({ axis: -1 })),
    numbers([2, 5, 3]),
  ],
};

const { train } = tf;
/** What models are compiled with that are trained before they are saved, and go on afterwards. */
const compiled = {
  sgd: [train.sgd(0.1), "meanAbsoluteError", ["mse"]],
  momentum: [train.momentum(0.05, 0.9), "meanSquaredError", []],
  nesterov: [train.momentum(0.05, 0.8, true), "cosineProximity", ["mape"]],
  adam: [train.adam(0.02, 0.8, 0.99), "logcosh", ["mae", "mse"]],
  rmsprop: [train.rmsprop(0.01, 0.8), "meanSquaredError", ["mae"]],
  rmspropMomentum: [train.rmsprop(0.01, 0.9, 0.5), "meanSquaredError", []],
  adagrad: [train.adagrad(0.1, 0.2), "meanSquaredError", []],
  adadelta: [train.adadelta(0.5, 0.9), "meanSquaredError", []],
  classes: [train.adam(0.02), "categoricalCrossentropy", ["acc", "categoricalAccuracy"], "softmax"],
};
const FIT = { epochs: 3, batchSize: 3, shuffle: false, verbose: 0 };

const body = (activation = "linear") =>
  stack(
    L.dense({ units: 4, trainable: false, ...steps }),
    L.lstm({ units: 3, returnSequences: true }),
    L.batchNormalization(),
    L.gru({ units: 3 }),
    L.dense({ units: 2, activation }),
  );

const plain = (tensor) => ({
  shape: tensor.shape,
  dtype: tensor.dtype,
  data: base64(
    tensor.dtype === "int32" ? Int32Array.from(tensor.dataSync()) : Float32Array.from(tensor.dataSync()),
  ),
});

/** Every weight another number, also those that begin as 0 or 1; variances are positive. */
function redraw(model) {
  model.setWeights(
    model.weights.map((weight) => {
      const values = tf.mul(numbers(weight.shape), 0.6);
      return /variance/.test(weight.originalName) ? tf.add(tf.abs(values), 0.5) : values;
    }),
  );
}

/** model.json and its shards, as the handlers of tfjs write them. */
async function saved(model, includeOptimizer) {
  let artifacts;
  const handler = tf.io.withSaveHandler(async (given) => {
    artifacts = given;
    return { modelArtifactsInfo: {} };
  });
  await model.save(handler, { includeOptimizer });
  const { weightData, weightSpecs, ...rest } = artifacts;
  const bytes = new Uint8Array(tf.io.CompositeArrayBuffer.join(weightData));
  // Two shards, cut where no number ends.
  const cut = Math.floor(bytes.length / 2) + 1;
  const paths = ["group1-shard1of2.bin", "group1-shard2of2.bin"];
  const json = { ...rest, weightsManifest: [{ paths, weights: weightSpecs }] };
  return {
    json,
    shards: { [paths[0]]: base64(bytes.subarray(0, cut)), [paths[1]]: base64(bytes.subarray(cut)) },
  };
}

async function make() {
  const cases = {};
  for (const [name, build] of Object.entries(models)) {
    const [model, ...x] = build();
    redraw(model);
    const files = await saved(model, name === "compiled");
    const y = [model.predict(x.length === 1 ? x[0] : x)].flat();
    cases[name] = { ...files, x: x.map(plain), y: y.map(plain) };
  }
  for (const [name, [optimizer, loss, metrics, activation]] of Object.entries(compiled)) {
    const model = body(activation);
    redraw(model);
    model.compile({ optimizer, loss, metrics });
    const [x, y] = [
      numbers([8, 5, 3]),
      activation ? tf.oneHot([0, 1, 1, 0, 1, 0, 0, 1], 2).toFloat() : numbers([8, 2]),
    ];
    await model.fit(x, y, FIT);
    const files = await saved(model, true);
    const before = plain(model.predict(x));
    const { history } = await model.fit(x, y, FIT);
    const more = { target: plain(y), loss: history.loss, after: plain(model.predict(x)) };
    cases[`trained_${name}`] = { ...files, x: [plain(x)], y: [before], more };
  }
  writeFileSync(fixture, `${JSON.stringify({ tfjs: tf.version.tfjs, cases })}\n`);
  console.log(`${Object.keys(cases).length} models`);
}

/** Opens the files of `toFiles` in tfjs. */
async function open(files) {
  const [first, ...shards] = files.values();
  const { modelTopology, weightsManifest, trainingConfig } = JSON.parse(new TextDecoder().decode(first));
  const [{ paths, weights }] = weightsManifest;
  if (paths.join() !== [...files.keys()].slice(1).join()) throw new Error(`paths: ${paths}`);
  const weightData = Uint8Array.from(Buffer.concat(shards)).buffer;
  return tf.loadLayersModel({
    load: async () => ({ modelTopology, trainingConfig, weightSpecs: weights, weightData }),
  });
}

async function check() {
  const { loadModel, tensor } = await import("../../build/src/index.js");
  const { loadFormat } = await import("../../build/src/formats/index.js");
  const { write } = await loadFormat("tfjs");
  const { cases } = JSON.parse(readFileSync(fixture, "utf8"));
  const bytes = (text) => Uint8Array.from(Buffer.from(text, "base64"));
  const given = ({ shape, dtype, data }) => [
    new (dtype === "int32" ? Int32Array : Float32Array)(bytes(data).buffer),
    shape,
    dtype,
  ];
  let worst = 0;
  for (const [name, { json, shards, x, y, more }] of Object.entries(cases)) {
    const files = Object.fromEntries(Object.entries(shards).map(([path, text]) => [path, bytes(text)]));
    const model = await loadModel(new TextEncoder().encode(JSON.stringify(json)), { files });
    const inputs = x.map((each) => tensor(...given(each)));
    const ours = [await model.predict(inputs.length === 1 ? inputs[0] : inputs, { verbose: 0 })].flat();
    const there = await open(await write(model.describe("check"), { includeOptimizer: true }));
    const theirInputs = x.map((each) => tf.tensor(...given(each)));
    const theirs = [there.predict(theirInputs.length === 1 ? theirInputs[0] : theirInputs)].flat();
    const apart = (a, b) => a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);
    const read = Math.max(...ours.map(({ data }, k) => apart(data, given(y[k])[0])));
    const written = Math.max(...ours.map(({ data }, k) => apart(data, theirs[k].dataSync())));
    worst = Math.max(worst, read, written);
    console.log(`${name}: read ${read.toExponential(1)}, written ${written.toExponential(1)}`);
    if (!more) continue;
    // What was read and written here goes on there as it would have without that.
    const { history } = await there.fit(theirInputs[0], tf.tensor(...given(more.target)), FIT);
    const on = apart(history.loss, more.loss);
    worst = Math.max(worst, on);
    console.log(`${name}: goes on ${on.toExponential(1)}`);
  }
  if (!(worst <= 1e-5)) throw new Error(`predictions are ${worst} apart`);
}

await tf.setBackend("cpu");
await (process.argv[2] === "check" ? check() : make());
