// Tables of which a step touches a few rows: the weights after many steps are, bit for bit, those of a dense update, for every
// optimizer, batches of several sizes, tables that several inputs share; and what makes a table dense again.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Executor } from "../src/graph/executor.js";
import { constraints, input, layers, model, optimizers, regularizers, tensor } from "../src/index.js";
import { makeGraph } from "../src/layers/graph.js";
import { allCalls } from "../src/program/program.js";
import { Random } from "../src/random.js";
import { resolveLoss } from "../src/training/resolveLoss.js";
import { registry as optimizerRegistry } from "../src/training/resolveOptimizer.js";
import { assertClose } from "./support.js";

interface Table {
  vocabulary: number;
  width: number;
  /** Inputs that are looked up in the one table. */
  inputs?: number;
  options?: object;
}

function graphOf({ vocabulary, width, inputs = 1, options = {} }: Table) {
  const table = layers.embedding({ inputDim: vocabulary, outputDim: width, name: "table", ...options });
  const ids = Array.from({ length: inputs }, () => input({ shape: [4], dtype: "int32" }));
  const [first, ...more] = ids.map((each) => table.apply(each));
  const all = more.length > 0 ? layers.concatenate({ axis: 1 }).apply([first, ...more]) : first;
  const state = layers.simpleRNN({ units: 3 }).apply(all);
  return { ids, out: layers.dense({ units: 1 }).apply(state) };
}

const numbers = (n: number, seed: number, scale: number) => {
  const random = new Random(seed);
  return Float32Array.from({ length: n }, () => random.normal() * scale);
};

/** Ids of which few are often there and some once; the last batch of an epoch is a small one. */
function idsOf({ vocabulary }: Table, samples: number, seed: number) {
  const random = new Random(seed);
  const draw = () => Math.floor(random.uniform() ** 3 * vocabulary);
  return tensor(Int32Array.from({ length: samples * 4 }, draw), [samples, 4]);
}

async function trained(
  table: Table,
  optimizer: optimizers.Optimizer,
  epochs: number,
): Promise<Float32Array[]> {
  const { ids, out } = graphOf(table);
  const made = model({ inputs: ids, outputs: out });
  made.setWeights(
    made.getWeights().map(({ shape, size }, index) => tensor(numbers(size, index, 0.4), [...shape])),
  );
  made.compile({ optimizer, loss: "meanSquaredError" });
  const samples = 11;
  const x = ids.map((_, index) => idsOf(table, samples, 7 + index));
  await made.fit(x.length > 1 ? x : x[0], tensor(numbers(samples, 3, 2), [samples, 1]), {
    epochs,
    batchSize: 3,
    shuffle: false,
    verbose: 0,
  });
  const weights = made.getWeights().map(({ data }) => Float32Array.from(data));
  made.dispose();
  return weights;
}

const plain = (arrays: Float32Array[]) => arrays.map((each) => [...each]);

/** A penalty of nothing reads the table, and so makes its gradient dense. */
const dense = { embeddingsRegularizer: regularizers.l1l2() };

const kinds: Record<string, () => optimizers.Optimizer> = {
  ...optimizerRegistry,
  "sgd, nesterov": () => optimizers.sgd({ learningRate: 0.05, momentum: 0.9, nesterov: true }),
  "sgd, decay": () => optimizers.sgd({ weightDecay: 0.1 }),
  "rmsprop, momentum": () => optimizers.rmsprop({ momentum: 0.5 }),
  "rmsprop, centered": () => optimizers.rmsprop({ centered: true }),
  "rmsprop, rho 1": () => optimizers.rmsprop({ rho: 1, epsilon: 1 }),
  "rmsprop, decay": () => optimizers.rmsprop({ weightDecay: 0.1, rho: 0.5 }),
  "adam, amsgrad": () => optimizers.adam({ amsgrad: true }),
  "adagrad, from zero": () => optimizers.adagrad({ initialAccumulatorValue: 0 }),
  "adagrad, decay": () => optimizers.adagrad({ weightDecay: 0.1 }),
  "sgd, clipped": () => optimizers.sgd({ clipvalue: 0.01 }),
  "adam, clipped": () => optimizers.adam({ clipvalue: 0.01 }),
};

// Tables of one row and of many more than there are ids, widths with tails, and one that all batches touch in full.
const tables: Table[] = [
  { vocabulary: 1, width: 3 },
  { vocabulary: 5, width: 4 },
  { vocabulary: 200, width: 5 },
  { vocabulary: 47, width: 17, inputs: 2 },
];

for (const [name, make] of Object.entries(kinds)) {
  test(`${name}: touched rows as a dense update`, async () => {
    for (const table of tables) {
      const found = await trained(table, make(), 6);
      const expected = await trained({ ...table, options: dense }, make(), 6);
      assert.ok(found[0].every(Number.isFinite), name);
      assert.equal(plain(found), plain(expected), `V ${table.vocabulary}`);
    }
  });
}

for (const limit of ["clipnorm", "globalClipnorm"] as const) {
  // Sums of squares in another order: the last digit may differ.
  test(`${limit} over touched rows`, async () => {
    for (const table of tables) {
      const run = (options: object) =>
        trained({ ...table, options }, optimizers.sgd({ learningRate: 0.3, [limit]: 0.02 }), 6);
      const [found, expected] = [await run({}), await run(dense)];
      found.forEach((each, index) => {
        assertClose(`V ${table.vocabulary}, weight ${index}`, each, expected[index], 1e-6);
      });
      const unclipped = await trained(table, optimizers.sgd({ learningRate: 0.3 }), 6);
      assert.not.equal(Array.from(unclipped[0]), Array.from(found[0]));
    }
  });
}

