// The files that callbacks write: csvLogger's lines, and tensorBoard's event files, byte by byte.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { callbacks, layers, type Model, optimizers, sequential, tensor } from "../src/index.js";
import { maskedCrc, record, scalarEvent, versionEvent } from "../src/training/callbacks/eventFile.js";

function learner(): Model {
  const made = sequential([layers.dense({ units: 1, inputShape: [1], kernelInitializer: "zeros" })]);
  made.compile({ optimizer: optimizers.sgd(), loss: "meanSquaredError", metrics: ["mae"] });
  return made;
}
const x = tensor([1, 2, 3, 4], [4, 1]);
const y = x;
const plain = { batchSize: 2, verbose: 0, shuffle: false } as const;

/** A directory that is gone after the work. */
async function inDirectory(work: (directory: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "unreel-"));
  try {
    await work(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

test("csvLogger writes what Keras' writes", () =>
  inDirectory(async (directory) => {
    const filename = join(directory, "log.csv");
    const read = () => readFileSync(filename, "utf8").replace(/\d+\.\d+(e-\d+)?/g, "#");
    const made = learner();
    writeFileSync(filename, "of an older training");
    await made.fit(x, y, { ...plain, epochs: 2, callbacks: [callbacks.csvLogger({ filename })] });
    const alone = "epoch,loss,mae,val_loss,val_mae\r\n0,#,#,NA,NA\r\n1,#,#,NA,NA\r\n";
    assert.is(read(), alone);
    const options = { ...plain, initialEpoch: 2, epochs: 3, validationData: [x, y] as const };
    await made.fit(x, y, { ...options, callbacks: [callbacks.csvLogger({ filename, append: true })] });
    assert.is(read(), `${alone}2,#,#,#,#\r\n`);
    const logger = callbacks.csvLogger({ filename, separator: ";" });
    await made.fit(x, y, { ...options, callbacks: [logger] });
    assert.is(read(), "epoch;loss;mae;val_loss;val_mae\r\n2;#;#;#;#\r\n");
    await logger.onEpochEnd!(3, { mae: 1e-9, loss: Number.NaN }, {} as callbacks.TrainingRun);
    assert.match(readFileSync(filename, "utf8"), /3;NaN;1e-9;NA;NA\r\n$/);
    try {
      await made.fit(x, y, {
        ...plain,
        callbacks: [callbacks.csvLogger({ filename: `${directory}/no/log` })],
      });
      assert.unreachable();
    } catch (error) {
      assert.match((error as Error).message, /callbacks.csvLogger: filename: expected a file.*ENOENT/);
    }
    made.dispose();
  }));

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

test("events and records are those of TensorBoard 2.21's own writer, byte for byte", () => {
  const utf8 = new TextEncoder();
  assert.is(maskedCrc(utf8.encode("123456789")), 0xc78ab0e5);
  assert.is(maskedCrc(new Uint8Array()), 0xa282ead8);
  assert.is(hex(record(utf8.encode("123456789"))), "090000000000000037f97139313233343536373839e5b08ac7");
  assert.is(hex(versionEvent(1234.5)), "0900000000004a93401a0d627261696e2e4576656e743a32");
  assert.is(
    hex(scalarEvent(1234.5, 300, "epoch_loss", 0.25)),
    "0900000000004a934010ac022a270a250a0a65706f63685f6c6f7373420a080112002a040000803e4a0b0a090a077363616c617273",
  );
});

/** Tags and steps of an event file, every record checked. */
function events(directory: string): string[] {
  const found: string[] = [];
  for (const name of readdirSync(directory)) {
    assert.match(name, /^events\.out\.tfevents\.\d{10}\./);
    const bytes = new Uint8Array(readFileSync(join(directory, name)));
    const view = new DataView(bytes.buffer);
    for (let at = 0; at < bytes.length; ) {
      const length = view.getUint32(at, true);
      assert.is(view.getUint32(at + 8, true), maskedCrc(bytes.subarray(at, at + 8)));
      const data = bytes.subarray(at + 12, at + 12 + length);
      assert.is(view.getUint32(at + 12 + length, true), maskedCrc(data));
      const [, tag] = /([a-z]+_[a-z_]+)B/.exec(Buffer.from(data).toString("latin1")) ?? [];
      if (tag) found.push(`${tag} ${data[10]}`);
      else assert.match(Buffer.from(data).toString("latin1"), "brain.Event:2");
      at += 16 + length;
    }
  }
  return found;
}

test("tensorBoard writes Keras' tags into train/ and validation/", () =>
  inDirectory(async (directory) => {
    const made = learner();
    const logDir = join(directory, "deep", "logs");
    const options = { ...plain, epochs: 2, validationData: [x, y] as const };
    await made.fit(x, y, { ...options, callbacks: [callbacks.tensorBoard({ logDir })] });
    const epoch = (at: number) => ["loss", "mae", "learning_rate"].map((name) => `epoch_${name} ${at}`);
    assert.equal(events(join(logDir, "train")), [...epoch(0), ...epoch(1)]);
    const validation = (at: number) => [
      ...["loss", "mae"].map((name) => `evaluation_${name}_vs_iterations ${2 * at + 2}`),
      ...["loss", "mae"].map((name) => `epoch_${name} ${at}`),
    ];
    assert.equal(events(join(logDir, "validation")), [...validation(0), ...validation(1)]);

    const often = { logDir: `${logDir}2`, updateFreq: 3, writeStepsPerSecond: true };
    await made.fit(x, y, { ...plain, epochs: 3, callbacks: [callbacks.tensorBoard(often)] });
    const batch = (at: number) => ["steps_per_second", "loss", "mae"].map((name) => `batch_${name} ${at}`);
    const withSpeed = (at: number) => [...epoch(at), `epoch_steps_per_second ${at}`];
    assert.equal(events(join(often.logDir, "train")), [
      ...withSpeed(0),
      ...batch(3),
      ...withSpeed(1),
      ...batch(6),
      ...withSpeed(2),
    ]);
    assert.equal(readdirSync(often.logDir), ["train"]);
    made.dispose();
  }));

test.run();
