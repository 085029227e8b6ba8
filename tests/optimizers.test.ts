// Every optimizer's kernel against its rule in float64, at sizes with tails; clipping, slots, settings and options. Whole
// trainings against Keras' numbers: golden.test.ts.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { configure, layers, optimizers, sequential, tensor } from "../src/index.js";
import { Random } from "../src/random.js";
import type { Emit } from "../src/training/optimizers/optimizer.js";
import { registry as optimizerRegistry, resolveOptimizer } from "../src/training/resolveOptimizer.js";
import { type Engine, loadEngine } from "../src/wasm/engine.js";
import { assertClose, readGolden } from "./support.js";

const { sqrt, abs, max, sign } = Math;

/** One number of a weight through all steps: `s` is its state, zeros at first, `t` counts from 1, `rate` is the learning rate. */
type Rule = (w: number, g: number, s: number[], t: number, rate: number) => number;

const u = (t: number) => 0.9 * (1 - 0.5 * 0.96 ** t);
const product = (t: number): number => (t === 0 ? 1 : product(t - 1) * u(t));

/** Keras' rules, as its documentation writes them. */
const rules: Record<string, [optimizer: () => optimizers.Optimizer, rule: Rule][]> = {
  sgd: [
    [() => optimizers.sgd(), (w, g, _, __, rate) => w - rate * g],
    [
      () => optimizers.sgd({ momentum: 0.9, nesterov: true }),
      (w, g, s, _, rate) => {
        s[0] = 0.9 * s[0] - rate * g;
        return w + 0.9 * s[0] - rate * g;
      },
    ],
  ],
  rmsprop: [
    [
      () => optimizers.rmsprop({ momentum: 0.5, centered: true }),
      (w, g, s, _, rate) => {
        s[0] = 0.9 * s[0] + 0.1 * g * g;
        s[1] = 0.9 * s[1] + 0.1 * g;
        s[2] = 0.5 * s[2] + (rate * g) / sqrt(s[0] - s[1] * s[1] + 1e-7);
        return w - s[2];
      },
    ],
  ],
  adam: [[() => optimizers.adam(), adam]],
  adamw: [
    [
      () => optimizers.adamw({ weightDecay: 0.3 }),
      (w, g, s, t, rate) => adam(w - w * 0.3 * rate, g, s, t, rate),
    ],
  ],
  nadam: [
    [
      () => optimizers.nadam(),
      (w, g, s, t, rate) => {
        s[0] = 0.9 * s[0] + 0.1 * g;
        s[1] = 0.999 * s[1] + 0.001 * g * g;
        const m = (u(t + 1) * s[0]) / (1 - product(t + 1)) + ((1 - u(t)) * g) / (1 - product(t));
        return w - (rate * m) / (sqrt(s[1] / (1 - 0.999 ** t)) + 1e-7);
      },
    ],
  ],
  adamax: [
    [
      () => optimizers.adamax(),
      (w, g, s, t, rate) => {
        s[0] = 0.9 * s[0] + 0.1 * g;
        s[1] = max(0.999 * s[1], abs(g));
        return w - (rate * s[0]) / ((1 - 0.9 ** t) * (s[1] + 1e-7));
      },
    ],
  ],
  adagrad: [
    [
      () => optimizers.adagrad(),
      (w, g, s, t, rate) => {
        s[0] = (t === 1 ? 0.1 : s[0]) + g * g;
        return w - (rate * g) / sqrt(s[0] + 1e-7);
      },
    ],
  ],
  adadelta: [
    [
      () => optimizers.adadelta({ rho: 0.9 }),
      (w, g, s, _, rate) => {
        s[0] = 0.9 * s[0] + 0.1 * g * g;
        const step = (sqrt(s[1] + 1e-7) / sqrt(s[0] + 1e-7)) * g;
        s[1] = 0.9 * s[1] + 0.1 * step * step;
        return w - rate * step;
      },
    ],
  ],
  lion: [
    [
      () => optimizers.lion(),
      (w, g, s, _, rate) => {
        const step = sign(0.9 * s[0] + 0.1 * g);
        s[0] = 0.99 * s[0] + 0.01 * g;
        return w - rate * step;
      },
    ],
  ],
};

