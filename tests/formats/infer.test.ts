// `unreel/infer`: models of Keras and of ONNX run on the kernels of the way forward alone, in a thread of their own for its kernels'
// sake, with the same numbers.
import { Worker } from "node:worker_threads";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { loadModel, SavedModel, UnreelError } from "../../src/infer.js";
import { inlined } from "../../src/wasm/inlinedForward.js";
import type { Outcome } from "./inferModels.js";
import { fixture } from "./kerasCases.js";

const outcome = await new Promise<Outcome>((resolve, reject) => {
  const worker = new Worker(new URL("./inferModels.js", import.meta.url));
  worker.on("message", resolve);
  worker.on("error", reject);
});

test("the kernels of the way forward are fewer, and all that predictions need", () => {
  assert.equal(outcome.failures, []);
  assert.ok(outcome.keras >= 60, `${outcome.keras} models of Keras`);
  assert.ok(outcome.onnx >= 120, `${outcome.onnx} graphs of ONNX`);
  assert.ok(outcome.streams >= 1, `${outcome.streams} streams`);
  assert.ok(inlined.sizes.simd < 32_000, `${inlined.sizes.simd} bytes`);
});

test("a saved model has no training, but its table, its weights and its layers", async () => {
  const model = await loadModel(fixture("lstm.keras"));
  assert.instance(model, SavedModel);
  assert.not.ok("fit" in model || "compile" in model || "save" in model);
  assert.match(model.summary({ print: () => {} }), /Total params/);
  assert.is(
    model.countParams(),
    model.getWeights().reduce((sum, { size }) => sum + size, 0),
  );
  assert.ok(model.layers.length > 0);
  model.dispose();
});

test("what is no model is told", async () => {
  try {
    await loadModel(new Uint8Array(10));
    assert.unreachable();
  } catch (error) {
    assert.instance(error, UnreelError);
    assert.match((error as Error).message, /^loadModel: bytes: expected a model file/);
  }
});

test.run();
