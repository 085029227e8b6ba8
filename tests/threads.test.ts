// Batches in parts on threads: what comes out is what one thread gives, up to the order of sums; and threads that cannot start,
// fail or end are noticed. Numbers against Keras' in parts: npm run test:threads.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Executor } from "../src/graph/executor.js";
import { worthwhile } from "../src/graph/parts.js";
import {
  configure,
  constraints,
  engineInfo,
  type FitOptions,
  input,
  layers,
  losses,
  type Model,
  model,
  ops,
  optimizers,
  regularizers,
  type SymbolicTensor,
  sequential,
  setRandomSeed,
  type Tensor,
  tensor,
} from "../src/index.js";
import { BoundProgram } from "../src/program/run.js";
import { Size } from "../src/program/size.js";
import { Random } from "../src/random.js";
import type { InputLike } from "../src/training/arrays.js";
import { loadEngine } from "../src/wasm/engine.js";
import { kernelBytes } from "../src/wasm/kernels.js";
import { importingMemory } from "../src/wasm/shared.js";
import type { Job } from "../src/wasm/threads.js";
import { assertClose, numbers, one, root } from "./support.js";

/** A test in which every batch has as many parts as there are threads, however small. */
function inParts(name: string, run: () => void | Promise<void>): void {
  test(name, async () => {
    const { flops } = worthwhile;
    worthwhile.flops = Number.MIN_VALUE;
    try {
      await run();
    } finally {
      worthwhile.flops = flops;
      configure({ threads: 1, deterministic: false });
    }
  });
}

/** Whole numbers below `limit`. */
function ids(seed: number, limit: number, ...shape: number[]): Tensor {
  const random = new Random(seed);
  const size = shape.reduce((a, b) => a * b, 1);
  return tensor(
    Int32Array.from({ length: size }, () => Math.floor(random.uniform(0, limit))),
    shape,
  );
}

async function executorOf(made: Model): Promise<Executor> {
  return (made as unknown as { executor(operation: string): Promise<Executor> }).executor("test");
}

/** Has a model decide anew how many parts a batch gets. */
async function again(made: Model): Promise<void> {
  (await executorOf(made)).program("predict").dims = {};
}

interface Outcome {
  predicted: Float32Array[];
  evaluated: Record<string, number>;
  losses: number[];
  history: Record<string, number[]>;
  weights: Float32Array[];
  /** Parts of the last batch of each program. */
  parts: { predict: number; train: number };
}

interface Run {
  make(): Model;
  x: InputLike;
  y: InputLike;
  sampleWeight?: FitOptions["sampleWeight"];
  classWeight?: FitOptions["classWeight"];
  /** Of `fit`; the steps before it take all samples. */
  batchSize?: number;
}

async function outcome(threads: number, run: Run): Promise<Outcome> {
  const { make, x, y, sampleWeight, classWeight, batchSize = 7 } = run;
  configure({ threads });
  assert.is((await engineInfo()).threads, threads);
  setRandomSeed(5);
  const made = make();
  const predicted = [(await made.predict(x, { batchSize })) as Tensor | Tensor[]].flat();
  const evaluated = await made.evaluate(x, y, { sampleWeight, batchSize });
  made.resetStates();
  const losses: number[] = [];
  for (let step = 0; step < 5; step++)
    losses.push((await made.trainOnBatch(x, y, { sampleWeight, classWeight })).loss);
  const executor = await executorOf(made);
  const parts = {
    predict: executor.program("predict").parts.length,
    train: executor.program("train").parts.length,
  };
  const weights = made.getWeights().map(({ data }) => Float32Array.from(data));
  const options = { sampleWeight, classWeight, batchSize, epochs: 2, verbose: 0 as const };
  const { history } = await made.fit(x, y, options);
  made.dispose();
  return {
    predicted: predicted.map(({ data }) => Float32Array.from(data)),
    evaluated,
    losses,
    history,
    weights,
    parts,
  };
}

