// save, loadModel, saveWeights and loadWeights with real files: what is kept, what is left out on request, what is beside the model.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  type Cell,
  data,
  input,
  layers,
  loadModel,
  type Model,
  model,
  optimizers,
  sequential,
  setRandomSeed,
  tensor,
  text,
  UnreelError,
} from "../../src/index.js";

const folder = mkdtempSync(join(tmpdir(), "unreel-files-"));
test.after(() => rmSync(folder, { recursive: true }));
const place = (name: string) => join(folder, name);

const x = tensor(
  Int32Array.from({ length: 40 }, (_, i) => (i * 7) % 9),
  [8, 5],
);
const y = tensor(
  Float32Array.from({ length: 8 }, (_, i) => i % 2),
  [8, 1],
);

async function trained(): Promise<Model> {
  setRandomSeed(2);
  const made = sequential(
    [
      layers.embedding({ inputDim: 9, outputDim: 3, maskZero: true, inputShape: [5] }),
      layers.lstm({ units: 3, dropout: 0.5 }),
      layers.dropout({ rate: 0.25 }),
      layers.dense({ units: 1, activation: "sigmoid" }),
    ],
    { name: "spam" },
  );
  made.compile({
    optimizer: optimizers.adadelta({ learningRate: 0.5 }),
    loss: "binaryCrossentropy",
    metrics: ["accuracy"],
  });
  await made.fit(x, y, { epochs: 2, batchSize: 3, verbose: 0 });
  return made;
}

async function refusal(call: () => unknown): Promise<string> {
  const error = await Promise.resolve()
    .then(call)
    .then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
  assert.instance(error, UnreelError);
  return (error as Error).message;
}

test("a saved model goes on with the same bits: weights, optimizer, dropout", async () => {
  const first = await trained();
  await first.save(place("a.keras"));
  await first.save(pathToFileURL(place("b.keras")));
  const bytes = readFileSync(place("a.keras"));
  const found = [
    await loadModel(place("a.keras")),
    await loadModel(pathToFileURL(place("b.keras"))),
    await loadModel(new Response(bytes)),
    await loadModel(new Uint8Array(bytes), { format: "keras" }),
  ];
  const go = async (each: Model) => {
    setRandomSeed(8);
    await each.fit(x, y, { epochs: 2, batchSize: 3, verbose: 0 });
    return each.getWeights();
  };
  const expected = await go(first);
  for (const each of found) {
    assert.is(each.name, "spam");
    assert.equal(await go(each), expected);
  }
  assert.equal(readdirSync(folder).sort(), ["a.keras", "b.keras"], "no temporary files");
});

test("what was loaded and saved again before a step was made keeps the optimizer's state", async () => {
  const first = await trained();
  const second = await loadModel(await (await loadModel(await first.toBytes("keras"))).toBytes("keras"));
  const state = (each: Model) =>
    [...each.describe("test").training!.slots.values()].map((slots) => slots.map((values) => [...values]));
  assert.equal(state(second), state(first));
  second.compile({ optimizer: "sgd", loss: "mse" });
  assert.is(second.describe("test").training, undefined, "another compile begins anew");
});

test("includeOptimizer and compile leave the training out", async () => {
  const first = await trained();
  const bare = await loadModel(await first.toBytes("keras", { includeOptimizer: false }));
  assert.match(await refusal(() => bare.evaluate(x, y)), /expected a compiled model/);
  const uncompiled = await loadModel(await first.toBytes("keras"), { compile: false });
  assert.match(await refusal(() => uncompiled.evaluate(x, y)), /expected a compiled model/);
  assert.equal(await uncompiled.predict(x, { verbose: 0 }), await first.predict(x, { verbose: 0 }));
});

test("assets: vectorizers, lookups and scalers come back with the model", async () => {
  const first = await trained();
  const vectorizer = new text.TextVectorization({ outputSequenceLength: 4 });
  vectorizer.adapt(["a b c", "b c", "c"]);
  const scaler = new data.Normalization();
  scaler.adapt([[1], [3]]);
  const tokenizer = new text.Tokenizer({ numWords: 10 });
  tokenizer.fitOnTexts(["one two two"]);
  await first.save(place("assets.keras"), { assets: { vectorizer, scaler, tokenizer } });
  // Kept when the model is saved again.
  const again = await loadModel(await (await loadModel(place("assets.keras"))).toBytes("keras"));
  const found = again.assets as {
    vectorizer: text.TextVectorization;
    scaler: data.Normalization;
    tokenizer: text.Tokenizer;
  };
  assert.equal(found.vectorizer.apply(["c b x"]), vectorizer.apply(["c b x"]));
  assert.equal(found.scaler.apply([[5]]), scaler.apply([[5]]));
  assert.equal(found.tokenizer.textsToSequences(["two one"]), tokenizer.textsToSequences(["two one"]));
  assert.match(
    await refusal(() => first.toBytes("h5", { assets: { vectorizer } })),
    /assets: expected format 'keras'/,
  );
});

