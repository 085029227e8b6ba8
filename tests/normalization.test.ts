// Layer and batch normalization against Keras 3 (golden/keras_normalization.json), and what batch normalization promises of its
// moving averages: when they move, when they do not, and who sees them.
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  input,
  type Layer,
  layers,
  type Model,
  model,
  optimizers,
  type SymbolicTensor,
  sequential,
  type Tensor,
  tensor,
} from "../src/index.js";
import { columnMoments, normalizeColumns } from "./normReference.js";
import type { Real } from "./reference.js";
import {
  assertClose,
  asTensor,
  type Described,
  gradients,
  type Numbers,
  nameOf,
  readGolden,
} from "./support.js";

/** Tensors are numbered: the inputs, then what each call gives. */
interface Calls {
  inputShape: number[];
  calls: { layer?: Described; shares?: number; from: number[] }[];
}
interface GradientCase {
  name: string;
  layers: Described[];
  training: boolean;
  input: Numbers;
  weights: Numbers[];
  trained: boolean[];
  target: Numbers;
  output: Numbers;
  lossValue: number;
  gradients: Numbers[];
}
interface TrainingCase extends Partial<Calls> {
  name: string;
  layers?: Described[];
  optimizer: Described;
  weights: Numbers[];
  batches: { input: Numbers; target: Numbers }[];
  probe: Numbers;
  weightsAfter: Numbers[];
  losses: number[];
  predicted: Numbers;
  evaluated: number;
}
interface Counts {
  name: string;
  layers: Described[];
  weightShapes: number[][];
  totals: string[];
}

const golden = readGolden<{ cases: GradientCase[]; training: TrainingCase[]; counts: Counts[] }>(
  "keras_normalization.json",
);
const factories = layers as unknown as Record<string, (config: object) => Layer>;

function make({ className, config }: Described): Layer {
  const inner = config.layer as Described | undefined;
  return factories[nameOf(className)](inner ? { ...config, layer: make(inner) } : config);
}

/** A chain of layers; with `training`, each is applied as if the model were training. */
function chain(described: Described[], training: boolean): Model {
  const made = described.map(make);
  if (!training) return sequential(made);
  const dtype = described[0].className === "Embedding" ? "int32" : "float32";
  const x = input({ shape: made[0].inputShape!, dtype });
  let now = x;
  for (const layer of made) now = layer.apply(now, { training }) as SymbolicTensor;
  return model({ inputs: x, outputs: now });
}

function functional({ inputShape, calls }: Calls): Model {
  const tensors = [input({ shape: inputShape })];
  const made: Layer[] = [];
  for (const { layer, shares, from } of calls) {
    made.push(layer ? make(layer) : made[shares!]);
    const inputs = from.map((index) => tensors[index]);
    tensors.push(made.at(-1)!.apply(inputs.length === 1 ? inputs[0] : inputs) as SymbolicTensor);
  }
  return model({ inputs: tensors[0], outputs: tensors.at(-1)! });
}

for (const each of golden.cases) {
  test(`Keras: ${each.name}`, async () => {
    const made = chain(each.layers, each.training);
    const [x, y] = [asTensor(each.input), asTensor(each.target)];
    made.setWeights(each.weights.map(asTensor));
    const output = (await made.predict(x)) as Tensor;
    assert.equal([...output.shape], each.output.shape);
    assertClose("output", output.data, each.output.data);
    const found = await gradients(made, x, y, { loss: "meanSquaredError" });
    assertClose("loss", [found.loss], [each.lossValue]);
    const trained = found.weights.filter((_, index) => each.trained[index]);
    assert.is(trained.length, each.gradients.length);
    // As in golden.test.ts: what cancels is only known to the rounding of its terms.
    const largest = Math.max(0, ...each.gradients.flatMap(({ data }) => data.map(Math.abs)));
    each.gradients.forEach(({ data }, index) => {
      assertClose(`gradient ${index}`, trained[index]!, data, 1e-5, Math.max(1e-3, 0.01 * largest));
    });
    found.weights.forEach((gradient, index) => {
      if (!each.trained[index]) assert.is(gradient, undefined, `weight ${index} is not trained`);
    });
    made.getWeights().forEach(({ data }, index) => {
      assert.equal([...data], [...asTensor(each.weights[index]).data], "predicting moves no average");
    });
    made.dispose();
  });
}

