// fit, evaluate and predict on datasets: the same numbers as on arrays, batches of any length, epochs made of steps, streams that
// are closed, and what is refused.
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  type callbacks,
  data,
  engineInfo,
  input,
  layers,
  type Model,
  model,
  optimizers,
  type SymbolicTensor,
  sequential,
  setRandomSeed,
  type Tensor,
  tensor,
} from "../src/index.js";
import { Random } from "../src/random.js";

const { Dataset } = data;

/** Ids whose sum decides the label. */
function toy(samples: number, length: number): { x: Tensor; y: Tensor } {
  const random = new Random(1);
  const ids = Int32Array.from({ length: samples * length }, () => 1 + random.integer(19));
  const labels = Float32Array.from({ length: samples }, (_, row) => {
    const sum = ids.subarray(row * length, (row + 1) * length).reduce((a, b) => a + b, 0);
    return sum > 10 * length ? 1 : 0;
  });
  return { x: tensor(ids, [samples, length]), y: tensor(labels, [samples, 1]) };
}

function classifier(): Model {
  setRandomSeed(5);
  const made = sequential([
    layers.embedding({ inputDim: 20, outputDim: 4, maskZero: true, inputShape: [null] }),
    layers.gru({ units: 5 }),
    layers.dropout({ rate: 0.2 }),
    layers.dense({ units: 1, activation: "sigmoid" }),
  ]);
  made.compile({ optimizer: optimizers.adam(), loss: "binaryCrossentropy", metrics: ["accuracy"] });
  return made;
}

/** Loss of a batch without learning: the square of its only number, so that the order can be read. */
function listener(): { made: Model; heard: number[]; listen: callbacks.Callback } {
  const made = sequential([
    layers.dense({ units: 1, useBias: false, kernelInitializer: "ones", inputShape: [1] }),
  ]);
  made.compile({ optimizer: optimizers.sgd({ learningRate: 0 }), loss: "mse" });
  const heard: number[] = [];
  let sum = 0;
  const listen = {
    onTrainBatchEnd(batch: number, { loss }: Record<string, number>) {
      if (batch === 0) sum = 0;
      heard.push(Math.round(Math.sqrt(loss * (batch + 1) - sum)));
      sum = loss * (batch + 1);
    },
  };
  return { made, heard, listen };
}

/** Batches of one number each: 1, 2, …; the last ones' sizes are not known to the dataset when `counted` is false. */
function numbers(count: number, counted = true) {
  const made = Dataset.fromTensors([
    tensor(
      Float32Array.from({ length: count }, (_, i) => i + 1),
      [count, 1],
    ),
    new Float32Array(count),
  ]);
  return (counted ? made : made.filter(() => true)).batch(1);
}

const bits = (made: Model) => made.getWeights().flatMap((weight) => [...weight.data]);

// ------------------------------------------------------------------------------------------- the same numbers as arrays

const { x, y } = toy(44, 6);
const weights = Float32Array.from({ length: 44 }, (_, i) => 0.5 + (i % 3));

const forms: Record<string, AsyncIterable<unknown>> = {
  "tuples [x, y]": Dataset.fromTensors([x, y]).batch(8),
  "records { x, y }": Dataset.fromTensors({ x, y }).batch(8),
  "prefetched ones": Dataset.fromTensors([x, y]).batch(8).prefetch(3),
  "padded ones": Dataset.fromTensors([x, y]).paddedBatch(8),
  "what is no Dataset": {
    async *[Symbol.asyncIterator]() {
      yield* Dataset.fromTensors([x, y]).batch(8);
    },
  },
};
for (const [name, dataset] of Object.entries(forms)) {
  test(`${name}: bit for bit what arrays give`, async () => {
    const arrays = classifier();
    const wanted = await arrays.fit(x, y, { batchSize: 8, epochs: 3, shuffle: false, verbose: 0 });
    const streamed = classifier();
    const found = await streamed.fit(dataset, { epochs: 3, verbose: 0 });
    assert.equal(found.history, wanted.history);
    assert.equal(bits(streamed), bits(arrays));
    assert.equal(await streamed.evaluate(dataset), await arrays.evaluate(x, y, { batchSize: 8 }));
    const predicted = await arrays.predict(x, { batchSize: 8 });
    assert.equal(await streamed.predict(dataset), predicted);
    assert.equal(await streamed.predict(Dataset.fromTensors(x).batch(8)), predicted);
    arrays.dispose();
    streamed.dispose();
  });
}

