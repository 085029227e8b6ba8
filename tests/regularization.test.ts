// Penalties and constraints against Keras' own numbers (golden/keras_regularization.py): losses with and without penalties,
// gradients, ten steps of training; and what Keras' numbers cannot show: history, several outputs, freezing, refusals.
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  constraints,
  input,
  type Layer,
  layers,
  type Model,
  model,
  optimizers,
  regularizers,
  type SymbolicTensor,
  sequential,
  type Tensor,
  tensor,
  UnreelError,
} from "../src/index.js";
import {
  assertClose,
  asTensor,
  type Described,
  gradients,
  make,
  type Numbers,
  readGolden,
} from "./support.js";

interface Golden {
  cases: {
    name: string;
    layers: Described[];
    input: Numbers;
    weights: Numbers[];
    output: Numbers;
    target: Numbers;
    sampleWeight?: number[];
    lossValue: number;
    penalty: number;
    gradients: (Numbers | null)[];
  }[];
  training: {
    name: string;
    layers: Described[];
    optimizer: Described;
    weights: Numbers[];
    batches: { input: Numbers; target: Numbers }[];
    weightsAfter: Numbers[];
    losses: number[];
  }[];
}

/** An option of a layer: a layer, a list of them, a regularizer, a constraint, or a plain value. */
function option(key: string, value: unknown): unknown {
  if (Array.isArray(value) && key === "cells") return value.map(makeLayer);
  if (value === null || typeof value !== "object" || !("className" in value)) return value;
  const described = value as Described;
  if (key.endsWith("Regularizer")) return make(regularizers, described);
  return key.endsWith("Constraint") ? make(constraints, described) : makeLayer(described);
}

function makeLayer({ className, config }: Described): Layer {
  if (className === "Model") return chain(config.layers as Described[]).asLayer();
  const { inputShape, ...rest } = config;
  const read = Object.entries(rest).map(([key, value]) => [key, option(key, value)]);
  return make(layers, { className, config: Object.fromEntries(read) });
}

/** Each layer on the first output of the one before; `Again` is the layer of another place. */
function chain(described: readonly Described[]): Model {
  const dtype = described[0].className === "Embedding" ? "int32" : "float32";
  const start = input({ shape: described[0].config.inputShape as number[], dtype });
  const made: Layer[] = [];
  let x = start;
  for (const each of described) {
    const layer = each.className === "Again" ? made[each.config.layer as number] : makeLayer(each);
    made.push(layer);
    [x] = [layer.apply(x)].flat() as SymbolicTensor[];
  }
  return model({ inputs: start, outputs: x });
}

const golden = readGolden<Golden>("keras_regularization.json");

for (const each of golden.cases) {
  test(`Keras: ${each.name}`, async () => {
    const made = chain(each.layers);
    made.setWeights(each.weights.map(asTensor));
    const x = asTensor(each.input);
    const y = asTensor(each.target);
    const { sampleWeight } = each;
    assertClose("output", ((await made.predict(x)) as Tensor).data, each.output.data);
    made.compile({ loss: "meanSquaredError", metrics: ["meanSquaredError"] });
    const evaluated = await made.evaluate(x, y, { sampleWeight, batchSize: 1000 });
    assertClose("loss", [evaluated.loss], [each.lossValue]);
    const found = await gradients(made, x, y, { loss: "meanSquaredError", sampleWeight });
    assertClose("training loss", [found.loss], [each.lossValue]);
    const largest = Math.max(...each.gradients.flatMap((gradient) => gradient?.data.map(Math.abs) ?? []));
    each.gradients.forEach((gradient, index) => {
      const has = found.weights[index];
      assert.is(has === undefined, gradient === null, `weight ${index} is trained or not`);
      const floor = Math.max(1e-3, 0.01 * largest);
      if (gradient) assertClose(`gradient ${index}`, has!, gradient.data, 1e-5, floor);
    });
    made.dispose();
  });
}

