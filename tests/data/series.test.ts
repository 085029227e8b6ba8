// Windows over a series, skip-grams and NumPy's shuffle against Keras (tests/golden/keras_data.json), and what they refuse.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { MersenneTwister } from "../../src/data/mersenneTwister.js";
import * as sequence from "../../src/data/sequence/index.js";
import type { Tensor } from "../../src/tensor.js";
import { assertClose, asTensor } from "../support.js";
import { camelOptions, golden, rejects } from "./golden.js";

const { timeseriesDatasetFromArray: windows } = sequence;

test("Keras' timeseries_dataset_from_array", async () => {
  assert.ok(golden.series.length >= 25, `${golden.series.length} cases`);
  for (const { options, data, targets, batches } of golden.series) {
    const what = JSON.stringify({ options, targets: targets?.shape });
    const given = camelOptions(options) as unknown as sequence.TimeseriesOptions;
    const dataset = targets
      ? windows(asTensor(data), asTensor(targets), given)
      : windows(asTensor(data), null, given).map((x) => [x]);
    const found = (await dataset.toArray()) as Tensor[][];
    assert.is(found.length, batches.length, what);
    assert.is(dataset.size, batches.length, what);
    batches.forEach((batch, b) => {
      batch.forEach((expected, part) => {
        assert.equal([...found[b][part].shape], expected.shape, what);
        assert.equal([...found[b][part].data], expected.data, what);
      });
    });
  }
});

test("shuffled windows are all there, in another order in each epoch, repeatable by the seed", async () => {
  const series = Float32Array.from({ length: 50 }, (_, i) => i);
  const make = () => windows(series, series, { sequenceLength: 3, batchSize: 7, shuffle: true, seed: 5 });
  const firsts = (batches: [Tensor, Tensor][]) =>
    batches.flatMap(([x, y]) => {
      y.data.forEach((target, i) => {
        assert.equal([...x.data.subarray(3 * i, 3 * i + 3)], [target, target + 1, target + 2]);
      });
      return [...y.data];
    });
  const dataset = make();
  const [first, second] = [firsts(await dataset.toArray()), firsts(await dataset.toArray())];
  assert.not.equal(first, second);
  assert.equal(
    [...first].sort((a, b) => a - b),
    Array.from({ length: 48 }, (_, i) => i),
  );
  assert.equal(firsts(await make().toArray()), first);
});

test("Keras' skipgrams without what is random", () => {
  assert.is(golden.skipgrams.length, 24);
  for (const { sequence: ids, window, categorical, couples, labels } of golden.skipgrams) {
    const options = {
      vocabularySize: 6,
      windowSize: window,
      negativeSamples: 0,
      shuffle: false,
      categorical,
    };
    assert.equal(sequence.skipgrams(ids, options), { couples, labels });
  }
});

test("skipgrams: as many random pairs as asked for, labels move with their pairs, the seed repeats", () => {
  const ids = [1, 2, 3, 4, 5, 1, 2];
  const options = { vocabularySize: 100, windowSize: 1, negativeSamples: 2, seed: 3 };
  const { couples, labels } = sequence.skipgrams(ids, options);
  assert.is(couples.length, 3 * 12);
  const near = new Set(ids.slice(1).flatMap((id, i) => [`${ids[i]},${id}`, `${id},${ids[i]}`]));
  couples.forEach((couple, i) => {
    if (labels[i] === 1) assert.ok(near.has(String(couple)));
    assert.ok(couple[1] >= 1 && couple[1] < 100);
  });
  assert.is((labels as number[]).filter((label) => label === 1).length, 12);
  assert.equal(sequence.skipgrams(ids, options), { couples, labels });
  const none = sequence.skipgrams(ids, { ...options, samplingTable: new Float64Array(100) });
  assert.equal(none.couples, []);
});

test("Keras' make_sampling_table", () => {
  for (const [factor, expected] of Object.entries(golden.samplingTable)) {
    assertClose(factor, sequence.makeSamplingTable(20, Number(factor)), expected, 1e-9);
  }
});

