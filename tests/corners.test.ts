// Corners of the recurrent layers that golden numbers do not reach: streams of shared layers and of layers inside others, what
// bidirectional copies and refuses, freezing inside a model, and the mask that states hide.
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  type Cell,
  data,
  initializers,
  input,
  layers,
  type Model,
  model,
  ops,
  type SymbolicTensor,
  sequential,
  type Tensor,
  tensor,
} from "../src/index.js";
import { assertClose, numbers, one } from "./support.js";

const [T, I] = [6, 3];

/** A stream gives, step by step, what one call gives. x: [1, T, …] each. */
async function streams(made: Model, ...xs: Tensor[]): Promise<void> {
  const whole = (await made.predict(xs.length === 1 ? xs[0] : xs)) as Tensor;
  const stream = await made.stream();
  const units = whole.shape.at(-1)!;
  const steps = xs[0].shape[1];
  for (let t = 0; t < steps; t++) {
    const now = xs.map(({ data, shape: [, , ...rest] }) => {
      const size = rest.reduce((a, b) => a * b, 1);
      return tensor(data.slice(t * size, (t + 1) * size) as Float32Array, [1, ...rest]);
    });
    const found = stream.step(now.length === 1 ? now[0] : now) as Tensor;
    assertClose(`step ${t}`, found.data, whole.data.slice(t * units, (t + 1) * units), 1e-5);
  }
  made.dispose();
}

test("stream: a layer applied in two places keeps a state for each", async () => {
  const [a, b] = [input({ shape: [null, I] }), input({ shape: [null, I] })];
  const shared = layers.lstm({ units: 4, returnSequences: true });
  const both = one(layers.concatenate(), [one(shared, a), one(shared, b)]);
  await streams(model({ inputs: [a, b], outputs: both }), numbers(1, 1, T, I), numbers(2, 1, T, I));
});

test("stream: a model applied twice, one after the other, keeps a state for each", async () => {
  const start = input({ shape: [null, I] });
  const inner = model({
    inputs: start,
    outputs: one(layers.gru({ units: I, returnSequences: true }), start),
  });
  const x = input({ shape: [null, I] });
  const y = inner.apply(inner.apply(x) as SymbolicTensor) as SymbolicTensor;
  await streams(model({ inputs: x, outputs: y }), numbers(1, 1, T, I));
});

test("stream: a recurrent layer in timeDistributed begins anew at each step", async () => {
  for (const inner of [
    layers.lstm({ units: 4 }),
    layers.gru({ units: 4, goBackwards: true }),
    layers.bidirectional({ layer: layers.simpleRNN({ units: 2 }) }),
    layers.flatten(),
  ]) {
    const made = sequential([
      layers.timeDistributed({ layer: inner, inputShape: [null, 5, I] }),
      layers.gru({ units: 2, returnSequences: true }),
    ]);
    await streams(made, numbers(1, 1, T, 5, I));
  }
});

test("stream: layers that are given their states are refused, also inside a model", async () => {
  const x = input({ shape: [null, I] });
  const state = input({ shape: [4] });
  const decoder = model({
    inputs: [x, state],
    outputs: one(layers.gru({ units: 4 }), x, { initialState: state }),
  });
  const [a, b] = [input({ shape: [null, I] }), input({ shape: [4] })];
  const outer = model({ inputs: [a, b], outputs: decoder.apply([a, b]) as SymbolicTensor });
  for (const made of [decoder, outer]) {
    try {
      await made.stream();
      assert.unreachable("it should have been refused");
    } catch (error) {
      assert.match((error as Error).message, /gru.*begins with states that it is given/);
    }
    made.dispose();
  }
});

test("stateful layers of one name, in models inside, keep their own states", async () => {
  const half = () => {
    const x = input({ shape: [T, I], batchSize: 1 });
    const layer = layers.gru({ units: 2, stateful: true, name: "same" });
    return model({ inputs: x, outputs: one(layer, x) });
  };
  const [a, b] = [half(), half()];
  const x = input({ shape: [T, I], batchSize: 1 });
  const both = model({ inputs: x, outputs: [a.apply(x), b.apply(x)] as SymbolicTensor[] });
  const data = numbers(3, 1, T, I);
  for (let round = 0; round < 3; round++) {
    const [first, second] = (await both.predict(data)) as Tensor[];
    assertClose("one", first.data, ((await a.predict(data)) as Tensor).data);
    assertClose("other", second.data, ((await b.predict(data)) as Tensor).data);
  }
  for (const made of [a, b, both]) made.dispose();
});