/** Runs on one thread and on several, and compares: 1e-6 of the largest number, weights after five steps 1e-5. */
async function alike(run: Run, options: { threads?: number; parts?: Outcome["parts"] } = {}) {
  const { threads = 2, parts = { predict: threads, train: threads } } = options;
  const alone = await outcome(1, run);
  const together = await outcome(threads, run);
  assert.equal(alone.parts, { predict: 1, train: 1 });
  assert.equal(together.parts, parts);
  alone.predicted.forEach((values, output) => {
    assertClose(`output ${output}`, together.predicted[output], values, 1e-6);
  });
  const names = Object.keys(alone.evaluated);
  assert.equal(Object.keys(together.evaluated), names);
  for (const name of names) assertClose(name, [together.evaluated[name]], [alone.evaluated[name]], 1e-6);
  assertClose("first loss", together.losses.slice(0, 1), alone.losses.slice(0, 1), 1e-6);
  assertClose("losses", together.losses, alone.losses, 1e-5);
  alone.weights.forEach((values, index) => {
    assertClose(`weight ${index}`, together.weights[index], values, 1e-5);
  });
  for (const name of Object.keys(alone.history))
    assertClose(`history ${name}`, together.history[name], alone.history[name], 1e-4);
  return { alone, together };
}

/** Slow enough that five steps stay in reach of summation order: adam divides by numbers near zero at first. */
const sgd = () => optimizers.sgd({ learningRate: 0.1 });

for (const cell of ["simpleRNN", "lstm", "gru"] as const) {
  for (const B of [1, 2, 5, 17]) {
    inParts(`${cell}: ${B} samples, with metrics`, async () => {
      const make = () => {
        const made = sequential([
          layers[cell]({ units: 5, inputShape: [null, 3] }),
          layers.dense({ units: 1, activation: "sigmoid" }),
        ]);
        const metrics = ["accuracy", "precision", "AUC", "mae"];
        made.compile({ optimizer: sgd(), loss: "binaryCrossentropy", metrics });
        return made;
      };
      const parts = Math.min(2, B);
      await alike(
        { make, x: numbers(1, B, 6, 3), y: ids(2, 2, B, 1), batchSize: B },
        { parts: { predict: parts, train: parts } },
      );
    });
  }
}

inParts("three threads, adam, clipping by the norm of all weights", async () => {
  const make = () => {
    const made = sequential([layers.gru({ units: 4, inputShape: [5, 3] }), layers.dense({ units: 2 })]);
    made.compile({ optimizer: optimizers.adam({ epsilon: 1e-3, globalClipnorm: 0.1 }), loss: "mse" });
    return made;
  };
  await alike({ make, x: numbers(1, 11, 5, 3), y: numbers(2, 11, 2), batchSize: 11 }, { threads: 3 });
});

for (const reduction of ["sumOverBatchSize", "sum", "meanWithSampleWeight"] as const) {
  for (const weighted of [false, true]) {
    inParts(`masked steps, ${reduction}${weighted ? ", weights of samples" : ""}`, async () => {
      const make = () => {
        const x = input({ shape: [null], dtype: "int32" });
        const embedded = one(layers.embedding({ inputDim: 6, outputDim: 3, maskZero: true }), x);
        const hidden = one(layers.lstm({ units: 4, returnSequences: true }), embedded);
        const made = model({
          inputs: x,
          outputs: one(layers.dense({ units: 3, activation: "softmax" }), hidden),
        });
        const loss = losses.sparseCategoricalCrossentropy({ reduction });
        made.compile({ optimizer: optimizers.sgd({ learningRate: 0.01 }), loss, metrics: ["accuracy"] });
        return made;
      };
      // The halves of the batch keep different numbers of steps: the second almost none.
      const x = ids(3, 6, 9, 7);
      (x.data as Int32Array).fill(0, 5 * 7 + 2, 9 * 7 - 2);
      const sampleWeight = weighted ? numbers(4, 9, 7) : undefined;
      for (let i = 0; i < (sampleWeight?.size ?? 0); i++)
        sampleWeight!.data[i] = Math.abs(sampleWeight!.data[i]);
      await alike({ make, x, y: ids(5, 3, 9, 7), sampleWeight, batchSize: 9 });
    });
  }
}