for (const each of golden.training) {
  test(`Keras training: ${each.name}`, async () => {
    const made = chain(each.layers);
    made.setWeights(each.weights.map(asTensor));
    made.compile({ optimizer: make<optimizers.Optimizer>(optimizers, each.optimizer), loss: "mse" });
    for (let step = 0; step < 10; step++) {
      const batch = each.batches[step % each.batches.length];
      const { loss } = await made.trainOnBatch(asTensor(batch.input), asTensor(batch.target));
      assertClose(`loss of step ${step}`, [loss], [each.losses[step]], 2e-5);
    }
    made.getWeights().forEach((weight, index) => {
      assertClose(`weight ${index}`, weight.data, each.weightsAfter[index].data, 2e-5);
    });
    made.dispose();
  });
}

// ------------------------------------------------------------------------------------------------- what Keras cannot show

const X = [
  [1, -2],
  [0.5, 3],
  [-1, 1],
];
const Y = [[1], [0], [2]];

/** dense 2 → 1 with weights 1, -2 and no bias: Σ|w| = 3, Σw² = 5. */
function small(options: object): Model {
  const made = sequential([layers.dense({ units: 1, useBias: false, inputShape: [2], ...options })]);
  made.setWeights([[[1], [-2]]]);
  return made;
}

const sizes: Record<string, [regularizers.Regularizer | string, number]> = {
  l1: [regularizers.l1({ l1: 0.5 }), 1.5],
  "l1 by default": [regularizers.l1(), 0.03],
  l2: [regularizers.l2({ l2: 0.5 }), 2.5],
  l1l2: [regularizers.l1l2({ l1: 1, l2: 2 }), 13],
  "by name": ["L2", 0.05],
  "by the other name, which is nothing": ["l1_l2", 0],
  "orthogonal rows: one number each, of length one": [regularizers.orthogonalRegularizer({ factor: 3 }), 3],
};

for (const [name, [kernelRegularizer, size]] of Object.entries(sizes)) {
  test(`${name} adds ${size} to the loss in evaluate, trainOnBatch, fit and val_loss`, async () => {
    const [plain, made] = [small({}), small({ kernelRegularizer })];
    for (const each of [plain, made]) {
      each.compile({ optimizer: optimizers.sgd({ learningRate: 0 }), loss: "mse", metrics: ["mse"] });
    }
    const { loss } = await plain.evaluate(X, Y);
    const evaluated = await made.evaluate(X, Y, { batchSize: 2 });
    assertClose("evaluate", [evaluated.loss], [loss + size]);
    assertClose("metric", [evaluated.mse], [loss]);
    assertClose("trainOnBatch", [(await made.trainOnBatch(X, Y)).loss], [loss + size]);
    const { history } = await made.fit(X, Y, { validationData: [X, Y], batchSize: 2, verbose: 0 });
    assertClose("fit", [history.loss[0], history.val_loss[0]], [loss + size, loss + size]);
    plain.dispose();
    made.dispose();
  });
}

test("each output's loss is without penalties, the total with them and lossWeights", async () => {
  const x = input({ shape: [2] });
  const head = (name: string, kernelRegularizer: string | null) =>
    layers.dense({ units: 1, name, kernelRegularizer, kernelInitializer: "ones" }).apply(x) as SymbolicTensor;
  const made = model({ inputs: x, outputs: [head("a", "l2"), head("b", null)] });
  made.compile({ loss: "mse", lossWeights: [2, 3], optimizer: optimizers.sgd({ learningRate: 0 }) });
  for (const found of [await made.evaluate(X, [Y, Y]), await made.trainOnBatch(X, [Y, Y])]) {
    assertClose("total", [found.loss], [2 * found.a_loss + 3 * found.b_loss + 0.02]);
    assertClose("the same", [found.a_loss], [found.b_loss]);
  }
  made.dispose();
});

