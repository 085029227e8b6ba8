// rnn over any cell: the built-in cells as a loop of ops give the numbers and gradients of the fused layers; stacks are stacks
// of layers; a user's own cell trains, is masked, reversed, stateful and streamed like the built-in ones.
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  type Cell,
  input,
  type Layer,
  layers,
  type Model,
  ops,
  optimizers,
  type SymbolicTensor,
  sequential,
  setRandomSeed,
  type Tensor,
  tensor,
} from "../src/index.js";
import { Random } from "../src/random.js";
import { assertClose, gradients } from "./support.js";

const UNITS = 5;
const FEATURES = 3;
const inputShape = [null, FEATURES];

/** The simple cell as a user would write it. */
function ownSimple(units = UNITS): Cell {
  const kernel = layers.dense({ units });
  const recurrent = layers.dense({ units, useBias: false });
  return {
    stateSize: units,
    call(x, [h]) {
      const next = ops.tanh(ops.add(kernel.apply(x) as SymbolicTensor, recurrent.apply(h) as SymbolicTensor));
      return [next, [next]];
    },
  };
}

/** An LSTM from one dense layer over [x, h], with constants and split: as textbooks write it. */
function ownLstm(units = UNITS): Cell {
  const all = layers.dense({ units: 4 * units });
  return {
    stateSize: [units, units],
    call(x, [h, c]) {
      const [i, f, g, o] = ops.split(all.apply(ops.concatenate([x, h])) as SymbolicTensor, 4);
      const kept = ops.multiply(ops.sigmoid(f), c);
      const next = ops.add(
        kept,
        ops.multiply(ops.subtract(1, ops.sigmoid(ops.multiply(-1, i))), ops.tanh(g)),
      );
      const output = ops.multiply(ops.sigmoid(o), ops.tanh(next));
      return [output, [output, next]];
    },
  };
}

function data(batch: number, time: number): { x: Tensor; y: Tensor; ids: Tensor } {
  const random = new Random(4);
  const numbers = (n: number) => Float32Array.from({ length: n }, () => random.uniform(-1, 1));
  const ids = Int32Array.from({ length: batch * time }, (_, i) =>
    i % 4 === 1 || i < 2 ? 0 : 1 + random.integer(6),
  );
  return {
    x: tensor(numbers(batch * time * FEATURES), [batch, time, FEATURES]),
    y: tensor(numbers(batch * 2), [batch, 2]),
    ids: tensor(ids, [batch, time]),
  };
}

/** Two models with the same weights give the same outputs, loss and gradients. `order` says where a weight of one is in the other. */
async function same(a: Model, b: Model, x: Tensor, y: Tensor): Promise<void> {
  await a.predict(x);
  await b.predict(x);
  const random = new Random(9);
  a.setWeights(
    a.getWeights().map(({ shape, size }) =>
      tensor(
        Float32Array.from({ length: size }, () => random.uniform(-0.7, 0.7)),
        [...shape],
      ),
    ),
  );
  b.setWeights(a.getWeights());
  assertClose("output", ((await b.predict(x)) as Tensor).data, ((await a.predict(x)) as Tensor).data, 2e-6);
  const [first, second] = [
    await gradients(a, x, y, { loss: "mse" }),
    await gradients(b, x, y, { loss: "mse" }),
  ];
  assertClose("loss", [second.loss], [first.loss], 2e-6);
  first.weights.forEach((gradient, index) => {
    assertClose(`gradient ${index}`, second.weights[index]!, gradient!, 1e-5);
  });
  a.dispose();
  b.dispose();
}

const cells: Record<
  string,
  { layer: (options: object) => Layer; cell: (options: object) => Layer; extra: object }
