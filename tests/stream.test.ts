// Step by step: streams and stateful layers give the numbers of one call over the whole sequence.
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  engineInfo,
  input,
  type Layer,
  layers,
  type Model,
  model,
  type SymbolicTensor,
  sequential,
  type Tensor,
  tensor,
} from "../src/index.js";
import { Random } from "../src/random.js";
import { numbers } from "./support.js";

const STEPS = 1000;
const FEATURES = 3;

function sequence(batch: number, steps: number): Float32Array {
  const random = new Random(5);
  return Float32Array.from({ length: batch * steps * FEATURES }, () => random.uniform(-1, 1));
}

const inputShape = [null, FEATURES];
const stacks: Record<string, () => Layer[]> = {
  simpleRNN: () => [layers.simpleRNN({ units: 5, returnSequences: true, inputShape })],
  lstm: () => [layers.lstm({ units: 5, returnSequences: true, inputShape })],
  gru: () => [layers.gru({ units: 5, returnSequences: true, inputShape })],
  "gru, reset before": () => [layers.gru({ units: 5, resetAfter: false, returnSequences: true, inputShape })],
  "lstm step by step": () => [
    layers.lstm({ units: 5, activation: "softsign", returnSequences: true, inputShape }),
  ],
  normalized: () => [
    layers.layerNormalization({ inputShape }),
    layers.lstm({ units: 5, returnSequences: true }),
    layers.batchNormalization({ movingMeanInitializer: "randomNormal", movingVarianceInitializer: "ones" }),
    layers.spatialDropout1D({ rate: 0.5 }),
    layers.gaussianNoise({ stddev: 0.5 }),
    layers.gru({ units: 3, returnSequences: true }),
    layers.layerNormalization({ rmsScaling: true }),
  ],
  "a stack": () => [
    layers.lstm({ units: 5, returnSequences: true, inputShape }),
    layers.timeDistributed({ layer: layers.dense({ units: 4, activation: "relu" }) }),
    layers.gru({ units: 3, returnSequences: true }),
    layers.dense({ units: 2, activation: "softmax" }),
  ],
};

for (const [name, make] of Object.entries(stacks)) {
  for (const batchSize of [1, 3]) {
    test(`stream: ${name}, batch ${batchSize}: 1,000 steps equal one call`, async () => {
      const made = sequential(make());
      const x = sequence(batchSize, STEPS);
      const whole = (await made.predict(tensor(x, [batchSize, STEPS, FEATURES]))) as Tensor;
      const units = whole.shape[2];
      const stream = await made.stream({ batchSize });
      for (let round = 0; round < 2; round++) {
        let worst = 0;
        for (let t = 0; t < STEPS; t++) {
          const now = Float32Array.from({ length: batchSize * FEATURES }, (_, i) => {
            return x[(Math.floor(i / FEATURES) * STEPS + t) * FEATURES + (i % FEATURES)];
          });
          const found = stream.step(tensor(now, [batchSize, FEATURES])) as Tensor;
          assert.equal([...found.shape], [batchSize, units]);
          found.data.forEach((value, i) => {
            const expected = whole.data[(Math.floor(i / units) * STEPS + t) * units + (i % units)];
            worst = Math.max(worst, Math.abs(value - expected));
          });
        }
        assert.ok(worst <= 1e-6, `${worst}`);
        stream.reset();
        for (const state of stream.state) assert.ok(state.data.every((value) => value === 0));
      }
      made.dispose();
    });
  }
}