test("what is frozen after training is neither penalized nor constrained, and is again later", async () => {
  const made = small({ kernelRegularizer: regularizers.l2({ l2: 1 }), kernelConstraint: "unitNorm" });
  made.compile({ optimizer: optimizers.sgd({ learningRate: 0 }), loss: "mse" });
  const without = (await made.evaluate(X, Y)).loss - 5;
  made.layers[0].trainable = false;
  assertClose("evaluate, frozen", [(await made.evaluate(X, Y)).loss], [without]);
  assertClose("train, frozen", [(await made.trainOnBatch(X, Y)).loss], [without]);
  assert.equal([...made.getWeights()[0].data], [1, -2]);
  made.layers[0].trainable = true;
  assertClose("evaluate", [(await made.evaluate(X, Y)).loss], [without + 5]);
  await made.trainOnBatch(X, Y);
  assertClose("unit", made.getWeights()[0].data, [1 / Math.sqrt(5), -2 / Math.sqrt(5)]);
  made.dispose();
});

test("a penalty that is not finite stops training with the weights as they were", async () => {
  const made = small({ kernelRegularizer: regularizers.l2({ l2: 1e38 }) });
  made.setWeights([[[1], [-2]]]);
  made.compile({ loss: "mse", optimizer: "sgd" });
  try {
    await made.trainOnBatch(X, Y);
    assert.unreachable("it should have stopped");
  } catch (error) {
    assert.instance(error, UnreelError);
    assert.match((error as Error).message, /loss: expected a finite number, got Infinity/);
  }
  assert.equal([...made.getWeights()[0].data], [1, -2]);
  made.dispose();
});

test("the last, smaller batch divides an activity penalty by its own size", async () => {
  const options = { activityRegularizer: regularizers.l1({ l1: 1 }) };
  const [plain, made] = [small({}), small(options)];
  for (const each of [plain, made]) each.compile({ loss: "mse" });
  // Outputs 5, -5.5, -3: (10.5 / 2 · 2 + 3 / 1 · 1) / 3.
  const { loss } = await plain.evaluate(X, Y, { batchSize: 2 });
  assertClose("loss", [(await made.evaluate(X, Y, { batchSize: 2 })).loss], [loss + 13.5 / 3]);
  plain.dispose();
  made.dispose();
});

test("predict and streams run the program that they would run without", async () => {
  const calls = (options: object) => {
    const made = sequential([layers.lstm({ units: 2, inputShape: [null, 2], name: "lstm", ...options })]);
    return (made as unknown as { executor(operation: string): Promise<{ print(mode: string): string }> })
      .executor("predict")
      .then((executor) => executor.print("predict").replaceAll(/input_\d+/g, "input"));
  };
  const options = { kernelRegularizer: "l2", activityRegularizer: "l1", kernelConstraint: "nonNeg" };
  assert.is(await calls(options), await calls({}));
});

test("regularizers and constraints are plain objects that tell their class and config", () => {
  const plain = (value: object) => JSON.parse(JSON.stringify(value));
  assert.equal(plain(regularizers.l1l2({ l2: 0.5 })), { className: "L1L2", config: { l1: 0, l2: 0.5 } });
  assert.equal(plain(regularizers.orthogonalRegularizer()), {
    className: "OrthogonalRegularizer",
    config: { factor: 0.01, mode: "rows" },
  });
  assert.equal(plain(constraints.maxNorm()), { className: "MaxNorm", config: { maxValue: 2, axis: 0 } });
  assert.equal(plain(constraints.minMaxNorm({ axis: [0, 1] })), {
    className: "MinMaxNorm",
    config: { minValue: 0, maxValue: 1, rate: 1, axis: [0, 1] },
  });
  assert.equal(plain(constraints.nonNeg()), { className: "NonNeg", config: {} });
});

