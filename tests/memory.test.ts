// A long training allocates nothing that stays: neither in linear memory nor in JavaScript's heap. Node only, for its collector.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { engineInfo, layers, sequential, tensor } from "../src/index.js";
import { Random } from "../src/random.js";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

test("1,000 steps: linear memory does not grow after the first epoch, the heap stays within 1 MB", async () => {
  const random = new Random(1);
  const x = tensor(
    Int32Array.from({ length: 160 * 10 }, () => random.integer(20)),
    [160, 10],
  );
  const y = tensor(
    Float32Array.from({ length: 160 }, () => random.integer(2)),
    [160, 1],
  );
  const made = sequential([
    layers.embedding({ inputDim: 20, outputDim: 8, inputShape: [10] }),
    layers.lstm({ units: 8 }),
    layers.dropout({ rate: 0.2 }),
    layers.dense({ units: 1, activation: "sigmoid" }),
  ]);
  made.compile({ optimizer: "adam", loss: "binaryCrossentropy", metrics: ["accuracy"] });
  await made.fit(x, y, { batchSize: 32, epochs: 20, verbose: 0 });
  const before = await engineInfo();
  collect();
  const memory = () => process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers;
  const heap = memory();
  await made.fit(x, y, { batchSize: 32, epochs: 200, verbose: 0 });
  collect();
  const grown = memory() - heap;
  const after = await engineInfo();
  assert.is(after.memory, before.memory);
  // Less when models of other tests have been collected meanwhile.
  assert.ok(after.memoryUsed <= before.memoryUsed);
  assert.ok(grown < 2 ** 20, `the heap grew by ${grown} bytes`);
  made.dispose();
});

test.run();