for (const each of golden.training) {
  test(`Keras training: ${each.name}`, async () => {
    const made = each.layers ? sequential(each.layers.map(make)) : functional(each as Calls);
    made.setWeights(each.weights.map(asTensor));
    const optimizer = (optimizers as unknown as Record<string, (config: object) => optimizers.Optimizer>)[
      each.optimizer.className.toLowerCase()
    ](each.optimizer.config);
    made.compile({ optimizer, loss: "meanSquaredError" });
    for (let step = 0; step < 10; step++) {
      const batch = each.batches[step % each.batches.length];
      const { loss } = await made.trainOnBatch(asTensor(batch.input), asTensor(batch.target));
      assertClose(`loss of step ${step}`, [loss], [each.losses[step]], 1e-4);
    }
    made.getWeights().forEach((weight, index) => {
      assertClose(`weight ${index}`, weight.data, each.weightsAfter[index].data, 1e-4);
    });
    const predicted = (await made.predict(asTensor(each.probe))) as Tensor;
    assertClose("prediction after training", predicted.data, each.predicted.data, 1e-4);
    const [{ input: x, target: y }] = each.batches;
    assertClose("evaluation", [(await made.evaluate(asTensor(x), asTensor(y))).loss], [each.evaluated], 1e-4);
    made.dispose();
  });
}

for (const { name, layers: described, weightShapes, totals } of golden.counts) {
  test(`Keras' summary: ${name}`, () => {
    const made = sequential(described.map(make));
    const text = made.summary({ print: () => {} });
    for (const total of totals) assert.match(text, total);
    assert.equal(
      made.getWeights().map(({ shape }) => [...shape]),
      weightShapes,
    );
  });
}

// -------------------------------------------------------------------------------------------------------- moving averages

const x = tensor(
  Float32Array.from({ length: 12 }, (_, i) => Math.fround((i * i) % 7) + 2),
  [4, 3],
);
const y = tensor([1, 2, 3, 4], [4, 1]);

const averages = (layer: Layer) =>
  layer
    .getWeights()
    .slice(-2)
    .map(({ data }) => [...data]);
const untouched = [
  [0, 0, 0],
  [1, 1, 1],
];

function normalizing(options = {}): { made: Model; layer: Layer } {
  const layer = layers.batchNormalization({ inputShape: [3], momentum: 0.5, ...options });
  const made = sequential([layer, layers.dense({ units: 1 })]);
  made.compile({ optimizer: "sgd", loss: "mse" });
  return { made, layer };
}

test("a step whose loss is not finite moves nothing", async () => {
  const { made, layer } = normalizing();
  await made.trainOnBatch(x, y);
  const before = made.getWeights().map(({ data }) => [...data]);
  try {
    // Its square is beyond float32.
    await made.trainOnBatch(x, [1, 1e30, 3, 4]);
    assert.unreachable("it should have been refused");
  } catch (error) {
    assert.match((error as Error).message, /loss: expected a finite number/);
  }
  assert.equal(
    made.getWeights().map(({ data }) => [...data]),
    before,
  );
  await made.trainOnBatch(x, y);
  assert.not.equal(averages(layer), before.slice(2, 4), "and the next step moves them again");
  made.dispose();
});

test("fit moves them batch by batch; evaluate, predict and a model that shares the layer see them and leave them", async () => {
  const { made, layer } = normalizing();
  const start = input({ shape: [3] });
  const sharing = model({ inputs: start, outputs: layer.apply(start) as SymbolicTensor });
  await made.fit(x, y, { batchSize: 2, epochs: 1, shuffle: false, verbose: 0 });
  const column = (from: number, c: number) => [x.data[from * 3 + c], x.data[(from + 1) * 3 + c]];
  const expected = [0, 1, 2].map((c) => {
    const means = [0, 2].map((from) => (column(from, c)[0] + column(from, c)[1]) / 2);
    return (0 * 0.5 + means[0] * 0.5) * 0.5 + means[1] * 0.5;
  });
  const moved = averages(layer);
  assertClose("moving mean", moved[0], expected);
  await made.evaluate(x, y);
  await made.predict(x);
  const [, beta] = layer.getWeights().map(({ data }) => data);
  const [gamma] = layer.getWeights().map(({ data }) => data);
  const { data } = (await sharing.predict(x)) as Tensor;
  const by = Float32Array.from(x.data, (value, i) => {
    const c = i % 3;
    return ((value - moved[0][c]) / Math.sqrt(moved[1][c] + 1e-3)) * gamma[c] + beta[c];
  });
  assertClose("prediction of the other model", data, by);
  assert.equal(averages(layer), moved);
  made.dispose();
  assert.equal(averages(layer), moved, "and they outlive the model's place in the engine");
  sharing.dispose();
});

test("applied twice, once as in inference: the second call sees what the first has moved", async () => {
  const layer = layers.batchNormalization({ momentum: 0 });
  const start = input({ shape: [3] });
  const once = layer.apply(start) as SymbolicTensor;
  const made = model({
    inputs: start,
    outputs: layer.apply(once, { training: false }) as SymbolicTensor,
  });
  made.compile({ optimizer: optimizers.sgd({ learningRate: 0 }), loss: "mse" });
  const real: Real = { shape: [4, 3], data: [...x.data] };
  const moments = columnMoments(real);
  const twice = normalizeColumns(normalizeColumns(real, moments), moments);
  const { loss } = await made.trainOnBatch(x, new Array(4).fill([0, 0, 0]));
  assertClose("loss", [loss], [twice.data.reduce((sum, value) => sum + value * value, 0) / 12]);
  averages(layer).forEach((values, k) => {
    assertClose(`average ${k}`, values, moments[k].data);
  });
  made.dispose();
});