inParts("several inputs and outputs, one with weights of samples, weights of losses", async () => {
  const make = () => {
    const [a, b] = [input({ shape: [null, 3], name: "a" }), input({ shape: [4], name: "b" })];
    const state = one(layers.lstm({ units: 4 }), a);
    const both = one(layers.concatenate(), [state, one(layers.dense({ units: 3, activation: "tanh" }), b)]);
    const first = one(layers.dense({ units: 2, name: "first" }), both);
    const second = one(layers.dense({ units: 1, activation: "sigmoid", name: "second" }), both);
    const made = model({ inputs: [a, b], outputs: [first, second] });
    made.compile({
      optimizer: sgd(),
      loss: { first: "mse", second: "binaryCrossentropy" },
      lossWeights: { first: 0.7, second: 0.2 },
      metrics: { first: ["mae"], second: ["accuracy"] },
      weightedMetrics: { second: ["binaryCrossentropy"] },
    });
    return made;
  };
  const x = { a: numbers(1, 9, 5, 3), b: numbers(2, 9, 4) };
  const y = { first: numbers(3, 9, 2), second: ids(4, 2, 9, 1) };
  const second = tensor(Float32Array.from({ length: 9 }, (_, i) => i / 4));
  await alike({
    make,
    x,
    y,
    sampleWeight: { first: tensor(new Float32Array(9).fill(1)), second },
    batchSize: 5,
  });
});

inParts("classes that weigh differently", async () => {
  const make = () => {
    const made = sequential([layers.dense({ units: 3, activation: "softmax", inputShape: [4] })]);
    made.compile({ optimizer: sgd(), loss: "sparseCategoricalCrossentropy" });
    return made;
  };
  await alike({ make, x: numbers(1, 13, 4), y: ids(2, 3, 13), classWeight: { 0: 1, 1: 3, 2: 0.5 } });
});

inParts("regularizers and constraints of weights, of activities, once and not once a part", async () => {
  const make = () => {
    const made = sequential([
      layers.lstm({
        units: 4,
        kernelRegularizer: regularizers.l1l2({ l1: 0.01, l2: 0.02 }),
        recurrentRegularizer: regularizers.orthogonalRegularizer({ factor: 0.05 }),
        kernelConstraint: constraints.maxNorm({ maxValue: 0.9 }),
        activityRegularizer: regularizers.l2({ l2: 0.1 }),
        returnSequences: true,
        inputShape: [null, 3],
      }),
      layers.timeDistributed({
        layer: layers.dense({ units: 2, activityRegularizer: regularizers.l1({ l1: 0.1 }) }),
      }),
      layers.activityRegularization({ l1: 0.03 }),
    ]);
    made.compile({ optimizer: sgd(), loss: "mse" });
    return made;
  };
  await alike({ make, x: numbers(1, 7, 5, 3), y: numbers(2, 7, 5, 2) });
});

inParts("what is random is drawn for a sample, not for its place in a part", async () => {
  const make = () => {
    const made = sequential([
      layers.gaussianNoise({ stddev: 0.3, inputShape: [null, 3] }),
      layers.spatialDropout1D({ rate: 0.3 }),
      layers.gru({ units: 5, dropout: 0.2, recurrentDropout: 0.3, returnSequences: true }),
      // An odd number of features: parts begin in the middle of two that are drawn together.
      layers.dropout({ rate: 0.4 }),
      layers.lstm({ units: 4, dropout: 0.2 }),
      layers.dropout({ rate: 0.4 }),
      layers.dense({ units: 1 }),
    ]);
    made.compile({ optimizer: optimizers.sgd({ learningRate: 0.01 }), loss: "mse" });
    return made;
  };
  const { alone } = await alike({ make, x: numbers(1, 7, 5, 3), y: numbers(2, 7, 1), batchSize: 4 });
  assert.ok(new Set(alone.losses).size === 5, "other numbers at each step");
});

inParts("states that are kept from batch to batch, whatever runs between", async () => {
  const build = () => {
    const x = input({ shape: [3, 2], batchSize: 5 });
    const states = one(layers.lstm({ units: 4, stateful: true, returnSequences: true }), x);
    const made = model({
      inputs: x,
      outputs: one(layers.dense({ units: 1 }), one(layers.gru({ units: 3, stateful: true }), states)),
    });
    made.compile({ optimizer: sgd(), loss: "mse" });
    return made;
  };
  const x = numbers(1, 20, 3, 2);
  const y = numbers(2, 20, 1);
  const run = async (threads: number) => {
    configure({ threads });
    setRandomSeed(5);
    const made = build();
    const found: ArrayLike<number>[] = [];
    found.push((await made.predict(x, { batchSize: 5 })).data);
    await made.fit(x, y, { batchSize: 5, epochs: 2, shuffle: false, verbose: 0 });
    // Too little work to be shared, all of a sudden: the states are where they were.
    const { flops } = worthwhile;
    worthwhile.flops = Number.MAX_VALUE;
    await again(made);
    found.push((await made.predict(x, { batchSize: 5 })).data);
    worthwhile.flops = flops;
    await again(made);
    made.resetStates();
    found.push((await made.predict(x, { batchSize: 5 })).data);
    found.push(...made.getWeights().map(({ data }) => data));
    await made.predict(tensor(x.data.slice(0, 30), [5, 3, 2]), { batchSize: 5 });
    assert.is((await executorOf(made)).program("predict").parts.length, threads);
    made.dispose();
    return found;
  };
  const alone = await run(1);
  const together = await run(2);
  alone.forEach((values, index) => {
    assertClose(`numbers ${index}`, together[index], values, 1e-5);
  });
});

