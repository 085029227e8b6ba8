// Dataset: every way of making one stream of another; batches against tf.data (tests/golden/keras_data.json).
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Dataset, Normalization, StringLookup } from "../../src/data/index.js";
import { TextVectorization } from "../../src/data/text/index.js";
import { type Tensor, tensor } from "../../src/tensor.js";
import type { Numbers } from "../support.js";
import { camelOptions, golden, rejects } from "./golden.js";

const range = (n: number) => Dataset.fromGenerator(() => Array.from({ length: n }, (_, i) => i));
const all = async <T>(dataset: Dataset<T>) => await dataset.toArray();
const pause = (ms = 0) => new Promise<void>((done) => setTimeout(done, ms));

function sameBatches(what: string, found: unknown[], expected: Numbers[]): void {
  assert.equal(
    (found as Tensor[]).map(({ shape, data }) => ({ shape: [...shape], data: [...data] })),
    expected,
    what,
  );
}

test("fromTensors: a tuple, a record, one array; batches have their shapes and types", async () => {
  const x = tensor([1, 2, 3, 4, 5, 6], [3, 2]);
  const [batch, rest] = await all(Dataset.fromTensors([x, Int32Array.of(7, 8, 9)]).batch(2));
  assert.equal(batch[0].toArray(), [
    [1, 2],
    [3, 4],
  ]);
  assert.is(batch[1].dtype, "int32");
  assert.equal([...rest[0].shape, ...rest[1].shape], [1, 2, 1]);
  const texts = ["a", "b", "c"];
  const [record] = await all(
    Dataset.fromTensors({ x: { ids: [[1, 2], [3], []], texts }, y: [0, 1, 0] }).paddedBatch(3),
  );
  assert.equal(record.x.ids.toArray(), [
    [1, 2],
    [3, 0],
    [0, 0],
  ]);
  assert.equal(record.x.texts, texts);
  assert.equal(record.y.toArray(), [0, 1, 0]);
  assert.equal(await all(Dataset.fromTensors(texts)), texts);
  assert.is(Dataset.fromTensors(x).size, 3);
});

test("an array of numbers is a vector, another array a tuple", async () => {
  const vectors = Dataset.fromGenerator(() => [
    [1, 2],
    [3, 4],
  ]).batch(2);
  assert.equal((await all(vectors))[0].toArray(), [
    [1, 2],
    [3, 4],
  ]);
  const tuples = Dataset.fromGenerator((): [number[], number][] => [
    [[1, 2], 3],
    [[4, 5], 6],
  ]).batch(2);
  const [[x, y]] = await all(tuples);
  assert.equal(
    [x.toArray(), y.toArray()],
    [
      [
        [1, 2],
        [4, 5],
      ],
      [3, 6],
    ],
  );
  const pairs = Dataset.fromGenerator((): [string, string][] => [
    ["q", "a"],
    ["r", "b"],
  ]).batch(2);
  assert.equal(await all(pairs), [
    [
      ["q", "r"],
      ["a", "b"],
    ],
  ]);
  const inputs = Dataset.fromGenerator((): [Tensor[], number][] => [
    [[tensor([1]), tensor([2, 3])], 4],
  ]).batch(1);
  const [[[a, b]]] = (await all(inputs)) as unknown as [[Tensor[]]];
  assert.equal(
    [[...a.shape], [...b.shape]],
    [
      [1, 1],
      [1, 2],
    ],
  );
  const tokens = Dataset.fromGenerator((): [string[], number][] => [
    [["a", "b"], 1],
    [[], 2],
  ]).batch(2);
  assert.equal((await all(tokens))[0][0], [["a", "b"], []]);
});

test("map, filter, flatMap, take, skip, concatenate, enumerate, with functions that are async or not", async () => {
  const even = range(10).filter((i) => i % 2 === 0);
  assert.equal(await all(even), [0, 2, 4, 6, 8]);
  assert.equal(await all(range(4).filter(async (i) => i > 1)), [2, 3]);
  assert.equal(await all(even.map((i) => i / 2)), [0, 1, 2, 3, 4]);
  assert.equal(await all(range(3).flatMap((i) => Array(i).fill(i))), [1, 2, 2]);
  assert.equal(await all(range(9).skip(2).take(3)), [2, 3, 4]);
  assert.equal(await all(range(3).take(0)), []);
  assert.equal(await all(range(2).concatenate(range(3))), [0, 1, 0, 1, 2]);
  assert.equal(
    await all(
      range(2)
        .map((i) => `${i}`)
        .enumerate(5),
    ),
    [
      [5, "0"],
      [6, "1"],
    ],
  );
});

