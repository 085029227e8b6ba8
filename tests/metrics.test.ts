// Metrics on plain values, against counts by hand and against Keras. The registry is walked: a metric without a case of Keras fails.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { losses, metrics, ops } from "../src/index.js";
import { registry as metricRegistry } from "../src/training/metrics/resolveMetric.js";
import { assertClose, asTensor, readGolden } from "./support.js";

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

for (const [name, each] of Object.entries(cases)) {
  for (const [yTrue, yPred, expected, options] of each) {
    test(`${name} ${JSON.stringify(yTrue)}`, () => {
      const metric = metricRegistry[name]();
      const found = () => metric.result() as number;
      metric.update(yTrue, yPred, options);
      assert.ok(Math.abs(found() - expected) < 1e-9, `${found()}`);
      metric.update(yTrue, yPred, options);
      assert.ok(Math.abs(found() - expected) < 1e-9, "twice the same is the same share");
      metric.reset();
      assert.is(found(), 0);
    });
  }
}

interface Golden {
  name: string;
  metric: string;
  config: object;
  defaultName: string;
  updates: { yTrue: Flat; yPred: Flat; sampleWeight?: Flat }[];
  results: (number | number[])[];
}
interface Flat {
  shape: number[];
  data: number[];
}

const golden = readGolden<{ cases: Golden[] }>("keras_metrics.json");
const factories = metrics as unknown as Record<string, (config: object) => metrics.Metric>;
for (const { name, metric, config, defaultName, updates, results } of golden.cases) {
  test(`Keras: ${name}`, () => {
    const made = factories[metric](config);
    // Keras numbers names that it gave before.
    assert.is(made.name, defaultName.replace(/_\d+$/, ""));
    updates.forEach(({ yTrue, yPred, sampleWeight }, index) => {
      made.update(asTensor(yTrue), asTensor(yPred), { sampleWeight: sampleWeight && asTensor(sampleWeight) });
      const result = made.result();
      assert.is(typeof result, typeof results[index], `${result}`);
      assertClose(`after ${index + 1}`, [result].flat(), [results[index]].flat(), 1e-6, 0.1);
    });
    made.reset();
    const again = made.fresh();
    const { yTrue, yPred, sampleWeight } = updates[0];
    again.update(asTensor(yTrue), asTensor(yPred), { sampleWeight: sampleWeight && asTensor(sampleWeight) });
    assertClose("begun again", [again.result()].flat(), [results[0]].flat(), 1e-6, 0.1);
  });
}

for (const name of Object.keys(metricRegistry)) {
  test(`${name}: has a case`, () => {
    const present = name === "accuracy" || golden.cases.some(({ metric }) => metric === name);
    assert.ok(present, `metric ${name} needs a case in tests/golden/keras_metrics.py`);
  });
}

test("mean and sum of plain values", () => {
  const values = [
    [1, 3],
    [5, 7],
  ];
  assert.is(metrics.sum().update(values).result(), 16);
  assert.is(metrics.mean().update(values).result(), 4);
  assert.is(
    metrics
      .sum()
      .update(values, { sampleWeight: [1, 0] })
      .result(),
    4,
  );
  const mean = metrics
    .mean({ name: "latency" })
    .update(values, { sampleWeight: [1, 0] })
    .update([10, 10]);
  assert.is(mean.result(), 6);
  assert.is(mean.name, "latency");
  mean.reset();
  assert.is(mean.result(), 0);
  assert.throws(() => metrics.mean().update(values, { sampleWeight: [1, 2, 3] }), /sampleWeight/);
});

test("a loss as a metric, and what plain values cannot do", () => {
  const metric = metrics.meanMetricWrapper({ fn: losses.huber({ delta: 0.5 }) });
  assert.is(metric.name, "huber");
  const [yTrue, yPred] = [
    [[1], [0]],
    [[1], [2]],
  ];
  assert.is(metric.update(yTrue, yPred).result(), (0.5 * 2 - 0.125) / 2);
  const inModel = metrics.meanMetricWrapper({ fn: (t, p) => ops.subtract(t, p) });
  assert.throws(() => inModel.update(yTrue, yPred), /inside|model/);
  assert.throws(() => metrics.meanMetricWrapper({ fn: losses.dice() }), /row by row/);
  assert.throws(() => metrics.meanMetricWrapper({ fn: "mse" as never }), /function/);
});

test("options of metrics are checked", () => {
  assert.throws(() => metrics.auc({ curve: "XYZ" as never }), /ROC/);
  assert.throws(() => metrics.auc({ numThresholds: 1 }), /2 or more/);
  assert.throws(() => metrics.auc({ labelWeights: [1, 2] }).update([[1]], [[0.5]]), /labelWeights/);
  assert.throws(() => metrics.precision({ thresholds: [0.1, 2] }), /thresholds/);
  assert.throws(() => metrics.precision({ topK: 3 }).update([[1, 0]], [[0.5, 0.2]]), /topK/);
  assert.throws(() => metrics.recall({ classId: 2 }).update([[1, 0]], [[0.5, 0.2]]), /classId/);
  assert.throws(() => metrics.recall({ classId: -1 }), /classId/);
  assert.throws(() => metrics.f1Score({ average: "mean" as never }), /micro/);
  assert.throws(() => metrics.fBetaScore({ beta: 0 }), /beta/);
  assert.throws(() => metrics.r2Score({ classAggregation: "sum" as never }), /uniformAverage/);
  assert.throws(() => metrics.sensitivityAtSpecificity({} as never), /specificity/);
  assert.throws(() => metrics.sensitivityAtSpecificity(undefined as never), /options object/);
  assert.throws(() => metrics.sparseCategoricalCrossentropy().update([3], [[0.5, 0.5]]), /class numbers/);
  assert.throws(() => metrics.sparseCategoricalCrossentropy().update([[0, 1]], [[0.5, 0.5]]), /one-hot/);
});

test("topK counts the k most probable classes", () => {
  const found = metrics.sparseTopKCategoricalAccuracy({ k: 2 }).update([1, 2, 0, 2], probabilities).result();
  assert.is(found, 0.25);
});

test("thresholds, and metrics of values on class numbers", () => {
  assert.is(
    metrics
      .precision({ thresholds: 0.85 })
      .update([[1], [0]], [[0.9], [0.8]])
      .result(),
    1,
  );
  assert.throws(() => metrics.meanSquaredError().update([1, 2, 2, 0], probabilities), /class numbers/);
  assert.throws(
    () => metrics.recall().update([[1], [0]], [[1], [0]], { sampleWeight: [1] }),
    /first axes of \(2,\), got shape \(1,\)/,
  );
});

test.run();
