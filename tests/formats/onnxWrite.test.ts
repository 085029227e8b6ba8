// Models as ONNX files: every layer and operation is written, and what can be read again gives the same numbers. That onnxruntime
// gives them too is shown by check_onnx.py, by hand.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { complainOf } from "../../src/formats/complain.js";
import { decodeModel } from "../../src/formats/onnx/proto.js";
import { WRITTEN_ACTIVATIONS } from "../../src/formats/onnx/writers/activations.js";
import {
  input,
  type Layer,
  layers,
  loadModel,
  type Model,
  model,
  ops,
  type SymbolicTensor,
  sequential,
  type Tensor,
  tensor,
  UnreelError,
} from "../../src/index.js";
import { ACTIVATIONS } from "../../src/layers/activations.js";
import { assertNear } from "./fixtures.js";
import { CASES, numbers } from "./models.js";

interface OneWay {
  readonly refusal: RegExp;
  readonly why: string;
}

/** Which step may see which is written for lengths that are known when the graph runs. */
const ORDERED: OneWay = {
  refusal: /Range' \(Range\): expected input 1 to be a constant, got .*, known at run time only/,
  why: "the numbers of the steps are made from a length that no input names",
};

/** All cases that are written and cannot be read again: what refuses them, by node, and why there is no other way. */
const ONE_WAY: Readonly<Record<string, OneWay>> = {
  ...Object.fromEntries(
    CASES.filter(({ name }) => /ttention.*(causal|a window)/.test(name)).map(({ name }) => [name, ORDERED]),
  ),
  "activation sparsemax": {
    refusal: /node 'activation(_\d+)?\/TopK' \(TopK\): .* got TopK, an order of numbers/,
    why: "its largest numbers are found by TopK, and no layer or operation here sorts",
  },
  "timeDistributed lstm": {
    refusal: /\/LSTM' \(LSTM\): expected samples along axis 1 of input 0/,
    why: "samples and steps become one axis for the inner layer; samples stay apart here",
  },
  "concatenate, along time, masked": {
    refusal: /Concat_1' \(Concat\): expected a constant of known size/,
    why: "a mask as long as a sequence, of no numbers of it, is put behind another one",
  },
  "ops: elementwise": {
    refusal: /output 'like\w*': expected one that depends on an input, got a constant/,
    why: "zeros of the input's shape are a constant in ONNX, and outputs here depend on an input",
  },
};

async function predicted(made: Model, feeds: readonly Tensor[]): Promise<Tensor[]> {
  const got: unknown = await made.predict(feeds.length === 1 ? feeds[0] : [...feeds], { verbose: 0 });
  return (Array.isArray(got) ? got : [got]) as Tensor[];
}

/** Classes of all layers of a model, those inside others too. */
function classesOf(all: readonly Layer[], found: Set<string>): void {
  for (const { kind, className, config } of all) {
    found.add(kind.isOperation ? `ops ${className}` : className);
    if (kind.graph) classesOf(kind.graph.layers, found);
    const inside = Object.values(config)
      .flat()
      .filter((each) => typeof each === "object" && each !== null && "kind" in each);
    classesOf(inside as Layer[], found);
  }
}

const seen = new Set<string>();
const refused: string[] = [];

for (const { name, make } of CASES) {
  test(`written: ${name}`, async () => {
    const { model: made, feeds } = make();
    classesOf(made.layers, seen);
    const bytes = await made.toBytes("onnx");
    const { graph, opsetImport } = await decodeModel(bytes, complainOf("written"));
    assert.equal(opsetImport, [{ domain: "", version: 17 }]);
    const names = graph!.node.flatMap(({ output }) => output);
    assert.is(new Set(names).size, names.length, "each value has one maker");
    const oneWay = ONE_WAY[name];
    const again = await loadModel(bytes).catch((error: unknown) => error as Error);
    if (again instanceof Error) {
      assert.instance(again, UnreelError);
      assert.match(again.message, oneWay?.refusal ?? /nothing, as it is in no list/);
      refused.push(name);
      made.dispose();
      return;
    }
    // What was read is written and read once more.
    const twice = await loadModel(await again.toBytes("onnx"));
    const here = await predicted(made, feeds);
    for (const each of [again, twice]) {
      const there = await predicted(each, feeds);
      here.forEach((want, k) => {
        assertNear(there[k], want, `output ${k}`);
      });
      each.dispose();
    }
    made.dispose();
  });
}

