// What training promises beyond its numbers (memory that does not grow: memory.test.ts): the same bits from the same seed, a usable model
// after an error, histories, validation, weights shared between models.
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  configure,
  engineInfo,
  input,
  layers,
  type Model,
  model,
  optimizers,
  type SymbolicTensor,
  sequential,
  setRandomSeed,
  type Tensor,
  tensor,
} from "../src/index.js";
import { Random } from "../src/random.js";

/** Ids whose sum decides the label. */
function toy(samples: number, length: number, seed = 1): { x: Tensor; y: Tensor } {
  const random = new Random(seed);
  const ids = Int32Array.from({ length: samples * length }, () => random.integer(20));
  const labels = Float32Array.from({ length: samples }, (_, row) => {
    const sum = ids.subarray(row * length, (row + 1) * length).reduce((a, b) => a + b, 0);
    return sum > 9.5 * length ? 1 : 0;
  });
  return { x: tensor(ids, [samples, length]), y: tensor(labels, [samples, 1]) };
}

function classifier(length: number | null, { rate = 0.2 } = {}): Model {
  const made = sequential([
    layers.embedding({ inputDim: 20, outputDim: 8, inputShape: [length] }),
    layers.lstm({ units: 8 }),
    layers.dropout({ rate }),
    layers.dense({ units: 1, activation: "sigmoid" }),
  ]);
  made.compile({
    optimizer: optimizers.adam({ learningRate: 0.01 }),
    loss: "binaryCrossentropy",
    metrics: ["accuracy"],
  });
  return made;
}

test("batches of every size and sequences of every length run through one program", async () => {
  const made = classifier(null);
  for (const length of [3, 12, 1, 7]) {
    const { x, y } = toy(19, length);
    const { history } = await made.fit(x, y, { batchSize: 8, verbose: 0 });
    assert.ok(Number.isFinite(history.loss[0]));
    const whole = (await made.predict(x, { batchSize: 19 })) as Tensor;
    const parts = (await made.predict(x, { batchSize: 4 })) as Tensor;
    whole.data.forEach((value, row) => {
      assert.ok(Math.abs(value - parts.data[row]) < 1e-6);
    });
  }
  made.dispose();
});

