// Constants of a cell: rnn over a user's own cell that gets, besides x and its states, tensors that are the same at every step.
// Against models that say the same without them, and gradients by central differences.
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  type Cell,
  input,
  layers,
  type Model,
  model,
  ops,
  type SymbolicTensor,
  type Tensor,
  tensor,
} from "../src/index.js";
import { assertClose, gradients, numbers, one } from "./support.js";

const [B, T, I, C, U] = [3, 5, 2, 4, 3];
type Options = Parameters<typeof layers.rnn>[0];

/** h' = tanh([x, c]·W + b + h·R): the simple cell, reading a constant with each x. */
function reading(): Cell {
  const kernel = layers.dense({ units: U });
  const recurrent = layers.dense({ units: U, useBias: false });
  return {
    stateSize: U,
    call(x, [h], [c]) {
      const next = ops.tanh(ops.add(one(kernel, ops.concatenate([x, c])), one(recurrent, h)));
      return [next, [next]];
    },
  };
}

/** Attends to a memory [B, M, C]: weights of its steps from the state, their sum beside x. */
function attending(memory: number): Cell {
  const score = layers.dense({ units: memory, activation: "softmax" });
  const look = layers.dense({ units: memory });
  const next = layers.dense({ units: U, activation: "tanh" });
  return {
    stateSize: U,
    call(x, [h], [steps, gate]) {
      const flat = one(layers.flatten(), steps);
      const weights = one(score, ops.concatenate([h, flat]));
      const read = ops.multiply(weights, one(look, flat));
      const state = ops.multiply(one(next, ops.concatenate([x, read, h])), gate);
      return [state, [state]];
    },
  };
}

interface Setup {
  masked?: boolean;
  stateful?: boolean;
  initial?: boolean;
  options?: Partial<Options>;
}

/** x, what the constant is made of, and the first state, through a dense layer each. */
function begin({ masked, stateful, initial }: Setup) {
  const batchSize = stateful ? B : undefined;
  const x = masked ? input({ shape: [T], dtype: "int32", batchSize }) : input({ shape: [T, I], batchSize });
  const given = input({ shape: [C], batchSize });
  const start = input({ shape: [U], batchSize });
  const sequence = masked ? one(layers.embedding({ inputDim: 9, outputDim: I, maskZero: true }), x) : x;
  const constant = one(layers.dense({ units: C, activation: "tanh" }), given);
  const inputs = initial ? [x, given, start] : [x, given];
  const state = initial ? { initialState: one(layers.dense({ units: U }), start) } : {};
  return { inputs, sequence, constant, state };
}

function withConstants(setup: Setup): Model {
  const { inputs, sequence, constant, state } = begin(setup);
  const { stateful = false, options = {} } = setup;
  const layer = layers.rnn({ cell: reading(), stateful, ...options });
  const found = one(layer, sequence, { constants: constant, ...state });
  return model({ inputs, outputs: one(layers.dense({ units: 2 }), found) });
}

/** The same by repeating the constant beside x, for the built-in layer. */
function withoutConstants(setup: Setup): Model {
  const { inputs, sequence, constant, state } = begin(setup);
  const { stateful = false, masked, options = {} } = setup;
  const beside = one(layers.concatenate(), [sequence, one(layers.repeatVector({ n: T }), constant)]);
  const layer = layers.simpleRNN({ units: U, stateful, ...(options as object) });
  const mask = masked && !state.initialState ? { mask: inputs[0] } : {};
  return model({
    inputs,
    outputs: one(layers.dense({ units: 2 }), one(layer, beside, { ...state, ...mask })),
  });
}

const ids = tensor(Int32Array.from([3, 0, 4, 1, 0, 0, 0, 0, 0, 0, 1, 2, 0, 5, 8]), [B, T]);

for (const setup of [
  {},
  { options: { returnSequences: true } },
  { options: { goBackwards: true } },
  { masked: true },
  { masked: true, options: { returnSequences: true, zeroOutputForMask: true } },
  { initial: true },
  { masked: true, initial: true },
  { stateful: true },
] as Setup[]) {
  test(`constants are what stands beside x at every step: ${JSON.stringify(setup)}`, async () => {
    const [made, same] = [withConstants(setup), withoutConstants(setup)];
    const x = [setup.masked ? ids : numbers(1, B, T, I), numbers(2, B, C)];
    if (setup.initial) x.push(numbers(3, B, U));
    const byShape = (each: Model) => each.getWeights().map(({ shape }) => shape.join());
    assert.equal(byShape(made).sort(), byShape(same).sort());
    // Weights by name of layer are in another order: each model's own, filled by their shapes' turn.
    const drawn = new Map<string, Tensor[]>();
    made.getWeights().forEach(({ shape }, index) => {
      const key = shape.join();
      drawn.set(key, [...(drawn.get(key) ?? []), numbers(10 + index, ...shape)]);
    });
    const fill = (each: Model) => {
      const turn = new Map<string, number>();
      each.setWeights(
        each.getWeights().map(({ shape }) => {
          const key = shape.join();
          turn.set(key, (turn.get(key) ?? -1) + 1);
          return drawn.get(key)![turn.get(key)!];
        }),
      );
    };
    fill(made);
    fill(same);
    for (let round = 0; round < (setup.stateful ? 3 : 1); round++) {
      const [found, expected] = [await made.predict(x), await same.predict(x)] as Tensor[];
      assertClose("output", found.data, expected.data, 1e-5);
    }
    const y = numbers(4, ...((await same.predict(x)) as Tensor).shape);
    const [found, expected] = [
      await gradients(made, x, y, { loss: "mse" }),
      await gradients(same, x, y, { loss: "mse" }),
    ];
    assertClose("loss", [found.loss], [expected.loss]);
    found.weights.forEach((each, index) => {
      assert.ok(each, `a gradient reaches weight ${index}`);
    });
    const size = (list: (Float32Array | undefined)[]) =>
      list.map((each) => Math.hypot(...each!)).sort((a, b) => a - b);
    assertClose("sizes of the gradients", size(found.weights), size(expected.weights), 1e-5);
    made.dispose();
    same.dispose();
  });
}