> = {
  simpleRNN: { layer: layers.simpleRNN as never, cell: layers.simpleRNNCell as never, extra: {} },
  lstm: { layer: layers.lstm as never, cell: layers.lstmCell as never, extra: {} },
  gru: { layer: layers.gru as never, cell: layers.gruCell as never, extra: {} },
  "gru, reset before": {
    layer: layers.gru as never,
    cell: layers.gruCell as never,
    extra: { resetAfter: false },
  },
  "lstm, other activations": {
    layer: layers.lstm as never,
    cell: layers.lstmCell as never,
    extra: { activation: "softsign", recurrentActivation: "hardSigmoid" },
  },
};

for (const [name, { layer, cell, extra }] of Object.entries(cells)) {
  for (const options of [
    {},
    { goBackwards: true },
    { zeroOutputForMask: true, returnSequences: true },
    { returnSequences: true },
  ]) {
    for (const masked of [false, true]) {
      test(`rnn over ${name}Cell, ${JSON.stringify({ ...options, masked })}, is the layer`, async () => {
        const { x, y, ids } = data(3, 7);
        const build = (recurrent: Layer) => {
          const first = masked
            ? [layers.embedding({ inputDim: 7, outputDim: 4, maskZero: true, inputShape: [null] })]
            : [layers.dense({ units: 4, inputShape })];
          const top = "returnSequences" in options ? [layers.lstm({ units: 3 })] : [];
          return sequential([...first, recurrent, ...top, layers.dense({ units: 2 })]);
        };
        const fused = build(layer({ units: UNITS, ...extra, ...options }));
        const looped = build(layers.rnn({ cell: cell({ units: UNITS, ...extra }), ...options }));
        await same(fused, looped, masked ? ids : x, y);
      });
    }
  }
}

test("a stack of cells is a stack of layers", async () => {
  const { x, y } = data(2, 6);
  const apart = sequential([
    layers.lstm({ units: 4, returnSequences: true, inputShape }),
    layers.gru({ units: 3, returnSequences: true }),
    layers.simpleRNN({ units: 5 }),
    layers.dense({ units: 2 }),
  ]);
  const cellList = [
    layers.lstmCell({ units: 4 }),
    layers.gruCell({ units: 3 }),
    layers.simpleRNNCell({ units: 5 }),
  ];
  const stacked = sequential([layers.rnn({ cell: cellList, inputShape }), layers.dense({ units: 2 })]);
  await same(apart, stacked, x, y);
  const states = layers.rnn({
    cell: layers.stackedRNNCells({ cells: [layers.lstmCell({ units: 4 }), layers.gruCell({ units: 3 })] }),
    returnState: true,
  });
  const outputs = states.apply(input({ shape: inputShape })) as SymbolicTensor[];
  assert.equal(
    outputs.map(({ shape }) => shape.at(-1)),
    [3, 4, 4, 3],
  );
});

test("a user's own cell is the built-in one, trains, streams, is bidirectional and keeps its state", async () => {
  const { x, y } = data(4, 6);
  const fused = sequential([layers.simpleRNN({ units: UNITS, inputShape }), layers.dense({ units: 2 })]);
  const own = sequential([layers.rnn({ cell: ownSimple(), inputShape }), layers.dense({ units: 2 })]);
  // Keras' order for the layer is kernel, recurrent kernel, bias; the cell's layers come one after the other.
  const [kernel, recurrent, bias, ...rest] = fused.getWeights();
  own.setWeights([kernel, bias, recurrent, ...rest]);
  assertClose(
    "output",
    ((await own.predict(x)) as Tensor).data,
    ((await fused.predict(x)) as Tensor).data,
    2e-6,
  );
  const [found, expected] = [
    await gradients(own, x, y, { loss: "mse" }),
    await gradients(fused, x, y, { loss: "mse" }),
  ];
  [0, 2, 1, 3, 4].forEach((place, index) => {
    assertClose(`gradient ${index}`, found.weights[index]!, expected.weights[place]!, 1e-5);
  });
  own.compile({ optimizer: "adam", loss: "mse" });
  const { history } = await own.fit(x, y, { epochs: 60, verbose: 0 });
  assert.ok(history.loss.at(-1)! < 0.9 * history.loss[0]);

  const both = sequential([
    layers.bidirectional({ layer: layers.rnn({ cell: ownLstm(), returnSequences: true }), inputShape }),
  ]);
  const output = (await both.predict(x)) as Tensor;
  assert.equal([...output.shape], [4, 6, 2 * UNITS]);
  for (const made of [fused, own, both]) made.dispose();
});