for (const deterministic of [true, false]) {
  test(`the same seed gives the same bits (deterministic: ${deterministic})`, async () => {
    configure({ deterministic });
    const { x, y } = toy(128, 9);
    const runs: Uint8Array[][] = [];
    for (let run = 0; run < 2; run++) {
      setRandomSeed(7);
      const made = classifier(9);
      await made.fit(x, y, { batchSize: 32, epochs: 5, verbose: 0 });
      runs.push(
        made.getWeights().map(({ data }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
      );
      made.dispose();
    }
    configure({ deterministic: false });
    assert.equal(runs[0], runs[1]);
    setRandomSeed(8);
    const other = classifier(9);
    await other.fit(x, y, { batchSize: 32, epochs: 5, verbose: 0 });
    assert.not.equal(other.getWeights()[0].toArray(), new Float32Array(runs[0][0].buffer));
    other.dispose();
  });
}

test("it learns: loss falls, accuracy rises, validation is the end of the data", async () => {
  setRandomSeed(3);
  const { x, y } = toy(600, 8);
  const made = classifier(8, { rate: 0 });
  const { history, epoch } = await made.fit(x, y, { epochs: 12, validationSplit: 0.25, verbose: 0 });
  assert.equal(epoch, [...Array(12).keys()]);
  assert.equal(Object.keys(history), ["accuracy", "loss", "val_accuracy", "val_loss"]);
  assert.ok(history.loss[11] < 0.5 * history.loss[0], `${history.loss}`);
  assert.ok(history.accuracy[11] > 0.85);
  const tail = { x: tensor(x.data.subarray(450 * 8), [150, 8]), y: tensor(y.data.subarray(450), [150, 1]) };
  const found = await made.evaluate(tail.x, tail.y);
  assert.ok(Math.abs(found.loss - history.val_loss[11]) < 1e-6);
  assert.is(found.accuracy, history.val_accuracy[11]);
  made.dispose();
});

test("NaN in the loss stops the training, naming epoch and batch; weights are those before", async () => {
  const made = sequential([layers.dense({ units: 1, inputShape: [2] })]);
  made.compile({ optimizer: optimizers.sgd({ learningRate: 1e30 }), loss: "meanSquaredError" });
  const x = tensor([
    [1, 2],
    [3, 4],
    [5, 6],
    [7, 8],
  ]);
  try {
    await made.fit(x, [1, 2, 3, 4], { batchSize: 1, epochs: 3, verbose: 0 });
    assert.unreachable("it should have stopped");
  } catch (error) {
    assert.match(
      (error as Error).message,
      /training stopped at epoch \d, batch \d: loss: expected a finite number/,
    );
  }
  for (const weight of made.getWeights()) for (const value of weight.data) assert.ok(Number.isFinite(value));
  assert.is(((await made.predict(x)) as Tensor).size, 4);
  made.dispose();
});

test("models that share a layer see what the other has learned", async () => {
  const x = input({ shape: [3] });
  const shared = layers.dense({ units: 2 });
  const hidden = shared.apply(x) as SymbolicTensor;
  const whole = model({ inputs: x, outputs: layers.dense({ units: 1 }).apply(hidden) as SymbolicTensor });
  const part = model({ inputs: x, outputs: hidden });
  const data = tensor([
    [1, 2, 3],
    [0, 1, 0],
  ]);
  const before = (await part.predict(data)) as Tensor;
  whole.compile({ optimizer: "sgd", loss: "meanSquaredError" });
  await whole.fit(data, [5, -5], { epochs: 5, verbose: 0 });
  const after = (await part.predict(data)) as Tensor;
  assert.not.equal(before.toArray(), after.toArray());
  whole.dispose();
  assert.equal(((await part.predict(data)) as Tensor).toArray(), after.toArray());
  part.dispose();
});

test("trainable = false keeps a layer's weights, also when changed between fits", async () => {
  const frozen = layers.embedding({ inputDim: 20, outputDim: 4, inputShape: [5], trainable: false });
  const made = sequential([
    frozen,
    layers.gru({ units: 3 }),
    layers.dense({ units: 1, activation: "sigmoid" }),
  ]);
  made.compile({ optimizer: "adam", loss: "binaryCrossentropy" });
  const { x, y } = toy(32, 5);
  const before = made.getWeights().map((weight) => weight.toArray());
  await made.fit(x, y, { verbose: 0 });
  assert.equal(made.getWeights()[0].toArray(), before[0]);
  assert.not.equal(made.getWeights()[1].toArray(), before[1]);
  frozen.trainable = true;
  await made.fit(x, y, { verbose: 0 });
  assert.not.equal(made.getWeights()[0].toArray(), before[0]);
  made.dispose();
});

test("disposed models give all memory back", async () => {
  const before = (await engineInfo()).memoryUsed;
  for (let round = 0; round < 20; round++) {
    const made = classifier(6);
    const { x, y } = toy(16, 6);
    await made.fit(x, y, { verbose: 0 });
    made.dispose();
  }
  const after = await engineInfo();
  assert.is(after.memoryUsed, before);
});

test("while fit runs: predict may, fit, compile and dispose may not", async () => {
  const made = classifier(6, { rate: 0 });
  const { x, y } = toy(64, 6);
  const training = made.fit(x, y, { epochs: 30, batchSize: 8, verbose: 0 });
  const during = made.predict(x);
  assert.throws(() => made.dispose(), /dispose: expected a model at rest, got one that fit is training/);
  assert.throws(() => made.compile({ optimizer: "sgd", loss: "mse" }), /compile: expected a model at rest/);
  try {
    await made.fit(x, y, { verbose: 0 });
    assert.unreachable("it should have been refused");
  } catch (error) {
    assert.match((error as Error).message, /fit: expected a model at rest/);
  }
  await Promise.all([training, during]);
  assert.ok(
    made.getWeights().every(({ data }) => data.every((value) => Number.isFinite(value) && data.length > 0)),
  );
  made.dispose();
});

test("steps that are not awaited share one place in the engine and all count", async () => {
  const [awaited, rushed] = [0, 1].map(() => {
    setRandomSeed(5);
    return classifier(6, { rate: 0 });
  });
  const { x, y } = toy(16, 6);
  for (let step = 0; step < 10; step++) await awaited.trainOnBatch(x, y);
  await Promise.all(Array.from({ length: 10 }, () => rushed.trainOnBatch(x, y)));
  assert.equal(
    rushed.getWeights().map((w) => w.toArray()),
    awaited.getWeights().map((w) => w.toArray()),
  );
  awaited.dispose();
  rushed.dispose();
});

test("predictions before a training do not change it", async () => {
  const weights: unknown[] = [];
  for (const predictions of [0, 3]) {
    setRandomSeed(6);
    const made = classifier(6);
    const { x, y } = toy(32, 6);
    for (let i = 0; i < predictions; i++) await made.predict(x);
    await made.fit(x, y, { verbose: 0 });
    weights.push(made.getWeights().map((w) => w.toArray()));
    made.dispose();
  }
  assert.equal(weights[0], weights[1]);
});

test("sample weights and class weights multiply", async () => {
  const { x, y } = toy(40, 4);
  const made = classifier(4, { rate: 0 });
  const ones = await made.evaluate(x, y);
  const doubled = await made.evaluate(x, y, { sampleWeight: new Float32Array(40).fill(2) });
  assert.ok(Math.abs(doubled.loss - 2 * ones.loss) < 1e-5);
  const weights = made.getWeights();
  const classWeighted = await made.trainOnBatch(x, y, { classWeight: { 0: 3, 1: 0.5 } });
  made.setWeights(weights);
  const sampleWeight = Float32Array.from(y.data, (label) => (label === 0 ? 3 : 0.5));
  const sampled = await made.evaluate(x, y, { sampleWeight, batchSize: 40 });
  assert.ok(Math.abs(classWeighted.loss - sampled.loss) < 1e-5);
  made.dispose();
});

test("a sequential model without input shape is built by its first fit", async () => {
  const { x, y } = toy(8, 3);
  const made = sequential([layers.dense({ units: 1, activation: "sigmoid" })]);
  made.compile({ loss: "binaryCrossentropy" });
  const { history } = await made.fit(x, y, { verbose: 0 });
  assert.ok(Number.isFinite(history.loss[0]));
  assert.is(made.countParams(), 4);
  made.dispose();
});

test.run();