test("map in parallel: so many at a time, in order", async () => {
  for (const parallel of [1, 4]) {
    let running = 0;
    let most = 0;
    const slow = range(12).map(
      async (i) => {
        most = Math.max(most, ++running);
        await pause((i * 7) % 5);
        running--;
        return i * i;
      },
      { parallel },
    );
    assert.equal(
      await all(slow),
      Array.from({ length: 12 }, (_, i) => i * i),
    );
    assert.is(most, parallel);
  }
});

test("what a mapped function throws arrives, and nothing is left unheard", async () => {
  for (const parallel of [1, 3]) {
    const broken = range(9).map(
      async (i) => {
        if (i > 2) throw new RangeError(`at ${i}`);
        return i;
      },
      { parallel },
    );
    const seen: number[] = [];
    try {
      for await (const i of broken.prefetch(2)) seen.push(i);
      assert.unreachable();
    } catch (error) {
      assert.instance(error, RangeError);
      assert.is((error as Error).message, "at 3");
    }
    assert.equal(seen, [0, 1, 2]);
    await pause(5);
  }
});

test("shuffle: all are there, other orders in other epochs, the seed repeats them", async () => {
  const make = () => range(100).shuffle(30, { seed: 7 });
  const dataset = make();
  const [first, second] = [await all(dataset), await all(dataset)];
  assert.not.equal(first, second);
  assert.equal(
    [...first].sort((a, b) => a - b),
    await all(range(100)),
  );
  // Nothing comes before it was in the buffer.
  first.forEach((value, place) => {
    assert.ok(value < place + 30);
  });
  assert.ok(first.some((value, place) => value > place + 20));
  assert.equal(await all(make()), first);
  const fixed = range(100).shuffle(100, { seed: 7, reshuffleEachIteration: false });
  assert.equal(await all(fixed), await all(fixed));
  assert.not.equal(await all(range(100).shuffle(30, { seed: 8 })), first);
});

test("repeat: every round is an epoch of its own to a shuffle; without end until take", async () => {
  const rounds = await all(range(10).shuffle(10, { seed: 1 }).repeat(3));
  assert.is(rounds.length, 30);
  assert.not.equal(rounds.slice(0, 10), rounds.slice(10, 20));
  assert.equal((await all(range(3).repeat().take(8))).join(""), "01201201");
  assert.equal(await all(range(0).repeat()), []);
  assert.equal(await all(range(3).repeat(0)), []);
});

test("iterate goes on exactly where an epoch broke off", async () => {
  const make = () =>
    Dataset.fromTensors({ x: Float32Array.from({ length: 40 }, (_, i) => i), y: new Float32Array(40) })
      .shuffle(40, { seed: 3 })
      .repeat(2)
      .batch(6)
      .prefetch(2);
  const whole = make();
  const epochs = [await all(whole), await all(whole), await all(whole)];
  const resumed = make();
  const rest: unknown[] = [];
  for await (const batch of resumed.iterate({ epoch: 1, skip: 5 })) rest.push(batch);
  assert.equal(rest, epochs[1].slice(5));
  assert.equal(await all(resumed), epochs[2]);
});

test("cache reads once, and only whole epochs count", async () => {
  let reads = 0;
  const dataset = Dataset.fromGenerator(function* () {
    reads++;
    yield* [1, 2, 3];
  }).cache();
  for await (const _ of dataset) break;
  assert.equal(await all(dataset), [1, 2, 3]);
  assert.is(reads, 2);
  assert.equal(await all(dataset), [1, 2, 3]);
  assert.is(reads, 2);
});

test("what is opened with the first element: asked for several at once, or left before it", async () => {
  const lines = Dataset.fromLines("a\nb\nc\n");
  const reading = lines[Symbol.asyncIterator]();
  const asked = await Promise.all([reading.next(), reading.next(), reading.next(), reading.next()]);
  assert.equal(
    asked.map(({ value }) => value),
    ["a", "b", "c", undefined],
  );
  const left = lines[Symbol.asyncIterator]();
  await left.return!();
  assert.is((await left.next()).done, true, "what was left gives nothing more");
});

