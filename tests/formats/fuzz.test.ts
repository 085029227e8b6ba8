// Damaged files of every format: whatever is done to one, it gives a model or an error of our own, soon (fuzz.ts).
import { readFileSync } from "node:fs";
import { unzipSync, zipSync } from "fflate";
import { test } from "uvu";
import { readNpy } from "../../src/data/npz.js";
import { readHdf5 } from "../../src/formats/hdf5.js";
import { data, loadModel, type Model, text, torch } from "../../src/index.js";
import type { Random } from "../../src/random.js";
import { readGolden, root } from "../support.js";
import { bytesOf, readFixture } from "./fixtures.js";
import { type Fuzzed, fuzz, KIND } from "./fuzz.js";
import { mutated, mutatedJson } from "./mutate.js";
import { newerHdf5 } from "./newerHdf5.js";

type Files = Record<string, Uint8Array>;

const entries = unzipSync(readFileSync(new URL("tests/formats/keras.zip", root)));
const repacked = unzipSync(readFileSync(new URL("tests/formats/hdf5.zip", root)));
const picked = (names: readonly string[]): Files =>
  Object.fromEntries(names.map((name) => [name, entries[name]]));
const decoded = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const utf8 = (value: string) => new TextEncoder().encode(value);

/** A change of one entry of an archive, whose checksums are right again. */
function inZip(entry: string, change: (bytes: Uint8Array, random: Random) => Uint8Array) {
  return (bytes: Uint8Array, random: Random) => {
    const parts = unzipSync(bytes);
    return zipSync({ ...parts, [entry]: change(parts[entry], random) }, { level: 0 });
  };
}

const inJson = (bytes: Uint8Array, random: Random) => utf8(mutatedJson(decoded(bytes), random));

const KERAS = picked([
  "lstm.keras",
  "masks_in_graphs.keras",
  "with_adam.keras",
  "nested_functional.keras",
  "bidirectional_rnn.keras",
]);
/** Of layers that PyTorch has. */
const STACKS = picked(["lstm.keras", "with_adam.keras"]);
const H5 = picked(["lstm.h5", "with_adam.h5", "encoder_decoder.h5"]);

async function changed(files: Files, change: (bytes: Uint8Array) => Promise<Uint8Array>): Promise<Files> {
  const made = Object.entries(files).map(async ([name, bytes]) => [name, await change(bytes)] as const);
  return Object.fromEntries(await Promise.all(made));
}

const newerWeights = (bytes: Uint8Array) => {
  const parts = unzipSync(bytes);
  return newerHdf5(parts["model.weights.h5"]).then((weights) =>
    zipSync({ ...parts, "model.weights.h5": weights }, { level: 0 }),
  );
};

/** A model with something of each kind beside it. */
async function withAssets(): Promise<Uint8Array> {
  const vectorizer = new text.TextVectorization({ outputSequenceLength: 4 });
  vectorizer.adapt(["a b c", "b c", "c"]);
  const scaler = new data.Normalization();
  scaler.adapt([[1], [3]]);
  const between = new data.MinMaxScaler();
  between.adapt([[1], [3]]);
  const bins = new data.Discretization({ binBoundaries: [0, 1] });
  const words = new data.StringLookup({ vocabulary: ["x", "y"] });
  const numbers = new data.IntegerLookup({ vocabulary: [5, 7] });
  const tokenizer = new text.Tokenizer({ numWords: 10 });
  tokenizer.fitOnTexts(["one two two"]);
  const assets = { vectorizer, scaler, between, bins, words, numbers, tokenizer };
  return (await loadModel(entries["lstm.keras"])).toBytes("keras", { assets });
}

// ----------------------------------------------------------------------------------------------------- weights, for a model

const models = new Map<string, Promise<Model>>();
const modelOf = (name: string) => {
  const known = models.get(name) ?? loadModel(entries[name]);
  models.set(name, known);
  return known;
};
const WEIGHTS = Object.fromEntries(
  ["lstm", "bidirectional_rnn"].map((name) => [
    `${name}.keras`,
    unzipSync(entries[`${name}.keras`])["model.weights.h5"],
  ]),
);
const readWeights = async (bytes: Uint8Array, name: string) => (await modelOf(name)).loadWeights(bytes);

// ------------------------------------------------------------------------------------------------------------ other formats

interface TfjsCase {
  json: unknown;
  shards: Record<string, string>;
}
const { cases: tfjs } = readFixture<{ cases: Record<string, TfjsCase> }>("tfjs.json");
const TFJS = ["embeddingLstm", "twoInputs", "nested", "compiled", "bidirectional"].filter(
  (name) => name in tfjs,
);
const shardsOf = (name: string): Files =>
  Object.fromEntries(Object.entries(tfjs[name].shards).map(([path, shard]) => [path, bytesOf(shard)]));
const topologies = Object.fromEntries(TFJS.map((name) => [name, utf8(JSON.stringify(tfjs[name].json))]));
const readTfjs = (bytes: Uint8Array, name: string) =>
  loadModel(bytes, { files: shardsOf(name), format: "tfjs" });

const TORCH = Object.fromEntries(
  readFixture<{ cases: { name: string; file: string }[] }>("torch_modules.json").cases.map(
    ({ name, file }) => [name, bytesOf(file)],
  ),
);

/** The header of a safetensors file changed by its structure, its length told rightly. */
function inHeader(bytes: Uint8Array, random: Random): Uint8Array {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const header = inJson(bytes.subarray(8, 8 + length), random);
  const out = new Uint8Array(bytes.length - length + header.length);
  new DataView(out.buffer).setUint32(0, header.length, true);
  out.set(header, 8);
  out.set(bytes.subarray(8 + length), 8 + header.length);
  return out;
}