test("a user's LSTM with constants, split and concatenate is the built-in one; its stream and its state as well", async () => {
  const { x } = data(3, 8);
  const fused = sequential([layers.lstm({ units: UNITS, returnSequences: true, inputShape })]);
  const own = sequential([layers.rnn({ cell: ownLstm(), returnSequences: true, inputShape })]);
  const [kernel, recurrent, bias] = fused.getWeights();
  own.setWeights([[...kernel.toArray(2), ...recurrent.toArray(2)], bias]);
  const expected = (await fused.predict(x)) as Tensor;
  assertClose("output", ((await own.predict(x)) as Tensor).data, expected.data, 2e-6);
  const stream = await own.stream({ batchSize: 3 });
  for (let t = 0; t < 8; t++) {
    const now = [0, 1, 2].map((b) => [
      ...x.data.subarray((b * 8 + t) * FEATURES, (b * 8 + t + 1) * FEATURES),
    ]);
    const step = stream.step(now) as Tensor;
    step.data.forEach((value, i) => {
      assert.ok(
        Math.abs(value - expected.data[(Math.floor(i / UNITS) * 8 + t) * UNITS + (i % UNITS)]) < 1e-6,
      );
    });
  }
  fused.dispose();
  own.dispose();
});

test("a user's cell with matmul, where, means and broadcasting trains and streams", async () => {
  setRandomSeed(7);
  // A memory of 2 x 3 numbers: read by the mean of its rows, written by an outer product, cut at zero where it falls.
  const write = layers.dense({ units: 2 });
  const row = layers.dense({ units: 3, activation: "tanh" });
  const cell: Cell = {
    stateSize: 6,
    call(x, [state]) {
      const memory = ops.reshape(state, [null, 2, 3]);
      const [place, text] = [write.apply(x), row.apply(x)] as SymbolicTensor[];
      const added = ops.matmul(ops.expandDims(place, 2), ops.expandDims(text, 1));
      const centred = ops.subtract(memory, ops.mean(memory, { axis: 1, keepdims: true }));
      const next = ops.add(
        ops.multiply(0.5, centred),
        ops.where(ops.greater(added, 0), added, ops.multiply(0.1, added)),
      );
      const flat = ops.reshape(next, [null, 6]);
      return [ops.max(next, { axis: 2 }), [flat]];
    },
  };
  const { x } = data(4, 6);
  const made = sequential([
    layers.rnn({ cell, returnSequences: true, inputShape }),
    layers.dense({ units: 1 }),
  ]);
  const before = (await made.predict(x)) as Tensor;
  const [A, a, C, c, D, d] = made.getWeights().map((weight) => [...weight.data]);
  const affine = (v: number[], kernel: number[], bias: number[]) =>
    bias.map((start, u) => v.reduce((sum, value, i) => sum + value * kernel[i * bias.length + u], start));
  for (let b = 0; b < 4; b++) {
    let memory = [
      [0, 0, 0],
      [0, 0, 0],
    ];
    for (let t = 0; t < 6; t++) {
      const now = [...x.data.slice((b * 6 + t) * FEATURES, (b * 6 + t + 1) * FEATURES)];
      const [place, text] = [affine(now, A, a), affine(now, C, c).map(Math.tanh)];
      memory = memory.map((line, i) =>
        line.map((value, j) => {
          const added = place[i] * text[j];
          return 0.5 * (value - (memory[0][j] + memory[1][j]) / 2) + (added > 0 ? added : 0.1 * added);
        }),
      );
      const [expected] = affine(
        memory.map((line) => Math.max(...line)),
        D,
        d,
      );
      assert.ok(Math.abs(before.data[b * 6 + t] - expected) < 2e-6);
    }
  }
  made.compile({ optimizer: optimizers.adam({ learningRate: 0.01 }), loss: "mse" });
  const y = tensor(
    Float32Array.from({ length: 24 }, (_, i) => Math.sign(Math.sin(i)) / 2),
    [4, 6, 1],
  );
  const { history } = await made.fit(x, y, { epochs: 60, verbose: 0 });
  assert.ok(history.loss.at(-1)! < 0.9 * history.loss[0]);
  const after = (await made.predict(x)) as Tensor;
  const stream = await made.stream({ batchSize: 4 });
  for (let t = 0; t < 6; t++) {
    const now = [0, 1, 2, 3].map((b) => [
      ...x.data.subarray((b * 6 + t) * FEATURES, (b * 6 + t + 1) * FEATURES),
    ]);
    (stream.step(now) as Tensor).data.forEach((value, b) => {
      assert.ok(Math.abs(value - after.data[b * 6 + t]) < 1e-6);
    });
  }
  made.dispose();
});

