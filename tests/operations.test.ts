// `ops.*` and the layers made of them against Keras: every operation with all its gradients, batch-major and time-major; merges
// under masks and of different shapes, dot, reshape, permute. The numbers: golden/keras_operations.py. And what is refused.
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  input,
  type Layer,
  layers,
  model,
  ops,
  type SymbolicTensor,
  type Tensor,
  tensor,
} from "../src/index.js";
import { makeGraph } from "../src/layers/graph.js";
import { camelCase } from "../src/layers/options.js";
import { rootContext, wire } from "../src/layers/wire.js";
import type { Builder } from "../src/ops/builder.js";
import type { Value } from "../src/ops/op.js";
import { differentiate } from "./differentiate.js";
import { assertClose, asTensor, gradients, type Numbers, readGolden } from "./support.js";

interface OperationCase {
  name: string;
  op: string;
  args: unknown[];
  options: object;
  operands: (Numbers | number)[];
  output: Numbers;
  weights: Numbers;
  /** For each operand; null for numbers, and where nothing has a gradient. */
  gradients: (Numbers | null)[] | null;
}

interface ModelCase {
  name: string;
  inputs: { shape: (number | null)[]; dtype: "float32" | "int32" }[];
  calls: { layer: { className: string; config: object }; from: number[] }[];
  symbolicShape: (number | null)[];
  feeds: Numbers[];
  weights: Numbers[];
  output: Numbers;
  target: Numbers;
  lossValue: number;
  gradients: Numbers[];
}

const golden = readGolden<{ ops: OperationCase[]; models: ModelCase[] }>("keras_operations.json");

/** What an operation emits for some values. */
function emit(
  builder: Builder,
  values: readonly Value[],
  make: (tensors: SymbolicTensor[]) => SymbolicTensor,
): Value {
  const tensors = values.map(({ shape: [batch, ...rest] }) =>
    input({ shape: rest as number[], batchSize: batch as number }),
  );
  const graph = makeGraph("test", tensors, [make(tensors)], { unusedInputs: true });
  const seed = builder.source("seed", [4], "work").pointer;
  const states = { addresses: new Map(), sizes: new Map(), owners: new Map(), bytes: 0 };
  const context = rootContext({
    builder,
    weights: new Map(),
    states,
    seed,
    equal: [],
    least: [],
    assigned: new Map(),
    training: false,
    streaming: false,
  });
  return wire(
    context,
    graph,
    values.map((value) => ({ value })),
  )[0].value;
}

for (const each of golden.ops) {
  test(`ops: ${each.name}`, async () => {
    const found = (ops as unknown as Record<string, (...args: unknown[]) => SymbolicTensor>)[each.op];
    assert.ok(found, `ops.${each.op}`);
    const given = each.operands.filter((operand): operand is Numbers => typeof operand !== "number");
    for (const timeMajor of given.some(({ shape }) => shape.length > 2) ? [false, true] : [false]) {
      let shape: unknown;
      const { outputs, gradients: slopes } = await differentiate(
        given.map(({ shape, data }) => ({ shape, data })),
        (builder, values) => {
          const lying = values.map((x) => (timeMajor && x.shape.length > 2 ? builder.timeMajor(x) : x));
          const value = emit(builder, lying, (tensors) => {
            let next = 0;
            const operands = each.operands.map((operand) =>
              typeof operand === "number" ? operand : tensors[next++],
            );
            const options = Object.keys(each.options).length > 0 ? [each.options] : [];
            return found(...operands, ...each.args, ...options);
          });
          shape = value.shape;
          return [value];
        },
        [each.weights.data],
      );
      assert.equal(shape, each.output.shape);
      assertClose("output", outputs[0], each.output.data);
      const expected = each.gradients?.filter((_, index) => typeof each.operands[index] !== "number");
      given.forEach(({ data }, index) => {
        const slope = slopes[index] ?? new Float32Array(data.length);
        assertClose(`gradient ${index}`, slope, expected?.[index]?.data ?? data.map(() => 0));
      });
    }
  });
}

const spelled: Record<string, string> = { LSTM: "lstm" };

