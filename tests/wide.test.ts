// configure({ wide: true }): the same numbers as without it, or a reason. Every other test runs on the wide kernels by
// `npm run test:wide`.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { configure, engineInfo, layers, sequential, tensor } from "../src/index.js";
import { prepareWide } from "../src/wasm/wide.js";

const reason = await prepareWide();

function uneven(length: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => Math.fround((((i * 7919) % 1009) - 504) / 400));
}

/** Predictions before and losses of six steps, for layers whose sizes leave remainders in every tile. */
async function figures(wide: boolean): Promise<number[]> {
  configure({ wide });
  const net = sequential([
    layers.gru({ units: 37, returnSequences: true, inputShape: [9, 13] }),
    layers.lstm({ units: 21, returnSequences: true }),
    layers.simpleRNN({ units: 17 }),
    layers.dense({ units: 3 }),
  ]);
  net.setWeights(
    net.getWeights().map(({ shape, size }) =>
      tensor(
        uneven(size).map((x) => x / 8),
        [...shape],
      ),
    ),
  );
  const x = tensor(uneven(23 * 9 * 13), [23, 9, 13]);
  const y = tensor(uneven(23 * 3), [23, 3]);
  const predicted = await net.predict(x, { batchSize: 23 });
  net.compile({ optimizer: "adam", loss: "meanSquaredError" });
  const losses: number[] = [];
  for (let i = 0; i < 6; i++) losses.push((await net.trainOnBatch(x, y)).loss);
  net.dispose();
  configure({ wide: false });
  return [...("data" in predicted ? predicted.data : []), ...losses];
}

test("the same numbers with and without wide kernels", async () => {
  const without = await figures(false);
  const withThem = await figures(true);
  assert.is(without.length, 23 * 3 + 6);
  without.forEach((x, i) => {
    assert.ok(Math.abs(x - withThem[i]) <= 1e-5, `${i}: ${x} and ${withThem[i]}`);
  });
});

test("engineInfo says whether they run, or why not", async () => {
  configure({ wide: true });
  const info = await engineInfo();
  configure({ wide: false });
  assert.is(info.wide, reason === "");
  assert.is(info.build === "wide", info.wide);
  assert.is(info.wideReason, info.wide ? undefined : reason);
  assert.is(info.wide, !(Number(process.versions.node.split(".")[0]) < 22 || process.arch !== "x64"));
});

test("not in deterministic mode", async () => {
  configure({ wide: true, deterministic: true });
  const info = await engineInfo();
  configure({ wide: false, deterministic: false });
  assert.is(info.build, "simd");
  assert.match(info.wideReason ?? "", "deterministic");
});

test("not asked for: no reason", async () => {
  assert.not("wideReason" in (await engineInfo()));
  assert.throws(() => configure({ wide: 1 as unknown as boolean }), /wide.*true or false/);
});

test.run();
