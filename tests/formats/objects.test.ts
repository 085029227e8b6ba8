// Every layer, initializer, regularizer, constraint, activation, optimizer, schedule, loss and metric as Keras' config and back: the
// registries are walked, so that what is added without a place in the table fails here.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { readCompile, readOptimizer, writeCompile, writeOptimizer } from "../../src/formats/keras/compile.js";
import { LAYERS, makersFor } from "../../src/formats/keras/layers.js";
import { readActivation, readMember, writeActivation, writeMember } from "../../src/formats/keras/objects.js";
import { readLayer } from "../../src/formats/keras/readLayer.js";
import { writeLayer } from "../../src/formats/keras/writeLayer.js";
import {
  type Cell,
  constraints,
  initializers,
  input,
  type Layer,
  layers,
  type losses,
  metrics,
  optimizers,
  regularizers,
  type SymbolicTensor,
  schedules,
  UnreelError,
} from "../../src/index.js";
import { ACTIVATIONS } from "../../src/layers/activations.js";
import { registry as metricRegistry, resolveMetric } from "../../src/training/metrics/resolveMetric.js";
import { registry as lossRegistry, resolveLoss } from "../../src/training/resolveLoss.js";
import { registry as optimizerRegistry } from "../../src/training/resolveOptimizer.js";

const none = {
  model: () => {
    throw new Error("no model here");
  },
};
const everyClass = Object.keys(LAYERS).map((name) => ({ class_name: name }));
const reader = { model: () => undefined, makers: await makersFor(everyClass) };