inParts(
  "convolutions and pooling, before and behind recurrent layers, at lengths that follow from others",
  async () => {
    const make = () => {
      const made = sequential([
        layers.conv1D({ filters: 4, kernelSize: 3, strides: 2, padding: "same", inputShape: [null, 3] }),
        layers.gru({ units: 4, returnSequences: true }),
        layers.separableConv1D({ filters: 6, kernelSize: 2, depthMultiplier: 2, padding: "same" }),
        layers.upSampling1D({ size: 3 }),
        layers.conv1D({ filters: 6, kernelSize: 3, groups: 2, padding: "causal", dilationRate: 2 }),
        layers.zeroPadding1D(),
        layers.maxPooling1D({ poolSize: 3, strides: 2, padding: "same" }),
        layers.conv1DTranspose({ filters: 3, kernelSize: 3, strides: 2, padding: "same" }),
        layers.cropping1D({ cropping: [1, 0] }),
        layers.averagePooling1D({ poolSize: 2, strides: 1 }),
        layers.globalAveragePooling1D(),
        layers.dense({ units: 1 }),
      ]);
      made.compile({ optimizer: sgd(), loss: "mse" });
      return made;
    };
    await alike({ make, x: numbers(1, 7, 9, 3), y: numbers(2, 7, 1), batchSize: 4 });
  },
);

inParts("a user's own cell, both ways, layers in time, shared layers", async () => {
  const make = () => {
    const gate = layers.dense({ units: 3, activation: "sigmoid" });
    const cell = {
      stateSize: 3,
      call(x: SymbolicTensor, [h]: SymbolicTensor[]): [SymbolicTensor, SymbolicTensor[]] {
        const z = one(gate, ops.concatenate([x, h]));
        const next = ops.add(ops.multiply(z, h), ops.subtract(1, z));
        return [next, [next]];
      },
    };
    const x = input({ shape: [null, 3] });
    const shared = layers.dense({ units: 3, activation: "tanh" });
    const own = one(layers.rnn({ cell, returnSequences: true }), one(shared, one(shared, x)));
    const both = one(
      layers.bidirectional({ layer: layers.gru({ units: 2, returnSequences: true }) }),
      one(layers.layerNormalization(), own),
    );
    const each = one(
      layers.timeDistributed({ layer: layers.dense({ units: 2 }) }),
      ops.multiply(both, ops.mean(both, { axis: 1, keepdims: true })),
    );
    const made = model({ inputs: x, outputs: each });
    made.compile({ optimizer: sgd(), loss: "mse" });
    return made;
  };
  await alike({ make, x: numbers(1, 5, 4, 3), y: numbers(2, 5, 4, 2) });
});

inParts("samples that meet are computed together: batchNormalization in training only", async () => {
  const make = () => {
    const made = sequential([
      layers.dense({ units: 3, inputShape: [4] }),
      layers.batchNormalization(),
      layers.dense({ units: 1 }),
    ]);
    made.compile({ optimizer: sgd(), loss: "mse" });
    return made;
  };
  const run = { make, x: numbers(1, 10, 4), y: numbers(2, 10, 1), batchSize: 10 };
  await alike(run, { parts: { predict: 2, train: 1 } });
});

/** Functions of the output in which samples meet, and one in which they do not. */
const functions: Record<
  string,
  [loss: (yTrue: SymbolicTensor, yPred: SymbolicTensor) => SymbolicTensor, parts: number]