test("all that is written can be read again, but for those listed, each with its reason", () => {
  assert.equal(refused.sort(), Object.keys(ONE_WAY).sort());
  assert.ok(Object.values(ONE_WAY).every(({ why }) => why.length > 20));
});

test("every layer, operation and activation is written", () => {
  assert.equal([...WRITTEN_ACTIVATIONS].sort(), [...ACTIVATIONS].sort());
  const classes = new Set([...seen].map((each) => each.toLowerCase()));
  const missing = Object.keys(layers).filter((each) => !classes.has(each.toLowerCase()));
  assert.equal(missing, []);
  const kinds = [
    "Add",
    "Subtract",
    "Multiply",
    "Divide",
    "Maximum",
    "Minimum",
    "Compare",
    "Where",
    "Elementwise",
    "Like",
    "StopGradient",
    "Activation",
    "Reduce",
    "Matmul",
    "Reshape",
    "Axes",
    "Transpose",
    "Slice",
    "Split",
    "Flip",
  ];
  assert.equal(
    kinds.filter((each) => !seen.has(`ops ${each}`)),
    [],
  );
});

test("a model that was read trains on", async () => {
  const x = input({ shape: [null, 3] });
  const [y] = [layers.dense({ units: 1 }).apply(layers.lstm({ units: 4 }).apply(x))];
  const made = model({ inputs: x, outputs: y });
  const again = await loadModel(await made.toBytes("onnx"));
  assert.equal(
    again.layers.map(({ className }) => className).filter((each) => each !== "InputLayer"),
    ["LSTM", "Dense"],
  );
  const feed = numbers(16, 5, 3);
  const target = tensor(
    Float32Array.from({ length: 16 }, (_, k) => feed.data[15 * k] - feed.data[15 * k + 14]),
    [16, 1],
  );
  // Step for step like the model that it was written from.
  const losses: number[][] = [];
  for (const each of [made, again]) {
    each.compile({ optimizer: "sgd", loss: "meanSquaredError" });
    const { history } = await each.fit(feed, target, { epochs: 4, shuffle: false, verbose: 0 });
    losses.push(history.loss);
    each.dispose();
  }
  losses[0].forEach((loss, k) => {
    assert.ok(Math.abs(loss - losses[1][k]) < 1e-5, `${loss} and ${losses[1][k]}`);
  });
  assert.ok(losses[1][3] < losses[1][0]);
});

/** Losses of a few epochs of each, step for step. */
async function sameLosses(models: readonly Model[], x: Tensor, y: Tensor): Promise<void> {
  const losses: number[][] = [];
  for (const each of models) {
    each.compile({ optimizer: "sgd", loss: "meanSquaredError" });
    const { history } = await each.fit(x, y, { epochs: 4, batchSize: 4, shuffle: false, verbose: 0 });
    losses.push(history.loss);
  }
  const [first, ...others] = losses;
  for (const other of others)
    other.forEach((loss, k) => {
      assert.ok(Math.abs(loss - first[k]) < 1e-5, `${first[k]} and ${loss}`);
    });
  assert.ok(first[3] < first[0]);
}