test("bidirectional: a layer that reads backwards needs a backwardLayer, as in Keras", () => {
  const backwards = () => layers.gru({ units: 2, goBackwards: true });
  assert.throws(() => layers.bidirectional({ layer: backwards() }), /a layer that reads forwards/);
  layers.bidirectional({ layer: backwards(), backwardLayer: layers.gru({ units: 2 }) });
  assert.throws(
    () =>
      layers.bidirectional({
        layer: layers.gru({ units: 2 }),
        backwardLayer: layers.gru({ units: 2, goBackwards: true, stateful: true }),
      }),
    /the same returnSequences, returnState and stateful/,
  );
});

test("bidirectional: cells and the layers of a user's own cell are copied, so that each way learns for itself", async () => {
  const dense = layers.dense({ units: 3, activation: "tanh" });
  const deep = sequential([layers.dense({ units: 3, inputShape: [3] })]);
  const own: Cell = {
    stateSize: 3,
    call(x, [h]) {
      const next = ops.add(one(dense, ops.concatenate([x, h])), one(deep.asLayer(), h));
      return [next, [next]];
    },
  };
  const stack = [layers.lstmCell({ units: 3 }), layers.gruCell({ units: 3 })];
  for (const cell of [layers.gruCell({ units: 3 }), stack, own]) {
    const recurrent = layers.rnn({ cell });
    const x = input({ shape: [T, I] });
    const alone = model({ inputs: x, outputs: one(recurrent, x) });
    const both = model({
      inputs: x,
      outputs: layers.bidirectional({ layer: recurrent, mergeMode: null }).apply(x) as SymbolicTensor[],
    });
    const weights = alone.getWeights();
    const shapes = (list: readonly Tensor[]) => list.map(({ shape }) => [...shape]);
    assert.equal(shapes(both.getWeights()), shapes([...weights, ...weights]));
    const other = weights.map(({ shape }, k) => numbers(40 + k, ...shape));
    both.setWeights([...weights, ...other]);
    const data = numbers(7, 2, T, I);
    const [there, back] = (await both.predict(data)) as Tensor[];
    assertClose("forwards", there.data, ((await alone.predict(data)) as Tensor).data);
    alone.setWeights(other);
    const turned = tensor(
      Float32Array.from(data.data, (_, i) => {
        const [b, t] = [Math.floor(i / (T * I)), Math.floor(i / I) % T];
        return data.data[(b * T + T - 1 - t) * I + (i % I)];
      }),
      [2, T, I],
    );
    assertClose("backwards", back.data, ((await alone.predict(turned)) as Tensor).data);
    alone.dispose();
    both.dispose();
  }
});

test("a sequential model without an input shape is built from the first data, whatever call brings them", async () => {
  const [x, y] = [numbers(4, 2, T, I), numbers(5, 2, 1)];
  const make = () => {
    const made = sequential([layers.lstm({ units: 2 }), layers.dense({ units: 1 })]);
    made.compile({ optimizer: "sgd", loss: "mse" });
    return made;
  };
  const calls: ((made: Model) => Promise<unknown>)[] = [
    (made) => made.predict(x),
    (made) => made.evaluate(x, y),
    (made) => made.trainOnBatch(x, y),
    (made) => made.fit(x, y, { verbose: 0 }),
  ];
  for (const call of calls) {
    const made = make();
    await call(made);
    assert.is(made.countParams(), 4 * 2 * (I + 2 + 1) + 3);
    made.dispose();
  }
});

/** A model without a shape, of all that is built in another way: layers in layers, a cell of one's own, normalization. */
function shapeless() {
  const inside = layers.dense({ units: 2 });
  const copied = layers.dense({ units: 2 });
  const cellOf = (dense: typeof inside): Cell => ({
    stateSize: 2,
    call: (now, [before]) => {
      const next = ops.add(dense.apply(now), before);
      return [next, [next]];
    },
  });
  const made = sequential([
    layers.batchNormalization(),
    layers.bidirectional({ layer: layers.rnn({ cell: cellOf(copied), returnSequences: true }) }),
    layers.timeDistributed({ layer: layers.dense({ units: 3 }) }),
    layers.rnn({ cell: cellOf(inside), returnSequences: true }),
    layers.bidirectional({ layer: layers.gru({ units: 2 }) }),
    layers.dense({ units: 2, activation: "softmax" }),
  ]);
  made.compile({ optimizer: "adam", loss: "sparseCategoricalCrossentropy" });
  return { made, inside };
}