test("NumPy's shuffle of one state after another", () => {
  assert.is(golden.shuffles.length, 4);
  for (const { seed, orders } of golden.shuffles) {
    const random = new MersenneTwister(seed);
    for (const order of orders) assert.equal([...random.order(order.length)], order);
  }
});

const ten = Float32Array.from({ length: 10 }, (_, i) => i);
const refusals: [string, () => unknown, RegExp][] = [
  [
    "a series shorter than a window",
    () => windows(ten, null, { sequenceLength: 11 }),
    /at least 11 steps.*got 10 steps/,
  ],
  [
    "one that the sampling rate makes too short",
    () => windows(ten, null, { sequenceLength: 5, samplingRate: 3 }),
    /at least 13 steps/,
  ],
  [
    "no sequenceLength",
    () => windows(ten, null, {} as never),
    /sequenceLength: expected a positive integer, got none/,
  ],
  [
    "sequenceLength NaN",
    () => windows(ten, null, { sequenceLength: Number.NaN }),
    /sequenceLength: expected/,
  ],
  [
    "a negative stride",
    () => windows(ten, null, { sequenceLength: 2, sequenceStride: -1 }),
    /sequenceStride: expected/,
  ],
  [
    "a stride too long",
    () => windows(ten, null, { sequenceLength: 2, sequenceStride: 10 }),
    /less than the length.*10/,
  ],
  [
    "samplingRate 0",
    () => windows(ten, null, { sequenceLength: 2, samplingRate: 0 }),
    /samplingRate: expected/,
  ],
  ["batchSize 0", () => windows(ten, null, { sequenceLength: 2, batchSize: 0 }), /batchSize: expected/],
  [
    "a negative start",
    () => windows(ten, null, { sequenceLength: 2, startIndex: -1 }),
    /startIndex: expected an integer from 0/,
  ],
  [
    "an end beyond",
    () => windows(ten, null, { sequenceLength: 2, endIndex: 10 }),
    /endIndex: expected an integer from 1 to 9/,
  ],
  [
    "an end before the start",
    () => windows(ten, null, { sequenceLength: 2, startIndex: 5, endIndex: 5 }),
    /endIndex: expected an integer from 6/,
  ],
  [
    "too few targets",
    () => windows(ten, [1, 2], { sequenceLength: 2, startIndex: 4 }),
    /one for each window.*got 2 targets/,
  ],
  [
    "a number as series",
    () => windows(3, null, { sequenceLength: 1 }),
    /time along the first axis, got a number/,
  ],
  ["an unknown option", () => windows(ten, null, { sequenceLength: 1, stride: 2 } as never), /got 'stride'/],
  [
    "a negative seed",
    () => windows(ten, null, { sequenceLength: 1, shuffle: true, seed: -1 }),
    /seed: expected a seed/,
  ],
  ["a vocabulary of one", () => sequence.skipgrams([0], { vocabularySize: 1 }), /2 or more/],
  [
    "an id too large",
    () => sequence.skipgrams([1, 9], { vocabularySize: 9 }),
    /ids from 0 to 8, got 9 at place 1/,
  ],
  [
    "a short table",
    () => sequence.skipgrams([1], { vocabularySize: 9, samplingTable: [1] }),
    /samplingTable: expected 9 probabilities/,
  ],
  [
    "negative samples below 0",
    () => sequence.skipgrams([1], { vocabularySize: 9, negativeSamples: -1 }),
    /0 or more/,
  ],
  ["a factor of 0", () => sequence.makeSamplingTable(3, 0), /samplingFactor: expected a number above 0/],
  ["a table of nothing", () => sequence.makeSamplingTable(0), /size: expected a positive/],
];
for (const [name, attempt, message] of refusals) {
  test(`refuses ${name}`, () => rejects(attempt, message));
}

test.run();