test("weights of samples come with the batches, weights of classes from the options", async () => {
  const arrays = classifier();
  const options = { classWeight: { 0: 2 }, epochs: 2, verbose: 0 as const };
  const given = { ...options, sampleWeight: weights, batchSize: 8, shuffle: false };
  const wanted = await arrays.fit(x, y, given);
  for (const elements of [[x, y, weights], { x, y, sampleWeight: weights }]) {
    const dataset = Dataset.fromTensors(elements).batch(8);
    const made = classifier();
    assert.equal((await made.fit(dataset, options)).history, wanted.history);
    assert.equal(
      await made.evaluate(dataset),
      await arrays.evaluate(x, y, { batchSize: 8, sampleWeight: weights }),
    );
    made.dispose();
  }
  arrays.dispose();
});

test("several inputs and outputs, by name", async () => {
  const build = () => {
    setRandomSeed(2);
    const [left, right] = ["left", "right"].map((name) => input({ shape: [2], name }));
    const sum = layers.add().apply([left, right]) as SymbolicTensor;
    const outputs = ["a", "b"].map((name) => layers.dense({ units: 1, name }).apply(sum) as SymbolicTensor);
    const made = model({ inputs: [left, right], outputs });
    made.compile({ optimizer: "sgd", loss: "mse" });
    return made;
  };
  const [left, right] = [1, 2].map((k) =>
    tensor(
      Float32Array.from({ length: 12 }, (_, i) => (i * k) % 5),
      [6, 2],
    ),
  );
  const [a, b] = [3, 4].map((k) =>
    tensor(
      Float32Array.from({ length: 6 }, (_, i) => (i * k) % 3),
      [6, 1],
    ),
  );
  const arrays = build();
  const wanted = await arrays.fit([left, right], [a, b], { batchSize: 4, shuffle: false, verbose: 0 });
  const streamed = build();
  const dataset = Dataset.fromTensors({ x: { left, right }, y: { a, b } }).batch(4);
  assert.equal((await streamed.fit(dataset, { verbose: 0 })).history, wanted.history);
  assert.equal(await streamed.predict(dataset), await arrays.predict([left, right], { batchSize: 4 }));
  for (const each of [arrays, streamed]) each.dispose();
});

test("batches of different lengths: padding that a mask hides changes nothing", async () => {
  const random = new Random(3);
  const rows = Array.from({ length: 40 }, (_, i) =>
    Int32Array.from({ length: 1 + ((i * 7) % 23) }, () => 1 + random.integer(19)),
  );
  const labels = Float32Array.from(rows, (row) => (row[0] > 10 ? 1 : 0));
  const elements = Dataset.fromTensors([rows, labels]);
  const loose = elements.paddedBatch(8);
  const widths: number[] = [];
  for await (const [ids] of loose) widths.push(ids.shape[1]);
  assert.ok(new Set(widths).size > 1, `${widths}`);
  const wide = elements.paddedBatch(8, { paddedShapes: [[30], []] });
  const first = classifier();
  const found = await first.fit(loose, { epochs: 4, verbose: 0, validationData: loose });
  const second = classifier();
  const wanted = await second.fit(wide, { epochs: 4, verbose: 0, validationData: wide });
  for (const [name, values] of Object.entries(wanted.history)) {
    values.forEach((value, epoch) => {
      assert.ok(Math.abs(found.history[name][epoch] - value) < 1e-6, `${name}: ${found.history[name]}`);
    });
  }
  const { memoryUsed } = await engineInfo();
  await first.fit(loose, { epochs: 3, verbose: 0 });
  assert.is((await engineInfo()).memoryUsed, memoryUsed);

  const bucketed = elements.bucketByLength({ boundaries: [8, 16], batchSizes: [4, 4, 4] });
  const { history } = await first.fit(bucketed, { epochs: 3, verbose: 0 });
  assert.ok(history.loss[2] < history.loss[0]);
  assert.is((await first.predict(loose)).shape[0], 40);
  for (const each of [first, second]) each.dispose();
});