function adam(w: number, g: number, s: number[], t: number, rate: number): number {
  s[0] = 0.9 * s[0] + 0.1 * g;
  s[1] = 0.999 * s[1] + 0.001 * g * g;
  return w - (rate * (s[0] / (1 - 0.9 ** t))) / (sqrt(s[1] / (1 - 0.999 ** t)) + 1e-7);
}

const BEYOND = 777;

/** A weight of n numbers with its gradient and slots in linear memory, and an optimizer's calls on them. */
class Bench {
  readonly #engine: Engine;
  readonly #blocks: number[] = [];
  readonly #n: number;
  readonly weight: number;
  readonly gradient: number;
  readonly #slots: number[];
  readonly #hyper: number;

  constructor(engine: Engine, n: number, { initial, slots }: optimizers.Optimizer) {
    this.#engine = engine;
    this.#n = n;
    this.weight = this.#block(n, 0);
    this.gradient = this.#block(n, 0);
    this.#slots = slots.map((_, k) => this.#block(n, initial[k] ?? 0));
    this.#hyper = this.#block(16, 0);
  }

  #block(n: number, value: number): number {
    const address = this.#engine.memory.allocate(n * 4 + 16, "test");
    this.#blocks.push(address);
    this.#engine.memory.floats.fill(value, address / 4, address / 4 + n);
    this.#engine.memory.floats.fill(BEYOND, address / 4 + n, address / 4 + n + 4);
    return address;
  }

  read(address: number): Float32Array {
    return this.#engine.memory.floats.subarray(address / 4, address / 4 + this.#n);
  }

  step(optimizer: optimizers.Optimizer): void {
    this.#engine.memory.floats.set(optimizer.settings(), this.#hyper / 4);
    const emit = (kernel: string, ...args: number[]) => this.#engine.kernels[kernel](...args);
    const update = { weight: this.weight, gradient: this.gradient, slots: this.#slots, size: this.#n };
    optimizer.emit(emit as unknown as Emit, [update] as never, this.#hyper as never);
    optimizer.iterations++;
  }

  /** Nothing was written behind the end of a block. */
  checkEnds(): void {
    for (const address of [this.weight, this.gradient, ...this.#slots]) {
      const end = address / 4 + this.#n;
      assert.equal([...this.#engine.memory.floats.subarray(end, end + 4)], Array(4).fill(BEYOND));
    }
  }

  free(): void {
    for (const address of this.#blocks) this.#engine.memory.free(address);
  }
}

for (const deterministic of [true, false]) {
  for (const [name, variants] of Object.entries(rules)) {
    test(`${name}: twelve steps, sizes with tails (deterministic: ${deterministic})`, async () => {
      configure({ deterministic });
      const engine = await loadEngine();
      configure({ deterministic: false });
      for (const [make, rule] of variants) {
        for (const n of [1, 3, 4, 5, 17]) {
          const random = new Random(n);
          const optimizer = make();
          const bench = new Bench(engine, n, optimizer);
          const expected = Float32Array.from({ length: n }, () => random.normal());
          const weights = [...expected];
          const states = weights.map(() => [0, 0, 0]);
          bench.read(bench.weight).set(expected);
          for (let t = 1; t <= 12; t++) {
            // Gradients of very different sizes, one of them zero, and a rate that changes.
            const gradient = Float32Array.from({ length: n }, (_, i) =>
              i === 2 ? 0 : random.normal() * 4 ** (i % 7),
            );
            bench.read(bench.gradient).set(gradient);
            optimizer.learningRate = 0.01 * t;
            bench.step(optimizer);
            weights.forEach((w, i) => {
              weights[i] = rule(w, gradient[i], states[i], t, 0.01 * t);
            });
          }
          assertClose(`n ${n}`, bench.read(bench.weight), weights, 1e-6);
          bench.checkEnds();
          bench.free();
        }
      }
    });
  }
}

interface GoldenCase {
  name: string;
  optimizer: { className: string; config: Record<string, unknown> };
}

test("every optimizer of the registry has rules here and trainings by Keras: plain, clipped, with decay", () => {
  const { cases } = readGolden<{ cases: GoldenCase[] }>("keras_training.json");
  for (const [name, make] of Object.entries(optimizerRegistry)) {
    const { className } = make();
    const found = cases.filter(({ optimizer }) => optimizer.className === className);
    assert.ok(rules[name], `${name} has a rule`);
    for (const option of ["clipnorm", "clipvalue", "globalClipnorm", "weightDecay"]) {
      assert.ok(
        found.some(({ optimizer }) => option in optimizer.config),
        `${className} with ${option}`,
      );
    }
    assert.ok(
      found.some(({ optimizer }) => Object.keys(optimizer.config).join() === "learningRate"),
      `${className} alone`,
    );
  }
});

test("defaults are Keras'", () => {
  const rates = Object.entries(optimizerRegistry).map(([name, make]) => [name, make().learningRate]);
  const others = Object.keys(optimizerRegistry).filter((name) => name !== "sgd");
  assert.equal(Object.fromEntries(rates), {
    sgd: 0.01,
    ...Object.fromEntries(others.map((name) => [name, 0.001])),
  });
  assert.is(optimizers.adamw().config.weightDecay, 0.004);
  assert.equal(optimizers.adagrad().initial, [0.1]);
});

test("Keras' names are found in any spelling", () => {
  for (const make of Object.values(optimizerRegistry)) {
    const { className } = make();
    assert.is(resolveOptimizer("test", className).className, className);
    assert.is(resolveOptimizer("test", className.toLowerCase()).className, className);
  }
});

test("nadam's settings depend on the step alone, however it is reached", () => {
  const walked = optimizers.nadam();
  for (let step = 0; step < 30; step++) {
    walked.settings();
    walked.iterations++;
  }
  const jumped = optimizers.nadam();
  jumped.iterations = 30;
  assert.equal(jumped.settings(), walked.settings());
  walked.iterations = 3;
  jumped.iterations = 3;
  assert.equal(walked.settings(), jumped.settings());
  assert.equal(jumped.settings(), Object.assign(optimizers.nadam(), { iterations: 3 }).settings());
});

test("a limit of 0 is none, as in Keras", async () => {
  const engine = await loadEngine();
  for (const limit of ["clipnorm", "clipvalue", "globalClipnorm"] as const) {
    const optimizer = optimizers.sgd({ learningRate: 1, [limit]: 0 });
    const bench = new Bench(engine, 3, optimizer);
    bench.read(bench.gradient).set([1, -2, 3]);
    bench.step(optimizer);
    assert.equal([...bench.read(bench.weight)], [-1, 2, -3]);
    bench.free();
  }
});

test("slots begin with their numbers again when a model is compiled again", async () => {
  const made = sequential([layers.dense({ units: 3, inputShape: [5] })]);
  const before = made.getWeights();
  const x = tensor(new Float32Array(10).fill(1), [2, 5]);
  const runs: number[][] = [];
  for (let run = 0; run < 2; run++) {
    made.setWeights(before);
    made.compile({ optimizer: optimizers.adagrad({ learningRate: 0.1 }), loss: "meanSquaredError" });
    for (let step = 0; step < 3; step++) await made.trainOnBatch(x, tensor(new Float32Array(6), [2, 3]));
    runs.push([...made.getWeights()[0].data]);
  }
  assert.equal(runs[0], runs[1]);
  made.dispose();
});

const wrong: Record<string, [() => unknown, RegExp]> = {
  "adamw without decay": [
    () => optimizers.adamw({ weightDecay: null } as never),
    /optimizers.adamw: weightDecay: expected a number, got null/,
  ],
  "lion with beta1 0": [() => optimizers.lion({ beta1: 0 }), /optimizers.lion: beta1.*\(0, 1\], got 0/],
  "a beta of 1": [() => optimizers.nadam({ beta2: 1 }), /optimizers.nadam: beta2/],
  "a negative start": [
    () => optimizers.adagrad({ initialAccumulatorValue: -1 }),
    /optimizers.adagrad: initialAccumulatorValue/,
  ],
  "a rate that is no number": [() => optimizers.adamax({ learningRate: "0.1" as never }), /got '0.1'/],
};
for (const [name, [make, message]] of Object.entries(wrong)) {
  test(`refused: ${name}`, () => assert.throws(make, message));
}

test.run();