for (const each of golden.models) {
  test(`Keras: ${each.name}`, async () => {
    const tensors = each.inputs.map((options) => input(options));
    const inputs = [...tensors];
    const used: Layer[] = [];
    for (const { layer, from } of each.calls) {
      const make = (layers as unknown as Record<string, (config: object) => Layer>)[
        spelled[layer.className] ?? camelCase(layer.className)
      ];
      used.push(make(layer.config));
      tensors.push(used.at(-1)!.apply(from.map((index) => tensors[index])) as SymbolicTensor);
    }
    const output = tensors.at(-1)!;
    assert.equal([...output.shape], each.symbolicShape);
    const made = model({ inputs, outputs: output });
    const feeds = each.feeds.map(asTensor);
    const x = feeds.length === 1 ? feeds[0] : feeds;
    // The numbers go by the calls, the model by the depth of its layers.
    const order = made.layers.flatMap((layer) => layer.weights);
    const places = used.flatMap((layer) => layer.weights).map((weight) => order.indexOf(weight));
    const values = each.weights.map(asTensor);
    made.setWeights(order.map((_, place) => values[places.indexOf(place)]));
    const found = (await made.predict(x)) as Tensor;
    assert.equal([...found.shape], each.output.shape);
    assertClose("output", found.data, each.output.data);
    const { loss, weights } = await gradients(made, x, asTensor(each.target), { loss: "meanSquaredError" });
    assertClose("loss", [loss], [each.lossValue]);
    assert.is(weights.length, each.gradients.length);
    each.gradients.forEach((gradient, index) => {
      const slope = weights[places[index]] ?? new Float32Array(gradient.data.length);
      assertClose(`gradient ${index}`, slope, gradient.data);
    });
    made.dispose();
  });
}

// ------------------------------------------------------------------------------------------------ lengths known at run time

/** A model of sequences of any length, and what it gives for some. */
async function run(
  shapes: readonly (readonly (number | null)[])[],
  make: (tensors: SymbolicTensor[]) => SymbolicTensor,
  ...feeds: Tensor[][]
): Promise<Tensor[]> {
  const inputs = shapes.map((shape) => input({ shape }));
  const made = model({ inputs, outputs: make(inputs) });
  const found: Tensor[] = [];
  for (const x of feeds) found.push((await made.predict(x.length === 1 ? x[0] : x)) as Tensor);
  made.dispose();
  return found;
}

/** 0, 1, 2, … in a shape. */
const counted = (...shape: number[]) =>
  tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i),
    shape,
  );

test("ops: attention over any length", async () => {
  const attend = ([q, k]: SymbolicTensor[]) =>
    ops.matmul(ops.softmax(ops.matmul(q, ops.transpose(k, [0, 2, 1]))), k);
  for (const [B, T, S] of [
    [1, 1, 3],
    [3, 7, 5],
    [2, 5, 1],
  ]) {
    const data = (n: number) =>
      tensor(
        Float32Array.from({ length: B * n * 3 }, (_, i) => Math.fround(Math.sin(i))),
        [B, n, 3],
      );
    const [q, k] = [data(T), data(S)];
    const [found] = await run(
      [
        [null, 3],
        [null, 3],
      ],
      attend,
      [q, k],
    );
    assert.equal([...found.shape], [B, T, 3]);
    const expected: number[] = [];
    for (let b = 0; b < B; b++) {
      for (let t = 0; t < T; t++) {
        const row = (x: Tensor, n: number, i: number) => [
          ...x.data.slice((b * n + i) * 3, (b * n + i + 1) * 3),
        ];
        const weights = Array.from({ length: S }, (_, s) =>
          Math.exp(row(q, T, t).reduce((sum, v, i) => sum + v * row(k, S, s)[i], 0)),
        );
        const total = weights.reduce((a, c) => a + c, 0);
        for (let i = 0; i < 3; i++) {
          expected.push(weights.reduce((sum, w, s) => sum + (w / total) * row(k, S, s)[i], 0));
        }
      }
    }
    assertClose(`B=${B} T=${T} S=${S}`, found.data, expected, 2e-6);
  }
});

test("ops: one model for all lengths: mean over time, last and following steps, several axes", async () => {
  const feeds = [[counted(2, 3, 2)], [counted(1, 5, 2)]];
  const shape = [[null, 2]];
  const means = await run(shape, ([x]) => ops.mean(x, { axis: 1 }), ...feeds);
  assert.equal([...means[0].data], [2, 3, 8, 9]);
  assert.equal([...means[1].data], [4, 5]);
  const last = await run(shape, ([x]) => ops.squeeze(ops.slice(x, [0, -1, 0], [-1, 1, -1]), 1), ...feeds);
  assert.equal([...last[0].data], [4, 5, 10, 11]);
  const rest = await run(shape, ([x]) => ops.slice(x, [0, 1, 1], [-1, -1, 1]), ...feeds);
  assert.equal([...rest[0].shape], [2, 2, 1]);
  assert.equal([...rest[0].data], [3, 5, 9, 11]);
  const largest = await run(shape, ([x]) => ops.max(x, { axis: [1, 2], keepdims: true }), ...feeds);
  assert.equal([...largest[0].shape], [2, 1, 1]);
  assert.equal([...largest[1].data], [9]);
  const stacked = await run(shape, ([x]) => ops.stack([x, ops.negative(x)], 2), ...feeds);
  assert.equal([...stacked[0].shape], [2, 3, 2, 2]);
  const parts = await run([[null, 6]], ([x]) => ops.concatenate([...ops.split(x, [1, 3])].reverse()), [
    counted(1, 2, 6),
  ]);
  assert.equal([...parts[0].data], [3, 4, 5, 1, 2, 0, 9, 10, 11, 7, 8, 6]);
});