/** Options for each layer, no two alike and none a default where that can be. */
const cell = () => layers.lstmCell({ units: 2, unitForgetBias: false });
const CASES: Readonly<Record<string, () => Layer>> = {
  simpleRNN: () =>
    layers.simpleRNN({
      units: 3,
      activation: "relu",
      useBias: false,
      dropout: 0.25,
      recurrentDropout: 0.5,
      seed: 3,
    }),
  lstm: () =>
    layers.lstm({
      units: 3,
      recurrentActivation: "hardSigmoid",
      kernelInitializer: initializers.varianceScaling({
        scale: 2,
        mode: "fanOut",
        distribution: "untruncatedNormal",
        seed: 1,
      }),
      recurrentRegularizer: regularizers.l1l2({ l1: 0.1, l2: 0.2 }),
      biasConstraint: constraints.maxNorm({ maxValue: 3, axis: [0] }),
      activityRegularizer: "l2",
      returnSequences: true,
      returnState: true,
      unitForgetBias: false,
    }),
  gru: () =>
    layers.gru({
      units: 2,
      resetAfter: false,
      goBackwards: true,
      stateful: true,
      zeroOutputForMask: true,
      unroll: true,
    }),
  simpleRNNCell: () => layers.simpleRNNCell({ units: 2, activation: "elu" }),
  lstmCell: cell,
  gruCell: () => layers.gruCell({ units: 2, resetAfter: false, dropout: 0.5, seed: 9 }),
  stackedRNNCells: () => layers.stackedRNNCells({ cells: [cell(), layers.gruCell({ units: 3 })] }),
  rnn: () => layers.rnn({ cell: [cell(), layers.simpleRNNCell({ units: 4 })], returnState: true }),
  bidirectional: () =>
    layers.bidirectional({
      layer: layers.gru({ units: 3 }),
      backwardLayer: layers.lstm({ units: 3, goBackwards: true, name: "other" }),
      mergeMode: null,
      trainable: false,
    }),
  timeDistributed: () => layers.timeDistributed({ layer: layers.dense({ units: 2, activation: "softmax" }) }),
  embedding: () =>
    layers.embedding({ inputDim: 7, outputDim: 2, maskZero: true, embeddingsConstraint: "unitNorm" }),
  masking: () => layers.masking({ maskValue: -1 }),
  repeatVector: () => layers.repeatVector({ n: 4 }),
  conv1D: () =>
    layers.conv1D({
      filters: 4,
      kernelSize: 3,
      dilationRate: 2,
      padding: "causal",
      groups: 2,
      activation: "swish",
    }),
  conv1DTranspose: () =>
    layers.conv1DTranspose({ filters: 2, kernelSize: 4, strides: 3, padding: "same", outputPadding: 1 }),
  depthwiseConv1D: () =>
    layers.depthwiseConv1D({ kernelSize: 2, depthMultiplier: 2, depthwiseConstraint: "nonNeg" }),
  separableConv1D: () =>
    layers.separableConv1D({
      filters: 3,
      kernelSize: 2,
      strides: 2,
      pointwiseInitializer: "heNormal",
      useBias: false,
    }),
  maxPooling1D: () => layers.maxPooling1D({ poolSize: 3, strides: 1, padding: "same" }),
  averagePooling1D: () => layers.averagePooling1D({ poolSize: 4 }),
  globalMaxPooling1D: () => layers.globalMaxPooling1D({ keepdims: true }),
  globalAveragePooling1D: () => layers.globalAveragePooling1D(),
  upSampling1D: () => layers.upSampling1D({ size: 3 }),
  zeroPadding1D: () => layers.zeroPadding1D({ padding: [1, 2] }),
  cropping1D: () => layers.cropping1D({ cropping: [0, 2] }),
  dense: () =>
    layers.dense({
      units: 3,
      activation: "leakyRelu",
      kernelRegularizer: "orthogonalRegularizer",
      biasInitializer: "ones",
    }),
  activation: () => layers.activation({ activation: "glu" }),
  activityRegularization: () => layers.activityRegularization({ l1: 0.5 }),
  dropout: () => layers.dropout({ rate: 0.25, seed: 5 }),
  spatialDropout1D: () => layers.spatialDropout1D({ rate: 0.5 }),
  gaussianNoise: () => layers.gaussianNoise({ stddev: 0.5 }),
  flatten: () => layers.flatten(),
  reshape: () => layers.reshape({ targetShape: [-1, 2] }),
  permute: () => layers.permute({ dims: [2, 1] }),
  concatenate: () => layers.concatenate({ axis: 1 }),
  add: () => layers.add(),
  subtract: () => layers.subtract(),
  multiply: () => layers.multiply(),
  average: () => layers.average(),
  maximum: () => layers.maximum(),
  minimum: () => layers.minimum(),
  dot: () => layers.dot({ axes: [2, 1], normalize: true }),
  attention: () => layers.attention({ useScale: true, scoreMode: "concat", dropout: 0.25, seed: 3 }),
  additiveAttention: () => layers.additiveAttention({ useScale: false, dropout: 0.5 }),
  multiHeadAttention: () =>
    layers.multiHeadAttention({
      numHeads: 2,
      keyDim: 3,
      valueDim: 5,
      dropout: 0.25,
      useBias: false,
      useGate: true,
      outputShape: [2, 3],
      slidingWindow: 4,
      kernelInitializer: "heNormal",
      biasInitializer: initializers.randomNormal({ seed: 1 }),
      kernelRegularizer: "l2",
      activityRegularizer: regularizers.l1({ l1: 0.5 }),
      biasConstraint: "nonNeg",
      seed: 7,
    }),
  layerNormalization: () => layers.layerNormalization({ axis: [1, 2], epsilon: 0.01, scale: false }),
  batchNormalization: () =>
    layers.batchNormalization({ momentum: 0.5, center: false, movingMeanInitializer: "ones" }),
};

/** Options as far as they are plain: functions of initializers and the like are told by class and options. */
function told(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, function (this: object, key, each) {
      // What an initializer draws with is not kept where Keras has no room for it: weights are in the file.
      if (key === "seed" && ("mean" in this || !["units", "rate", "stddev"].some((option) => option in this)))
        return undefined;
      const layer = each as Layer | null;
      return typeof layer === "object" && layer !== null && "countParams" in layer
        ? { className: layer.className, name: layer.name, config: layer.config, trainable: layer.trainable }
        : each;
    }),
  );
}

for (const name of Object.keys(layers)) {
  test(`layers.${name} as Keras' config and back`, () => {
    const layer = CASES[name]?.();
    assert.ok(layer, `a case for layers.${name}`);
    assert.ok(
      Object.hasOwn(LAYERS, layer.className),
      `layers.${name} in the table of formats/keras/layers.ts`,
    );
    const seeds: number[] = [];
    const written = JSON.parse(JSON.stringify(writeLayer(layer, { ...none, seeds })));
    assert.not.match(JSON.stringify(written), /"seed":([3-9]\d|2[2-9])\d{8}/);
    const again = readLayer("file", written, { ...reader, seed: () => seeds.shift() });
    assert.equal(told(again), told(layer));
    assert.equal(told(writeLayer(again, none)), told(written));
  });
}

