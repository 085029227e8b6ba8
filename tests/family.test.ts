// The rest of the recurrent family against Keras' own numbers (golden/keras_family.py): cells and stacks of cells, every
// activation, masks on their way through other layers, shared layers, models inside models; states kept from batch to batch;
// and ten training steps.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { losses, optimizers, type TensorLike } from "../src/index.js";
import { camelCase } from "../src/layers/options.js";
import {
  assertOutputs,
  buildGraph,
  checkGraph,
  type DescribedGraph,
  type GraphCase,
  oneOrAll,
} from "./described.js";
import { assertClose, asTensor, type Numbers, readGolden } from "./support.js";

interface Made {
  className: string;
  config: object;
}
interface StatefulCase extends DescribedGraph {
  name: string;
  weights: Numbers[];
  batches: Numbers[][];
  predicted: Numbers[][];
  secondAfterReset: Numbers[];
  targets: Numbers[][];
  losses: number[];
  weightsAfter: Numbers[];
  firstAfterTraining: Numbers[];
}
interface TrainedCase extends DescribedGraph {
  name: string;
  loss: Made[];
  optimizer: Made;
  lossWeights?: number[];
  classWeight?: Record<number, number>;
  weights: Numbers[];
  batches: { inputs: Numbers[]; targets: Numbers[]; sampleWeight?: TensorLike }[];
  losses: number[];
  weightsAfter: Numbers[];
}

const { cases, stateful, trained, steps } = readGolden<{
  cases: GraphCase[];
  stateful: StatefulCase[];
  trained: TrainedCase[];
  steps: number;
}>("keras_family.json");

for (const each of cases) test(`Keras: ${each.name}`, () => checkGraph(each));

for (const each of stateful) {
  test(`Keras, stateful: ${each.name}`, async () => {
    const made = buildGraph(each);
    made.setWeights(each.weights.map(asTensor));
    const batches = each.batches.map((feeds) => oneOrAll(feeds.map(asTensor)));
    for (const [index, x] of batches.entries()) {
      assertOutputs(await made.predict(x), each.predicted[index], `batch ${index}: output`);
    }
    made.resetStates();
    assertOutputs(await made.predict(batches[1]), each.secondAfterReset, "after resetStates: output");
    made.resetStates();
    made.compile({ loss: "meanSquaredError", optimizer: optimizers.sgd({ learningRate: 0.1 }) });
    const found: number[] = [];
    for (const [index, x] of batches.entries()) {
      const y = oneOrAll(each.targets[index].map(asTensor));
      found.push((await made.trainOnBatch(x, y)).loss);
    }
    assertClose("losses", found, each.losses);
    made.getWeights().forEach(({ data }, index) => {
      assertClose(`weight ${index}`, data, each.weightsAfter[index].data);
    });
    assertOutputs(await made.predict(batches[0]), each.firstAfterTraining, "after training: output");
    made.dispose();
  });
}

const lossOf = ({ className, config }: Made) =>
  (losses as unknown as Record<string, (options: object) => never>)[camelCase(className)](config);
const optimizerOf = ({ className, config }: Made) =>
  (optimizers as unknown as Record<string, (options: object) => never>)[className.toLowerCase()](config);

for (const each of trained) {
  test(`Keras, ${steps} steps: ${each.name}`, async () => {
    const made = buildGraph(each);
    made.setWeights(each.weights.map(asTensor));
    const { lossWeights, classWeight } = each;
    made.compile({ loss: each.loss.map(lossOf), optimizer: optimizerOf(each.optimizer), lossWeights });
    const found: number[] = [];
    for (let step = 0; step < steps; step++) {
      const { inputs, targets, sampleWeight } = each.batches[step % each.batches.length];
      const [x, y] = [oneOrAll(inputs.map(asTensor)), oneOrAll(targets.map(asTensor))];
      found.push((await made.trainOnBatch(x, y, { sampleWeight, classWeight })).loss);
    }
    assertClose("losses", found, each.losses);
    made.getWeights().forEach(({ data }, index) => {
      assertClose(`weight ${index}`, data, each.weightsAfter[index].data, 1e-4);
    });
    made.dispose();
  });
}

test("enough of them", () => {
  console.log(`${cases.length} graphs, ${stateful.length} stateful, ${trained.length} trained`);
  assert.ok(cases.length >= 400 && stateful.length >= 50 && trained.length >= 40);
});

test.run();
