// Losses on plain values, and what training makes of masks, weights, metrics and several outputs, against Keras.
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  input,
  type Layer,
  layers,
  losses,
  type Model,
  metrics,
  model,
  ops,
  optimizers,
  type SymbolicTensor,
  sequential,
  Tensor,
  type TensorFunction,
  tensor,
} from "../src/index.js";
import { camelCase } from "../src/layers/options.js";
import { registry as lossRegistry } from "../src/training/resolveLoss.js";
import { integers, numbers } from "./gradcheck.js";
import { assertClose, asTensor, gradients, readGolden } from "./support.js";

interface Flat {
  shape: number[];
  data: number[];
}
interface Plain {
  name: string;
  loss: string;
  config: object;
  yTrue: Flat;
  yPred: Flat;
  sampleWeight?: Flat;
  result: Flat;
  gradient?: Flat;
}
type Logs = [string, number | number[]][];
interface Training {
  name: string;
  heads: { name: string; units: number; activation: string }[];
  inputShape: number[];
  masking: boolean;
  x: Flat;
  y: Flat[];
  weights: Flat[];
  compile: Record<string, unknown>;
  sampleWeight?: Flat | (Flat | null)[];
  classWeight?: Record<string, number>;
  logs: Logs;
  weightsAfter: Flat[];
  evaluated?: Logs;
}

const golden = readGolden<{ plain: Plain[]; training: Training[] }>("keras_losses.json");

for (const { name, loss, config, yTrue, yPred, sampleWeight, result, gradient } of golden.plain) {
  const made = lossRegistry[loss](config);
  const given = [asTensor(yTrue), asTensor(yPred)] as const;
  const options = { sampleWeight: sampleWeight && asTensor(sampleWeight) };
  test(`plain: ${name}`, () => {
    const found = made.call(...given, options);
    if (found instanceof Tensor) assert.equal([...found.shape], result.shape);
    assertClose("result", found instanceof Tensor ? found.data : [found], result.data, 1e-6);
  });
  if (gradient === undefined) continue;
  test(`gradient: ${name}`, async () => {
    // The predictions are a weight of the model: a table of as many rows, each looked up once.
    const [samples, ...rest] = yPred.shape;
    const size = rest.reduce((a, b) => a * b, 1);
    const steps = rest.length === 1 ? 1 : size / rest.at(-1)!;
    const width = rest.at(-1)!;
    const entrance = input({ shape: [steps], dtype: "int32" });
    const table = layers.embedding({ inputDim: samples * steps, outputDim: width });
    const rows = table.apply(entrance) as SymbolicTensor;
    // Only what lies in three axes, or in two, is made here.
    if (rest.length > 2) return;
    const outputs = rest.length === 1 ? (layers.flatten().apply(rows) as SymbolicTensor) : rows;
    const net = model({ inputs: entrance, outputs });
    net.setWeights([tensor(yPred.data, [samples * steps, width])]);
    const ids = tensor(
      Int32Array.from({ length: samples * steps }, (_, i) => i),
      [samples, steps],
    );
    const found = await gradients(net, ids, given[0], { loss: made, ...options });
    assertClose("loss", [found.loss], result.data);
    assertClose("gradient", found.weights[0]!, gradient.data);
    net.dispose();
  });
}

const functions: Record<string, TensorFunction> = {
  squared: (t, p) => ops.multiply(ops.subtract(t, p), ops.subtract(t, p)),
  farApart: (t, p) => ops.maximum(ops.subtract(t, p), ops.multiply(ops.subtract(p, t), 2)),
};

/** A name, an object from { className, config }, a function, null, or lists and records of such. */
function resolve(registry: object, spec: unknown): unknown {
  if (Array.isArray(spec)) return spec.map((each) => resolve(registry, each));
  if (spec === null || typeof spec !== "object") return spec;
  const { className, config, function: key } = spec as Record<string, string>;
  if (key) return functions[key];
  if (!className)
    return Object.fromEntries(Object.entries(spec).map(([name, each]) => [name, resolve(registry, each)]));
  return (registry as Record<string, (config: unknown) => unknown>)[camelCase(className)](config);
}

