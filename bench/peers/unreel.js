// unreel as a user has it: the bundle in dist/. The bare products come from the kernels' file, which is public too.
import { readFileSync } from "node:fs";
import { CHECK_RATE, PRODUCTS } from "./work.js";

const dist = new URL("../../dist/", import.meta.url);
let unreel;
let build;

export async function start({ build: wanted, wide, threads }) {
  unreel = await import(new URL("unreel.js", dist).href);
  unreel.configure({ deterministic: wanted === "simd", wide, threads });
  const info = await unreel.engineInfo();
  if (info.wide !== wide) throw new Error(`--wide: ${info.wideReason}`);
  if (info.threads !== threads) throw new Error(`--threads: ${info.threads}. ${info.threadsReason}`);
  build = info.build;
  if (wanted && !wide && wanted !== build) throw new Error(`--build: this Node cannot run ${wanted}`);
  return build;
}

export async function gemm({ m, n, k }, { x, b, c }) {
  const { instance } = await WebAssembly.instantiate(
    readFileSync(new URL(`kernels.${build}.wasm`, dist)),
    {},
  );
  const { memory, gemmNN, GEMM_SCRATCH_BYTES } = instance.exports;
  let next = memory.buffer.byteLength;
  const room = (bytes) => {
    const address = next;
    next += Math.ceil(bytes / 64) * 64 + 64;
    return address;
  };
  const [from, left, right] = [x, b, c].map((values) => room(values.byteLength));
  const [wide, narrow] = [room(m * n * 4), room(m * k * 4)];
  const scratch = room(GEMM_SCRATCH_BYTES.value);
  memory.grow(Math.ceil((next - memory.buffer.byteLength) / 65536));
  for (const [address, values] of [
    [from, x],
    [left, b],
    [right, c],
  ]) {
    new Float32Array(memory.buffer, address, values.length).set(values);
  }
  const run = () => {
    for (let product = 0; product < PRODUCTS; product += 2) {
      gemmNN(wide, n, product === 0 ? from : narrow, k, left, n, 0, m, n, k, 0, scratch);
      gemmNN(narrow, k, wide, n, right, k, 0, m, k, n, 0, scratch);
    }
  };
  const check = () => {
    run();
    return new Float32Array(memory.buffer, narrow, m * k).slice();
  };
  return { run, check };
}

function recurrentLayer({ cell, units, steps, inputs, resetAfter = true }, first) {
  const options = { units, ...(first ? { inputShape: [steps, inputs] } : {}) };
  return unreel.layers[cell](cell === "gru" ? { ...options, resetAfter } : options);
}

const tensors = (weights) => weights.map(({ data, shape }) => unreel.tensor(data, shape));

export async function inference(shape, work) {
  const { batch, steps, inputs } = shape;
  const model = unreel.sequential([recurrentLayer(shape, true)]);
  model.setWeights(tensors(work.recurrent));
  const x = unreel.tensor(work.x, [batch, steps, inputs]);
  const run = () => model.predict(x, { batchSize: batch });
  return { run, check: async () => (await run()).data, end: () => model.dispose() };
}

export async function training(shape, { embedding, recurrent, dense, ...work }) {
  const { batch, steps, inputs, vocabulary } = shape;
  const { layers, tensor, optimizers } = unreel;
  const words = { inputDim: vocabulary, outputDim: inputs, inputShape: [steps] };
  const model = unreel.sequential([
    ...(vocabulary ? [layers.embedding(words)] : []),
    recurrentLayer(shape, !vocabulary),
    layers.dense({ units: 1 }),
  ]);
  model.setWeights(tensors([...embedding, ...recurrent, ...dense]));
  const compile = (optimizer) => model.compile({ optimizer, loss: "meanSquaredError" });
  const x = tensor(work.x, vocabulary ? [batch, steps] : [batch, steps, inputs]);
  const y = tensor(work.y, [batch, 1]);
  const run = async () => (await model.trainOnBatch(x, y)).loss;
  const timed = () => compile(optimizers.adam({ learningRate: 0.001 }));
  const check = async () => {
    compile(optimizers.sgd({ learningRate: CHECK_RATE }));
    const losses = [await run(), await run(), await run()];
    timed();
    return losses;
  };
  timed();
  return { run, check, end: () => model.dispose() };
}