const ONNX = Object.fromEntries(
  ["onnx_hand.json", "onnx_torch.json", "onnx_node.json"].flatMap((file) =>
    readFixture<{ cases: { name: string; model: string; refused?: string }[] }>(file)
      // Those that are refused as they are.
      .cases.filter(({ refused }) => refused === undefined)
      .map(({ name, model }) => [name, bytesOf(model)]),
  ),
);

const npy = readFixture<{ cases: { name: string; file: string }[]; npz: string }>("npy.json");
const NPY = Object.fromEntries(npy.cases.map(({ name, file }) => [name, bytesOf(file)]));
const { arrays } = readGolden<{ arrays: { lists: string } }>("keras_datasets.json");
/** Lists of integers: a pickle. */
const LISTS = bytesOf(arrays.lists);

const opened = (bytes: Uint8Array) => loadModel(bytes);

const KINDS: Record<string, () => Fuzzed | Promise<Fuzzed>> = {
  ".keras: bytes": () => ({ files: KERAS, damage: mutated, read: opened, oneOf: 2 }),
  ".keras: config": () => ({ files: KERAS, damage: inZip("config.json", inJson), read: opened, oneOf: 3 }),
  ".keras: weights": () => ({
    files: KERAS,
    damage: inZip("model.weights.h5", mutated),
    read: opened,
    oneOf: 8,
  }),
  ".keras: newer weights": async () => ({
    files: await changed(KERAS, newerWeights),
    damage: inZip("model.weights.h5", mutated),
    read: opened,
    oneOf: 8,
  }),
  ".keras: assets": async () => ({
    files: { "assets.keras": await withAssets() },
    damage: inZip("unreel.json", (bytes, random) =>
      (random.integer(4) === 0 ? mutated : inJson)(bytes, random),
    ),
    read: opened,
    oneOf: 3,
  }),
  ".h5": () => ({ files: H5, damage: mutated, read: opened, oneOf: 8 }),
  ".h5: newer": async () => ({
    files: await changed(H5, newerHdf5),
    damage: mutated,
    read: opened,
    oneOf: 8,
  }),
  // In chunks, compressed: with checksums around nearly all, or around the numbers alone.
  ".h5: repacked": () => ({
    files: { older: repacked["older/with_adam.h5"], newest: repacked["newest/with_adam.h5"] },
    damage: mutated,
    read: opened,
    oneOf: 8,
  }),
  "chunks of HDF5": () => ({
    files: { older: repacked["older/numbers.h5"], v110: repacked["v110/numbers.h5"] },
    damage: mutated,
    async read(bytes, form) {
      const wanted = JSON.parse(decoded(repacked[`${form}/numbers.json`])) as Record<
        string,
        { shape: number[] }
      >;
      await readHdf5("test", bytes, (file) => {
        for (const [name, { shape }] of Object.entries(wanted)) file.floats(name, shape);
      });
    },
    says: /^test\b/,
    oneOf: 20,
  }),
  ".weights.h5": () => ({
    files: WEIGHTS,
    damage: mutated,
    read: readWeights,
    says: /^\S+: loadWeights: bytes\b/,
    oneOf: 8,
  }),
  "tfjs: bytes": () => ({ files: topologies, damage: mutated, read: readTfjs, oneOf: 2 }),
  "tfjs: topology": () => ({ files: topologies, damage: inJson, read: readTfjs, oneOf: 3 }),
  "tfjs: shards": () => ({
    files: Object.fromEntries(TFJS.map((name) => [name, Object.values(shardsOf(name))[0]])),
    damage: mutated,
    read(bytes, name) {
      const [path] = Object.keys(shardsOf(name));
      return loadModel(topologies[name], { files: { ...shardsOf(name), [path]: bytes } });
    },
    oneOf: 4,
  }),
  "safetensors: bytes": () => ({
    files: TORCH,
    damage: mutated,
    read: (bytes) => torch.readSafetensors(bytes),
    says: /^torch.readSafetensors: bytes: /,
    oneOf: 3,
  }),
  "safetensors: header": async () => ({
    files: await changed(STACKS, async (bytes) => (await loadModel(bytes)).toBytes("safetensors")),
    damage: (bytes, random) => (random.integer(4) === 0 ? mutated : inHeader)(bytes, random),
    read: opened,
    oneOf: 2,
  }),
  onnx: () => ({
    files: ONNX,
    damage: mutated,
    read: (bytes) => loadModel(bytes, { format: "onnx" }),
    oneOf: 3,
  }),
  npz: () => ({
    files: { npz: bytesOf(npy.npz), stored: zipSync(NPY, { level: 0 }) },
    damage: mutated,
    read: (bytes) => data.readNpz(bytes),
    says: /^data.readNpz: /,
    oneOf: 3,
  }),
  "npy: a pickle": () => ({
    files: { lists: LISTS },
    damage: mutated,
    read: async (bytes) => readNpy("test", "x.npy", bytes),
    says: /^test: /,
    oneOf: 4,
  }),
  npy: () => ({
    files: NPY,
    damage: mutated,
    read: (bytes) => data.readNpy(bytes),
    says: /^data.readNpy: /,
    oneOf: 3,
  }),
};

for (const [kind, make] of Object.entries(KINDS)) {
  if (kind.startsWith(KIND)) test(`damaged files: ${kind}`, async () => fuzz(kind, await make()));
}

test.run();
