// Bad input: one voice (operation: expected …, got …. hint), before anything is changed, and the model stays usable.
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  callbacks,
  configure,
  constraints,
  engineInfo,
  initializers,
  input,
  layers,
  losses,
  Model,
  metrics,
  model,
  OutOfMemoryError,
  ops,
  optimizers,
  regularizers,
  type SymbolicTensor,
  sequential,
  setRandomSeed,
  type Tensor,
  tensor,
  UnreelError,
} from "../src/index.js";

/** Says what a call complains of. */
async function complaint(call: () => unknown): Promise<string> {
  try {
    await call();
  } catch (error) {
    assert.ok(error instanceof UnreelError, `an UnreelError, not ${error}`);
    assert.match(error.message, /^.+: expected .+, got .+/);
    return error.message;
  }
  return assert.unreachable("it should have been refused") as never;
}

const table: Record<string, [() => unknown, RegExp]> = {
  "ragged nested array": [
    () => tensor([[1, 2], [3]]),
    /rows of one shape, \[2\].*got \[1\] at \[1\].*padSequences/,
  ],
  "nested arrays of another rank": [
    () => tensor([[1, 2]]).toArray(3),
    /^toArray: expected a tensor of rank 3, got shape \[1,2\]\. Write toArray\(2\), or toArray\(\)/,
  ],
  "not a number in an array": [() => tensor([1, "2"] as never), /numbers, got '2' at \[1\]/],
  "shape and values": [() => tensor([1, 2, 3], [2, 2]), /4 values for shape \[2,2\], got 3/],
  "fraction as int32": [() => tensor([1.5], [1], "int32"), /integers.*1\.5/],
  "zero units": [() => layers.lstm({ units: 0 }), /^lstm: units: expected a positive integer, got 0/],
  "fractional units": [
    () => layers.dense({ units: 1.5 }),
    /^dense: units: expected a positive integer, got 1\.5/,
  ],
  "units missing": [() => layers.gru({} as never), /gru: units/],
  "options missing": [() => layers.dense(null as never), /an options object/],
  "a layer in the place of options": [
    () => layers.bidirectional(layers.lstm({ units: 2 }) as never),
    /bidirectional: expected an options object, got an object \(Layer\).*bidirectional\(\{ layer: … \}\)/,
  ],
  "another library's mode": [
    () => layers.bidirectional({ layer: layers.lstm({ units: 2 }), mergeMode: "add" as never }),
    /mergeMode.*'sum'/,
  ],
  "an abbreviated option": [() => optimizers.adam({ lr: 0.1 } as never), /Did you mean 'learningRate'/],
  "a negative rate": [() => optimizers.adam({ learningRate: -1 }), /a number, 0 or more, got -1/],
  "an initializer not called": [
    () => layers.dense({ units: 2, kernelInitializer: initializers.glorotUniform as never }),
    /^dense: kernelInitializer: expected an initializer, got a function/,
  ],
  "a class called as one": [() => new Model({ inputs: [] } as never), /Write model\(/],
  "a cell that returns no list": [
    () =>
      layers
        .rnn({ cell: { stateSize: 2, call: (_: unknown, [h]: unknown[]) => h } as never })
        .apply(input({ shape: [3, 2] })),
    /\[output, \[1 new states\]\] from the cell's call, got an object \(SymbolicTensor\)/,
  ],
  "weights before there are any": [
    () => layers.dense({ units: 2 }).setWeights([[[1, 2]]]),
    /setWeights: expected a layer that knows its input/,
  ],
  "unknown option": [
    () => layers.gru({ units: 2, returnSequence: true } as never),
    /'returnSequence'.*Did you mean 'returnSequences'/,
  ],
  "unknown activation": [
    () => layers.dense({ units: 2, activation: "rellu" }),
    /'rellu'.*Did you mean 'relu'/,
  ],
  "unknown initializer": [
    () => layers.dense({ units: 2, kernelInitializer: "glorotUniform2" }),
    /Did you mean 'glorotUniform'/,
  ],
  "unknown regularizer": [
    () => layers.dense({ units: 2, kernelRegularizer: "l3" }),
    /^dense: kernelRegularizer: expected a known name, got 'l3'.*Did you mean 'l1'/,
  ],
  "a number as regularizer": [
    () => layers.lstm({ units: 2, recurrentRegularizer: 0.01 as never }),
    /^lstm: recurrentRegularizer: expected a regularizer or null, got 0.01.*regularizers\.l2/,
  ],
  "a constraint as regularizer": [
    () => layers.gru({ units: 2, biasRegularizer: constraints.nonNeg() as never }),
    /^gru: biasRegularizer: expected a regularizer/,
  ],
  "a regularizer as constraint": [
    () => layers.embedding({ inputDim: 2, outputDim: 2, embeddingsConstraint: regularizers.l2() as never }),
    /^embedding: embeddingsConstraint: expected a constraint or null.*maxNorm/,
  ],
  "unknown constraint": [
    () => layers.gruCell({ units: 2, kernelConstraint: "max_nrm" }),
    /^gruCell: kernelConstraint: .*Did you mean 'maxNorm'/,
  ],
  "regularizer of something the layer has not": [
    () => layers.embedding({ inputDim: 2, outputDim: 2, kernelRegularizer: "l2" } as never),
    /'kernelRegularizer'/,
  ],
  "activity regularizer of a cell": [
    () => layers.lstmCell({ units: 2, activityRegularizer: "l2" } as never),
    /lstmCell: expected known options, got 'activityRegularizer'/,
  ],
  "negative penalty": [() => regularizers.l1({ l1: -1 }), /regularizers\.l1: l1: .*zero or more, got -1/],
  "infinite penalty": [
    () => regularizers.l1l2({ l2: Number.POSITIVE_INFINITY }),
    /regularizers\.l1l2: l2: expected a finite number/,
  ],
  "negative penalty of a layer": [() => layers.activityRegularization({ l1: -1 }), /l1: .*got -1/],
  "penalty by a wrong name": [() => regularizers.l2({ l1: 1 } as never), /'l1'.*'l2'/],
  "unknown mode of orthogonality": [
    () => regularizers.orthogonalRegularizer({ mode: "row" as never }),
    /mode: expected 'rows' or 'columns', got 'row'/,
  ],
  "orthogonality of a vector": [
    () =>
      layers
        .dense({ units: 2, biasRegularizer: "orthogonalRegularizer", name: "d" })
        .apply(input({ shape: [3] })),
    /^d\/bias: orthogonalRegularizer: expected a matrix with two rows or more, got shape \(2\)/,
  ],
  "orthogonality of one row": [
    () =>
      layers
        .dense({ units: 2, kernelRegularizer: "orthogonalRegularizer", name: "d" })
        .apply(input({ shape: [1] })),
    /^d\/kernel: .*two rows or more, got shape \(1, 2\)/,
  ],
  "orthogonality of a sequence": [
    () =>
      layers
        .gru({
          units: 2,
          returnSequences: true,
          activityRegularizer: "orthogonalRegularizer",
          name: "g",
        })
        .apply(input({ shape: [3, 1] })),
    /^g: orthogonalRegularizer: expected a matrix/,
  ],
  "negative largest norm": [() => constraints.maxNorm({ maxValue: -1 }), /constraints\.maxNorm: maxValue/],
  "norms the wrong way round": [
    () => constraints.minMaxNorm({ minValue: 2, maxValue: 1 }),
    /minMaxNorm: minValue: expected a number in \[0, 1\], got 2/,
  ],
  "a rate above one": [() => constraints.minMaxNorm({ rate: 2 }), /rate: expected a number in \[0, 1\]/],
  "half an axis": [() => constraints.unitNorm({ axis: 0.5 }), /unitNorm: axis: expected a whole number/],
  "no axis": [() => constraints.unitNorm({ axis: [] }), /unitNorm: axis: expected a whole number/],
  "an axis that a weight has not": [
    () =>
      layers
        .dense({ units: 2, biasConstraint: constraints.maxNorm({ axis: 1 }), name: "d" })
        .apply(input({ shape: [3] })),
    /^d\/bias: constraints\.maxNorm: axis: expected an axis of shape \[2\], got 1/,
  ],
  "an axis twice": [
    () =>
      layers
        .dense({ units: 2, kernelConstraint: constraints.unitNorm({ axis: [0, -2] }), name: "d" })
        .apply(input({ shape: [3] })),
    /^d\/kernel: .*several side by side, each once, got \[0, -2\]/,
  ],
  "dropout of everything": [() => layers.dropout({ rate: 1 }), /\[0, 1\), got 1/],
  "spatial dropout of vectors": [
    () => layers.spatialDropout1D({ rate: 0.5 }).apply(input({ shape: [3] })),
    /spatial_dropout1_?d.*rank 3/,
  ],
  "loud noise": [() => layers.gaussianNoise({ stddev: 2 }), /^gaussianNoise: stddev.*\[0, 1\], got 2/],
  "layer normalization of the first axis": [
    () => layers.layerNormalization({ axis: 1 }).apply(input({ shape: [4, 3] })),
    /^layerNormalization: axis: expected the last axis.*got 1/,
  ],
  "layer normalization with a gap": [
    () => layers.layerNormalization({ axis: [1, 3] }).apply(input({ shape: [4, 3, 2] })),
    /^layerNormalization: axis.*got \[1, 3\]/,
  ],
  "layer normalization of the batch": [
    () => layers.layerNormalization({ axis: [0, 1] }).apply(input({ shape: [4] })),
    /^layerNormalization: axis.*without the batch/,
  ],
  "layer normalization of axes that are none": [
    () => layers.layerNormalization({ axis: [] }),
    /^layerNormalization: axis: expected an integer or a list of integers, got \[\]/,
  ],
  "layer normalization over any length": [
    () => layers.layerNormalization({ axis: [1, 2] }).apply(input({ shape: [null, 3] })),
    /^layerNormalization: expected axes of known size/,
  ],
  "batch normalization of time": [
    () => layers.batchNormalization({ axis: 1 }).apply(input({ shape: [4, 3] })),
    /^batchNormalization: axis: expected -1.*got 1/,
  ],
  "momentum above 1": [() => layers.batchNormalization({ momentum: 1.5 }), /momentum.*\[0, 1\], got 1\.5/],
  "negative epsilon": [() => layers.layerNormalization({ epsilon: -1 }), /epsilon.*got -1/],
  "bad seed": [() => setRandomSeed(-1), /seed/],
  "unknown setting": [() => configure({ deterministc: true } as never), /Did you mean 'deterministic'/],
  "more threads than there can be": [
    () => configure({ threads: 10_000 }),
    /configure: threads: expected an integer from 1 to 64, got 10000/,
  ],
  "unknown loss": [
    () => sequential([layers.dense({ units: 1 })]).compile({ loss: "binaryCrosentropy" }),
    /Did you mean 'binaryCrossentropy'/,
  ],
  "unknown optimizer": [
    () => sequential([]).compile({ optimizer: "adamm", loss: "mse" }),
    /Did you mean 'adam'/,
  ],
  "unknown metric": [
    () => sequential([]).compile({ loss: "mse", metrics: ["acuracy"] }),
    /Did you mean 'accuracy'/,
  ],
  "no loss": [() => sequential([]).compile({} as never), /compile: loss: expected a loss/],
  "metrics that are no list": [
    () =>
      sequential([layers.dense({ units: 1, inputShape: [1] })]).compile({
        loss: "mse",
        metrics: "accuracy" as never,
      }),
    /metrics: expected a list.*\['accuracy'\]/,
  ],
  "unknown apply option": [
    () => layers.dense({ units: 1 }).apply(input({ shape: [1] }), { initialStates: [] } as never),
    /Did you mean 'initialState'/,
  ],
  "two clippings": [() => optimizers.sgd({ clipnorm: 1, clipvalue: 1 }), /one of clipnorm/],
  "negative learning rate": [() => optimizers.adam({ learningRate: -1 }), /learningRate/],
  "label smoothing": [() => losses.binaryCrossentropy({ labelSmoothing: 2 }), /labelSmoothing/],
  "metric of other length": [() => metrics.binaryAccuracy().update([1, 0], [1, 0, 1]), /yTrue with 3 values/],
  "orthogonal vector": [() => initializers.orthogonal().draw([3]), /rank 2/],
  "recurrent layer on vectors": [
    () => sequential([layers.dense({ units: 3, inputShape: [4] }), layers.lstm({ units: 2 })]),
    /lstm.*rank 3.*returnSequences: true/,
  ],
  "not a layer": [() => sequential([{} as never]), /a layer/],
  "no input shape": [() => sequential([layers.dense({ units: 1 })]).summary(), /inputShape/],
  "two layers of one name": [
    () =>
      sequential([
        layers.dense({ units: 1, name: "a", inputShape: [1] }),
        layers.dense({ units: 1, name: "a" }),
      ]),
    /two layers named 'a'/,
  ],
  "outputs of another input": [
    () => {
      const outputs = layers
        .dense({ units: 1 })
        .apply(input({ shape: [2], name: "forgotten" })) as SymbolicTensor;
      return model({ inputs: input({ shape: [2] }), outputs });
    },
    /'forgotten'/,
  ],
  "states of the wrong count": [
    () => layers.lstm({ units: 2 }).apply(input({ shape: [3, 1] }), { initialState: input({ shape: [2] }) }),
    /initialState: expected 2 \(h, c\), got 1/,
  ],
  "states of the wrong size": [
    () => layers.gru({ units: 2 }).apply(input({ shape: [3, 1] }), { initialState: input({ shape: [5] }) }),
    /initialState: expected state h/,
  ],
};

for (const [name, [call, pattern]] of Object.entries(table)) {
  test(name, async () => {
    assert.match(await complaint(call), pattern);
  });
}

function ids(): Model {
  const made = sequential([
    layers.embedding({ inputDim: 10, outputDim: 3, inputShape: [4] }),
    layers.gru({ units: 3 }),
    layers.dense({ units: 3, activation: "softmax" }),
  ]);
  made.compile({ optimizer: "adam", loss: "sparseCategoricalCrossentropy" });
  return made;
}

const x = [
  [1, 2, 3, 4],
  [5, 6, 7, 8],
  [9, 0, 1, 2],
];
const y = [0, 1, 2];
const data: Record<string, [(made: Model) => unknown, RegExp]> = {
  "id outside the embedding": [
    (made) =>
      made.predict([
        [1, 2, 3, 4],
        [1, 10, 3, 4],
      ]),
    /ids from 0 to 9, got 10 at \[1\]\[1\]/,
  ],
  "negative id": [(made) => made.fit([[1, 2, -3, 4]], [0], { verbose: 0 }), /got -3 at \[0\]\[2\]/],
  "fractional id": [(made) => made.predict([[1, 2.5, 3, 4]]), /got 2\.5 at \[0\]\[1\]/],
  "wrong length": [
    (made) => made.predict([[1, 2, 3]]),
    /shape \(None, 4\), got \(1, 3\).*fixed length; inputShape \[null/,
  ],
  "wrong rank": [(made) => made.predict([1, 2, 3, 4]), /shape \(None, 4\).*wrap a single sample/],
  "ragged rows": [
    (made) =>
      made.fit(
        [
          [1, 2, 3, 4],
          [1, 2],
        ],
        [0, 1],
        { verbose: 0 },
      ),
    /ragged/,
  ],
  "empty data": [
    (made) => made.fit(tensor(new Int32Array(0), [0, 4]), tensor([], [0]), { verbose: 0 }),
    /empty data set/,
  ],
  "label outside the classes": [
    (made) => made.fit(x, [0, 3, 1], { verbose: 0 }),
    /class numbers from 0 to 2, got 3 at \[1\]/,
  ],
  "fractional label": [(made) => made.evaluate(x, [0, 0.5, 1]), /got 0\.5 at \[1\]/],
  "one-hot labels for a sparse loss": [
    (made) =>
      made.evaluate(x, [
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
      ]),
    /categoricalCrossentropy/,
  ],
  "fewer labels": [(made) => made.fit(x, [0, 1], { verbose: 0 }), /3 samples, as in x, got 2/],
  "validationSplit of one": [(made) => made.fit(x, y, { validationSplit: 1, verbose: 0 }), /\[0, 1\), got 1/],
  "negative validationSplit": [(made) => made.fit(x, y, { validationSplit: -0.1, verbose: 0 }), /\[0, 1\)/],
  "batch size of zero": [
    (made) => made.fit(x, y, { batchSize: 0, verbose: 0 }),
    /batchSize: expected a positive integer/,
  ],
  "half an epoch": [
    (made) => made.fit(x, y, { epochs: 0.5, verbose: 0 }),
    /epochs: expected a positive integer/,
  ],
  "unknown fit option": [(made) => made.fit(x, y, { epoch: 3 } as never), /Did you mean 'epochs'/],
  "callbacks that are no list": [
    (made) => made.fit(x, y, { callbacks: {} as never, verbose: 0 }),
    /callbacks: expected a list/,
  ],
  "a callback not called": [
    (made) => made.fit(x, y, { callbacks: [callbacks.earlyStopping as never], verbose: 0 }),
    /callbacks: expected a callback, got a function.*Call it/,
  ],
  "a callback that is never called": [
    (made) => made.fit(x, y, { callbacks: [{ on_epoch_end() {} } as never], verbose: 0 }),
    /callbacks: expected a callback.*onEpochEnd/,
  ],
  "validation data by name": [
    (made) => made.fit(x, y, { validationData: { x, y } as never, verbose: 0 }),
    /validationData: expected \[x, y\]/,
  ],
  "sample weights": [(made) => made.fit(x, y, { sampleWeight: [1, 2], verbose: 0 }), /3 weights/],
  "weights of the wrong shape": [
    (made) => made.setWeights(made.getWeights().map((w, i) => (i === 2 ? tensor([1]) : w))),
    /weight 2/,
  ],
  "too few weights": [(made) => made.setWeights([]), /expected 6 weights, got 0|expected \d weights, got 0/],
  "unknown layer": [(made) => made.getLayer("dens"), /name of a layer/],
  "a stream's option that is none": [
    (made) => made.stream({ batchsize: 2 } as never),
    /^stream: .*'batchsize'\. Did you mean 'batchSize'/,
  ],
  "a stream's batch in the place of its options": [
    (made) => made.stream(4 as never),
    /^stream: expected an options object, got 4\. Write stream\(\{ batchSize: 4 \}\)/,
  ],
};

for (const [name, [call, pattern]] of Object.entries(data)) {
  test(`${name}, and the model goes on`, async () => {
    const made = ids();
    const before = made.getWeights().map((weight) => weight.toArray());
    assert.match(await complaint(() => call(made)), pattern);
    assert.equal(
      made.getWeights().map((weight) => weight.toArray()),
      before,
    );
    const { history } = await made.fit(x, y, { verbose: 0 });
    assert.ok(Number.isFinite(history.loss[0]));
    made.dispose();
  });
}

for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
  test(`${bad} in inputs and targets is named`, async () => {
    const made = sequential([layers.dense({ units: 1, inputShape: [2] })]);
    made.compile({ loss: "meanSquaredError" });
    assert.match(
      await complaint(() =>
        made.predict([
          [1, 2],
          [3, bad],
        ]),
      ),
      new RegExp(`${bad} at \\[1\\]\\[1\\]`),
    );
    assert.match(
      await complaint(() => made.fit([[1, 2]], [bad], { verbose: 0 })),
      new RegExp(`y: expected finite numbers, got ${bad}`),
    );
    assert.is(((await made.predict([[1, 2]])) as Tensor).size, 1);
    made.dispose();
  });
}

test("fit without compile", async () => {
  const made = sequential([layers.dense({ units: 1, inputShape: [2] })]);
  assert.match(await complaint(() => made.fit([[1, 2]], [1])), /Call compile/);
});

test("a model larger than memoryLimit: bytes are told, nothing leaks, smaller models still run", async () => {
  const { memoryUsed } = await engineInfo();
  configure({ memoryLimit: memoryUsed + 4_000_000 });
  try {
    const large = sequential([layers.dense({ units: 2000, inputShape: [1000] })]);
    await large.predict(new Array(1).fill(new Float32Array(1000)));
    assert.unreachable("it should not fit");
  } catch (error) {
    assert.instance(error, OutOfMemoryError);
    assert.ok((error as OutOfMemoryError).bytes > 8_000_000);
    assert.match(
      (error as Error).message,
      /memoryLimit of \d+ bytes.*\(8 MiB\)\. .*or raise configure\(\{ memoryLimit/,
    );
  }
  const small = sequential([layers.dense({ units: 2, inputShape: [3] })]);
  assert.is(((await small.predict([[1, 2, 3]])) as Tensor).size, 2);
  small.dispose();
  assert.is((await engineInfo()).memoryUsed, memoryUsed);
  configure({ memoryLimit: Number.POSITIVE_INFINITY });
});

test("a batch too large for memory fails before the weights change, and a smaller one then works", async () => {
  const made = ids();
  await made.fit(x, y, { verbose: 0 });
  const before = made.getWeights().map((weight) => weight.toArray());
  configure({ memoryLimit: (await engineInfo()).memoryUsed + 100_000 });
  const many = tensor(new Int32Array(40_000 * 4), [40_000, 4]);
  const labels = new Int32Array(40_000);
  const said = await complaint(() => made.fit(many, labels, { batchSize: 40_000, verbose: 0 }));
  assert.match(said, /working memory for a batch of 40000: .*smaller batches \(batchSize\)/);
  configure({ memoryLimit: Number.POSITIVE_INFINITY });
  assert.equal(
    made.getWeights().map((weight) => weight.toArray()),
    before,
  );
  await made.fit(x, y, { verbose: 0 });
  made.dispose();
});

test("a model larger than linear memory", async () => {
  const huge = layers.embedding({
    inputDim: 2 ** 21,
    outputDim: 1024,
    inputShape: [2],
    embeddingsInitializer: "zeros",
  });
  const made = sequential([huge]);
  try {
    await made.predict([[1, 2]]);
    assert.unreachable("it should not fit");
  } catch (error) {
    assert.instance(error, OutOfMemoryError);
    assert.match((error as Error).message, /4 GiB/);
  }
});

for (const [what, given] of Object.entries({ loss: losses.huber, metrics: [metrics.auc] })) {
  test(`${what} not called is refused`, () => {
    const made = sequential([layers.dense({ units: 1, inputShape: [2] })]);
    const options = { loss: "mse", [what]: given } as never;
    assert.throws(() => made.compile(options), /the function that makes one.*Call it/);
  });
}

test("a loss without a gradient is refused, and the model goes on", async () => {
  const made = sequential([layers.dense({ units: 1, inputShape: [2] })]);
  const [data, target] = [tensor([[1, 2]]), tensor([[1]])];
  made.compile({ loss: (yTrue) => ops.square(yTrue) });
  const message = await made.fit(data, target, { verbose: 0 }).then(
    () => "",
    (error: Error) => error.message,
  );
  assert.match(message, /a loss that depends on the weights.*must use yPred/);
  made.compile({ loss: "mse" });
  await made.fit(data, target, { verbose: 0 });
  made.dispose();
});

test("evaluate and predict say a line when they are asked to", async () => {
  const made = sequential([layers.dense({ units: 1, inputShape: [2] })]);
  made.compile({ loss: "mse" });
  const lines: string[] = [];
  const { log } = console;
  console.log = (line: string) => lines.push(line);
  try {
    await made.evaluate([[1, 2]], [[1]], { verbose: 2 });
    await made.predict([[1, 2]], { verbose: 1 });
    await made.evaluate([[1, 2]], [[1]]);
  } finally {
    console.log = log;
  }
  assert.is(lines.length, 2);
  assert.match(lines[0], /s - loss: /);
  made.dispose();
});

test.run();