test("stream: ids, and states as they are", async () => {
  const made = sequential([
    layers.embedding({ inputDim: 9, outputDim: 4, inputShape: [null] }),
    layers.lstm({ units: 5 }),
    layers.dense({ units: 2 }),
  ]);
  const ids = [3, 1, 4, 1, 5];
  const whole = (await made.predict([ids])) as Tensor;
  const stream = await made.stream();
  const found = ids.map((id) => stream.step([id]) as Tensor).at(-1)!;
  assert.ok(whole.data.every((value, i) => Math.abs(value - found.data[i]) < 1e-6));
  assert.equal(
    stream.state.map(({ shape }) => [...shape]),
    [
      [1, 5],
      [1, 5],
    ],
  );
  assert.throws(() => stream.step([9]), /ids from 0 to 8, got 9/);
  assert.throws(() => stream.step([[1, 2]]), /one step of shape/);
  made.dispose();
  assert.throws(() => stream.step([1]), /open stream/);
});

test("stream: what normalizes over time is refused by name", async () => {
  const made = sequential([layers.layerNormalization({ axis: [1, 2], inputShape: [4, FEATURES] })]);
  try {
    await made.stream();
    assert.unreachable("it should have been refused");
  } catch (error) {
    assert.match((error as Error).message, /layer_normalization.*several axes together/);
  }
  made.dispose();
});

test("stream: what reads backwards is refused by name", async () => {
  const made = sequential([layers.bidirectional({ layer: layers.lstm({ units: 2 }), inputShape })]);
  try {
    await made.stream();
    assert.unreachable("it should have been refused");
  } catch (error) {
    assert.match((error as Error).message, /bidirectional.*from both ends/);
  }
  made.dispose();
});

function stateful(cell: "simpleRNN" | "lstm" | "gru"): Model {
  const x = input({ shape: [5, FEATURES], batchSize: 2 });
  const first = layers[cell]({ units: 4, stateful: true, returnSequences: true }).apply(x) as SymbolicTensor;
  return model({ inputs: x, outputs: layers.dense({ units: 1 }).apply(first) as SymbolicTensor });
}

for (const cell of ["simpleRNN", "lstm", "gru"] as const) {
  test(`stateful ${cell}: batch after batch goes on, resetStates begins again`, async () => {
    const made = stateful(cell);
    const x = sequence(2, 20);
    const free = input({ shape: [null, FEATURES] });
    const layer = layers[cell]({ units: 4, returnSequences: true });
    const whole = model({
      inputs: free,
      outputs: layers.dense({ units: 1 }).apply(layer.apply(free) as SymbolicTensor) as SymbolicTensor,
    });
    whole.setWeights(made.getWeights());
    const expected = (await whole.predict(tensor(x, [2, 20, FEATURES]))) as Tensor;
    for (let round = 0; round < 2; round++) {
      for (let part = 0; part < 4; part++) {
        const rows = [0, 1].flatMap((b) => [
          ...x.subarray((b * 20 + part * 5) * FEATURES, (b * 20 + part * 5 + 5) * FEATURES),
        ]);
        const found = (await made.predict(tensor(rows, [2, 5, FEATURES]))) as Tensor;
        found.data.forEach((value, i) => {
          assert.ok(Math.abs(value - expected.data[Math.floor(i / 5) * 20 + part * 5 + (i % 5)]) < 1e-6);
        });
      }
      made.resetStates();
    }
    made.compile({ optimizer: "sgd", loss: "mse" });
    await made.fit(tensor(x, [8, 5, FEATURES]), new Array(8).fill([[1], [2], [3], [4], [5]]), {
      batchSize: 2,
      shuffle: false,
      verbose: 0,
    });
    made.dispose();
    whole.dispose();
  });
}

test("stateful: a batch of another size, or none fixed, is refused", async () => {
  const made = stateful("lstm");
  try {
    await made.predict(tensor(sequence(3, 5), [3, 5, FEATURES]));
    assert.unreachable("it should have been refused");
  } catch (error) {
    assert.match((error as Error).message, /expected 2 samples.*batchSize: 2/);
  }
  const x = input({ shape: [5, FEATURES] });
  assert.throws(() => layers.gru({ units: 2, stateful: true }).apply(x), /fixed batch size/);
  made.dispose();
});