test("a sequential model without shapes is built by the first batch, which still counts", async () => {
  const { heard, listen } = listener();
  const made = sequential([layers.dense({ units: 1, useBias: false, kernelInitializer: "ones" })]);
  made.compile({ optimizer: optimizers.sgd({ learningRate: 0 }), loss: "mse" });
  await made.fit(numbers(3), { verbose: 0, callbacks: [listen] });
  assert.equal(heard, [1, 2, 3]);
  made.dispose();
  const predicting = sequential([layers.dense({ units: 1, useBias: false, kernelInitializer: "ones" })]);
  assert.equal([...(await predicting.predict(numbers(3))).data], [1, 2, 3]);
  predicting.dispose();
});

// ------------------------------------------------------------------------------------------------------ epochs and steps

test("without stepsPerEpoch an epoch is a pass, each with a new order", async () => {
  const { made, heard, listen } = listener();
  const dataset = Dataset.fromTensors([tensor([[1], [2], [3], [4], [5], [6], [7]]), new Float32Array(7)])
    .shuffle(7, { seed: 4 })
    .batch(1);
  await made.fit(dataset, { epochs: 2, verbose: 0, callbacks: [listen] });
  const [first, second] = [heard.slice(0, 7), heard.slice(7)];
  assert.not.equal(first, second);
  for (const each of [first, second]) assert.equal([...each].sort(), [1, 2, 3, 4, 5, 6, 7]);
  // The next fit goes on; one that begins with an epoch of a number has that epoch's order.
  await made.fit(dataset, { verbose: 0, callbacks: [listen] });
  const third = heard.slice(14);
  assert.not.equal(third, second);
  await made.fit(dataset, { initialEpoch: 1, epochs: 3, verbose: 0, callbacks: [listen] });
  assert.equal(heard.slice(21), [...second, ...third]);
  made.dispose();
});

test("stepsPerEpoch: the next epoch goes on; data that end in the middle of one end it", async () => {
  const { warn } = console;
  const warnings: string[] = [];
  console.warn = (text: string) => warnings.push(text);
  try {
    const cases: [AsyncIterable<unknown>, number, number, number[][], number][] = [
      [
        numbers(6),
        2,
        4,
        [
          [1, 2],
          [3, 4],
          [5, 6],
          [1, 2],
        ],
        0,
      ],
      [
        numbers(6, false),
        3,
        3,
        [
          [1, 2, 3],
          [4, 5, 6],
          [1, 2, 3],
        ],
        0,
      ],
      [
        numbers(5),
        3,
        3,
        [
          [1, 2, 3],
          [4, 5],
          [1, 2, 3],
        ],
        1,
      ],
      [
        numbers(5, false),
        3,
        3,
        [
          [1, 2, 3],
          [4, 5],
          [1, 2, 3],
        ],
        1,
      ],
      [
        numbers(2).repeat(),
        3,
        3,
        [
          [1, 2, 1],
          [2, 1, 2],
          [1, 2, 1],
        ],
        0,
      ],
    ];
    for (const [dataset, stepsPerEpoch, epochs, wanted, warned] of cases) {
      const { made, heard, listen } = listener();
      const ends: number[] = [];
      const end = { onEpochEnd: () => void ends.push(heard.length) };
      warnings.length = 0;
      await made.fit(dataset, { stepsPerEpoch, epochs, verbose: 0, callbacks: [listen, end] });
      assert.equal(heard, wanted.flat());
      assert.equal(
        ends,
        wanted.map((_, i) => wanted.slice(0, i + 1).flat().length),
      );
      assert.is(warnings.length, warned, `${warnings}`);
      if (warned) assert.match(warnings[0], /ended after 2 of 3 batches/);
      made.dispose();
    }
  } finally {
    console.warn = warn;
  }
});