test("what is no cell is refused", () => {
  assert.throws(() => layers.rnn({ cell: layers.dense({ units: 2 }) }), /rnn: cell: expected a cell/);
  assert.throws(() => layers.rnn({ cell: [] }), /a list of cells/);
  const wrong: Cell = { stateSize: 2, call: (x) => [x, []] };
  assert.throws(() => layers.rnn({ cell: wrong }).apply(input({ shape: inputShape })), /1 new states/);
});

test("timeDistributed takes ids: an embedding, and a model that begins with one", async () => {
  const ids = Int32Array.from({ length: 2 * 3 * 4 }, (_, i) => (i * 7) % 10);
  const sentence = sequential([
    layers.embedding({ inputDim: 10, outputDim: 3, maskZero: true, inputShape: [4] }),
    layers.lstm({ units: 2 }),
  ]);
  const made = sequential([
    layers.timeDistributed({ layer: sentence.asLayer(), inputShape: [3, 4] }),
    layers.gru({ units: 2 }),
    layers.dense({ units: 1 }),
  ]);
  const whole = await made.predict(tensor(ids, [2, 3, 4]));
  const inner = await sentence.predict(tensor(ids, [6, 4]));
  const outer = sequential(made.layers.slice(1));
  const expected = await outer.predict(tensor(inner.data, [2, 3, 2]));
  assertClose("output", whole.data, expected.data, 1e-6);
  made.compile({ loss: "mse", optimizer: "adam" });
  const before = sentence.getWeights()[0].data.slice();
  await made.trainOnBatch(tensor(ids, [2, 3, 4]), [[1], [0]]);
  assert.ok(
    sentence.getWeights()[0].data.some((value, i) => value !== before[i]),
    "the table is trained",
  );
  const bad = await made
    .predict(
      tensor(
        ids.map((id) => id + 1),
        [2, 3, 4],
      ),
    )
    .then(() => "", String);
  assert.match(bad, /ids from 0 to 9, got 10 at \[/);
  const plain = sequential([
    layers.timeDistributed({ layer: layers.embedding({ inputDim: 10, outputDim: 2 }), inputShape: [3, 4] }),
  ]);
  const rows = await plain.predict(tensor(ids, [2, 3, 4]));
  assert.equal([...rows.shape], [2, 3, 4, 2]);
  const table = plain.getWeights()[0].data;
  assert.ok(rows.data.every((value, i) => value === table[2 * ids[i >> 1] + (i & 1)]));
  for (const each of [made, sentence, outer, plain]) each.dispose();
});

test.run();
