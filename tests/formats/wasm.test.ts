// toBytes('wasm'): a module that tells where its numbers go, and answers as predict does.
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  configure,
  input,
  layers,
  type Model,
  model,
  sequential,
  setRandomSeed,
  tensor,
  UnreelError,
} from "../../src/index.js";

interface Section {
  dims: string[];
  largest: Record<string, number>;
  inputs: { export: string; name: string; dtype: string; shape: (number | string)[]; idLimit?: number }[];
  outputs: { export: string; name: string; shape: (number | string)[] }[];
}

type Exports = Record<string, (...dims: number[]) => number> & { memory: WebAssembly.Memory };

async function open(bytes: Uint8Array): Promise<{ told: Section; exports: Exports }> {
  const module = await WebAssembly.compile(bytes as Uint8Array<ArrayBuffer>);
  assert.equal(WebAssembly.Module.imports(module), []);
  const [section] = WebAssembly.Module.customSections(module, "unreel");
  const { exports } = await WebAssembly.instantiate(module, {});
  return {
    told: JSON.parse(new TextDecoder().decode(section)) as Section,
    exports: exports as unknown as Exports,
  };
}

const bits = (values: ArrayLike<number>) => new Uint32Array(Float32Array.from(values).buffer);

function twoWays(): Model {
  const ids = input({ shape: [null], dtype: "int32", name: "ids" });
  const values = input({ shape: [null, 2], name: "values" });
  const sequence = layers
    .lstm({ units: 4, returnSequences: true })
    .apply(layers.embedding({ inputDim: 9, outputDim: 3 }).apply(ids));
  const joined = layers.concatenate().apply([sequence, values]);
  const pooled = layers
    .globalMaxPooling1D()
    .apply(layers.conv1D({ filters: 3, kernelSize: 3 }).apply(joined));
  return model({ inputs: [ids, values], outputs: [layers.dense({ units: 2 }).apply(pooled), sequence] });
}

test("a module takes any batch and length up to the largest, bit for bit as predict", async () => {
  configure({ deterministic: true });
  setRandomSeed(2);
  const made = twoWays();
  const bytes = await made.toBytes("wasm", { maxBatch: 4, maxSteps: 9 });
  const { told, exports } = await open(bytes);
  assert.equal(
    told.inputs.map(({ name }) => name),
    ["ids", "values"],
  );
  assert.is(told.inputs[0].idLimit, 9);
  for (const [B, T] of [
    [1, 3],
    [4, 9],
    [3, 5],
  ]) {
    const ids = tensor(
      Int32Array.from({ length: B * T }, (_, i) => (i * 5) % 9),
      [B, T],
    );
    const values = tensor(
      Float32Array.from({ length: B * T * 2 }, (_, i) => (i % 7) / 3 - 1),
      [B, T, 2],
    );
    const expected = await made.predict([ids, values], { verbose: 0 });
    const dims = told.dims.map((name) => (name === "B" ? B : T));
    new Int32Array(exports.memory.buffer).set(ids.data, exports.input0(...dims) / 4);
    new Float32Array(exports.memory.buffer).set(values.data, exports.input1(...dims) / 4);
    exports.predict(...dims);
    expected.forEach(({ data }, k) => {
      const start = exports[`output${k}`](...dims) / 4;
      assert.equal(
        bits(new Float32Array(exports.memory.buffer).slice(start, start + data.length)),
        bits(data),
      );
    });
  }
  // A window of three steps, other lengths for the two inputs, too many samples.
  const wrong = { short: [1, 2, 2], unequal: [2, 5, 4], many: [5, 5, 5], none: [0, 5, 5] };
  for (const [what, [b, t, u]] of Object.entries(wrong)) {
    const dims = told.dims.map((name) => (name === "B" ? b : name === "T" ? t : u));
    assert.throws(
      () => exports.predict(...dims),
      (error: unknown) => error instanceof WebAssembly.RuntimeError,
      what,
    );
  }
  configure({ deterministic: false });
  made.dispose();
});

async function refusal(call: () => Promise<unknown>): Promise<string> {
  const error = await call().then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.instance(error, UnreelError);
  return (error as Error).message;
}

test("what a module cannot be is refused", async () => {
  const any = sequential([layers.gru({ units: 2, inputShape: [null, 3] })]);
  assert.match(await refusal(() => any.toBytes("wasm")), /maxSteps: expected a positive integer, got none/);
  assert.match(
    await refusal(() => any.toBytes("wasm", { maxBatch: 0, maxSteps: 3 })),
    /maxBatch: expected a positive/,
  );
  const kept = sequential([input({ shape: [4, 3], batchSize: 2 }), layers.gru({ units: 2, stateful: true })]);
  assert.match(await refusal(() => kept.toBytes("wasm", { maxBatch: 2 })), /stateful/);
  assert.match(await refusal(() => any.toBytes("pickle" as "wasm")), /expected one of/);
});

test.run();
