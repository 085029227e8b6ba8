// Convolutions and pooling against Keras 3 (golden/keras_convolution.json), and what else they promise: summaries, lengths that are
// known at run time only, models in models, streams, modules without a host, and what they refuse.
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Executor } from "../src/graph/executor.js";
import {
  input,
  layers,
  type Model,
  model,
  optimizers,
  sequential,
  type Tensor,
  tensor,
} from "../src/index.js";
import { emit } from "../src/program/emit.js";
import { runtimeDims } from "../src/program/program.js";
import { chooseBuild, kernelBytes } from "../src/wasm/kernels.js";
import { makeLayer } from "./described.js";
import {
  assertClose,
  asTensor,
  type Described,
  gradients,
  type Numbers,
  numbers,
  one,
  readGolden,
} from "./support.js";

interface Case {
  name: string;
  layers: Described[];
  input: Numbers;
  weights: Numbers[];
  target: Numbers;
  output: Numbers;
  lossValue: number;
  gradients: Numbers[];
}
interface Counts {
  name: string;
  layers: Described[];
  weightShapes: number[][];
  weightPaths: string[];
  lines: string[];
}

const golden = readGolden<{ cases: Case[]; counts: Counts[] }>("keras_convolution.json");

for (const each of golden.cases) {
  test(`Keras: ${each.name}`, async () => {
    const made = sequential(each.layers.map(makeLayer));
    const [x, y] = [asTensor(each.input), asTensor(each.target)];
    made.setWeights(each.weights.map(asTensor));
    const output = await made.predict(x);
    assert.equal([...output.shape], each.output.shape);
    assertClose("output", output.data, each.output.data);
    made.compile({ loss: "meanSquaredError" });
    assertClose("loss", [(await made.evaluate(x, y)).loss], [each.lossValue]);
    const found = await gradients(made, x, y, { loss: "meanSquaredError" });
    assertClose("training loss", [found.loss], [each.lossValue]);
    assert.is(found.weights.length, each.gradients.length);
    // As in golden.test.ts: what cancels is only known to the rounding of its terms.
    const largest = Math.max(0, ...each.gradients.flatMap(({ data }) => data.map(Math.abs)));
    each.gradients.forEach(({ data }, index) => {
      const gradient = found.weights[index] ?? data.map(() => 0);
      assertClose(`gradient ${index}`, gradient, data, 1e-5, Math.max(1e-3, 0.01 * largest));
    });
    made.dispose();
  });
}

