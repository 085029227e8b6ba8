// The design's promise: the forward program of a trained model, emitted as one WebAssembly module without imports, answers bit
// for bit as predict does.
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Executor } from "../src/graph/executor.js";
import {
  configure,
  layers,
  type Model,
  sequential,
  setRandomSeed,
  type Tensor,
  tensor,
} from "../src/index.js";
import { emit } from "../src/program/emit.js";
import { canRun, kernelBytes } from "../src/wasm/kernels.js";

const LENGTH = 7;
const ROWS = 5;

type Cell = "lstm" | "gru" | "simpleRNN" | "normalized gru";

async function trained(cell: Cell, length: number | null): Promise<Model> {
  setRandomSeed(4);
  const model = sequential([
    layers.embedding({ inputDim: 30, outputDim: 5, inputShape: [length], maskZero: true }),
    ...(cell === "normalized gru"
      ? [
          layers.batchNormalization({ momentum: 0.5 }),
          layers.gru({ units: 6, returnSequences: true }),
          layers.spatialDropout1D({ rate: 0.25 }),
          layers.layerNormalization(),
          layers.gaussianNoise({ stddev: 0.25 }),
          layers.gru({ units: 6 }),
          layers.batchNormalization({ scale: false }),
        ]
      : [layers[cell]({ units: 6 })]),
    layers.dense({ units: 1, activation: "sigmoid" }),
  ]);
  model.compile({ optimizer: "adam", loss: "binaryCrossentropy" });
  const x = tensor(
    Int32Array.from({ length: 40 * LENGTH }, (_, i) => (i * i * 7) % 30),
    [40, LENGTH],
  );
  await model.fit(
    x,
    x.data.filter((_, i) => i % LENGTH === 0).map((id) => id % 2),
    { epochs: 3, verbose: 0 },
  );
  return model;
}

for (const build of ["simd", "relaxed"] as const) {
  const runs = canRun(build);
  for (const cell of ["lstm", "gru", "simpleRNN", "normalized gru"] as const) {
    for (const length of [LENGTH, null]) {
      const shape = length ? "fixed length" : "any length";
      (runs ? test : test.skip)(
        `${build}: embedding + ${cell} + dense, ${shape}, as a bare module`,
        async () => {
          configure({ deterministic: build === "simd" });
          const model = await trained(cell, length);
          const ids = Int32Array.from({ length: ROWS * LENGTH }, (_, i) => (i * 13) % 30);
          const expected = (await model.predict(tensor(ids, [ROWS, LENGTH]))) as Tensor;
          configure({ deterministic: false });

          const executor = await (
            model as unknown as { executor(operation: string): Promise<Executor> }
          ).executor("emit");
          const { program, packing, work, inputs, outputs } = executor.program("predict");
          const largest = { B: ROWS, T: LENGTH };
          const emitted = await emit(program, {
            kernels: await kernelBytes(build),
            constants: executor.kernelConstants(),
            weights: executor.weightBytes(),
            packing,
            packedBytes: executor.packedBytes,
            work,
            largest,
          });

          const module = await WebAssembly.compile(emitted.bytes as Uint8Array<ArrayBuffer>);
          assert.equal(WebAssembly.Module.imports(module), []);
          assert.equal(
            WebAssembly.Module.exports(module)
              .map(({ name }) => name)
              .sort(),
            ["memory", "predict"],
          );
          const { exports } = await WebAssembly.instantiate(module, {});
          const memory = (exports.memory as WebAssembly.Memory).buffer;
          const dims = { B: ROWS, T: LENGTH };
          const input = emitted.address(inputs[0].values.int32!.pointer.storage.name, dims);
          new Int32Array(memory).set(ids, input / 4);
          (exports.predict as (...dims: number[]) => void)(
            ...emitted.dims.map((name) => dims[name as "B" | "T"]),
          );
          const { storage, offset } = outputs[0].value.pointer;
          const output = (emitted.address(storage.name, dims) + offset.evaluate(dims)) / 4;
          const found = new Float32Array(memory).slice(output, output + ROWS);
          assert.equal(new Uint32Array(found.buffer), new Uint32Array(expected.data.slice().buffer));

          const kernels = (await kernelBytes(build)).length;
          const code = emitted.bytes.length - executor.weightBytes().length;
          assert.ok(
            code < kernels / 2,
            `${code} bytes of code: unused kernels should be gone (${kernels} in the build)`,
          );
          model.dispose();
        },
      );
    }
  }
}

test.run();