test("without epsilon, what has no gradient is not a number, as in Keras", async () => {
  for (const optimizer of [
    optimizers.rmsprop({ epsilon: 0 }),
    optimizers.adagrad({ epsilon: 1e-60, initialAccumulatorValue: 0 }),
    optimizers.adadelta({ epsilon: 0 }),
  ]) {
    const { ids, out } = graphOf(tables[2]);
    const made = model({ inputs: ids, outputs: out });
    made.compile({ optimizer, loss: "meanSquaredError" });
    await made.trainOnBatch(idsOf(tables[2], 3, 1), tensor(new Float32Array(3).fill(1), [3, 1]));
    assert.ok(made.getWeights()[0].data.some(Number.isNaN), optimizer.className);
    made.dispose();
  }
});

test("rows that wait through a thousand steps", async () => {
  const table = { vocabulary: 30, width: 5 };
  const results: number[][] = [];
  for (const options of [{}, dense]) {
    for (const make of [optimizers.rmsprop, optimizers.adadelta]) {
      const { ids, out } = graphOf({ ...table, options });
      const made = model({ inputs: ids, outputs: out });
      made.setWeights(
        made.getWeights().map(({ shape, size }, k) => tensor(numbers(size, k, 0.4), [...shape])),
      );
      made.compile({ optimizer: make(), loss: "meanSquaredError" });
      const y = tensor(Float32Array.of(1, -1), [2, 1]);
      const [all, few] = [
        [5, 6, 7, 8, 9, 10, 11, 12],
        [1, 2, 1, 2, 3, 1, 1, 1],
      ].map((each) => tensor(Int32Array.from(each), [2, 4]));
      await made.trainOnBatch(all, y);
      for (let step = 0; step < 1000; step++) await made.trainOnBatch(few, y);
      for (let step = 0; step < 3; step++) await made.trainOnBatch(all, y);
      results.push(Array.from(made.getWeights()[0].data));
      made.dispose();
    }
  }
  assert.equal(results.slice(0, 2), results.slice(2));
});

/** Kernels of a training program that touch the table, without those of a constraint. */
async function kernelsOf(table: Table, optimizer: optimizers.Optimizer): Promise<string[]> {
  const { ids, out } = graphOf(table);
  const executor = await Executor.create(makeGraph("test", ids, [out]), "test");
  const training = { losses: [resolveLoss("test", "mse")], lossWeights: [1], update: optimizer };
  const { program } = executor.program("train", training);
  const names = allCalls(program)
    .filter(({ args }) =>
      args.some(
        (arg) => typeof arg === "object" && "storage" in arg && /table\/embeddings/.test(arg.storage.name),
      ),
    )
    .map(({ kernel }) => kernel)
    .filter((kernel) => !kernel.startsWith("gemm"));
  executor.dispose();
  return names;
}

test("lion moves a row by the sign of a mean, however small it has become", async () => {
  const tables = [];
  // A regularizer makes the table dense.
  for (const options of [{}, { embeddingsRegularizer: regularizers.l1l2({ l1: 0, l2: 0 }) }]) {
    const x = input({ shape: [1], dtype: "int32" });
    const flat = layers.flatten().apply(layers.embedding({ inputDim: 8, outputDim: 2, ...options }).apply(x));
    const made = model({ inputs: x, outputs: layers.dense({ units: 1 }).apply(flat) });
    const [table, kernel, bias] = [numbers(16, 1, 1).fill(0.3), numbers(2, 2, 1).fill(1), numbers(1, 3, 0)];
    made.setWeights([tensor(table, [8, 2]), tensor(kernel, [2, 1]), tensor(bias, [1])]);
    made.compile({ optimizer: optimizers.lion({ beta2: 0.5 }), loss: "meanSquaredError" });
    const all = Int32Array.from({ length: 8 }, (_, id) => id);
    await made.trainOnBatch(tensor(all, [8, 1]), tensor(new Float32Array(8), [8, 1]));
    for (let step = 0; step < 250; step++) await made.trainOnBatch([[0]], [[0.5]]);
    tables.push(made.getWeights()[0].toArray());
    made.dispose();
  }
  assert.equal(tables[0], tables[1]);
});

test("a table is updated by its touched rows unless something else reads it", async () => {
  const [table] = tables;
  const gather = ["embeddingGather", "embeddingScatterAdd"];
  assert.equal(await kernelsOf(table, optimizers.sgd()), [...gather, "updateRows"]);
  assert.equal(await kernelsOf({ ...table, inputs: 2 }, optimizers.adam()), [
    "embeddingGather",
    ...gather,
    "embeddingScatterAdd",
    "updateRows",
  ]);
  const regularized = await kernelsOf({ ...table, options: dense }, optimizers.sgd());
  assert.ok(regularized.includes("sgd") && !regularized.includes("updateRows"));
  const limited = { embeddingsConstraint: constraints.maxNorm() };
  assert.ok((await kernelsOf({ ...table, options: limited }, optimizers.sgd())).includes("updateRows"));
  const frozen = await kernelsOf({ ...table, options: { trainable: false } }, optimizers.sgd());
  assert.equal(frozen, ["embeddingGather"]);
});

test.run();
