// A training that ends at any moment, also by SIGKILL, goes on from its last backup with the bits of one that never ended.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  callbacks,
  input,
  layers,
  loadModel,
  model,
  optimizers,
  type SymbolicTensor,
  sequential,
  setRandomSeed,
  tensor,
  UnreelError,
} from "../src/index.js";
import { Random } from "../src/random.js";
import { registry as optimizerRegistry } from "../src/training/resolveOptimizer.js";
import { train } from "./killed.js";

const folder = mkdtempSync(join(tmpdir(), "unreel-backup-"));
test.after(() => rmSync(folder, { recursive: true }));

/** Breaks a training off after so many batches. */
function broken(after: number): callbacks.Callback {
  let batches = 0;
  return {
    onTrainBatchEnd() {
      if (++batches === after) throw new Error("broken off");
    },
  };
}

for (const optimizer of Object.keys(optimizerRegistry)) {
  test(`${optimizer}: broken off twice, ends with the same bits`, async () => {
    const whole = await train(undefined, optimizer);
    const backupDir = join(folder, optimizer);
    for (const after of [7, 20]) {
      const error = await train(backupDir, optimizer, [broken(after)]).catch(
        (thrown: Error) => thrown.message,
      );
      assert.is(error, "broken off");
      assert.equal(readdirSync(backupDir), ["latest.backup"]);
    }
    assert.ok((await train(backupDir, optimizer)) === whole, "other bits");
    assert.equal(readdirSync(backupDir), [], "the backup goes when the training has ended");
  });
}

/** Learns with states that go on from batch to batch, of layers of every kind that has them, the same one twice; ends with their bits. */
async function trainStateful(backupDir?: string, more: readonly callbacks.Callback[] = []) {
  setRandomSeed(23);
  const [BATCH, STEPS] = [2, 3];
  const x = input({ shape: [STEPS, 2], batchSize: BATCH });
  const twice = layers.gru({ units: 2, stateful: true, returnSequences: true });
  const inner = layers.lstm({ units: 2, stateful: true, returnSequences: true });
  const both = layers.bidirectional({ layer: inner });
  const stack = [layers.lstmCell({ units: 3 }), layers.simpleRNNCell({ units: 2 })];
  const loop = layers.rnn({ cell: stack, stateful: true });
  const y: SymbolicTensor = loop.apply(both.apply(twice.apply(twice.apply(x))));
  const made = model({ inputs: x, outputs: layers.dense({ units: 1 }).apply(y) });
  made.compile({ optimizer: optimizers.adam({ learningRate: 0.05 }), loss: "mse" });
  const samples = 16;
  const numbers = (count: number) =>
    Float32Array.from({ length: count }, (_, i) => ((i * i * 5 + i) % 11) / 5 - 1);
  const backup = backupDir === undefined ? [] : [callbacks.backupAndRestore({ backupDir, saveFreq: 3 })];
  await made.fit(
    tensor(numbers(samples * STEPS * 2), [samples, STEPS, 2]),
    tensor(numbers(samples), [samples, 1]),
    {
      epochs: 3,
      batchSize: BATCH,
      validationSplit: 0.25,
      verbose: 0,
      callbacks: [...backup, ...more],
    },
  );
  const weights = made.getWeights().map(({ data }) => [...data]);
  // What it predicts depends on the states that the training ended with.
  const next = await made.predict(tensor(numbers(BATCH * STEPS * 2), [BATCH, STEPS, 2]), { verbose: 0 });
  return JSON.stringify([weights, [...next.data]]);
}

test("states of layers: broken off in the middle of an epoch, ends with the same bits", async () => {
  const whole = await trainStateful();
  for (const after of [[4], [6, 3], [5, 6, 4]]) {
    const backupDir = join(folder, `stateful-${after.join("-")}`);
    for (const each of after) {
      const error = await trainStateful(backupDir, [broken(each)]).catch((thrown: Error) => thrown.message);
      assert.is(error, "broken off");
    }
    assert.ok((await trainStateful(backupDir)) === whole, `other bits after ${after}`);
  }
});

test("a backup of states that the model does not have is refused", async () => {
  const backupDir = join(folder, "states");
  const fitted = async (stateful: boolean, more: callbacks.Callback[]) => {
    const x = input({ shape: [3, 2], batchSize: 2 });
    const made = model({ inputs: x, outputs: layers.gru({ units: 2, stateful }).apply(x) });
    made.compile({ optimizer: "sgd", loss: "mse" });
    const data = tensor(new Float32Array(48).fill(0.5), [8, 3, 2]);
    const y = tensor(new Float32Array(16), [8, 2]);
    const backup = callbacks.backupAndRestore({ backupDir, saveFreq: 1 });
    await made.fit(data, y, { batchSize: 2, verbose: 0, callbacks: [backup, ...more] });
  };
  await fitted(true, [broken(2)]).catch(() => {});
  assert.match(await refusal(() => fitted(false, [])), /states of layers: expected \[\] numbers, got \[4\]/);
});