> = {
  "each sample's mean": [(a, b) => ops.mean(ops.square(ops.subtract(a, b)), { axis: -1 }), 2],
  "one number for all": [(a, b) => ops.sqrt(ops.mean(ops.square(ops.subtract(a, b)))), 1],
  "distance from the mean": [
    (a, b) => ops.mean(ops.square(ops.subtract(a, ops.mean(b, { axis: 0, keepdims: true }))), { axis: -1 }),
    1,
  ],
  "products of samples": [
    (a, b) => ops.mean(ops.matmul(ops.subtract(a, b), ops.transpose(b, [1, 0])), { axis: -1 }),
    1,
  ],
};
for (const [name, [loss, train]] of Object.entries(functions)) {
  inParts(`a loss of one's own: ${name}`, async () => {
    const make = () => {
      const made = sequential([layers.dense({ units: 3, inputShape: [4] })]);
      made.compile({ optimizer: optimizers.sgd({ learningRate: 0.01 }), loss });
      return made;
    };
    const run = { make, x: numbers(1, 8, 4), y: numbers(2, 8, 3), batchSize: 8 };
    await alike(run, { parts: { predict: 2, train } });
  });
}

test("little work stays on one thread, more is shared", async () => {
  configure({ threads: 2 });
  const x = input({ shape: [null, 16] });
  const made = model({ inputs: x, outputs: one(layers.lstm({ units: 32 }), x) });
  const parts = async (B: number, T: number) => {
    await made.predict(numbers(1, B, T, 16), { batchSize: B });
    return (await executorOf(made)).program("predict").parts.length;
  };
  assert.is(await parts(16, 1), 1);
  assert.is(await parts(16, 60), 2);
  assert.is(await parts(1, 1000), 1);
  made.dispose();
  configure({ threads: 1 });
});

inParts("two models at once: calls that are not awaited do not disturb each other", async () => {
  const data = { x: numbers(1, 20, 5, 3), y: numbers(2, 20, 1) };
  const build = (units: number) => {
    setRandomSeed(units);
    const made = sequential([layers.lstm({ units, inputShape: [5, 3] }), layers.dense({ units: 1 })]);
    made.compile({ optimizer: sgd(), loss: "mse" });
    return made;
  };
  const options = { batchSize: 6, epochs: 3, shuffle: false, verbose: 0 as const };
  configure({ threads: 2 });
  const [a, b] = [build(3), build(4)];
  const before = (await a.predict(data.x)).data;
  await Promise.all([a.fit(data.x, data.y, options), b.fit(data.x, data.y, options)]);
  const [c, d] = [build(3), build(4)];
  await c.fit(data.x, data.y, options);
  await d.fit(data.x, data.y, options);
  for (const [one, other] of [
    [a, c],
    [b, d],
  ]) {
    const want = other.getWeights();
    one.getWeights().forEach(({ data }, index) => {
      assert.equal([...data], [...want[index].data]);
    });
  }
  // Predictions of one model, of other sizes, while it is evaluated.
  const sizes = [20, 3, 1, 7];
  const found = await Promise.all([
    ...sizes.map((batchSize) => a.predict(data.x, { batchSize })),
    a.evaluate(data.x, data.y),
  ]);
  const after = (await a.predict(data.x)).data;
  sizes.forEach((size, index) => {
    assertClose(`batches of ${size}`, (found[index] as Tensor).data, after, 1e-6);
  });
  assert.not.equal([...before], [...after]);
  for (const made of [a, b, c, d]) made.dispose();
});

inParts(
  "memory stays the same over 500 steps, also where it grew between, and dispose gives all of it back",
  async () => {
    configure({ threads: 2 });
    const used = (await engineInfo()).memoryUsed;
    const made = sequential([layers.lstm({ units: 4, inputShape: [null, 3] }), layers.dense({ units: 1 })]);
    made.compile({ optimizer: "adam", loss: "mse" });
    const [x, y] = [numbers(1, 7, 5, 3), numbers(2, 7, 1)];
    await made.fit(x, y, { batchSize: 4, verbose: 0 });
    const { memoryUsed, memory } = await engineInfo();
    await made.fit(x, y, { batchSize: 4, epochs: 250, verbose: 0 });
    assert.is((await engineInfo()).memoryUsed, memoryUsed);
    assert.is((await engineInfo()).memory, memory);
    const weights = made.getWeights();

    // The second thread's memory has grown under it: it must find its calls there.
    const large = sequential([layers.dense({ units: 2000, inputShape: [1000] }), layers.dense({ units: 1 })]);
    large.setWeights([numbers(3, 1000, 2000), numbers(4, 2000), numbers(5, 2000, 1), numbers(6, 1)]);
    const wide = numbers(7, 3, 1000);
    const found = (await large.predict(wide)).data;
    assert.ok((await engineInfo()).memory > memory + 4e6);
    configure({ threads: 1 });
    const alone = sequential([layers.dense({ units: 2000, inputShape: [1000] }), layers.dense({ units: 1 })]);
    alone.setWeights(large.getWeights());
    assertClose("after growing", found, (await alone.predict(wide)).data, 1e-6);
    configure({ threads: 2 });

    // Another compile gives the gradients of all parts back, too.
    made.compile({ optimizer: "sgd", loss: "mse" });
    await made.trainOnBatch(x, y);
    for (const each of [made, large, alone]) each.dispose();
    assert.is((await engineInfo()).memoryUsed, used);
    assert.equal(
      made.getWeights().map(({ shape }) => shape),
      weights.map(({ shape }) => shape),
    );
  },
);

