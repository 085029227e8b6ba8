// onnxruntime, twice: its WebAssembly build (as in a browser) and its native one. Neither can train.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import * as webRuntime from "onnxruntime-web/wasm";
import { gemmModel, recurrentModel } from "./onnx.js";

const require = createRequire(import.meta.url);

/** The same jobs for either runtime. */
function contender(load, optionsFor) {
  let ort;
  let options;
  const session = (bytes) => ort.InferenceSession.create(bytes, { logSeverityLevel: 3, ...options });
  const tensor = (data, shape) => new ort.Tensor("float32", data, shape);
  return {
    async start({ threads }) {
      ort = load();
      options = optionsFor(threads);
      return ort.env.versions.common;
    },

    async gemm(shape, { x, b, c }) {
      const { m, n, k } = shape;
      const made = await session(gemmModel(shape));
      const feeds = { x: tensor(x, [m, k]), b: tensor(b, [k, n]), c: tensor(c, [n, k]) };
      const run = async () => (await made.run(feeds)).y.data;
      return { run, check: run, end: () => made.release() };
    },

    async inference(shape, work) {
      const { batch, steps, inputs } = shape;
      const made = await session(recurrentModel(shape, work.recurrent));
      const feeds = { x: tensor(timeMajor(work.x, batch, steps, inputs), [steps, batch, inputs]) };
      const run = async () => (await made.run(feeds)).y.data;
      return { run, check: run, end: () => made.release() };
    },
  };
}

/** ONNX reads sequences [T,B,I]: turned once, outside of what is timed. */
function timeMajor(x, batch, steps, inputs) {
  const turned = new Float32Array(x.length);
  for (let b = 0; b < batch; b++) {
    for (let t = 0; t < steps; t++) {
      const from = (b * steps + t) * inputs;
      turned.set(x.subarray(from, from + inputs), (t * batch + b) * inputs);
    }
  }
  return turned;
}

export const web = contender(
  () => {
    const file = require.resolve("onnxruntime-web/ort-wasm-simd-threaded.wasm");
    // More need pages that are fetched: not in Node.
    webRuntime.env.wasm.numThreads = 1;
    webRuntime.env.wasm.wasmBinary = readFileSync(file);
    return webRuntime;
  },
  () => ({ executionProviders: ["wasm"] }),
);

export const native = contender(
  () => require("onnxruntime-node"),
  (threads) => ({ executionProviders: ["cpu"], intraOpNumThreads: threads, interOpNumThreads: 1 }),
);