function build({ heads, inputShape, masking }: Training): Model {
  const entrance = input({ shape: inputShape });
  const start = masking ? (layers.masking().apply(entrance) as SymbolicTensor) : entrance;
  const outputs = heads.map((head) => layers.dense(head).apply(start) as SymbolicTensor);
  return model({ inputs: entrance, outputs });
}

function checkLogs(what: string, found: Record<string, number | number[]>, expected: Logs): void {
  assert.equal(
    Object.keys(found),
    expected.map(([name]) => name),
    `${what}: names and order`,
  );
  for (const [name, value] of expected) assertClose(`${what}: ${name}`, [found[name]].flat(), [value].flat());
}

for (const each of golden.training) {
  test(`training: ${each.name}`, async () => {
    const net = build(each);
    net.setWeights(each.weights.map(asTensor));
    const { loss, metrics: plainMetrics, weightedMetrics, lossWeights } = each.compile;
    net.compile({
      optimizer: optimizers.sgd({ learningRate: 0.5 }),
      loss: resolve(losses, loss) as losses.LossLike,
      metrics: resolve(metrics, plainMetrics) as string[],
      weightedMetrics: resolve(metrics, weightedMetrics) as string[],
      lossWeights: lossWeights as number[],
    });
    const { sampleWeight: given } = each;
    const sampleWeight = Array.isArray(given)
      ? given.map((weights) => weights && asTensor(weights))
      : given && asTensor(given);
    const y = each.y.length === 1 ? asTensor(each.y[0]) : each.y.map(asTensor);
    const x = asTensor(each.x);
    if (each.evaluated)
      checkLogs("evaluate", await net.evaluate(x, y, { sampleWeight, batchSize: 2 }), each.evaluated);
    const options = { sampleWeight, classWeight: each.classWeight, batchSize: 5, verbose: 0 } as const;
    const { history } = await net.fit(x, y, { ...options, shuffle: false });
    checkLogs("fit", history, each.logs);
    net.getWeights().forEach(({ data }, index) => {
      assertClose(`weight ${index}`, data, each.weightsAfter[index].data);
    });
    net.dispose();
  });
}

for (const name of Object.keys(lossRegistry)) {
  test(`${name}: has a case`, () => {
    const message = `loss ${name} needs a case in tests/golden/keras_losses.py`;
    assert.ok(
      golden.plain.some(({ loss }) => loss === name),
      message,
    );
  });
}

const dense = (units = 2): Layer => layers.dense({ units, useBias: false, kernelInitializer: "ones" });
const twoHeads = () => {
  const x = input({ shape: [1] });
  const heads = ["a", "b"].map((name) =>
    layers.dense({ name, units: 1, useBias: false, kernelInitializer: "ones" }).apply(x),
  );
  return model({ inputs: x, outputs: heads as SymbolicTensor[] });
};

test("losses on plain values: shapes and options", () => {
  const mse = losses.meanSquaredError({ reduction: "none" });
  const rows: Tensor = mse.call([1, 2], [2, 4]);
  assert.equal([[...rows.shape], [...rows.data]], [[2], [1, 4]]);
  assert.is(losses.meanSquaredError().call([1, 2], [2, 4]), 2.5);
  assert.ok((losses.meanSquaredError({ reduction: null }).call([1], [2]) as unknown) instanceof Tensor);
  assert.throws(() => losses.meanSquaredError().call([1, 2, 3], [1, 2]), /2 values/);
  assert.throws(() => losses.sparseCategoricalCrossentropy().call([2], [[0.5, 0.5]]), /class numbers/);
  assert.throws(
    () => losses.meanSquaredError().call([[1]], [[1]], { sampleWeight: [1, 2] }),
    /sampleWeight.*first axes/,
  );
  assert.throws(() => losses.dice({ axis: [0] }).call([[1]], [[1]]), /last axes/);
  assert.throws(() => losses.dice({ axis: "x" as never }), /axis/);
  assert.throws(() => losses.tversky({ alpha: -1 }), /alpha/);
  assert.throws(() => losses.binaryFocalCrossentropy({ gamma: -1 }), /gamma/);
  assert.throws(() => losses.huber({ reduction: "average" as never }), /reduction/);
});