test("ten models, made, trained and disposed of again and again: memory ends where it began", async () => {
  let { memoryUsed: used } = await engineInfo();
  let size = 0;
  for (let round = 0; round < 100; round++) {
    for (const make of Object.values(stacks)) {
      const made = sequential([...make(), layers.simpleRNN({ units: 1 })]);
      made.compile({ optimizer: "adam", loss: "mse" });
      await made.trainOnBatch(tensor(sequence(2, 4), [2, 4, FEATURES]), [1, 2]);
      (await made.stream()).step([[1, 2, 3]]);
      made.dispose();
    }
    const { memoryUsed, memory } = await engineInfo();
    // Less where models that other tests have dropped were found meanwhile.
    assert.ok(memoryUsed <= used, `${memoryUsed} bytes after ${used}`);
    used = memoryUsed;
    if (round === 0) size = memory;
    assert.is(memory, size);
  }
});

for (const [name, layer] of Object.entries({
  lstm: () => layers.lstm({ units: 3, returnSequences: true }),
  "simpleRNN, zeros": () => layers.simpleRNN({ units: 3, returnSequences: true, zeroOutputForMask: true }),
  "gru step by step": () => layers.gru({ units: 3, activation: "relu", returnSequences: true }),
  rnn: () =>
    layers.rnn({
      cell: [layers.gruCell({ units: 2 }), layers.lstmCell({ units: 3 })],
      returnSequences: true,
    }),
})) {
  test(`stream: masked steps of ${name} as in one call`, async () => {
    const ids = [0, 3, 4, 0, 0, 2, 0];
    const made = sequential([
      layers.embedding({ inputDim: 9, outputDim: 4, maskZero: true, inputShape: [null] }),
      layer(),
    ]);
    const whole = await made.predict([ids]);
    const stream = await made.stream();
    for (let round = 0; round < 2; round++) {
      ids.forEach((id, t) => {
        const step = stream.step([id]);
        step.data.forEach((value, u) => {
          assert.ok(Math.abs(value - whole.data[t * 3 + u]) < 1e-6, `step ${t}`);
        });
      });
      stream.reset();
    }
    made.dispose();
  });
}

test("stream: states that were read can be set again, in another stream too", async () => {
  const made = sequential([
    layers.lstm({ units: 3, returnSequences: true, inputShape: [null, 2] }),
    layers.gru({ units: 4 }),
  ]);
  const stream = await made.stream({ batchSize: 2 });
  const steps = Array.from({ length: 6 }, (_, t) => numbers(50 + t, 2, 2));
  stream.step(steps[0]);
  const kept = stream.state;
  const first = steps.slice(1).map((x) => stream.step(x).toArray());
  const other = await made.stream({ batchSize: 2 });
  other.state = kept;
  assert.equal(
    steps.slice(1).map((x) => other.step(x).toArray()),
    first,
  );
  stream.state = kept;
  assert.equal(stream.step(steps[1]).toArray(), first[0]);

  const before = stream.state.map((state) => state.toArray());
  const refuse = (state: unknown, message: RegExp) => {
    assert.throws(() => {
      stream.state = state as never;
    }, message);
    assert.equal(
      stream.state.map((each) => each.toArray()),
      before,
    );
  };
  refuse(kept.slice(1), /stream: state: expected a list of 3 states, got 2/);
  refuse(kept[0], /expected a list of 3 states, got an object \(Tensor\)/);
  refuse([kept[0], kept[1], numbers(1, 2, 3)], /expected shape \[2, 4\] for state 2, got shape \[2,3\]/);
  refuse([kept[0], kept[1], numbers(1, 8)], /expected shape \[2, 4\] for state 2/);
  const infinite = tensor([1, 2, 3, 4, 5, 6, 7, Number.NaN], [2, 4]);
  refuse([kept[0], kept[1], infinite], /expected finite numbers, got NaN at \[1\]\[3\]/);
  made.dispose();
  assert.throws(() => {
    stream.state = kept;
  }, /expected an open stream/);
});

test.run();
