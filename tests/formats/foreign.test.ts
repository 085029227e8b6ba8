// Files that are no models: a message says what a file is and how a model is made of it. The beginnings of the files are those that
// torch 2.13, TensorFlow 2.20 and NumPy 2 write.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zipSync } from "fflate";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { callbacks, layers, loadModel, sequential, torch, UnreelError } from "../../src/index.js";

const folder = mkdtempSync(join(tmpdir(), "unreel-foreign-"));
test.after(() => rmSync(folder, { recursive: true }));
const bytes = (...values: (number | string)[]) =>
  Uint8Array.from(
    values.flatMap((each) => (typeof each === "string" ? [...Buffer.from(each, "latin1")] : [each])),
  );
const place = (name: string, content: Uint8Array) => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};

async function refusal(call: () => unknown): Promise<string> {
  const error = await Promise.resolve()
    .then(call)
    .then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
  assert.instance(error, UnreelError, String(error));
  return (error as Error).message;
}

function made() {
  const model = sequential([layers.dense({ units: 1, inputShape: [2] })]);
  model.compile({ optimizer: "adam", loss: "meanSquaredError" });
  return model;
}

const entry = new Uint8Array(3);
const files: Record<string, [name: string, content: Uint8Array, said: RegExp]> = {
  "a page": ["a.keras", bytes("\n<!DOCTYPE html><html>"), /got a page of HTML\. A server .*public\//],
  "a page with a byte order mark": ["model.json", bytes("\xef\xbb\xbf<html>"), /got a page of HTML/],
  "a server's answer": ["b.onnx", bytes("<?xml version='1.0'?><Error>"), /got a page of XML/],
  nothing: ["empty.onnx", bytes(), /got an empty file\. .*fetch it again/],
  "a pointer of Git LFS": ["lfs.h5", bytes("version https://git-lfs.github.com/spec/v1\n"), /git lfs pull/],
  "a gzipped file": ["m.keras.gz", bytes(0x1f, 0x8b, 8, 0, 0, 0), /got a gzipped file\. Unpack/],
  PyTorch: [
    "new.pt",
    zipSync({ "new/data.pkl": entry, "new/data/0": entry }),
    /PyTorch.*torch\.onnx\.export/,
  ],
  "PyTorch of old": [
    "old.bin",
    bytes(0x80, 2, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19),
    /PyTorch \(a pickle\).*torch\.loadStateDict/,
  ],
  "a pickle": [
    "a.pkl",
    bytes(0x80, 4, 0x95, 10, 0, 0, 0, 0, 0, 0, 0, "}"),
    /a pickle of Python\. .*any program/,
  ],
  "a SavedModel": [
    "saved_model.pb",
    bytes(8, 1, 0x12, 0xcd, 0x85, 4, 0x0a, 0x9c, 0x1c, 0x12),
    /TensorFlow's SavedModel\. .*model\.save\('model\.keras'\).*tf2onnx/,
  ],
  "TensorFlow Lite": ["m.tflite", bytes(0x1c, 0, 0, 0, "TFL3", 0x14, 0), /TensorFlow Lite\. .*--tflite/],
  "a checkpoint": ["x.index", bytes(0, 1, 2, 3), /a checkpoint of TensorFlow.*numbers alone/],
  "an array": ["a.npy", bytes(0x93, "NUMPY", 1, 0), /data\.readNpy/],
  arrays: ["a.npz", zipSync({ "x.npy": entry }), /data\.readNpz/],
  "a shard": ["group1-shard1of1.bin", new Uint8Array(40), /give the model\.json beside it/],
  "an archive around one": [
    "all.zip",
    zipSync({ "out/model.h5": entry }),
    /with 'out\/model\.h5'\. Unpack it/,
  ],
  "half an archive": [
    "half.keras",
    zipSync({ "config.json": new Uint8Array(99) }).slice(0, 80),
    /without its end/,
  ],
  "layers without weights": [
    "config.json",
    bytes('{"class_name": "Sequential", "config": {}}'),
    /modelTopology: .*model\.to_json\(\)/,
  ],
  "another JSON": ["package.json", bytes('{"name": "x"}'), /modelTopology: .*Is it the model\.json of/],
  "something else": ["a.csv", bytes("a,b\n"), /got other bytes\. Known are \.keras/],
};

for (const [what, [name, content, said]] of Object.entries(files)) {
  test(`loadModel of ${what}`, async () => {
    const path = place(name, content);
    const message = await refusal(() => loadModel(path));
    assert.match(message, said);
    assert.ok(message.includes(path), message);
    assert.match(await refusal(() => made().loadWeights(path)), name.endsWith(".json") ? /expected/ : said);
  });
}

test("an ONNX model of the first version is none of TensorFlow's", async () => {
  assert.match(await refusal(() => loadModel(bytes(8, 1, 0x12, 4, "CNTK"))), /model\.graph/);
});

test("a safetensors file may begin as a pickle or a gzipped file", async () => {
  const model = made();
  const whole = await model.toBytes("safetensors");
  const length = new DataView(whole.buffer, whole.byteOffset).getUint32(0, true);
  const pickle = [0x0280, 0x0380, 0x0480, 0x0580].find((each) => each >= length)!;
  for (const wanted of [pickle, 0x8b1f]) {
    const padded = new Uint8Array(whole.length + wanted - length).fill(0x20);
    new DataView(padded.buffer).setBigUint64(0, BigInt(wanted), true);
    padded.set(whole.subarray(8, 8 + length), 8);
    padded.set(whole.subarray(8 + length), 8 + wanted);
    assert.equal((await loadModel(padded)).getWeights(), model.getWeights());
  }
});

test("loadModel of a folder, of a path that is not there, of a promise", async () => {
  for (const [name, file] of [
    ["saved", "saved_model.pb"],
    ["web", "model.json"],
    ["other", "notes.txt"],
  ]) {
    mkdirSync(join(folder, name));
    place(join(name, file), bytes("{}"));
  }
  const saved = join(folder, "saved");
  assert.match(await refusal(() => loadModel(saved)), /SavedModel\. .*--saved-model .*saved --output/);
  assert.match(await refusal(() => loadModel(join(folder, "web"))), /Name the file: '.*web\/model\.json'/);
  assert.match(
    await refusal(() => loadModel(join(folder, "other"))),
    /a folder with notes\.txt\. Name a file/,
  );
  await made().save(join(folder, "mine.keras"));
  const typo = await refusal(() => loadModel(join(folder, "mein.keras")));
  assert.match(typo, /mein\.keras'\. ENOENT: there is no such file\. Did you mean 'mine\.keras'\?/);
  assert.match(
    await refusal(() => loadModel(join(folder, "no", "a.keras"))),
    /ENOENT: there is no folder '.*no\/'/,
  );
  assert.match(await refusal(() => loadModel("no/such.keras")), /ENOENT: there is no folder 'no\/'/);
  assert.match(await refusal(() => loadModel("nowhere.keras")), /no such file, seen from /);
  assert.match(await refusal(() => loadModel(Promise.resolve("x") as never)), /write await before it/);
  assert.match(await refusal(() => made().save(join(folder, "no", "a.keras"))), /its folder is not there/);
});

test("a page in the place of a shard is told as such, and a shard that is not there", async () => {
  const web = join(folder, "shards");
  mkdirSync(web);
  await made().save(join(web, "model.json"));
  const shard = join(web, readdirSync(web).find((name) => name.endsWith(".bin"))!);
  writeFileSync(shard, "<!doctype html>");
  const page = await refusal(() => loadModel(join(web, "model.json")));
  assert.match(page, /^loadModel: .*model\.json: expected the file 'group1.*' beside it, got a page of HTML/);
  rmSync(shard);
  assert.match(
    await refusal(() => loadModel(join(web, "model.json"))),
    /^loadModel: .*model\.json: .*shard1of1\.bin'/,
  );
  const inMemory = await refusal(() => loadModel(new Uint8Array(readFileSync(join(web, "model.json")))));
  assert.match(
    inMemory,
    /^loadModel: bytes: files: expected a file 'group1.* or the file in the option files\.$/,
  );
});

test("a model comes from an ArrayBuffer, a Blob and a picked file", async () => {
  const model = made();
  const whole = new Uint8Array(await model.toBytes("keras"));
  for (const source of [whole.buffer, new Blob([whole]), new File([whole], "picked.keras")]) {
    assert.equal((await loadModel(source)).getWeights(), model.getWeights());
  }
  const page = new File(["<html>"], "picked.keras");
  assert.match(await refusal(() => loadModel(page)), /^loadModel: picked\.keras: .*a page of HTML/);
});

test("torch.loadStateDict says what to do with PyTorch's own file", async () => {
  const path = place("state.pt", zipSync({ "state/data.pkl": entry }));
  const said = await refusal(() => torch.loadStateDict(made(), path));
  assert.match(
    said,
    /^torch\.loadStateDict: .*state\.pt: expected a safetensors file, got a file of PyTorch.*save_file/,
  );
});

test("a backup that is damaged, cut off or another model's is told by its file", async () => {
  const backupDir = join(folder, "run");
  const path = join(backupDir, "latest.backup");
  const fit = (model = made(), epochs = 2) =>
    model.fit([[1, 2]], [1], {
      epochs,
      verbose: 0,
      callbacks: [callbacks.backupAndRestore({ backupDir, deleteCheckpoint: false })],
    });
  await fit();
  const whole = new Uint8Array(readFileSync(path));
  const damaged = whole.map((value, at) => (at === 60 ? value ^ 255 : value));
  for (const [content, got] of [
    [whole.subarray(0, whole.length >> 1), /got \d+ bytes: /],
    [damaged, /bytes: .* in the place of bytes with the checksum/],
    [new Uint8Array(), /got an empty file/],
  ] as const) {
    writeFileSync(path, content);
    const message = await refusal(() => fit());
    assert.ok(message.startsWith(`callbacks.backupAndRestore: ${path}: expected a whole backup, `), message);
    assert.match(message, got);
    assert.match(message, /delete it to begin anew\.$/);
  }
  writeFileSync(path, whole);
  const other = made();
  other.compile({ optimizer: "sgd", loss: "meanSquaredError" });
  const message = await refusal(() => fit(other));
  assert.match(message, /latest\.backup: optimizer: expected SGD.*its own backupDir, or delete the file/);
  await fit(made(), 3);
  const file = place("taken", bytes("x"));
  const taken = () =>
    made().fit([[1, 2]], [1], { callbacks: [callbacks.backupAndRestore({ backupDir: file })] });
  assert.match(await refusal(taken), /backupDir: expected a folder, or a path where one can be made/);
  assert.match(
    await refusal(() => loadModel(path)),
    /the backup of a training\. callbacks\.backupAndRestore/,
  );
});

test.run();