for (const { name, layers: described, weightShapes, weightPaths, lines } of golden.counts) {
  test(`Keras' summary: ${name}`, () => {
    const made = sequential(described.map(makeLayer), { name: "sequential" });
    assert.equal(
      made.layers.flatMap((layer) => layer.weights.map(({ shape }) => [...shape])),
      weightShapes,
    );
    const leaf = (path: string) => path.split("/").at(-1);
    const own = made.layers.flatMap((layer) => layer.weights.map((weight) => leaf(weight.name)));
    assert.equal(own, weightPaths.map(leaf));
    assert.equal(
      made.layers.map(({ className }) => className),
      described.map(({ className }) => className),
    );
    // Names are numbered through a process, and cut where they are long: what stands behind them is compared.
    const rows = (text: readonly string[]) =>
      text.map((line) => line.trim()).filter((line) => /\(None|params/.test(line));
    const behind = (row: string) => row.replace(/^│[^│]*│/, "").replace(/\s+/g, " ");
    const summary = made.summary({ print: () => {} }).split("\n");
    assert.equal(rows(summary).map(behind), rows(lines).map(behind));
  });
}

// -------------------------------------------------------------------------------------------------- lengths at run time

/** Lengths 7, 4, 2, 6, 5 of 7 steps; each follows from the one before it. */
const chain = (length: number | null) => [
  layers.conv1D({ filters: 4, kernelSize: 3, padding: "same", inputShape: [length, 3] }),
  layers.averagePooling1D({ poolSize: 3, strides: 2, padding: "same" }),
  layers.separableConv1D({ filters: 3, kernelSize: 2, strides: 2, padding: "same", depthMultiplier: 2 }),
  layers.conv1DTranspose({ filters: 2, kernelSize: 4, strides: 3, padding: "same" }),
  layers.conv1D({ filters: 2, kernelSize: 2, activation: "tanh" }),
];

test("one model for every length: the numbers of models of fixed lengths, forwards and back", async () => {
  const free = sequential(chain(null));
  for (const T of [7, 1, 2, 3, 4, 12, 5, 31]) {
    const fixed = sequential(chain(T));
    fixed.setWeights(free.getWeights());
    const x = numbers(T, 3, T, 3);
    const expected = await fixed.predict(x);
    const found = await free.predict(x);
    assert.equal(found.shape, expected.shape);
    assert.equal(found.data, expected.data);
    const y = numbers(9, ...expected.shape);
    const [a, b] = [free, fixed].map((made) => gradients(made, x, y, { loss: "meanSquaredError" }));
    const [{ weights, loss }, wanted] = [await a, await b];
    assertClose("loss", [loss], [wanted.loss]);
    weights.forEach((gradient, index) => {
      assertClose(`gradient ${index}`, gradient!, wanted.weights[index]!);
    });
    fixed.dispose();
  }
  free.dispose();
});

test("a short last batch and another length train in the memory of the first", async () => {
  const made = sequential([...chain(null), layers.globalMaxPooling1D(), layers.dense({ units: 1 })]);
  made.compile({ optimizer: optimizers.adam({ learningRate: 0.02 }), loss: "meanSquaredError" });
  const x = numbers(1, 7, 20, 3);
  const { history } = await made.fit(x, numbers(2, 7, 1), { batchSize: 3, epochs: 30, verbose: 0 });
  assert.ok(history.loss.at(-1)! < history.loss[0] / 2);
  await made.trainOnBatch(numbers(3, 2, 5, 3), numbers(4, 2, 1));
  made.dispose();
});

test("up and down again is known to be the same length", async () => {
  const x = input({ shape: [null, 3] });
  const up = one(layers.upSampling1D({ size: 2 }), x);
  const down = one(layers.maxPooling1D({ poolSize: 2 }), up);
  const same = one(layers.conv1D({ filters: 3, kernelSize: 3, padding: "same" }), down);
  const made = model({ inputs: x, outputs: one(layers.add(), [x, same]) });
  assert.equal(runtimeDims((await executorOf(made)).program("predict").program), ["B", "T"]);
  const given = numbers(5, 2, 6, 3);
  assert.equal([...(await made.predict(given)).shape], [2, 6, 3]);
  assert.equal((await executorOf(made)).program("predict").equal, []);
  made.dispose();
});

const executorOf = (made: Model) =>
  (made as unknown as { executor(operation: string): Promise<Executor> }).executor("test");

async function rejects(what: Promise<unknown>, message: RegExp): Promise<void> {
  try {
    await what;
  } catch (error) {
    assert.match((error as Error).message, message);
    return;
  }
  assert.unreachable(`it should have been refused: ${message}`);
}

test("too short a sequence is refused, also where that is known at run time only", async () => {
  const conv = (length: number | null) =>
    layers.conv1D({ filters: 2, kernelSize: 3, dilationRate: 2, inputShape: [length, 1] });
  assert.throws(
    () => sequential([conv(4)]),
    /conv1D: expected 5 steps or more, got input of shape \(None, 4, 1\).*spans 5 steps/,
  );
  const made = sequential([conv(null), layers.maxPooling1D({ poolSize: 3 }), layers.cropping1D()]);
  await rejects(
    made.predict(numbers(1, 2, 4, 1)),
    /conv1d\w*: expected 5 steps or more, got 4.*padding: 'same'/,
  );
  await rejects(made.predict(numbers(1, 2, 6, 1)), /max_pooling1d\w*: expected 3 steps or more, got 2/);
  await rejects(made.predict(numbers(1, 2, 12, 1)), /cropping1d\w*: expected 3 steps or more, got 2/);
  made.compile({ loss: "meanSquaredError" });
  await rejects(
    made.trainOnBatch(numbers(1, 2, 4, 1), numbers(1, 2, 1, 2)),
    /expected 5 steps or more, got 4/,
  );
  assert.equal([...(await made.predict(numbers(1, 2, 13, 1))).shape], [2, 1, 2]);
  made.dispose();
});

for (const length of [null, 23]) {
  test(`a bare module answers as predict does, length ${length ?? "at run time"}`, async () => {
    const made = sequential([...chain(length), layers.globalAveragePooling1D()]);
    const x = numbers(1, 3, 23, 3);
    const expected = await made.predict(x);
    const executor = await executorOf(made);
    const { program, packing, work, inputs, outputs } = executor.program("predict");
    const dims = { B: 3, T: 23 };
    const emitted = await emit(program, {
      kernels: await kernelBytes(chooseBuild(false)),
      constants: executor.kernelConstants(),
      weights: executor.weightBytes(),
      packing,
      packedBytes: executor.packedBytes,
      work,
      largest: dims,
    });
    const bytes = emitted.bytes as Uint8Array<ArrayBuffer>;
    const { exports } = (await WebAssembly.instantiate(bytes, {})).instance;
    const floats = new Float32Array((exports.memory as WebAssembly.Memory).buffer);
    floats.set(x.data, emitted.address(inputs[0].values.float32!.pointer.storage.name, dims) / 4);
    (exports.predict as (...dims: number[]) => void)(...emitted.dims.map((name) => dims[name as "B" | "T"]));
    const { storage, offset } = outputs[0].value.pointer;
    const at = (emitted.address(storage.name, dims) + offset.evaluate(dims)) / 4;
    assert.equal(floats.slice(at, at + expected.size), expected.data);
    made.dispose();
  });
}

// ----------------------------------------------------------------------------------------------------- models and streams

test("a model in a model gives what its layers give", async () => {
  const flat = sequential([...chain(null), layers.gru({ units: 3 })]);
  const x = input({ shape: [null, 3] });
  const inner = sequential(chain(null));
  const nested = model({ inputs: x, outputs: one(layers.gru({ units: 3 }), one(inner.asLayer(), x)) });
  nested.setWeights(flat.getWeights());
  const [given, target] = [numbers(1, 3, 9, 3), numbers(2, 3, 3)];
  assert.equal((await nested.predict(given)).data, (await flat.predict(given)).data);
  const [a, b] = [nested, flat].map((made) => gradients(made, given, target, { loss: "meanSquaredError" }));
  const [found, wanted] = [await a, await b];
  found.weights.forEach((gradient, index) => {
    assertClose(`gradient ${index}`, gradient!, wanted.weights[index]!);
  });
  for (const made of [flat, nested]) made.dispose();
});

for (const batchSize of [1, 3]) {
  test(`stream: causal convolutions keep what came before, batch ${batchSize}`, async () => {
    const T = 40;
    const made = sequential([
      layers.conv1D({ filters: 4, kernelSize: 3, padding: "causal", inputShape: [null, 3] }),
      layers.conv1D({
        filters: 6,
        kernelSize: 2,
        padding: "causal",
        dilationRate: 4,
        groups: 2,
        activation: "tanh",
      }),
      layers.depthwiseConv1D({ kernelSize: 1, depthMultiplier: 2 }),
      layers.gru({ units: 3, returnSequences: true }),
      layers.separableConv1D({ filters: 2, kernelSize: 1 }),
      layers.conv1DTranspose({ filters: 2, kernelSize: 1 }),
    ]);
    const x = numbers(4, batchSize, T, 3);
    const whole = await made.predict(x);
    const stream = await made.stream({ batchSize });
    for (let round = 0; round < 2; round++) {
      for (let t = 0; t < T; t++) {
        const now = Float32Array.from(
          { length: batchSize * 3 },
          (_, i) => x.data[(Math.floor(i / 3) * T + t) * 3 + (i % 3)],
        );
        const step = stream.step(tensor(now, [batchSize, 3])) as Tensor;
        assert.equal([...step.shape], [batchSize, 2]);
        const expected = step.data.map((_, i) => whole.data[(Math.floor(i / 2) * T + t) * 2 + (i % 2)]);
        assertClose(`step ${t}`, step.data, expected, 1e-6);
      }
      stream.reset();
    }
    made.dispose();
  });
}

for (const [name, [layer, reason]] of Object.entries({
  conv1D: [
    () => layers.conv1D({ filters: 2, kernelSize: 3, inputShape: [null, 3] }),
    /conv1d.*reaches ahead/,
  ],
  "conv1D same": [
    () => layers.conv1D({ filters: 2, kernelSize: 3, padding: "same", inputShape: [null, 3] }),
    /reaches ahead/,
  ],
  "conv1D strides": [
    () => layers.conv1D({ filters: 2, kernelSize: 3, strides: 2, padding: "causal", inputShape: [null, 3] }),
    /no output for some steps/,
  ],
  depthwiseConv1D: [() => layers.depthwiseConv1D({ kernelSize: 2, inputShape: [null, 3] }), /reaches ahead/],
  separableConv1D: [
    () => layers.separableConv1D({ filters: 2, kernelSize: 2, inputShape: [null, 3] }),
    /reaches ahead/,
  ],
  conv1DTranspose: [
    () => layers.conv1DTranspose({ filters: 2, kernelSize: 2, inputShape: [null, 3] }),
    /adds to several steps/,
  ],
  maxPooling1D: [() => layers.maxPooling1D({ inputShape: [null, 3] }), /one step of several/],
  averagePooling1D: [() => layers.averagePooling1D({ inputShape: [null, 3] }), /one step of several/],
  globalMaxPooling1D: [() => layers.globalMaxPooling1D({ inputShape: [null, 3] }), /whole sequence/],
  globalAveragePooling1D: [() => layers.globalAveragePooling1D({ inputShape: [null, 3] }), /whole sequence/],
  upSampling1D: [() => layers.upSampling1D({ inputShape: [null, 3] }), /several steps of one/],
  zeroPadding1D: [() => layers.zeroPadding1D({ inputShape: [null, 3] }), /adds steps/],
  cropping1D: [() => layers.cropping1D({ inputShape: [null, 3] }), /takes steps away/],
} as const)) {
  test(`stream: ${name} is refused with the reason`, async () => {
    const made = sequential([layer()]);
    await rejects(made.stream(), reason);
    made.dispose();
  });
}

// ----------------------------------------------------------------------------------------------------------- what is refused

const wrong: readonly [string, () => unknown, RegExp][] = [
  [
    "no filters",
    () => layers.conv1D({ kernelSize: 2 } as never),
    /conv1D: filters: expected a positive integer, got none/,
  ],
  [
    "no kernelSize",
    () => layers.conv1D({ filters: 2 } as never),
    /conv1D: kernelSize: expected a positive integer.*got none/,
  ],
  [
    "kernelSize 0",
    () => layers.conv1D({ filters: 2, kernelSize: 0 }),
    /conv1D: kernelSize: expected a positive integer, or a list of one, got 0/,
  ],
  [
    "two sizes",
    () => layers.conv1D({ filters: 2, kernelSize: [2, 3] as never }),
    /kernelSize: .*got \[2, 3\]/,
  ],
  [
    "strides 0",
    () => layers.maxPooling1D({ strides: 0 }),
    /maxPooling1D: strides: expected a positive integer/,
  ],
  ["poolSize 1.5", () => layers.averagePooling1D({ poolSize: 1.5 }), /averagePooling1D: poolSize: .*got 1.5/],
  [
    "strides and dilation",
    () => layers.conv1D({ filters: 2, kernelSize: 2, strides: 2, dilationRate: 2 }),
    /conv1D: expected strides 1 or dilationRate 1, got strides 2 and dilationRate 2/,
  ],
  [
    "filters and groups",
    () => layers.conv1D({ filters: 4, kernelSize: 2, groups: 3 }),
    /conv1D: groups: expected a divisor of the 4 filters, got 3/,
  ],
  [
    "channels and groups",
    () => sequential([layers.conv1D({ filters: 4, kernelSize: 2, groups: 2, inputShape: [5, 3] })]),
    /conv1D: groups: expected a divisor of the 3 channels of the input, got 2/,
  ],
  [
    "channelsFirst",
    () => layers.conv1D({ filters: 4, kernelSize: 2, dataFormat: "channelsFirst" as never }),
    /conv1D: dataFormat: expected 'channelsLast'.*got 'channelsFirst'.*permute/,
  ],
  [
    "channels_first",
    () => layers.globalMaxPooling1D({ dataFormat: "channels_first" as never }),
    /globalMaxPooling1D: dataFormat/,
  ],
  [
    "causal pooling",
    () => layers.maxPooling1D({ padding: "causal" as never }),
    /maxPooling1D: padding: expected 'valid' or 'same', got 'causal'.*zeroPadding1D/,
  ],
  [
    "a typo",
    () => layers.conv1D({ filters: 1, kernelSize: 1, padding: "smae" as never }),
    /'valid' or 'same' or 'causal', got 'smae'. Did you mean 'same'/,
  ],
  [
    "outputPadding",
    () => layers.conv1DTranspose({ filters: 1, kernelSize: 2, strides: 2, outputPadding: 2 }),
    /outputPadding: expected less than strides, 2, got 2/,
  ],
  [
    "an empty transposed output",
    () =>
      sequential([
        layers.conv1DTranspose({
          filters: 1,
          kernelSize: 2,
          padding: "same",
          outputPadding: 0,
          inputShape: [1, 1],
        }),
      ]),
    /conv1DTranspose: expected 2 steps or more/,
  ],
  [
    "cropping all",
    () => sequential([layers.cropping1D({ cropping: [2, 3], inputShape: [5, 1] })]),
    /cropping1D: expected 6 steps or more, got input of shape \(None, 5, 1\)/,
  ],
  [
    "cropping by less than nothing",
    () => layers.cropping1D({ cropping: [-1, 0] }),
    /cropping1D: cropping: expected an integer, 0 or more/,
  ],
  [
    "no sequence",
    () => sequential([layers.conv1D({ filters: 1, kernelSize: 1, inputShape: [5] })]),
    /input of rank 3/,
  ],
  ["glu", () => layers.conv1D({ filters: 2, kernelSize: 1, activation: "glu" }), /keeps the width/],
];
for (const [name, make, message] of wrong) test(`refused: ${name}`, () => assert.throws(make, message));

test("Keras' spellings are understood", () => {
  const { config } = layers.conv1D({
    filters: 2,
    kernelSize: [3],
    padding: "SAME" as never,
    dataFormat: "channels_last" as never,
  });
  assert.is((config as { kernelSize?: number }).kernelSize, 3);
  assert.is((config as { padding?: string }).padding, "same");
});

test("each weight has its own regularizer and constraint", async () => {
  const made = sequential([
    layers.separableConv1D({
      filters: 3,
      kernelSize: 2,
      inputShape: [5, 2],
      depthwiseRegularizer: "l2",
      pointwiseRegularizer: "l1",
      pointwiseConstraint: "nonNeg",
      biasConstraint: "maxNorm",
    }),
    layers.conv1D({ filters: 3, kernelSize: 2, kernelRegularizer: "l2", kernelConstraint: "unitNorm" }),
    layers.conv1DTranspose({
      filters: 3,
      kernelSize: 2,
      kernelConstraint: "nonNeg",
      activityRegularizer: "l2",
    }),
  ]);
  const all = made.layers.flatMap((layer) => layer.weights);
  assert.equal(
    all.map(({ regularizer }) => regularizer?.className),
    ["L2", "L1", undefined, "L2", undefined, undefined, undefined],
  );
  assert.equal(
    all.map(({ constraint }) => constraint?.className),
    [undefined, "NonNeg", "MaxNorm", "UnitNorm", undefined, "NonNeg", undefined],
  );
  made.compile({ optimizer: "sgd", loss: "meanSquaredError" });
  await made.trainOnBatch(numbers(1, 4, 5, 2), numbers(2, 4, 4, 3));
  const [, pointwise, , , , transposed] = made.getWeights();
  for (const { data } of [pointwise, transposed]) assert.ok(data.every((w) => w >= 0));
  made.dispose();
});

test.run();