test("where nothing weighs anything, the mean over the weights is 0", async () => {
  const loss = losses.meanSquaredError({ reduction: "meanWithSampleWeight" });
  const sampleWeight = [0, 0];
  assert.is(loss.call([[1], [2]], [[3], [3]], { sampleWeight }), 0);
  const net = sequential([layers.dense({ units: 1, inputShape: [1] })]);
  net.compile({ loss });
  assert.is((await net.evaluate([[1], [2]], [3, 3], { sampleWeight })).loss, 0);
  net.dispose();
});

test("functions that cannot be losses are refused when the model is compiled", () => {
  const net = sequential([layers.dense({ units: 2, inputShape: [1] })]);
  const compile = (loss: unknown) => () => net.compile({ loss: loss as TensorFunction });
  assert.throws(
    compile((_: SymbolicTensor, p: SymbolicTensor) => dense().apply(p)),
    /without weights, got weight/,
  );
  assert.throws(
    compile(() => 3),
    /symbolic tensor, got 3/,
  );
  assert.throws(
    compile(async (t: SymbolicTensor) => t),
    /symbolic tensor/,
  );
  assert.throws(
    compile(() => input({ shape: [2] })),
    /given inputs only/,
  );
  assert.throws(() => net.compile({ loss: "mse", metrics: [() => 3 as never] }), /symbolic tensor/);
  assert.throws(() => net.compile({ loss: losses.huber({ reduction: "none" }) }), /'none'/);
});

test("a function is asked once for a compiled model, and its name is in the logs", async () => {
  let asked = 0;
  const meanDistance: TensorFunction = (t, p) => {
    asked++;
    return ops.subtract(p, t);
  };
  const net = sequential([layers.dense({ units: 1, kernelInitializer: "ones", inputShape: [1] })]);
  net.compile({ loss: meanDistance, metrics: [meanDistance, (_, p) => p] });
  const { history } = await net.fit([[1], [3]], [0, 0], { epochs: 3, verbose: 0 });
  assert.is(asked, 2, "once as the loss, once as the metric");
  assert.equal(Object.keys(history), ["lambda", "loss", "mean_distance"]);
  assert.ok(Math.abs(history.lambda[0] - 2) < 1e-6);
  assert.ok(Math.abs(history.loss[0] - 2) < 1e-6);
  net.dispose();
});

test("a metric function reads class numbers where the loss does", async () => {
  const net = sequential([layers.dense({ units: 2, activation: "softmax", inputShape: [1] })]);
  net.compile({ loss: "sparseCategoricalCrossentropy", metrics: [(t) => ops.multiply(t, 1)] });
  const found = await net.evaluate([[1], [2], [3]], [0, 1, 1], { batchSize: 2 });
  assert.ok(Math.abs(found.lambda - 2 / 3) < 1e-6);
  net.dispose();
});

test("results that are lists are one log each", async () => {
  const net = sequential([layers.dense({ units: 2, activation: "softmax", inputShape: [1] })]);
  net.compile({
    loss: "categoricalCrossentropy",
    metrics: [metrics.f1Score(), metrics.precision({ thresholds: [0.1, 0.9] }), "AUC", "auc"],
  });
  const found = await net.evaluate(
    [[1], [2]],
    [
      [1, 0],
      [0, 1],
    ],
  );
  const names = ["AUC", "auc", "f1_score_0", "f1_score_1", "loss", "precision_0", "precision_1"];
  assert.equal(Object.keys(found), names);
  net.dispose();
});