inParts("NaN stops training before any weight changes", async () => {
  configure({ threads: 2 });
  const made = sequential([layers.dense({ units: 1, inputShape: [2] })]);
  made.compile({ optimizer: "sgd", loss: "mse" });
  made.setWeights([numbers(1, 2, 1), tensor([0])]);
  const before = made.getWeights().map(({ data }) => [...data]);
  const x = numbers(2, 4, 2);
  x.data[7] = 3e38;
  await made.trainOnBatch(x, numbers(3, 4, 1)).then(
    () => assert.unreachable(),
    (error: Error) => assert.match(error.message, /loss: expected a finite number/),
  );
  assert.equal(
    made.getWeights().map(({ data }) => [...data]),
    before,
  );
  made.dispose();
});

// --------------------------------------------------------------------------------------------------------------- the engine

test("configure: refuses what is no number of threads, and changes nothing", () => {
  for (const threads of [0, 1.5, "two", 10_000, -1, Number.NaN, null]) {
    assert.throws(
      () => configure({ threads: threads as number }),
      /configure: threads: expected an integer from 1 to 64, got/,
    );
  }
});

test("engineInfo: the threads there are, and why there are fewer", async () => {
  assert.equal(await engineInfo().then(({ threads, threadsReason }) => [threads, threadsReason]), [
    1,
    undefined,
  ]);
  configure({ threads: 2 });
  assert.equal(await engineInfo().then(({ threads, threadsReason }) => [threads, threadsReason]), [
    2,
    undefined,
  ]);
  configure({ deterministic: true });
  const { threads, threadsReason } = await engineInfo();
  assert.is(threads, 1);
  assert.match(threadsReason!, /deterministic: true/);
  configure({ deterministic: false, threads: 1 });
});

const globals = globalThis as unknown as Record<string, unknown>;

/** Puts something else in the place of a global while `run` runs. */
async function replacing(name: string, value: unknown, run: () => Promise<void>): Promise<void> {
  const present = Object.getOwnPropertyDescriptor(globalThis, name);
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  try {
    await run();
  } finally {
    if (present) Object.defineProperty(globalThis, name, present);
    else delete globals[name];
    configure({ threads: 1 });
  }
}

/** What threads there are when `threads` are asked for, and that a model works all the same. */
async function withThreads(threads: number): Promise<{ threads: number; threadsReason?: string }> {
  configure({ threads });
  const made = sequential([layers.dense({ units: 1, inputShape: [3] })]);
  assert.equal([...(await made.predict(numbers(1, 8, 3))).shape], [8, 1]);
  made.dispose();
  return engineInfo();
}

test("without shared memory: one thread, and why", async () => {
  await replacing("SharedArrayBuffer", undefined, async () => {
    const { threads, threadsReason } = await withThreads(11);
    assert.is(threads, 1);
    assert.match(threadsReason!, /cross-origin isolated/);
  });
  await replacing("crossOriginIsolated", false, async () => {
    const { threads, threadsReason } = await withThreads(12);
    assert.is(threads, 1);
    assert.match(threadsReason!, /Cross-Origin-Opener-Policy/);
  });
});

