// Distributions of every initializer against Keras' own bounds; orthogonality, and its speed at 1,024 units; the generator.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { initializers } from "../src/index.js";
import type { Initializer } from "../src/layers/initializers.js";
import { logarithm } from "../src/numerics.js";
import { Random, threefry } from "../src/random.js";
import { loadEngine } from "../src/wasm/engine.js";
import { assertClose, readGolden } from "./support.js";

interface Case {
  name: string;
  config: Record<string, unknown>;
  shape: number[];
  mean: number;
  std: number;
  limit?: number;
}

const { cases } = readGolden<{ cases: Case[] }>("keras_initializers.json");
const factories = initializers as unknown as Record<string, (config: object) => Initializer>;

for (const { name, config, shape, mean, std, limit } of cases) {
  test(`${name} ${JSON.stringify(config)} [${shape}]`, () => {
    const values = factories[name]({ ...config, ...(takesSeed(name) ? { seed: 5 } : {}) }).draw(shape);
    const n = values.length;
    const found = values.reduce((sum, value) => sum + value, 0) / n;
    const spread = Math.sqrt(values.reduce((sum, value) => sum + (value - found) ** 2, 0) / n);
    // Five standard errors: a wrong fan or factor is far outside.
    const error = (5 * Math.max(std, 1e-7)) / Math.sqrt(n);
    assert.ok(Math.abs(found - mean) <= error, `mean ${found}, expected ${mean}`);
    assert.ok(
      Math.abs(spread - std) <= Math.max(error, 0.005 * std),
      `standard deviation ${spread}, expected ${std}`,
    );
    if (limit !== undefined) {
      const widest = values.reduce((widest, value) => Math.max(widest, Math.abs(value - mean)), 0);
      assert.ok(widest <= limit * (1 + 1e-6), `${widest} beyond ${limit}`);
      if (std > 0 && name !== "orthogonal") assert.ok(widest > 0.9 * limit, `${widest} far below ${limit}`);
    }
    assert.equal(factories[name]({ ...config, ...(takesSeed(name) ? { seed: 5 } : {}) }).draw(shape), values);
  });
}

function takesSeed(name: string): boolean {
  return !["zeros", "ones", "constant", "identity"].includes(name);
}

for (const shape of [
  [7, 7],
  [5, 17],
  [17, 5],
  [64, 256],
  [1024, 1024],
]) {
  test(`orthogonal [${shape}] has orthonormal rows or columns`, () => {
    const start = performance.now();
    const values = initializers.orthogonal({ seed: 3 }).draw(shape);
    const elapsed = performance.now() - start;
    const [rows, columns] = shape;
    const [count, length] = rows < columns ? [rows, columns] : [columns, rows];
    const element = (vector: number, i: number) =>
      rows < columns ? values[vector * columns + i] : values[i * columns + vector];
    const step = Math.max(1, Math.floor(count / 20));
    for (let a = 0; a < count; a += step) {
      for (let b = a; b < count; b += step) {
        let product = 0;
        for (let i = 0; i < length; i++) product += element(a, i) * element(b, i);
        assert.ok(Math.abs(product - (a === b ? 1 : 0)) < 1e-5, `${a} · ${b} = ${product}`);
      }
    }
    if (count === 1024) assert.ok(elapsed < 10_000, `${elapsed} ms`);
  });
}

test("the generator gives the published answers (Random123, threefry2x32, 20 rounds)", () => {
  const out = new Uint32Array(2);
  const known: [number[], number[], number[]][] = [
    [
      [0, 0],
      [0, 0],
      [0x6b200159, 0x99ba4efe],
    ],
    [
      [0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x1cb996fc, 0xbb002be7],
    ],
    [
      [0x13198a2e, 0x03707344],
      [0x243f6a88, 0x85a308d3],
      [0xc4923a9c, 0x483df7a0],
    ],
  ];
  for (const [key, counter, answer] of known) {
    threefry(out, 0, key[0], key[1], counter[0], counter[1]);
    assert.equal([...out], answer);
  }
});

test("the host's generator and the kernels' are one", async () => {
  const { memory, kernels } = await loadEngine();
  const block = memory.allocate(4 * 1024, "test");
  const seed = memory.allocate(8, "test");
  memory.integers.set([77, 3], seed / 4);
  kernels.uniform(block, 101, seed, 9);
  const found = memory.floats.slice(block / 4, block / 4 + 101);
  const random = new Random(3 * 2 ** 32 + 77, 9);
  const expected = Float32Array.from({ length: 101 }, () => (random.word() >>> 8) / 2 ** 24);
  assert.equal(found, expected);
  memory.free(block);
  memory.free(seed);
});

test("the host's logarithm is right to the last bits", () => {
  for (let x = 1e-300; x < 1e300; x *= 3.7) assertClose(`log ${x}`, [logarithm(x)], [Math.log(x)], 1e-15);
});

test("shuffles are permutations, and equal for equal seeds", () => {
  const order = () => new Random(11).shuffle(Uint32Array.from({ length: 1000 }, (_, i) => i));
  assert.equal(order(), order());
  assert.not.equal(
    [...order()],
    [...order()].sort((a, b) => a - b),
  );
  assert.equal(
    [...order()].sort((a, b) => a - b),
    [...Array(1000).keys()],
  );
});

test.run();
