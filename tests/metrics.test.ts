// Metrics on plain values, against counts by hand. The registry is walked: a metric without a case here fails.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { metrics } from "../src/index.js";

type Case = [
  yTrue: number[] | number[][],
  yPred: number[][],
  expected: number,
  options?: { sampleWeight: number[] },
];

const probabilities = [
  [0.1, 0.7, 0.2],
  [0.5, 0.3, 0.2],
  [0.2, 0.3, 0.5],
  [0.6, 0.3, 0.1],
];
const cases: Record<string, Case[]> = {
  accuracy: [
    [[[1], [0], [1], [1]], [[0.9], [0.4], [0.4], [0.5]], 0.5],
    [[1, 0, 0, 2], probabilities, 0.5],
    [
      [
        [0, 1, 0],
        [1, 0, 0],
        [1, 0, 0],
        [0, 0, 1],
      ],
      probabilities,
      0.5,
    ],
  ],
  binaryAccuracy: [
    [
      [
        [1, 0],
        [0, 0],
      ],
      [
        [0.9, 0.9],
        [0.1, 0.2],
      ],
      0.75,
    ],
    [[[1], [0]], [[0.9], [0.9]], 0.75, { sampleWeight: [3, 1] }],
  ],
  categoricalAccuracy: [
    [
      [
        [0, 1, 0],
        [0, 0, 1],
        [0, 0, 1],
        [1, 0, 0],
      ],
      probabilities,
      0.75,
    ],
  ],
  sparseCategoricalAccuracy: [[[1, 2, 2, 0], probabilities, 0.75]],
  topKCategoricalAccuracy: [
    [
      [
        [0, 1, 0],
        [0, 0, 1],
        [0, 0, 1],
        [1, 0, 0],
      ],
      probabilities,
      1,
    ],
  ],
  sparseTopKCategoricalAccuracy: [[[1, 2, 2, 0], probabilities, 1]],
  meanSquaredError: [
    [
      [
        [1, 2],
        [3, 4],
      ],
      [
        [1, 4],
        [3, 1],
      ],
      13 / 4,
    ],
  ],
  meanAbsoluteError: [
    [
      [
        [1, 2],
        [3, 4],
      ],
      [
        [1, 4],
        [3, 1],
      ],
      5 / 4,
    ],
  ],
  precision: [[[[1], [0], [1], [1], [0]], [[0.9], [0.8], [0.4], [0.7], [0.1]], 2 / 3]],
  recall: [[[[1], [0], [1], [1], [0], [1]], [[0.9], [0.8], [0.4], [0.7], [0.1], [0.5]], 2 / 4]],
};

for (const name of Object.keys(metrics.registry)) {
  test(`${name}: has a case`, () => assert.ok(cases[name]?.length > 0, `metric ${name} needs a case`));
  for (const [yTrue, yPred, expected, options] of cases[name] ?? []) {
    test(`${name} ${JSON.stringify(yTrue)}`, () => {
      const metric = metrics.registry[name]();
      assert.ok(
        Math.abs(metric.update(yTrue, yPred, options).result() - expected) < 1e-9,
        `${metric.result()}`,
      );
      metric.update(yTrue, yPred, options);
      assert.ok(Math.abs(metric.result() - expected) < 1e-9, "twice the same is the same share");
      metric.reset();
      assert.is(metric.result(), 0);
    });
  }
}

test("topK counts the k most probable classes", () => {
  const found = metrics.sparseTopKCategoricalAccuracy({ k: 2 }).update([1, 2, 0, 2], probabilities).result();
  assert.is(found, 0.25);
});

test("thresholds, and metrics of values on class numbers", () => {
  assert.is(
    metrics
      .precision({ threshold: 0.85 })
      .update([[1], [0]], [[0.9], [0.8]])
      .result(),
    1,
  );
  assert.throws(() => metrics.meanSquaredError().update([1, 2, 2, 0], probabilities), /class numbers/);
  assert.throws(
    () => metrics.recall().update([[1], [0]], [[1], [0]], { sampleWeight: [1] }),
    /2 weights, got 1/,
  );
});

test.run();
