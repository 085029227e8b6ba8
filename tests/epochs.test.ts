// What an epoch is made of: shuffles, dropout that changes from step to step, means over batches of different sizes, weights of
// losses, metrics under masks; and data that do not fit.
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  input,
  layers,
  model,
  optimizers,
  type SymbolicTensor,
  sequential,
  setRandomSeed,
  type Tensor,
  tensor,
} from "../src/index.js";

const linear = (units = 1, features = 1) =>
  sequential([layers.dense({ units, useBias: false, kernelInitializer: "ones", inputShape: [features] })]);

test("shuffle changes the order of the samples, and only shuffle does", async () => {
  const seen: number[] = [];
  for (const shuffle of [true, false]) {
    setRandomSeed(3);
    const made = linear();
    made.compile({ optimizer: optimizers.sgd({ learningRate: 0 }), loss: "mse" });
    const x = tensor(
      Float32Array.from({ length: 64 }, (_, i) => i),
      [64, 1],
    );
    const first: number[] = [];
    // With a rate of zero the loss of a batch of one is the square of its sample: the order can be read from it.
    let sum = 0;
    await made.fit(x, new Float32Array(64), {
      batchSize: 1,
      shuffle,
      verbose: 0,
      callbacks: [
        {
          onTrainBatchEnd(batch, { loss }) {
            const total = loss * (batch + 1);
            first.push(Math.round(Math.sqrt(Math.max(0, total - sum))));
            sum = total;
          },
        },
      ],
    });
    const inOrder = first.every((value, i) => Math.abs(value - i) <= 1);
    assert.is(inOrder, !shuffle, `${first}`);
    seen.push(first.length);
    made.dispose();
  }
  assert.equal(seen, [64, 64]);
});

test("dropout drops other numbers in each step", async () => {
  const x = input({ shape: [64] });
  const dropped = layers.dropout({ rate: 0.5, seed: 1 }).apply(x, { training: true }) as SymbolicTensor;
  const made = model({ inputs: x, outputs: dropped });
  const rows = (await made.predict(new Array(2).fill(new Array(64).fill(1)), { batchSize: 1 })) as Tensor;
  assert.not.equal([...rows.data.subarray(0, 64)], [...rows.data.subarray(64)]);
  made.dispose();
});

test("the epoch's loss and metrics count samples, not batches", async () => {
  const made = linear();
  made.compile({ optimizer: optimizers.sgd({ learningRate: 0 }), loss: "mse", metrics: ["mae", "mse"] });
  const x = tensor([[0], [0], [0], [0], [3]]);
  const { history } = await made.fit(x, [0, 0, 0, 0, 0], { batchSize: 4, shuffle: false, verbose: 0 });
  assert.ok(Math.abs(history.loss[0] - 9 / 5) < 1e-6);
  assert.ok(Math.abs(history.mae[0] - 3 / 5) < 1e-6);
  assert.ok(Math.abs(history.mse[0] - 9 / 5) < 1e-6);
  const found = await made.evaluate(x, [0, 0, 0, 0, 0], { batchSize: 2 });
  assert.ok(Math.abs(found.loss - 9 / 5) < 1e-6);
  made.dispose();
});

test("lossWeights weigh the gradient and the reported loss", async () => {
  for (const lossWeights of [
    [1, 1],
    [1, 0],
    [0.5, 3],
  ]) {
    const x = input({ shape: [1] });
    const heads = [0, 1].map(() => layers.dense({ units: 1, useBias: false, kernelInitializer: "ones" }));
    const outputs = heads.map((head) => head.apply(x) as SymbolicTensor);
    const made = model({ inputs: x, outputs });
    made.compile({ optimizer: optimizers.sgd({ learningRate: 1 }), loss: "mse", lossWeights });
    const { loss } = await made.trainOnBatch([[1]], [[[0]], [[0]]]);
    assert.ok(Math.abs(loss - lossWeights[0] - lossWeights[1]) < 1e-6);
    made.getWeights().forEach(({ data }, k) => {
      assert.ok(Math.abs(data[0] - (1 - 2 * lossWeights[k])) < 1e-6, `${data[0]}`);
    });
    made.dispose();
  }
});

test("masked steps count neither in the loss nor in the metrics", async () => {
  const made = sequential([
    layers.embedding({
      inputDim: 3,
      outputDim: 1,
      maskZero: true,
      embeddingsInitializer: "ones",
      inputShape: [4],
    }),
    layers.activation({ activation: "linear" }),
  ]);
  made.compile({ optimizer: "sgd", loss: "mse", metrics: ["mae"] });
  const found = await made.evaluate([[1, 2, 0, 0]], [[[3], [1], [9], [9]]]);
  assert.ok(Math.abs(found.loss - 2) < 1e-6, `${found.loss}`);
  assert.ok(Math.abs(found.mae - 1) < 1e-6, `${found.mae}`);
  made.dispose();
});