test("a metric of a loss says what the loss says", async () => {
  for (const [loss, metric] of [
    ["huber", losses.huber()],
    ["logCosh", metrics.logCoshError()],
    ["poisson", "poisson"],
    ["binaryCrossentropy", "bce"],
    ["kld", "kl_divergence"],
  ] as const) {
    const net = sequential([layers.dense({ units: 3, activation: "sigmoid", inputShape: [2] })]);
    net.compile({ loss, metrics: [metric] });
    const y = [
      [1, 0, 1],
      [0, 1, 0],
      [1, 1, 0],
    ];
    const logs = await net.evaluate(
      [
        [1, 2],
        [3, -1],
        [0, 1],
      ],
      y,
      { batchSize: 2 },
    );
    const [other] = Object.keys(logs).filter((name) => name !== "loss");
    assertClose(other, [logs[other]], [logs.loss], 1e-6);
    net.dispose();
  }
});

test("weights of losses and samples for several outputs", async () => {
  const net = twoHeads();
  const sgd = optimizers.sgd({ learningRate: 0 });
  net.compile({ optimizer: sgd, loss: "mse", lossWeights: { b: 3 } });
  const x = [[1], [1]];
  const y = [
    [[0], [0]],
    [[2], [3]],
  ];
  const near = (found: number, expected: number) =>
    assert.ok(Math.abs(found - expected) < 1e-6, `${found} is ${expected}`);
  near((await net.evaluate(x, y)).loss, 1 + 3 * 2.5);
  near((await net.evaluate(x, y, { sampleWeight: [0, 2] })).b_loss, 4);
  const byName = await net.evaluate(x, y, { sampleWeight: { a: null, b: [1, 0] } });
  near(byName.a_loss, 1);
  near(byName.b_loss, 0.5);
  const refused = async (call: () => unknown, pattern: RegExp) => {
    try {
      await call();
    } catch (error) {
      assert.match((error as Error).message, pattern);
      return;
    }
    assert.unreachable(`${pattern}`);
  };
  await refused(() => net.compile({ loss: "mse", lossWeights: { c: 3 } }), /lossWeights.*'c'/);
  await refused(() => net.compile({ loss: "mse", lossWeights: { a: Number.NaN } }), /finite/);
  await refused(() => net.compile({ loss: { a: "mse" } }), /no 'b'.*null/);
  await refused(() => net.compile({ loss: { a: "mse", b: "mse", c: "mse" } }), /'c'/);
  await refused(() => net.compile({ loss: [null, null] }), /some output/);
  await refused(() => net.compile({ loss: "mse", weightedMetrics: { c: ["mae"] } }), /weightedMetrics.*'c'/);
  await refused(() => net.evaluate(x, y, { sampleWeight: { c: [1, 1] } }), /sampleWeight.*'c'/);
  await refused(() => net.evaluate(x, y, { sampleWeight: tensor([1, 2, 3, 4], [2, 2]) }), /for all outputs/);
  await refused(() => net.fit(x, y, { classWeight: { 0: 1 }, verbose: 0 }), /one output/);
  net.dispose();
});

test("an output without a loss is not trained, and needs no target", async () => {
  const net = twoHeads();
  net.compile({ optimizer: optimizers.sgd({ learningRate: 0.25 }), loss: { a: null, b: "mse" } });
  const { history } = await net.fit([[1]], { b: [[0]] }, { verbose: 0 });
  assert.equal(Object.keys(history), ["loss"]);
  assert.equal(
    net.getWeights().map(({ data }) => data[0]),
    [1, 0.5],
  );
  await net.fit([[1]], [[0]], { verbose: 0 });
  await net.fit([[1]], [null as never, [[0]]], { verbose: 0 });
  assert.equal(
    net.getWeights().map(({ data }) => data[0]),
    [1, 0.125],
  );
  net.dispose();
});