test("zip: tuples and records, as long as the shortest, which closes the others", async () => {
  let closed = false;
  const long = Dataset.fromGenerator(function* () {
    try {
      for (let i = 0; ; i++) yield `${i}`;
    } finally {
      closed = true;
    }
  });
  assert.equal(await all(Dataset.zip([range(2), long])), [
    [0, "0"],
    [1, "1"],
  ]);
  assert.ok(closed);
  assert.equal(await all(Dataset.zip({ x: range(2), y: range(5) })), [
    { x: 0, y: 0 },
    { x: 1, y: 1 },
  ]);
});

test("leaving early closes what is read, through every way", async () => {
  for (const build of [
    (d: Dataset<number>) => d.map((i) => i),
    (d: Dataset<number>) => d.map(async (i) => i, { parallel: 3 }),
    (d: Dataset<number>) => d.prefetch(3),
    (d: Dataset<number>) => d.shuffle(3, { seed: 1 }),
    (d: Dataset<number>) => d.batch(2),
    (d: Dataset<number>) => d.window(2),
    (d: Dataset<number>) => d.repeat(),
    (d: Dataset<number>) => d.take(2),
    (d: Dataset<number>) => d.skip(2),
    (d: Dataset<number>) => d.enumerate(),
    (d: Dataset<number>) => d.filter(() => true),
    (d: Dataset<number>) => d.concatenate(range(2)),
    (d: Dataset<number>) => d.cache(),
    (d: Dataset<number>) => Dataset.zip([d, d]),
  ] as ((d: Dataset<number>) => Dataset<unknown>)[]) {
    let open = 0;
    const source = Dataset.fromGenerator(async function* () {
      open++;
      try {
        for (let i = 0; ; i++) yield i;
      } finally {
        open--;
      }
    });
    for await (const _ of build(source)) break;
    assert.is(open, 0, build.toString());
  }
});

test("prefetch works ahead while the consumer waits", async () => {
  let made = 0;
  const dataset = Dataset.fromGenerator(async function* () {
    for (let i = 0; i < 9; i++) {
      await pause();
      made++;
      yield i;
    }
  }).prefetch(3);
  const seen: number[] = [];
  for await (const i of dataset) {
    seen.push(i);
    await pause(20);
    assert.is(made, Math.min(9, i + 4), `after ${i}`);
  }
  assert.is(seen.length, 9);
});

test("batch and size", async () => {
  const ten = Dataset.fromTensors(Float32Array.from({ length: 10 }, (_, i) => i));
  assert.equal(
    (await all(ten.batch(4))).map(({ size }) => size),
    [4, 4, 2],
  );
  assert.equal(
    (await all(ten.batch(4, { dropRemainder: true }))).map(({ size }) => size),
    [4, 4],
  );
  for (const dataset of [
    ten.batch(4),
    ten.batch(4, { dropRemainder: true }),
    ten.take(3),
    ten.skip(7),
    ten.skip(70),
    ten.repeat(3),
    ten.concatenate(ten),
    Dataset.zip([ten, ten.take(2)]),
    ten
      .shuffle(3)
      .prefetch(2)
      .cache()
      .enumerate()
      .map((e) => e),
  ] as Dataset<unknown>[]) {
    assert.is((await all(dataset)).length, dataset.size);
  }
  assert.is(ten.repeat().size, Number.POSITIVE_INFINITY);
  assert.is(ten.filter(() => true).size, undefined);
});

const rows = () => Dataset.fromGenerator(() => golden.batches.rows.map((row) => Int32Array.from(row)));

test("tf.data's padded_batch", async () => {
  for (const { size, shape, value, drop, batches } of golden.batches.padded) {
    const padded = rows().paddedBatch(size, {
      dropRemainder: drop,
      paddedShapes: shape === null ? undefined : [shape],
      paddingValues: value ?? undefined,
    });
    sameBatches(JSON.stringify({ size, shape }), await all(padded), batches);
  }
});

test("tf.data's bucket_by_sequence_length", async () => {
  for (const { options, batches } of golden.batches.bucketed) {
    const { bucketBoundaries, bucketBatchSizes, ...rest } = camelOptions(options);
    const bucketed = rows().bucketByLength({
      boundaries: bucketBoundaries as number[],
      batchSizes: bucketBatchSizes as number[],
      ...rest,
    });
    sameBatches(JSON.stringify(options), await all(bucketed), batches);
  }
});