test("stepsPerEpoch of arrays: all samples come before one comes again", async () => {
  const { made, heard, listen } = listener();
  const samples = tensor([[1], [2], [3], [4]]);
  const options = { batchSize: 1, stepsPerEpoch: 2, epochs: 4, verbose: 0 as const, callbacks: [listen] };
  const { history } = await made.fit(samples, new Float32Array(4), options);
  assert.is(history.loss.length, 4);
  for (const pass of [heard.slice(0, 4), heard.slice(4)]) assert.equal([...pass].sort(), [1, 2, 3, 4]);
  made.dispose();
});

test("a run knows how many batches there are, or will after the first epoch", async () => {
  const told: (number | undefined)[][] = [];
  const tell: callbacks.Callback = {
    onEpochBegin: (_, { batches, samples }) => void told.push([batches, samples]),
  };
  const { made } = listener();
  const options = { epochs: 2, verbose: 0 as const, callbacks: [tell] };
  await made.fit(numbers(3), options);
  await made.fit(numbers(3, false), options);
  await made.fit(numbers(3, false), { ...options, stepsPerEpoch: 1 });
  await made.fit([[1], [2]], [0, 0], { ...options, batchSize: 1 });
  const wanted = [3, 3, undefined, 3, 1, 1].map((batches) => [batches, undefined]);
  assert.equal(told, [...wanted, [2, 2], [2, 2]]);
  made.dispose();
});

test("validation: a dataset, some of its batches, after some epochs", async () => {
  const { made } = listener();
  const validationData = numbers(4);
  const run = async (options: object) =>
    (await made.fit(numbers(2), { epochs: 4, verbose: 0, validationData, ...options })).history.val_loss;
  assert.equal(await run({}), new Array(4).fill(7.5));
  assert.equal(await run({ validationSteps: 2 }), new Array(4).fill(2.5));
  assert.equal(await run({ validationFreq: 3 }), [7.5]);
  assert.equal(await run({ validationFreq: [1, 4] }), [7.5, 7.5]);
  assert.equal(await run({ validationData: numbers(1).repeat(), validationSteps: 3, epochs: 1 }), [1]);
  assert.equal(await run({ validationData: [[[3]], [0]], epochs: 1 }), [9]);
  const batches: number[] = [];
  const count = { onTestBatchEnd: (batch: number) => void batches.push(batch) };
  const arrays = {
    validationData: [
      [[1], [2], [3]],
      [0, 0, 0],
    ],
    validationBatchSize: 2,
    callbacks: [count],
  };
  await run({ ...arrays, epochs: 1 });
  assert.equal(batches, [0, 1]);
  // Arrays are validated with batches of a dataset just as well.
  const { history } = await made.fit([[1]], [0], { validationData, verbose: 0 });
  assert.equal(history.val_loss, [7.5]);
  made.dispose();
});

test("evaluate and predict take so many steps", async () => {
  const { made } = listener();
  assert.is((await made.evaluate(numbers(4), { steps: 2 })).loss, 2.5);
  assert.is((await made.evaluate([[1], [3]], [0, 0], { steps: 1, batchSize: 1 })).loss, 1);
  assert.equal([...(await made.predict(numbers(2).repeat(), { steps: 3 })).data], [1, 2, 1]);
  assert.equal([...(await made.predict([[4], [5], [6]], { steps: 2, batchSize: 1 })).data], [4, 5]);
  made.dispose();
});

// ------------------------------------------------------------------------------------------------------------- streams

/** Batches whose source says when it is opened and closed. */
function watched(count: number) {
  const seen = { open: 0, closed: 0, given: 0 };
  const dataset = Dataset.fromGenerator(async function* () {
    seen.open++;
    try {
      for (let i = 0; i < count; i++) {
        seen.given++;
        yield [tensor([[i + 1]]), tensor([[0]])] as [Tensor, Tensor];
      }
    } finally {
      seen.closed++;
    }
  });
  return { dataset, seen };
}