test("every class of the table is a layer", () => {
  const known = new Set(Object.values(CASES).map((make) => make().className));
  assert.equal(
    [...Object.keys(LAYERS)].filter((name) => !known.has(name)),
    [],
  );
});

const families = { initializer: initializers, regularizer: regularizers, constraint: constraints } as const;
for (const [family, members] of Object.entries(families)) {
  for (const [name, make] of Object.entries(members)) {
    if (name.startsWith("resolve")) continue;
    test(`${family} ${name}`, () => {
      const made = (make as () => { className: string; config: object })();
      const written = writeMember(family as "initializer", "file", made as never);
      const again = readMember(family as "initializer", "file", written);
      assert.equal(again.className, made.className);
      assert.equal(told(again.config), told(made.config));
    });
  }
}

test("activations keep their names", () => {
  for (const name of ACTIVATIONS) assert.is(readActivation("file", writeActivation(name)), name);
  assert.is(
    readActivation("file", {
      module: "builtins",
      class_name: "function",
      config: "relu",
      registered_name: "relu",
    }),
    "relu",
  );
});

/** Options that have no default. */
const SCHEDULES = {
  exponentialDecay: { initialLearningRate: 0.1, decaySteps: 10, decayRate: 0.5, staircase: true },
  piecewiseConstantDecay: { boundaries: [1, 5], values: [0.1, 0.2, 0.3] },
  polynomialDecay: { initialLearningRate: 0.1, decaySteps: 10, power: 2, cycle: true },
  inverseTimeDecay: { initialLearningRate: 0.1, decaySteps: 10, decayRate: 0.5 },
  cosineDecay: { initialLearningRate: 0.1, decaySteps: 10, warmupTarget: 0.2, warmupSteps: 3 },
  cosineDecayRestarts: { initialLearningRate: 0.1, firstDecaySteps: 4, tMul: 3, mMul: 0.5 },
} as const;

test("optimizers with each schedule", () => {
  for (const [name, make] of Object.entries(optimizerRegistry)) {
    const made = (make as (options: object) => optimizers.Optimizer)({
      learningRate: 0.25,
      clipnorm: 2,
      weightDecay: 0.01,
    });
    const again = readOptimizer("file", writeOptimizer(made));
    assert.equal([again.className, again.config], [made.className, made.config], name);
  }
  for (const [name, make] of Object.entries(schedules)) {
    const made = make(SCHEDULES[name as keyof typeof SCHEDULES] as never);
    const again = readOptimizer("file", writeOptimizer(optimizers.sgd({ learningRate: made })));
    assert.equal(again.schedule!.className, made.className);
    assert.equal(again.schedule!.config, made.config, name);
  }
});

test("losses and metrics, by name and by object", () => {
  const optimizer = "adam";
  for (const [name, make] of Object.entries(lossRegistry)) {
    const made = make({ reduction: "sum" });
    const again = readCompile("file", writeCompile({ optimizer, loss: [made, name, null] as never }))!;
    const [object, text] = again.loss as unknown as [losses.Loss, string];
    assert.equal([object.name, object.config, object.reduction], [name, made.config, "sum"]);
    assert.is(resolveLoss("file", text).name, name);
  }
  const needed = {
    sensitivityAtSpecificity: { specificity: 0.25 },
    specificityAtSensitivity: { sensitivity: 0.25 },
  };
  const more = { precisionAtRecall: { recall: 0.25 }, recallAtPrecision: { precision: 0.25 } };
  const all = {
    ...metricRegistry,
    ...Object.fromEntries(Object.keys({ ...needed, ...more }).map((name) => [name, metrics[name as "auc"]])),
  };
  for (const [name, make] of Object.entries(all)) {
    const made = make({ name: "mine", ...({ ...needed, ...more } as Record<string, object>)[name] } as never);
    // Those that need an option have no name of their own.
    const isNamed = Object.hasOwn(metricRegistry, name);
    const given = [made, ...(isNamed ? [name] : [])];
    const again = readCompile("file", writeCompile({ optimizer, loss: "mse", metrics: [given] as never }))!;
    const [[object, text]] = again.metrics as unknown as [[metrics.Metric, string]];
    assert.equal(object.made, made.made, name);
    if (isNamed) assert.is(resolveMetric("file", text).made.metric, name);
  }
});

function refusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    assert.instance(error, UnreelError);
    return (error as Error).message;
  }
  throw new Error("nothing was refused");
}

test("layers that are an activation are read where layers.activation has it, and else refused", () => {
  const entry = (className: string, config: object) => ({
    class_name: className,
    config: { name: "x", ...config } as never,
  });
  const refused = (className: string, config: object) =>
    refusal(() => readLayer("file", entry(className, config), reader));
  assert.match(refused("PReLU", { shared_axes: null }), /a layer of class 'PReLU'/);
  assert.match(
    refused("LeakyReLU", {}),
    /file \(LeakyReLU\): expected a negative_slope of 0.2, got none.*layers.activation has no other/,
  );
  assert.match(refused("LeakyReLU", { alpha: 0.3 }), /negative_slope of 0.2, got alpha 0.3/);
  assert.match(refused("ReLU", { max_value: 4 }), /relu6.*got maxValue 4/);
  assert.match(refused("ReLU", { threshold: 0.5 }), /without a threshold, got threshold 0.5/);
  assert.match(refused("ReLU", { max_value: 6, negative_slope: 0.2 }), /got maxValue 6, negativeSlope 0.2/);
  assert.match(refused("ELU", { alpha: 2 }), /alpha 1, got alpha 2/);
  assert.match(refused("ThresholdedReLU", { theta: 1 }), /theta 0, got theta 1/);
  const x = input({ shape: [5, 3] });
  const softmax = (axis: unknown) => readLayer("file", entry("Softmax", { axis }), reader).apply(x);
  assert.match(
    refusal(() => softmax(1)),
    /Softmax.*axis: expected the last axis, -1 or 2, got 1/,
  );
  assert.match(
    refusal(() => softmax([1, 2])),
    /the last axis, -1 or 2, got \[1, ?2\]/,
  );
  for (const axis of [-1, 2, [-1]]) softmax(axis);
  assert.is(readLayer("file", entry("ReLU", { max_value: null }), reader).className, "Activation");
});

test("layers whose work is done before the model are told where", () => {
  const told = (className: string) =>
    refusal(() => readLayer("file", { class_name: className, config: { name: "x" } }, reader));
  assert.match(told("Normalization"), /data\.Normalization does its work, before the model/);
  assert.match(told("TextVectorization"), /text\.TextVectorization does/);
  assert.match(told("constructor"), /got a layer of class 'constructor'/);
});

test("what is no layer, or would give other numbers, is refused by name and place", () => {
  const read = (className: string, config: object, more = {}) =>
    refusal(() =>
      readLayer(
        "m.keras: layers[2]",
        { class_name: className, config: { name: "x", ...config } as never, ...more },
        reader,
      ),
    );
  assert.match(read("Lambda", { function: {} }), /layers\[2\].*Lambda.*nothing in a file is ever run/);
  assert.match(read("Mine", {}, { registered_name: "my>Mine" }), /'my>Mine', a custom object/);
  assert.match(read("Conv2D", {}), /'Conv2D'.*Did you mean 'Conv1D'/);
  assert.match(read("Dense", { units: 3, dtype: "mixed_float16" }), /\(Dense\): dtype: expected float32/);
  assert.match(
    read("Dense", { units: 0 }),
    /layers\[2\] \(Dense\): dense: units: expected a positive integer, got 0/,
  );
  assert.match(read("LSTM", { units: 3, time_major: true }), /timeMajor: expected false, got true/);
  assert.match(
    read("Dense", { units: 3, kernel_initializer: { class_name: "Odd", config: {} } }),
    /an initializer, got 'Odd'/,
  );
  assert.match(read("Dense", { units: 3, surprise: 1 }), /known options, got 'surprise'/);
  const cell: Cell = { stateSize: 2, call: (x) => [x, [x]] };
  const own = layers.rnn({ cell });
  assert.match(
    refusal(() => writeLayer(own, none)),
    /a cell of your own/,
  );
  const loss = (yTrue: SymbolicTensor) => yTrue;
  assert.match(
    refusal(() => writeCompile({ optimizer: "adam", loss })),
    /a function of your own.*includeOptimizer/,
  );
});

test.run();