test("where a worker cannot start: one thread, and why", async () => {
  const forbidden = class {
    constructor() {
      throw new Error("refused by the page's policy");
    }
  };
  await replacing("Worker", forbidden, async () => {
    const { threads, threadsReason } = await withThreads(13);
    assert.is(threads, 1);
    assert.match(threadsReason!, /No thread could be started: refused by the page's policy/);
  });
  // A browser says so by an event, some time later.
  let terminated = 0;
  const silent = class {
    onerror?: (event: object) => void;
    postMessage() {
      setTimeout(() => this.onerror?.({ preventDefault() {} }), 1);
    }
    terminate() {
      terminated++;
    }
  };
  await replacing("Worker", silent, async () => {
    const { threads, threadsReason } = await withThreads(4);
    assert.is(threads, 1);
    assert.match(threadsReason!, /a worker from a blob is not allowed here/);
    assert.is(terminated, 3);
  });
});

/** One step of so many calls of `fill`, for a thread. */
async function fills(turns: number, address: number, count: number) {
  const { memory, kernels, threads } = await loadEngine();
  const body = [{ kernel: "fill", args: [address, 0, count] }];
  const steps = [{ count: Size.of(turns), backwards: false, body }];
  const job = new BoundProgram({ name: "fills", steps, interface: [] }, kernels, memory);
  job.prepare({ weights: 0, training: 0, state: 0, packed: 0, work: 0 }, {});
  return { job, threads: threads!, free: () => memory.free(job.address) };
}

/** What this thread does meanwhile. */
const ownJob = (run: () => void): Job => ({ address: 0, version: 0, run });

const rejection = (promise: Promise<unknown>) =>
  promise.then(
    () => assert.unreachable("it should have failed"),
    (error: Error) => error.message,
  ) as Promise<string>;

test("a kernel that traps on another thread is an error of the call, and the threads go on", async () => {
  configure({ threads: 2 });
  const { job, threads, free } = await fills(1, 2 ** 32 - 64, 1000);
  let ran = 0;
  const counting = ownJob(() => void ran++);
  const message = await rejection(threads.run([counting, job], 0, 1));
  assert.match(message, /threads: expected every thread to compute .*out of bounds/);
  assert.is(ran, 1);
  // On this thread: the other has ended all the same.
  const failing = ownJob(() => {
    throw new Error("on this one");
  });
  assert.match(await rejection(threads.run([failing, job], 0, 0)), /on this one/);
  await threads.run([counting, job], 0, 0);
  assert.is(ran, 2);
  free();
  configure({ threads: 1 });
});

test("a thread that ends is an error of the call, no wait without end; later calls run on this thread", async () => {
  // Threads of their own: 3.
  configure({ threads: 3 });
  const made = sequential([layers.lstm({ units: 32, inputShape: [60, 16] })]);
  const x = numbers(1, 16, 60, 16);
  const before = (await made.predict(x)).data;
  assert.is((await executorOf(made)).program("predict").parts.length, 3);
  const { memory } = await loadEngine();
  const scratch = memory.allocate(64, "test");
  const { job, threads, free } = await fills(1e12, scratch, 1);
  const stopping = ownJob(() => threads.stop());
  assert.match(await rejection(threads.run([stopping, job], 0, 1)), /A thread has ended/);
  const { threads: left, threadsReason } = await engineInfo();
  assert.is(left, 1);
  assert.match(threadsReason!, /A thread has ended/);
  assert.equal([...(await made.predict(x)).data], [...before]);
  free();
  memory.free(scratch);
  made.dispose();
  configure({ threads: 1 });
});

test("kernels that share memory import it and nothing else; as they are built they import nothing", async () => {
  const bytes = await kernelBytes("simd");
  const own = new WebAssembly.Module(bytes);
  assert.equal(WebAssembly.Module.imports(own), []);
  const shared = new WebAssembly.Module(importingMemory(bytes).bytes);
  assert.equal(WebAssembly.Module.imports(shared), [{ module: "env", name: "memory", kind: "memory" }]);
  assert.equal(WebAssembly.Module.exports(shared), WebAssembly.Module.exports(own));
});

test("a process that has used threads ends by itself", () => {
  const script = `
    import { configure, layers, sequential, tensor } from ${JSON.stringify(new URL("build/src/index.js", root).href)};
    configure({ threads: 2 });
    const made = sequential([layers.lstm({ units: 32, inputShape: [60, 16] })]);
    const { data } = await made.predict(tensor(new Float32Array(16 * 60 * 16).fill(0.1), [16, 60, 16]));
    console.log(String(data.every(Number.isFinite)));`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
    encoding: "utf8",
    timeout: 60_000,
    cwd: fileURLToPath(root),
  });
  assert.is(status, 0, stderr);
  assert.is(stdout.trim(), "true");
});

test.run();