test("an evaluation in the middle of an epoch does not disturb its metrics", async () => {
  const run = async (disturb: boolean) => {
    setRandomSeed(2);
    const made = linear();
    made.compile({ optimizer: optimizers.sgd({ learningRate: 0.1 }), loss: "mse", metrics: ["mae"] });
    const x = tensor([[1], [2], [3], [4]]);
    const callbacks = disturb
      ? [{ onTrainBatchEnd: async () => void (await made.evaluate(x, [9, 9, 9, 9])) }]
      : [];
    const { history } = await made.fit(x, [1, 1, 1, 1], { batchSize: 1, verbose: 0, callbacks });
    made.dispose();
    return history;
  };
  assert.equal(await run(true), await run(false));
});

test("class weights do not weigh validation data", async () => {
  const made = sequential([layers.dense({ units: 1, activation: "sigmoid", inputShape: [1] })]);
  made.compile({ optimizer: optimizers.sgd({ learningRate: 0 }), loss: "binaryCrossentropy" });
  const x = tensor([[1], [2], [3], [4]]);
  const { history } = await made.fit(x, [0, 1, 0, 1], {
    validationSplit: 0.5,
    classWeight: { 0: 10, 1: 10 },
    verbose: 0,
  });
  const found = await made.evaluate(x.data.slice(2), [0, 1]);
  assert.ok(Math.abs(history.val_loss[0] - found.loss) < 1e-6);
  assert.ok(history.loss[0] > 5 * history.val_loss[0] * 0.5);
  made.dispose();
});

test("an optimizer begins again with its slots: Adam's first step has the size of its rate", async () => {
  const made = linear();
  const optimizer = optimizers.adam({ learningRate: 0.01 });
  made.compile({ optimizer, loss: "mse" });
  for (let step = 0; step < 40; step++) await made.trainOnBatch([[1]], [5]);
  made.dispose();
  const before = made.getWeights()[0].data[0];
  await made.trainOnBatch([[1]], [5]);
  assert.ok(Math.abs(Math.abs(made.getWeights()[0].data[0] - before) - 0.01) < 1e-5);
  made.dispose();
});

test("lengths that do not fit are refused before anything runs", async () => {
  const made = sequential([layers.lstm({ units: 2, returnSequences: true, inputShape: [null, 1] })]);
  made.compile({ loss: "mse" });
  const x = tensor(new Float32Array(10), [2, 5, 1]);
  for (const steps of [4, 6, 4000]) {
    try {
      await made.fit(x, tensor(new Float32Array(2 * steps * 2), [2, steps, 2]), { verbose: 0 });
      assert.unreachable("it should have been refused");
    } catch (error) {
      assert.match((error as Error).message, /y: expected shape \(2, 5, 2\)/);
    }
  }
  made.dispose();
  const values = input({ shape: [null, 1] });
  const keep = input({ shape: [null] });
  const masked = model({
    inputs: [values, keep],
    outputs: layers.gru({ units: 2 }).apply(values, { mask: keep }) as SymbolicTensor,
  });
  const half = (await masked.predict([x, tensor(new Float32Array(10).fill(0.5), [2, 5])])) as Tensor;
  const whole = (await masked.predict([x, tensor(new Float32Array(10).fill(1), [2, 5])])) as Tensor;
  assert.equal(half.toArray(), whole.toArray(), "0.5 keeps");
  try {
    await masked.predict([x, tensor(new Float32Array(6), [2, 3])]);
    assert.unreachable("it should have been refused");
  } catch (error) {
    assert.match((error as Error).message, /mask: expected 5 steps, as what it masks, got 3/);
  }
  assert.throws(
    () => layers.gru({ units: 2 }).apply(values, { mask: values }),
    /mask: expected a symbolic tensor of shape/,
  );
  masked.dispose();
});

test("whole numbers are read as numbers where numbers are wanted", async () => {
  const x = input({ shape: [2], dtype: "int32" });
  const made = model({
    inputs: x,
    outputs: layers.dense({ units: 1, useBias: false, kernelInitializer: "ones" }).apply(x) as SymbolicTensor,
  });
  assert.equal(((await made.predict([[3, 4]])) as Tensor).toArray(), [[7]]);
  made.dispose();
});

test("weights of samples and steps: what does not fit the loss is refused", async () => {
  const made = linear(3, 2);
  made.compile({ loss: "mse" });
  const [x, y] = [tensor(new Float32Array(4), [2, 2]), tensor(new Float32Array(6), [2, 3])];
  for (const sampleWeight of [tensor(new Float32Array(6), [2, 3]), tensor([1, 2, 3])]) {
    try {
      await made.evaluate(x, y, { sampleWeight });
      assert.unreachable("it should have been refused");
    } catch (error) {
      assert.match((error as Error).message, /sampleWeight: expected 2 weights/);
    }
  }
  made.dispose();
});

test.run();