test("a model under a mask that was read holds layers that take the mask, and trains on", async () => {
  const x = input({ shape: [null], dtype: "int32" });
  const embedded = layers.embedding({ inputDim: 7, outputDim: 4, maskZero: true }).apply(x);
  const both = layers.bidirectional({ layer: layers.gru({ units: 3, returnSequences: true }) });
  const y: SymbolicTensor = layers.lstm({ units: 3 }).apply(both.apply(embedded));
  const made = model({ inputs: x, outputs: layers.dense({ units: 1 }).apply(y) });
  const again = await loadModel(await made.toBytes("onnx"));
  const kinds = again.layers.map(({ className }) => className);
  assert.equal(
    kinds.filter((each) => /GRU|LSTM|RNN/.test(each)),
    ["GRU", "GRU", "LSTM"],
    "and no loop for what ONNX said the mask with",
  );
  const ids = tensor(
    Int32Array.from({ length: 80 }, (_, k) => ((k * k) % 11 > 6 ? 0 : (k * k) % 11)),
    [16, 5],
  );
  const target = tensor(
    Float32Array.from({ length: 16 }, (_, k) => (k % 5) / 3),
    [16, 1],
  );
  await sameLosses([made, again], ids, target);
  made.dispose();
  again.dispose();
});

test("a stack of cells that was read is a cell of layers and operations, and trains on", async () => {
  const x = input({ shape: [null, 3] });
  const cell = [layers.lstmCell({ units: 3 }), layers.gruCell({ units: 2 })];
  const y: SymbolicTensor = layers.rnn({ cell, returnSequences: true, goBackwards: true }).apply(x);
  const out = layers.dense({ units: 1 }).apply(layers.lstm({ units: 3, activation: "gelu" }).apply(y));
  const made = model({ inputs: x, outputs: out });
  const again = await loadModel(await made.toBytes("onnx"));
  assert.is(again.layers.filter(({ className }) => className === "RNN").length, 2);
  const target = tensor(
    Float32Array.from({ length: 16 }, (_, k) => (k % 5) / 3),
    [16, 1],
  );
  await sameLosses([made, again], numbers(16, 5, 3), target);
  made.dispose();
  again.dispose();
});

test("what ONNX cannot express is refused by name", async () => {
  const refused = async (made: Model, pattern: RegExp) => {
    try {
      await made.toBytes("onnx");
    } catch (error) {
      assert.instance(error, UnreelError);
      assert.match((error as Error).message, pattern);
      return;
    }
    assert.unreachable();
  };
  const x = input({ shape: [null, 3], batchSize: 2 });
  await refused(
    model({ inputs: x, outputs: layers.lstm({ units: 2, stateful: true, name: "keeps" }).apply(x) }),
    /keeps \(LSTM\).*stateful: true/,
  );
  const dropped = layers.dropout({ rate: 0.5, name: "drops" }).apply(x, { training: true });
  await refused(model({ inputs: x, outputs: dropped }), /drops \(Dropout\).*training: true/);
  const odd = sequential([layers.dense({ units: 2, inputShape: [3] })]);
  const unknown = { ...odd.layers[0].kind, className: "Odd" };
  Object.defineProperty(odd.layers[0], "kind", { value: unknown });
  await refused(odd, /\(Odd\).*class Odd/);
});

test("ops.flip turns any axis, and its gradient is turned back", async () => {
  const x = input({ shape: [2, 3] });
  const made = model({ inputs: x, outputs: [ops.flip(x, 1), ops.flip(x, -1)] });
  const [rows, columns] = await predicted(made, [
    tensor([
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
    ]),
  ]);
  assert.equal(rows.toArray(), [
    [
      [4, 5, 6],
      [1, 2, 3],
    ],
  ]);
  assert.equal(columns.toArray(), [
    [
      [3, 2, 1],
      [6, 5, 4],
    ],
  ]);
  made.dispose();
});

test("ids that an input takes as fractions, as inputs do unless they are told, are read back", async () => {
  const ids = input({ shape: [null] });
  const words = layers.embedding({ inputDim: 9, outputDim: 3, maskZero: true }).apply(ids);
  const made = model({ inputs: ids, outputs: layers.lstm({ units: 2 }).apply(words) });
  const again = await loadModel(await made.toBytes("onnx"));
  const x = [
    [1, 2, 3, 0],
    [4, 8, 0, 0],
  ];
  assertNear(await again.predict(x), await made.predict(x), "prediction");
  for (const each of [made, again]) each.dispose();
});

test.run();