/** Runs the training as a process of its own; killed after so many milliseconds from its first batch on. */
function run(backupDir: string, optimizer: string, wait: number): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const program = new URL("killed.js", import.meta.url).pathname;
    const child = spawn(process.execPath, [program, backupDir, optimizer], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let text = "";
    let timer: NodeJS.Timeout | undefined;
    child.stdout.on("data", (chunk: Buffer) => {
      text += chunk;
      timer ??= setTimeout(() => child.kill("SIGKILL"), wait);
    });
    child.on("error", reject);
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      if (code !== 0 && signal !== "SIGKILL") reject(new Error(`ended with ${code}`));
      else resolve(/^bits (.*)$/m.exec(text)?.[1]);
    });
  });
}

// 50 by hand: UNREEL_KILLS=50.
const kills = Number(process.env.UNREEL_KILLS ?? 3);
test(`killed ${kills} times at random moments, no backup is lost`, async () => {
  const random = new Random(5);
  const optimizer = "rmsprop";
  const whole = await train(undefined, optimizer);
  let killed = 0;
  while (killed < kills) {
    const backupDir = join(folder, `killed-${killed}`);
    let bits: string | undefined;
    while (bits === undefined) {
      bits = await run(backupDir, optimizer, killed < kills ? 20 + random.integer(300) : 60_000);
      if (bits === undefined) killed++;
    }
    assert.ok(bits === whole, `other bits after ${killed} kills`);
  }
});

async function refusal(call: () => unknown): Promise<string> {
  const error = await Promise.resolve()
    .then(call)
    .then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
  assert.instance(error, UnreelError);
  return (error as Error).message;
}

test("a backup of something else, or half of one, is refused, and nothing is changed", async () => {
  const backupDir = join(folder, "other");
  await train(backupDir, "sgd", [broken(5)]).catch(() => {});
  assert.match(
    await refusal(() => train(backupDir, "adam")),
    /optimizer: expected Adam \(momentum, velocity\), got SGD/,
  );
  writeFileSync(join(backupDir, "latest.backup"), "half");
  assert.match(await refusal(() => train(backupDir, "sgd")), /latest\.backup: expected a whole backup/);
  assert.match(
    await refusal(() => callbacks.backupAndRestore({ backupDir: "" })),
    /backupDir: expected a folder/,
  );
  assert.match(await refusal(() => callbacks.backupAndRestore({ backupDir: "x", saveFreq: 0 })), /saveFreq/);
});

function small() {
  const model = sequential([layers.dense({ units: 1, inputShape: [2] })]);
  model.compile({ optimizer: optimizers.adam({ learningRate: 0.1 }), loss: "mse" });
  const x = tensor(
    Float32Array.from({ length: 16 }, (_, i) => (i % 5) - 2),
    [8, 2],
  );
  const y = tensor(
    Float32Array.from({ length: 8 }, (_, i) => i % 3),
    [8, 1],
  );
  return { model, x, y };
}

test("modelCheckpoint: each epoch, the best only, weights only, each few batches", async () => {
  setRandomSeed(3);
  const { model, x, y } = small();
  const place = (name: string) => join(folder, name);
  const each = callbacks.modelCheckpoint({ filepath: place("m-{epoch:02d}.keras") });
  const best = callbacks.modelCheckpoint({
    filepath: place("best.keras"),
    monitor: "loss",
    saveBestOnly: true,
  });
  const never = callbacks.modelCheckpoint({
    filepath: place("never.keras"),
    monitor: "loss",
    saveBestOnly: true,
    initialValueThreshold: -1,
  });
  const weights = callbacks.modelCheckpoint({ filepath: place("w.weights.h5"), saveWeightsOnly: true });
  const batches = callbacks.modelCheckpoint({ filepath: place("b-{epoch}-{batch}.keras"), saveFreq: 3 });
  await model.fit(x, y, {
    epochs: 3,
    batchSize: 4,
    verbose: 0,
    callbacks: [each, best, never, weights, batches],
  });
  const files = readdirSync(folder).filter((name) => /\.(keras|h5|tmp)$/.test(name));
  assert.equal(files.sort(), [
    "b-2-1.keras",
    "b-3-2.keras",
    "best.keras",
    "m-01.keras",
    "m-02.keras",
    "m-03.keras",
    "w.weights.h5",
  ]);
  const last = await loadModel(place("m-03.keras"));
  assert.equal(last.getWeights(), model.getWeights());
  await last.loadWeights(place("w.weights.h5"));
  assert.equal(last.getWeights(), model.getWeights());
  const second = await loadModel(place("m-02.keras"));
  await second.fit(x, y, { epochs: 3, initialEpoch: 2, batchSize: 4, verbose: 0 });
  assert.is(second.describe("test").training!.iterations, 6);
  assert.not.ok(existsSync(place("never.keras")));
  assert.match(await refusal(() => callbacks.modelCheckpoint({ filepath: "x.h5" })), /ends in '.keras'/);
  const strange = callbacks.modelCheckpoint({ filepath: place("{val_loss}.keras") });
  assert.match(
    await refusal(() => model.fit(x, y, { verbose: 0, callbacks: [strange] })),
    /names among loss, epoch, got 'val_loss'/,
  );
});

test.run();