test("sources are closed, however the training ends", async () => {
  const ways: [string, object, RegExp?][] = [
    ["all of it", {}],
    ["steps", { stepsPerEpoch: 2, epochs: 2 }],
    [
      "a callback stops it",
      {
        callbacks: [
          {
            onTrainBatchEnd: (_: number, __: object, run: { stop: boolean }) =>
              Object.assign(run, { stop: true }) as never,
          },
        ],
      },
    ],
    [
      "a callback throws",
      { callbacks: [{ onTrainBatchEnd: () => Promise.reject(new Error("no more")) }] },
      /no more/,
    ],
    ["validation does not fit", { validationData: [[[1, 2]], [0]] }, /validationData/],
  ];
  for (const [name, options, message] of ways) {
    const { made } = listener();
    const { dataset, seen } = watched(5);
    let failure = "";
    await made.fit(dataset, { verbose: 0, ...options }).catch((error: Error) => {
      failure = error.message;
    });
    assert.match(failure, message ?? /^$/, name);
    assert.is(seen.closed, seen.open, name);
    await made.evaluate(dataset, { steps: 1 });
    await made.predict(dataset, { steps: 1 });
    assert.is(seen.closed, seen.open, name);
    made.dispose();
  }
});

test("prefetch reads on while the training waits; a batch may be made with the model itself", async () => {
  const { made } = listener();
  const { dataset, seen } = watched(9);
  let ahead = 0;
  const wait = {
    async onTrainBatchEnd(batch: number) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      if (batch === 0) ahead = seen.given;
    },
  };
  await made.fit(dataset.prefetch(4), { verbose: 0, callbacks: [wait] });
  assert.ok(ahead >= 5, `${ahead} batches were read`);
  const taught = dataset.map(async ([each]) => [each, await made.predict(each)] as const);
  assert.is((await made.fit(taught, { verbose: 0 })).history.loss[0], 0);
  made.dispose();
});

// ------------------------------------------------------------------------------------------------------------ refusals