test("a first call that is refused leaves a sequential model without the shape of its data", async () => {
  const x = numbers(4, 2, T, I);
  const quiet = { verbose: 0 } as const;
  const stray = "stray" as unknown as number;
  const refused: Record<string, (made: Model) => Promise<unknown>> = {
    "fewer targets": (made) => made.fit(x, [1], quiet),
    "targets of another rank": (made) => made.fit(x, numbers(5, 2, 3, 4), quiet),
    "a class that is none": (made) => made.fit(x, [0, 2], quiet),
    "fewer weights": (made) => made.fit(x, [0, 1], { ...quiet, sampleWeight: [1] }),
    "wrong validation data": (made) => made.fit(x, [0, 1], { ...quiet, validationData: [x, [1]] }),
    "validation data of other features": (made) =>
      made.fit(x, [0, 1], { ...quiet, validationData: [numbers(6, 2, T, I + 2), [0, 1]] }),
    "a split that is none": (made) => made.fit(x, [0, 1], { ...quiet, validationSplit: 1 }),
    "an option": (made) => made.fit(x, [0, 1], { ...quiet, batchSize: stray }),
    "a dataset's batch": (made) => made.fit(data.Dataset.fromTensors([x, [0, 5]]).batch(2), quiet),
    "evaluate: fewer targets": (made) => made.evaluate(x, [1]),
    "trainOnBatch: fewer targets": (made) => made.trainOnBatch(x, [1]),
    "a rank": (made) => made.predict(numbers(4, 2, I)),
    "a rank that a later layer refuses": (made) => made.predict(numbers(4, 2, 3, T, I)),
    "predict: two inputs": (made) => made.predict([x, x]),
  };
  const wider = numbers(7, 2, T, I + 2);
  for (const [what, call] of Object.entries(refused)) {
    const { made, inside } = shapeless();
    const message = await call(made).then(
      () => "nothing",
      ({ message }) => message,
    );
    assert.match(message, /expected/, what);
    assert.throws(() => made.getWeights(), /expected a model that was built/, what);
    for (const layer of [...made.layers, inside]) assert.not(layer.built, `${what}: ${layer.name}`);
    for (const layer of made.layers) assert.is(layer.weights.length, 0, `${what}: ${layer.name}`);
    const { history } = await made.fit(wider, [0, 1], quiet);
    assert.ok(Number.isFinite(history.loss[0]), what);
    assert.equal(made.getWeights()[0].shape, [I + 2], what);
    // Now it has its shape, and keeps it.
    const weights = made.getWeights().map(({ data }) => [...data]);
    await made.predict(x).then(
      () => assert.unreachable(what),
      ({ message }) => assert.match(message, /^predict: x: expected shape/, what),
    );
    assert.equal(
      made.getWeights().map(({ data }) => [...data]),
      weights,
      what,
    );
    made.dispose();
  }
});

test("a sequential model that has computed with its first data keeps their shape, whatever comes after", async () => {
  const x = numbers(4, 2, T, I);
  const { made } = shapeless();
  const stop = { onEpochEnd: () => assert.unreachable("stopped by a callback") };
  await made.fit(x, [0, 1], { verbose: 0, callbacks: [stop] }).then(
    () => assert.unreachable(),
    ({ message }) => assert.match(message, /stopped by a callback/),
  );
  assert.equal(made.getWeights()[0].shape, [I]);
  made.dispose();

  // One call is refused while another computes.
  const { made: both } = shapeless();
  const [bad, good] = await Promise.allSettled([both.fit(x, [1], { verbose: 0 }), both.predict(x)]);
  assert.equal([bad.status, good.status], ["rejected", "fulfilled"]);
  assert.equal(both.getWeights()[0].shape, [I]);
  both.dispose();
});

test("a refused first call leaves layers alone that another model uses by then", async () => {
  const shared = layers.lstm({ units: 4 });
  const [wide, narrow] = [2, 3].map((units) => sequential([shared, layers.dense({ units })]));
  for (const made of [wide, narrow]) made.compile({ optimizer: "adam", loss: "mse" });
  const rows = (count: number, width: number) => Array.from({ length: count }, () => Array(width).fill(0.5));
  const x = Array.from({ length: 6 }, () => rows(5, 3));
  const ends = await Promise.allSettled([
    wide.fit(x, rows(6, 9), { verbose: 0 }),
    narrow.fit(x, rows(6, 3), { verbose: 0 }),
  ]);
  assert.equal(
    ends.map(({ status }) => status),
    ["rejected", "fulfilled"],
  );
  assert.is(shared.weights.length, 3);
  assert.equal((await narrow.predict(x)).shape, [6, 3]);
  await wide.fit(x, rows(6, 2), { verbose: 0 });
  assert.is(wide.layers[0].weights[0], shared.weights[0]);
  wide.dispose();
  narrow.dispose();
});