test("tf.data's window", async () => {
  for (const { size, shift, stride, drop, windows } of golden.batches.windows) {
    const made = range(10).window(size, { shift: shift ?? size, stride, dropRemainder: drop });
    assert.equal(
      (await all(made)).map((window) => [...window.data]),
      windows,
      JSON.stringify({ size, shift, stride, drop }),
    );
  }
});

test("padding of matrices, by place, and to the boundary of a bucket", async () => {
  const elements = () => [
    { x: [[1, 2]], y: [1] },
    {
      x: [
        [3, 4],
        [5, 6],
      ],
      y: [2, 3],
    },
  ];
  const dataset = Dataset.fromGenerator(elements);
  const [batch] = await all(
    dataset.paddedBatch(2, { paddingValues: { x: -1, y: 9 }, paddedShapes: { x: [3, null] } }),
  );
  assert.equal(batch.x.toArray(), [
    [
      [1, 2],
      [-1, -1],
      [-1, -1],
    ],
    [
      [3, 4],
      [5, 6],
      [-1, -1],
    ],
  ]);
  assert.equal(batch.y.toArray(), [
    [1, 9],
    [2, 3],
  ]);
  const wide = Dataset.fromGenerator(() => [tensor([1, 2], [2, 1]), tensor([3, 4, 5, 6], [2, 2])]);
  assert.equal((await all(wide.paddedBatch(2)))[0].toArray(), [
    [
      [1, 0],
      [2, 0],
    ],
    [
      [3, 4],
      [5, 6],
    ],
  ]);
  const bucket = { boundaries: [5], batchSizes: [2, 2], padToBucketBoundary: true };
  const [own] = await all(dataset.bucketByLength(bucket));
  assert.equal(
    [[...own.x.shape], [...own.y.shape]],
    [
      [2, 4, 2],
      [2, 2],
    ],
  );
  const [both] = await all(dataset.bucketByLength({ ...bucket, paddedShapes: { y: [null] } }));
  assert.equal(
    [[...both.x.shape], [...both.y.shape]],
    [
      [2, 4, 2],
      [2, 4],
    ],
  );
});

test("vectorizers and scalers adapt on datasets", async () => {
  const texts = Dataset.fromTensors(golden.texts);
  const direct = TextVectorization().adapt(golden.texts).getVocabulary();
  assert.equal((await TextVectorization().adapt(texts)).getVocabulary(), direct);
  assert.equal((await TextVectorization().adapt(texts.batch(2))).getVocabulary(), direct);
  const lookup = await StringLookup().adapt(Dataset.fromTensors(["b", "a", "b"]).batch(2));
  assert.equal(lookup.getVocabulary(), ["[UNK]", "b", "a"]);
  const numbers = Dataset.fromTensors([tensor([1, 2, 3, 6], [2, 2]), Float32Array.of(0, 1)]);
  for (const dataset of [
    numbers,
    numbers.batch(2),
    numbers.map(([x, y]) => ({ x, y })),
  ] as Dataset<unknown>[]) {
    assert.equal([...(await Normalization().adapt(dataset)).mean!], [2, 4]);
  }
});

