// What newcomers stumble over: the message names the argument and says what to do, and a model that was not built stays so.
// Files that are no models: tests/formats/foreign.test.ts. Other bad input: errors.test.ts.
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  data,
  input,
  layers,
  model,
  optimizers,
  sequential,
  tensor,
  text,
  UnreelError,
} from "../src/index.js";

/** Says what a call complains of. */
async function complaint(call: () => unknown): Promise<string> {
  try {
    await call();
  } catch (error) {
    assert.instance(error, UnreelError, String(error));
    return (error as Error).message;
  }
  return assert.unreachable("it should have been refused") as never;
}

/** One layer over two features. */
function classifier(units = 1, loss = "binaryCrossentropy") {
  const model = sequential([
    layers.dense({ units, activation: units > 1 ? "softmax" : "sigmoid", inputShape: [2] }),
  ]);
  model.compile({ optimizer: "sgd", loss });
  return model;
}

/** A recurrent model without an input shape, or with one. */
function recurrent(inputShape?: (number | null)[], options = {}) {
  const model = sequential([layers.lstm({ units: 2, inputShape, ...options }), layers.dense({ units: 1 })]);
  model.compile({ optimizer: "sgd", loss: "meanSquaredError" });
  return model;
}

function words() {
  const model = sequential([
    layers.embedding({ inputDim: 10, outputDim: 2 }),
    layers.lstm({ units: 2 }),
    layers.dense({ units: 1 }),
  ]);
  model.compile({ optimizer: "sgd", loss: "meanSquaredError" });
  return model;
}

const [x, y] = [
  [
    [1, 2],
    [3, 4],
  ],
  [0, 1],
];
const quiet = { verbose: 0 } as const;
const elements = (list: unknown[]) => data.Dataset.fromGenerator(() => list);
const pairs = elements([
  [[1, 2], 0],
  [[3, 4], 1],
]);
const csv = (text: string, options: object) => () => data.Dataset.fromCsv(text, options).toArray();
const fit = (model: ReturnType<typeof classifier>, ...given: unknown[]) =>
  (model.fit as (...given: unknown[]) => Promise<unknown>).call(model, ...given);