test("what is under way keeps its model: add and compile are refused, from the first call on", async () => {
  const made = sequential([layers.dense({ units: 2, inputShape: [3] })]);
  made.compile({ optimizer: "adam", loss: "mse" });
  const predicted = made.predict([[1, 2, 3]]);
  assert.throws(() => made.add(layers.dense({ units: 7 })), /expected a model at rest/);
  assert.equal((await predicted).shape, [1, 2]);
  const judged = made.evaluate([[1, 2, 3]], [[1, 2]]);
  assert.throws(() => made.compile({ optimizer: "adam", loss: "mae" }), /expected a model at rest/);
  await judged;
  const opened = made.stream();
  assert.throws(() => made.dispose(), /expected a model at rest/);
  (await opened).dispose?.();
  made.dispose();
});

test("a layer that cannot stand on a sequential model is not added to it", async () => {
  const made = sequential([layers.lstm({ units: 2, inputShape: [T, I] })]);
  const dense = layers.dense({ units: 1 });
  assert.throws(() => made.add(layers.gru({ units: 2 })), /expected input of rank 3/);
  made.add(dense);
  assert.is(made.layers.length, 2);
  assert.equal(((await made.predict(numbers(4, 2, T, I))) as Tensor).shape, [2, 1]);
  made.dispose();
});

test("freezing a layer inside a model takes effect at the next step", async () => {
  const inner = sequential([layers.lstm({ units: 3, inputShape: [T, I] })]);
  const start = input({ shape: [T, I] });
  const made = model({
    inputs: start,
    outputs: one(layers.dense({ units: 1 }), inner.apply(start) as SymbolicTensor),
  });
  made.compile({ optimizer: "sgd", loss: "mse" });
  const [x, y] = [numbers(4, 2, T, I), numbers(5, 2, 1)];
  await made.trainOnBatch(x, y);
  inner.layers[0].trainable = false;
  const before = inner.getWeights().map(({ data }) => [...data]);
  await made.trainOnBatch(x, y);
  assert.equal(
    inner.getWeights().map(({ data }) => [...data]),
    before,
  );
  inner.layers[0].trainable = true;
  await made.trainOnBatch(x, y);
  assert.ok(inner.getWeights()[0].data.some((value, i) => value !== before[0][i]));
  made.dispose();
});

test("lstm: unitForgetBias starts the forget gate's bias at one, the others as biasInitializer says", () => {
  const bias = (unitForgetBias: boolean) => {
    const options = { units: 2, unitForgetBias, biasInitializer: initializers.constant({ value: 0.5 }) };
    const cell = layers.lstmCell(options);
    return [layers.lstm({ ...options, inputShape: [T, I] }), layers.rnn({ cell, inputShape: [T, I] })].map(
      (layer) => [...sequential([layer]).getWeights()[2].data],
    );
  };
  const ones = [0.5, 0.5, 1, 1, 0.5, 0.5, 0.5, 0.5];
  assert.equal(bias(true), [ones, ones]);
  assert.equal(bias(false), [Array(8).fill(0.5), Array(8).fill(0.5)]);
});

test("a mask that came with the input is hidden from a loop that is given its states, and handed on (Keras 3)", async () => {
  const ids = tensor(Int32Array.from([3, 0, 1, 0, 2, 2]), [1, 6]);
  const state = numbers(6, 1, 2);
  const x = input({ shape: [6], dtype: "int32" });
  const h = input({ shape: [2] });
  const embedded = one(layers.embedding({ inputDim: 4, outputDim: I, maskZero: true }), x);
  const layer = layers.gru({ units: 2, returnSequences: true });
  const outputs = [
    one(layer, embedded, { initialState: h }),
    one(layer, embedded, { initialState: h, mask: x }),
    one(layer, embedded),
  ];
  const made = model({ inputs: [x, h], outputs });
  const [hidden, named, implied] = (await made.predict([ids, state])) as Tensor[];
  const step = ({ data }: Tensor, t: number) => [...data.slice(2 * t, 2 * t + 2)];
  assert.not.equal(step(hidden, 1), step(hidden, 0), "a masked step is a step like others");
  assert.equal(step(named, 1), step(named, 0), "a masked step repeats the output");
  assert.equal(step(implied, 1), step(implied, 0));
  made.dispose();
});

test.run();