const refused: [string, (made: Model) => Promise<unknown>, RegExp][] = [
  [
    "targets beside a dataset",
    (m) => m.fit(numbers(2) as never, [0, 0]),
    /fit: y: expected a dataset whose batches are \[x, y\]/,
  ],
  ["targets for evaluate", (m) => m.evaluate(numbers(2) as never, tensor([0])), /evaluate: y: /],
  [
    "batchSize",
    (m) => m.fit(numbers(2), { batchSize: 2 } as object),
    /fit: batchSize: .* dataset\.batch\(n\)/,
  ],
  [
    "shuffle",
    (m) => m.fit(numbers(2), { shuffle: true } as object),
    /fit: shuffle: .* dataset\.shuffle\(n\)/,
  ],
  [
    "validationSplit",
    (m) => m.fit(numbers(2), { validationSplit: 0.5 } as object),
    /fit: validationSplit: .*dataset\.take\(n\)/,
  ],
  [
    "sampleWeight",
    (m) => m.evaluate(numbers(2), { sampleWeight: [1] } as object),
    /evaluate: sampleWeight: /,
  ],
  ["batchSize in predict", (m) => m.predict(numbers(2), { batchSize: 1 }), /predict: batchSize: /],
  ["an unknown option", (m) => m.fit(numbers(2), { epoch: 3 } as object), /Did you mean 'epochs'/],
  [
    "no steps",
    (m) => m.fit(numbers(2), { stepsPerEpoch: 0 }),
    /fit: stepsPerEpoch: expected a positive integer, got 0/,
  ],
  [
    "validationFreq",
    (m) => m.fit(numbers(2), { validationFreq: 0, validationData: numbers(1) }),
    /fit: validationFreq: /,
  ],
  [
    "validationSteps alone",
    (m) => m.fit(numbers(2), { validationSteps: 1 }),
    /validationSteps: expected validationData/,
  ],
  [
    "validationBatchSize of a dataset",
    (m) => m.fit(numbers(2), { validationData: numbers(1), validationBatchSize: 1 }),
    /validationBatchSize: /,
  ],
  ["no end", (m) => m.fit(numbers(2).repeat()), /fit: expected a dataset that ends, .* stepsPerEpoch/],
  [
    "no end of the validation",
    (m) => m.fit(numbers(2), { validationData: numbers(1).repeat() }),
    /fit: validationData: expected a dataset that ends, .* validationSteps/,
  ],
  [
    "no end of predict",
    (m) => m.predict(numbers(2).repeat()),
    /predict: expected a dataset that ends, .* steps says/,
  ],
  ["an empty dataset", (m) => m.fit(numbers(2).take(0)), /fit: expected at least one batch, got none/],
  [
    "an empty validation",
    (m) => m.fit(numbers(2), { validationData: numbers(2).take(0), verbose: 0 }),
    /expected at least one batch/,
  ],
  [
    "x alone",
    (m) => m.fit(Dataset.fromTensors(tensor([[1], [2]])).batch(1)),
    /fit \(batch 1\): expected batches \[x, y\], got no y/,
  ],
  [
    "a strange entry",
    (m) => m.fit(Dataset.fromTensors({ x: [1], y: [1], z: [1] }).batch(1)),
    /expected batches \{ x, y, sampleWeight \}, got 'z'/,
  ],
  [
    "four entries",
    (m) => m.fit(Dataset.fromTensors([[1], [1], [1], [1]]).batch(1)),
    /expected batches \[x, y\] or .* got a list of 4/,
  ],
  [
    "a generator that runs once",
    (m) =>
      m.fit(
        (async function* () {
          yield [tensor([[1]]), tensor([[0]])];
        })(),
        { epochs: 2, verbose: 0 },
      ),
    /fit: epoch 2: expected at least one batch, got none\. A generator runs once/,
  ],
  [
    "a batch of another width",
    (m) =>
      m.fit(
        Dataset.fromGenerator(() => [
          [tensor([[1]]), tensor([[0]])],
          [tensor([[1, 2]]), tensor([[0]])],
        ]),
        { verbose: 0 },
      ),
    /fit: x \(batch 2\): expected shape \(None, 1\), got \(1, 2\)/,
  ],
];
for (const [name, call, message] of refused) {
  test(`refused: ${name}`, async () => {
    const { made } = listener();
    let found = "";
    await call(made).catch((error: Error) => {
      found = `${error.name}: ${error.message}`;
    });
    assert.match(found, /^UnreelError/);
    assert.match(found, message);
    // And the model is usable.
    assert.is((await made.predict([[3]])).data[0], 3);
    made.dispose();
  });
}

test("outputs of different lengths cannot be one tensor; ids are checked in every batch", async () => {
  const tagger = sequential([
    layers.embedding({ inputDim: 5, outputDim: 2, inputShape: [null] }),
    layers.simpleRNN({ units: 2, returnSequences: true }),
  ]);
  const rows = [Int32Array.of(1), Int32Array.of(1, 2), Int32Array.of(1, 9)];
  const message = async (dataset: AsyncIterable<unknown>) =>
    tagger.predict(dataset).then(
      () => "",
      (error: Error) => error.message,
    );
  const two = Dataset.fromTensors({ x: rows.slice(0, 2) }).paddedBatch(1);
  assert.match(
    await message(two),
    /predict \(batch 2\): expected outputs of shape \(None, 1, 2\), as in the first batch, got \(1, 2, 2\)/,
  );
  const padded = Dataset.fromTensors({ x: rows }).paddedBatch(1, { paddedShapes: { x: [2] } });
  assert.match(
    await message(padded),
    /predict: x \(batch 3\): expected ids from 0 to 4, got 9 at \[0\]\[1\]/,
  );
  assert.equal((await tagger.predict(padded.take(2))).shape, [2, 2, 2]);
  tagger.dispose();
});

test.run();
