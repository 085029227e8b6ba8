// The thread of infer.test.ts: every model of the fixtures on the kernels that unreel/infer has.
import { readFileSync } from "node:fs";
import { parentPort } from "node:worker_threads";
import { configure, loadModel, tensor } from "../../src/infer.js";
import { root } from "../support.js";
import { assertNear, bytesOf, type Packed, readFixture, unpack } from "./fixtures.js";
import { cases, check, fixture } from "./kerasCases.js";

export interface Outcome {
  failures: string[];
  keras: number;
  onnx: number;
  streams: number;
}

const kernels = (build: string) => readFileSync(new URL(`build/kernels/${build}.forward.wasm`, root));
configure({ kernels: { simd: kernels("simd"), relaxed: kernels("relaxed") } });

const outcome: Outcome = { failures: [], keras: 0, onnx: 0, streams: 0 };
async function attempt(name: string, kind: "keras" | "onnx", act: () => Promise<void>): Promise<void> {
  try {
    await act();
    outcome[kind]++;
  } catch (error) {
    outcome.failures.push(`${name}: ${(error as Error).stack}`);
  }
}

for (const [name, { x, y }] of Object.entries(cases)) {
  await attempt(name, "keras", async () => {
    const model = await loadModel(fixture(`${name}.keras`));
    await check(model, x, y, 1e-5);
    if (name === "lstm") {
      // The last of its steps is what it says of the whole.
      const stream = await model.stream();
      const [, steps, width] = x[0].shape;
      let said = tensor([0]);
      for (let t = 0; t < steps; t++) {
        said = stream.step(tensor(x[0].data.slice(t * width, (t + 1) * width), [1, width]));
      }
      assertNear(said, tensor(y[0].data.slice(0, said.size), [...said.shape]), "the last step");
      outcome.streams++;
    }
    model.dispose();
  });
}

const graphs = ["onnx_hand.json", "onnx_node.json", "onnx_torch.json"].flatMap(
  (file) =>
    readFixture<{
      cases: { name: string; model: string; inputs: Packed[]; outputs: Packed[]; refused?: string }[];
    }>(file).cases,
);
for (const { name, model, inputs, outputs, refused } of graphs) {
  if (refused !== undefined) continue;
  await attempt(name, "onnx", async () => {
    const read = await loadModel(bytesOf(model), { format: "onnx" });
    const feeds = inputs.map(unpack);
    const found = [await read.predict(feeds.length === 1 ? feeds[0] : feeds, { verbose: 0 })].flat();
    found.forEach((each, k) => {
      assertNear(each, unpack(outputs[k]), `output ${k}`);
    });
    read.dispose();
  });
}

parentPort!.postMessage(outcome);