const refusals: [string, () => unknown, RegExp][] = [
  ["a generator that runs once", () => Dataset.fromGenerator([1, 2] as never), /a function, got \[1, 2\]/],
  [
    "a function without an iterable",
    () => all(Dataset.fromGenerator((() => 3) as never)),
    /return an iterable, got 3/,
  ],
  [
    "arrays of two lengths",
    () =>
      Dataset.fromTensors([
        [1, 2],
        [1, 2, 3],
      ]),
    /\[1\]: expected 2 items.*got 3.*a tuple/,
  ],
  ["a number", () => Dataset.fromTensors(3 as never), /an array or a tensor, got 3/],
  ["a scalar tensor", () => Dataset.fromTensors(tensor(3)), /an axis of items/],
  ["nothing", () => Dataset.fromTensors({}), /at least one array/],
  [
    "words among numbers",
    () => Dataset.fromTensors({ x: [1, "a"] as never }),
    /x: expected numbers, got 'a' in element 1/,
  ],
  ["batch 0", () => range(3).batch(0), /batch: size: expected a positive/],
  ["batch NaN", () => range(3).batch(Number.NaN), /batch: size/],
  ["an unknown option", () => range(3).batch(2, { dropLast: true } as never), /got 'dropLast'/],
  [
    "elements of two shapes",
    () => all(Dataset.fromTensors([[[1], [1, 2]]] as const).batch(2)),
    /\[0\]: expected shape \[1\].*paddedBatch/,
  ],
  [
    "elements of two kinds",
    () => all(Dataset.fromGenerator<unknown>(() => [{ x: 1 }, { y: 1 }]).batch(2)),
    /entries x, as in the first.*got entries y in element 1/,
  ],
  [
    "a tuple among numbers",
    () => all(Dataset.fromGenerator<unknown>(() => [[[1], 2], 3]).batch(2)),
    /a list of 2.*got 3 in element 1/,
  ],
  [
    "a number among texts",
    () => all(Dataset.fromGenerator<unknown>(() => ["a", 3]).batch(2)),
    /a text.*got 3 in element 1/,
  ],
  [
    "a text among numbers",
    () => all(Dataset.fromGenerator<unknown>(() => [3, "a"]).batch(2)),
    /numbers, got 'a' in element 1/,
  ],
  [
    "two ranks",
    () => all(Dataset.fromGenerator<unknown>(() => [[1], 1]).paddedBatch(2)),
    /1 axes.*got \[\] in element 1/,
  ],
  [
    "a row too long",
    () => all(rows().paddedBatch(3, { paddedShapes: [2] })),
    /at most 2 along axis 0, got \[4\] in element 2/,
  ],
  [
    "a shape of other axes",
    () => all(rows().paddedBatch(3, { paddedShapes: [9, 9] })),
    /paddedShapes: expected 1 lengths/,
  ],
  [
    "a fraction among integers",
    () => all(rows().paddedBatch(3, { paddingValues: 0.5 })),
    /paddingValues: expected an integer/,
  ],
  ["NaN to pad with", () => all(rows().paddedBatch(3, { paddingValues: Number.NaN })), /paddingValues/],
  ["shuffle 0", () => range(3).shuffle(0), /bufferSize: expected a positive/],
  ["a negative seed", () => range(3).shuffle(3, { seed: -1 }), /seed: expected a seed/],
  ["map without a function", () => range(3).map(3 as never), /a function, got 3/],
  ["parallel 0", () => range(3).map((i) => i, { parallel: 0 }), /parallel: expected a positive/],
  ["prefetch -1", () => range(3).prefetch(-1), /prefetch: expected a positive/],
  ["take -1", () => range(3).take(-1), /take: expected an integer, 0 or more/],
  ["skip NaN", () => range(3).skip(Number.NaN), /skip: expected an integer/],
  ["repeat 1.5", () => range(3).repeat(1.5), /repeat: expected an integer/],
  ["window shift 0", () => range(3).window(2, { shift: 0 }), /shift: expected a positive/],
  ["zip of arrays", () => Dataset.zip([[1] as never]), /a list or a record of datasets, got \[1\]/],
  ["zip of nothing", () => Dataset.zip([]), /got none/],
  ["concatenate an array", () => range(3).concatenate([1] as never), /a dataset, got/],
  [
    "an endless array",
    () =>
      all(
        Dataset.fromTensors([1, 2])
          .repeat()
          .map(async (i) => i),
      ),
    /an end, got none/,
  ],
  ["epoch -1", () => range(3).iterate({ epoch: -1 }), /epoch: expected an integer/],
  [
    "boundaries that fall",
    () => rows().bucketByLength({ boundaries: [5, 5], batchSizes: [1, 1, 1] }),
    /ascending/,
  ],
  ["too few batch sizes", () => rows().bucketByLength({ boundaries: [5], batchSizes: [1] }), /2 sizes/],
  [
    "a batch size of 0",
    () => rows().bucketByLength({ boundaries: [5], batchSizes: [1, 0] }),
    /batchSizes: expected a positive/,
  ],
  [
    "an element as long as the last boundary",
    () => all(rows().bucketByLength({ boundaries: [5], batchSizes: [2, 2], padToBucketBoundary: true })),
    /shorter than the last boundary, 5.*got 5 in element 4/,
  ],
  [
    "numbers in buckets",
    () => all(range(3).bucketByLength({ boundaries: [5], batchSizes: [1, 1] })),
    /Give lengthOf/,
  ],
  [
    "a length that is none",
    () => all(range(3).bucketByLength({ boundaries: [5], batchSizes: [1, 1], lengthOf: () => Number.NaN })),
    /lengthOf: expected a length.*got NaN for element 0/,
  ],
];
for (const [name, attempt, message] of refusals) {
  test(`refuses ${name}`, () => rejects(attempt, message));
}

test.run();