const table: Record<string, [() => unknown, RegExp]> = {
  // Texts where numbers are wanted.
  "two labels as texts": [
    () => fit(classifier(), x, ["spam", "ham"], quiet),
    /^fit: y: expected numbers, got 'spam' at \[0\]\. Labels become 0 and 1: .*label === 'spam'/,
  ],
  "labels as texts": [
    () => fit(classifier(3, "sparseCategoricalCrossentropy"), x, ["a", "b"], quiet),
    /^fit: y: .*class numbers: data\.StringLookup\(\{ numOovIndices: 0 \}\)\.adapt\(labels\)\.apply\(labels\)\.$/,
  ],
  "labels as texts for rows": [
    () => fit(classifier(3, "categoricalCrossentropy"), x, ["a", "b"], quiet),
    /^fit: y: .*'sparseCategoricalCrossentropy'.*outputMode: 'oneHot'/,
  ],
  "numbers as texts": [
    () => fit(classifier(), x, ["1", "0"], quiet),
    /^fit: y: .*'1' at \[0\]\. .*Number\(text\)/,
  ],
  "texts as inputs": [
    () => fit(words(), ["good film", "bad film"], y, quiet),
    /^fit: x: expected numbers, got 'good film' at \[0\]\. .*text\.TextVectorization/,
  ],
  "a text to predict": [
    () => classifier().predict("hello" as never),
    /^predict: x: .*got 'hello'\. .*TextVec/,
  ],
  "records as inputs": [
    () => fit(classifier(), [{ a: 1, b: 2 }], [1], quiet),
    /^fit: x: .*an object \(Object\) at \[0\]\. Object\.values\(record\)/,
  ],
  "a missing value": [
    () => fit(classifier(), [[1, null]], [1], quiet),
    /^fit: x: .*null at \[0\]\[1\]\. Fill or drop/,
  ],
  bigints: [() => tensor(new BigInt64Array(2) as never), /^tensor: .*BigInt64Array\)\. Int32Array\.from/],
  "a promise in an array": [() => tensor([Promise.resolve(1)] as never), /at \[0\]\. .*write await/],
  "a promise": [
    () => classifier().predict(Promise.resolve(x) as never),
    /^predict: x: .*a promise\. Write await/,
  ],
  "a generator": [
    () => fit(classifier(), [x, x].values(), y, quiet),
    /^fit: x: expected arrays, got an iterator\. .*Dataset\.fromGenerator/,
  ],

  // Arguments in another's place.
  "no targets": [
    () => fit(classifier(), x),
    /^fit: y: expected targets.* got none\. Write fit\(x, y, \{ epochs/,
  ],
  "options for targets": [
    () => fit(classifier(), x, { epochs: 2 }),
    /^fit: y: expected targets.* got options\. Write fit\(x, y, \{ epochs: 10 \}\)/,
  ],
  "both in one": [
    () => fit(classifier(), { x, y }),
    /^fit: y: .*got \{ x, y \} as one argument\. Write fit\(x, y/,
  ],
  "no targets to evaluate": [
    () => classifier().evaluate(x, { verbose: 0 } as never),
    /^evaluate: y: .*got options\. Write evaluate\(x, y/,
  ],
  "no targets of a batch": [
    () => classifier().trainOnBatch(x, undefined as never),
    /^trainOnBatch: y: .*got none/,
  ],
  "a number of epochs": [
    () => fit(classifier(), x, y, 3),
    /options object, got 3\. Write fit\(x, y, \{ epochs: 10 \}\)/,
  ],
  "a record to validate with": [
    () => fit(classifier(), x, y, { validationData: { x, y }, ...quiet }),
    /validationData: .*Write validationData: \[x, y\]/,
  ],
  "units alone": [() => layers.lstm(32 as never), /^lstm: .*got 32\. Write lstm\(\{ units: 32 \}\)\./],
  "filters alone": [() => layers.conv1D(8 as never), /Write conv1D\(\{ filters: 8 \}\)/],
  "a rate alone": [() => layers.dropout(0.5 as never), /Write dropout\(\{ rate: 0\.5 \}\)/],
  "a name alone": [() => layers.activation("relu" as never), /Write activation\(\{ activation: 'relu' \}\)/],
  "a learning rate alone": [
    () => optimizers.adam(0.01 as never),
    /Write optimizers\.adam\(\{ learningRate: 0\.01 \}\)/,
  ],
  "a shape alone": [() => input([3] as never), /Write input\(\{ shape: \[3\] \}\)/],
  "tensors for options": [
    () => layers.concatenate([input({ shape: [1] }), input({ shape: [1] })] as never),
    /Write concatenate\(\{ … \}\)\.apply\(x\)/,
  ],
  "one number as a shape": [() => input({ shape: 3 as never }), /got 3\. Write \[3\]/],
  "layers that are no list": [
    () => sequential(layers.flatten() as never),
    /^sequential: expected an array of layers.* Write sequential\(\[/,
  ],
  "a layer not called": [() => sequential([layers.dense as never]), /Call it: layers\.dense/],
  "a scaler as a layer": [
    () => sequential([data.Normalization() as never]),
    /add: .*\(Normalization\)\. It prepares data before they go into a model: adapt/,
  ],
  "a vectorizer as a layer": [
    () => sequential([text.TextVectorization() as never]),
    /fit\(it\.apply\(x\), y\)/,
  ],
  "compile as in tfjs of old": [
    () => sequential([layers.dense({ units: 1 })]).compile("adam" as never),
    /Write compile\(\{ optimizer: 'adam', loss: 'meanSquaredError' \}\)/,
  ],
  "one metric": [
    () =>
      sequential([layers.dense({ units: 1 })]).compile({
        loss: "meanSquaredError",
        metrics: "accuracy" as never,
      }),
    /^compile: metrics: .*Write metrics: \['accuracy'\]/,
  ],

  // Datasets.
  "a dataset without batches": [
    () => fit(classifier(), pairs, quiet),
    /^fit: expected batches, got a single sample, \[\[1, 2\], a number\]\. dataset\.batch\(32\)/,
  ],
  "one of sequences": [
    () => fit(recurrent([null, 2]), elements([[tensor(x), tensor([1])]]), quiet),
    /^fit \(batch 1\): expected batches, got a single sample, \[numbers of shape \(2, 2\), numbers of shape \(1,\)\]/,
  ],
  "one to predict": [() => classifier().predict(pairs), /^predict: expected batches.*dataset\.batch\(32\)/],
  "one to evaluate": [
    () => classifier().evaluate(pairs),
    /^evaluate: expected batches.*dataset\.batch\(32\)/,
  ],
  "one to validate with": [
    () => fit(classifier(), x, y, { validationData: pairs, ...quiet }),
    /^fit: validationData \(batch 1\): expected batches.*dataset\.batch\(32\)/,
  ],
  "batches without targets": [
    () => fit(classifier(), elements(x).batch(2), quiet),
    /^fit \(batch 1\): expected batches \[x, y\], got no y, but numbers of shape \(2, 2\)\. map makes/,
  ],
  "records by other names": [
    () => fit(classifier(), elements([{ features: [1, 2], label: 0 }]).batch(1), quiet),
    /got no y, but an object with features, label/,
  ],
  "columns of a CSV": [
    () => fit(classifier(), data.Dataset.fromCsv("a,b,c\n1,2,0\n", { label: "c" }).batch(1), quiet),
    /^fit: x \(batch 1\): expected an array, or \{ .* \}, got an object with a, b\. .*\{ vector: true \}/,
  ],

  // Columns.
  "a label that is misspelled": [
    csv("age,label\n1,0\n", { label: "lable" }),
    /a column 'lable'.*Did you mean 'label'\?/,
  ],
  "another delimiter": [csv("age;label\n1;0\n", { label: "label" }), /another one: \{ delimiter: ";" \}/],
  "no line of names": [csv("1,0\n2,1\n", { label: "label" }), /header: false calls the columns '0', '1'/],
  "a page for a CSV": [
    csv("<!DOCTYPE html>\n<html>\n", { label: "label" }),
    /It is a page: is the address right/,
  ],
  "a column of texts among numbers": [
    csv("age,home town\n1,5\n\n2,Rome\n", { vector: true }),
    /vector: expected columns of numbers, got 'Rome' in line 4, column 'home town'\. .*'home town': \(text\) =>/,
  ],
  "a mark of what is missing": [
    csv("age\n1\nNA\n", { vector: true }),
    /got 'NA' in line 3, column 'age'\. .*naValues: \['', 'NA'\]/,
  ],
  "texts where types says numbers": [
    csv("age,city\n1,Rome\n", { types: { city: "number" } }),
    /a number, got 'Rome' in line 2, column 'city'\. types: \{ city: 'string' \}/,
  ],

  // Shapes.
  "numbers without an axis of features": [
    () => fit(recurrent([null, 1]), x, y, quiet),
    /^fit: x: expected shape \(None, None, 1\), got \(2, 2\)\. .*row\.map\(\(value\) => \[value\]\)/,
  ],
  "the same where the model takes its shape from them": [
    () => fit(recurrent(), x, y, quiet),
    /^lstm.*: expected input of rank 3.*row\.map\(\(value\) => \[value\]\)/,
  ],
  "a sequence in the place of sequences": [
    () => recurrent([null, 2]).predict(x),
    /got \(2, 2\)\. The axes are samples, steps, features: a single sample is \[x\]/,
  ],
  "a shape with the batch": [() => recurrent([32, 5, 1]), /rank 3.*inputShape is without the batch/],
  "other features": [
    () => classifier().predict([[1, 2, 3]]),
    /expected shape \(None, 2\), got \(1, 3\)\. The last axis has the features of a sample: .*2 of them/,
  ],
  "another length": [
    () => recurrent([3, 1]).predict([[[1]]]),
    /a fixed length; inputShape \[null, …\] takes any/,
  ],
  "y wider than the output": [
    () =>
      fit(
        classifier(2, "meanSquaredError"),
        x,
        [
          [0.5, 1, 2],
          [1, 2, 3],
        ],
        quiet,
      ),
    /^fit: y: expected shape \(None, 2\), as the output's, got \(2, 3\)\. .*units: 3\.$/,
  ],
  "one-hot rows of more classes": [
    () =>
      fit(
        classifier(1),
        x,
        [
          [0, 1],
          [1, 0],
        ],
        quiet,
      ),
    /units: 2, with activation 'softmax' and 'categoricalCrossentropy'/,
  ],
  "class numbers for rows": [
    () => fit(classifier(3, "categoricalCrossentropy"), x, [2, 1], quiet),
    /For class numbers use 'sparseCategoricalCrossentropy'/,
  ],
  "a column of class numbers for rows": [
    () => fit(classifier(3, "categoricalCrossentropy"), x, [[2], [1]], quiet),
    /For class numbers use 'sparseCategoricalCrossentropy'/,
  ],
  "one value for three units": [
    () => fit(classifier(3, "meanSquaredError"), x, [0.5, 7], quiet),
    /y has one number where the last layer has 3 units: for one number, units: 1/,
  ],
  "rows for class numbers": [
    () =>
      fit(
        classifier(3, "sparseCategoricalCrossentropy"),
        x,
        [
          [1, 0, 0],
          [0, 1, 0],
        ],
        quiet,
      ),
    /For one-hot targets use 'categoricalCrossentropy'\.$/,
  ],
  "longer rows for class numbers": [
    () =>
      fit(
        classifier(2, "sparseCategoricalCrossentropy"),
        x,
        [
          [1, 0, 0],
          [0, 1, 0],
        ],
        quiet,
      ),
    /use 'categoricalCrossentropy', and units: 3 in the last layer/,
  ],
  "classes counted from one": [
    () => fit(classifier(2, "sparseCategoricalCrossentropy"), x, [1, 2], quiet),
    /0 to 1, got 2 at \[1\]\. Classes are counted from 0, and the last layer has 2 units/,
  ],
  "a class below zero": [
    () => fit(classifier(2, "sparseCategoricalCrossentropy"), x, [-1, 1], quiet),
    /got -1 at \[0\]\. Class numbers begin with 0/,
  ],
  "values for classes": [
    () => fit(classifier(2, "sparseCategoricalCrossentropy"), x, [0.5, 1], quiet),
    /got 0\.5 at \[0\]\. Values that are no classes want/,
  ],
  "two classes in one unit": [
    () => fit(classifier(1, "sparseCategoricalCrossentropy"), x, y, quiet),
    /got 1 at \[1\]\. One unit tells two classes apart: use 'binaryCrossentropy'/,
  ],
  "targets at each step": [
    () => fit(recurrent([2, 1]), [[[1], [2]]], [[[1], [2]]], quiet),
    /an output at each step.*returnSequences: true/,
  ],
  "targets for the whole": [
    () => fit(recurrent([2, 1], { returnSequences: true }), [[[1], [2]]], [1], quiet),
    /returnSequences: false on the last recurrent layer/,
  ],
  "an id too large": [() => fit(words(), [[1, 10]], [1], quiet), /got 10 at \[0\]\[1\]\. inputDim .* larger/],
  "an id below zero": [() => fit(words(), [[1, -1]], [1], quiet), /got -1 at .*Padding is 0.*maskZero/],
  "measured values as ids": [() => fit(words(), [[1, 0.5]], [1], quiet), /got 0\.5 at .*looks rows up/],
  "a step without its batch": [
    async () => {
      const stream = await recurrent([null, 2]).stream();
      stream.step([1, 2]);
    },
    /one step of shape \[1,2\].*got shape \[2\]\. .*step\(\[x\]\)/,
  ],
  "a sequence as a step": [
    async () => {
      const stream = await recurrent([null, 2]).stream();
      stream.step([x]);
    },
    /got shape \[1,2,2\]\. One step at a time: predict/,
  ],
  "a closed stream": [
    async () => {
      const stream = await recurrent([null, 1]).stream();
      stream.dispose();
      stream.step([[1]]);
    },
    /an open stream.*await model\.stream\(\)/,
  ],
};

for (const [name, [call, pattern]] of Object.entries(table)) {
  test(name, async () => {
    assert.match(await complaint(call), pattern);
  });
}

test("a model without a shape takes none from a dataset without batches", async () => {
  const model = sequential([layers.dense({ units: 1 })]);
  model.compile({ optimizer: "sgd", loss: "meanSquaredError" });
  assert.match(await complaint(() => fit(model, pairs, quiet)), /expected batches/);
  await fit(model, pairs.batch(2), quiet);
  assert.equal(model.inputs[0].shape, [null, 2]);
});

test("what the hint on labels says does it", async () => {
  const labels = ["spam", "ham", "spam"];
  const rows = [...x, [5, 6]];
  const classes = data.StringLookup({ numOovIndices: 0 }).adapt(labels).apply(labels);
  await classifier(2, "sparseCategoricalCrossentropy").fit(rows, classes, quiet);
  const oneHot = data.StringLookup({ numOovIndices: 0, outputMode: "oneHot" }).adapt(labels).apply(labels);
  await classifier(2, "categoricalCrossentropy").fit(rows, oneHot, quiet);
  assert.equal(oneHot.shape, [3, 2]);
});

test("compile warns of a choice among one class, as Keras does", () => {
  const said: string[] = [];
  const { warn } = console;
  console.warn = (text: string) => said.push(text);
  try {
    classifier(1, "categoricalCrossentropy");
    const softmax = sequential([layers.dense({ units: 1, activation: "softmax", inputShape: [2] })]);
    softmax.compile({ loss: "binaryCrossentropy" });
    classifier(2, "categoricalCrossentropy");
    classifier();
  } finally {
    console.warn = warn;
  }
  assert.is(said.length, 2, said.join("\n"));
  assert.match(said[0], /categoricalCrossentropy has one class.*'sigmoid' and 'binaryCrossentropy'/);
  assert.match(said[1], /softmax over one unit is always 1/);
});

test("one layer in two places of a stack is refused, as Keras does, and the stack stays", async () => {
  const relu = layers.activation({ activation: "relu" });
  const stack = sequential([layers.dense({ units: 2, inputShape: [2] }), relu]);
  const said = await complaint(() => stack.add(relu));
  assert.match(said, /: add: expected a layer that is not in the model yet, got 'activation/);
  assert.is(stack.layers.length, 2);
});

test("data of a wrong rank leave a model that takes the right ones", async () => {
  const waiting = sequential([layers.lstm({ units: 2 }), layers.dense({ units: 1 })]);
  waiting.compile({ loss: "meanSquaredError" });
  assert.match(await complaint(() => waiting.fit([[1, 2]], [1], quiet)), /expected input of rank 3/);
  await waiting.fit([[[1], [2]]], [1], quiet);
});

test("tensors in the place of options", async () => {
  const [a, b] = [input({ shape: [2, 3] }), input({ shape: [2, 3] })];
  assert.match(await complaint(() => model(a as never)), /Write model\(\{ inputs: x, outputs: y \}\)/);
  const attention = layers.multiHeadAttention({ numHeads: 1, keyDim: 2 });
  assert.match(await complaint(() => attention.apply(a, b as never)), /\.apply\(\[x, …\], \{ … \}\)/);
});

test.run();
