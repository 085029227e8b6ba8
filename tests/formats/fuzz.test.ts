// Damaged files: whatever is done to one, loadModel gives a model or an error of its own, soon, and nothing else.
// 20,000 of each kind by hand: UNREEL_MUTATIONS=20000.
import { readFileSync } from "node:fs";
import { unzipSync, zipSync } from "fflate";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { loadModel, UnreelError } from "../../src/index.js";
import { Random } from "../../src/random.js";
import { root } from "../support.js";
import { mutated, mutatedJson } from "./mutate.js";

const entries = unzipSync(readFileSync(new URL("tests/formats/keras.zip", root)));
const count = Number(process.env.UNREEL_MUTATIONS ?? 120);
const SOONEST = 1000;
const MOST = 256 << 20;

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const utf8 = (value: string) => new TextEncoder().encode(value);

interface Seen {
  opened: number;
  refused: number;
  slowest: number;
  memory: number;
}

async function attempt(bytes: Uint8Array, seen: Seen, what: string): Promise<void> {
  const start = performance.now();
  const before = process.memoryUsage();
  try {
    await loadModel(bytes);
    seen.opened++;
  } catch (error) {
    assert.instance(error, UnreelError, `${what}: ${(error as Error).stack}`);
    assert.match((error as Error).message, /^loadModel: /, what);
    assert.ok(
      (error as Error).message.length < 2000,
      `${what}: ${(error as Error).message.length} characters`,
    );
    seen.refused++;
  }
  const took = performance.now() - start;
  const after = process.memoryUsage();
  seen.slowest = Math.max(seen.slowest, took);
  seen.memory = Math.max(seen.memory, after.heapTotal + after.external - before.heapTotal - before.external);
}

async function many(
  names: readonly string[],
  damage: (bytes: Uint8Array, random: Random) => Uint8Array,
): Promise<Seen> {
  const seen: Seen = { opened: 0, refused: 0, slowest: 0, memory: 0 };
  await loadModel(entries[names[0]]);
  for (let k = 0; k < count; k++) {
    const name = names[k % names.length];
    await attempt(damage(entries[name], new Random(k)), seen, `${name}, seed ${k}`);
  }
  assert.ok(seen.slowest < SOONEST, `the slowest took ${seen.slowest} ms`);
  assert.ok(seen.memory < MOST, `${seen.memory} bytes more`);
  if (count > 1000) console.log(names.join(" "), seen);
  return seen;
}

const KERAS = [
  "lstm.keras",
  "masks_in_graphs.keras",
  "with_adam.keras",
  "nested_functional.keras",
  "bidirectional_rnn.keras",
];

test("damaged bytes of .keras", async () => {
  const { refused } = await many(KERAS, mutated);
  assert.ok(refused > count / 4, `${refused} refused`);
});

test("damaged config of .keras", async () => {
  const { refused } = await many(KERAS, (bytes, random) => {
    const parts = unzipSync(bytes);
    return zipSync(
      { ...parts, "config.json": utf8(mutatedJson(text(parts["config.json"]), random)) },
      { level: 0 },
    );
  });
  assert.ok(refused > count / 3, `${refused} refused`);
});

test("damaged weights of .keras", async () => {
  const { refused } = await many(KERAS, (bytes, random) => {
    const parts = unzipSync(bytes);
    return zipSync(
      { ...parts, "model.weights.h5": mutated(parts["model.weights.h5"], random) },
      { level: 0 },
    );
  });
  assert.ok(refused > count / 10, `${refused} refused`);
});

test("damaged bytes of .h5", async () => {
  const { refused } = await many(["lstm.h5", "with_adam.h5", "encoder_decoder.h5"], mutated);
  assert.ok(refused > count / 10, `${refused} refused`);
});

async function refusal(bytes: Uint8Array): Promise<string> {
  const error = await loadModel(bytes).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.instance(error, UnreelError);
  return (error as Error).message;
}

test("bombs, wrong lengths and what holds code are refused by name and place", async () => {
  const parts = unzipSync(entries["lstm.keras"]);
  const config = (change: (config: string) => string) =>
    zipSync({ ...parts, "config.json": utf8(change(text(parts["config.json"]))) }, { level: 0 });
  const bomb = zipSync({ ...parts, "config.json": new Uint8Array(80 << 20) }, { level: 9 });
  assert.ok(bomb.length < 1 << 20);
  assert.match(await refusal(bomb), /bytes: config\.json: expected at most \d+ bytes unpacked, got 8388\d+/);
  assert.match(
    await refusal(config((each) => each.replace('"class_name": "LSTM"', '"class_name": "Lambda"'))),
    /config\.json: layers\[1\]: .*a Lambda/,
  );
  assert.match(
    await refusal(config((each) => each.replace('"units": 4', '"units": 400000000'))),
    /layers\/lstm\/cell\/vars\/0: expected shape \(3, 1600000000\), got \(3, 16\)/,
  );
  assert.match(
    await refusal(config((each) => each.replace('"units": 4', '"units": "four"'))),
    /layers\[1\] \(LSTM\): lstm: units: expected a positive integer, got 'four'/,
  );
  assert.match(await refusal(config((each) => each.slice(0, 99))), /config\.json: expected JSON/);
  assert.match(
    await refusal(config(() => `${"[".repeat(100_000)}1${"]".repeat(100_000)}`)),
    /config\.json: expected lists and objects at most 2000 deep/,
  );
  assert.match(
    await refusal(zipSync({ "metadata.json": utf8("{}") })),
    /expected an entry 'config\.json', got none/,
  );
  assert.match(await refusal(entries["lstm.h5"].slice(0, 3000)), /bytes: expected a whole HDF5 file, got/);
  assert.match(await refusal(utf8("hello")), /a model file of a known kind, got other bytes/);
  assert.match(await refusal(Uint8Array.of(0x80, 4, 0x95, 0, 0, 0)), /known kind/);
});

test.run();