test("frozen, also by a model around it, and frozen between two steps: it rests and leaves them", async () => {
  const { made, layer } = normalizing({ trainable: false });
  await made.trainOnBatch(x, y);
  assert.equal(averages(layer), untouched);
  layer.trainable = true;
  await made.trainOnBatch(x, y);
  const moved = averages(layer);
  assert.not.equal(moved, untouched);
  layer.trainable = false;
  await made.trainOnBatch(x, y);
  assert.equal(averages(layer), moved);
  made.dispose();

  const deep = layers.batchNormalization({ inputShape: [3] });
  const inner = sequential([deep, layers.dense({ units: 2 })]).asLayer();
  inner.trainable = false;
  const start = input({ shape: [3] });
  const outer = model({
    inputs: start,
    outputs: layers.dense({ units: 1 }).apply(inner.apply(start) as SymbolicTensor) as SymbolicTensor,
  });
  outer.compile({ optimizer: "sgd", loss: "mse" });
  await outer.trainOnBatch(x, y);
  assert.equal(averages(deep), untouched, "frozen from outside");
  inner.trainable = true;
  await outer.trainOnBatch(x, y);
  const after = averages(deep);
  assert.not.equal(after, untouched);
  deep.trainable = false;
  await outer.trainOnBatch(x, y);
  assert.equal(averages(deep), after, "frozen inside");
  outer.dispose();
});

test("where statistics of each step would be needed, training is refused by name", async () => {
  const cell = () => {
    const product = layers.dense({ units: 3 });
    const normalization = layers.batchNormalization({ name: "inside" });
    return {
      stateSize: 3,
      call(x: SymbolicTensor, _: readonly SymbolicTensor[]) {
        const h = normalization.apply(product.apply(x) as SymbolicTensor) as SymbolicTensor;
        return [h, [h]] as const;
      },
    };
  };
  const wrapped = [
    layers.rnn({ cell: cell(), inputShape: [4, 3] }),
    layers.timeDistributed({ layer: layers.batchNormalization({ name: "inside" }), inputShape: [4, 3] }),
  ];
  const sequences = tensor(new Float32Array(24).fill(1), [2, 4, 3]);
  for (const layer of wrapped) {
    const made = sequential([layer]);
    made.compile({ optimizer: "sgd", loss: "mse" });
    const output = (await made.predict(sequences)) as Tensor;
    try {
      await made.trainOnBatch(sequences, output);
      assert.unreachable("it should have been refused");
    } catch (error) {
      assert.match(
        (error as Error).message,
        /^inside: expected to be trained outside of rnn and timeDistributed/,
      );
    }
    layer.trainable = false;
    const outer = sequential([layer, layers.dense({ units: 1 })]);
    outer.compile({ optimizer: "sgd", loss: "mse" });
    const shape = [...output.shape.slice(0, -1), 1];
    await outer.trainOnBatch(sequences, tensor(new Float32Array(shape.reduce((a, b) => a * b)), shape));
    outer.dispose();
    made.dispose();
  }
});

test("a mask that does not fit the rank is refused, as in Keras", async () => {
  const ids = input({ shape: [4], dtype: "int32" });
  const embedded = layers
    .embedding({ inputDim: 5, outputDim: 3, maskZero: true })
    .apply(ids) as SymbolicTensor;
  const wide = layers.timeDistributed({ layer: layers.repeatVector({ n: 2 }) }).apply(embedded);
  const normal = layers.batchNormalization().apply(wide as SymbolicTensor) as SymbolicTensor;
  const made = model({ inputs: ids, outputs: normal });
  try {
    await made.predict(tensor([1, 2, 3, 0], [1, 4], "int32"));
    assert.unreachable("it should have been refused");
  } catch (error) {
    assert.match((error as Error).message, /a mask of rank 3, one less than its input, got rank 2/);
  }
});

test("initializers, and no optimizer's slot or decay reaches the averages", async () => {
  const { made, layer } = normalizing({
    momentum: 1,
    movingMeanInitializer: "ones",
    movingVarianceInitializer: "zeros",
    gammaInitializer: "zeros",
    betaInitializer: "ones",
  });
  const before = averages(layer);
  assert.equal(
    layer.getWeights().map(({ data }) => data[0]),
    [0, 1, 1, 0],
  );
  made.compile({ optimizer: optimizers.adamw({ weightDecay: 0.5 }), loss: "mse" });
  await made.trainOnBatch(x, y);
  assert.equal(averages(layer), before);
  assert.is(layer.trainableWeights.length, 2);
  assert.is(layer.countParams(), 12);
  made.dispose();
});

test.run();