test("an activity regularizer on a layer that a cell applies at every step is refused where there is a loss", async () => {
  const hidden = layers.dense({ units: 2, activityRegularizer: "l2", name: "hidden" });
  const cell = {
    stateSize: 2,
    call: (x: SymbolicTensor, [state]: readonly SymbolicTensor[]) => {
      const next = layers.add().apply([hidden.apply(x) as SymbolicTensor, state]) as SymbolicTensor;
      return [next, [next]] as const;
    },
  };
  const made = sequential([layers.rnn({ cell, inputShape: [3, 2] })]);
  made.compile({ loss: "mse" });
  const x = [[X[0], X[1], X[2]]];
  await made.predict(x);
  try {
    await made.evaluate(x, [[0, 0]]);
    assert.unreachable("it should have been refused");
  } catch (error) {
    assert.instance(error, UnreelError);
    assert.match((error as Error).message, /hidden: activityRegularizer: expected a layer outside of a cell/);
  }
  made.dispose();
});

test("orthogonality of what a layer gives inside timeDistributed is refused where there is a loss", async () => {
  const inner = sequential([
    layers.dense({ units: 2, activityRegularizer: "orthogonalRegularizer", name: "each", inputShape: [2] }),
  ]);
  const made = sequential([layers.timeDistributed({ layer: inner.asLayer(), inputShape: [3, 2] })]);
  made.compile({ loss: "mse" });
  const x = [[X[0], X[1], X[2]]];
  await made.predict(x);
  try {
    await made.evaluate(x, x);
    assert.unreachable("it should have been refused");
  } catch (error) {
    assert.instance(error, UnreelError);
    assert.match((error as Error).message, /each.*one matrix for the batch, got one for each time step/);
  }
  made.dispose();
});

test("a layer shared by two models is penalized in each, and its constraint holds in both", async () => {
  const shared = layers.dense({
    units: 1,
    useBias: false,
    kernelRegularizer: regularizers.l2({ l2: 1 }),
    kernelConstraint: "unitNorm",
  });
  const [a, b] = [0, 1].map(() => {
    const x = input({ shape: [2] });
    return model({ inputs: x, outputs: shared.apply(x) as SymbolicTensor });
  });
  shared.setWeights([[[3], [4]]]);
  for (const each of [a, b]) each.compile({ loss: "mse", optimizer: optimizers.sgd({ learningRate: 0 }) });
  const before = (await b.evaluate(X, Y)).loss;
  assertClose("first", [(await a.trainOnBatch(X, Y)).loss], [before]);
  assertClose("constrained", b.getWeights()[0].data, [0.6, 0.8]);
  const mean = X.reduce((sum, [p, q], i) => sum + (0.6 * p + 0.8 * q - Y[i][0]) ** 2, 0) / 3;
  assertClose("second", [(await b.evaluate(X, Y)).loss], [mean + 1]);
  a.dispose();
  b.dispose();
});

for (const name of ["layerNormalization", "batchNormalization"] as const) {
  test(`${name} penalizes and constrains gamma and beta`, async () => {
    const made = sequential([
      layers[name]({
        gammaRegularizer: regularizers.l2({ l2: 0.5 }),
        betaRegularizer: "l1",
        gammaConstraint: constraints.maxNorm({ maxValue: 0.5 }),
        betaConstraint: "nonNeg",
        inputShape: [3],
      }),
    ]);
    const x = tensor([0.1, -0.4, 0.3, 0.9, 0.2, -0.7], [2, 3]);
    const rest = made.getWeights().slice(2);
    made.setWeights([[1, 2, -1], [0.5, -0.25, 0], ...rest]);
    made.compile({ optimizer: optimizers.sgd({ learningRate: 1e-9 }), loss: "mse" });
    const withPenalty = await made.evaluate(x, x);
    const prediction = (await made.predict(x)) as Tensor;
    const plain = [...prediction.data].reduce((sum, value, i) => sum + (value - x.data[i]) ** 2, 0) / 6;
    assertClose("loss", [withPenalty.loss], [plain + 0.5 * 6 + 0.01 * 0.75]);
    await made.trainOnBatch(x, x);
    const [gamma, beta] = made.getWeights();
    assertClose(
      "gamma",
      gamma.data,
      [1, 2, -1].map((value) => (0.5 * value) / Math.sqrt(6)),
    );
    assertClose("beta", beta.data, [0.5, 0, 0]);
    made.dispose();
  });
}

test.run();