test("ops: different lengths where one is needed are refused before a run", async () => {
  const inputs = [input({ shape: [null, 2] }), input({ shape: [null, 2] })];
  for (const make of [
    () => ops.add(inputs[0], inputs[1]),
    () => layers.add().apply(inputs) as SymbolicTensor,
    () => layers.concatenate().apply(inputs) as SymbolicTensor,
  ]) {
    const made = model({ inputs, outputs: make() });
    const same = (await made.predict([counted(1, 3, 2), counted(1, 3, 2)])) as Tensor;
    assert.is(same.shape[1], 3);
    try {
      await made.predict([counted(1, 3, 2), counted(1, 4, 2)]);
      assert.unreachable("lengths differ");
    } catch (error) {
      assert.match((error as Error).message, /expected 3 places along one axis, in all operands, got 4/);
    }
    made.dispose();
  }
});

test("ops: an output without the batch in front is refused", async () => {
  const x = input({ shape: [null, 2] });
  for (const output of [
    ops.mean(x),
    ops.sum(x, { axis: 0 }),
    ops.transpose(x),
    ops.max(x, { axis: 0, keepdims: true }),
  ]) {
    const made = model({ inputs: x, outputs: output });
    try {
      await made.predict(counted(2, 3, 2));
      assert.unreachable("an output without batch");
    } catch (error) {
      assert.match((error as Error).message, /expected the batch as its first axis/);
    }
  }
});

test("ops and reshaping layers: what is refused", () => {
  const x = input({ shape: [null, 6] });
  const fixed = input({ shape: [7, 6] });
  const refused: [() => unknown, RegExp][] = [
    [() => ops.add(x, "1" as never), /ops.add: expected symbolic tensors, or one and a number/],
    [() => ops.add(fixed, input({ shape: [7, 5] })), /ops.add: expected operands whose axes agree/],
    [() => ops.sum(x, { axes: 1 } as never), /ops.sum: expected known options/],
    [() => ops.sum(x, { axis: 3 }), /ops.sum: axis: expected an axis from -3 to 2, got 3/],
    [() => ops.mean(x, { axis: [1, -2] }), /different axes/],
    [() => ops.matmul(x, input({ shape: [5, 2] })), /ops.matmul: expected matrices/],
    [() => ops.transpose(x, [0, 1]), /each of 3 axes once/],
    [() => ops.squeeze(x, 2), /expected an axis of size 1, got axis 2/],
    [() => ops.slice(x, [0, 2, 0], [-1, 3, -1]), /ops.slice: expected a part of axis 1/],
    [() => ops.slice(fixed, [0, 5, 0], [-1, 3, -1]), /ops.slice: expected a part of axis 1/],
    [() => ops.split(x, 4), /a number of parts that divides 6/],
    [() => ops.split(x, 2, 1), /an axis of known size/],
    [() => ops.reshape(fixed, [6, 7]), /the batch in front/],
    [() => ops.reshape(x, [null, -1, 4]), /6 numbers for each step/],
    [() => ops.power(x, x as never), /ops.power: exponent: expected a number/],
    [() => layers.reshape({ targetShape: [-1, 5] }).apply(x), /6 numbers for each step/],
    [() => layers.reshape({ targetShape: [5, 8] }).apply(fixed), /a shape for 42 numbers/],
    [() => layers.reshape({ targetShape: [-1, -1] }), /one of which may be -1/],
    [() => layers.permute({ dims: [0, 1] }), /the axes from 1 on/],
    [() => layers.permute({ dims: [2, 1] }).apply(input({ shape: [2] })), /input of rank 3/],
    [() => layers.dot({ axes: [0, 1] }).apply([fixed, fixed]), /behind the batch/],
    [() => layers.dot({ axes: 1 }).apply([fixed, input({ shape: [5, 6] })]), /axes of one size, got 7 and 5/],
  ];
  for (const [make, message] of refused) assert.throws(make, message);
});

test.run();
