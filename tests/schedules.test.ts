// Learning-rate schedules against Keras' numbers, what optimizers make of them, and the functions they are computed with.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { layers, optimizers, schedules, sequential } from "../src/index.js";
import { camelCase } from "../src/layers/options.js";
import { cosinePi, exponential, power } from "../src/numerics.js";
import { assertClose, readGolden } from "./support.js";

interface Case {
  name: string;
  className: string;
  config: Record<string, unknown>;
  rates: number[];
}

const { steps, cases } = readGolden<{ steps: number[]; cases: Case[] }>("keras_schedules.json");
const registry = schedules as Record<string, unknown> as Record<
  string,
  (config: object) => schedules.Schedule
>;

for (const { name, className, config, rates } of cases) {
  test(`Keras: ${name}`, () => {
    const schedule = registry[camelCase(className)](config);
    assert.is(schedule.className, className);
    steps.forEach((step, index) => {
      assertClose(`step ${step}`, [schedule.at(step)], [rates[index]], 1e-8, 1e-6);
    });
  });
}

test("every schedule of the registry has a case", () => {
  for (const name of Object.keys(registry)) {
    assert.ok(
      cases.some(({ className }) => camelCase(className) === name),
      name,
    );
  }
});

test("restarts come at their steps, also where a logarithm would miss them", () => {
  const schedule = schedules.cosineDecayRestarts({ initialLearningRate: 1, firstDecaySteps: 1, mMul: 0.5 });
  for (let period = 0; period < 40; period++) {
    assertClose(`restart ${period}`, [schedule.at(2 ** period - 1)], [0.5 ** period], 1e-15, 1e-15);
  }
});

test("the first step has the rate of step 0, the next that of step 1", async () => {
  const model = sequential([layers.dense({ units: 1, useBias: false, inputShape: [1] })]);
  const learningRate = schedules.inverseTimeDecay({ initialLearningRate: 0.5, decaySteps: 1, decayRate: 1 });
  const optimizer = optimizers.sgd({ learningRate });
  model.setWeights([[[0]]]);
  model.compile({ optimizer, loss: "meanAbsoluteError" });
  let expected = 0;
  for (let at = 0; at < 4; at++) {
    assertClose("rate", [optimizer.learningRate], [0.5 / (1 + at)], 1e-15);
    await model.trainOnBatch([[1]], [[100]]);
    expected += 0.5 / (1 + at);
    assertClose(`weight after step ${at}`, model.getWeights()[0].data, [expected], 1e-6);
  }
  model.dispose();
});

test("a schedule is replaced by another, never by a number; a number by either", () => {
  const learningRate = schedules.inverseTimeDecay({ initialLearningRate: 0.5, decaySteps: 1, decayRate: 1 });
  const optimizer = optimizers.sgd({ learningRate });
  assert.throws(() => {
    optimizer.learningRate = 0.1;
  }, /optimizers.sgd: learningRate: expected a schedule.*InverseTimeDecay.*got 0.1/);
  optimizer.learningRate = { className: "Mine", config: {}, at: () => 0.25 };
  assert.is(optimizer.learningRate, 0.25);
  optimizer.learningRate = { className: "Mine", config: {}, at: () => Number.NaN };
  assert.throws(() => optimizer.learningRate, /optimizers.sgd: Mine, step 0: expected a number.*got NaN/);
  const other = optimizers.adam();
  other.learningRate = 0.5;
  assert.is(other.learningRate, 0.5);
  assert.throws(() => {
    other.learningRate = -1;
  }, /optimizers.adam: learningRate/);
});

const wrong: Record<string, [() => unknown, RegExp]> = {
  "no steps": [
    () => schedules.exponentialDecay({ initialLearningRate: 1, decaySteps: 0, decayRate: 1 }),
    /schedules.exponentialDecay: decaySteps: expected a number above 0, got 0/,
  ],
  "nothing given": [
    () => schedules.cosineDecay({} as never),
    /schedules.cosineDecay: initialLearningRate: expected a number, got undefined/,
  ],
  "too few values": [
    () => schedules.piecewiseConstantDecay({ boundaries: [1, 2], values: [1, 2] }),
    /2 boundaries and 2 values/,
  ],
  "boundaries out of order": [
    () => schedules.piecewiseConstantDecay({ boundaries: [2, 1], values: [1, 2, 3] }),
    /rising order, got \[2, 1\]/,
  ],
  "shrinking periods": [
    () => schedules.cosineDecayRestarts({ initialLearningRate: 1, firstDecaySteps: 1, tMul: 0.5 }),
    /tMul/,
  ],
  "an unknown option": [
    () => schedules.polynomialDecay({ initialLearningRate: 1, decaySteps: 5, powr: 2 } as never),
    /Did you mean 'power'/,
  ],
};
for (const [name, [make, message]] of Object.entries(wrong)) {
  test(`refused: ${name}`, () => assert.throws(make, message));
}

test("exponential, power and cosine are right to the last bits", () => {
  for (let x = -700; x < 700; x += 0.37)
    assertClose(`exp ${x}`, [exponential(x)], [Math.exp(x)], 1e-15, 1e-320);
  for (let x = -3; x < 3; x += 0.01) assertClose(`exp ${x}`, [exponential(x)], [Math.exp(x)], 4e-16, 1e-3);
  assert.equal([exponential(0), exponential(-800), exponential(800)], [1, 0, Number.POSITIVE_INFINITY]);
  for (let base = 0.013; base < 20; base *= 1.3) {
    for (let exponent = -3; exponent < 3; exponent += 0.13) {
      assertClose(`${base}^${exponent}`, [power(base, exponent)], [base ** exponent], 1e-14, 1e-30);
    }
  }
  assert.equal(
    [power(3, 4), power(2, -3), power(0, 0), power(0, 0.5), power(0.5, 1)],
    [81, 0.125, 1, 0, 0.5],
  );
  for (let x = -5; x < 5; x += 0.01) {
    assertClose(`cos ${x}`, [cosinePi(x)], [Math.cos(Math.PI * x)], 4e-15, 1);
  }
  assert.equal(
    [0, 0.5, 1, 1.5, 2, -1].map((x) => cosinePi(x) + 0),
    [1, 0, -1, 0, 1, -1],
  );
});

test.run();