test("a list of one array is that array", async () => {
  const net = sequential([
    layers.dense({ units: 1, useBias: false, kernelInitializer: "ones", inputShape: [3] }),
  ]);
  const x = tensor(
    [
      [1, 2, 3],
      [4, 5, 6],
    ],
    [2, 3],
  );
  assert.equal([...((await net.predict([x])) as Tensor).data], [6, 15]);
  assert.equal([...((await net.predict([Float32Array.of(1, 2, 3)])) as Tensor).data], [6], "one sample");
  net.compile({ optimizer: optimizers.sgd({ learningRate: 0 }), loss: "mse" });
  const { history } = await net.fit([x], [Float32Array.of(6, 13)], { verbose: 0 });
  assert.is(history.loss[0], 2);
  assert.is((await net.evaluate([x], [tensor([[6], [13]])])).loss, 2);
  net.dispose();
  const narrow = sequential([layers.dense({ units: 1, kernelInitializer: "ones", inputShape: [1] })]);
  assert.equal([...((await narrow.predict([Float32Array.of(1, 2)])) as Tensor).data], [1, 2]);
  narrow.dispose();
});

for (const sparse of [false, true]) {
  const name = sparse ? "sparseCategoricalCrossentropy" : "categoricalCrossentropy";
  test(`${name} of a softmax takes the step that it takes of logits`, async () => {
    const classes = 5;
    const build = (fromLogits: boolean) => {
      const net = sequential([
        layers.masking({ inputShape: [null, 3] }),
        layers.lstm({ units: 4, returnSequences: true }),
        layers.dense({ units: classes, activation: fromLogits ? "linear" : "softmax" }),
      ]);
      net.compile({ optimizer: optimizers.sgd({ learningRate: 1 }), loss: losses[name]({ fromLogits }) });
      return net;
    };
    const [past, logits] = [build(false), build(true)];
    logits.setWeights(past.getWeights());
    const x = numbers([3, 7, 3], 1).data.map((each, k) => (k < 9 ? 0 : each));
    const labels = integers([3, 7], 2, classes);
    const y = sparse
      ? tensor(labels.data, labels.shape)
      : tensor(
          labels.data.flatMap((label) => Array.from({ length: classes }, (_, c) => +(c === label))),
          [3, 7, classes],
        );
    for (const net of [past, logits]) await net.trainOnBatch(tensor(x, [3, 7, 3]), y);
    const want = logits.getWeights();
    past.getWeights().forEach((weight, k) => {
      assertClose(`weight ${k}`, weight.data, want[k].data, 1e-6);
    });
  });
}

for (const steps of [[], [3]]) {
  test(`no gradient passes where a probability was stopped, shape [${[2, ...steps, 3]}]`, async () => {
    const x = input({ shape: [...steps, 4] });
    const h = steps.length > 0 ? layers.simpleRNN({ units: 4, returnSequences: true }).apply(x) : x;
    const stopped = layers.dense({ units: 3, activation: "softmax" });
    const p = ops.stopGradient(stopped.apply(h) as SymbolicTensor);
    const trained = layers.dense({ units: 3 });
    const net = model({ inputs: x, outputs: [p, trained.apply(h) as SymbolicTensor] });
    net.compile({ optimizer: "sgd", loss: ["categoricalCrossentropy", "meanSquaredError"] });
    const weights = () => [stopped, trained].map((layer) => layer.getWeights().map((each) => each.toArray()));
    const [before, moving] = weights();
    const given = numbers([2, ...steps, 4], 1);
    const y = tensor(integers([2, ...steps, 3], 2, 2).data, [2, ...steps, 3]);
    await net.trainOnBatch(tensor(given.data, given.shape), [y, y]);
    const [after, moved] = weights();
    assert.equal(after, before);
    assert.not.equal(moved, moving);
    net.dispose();
  });
}

test.run();
