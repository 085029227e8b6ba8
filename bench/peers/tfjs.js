// TensorFlow.js with its WebAssembly backend: SIMD, one thread. Data stay in the backend as tensors: nothing is copied in.
import { createRequire } from "node:module";
import { CHECK_RATE, PRODUCTS } from "./work.js";

const require = createRequire(import.meta.url);
let tf;

export async function start() {
  const { log, warn } = console;
  console.log = () => {};
  console.warn = () => {};
  try {
    tf = require("@tensorflow/tfjs");
    const backend = require("@tensorflow/tfjs-backend-wasm");
    const main = require.resolve("@tensorflow/tfjs-backend-wasm");
    backend.setWasmPaths(main.slice(0, main.lastIndexOf("dist") + 5));
    backend.setThreadsCount(1);
    await tf.setBackend("wasm");
    await tf.ready();
    if (tf.getBackend() !== "wasm") throw new Error("tfjs: no WebAssembly backend");
    if (!(await tf.env().getAsync("WASM_HAS_SIMD_SUPPORT"))) throw new Error("tfjs: no SIMD");
  } finally {
    Object.assign(console, { log, warn });
  }
  return tf.version.tfjs;
}

export function gemm({ m, n, k }, work) {
  const x = tf.tensor2d(work.x, [m, k]);
  const b = tf.tensor2d(work.b, [k, n]);
  const c = tf.tensor2d(work.c, [n, k]);
  const run = () =>
    tf.tidy(() => {
      let product = x;
      for (let index = 0; index < PRODUCTS; index += 2) product = product.matMul(b).matMul(c);
      return product.dataSync();
    });
  return { run, check: run, end: () => tf.dispose([x, b, c]) };
}

function recurrentLayer({ cell, units, steps, inputs, resetAfter = true }, first) {
  // Weights are set by the caller: not drawn, as an orthogonal matrix takes seconds here.
  const shared = { units, recurrentActivation: "sigmoid", recurrentInitializer: "zeros" };
  if (first) shared.inputShape = [steps, inputs];
  if (cell === "simpleRNN") return tf.layers.simpleRNN(shared);
  return cell === "lstm" ? tf.layers.lstm(shared) : tf.layers.gru({ ...shared, resetAfter });
}

function setWeights(model, weights) {
  const tensors = weights.map(({ data, shape }) => tf.tensor(data, shape));
  model.setWeights(tensors);
  tf.dispose(tensors);
}

export function inference(shape, work) {
  const { batch, steps, inputs } = shape;
  const model = tf.sequential({ layers: [recurrentLayer(shape, true)] });
  setWeights(model, work.recurrent);
  const x = tf.tensor3d(work.x, [batch, steps, inputs]);
  const run = () => tf.tidy(() => model.predict(x, { batchSize: batch }).dataSync());
  const end = () => {
    model.dispose();
    x.dispose();
  };
  return { run, check: run, end };
}

export function training(shape, { embedding, recurrent, dense, ...work }) {
  const { batch, steps, inputs, vocabulary } = shape;
  const words = { inputDim: vocabulary, outputDim: inputs, inputLength: steps };
  const model = tf.sequential({
    layers: [
      ...(vocabulary ? [tf.layers.embedding(words)] : []),
      recurrentLayer(shape, !vocabulary),
      tf.layers.dense({ units: 1 }),
    ],
  });
  setWeights(model, [...embedding, ...recurrent, ...dense]);
  const compile = (optimizer) => model.compile({ optimizer, loss: "meanSquaredError" });
  const x = vocabulary
    ? tf.tensor2d(work.x, [batch, steps], "int32")
    : tf.tensor3d(work.x, [batch, steps, inputs]);
  const y = tf.tensor2d(work.y, [batch, 1]);
  const run = () => model.trainOnBatch(x, y);
  const timed = () => compile(tf.train.adam(0.001));
  const check = async () => {
    compile(tf.train.sgd(CHECK_RATE));
    const losses = [await run(), await run(), await run()];
    timed();
    return losses;
  };
  timed();
  const end = () => {
    model.dispose();
    tf.dispose([x, y]);
  };
  return { run, check, end };
}