/** Gradients against differences of the loss, weight by weight. */
async function checkByDifferences(made: Model, x: Tensor[]): Promise<void> {
  const outputs = [await made.predict(x)].flat();
  const y = outputs.map(({ shape }, index) => numbers(20 + index, ...shape));
  const target = y.length === 1 ? y[0] : y;
  const weights = made.getWeights().map(({ shape }, index) => numbers(30 + index, ...shape));
  made.setWeights(weights);
  made.compile({ loss: "mse" });
  const found = await gradients(made, x, target, { loss: "mse" });
  const lossAt = async (index: number, place: number, by: number) => {
    const moved = weights.map(({ data, shape }) => tensor(Float32Array.from(data), [...shape]));
    (moved[index].data as Float32Array)[place] += by;
    made.setWeights(moved);
    return (await made.evaluate(x, target)).loss;
  };
  for (const [index, { size }] of weights.entries()) {
    const expected: number[] = [];
    for (let place = 0; place < size; place++) {
      const h = 4e-3;
      expected.push(((await lossAt(index, place, h)) - (await lossAt(index, place, -h))) / (2 * h));
    }
    assertClose(`gradient ${index}`, found.weights[index]!, expected, 3e-3, 0.02);
  }
  made.dispose();
}

for (const masked of [false, true]) {
  test(`a cell that attends to a memory, two constants, ${masked ? "masked" : "not masked"}: central differences`, async () => {
    const memory = input({ shape: [4, I] });
    const x = masked ? input({ shape: [T], dtype: "int32" }) : input({ shape: [T, I] });
    const sequence = masked ? one(layers.embedding({ inputDim: 9, outputDim: I, maskZero: true }), x) : x;
    const steps = one(layers.gru({ units: 2, returnSequences: true }), memory);
    const gate = one(layers.dense({ units: U, activation: "sigmoid" }), one(layers.flatten(), memory));
    const layer = layers.rnn({ cell: attending(4), returnSequences: true, returnState: true });
    const [all, state] = layer.apply(sequence, { constants: [steps, gate] }) as SymbolicTensor[];
    const made = model({ inputs: [x, memory], outputs: [all, state] });
    await checkByDifferences(made, [masked ? ids : numbers(5, B, T, I), numbers(6, B, 4, I)]);
  });
}

test("constants in a stack of cells go to those that take them, and to both ways of bidirectional", async () => {
  const x = input({ shape: [T, I] });
  const c = input({ shape: [C] });
  const constants = one(layers.dense({ units: C }), c);
  const stack = layers.rnn({ cell: [layers.gruCell({ units: 2 }), reading()] });
  const both = layers.bidirectional({ layer: layers.rnn({ cell: reading() }), mergeMode: "sum" });
  const outputs = [one(stack, x, { constants }), one(both, x, { constants })];
  const made = model({ inputs: [x, c], outputs });
  assert.is(new Set(both.weights).size, 6, "each way has weights of its own");
  await checkByDifferences(made, [numbers(7, B, T, I), numbers(8, B, C)]);
});

test("constants are a dependency: shown in summary, and needed as inputs", () => {
  const x = input({ shape: [T, I], name: "a_sequence" });
  const c = input({ shape: [C], name: "a_constant" });
  const layer = layers.rnn({ cell: reading(), name: "reads" });
  const y = one(layer, x, { constants: [c] });
  const text = model({ inputs: [x, c], outputs: y }).summary({ print: () => {} });
  assert.match(text, /reads \(RNN\).*a_sequence\[0\]\[0\],/);
  assert.match(text, /a_constant\[0\]\[0\]/);
  assert.throws(() => model({ inputs: x, outputs: y }), /input 'a_constant'/);
});

test("constants: what cannot be is refused by name", async () => {
  const x = input({ shape: [T, I] });
  const c = input({ shape: [C] });
  const refused = /apply: constants: expected rnn over a cell of your own/;
  assert.throws(() => layers.lstm({ units: 2 }).apply(x, { constants: c }), refused);
  assert.throws(() => layers.dense({ units: 2 }).apply(x, { constants: c }), refused);
  const builtIn = layers.rnn({ cell: [layers.lstmCell({ units: 2 }), layers.gruCell({ units: 2 })] });
  assert.throws(() => builtIn.apply(x, { constants: [c] }), /got rnn over built-in cells/);
  const both = layers.bidirectional({ layer: layers.gru({ units: 2 }) });
  assert.throws(() => both.apply(x, { constants: c }), refused);
  const own = layers.rnn({ cell: reading() });
  assert.throws(() => own.apply(x, { constants: 3 as never }), /constants: expected symbolic tensors, got 3/);
  const y = one(own, x, { constants: c });
  assert.throws(() => own.apply(x, { constants: input({ shape: [C + 1] }) }), /was first applied to/);
  assert.throws(() => own.apply(x), /was first applied to/);
  assert.throws(() => own.apply(input({ shape: [T, I + 1] }), { constants: c }), /was first applied to/);
  const made = model({ inputs: [x, c], outputs: y });
  try {
    await made.stream();
    assert.unreachable("it should have been refused");
  } catch (error) {
    assert.match((error as Error).message, /takes constants, which a stream has no place for/);
  }
  made.dispose();
});

test.run();