test("assets: what JSON holds comes back as it was; what could not be read again is not written", async () => {
  const first = await trained();
  const assets = { names: ["원", "square"], threshold: 0.5, more: { none: null, yes: true } };
  const again = await loadModel(await first.toBytes("keras", { assets }));
  assert.equal(again.assets, assets);
  const tried = (odd: unknown) => refusal(() => first.toBytes("keras", { assets: { odd: odd as string } }));
  for (const odd of [
    Number.NaN,
    undefined,
    () => 1,
    new Float32Array(2),
    new Map(),
    [[Number.POSITIVE_INFINITY]],
  ])
    assert.match(await tried(odd), /assets: odd: expected a vectorizer, a lookup, a scaler, or texts/);
  for (const odd of [{ className: "Mine" }, { toJSON: () => ({ className: "Mine" }) }])
    assert.match(await tried(odd), /assets: odd: className: expected one of CategoryEncoding.*got 'Mine'/);
  const around: unknown[] = [];
  around.push(around);
  assert.match(await tried(around), /assets: odd: expected/);
});

test("weights alone, and weights from another file", async () => {
  const first = await trained();
  await first.saveWeights(place("w.weights.h5"));
  const bare = await first.toBytes("keras", { includeOptimizer: false });
  const second = await loadModel(bare, { weights: place("w.weights.h5") });
  assert.equal(second.getWeights(), first.getWeights());
  const other = sequential([layers.dense({ units: 1, inputShape: [2] })]);
  assert.match(
    await refusal(() => other.loadWeights(place("w.weights.h5"))),
    /w\.weights\.h5: layers\/dense\/vars\/0: expected shape \(2, 1\), got \(3, 1\)/,
  );
});

test("what has no place in a file is refused by name", async () => {
  const ids = input({ shape: [4, 2] });
  const cell: Cell = { stateSize: 2, call: (x, [h]) => [layers.add().apply([x, h]), [x]] };
  const own = layers.rnn({ cell });
  const strange = model({ inputs: ids, outputs: own.apply(ids) });
  assert.match(await refusal(() => strange.toBytes("keras")), /a cell of your own/);
  const sure = model({ inputs: ids, outputs: layers.dropout({ rate: 0.5 }).apply(ids, { training: true }) });
  assert.match(await refusal(() => sure.toBytes("keras")), /training: expected none/);
  assert.match(
    await refusal(() => strange.save(place("x.onxn"), { format: "onxn" as never })),
    /format: expected one of/,
  );
  assert.match(await refusal(() => loadModel(place("missing.keras"))), /missing\.keras/);
  writeFileSync(place("odd.bin"), "hello");
  assert.match(
    await refusal(() => loadModel(place("odd.bin"))),
    /odd\.bin: expected a model file of a known kind/,
  );
  assert.match(await refusal(() => loadModel(3 as never)), /loadModel/);
});

test("a model that has no shape yet is refused by its name, once", async () => {
  const waiting = sequential([layers.dense({ units: 1 })], { name: "waiting" });
  const calls: Record<string, () => Promise<unknown>> = {
    save: () => waiting.save(place("waiting.keras")),
    toBytes: () => waiting.toBytes("keras"),
    saveWeights: () => waiting.saveWeights(place("waiting.weights.h5")),
    loadWeights: () => waiting.loadWeights(place("w.weights.h5")),
  };
  for (const [method, call] of Object.entries(calls)) {
    assert.match(
      await refusal(call),
      new RegExp(
        `^waiting: ${method}: expected a model that was built, got one whose input shape is unknown`,
      ),
    );
  }
});

test("a model in several files, by a path, a file URL and over HTTP", async () => {
  const shape = { inputShape: [4, 3] };
  const model = sequential([
    layers.gru({ units: 3, resetAfter: false, ...shape }),
    layers.dense({ units: 2 }),
  ]);
  const path = join(folder, "model.json");
  await model.save(path);
  assert.ok(readdirSync(folder).includes("group1-shard1of1.bin"));
  const x = tensor(
    Float32Array.from({ length: 24 }, (_, k) => k / 24 - 0.5),
    [2, 4, 3],
  );
  const wanted = (await model.predict(x, { verbose: 0 })).data;
  const server = createServer((request, response) => {
    response.end(readFileSync(join(folder, new URL(request.url!, "http://x").pathname)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  try {
    const url = `http://127.0.0.1:${port}/model.json?version=2`;
    for (const source of [path, pathToFileURL(path), url, new URL(url), await fetch(url)]) {
      const again = await loadModel(source);
      assert.equal([...(await again.predict(x, { verbose: 0 })).data], [...wanted]);
    }
  } finally {
    server.close();
    server.closeAllConnections();
  }
});

test.run();
