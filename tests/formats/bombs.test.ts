// Files that are made to cost much, or to run code: each is refused by name and place, within a second and 256 MB (fuzz.ts).
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { crc32, deflateRawSync } from "node:zlib";
import { strToU8, unzipSync, zipSync } from "fflate";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { readHdf5 } from "../../src/formats/hdf5.js";
import { lookup3 } from "../../src/formats/hdf5Bytes.js";
import { writeHdf5 } from "../../src/formats/hdf5Write.js";
import { encodeModel, type ModelProto, type Written } from "../../src/formats/onnx/proto.js";
import { parseJson } from "../../src/formats/place.js";
import {
  data,
  input,
  layers,
  loadModel,
  model,
  ops,
  sequential,
  torch,
  UnreelError,
} from "../../src/index.js";
import { root } from "../support.js";
import { cost } from "./fuzz.js";
import { newerHdf5 } from "./newerHdf5.js";

const entries = unzipSync(readFileSync(new URL("tests/formats/keras.zip", root)));
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const utf8 = (value: string) => new TextEncoder().encode(value);
const parts = unzipSync(entries["lstm.keras"]);
const repeat = <T>(count: number, make: (k: number) => T) => Array.from({ length: count }, (_, k) => make(k));

async function refused(act: () => Promise<unknown>, message: RegExp): Promise<void> {
  let error: unknown;
  await cost(
    () =>
      act().catch((thrown: unknown) => {
        error = thrown;
      }),
    String(message),
  );
  assert.instance(error, UnreelError, `not refused: ${message}`);
  assert.match((error as Error).message, message);
}

async function refusal(bytes: Uint8Array): Promise<string> {
  let found = "";
  await refused(
    () =>
      loadModel(bytes).catch((error: Error) => {
        found = error.message;
        throw error;
      }),
    /^loadModel: /,
  );
  return found;
}

test("bombs, wrong lengths and what holds code are refused by name and place", async () => {
  const parts = unzipSync(entries["lstm.keras"]);
  const config = (change: (config: string) => string) =>
    zipSync({ ...parts, "config.json": utf8(change(text(parts["config.json"]))) }, { level: 0 });
  const bomb = zipSync({ ...parts, "config.json": new Uint8Array(80 << 20) }, { level: 9 });
  assert.ok(bomb.length < 1 << 20);
  assert.match(await refusal(bomb), /bytes: config\.json: expected at most \d+ bytes unpacked, got 838\d+/);
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
    /config\.json: expected lists and objects at most 256 deep/,
  );
  assert.match(
    await refusal(zipSync({ "metadata.json": utf8("{}") })),
    /expected an entry 'config\.json', got none/,
  );
  assert.match(await refusal(entries["lstm.h5"].slice(0, 3000)), /bytes: expected a whole HDF5 file, got/);
  assert.match(await refusal(utf8("hello")), /a model file of a known kind, got other bytes/);
  assert.match(await refusal(Uint8Array.of(0x80, 4, 0x95, 0, 0, 0)), /known kind/);
});

// ---------------------------------------------------------------------------------------------------------------- archives

/** An archive of one entry, deflated, that claims to be so many bytes unpacked. */
function lying(name: string, content: Uint8Array, claimed: number): Uint8Array {
  const packed = deflateRawSync(content);
  const head = (signature: number, size: number, at: number) => {
    const bytes = Buffer.alloc(size);
    bytes.writeUInt32LE(signature, 0);
    bytes.writeUInt16LE(8, at - 6);
    bytes.writeUInt32LE(crc32(content.subarray(0, claimed)), at);
    bytes.writeUInt32LE(packed.length, at + 4);
    bytes.writeUInt32LE(claimed, at + 8);
    bytes.writeUInt16LE(name.length, at + 12);
    return Buffer.concat([bytes, Buffer.from(name)]);
  };
  const local = Buffer.concat([head(0x04034b50, 30, 14), packed]);
  const central = head(0x02014b50, 46, 16);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(local.length, 16);
  return new Uint8Array(Buffer.concat([local, central, end]));
}

test("an entry that unpacks to more, or less, than it claims", async () => {
  const much = new Uint8Array(2 ** 26);
  for (const name of ["config.json", "x.npy"]) {
    const bytes = lying(name, much, 1000);
    const read = () => (name === "x.npy" ? data.readNpz(bytes) : loadModel(bytes));
    await refused(read, /bytes: \S+: expected 1000 bytes unpacked, as the file tells, got more/);
  }
  await refused(
    () => data.readNpz(lying("x.npy", new Uint8Array(50), 60)),
    /x\.npy: expected 60 bytes .*, got 50/,
  );
});

test("arrays that unpack to far more than their file", async () => {
  const bytes = zipSync({ "x.npy": new Uint8Array(2 ** 26) }, { level: 9 });
  await refused(
    () => data.readNpz(bytes, { maxBytes: 2 ** 25 }),
    /x\.npy: expected at most 33554432 bytes unpacked, got 67108864\. .*option maxBytes/,
  );
  await refused(
    () => data.readNpz(lying("x.npy", new Uint8Array(50), 2 ** 30)),
    /x\.npy: expected at most \d{4} bytes unpacked, got 1073741824/,
  );
  await refused(
    () => data.readNpz(lying("x.npy", randomBytes(2 ** 21), 2 ** 30 + 1), {}),
    /x\.npy: expected at most 1073741824 bytes unpacked, got 1073741825/,
  );
});

test("one list of a pickle that stands for many", async () => {
  // An array of 100,000 items, each the same list of 100,000 zeros.
  const count = 100_000;
  const u32 = (n: number) => [n & 255, (n >> 8) & 255, n >> 16, 0];
  const short = (word: string) => [0x8c, word.length, ...strToU8(word)];
  const global = (module: string, name: string) => [0x63, ...strToU8(`${module}\n${name}\n`)];
  const list = [0x5d, 0x71, 0, 0x28, ...repeat(count, () => [0x4b, 0]).flat(), 0x65, 0x30];
  const pickle = [
    ...[0x80, 2, 0x28, ...list.slice(0, -1)],
    ...[0x5d, 0x71, 1, 0x28, ...repeat(count, () => [0x68, 0]).flat(), 0x65],
  ];
  const array = [
    ...[0x80, 2, ...global("numpy.core.multiarray", "_reconstruct"), ...global("numpy", "ndarray")],
    ...[0x4b, 0, 0x85, 0x43, 1, 0x62, 0x87, 0x52, 0x28, 0x4b, 1, 0x4a, ...u32(count), 0x85],
    ...[...global("numpy", "dtype"), ...short("O8"), 0x89, 0x88, 0x87, 0x52, 0x89],
    ...[
      0x5d,
      0x28,
      ...pickle.slice(3, 3 + list.length - 1),
      ...repeat(count - 1, () => [0x68, 0]).flat(),
      0x65,
    ],
    ...[0x74, 0x62, 0x2e],
  ];
  const header = `{'descr': '|O', 'fortran_order': False, 'shape': (${count},), }`.padEnd(117);
  const bytes = Uint8Array.from([
    0x93,
    ...strToU8("NUMPY"),
    1,
    0,
    118,
    0,
    ...strToU8(`${header}\n`),
    ...array,
  ]);
  await refused(() => data.readNpy(bytes), /expected at most 33554432 bytes unpacked, got/);
});

// -------------------------------------------------------------------------------------------------------------------- JSON

test("JSON that costs far more than it is long", () => {
  const message = (json: string) => {
    try {
      parseJson("x", json);
    } catch (error) {
      return (error as Error).message;
    }
    return "nothing";
  };
  assert.match(
    message(`[${"0,".repeat(2_000_001)}0]`),
    /x: expected at most 2000000 values in JSON, got more/,
  );
  assert.match(message(`[${"{},".repeat(400_000)}0]`), /at most 400000 lists and objects in JSON/);
  const names = repeat(400_001, (k) => `"${k}":0`).join(",");
  assert.match(message(`{${names}}`), /at most 400000 names in JSON/);
  assert.match(message(`${"[".repeat(257)}${"]".repeat(257)}`), /lists and objects at most 256 deep/);
  assert.match(message(" ".repeat((32 << 20) + 1)), /at most 33554432 characters of JSON, got 33554433/);
  // Marks in texts are none.
  assert.ok(Array.isArray(parseJson("x", `["${"[:,".repeat(3_000_000)}\\"", 1]`)));
});

test("a header of safetensors that lists tensors without end", async () => {
  const empty = { dtype: "F32", shape: [0], data_offsets: [0, 0] };
  const header = utf8(JSON.stringify(Object.fromEntries(repeat(300_000, (k) => [`t${k}`, empty]))));
  const bytes = new Uint8Array(8 + header.length);
  new DataView(bytes.buffer).setUint32(0, header.length, true);
  bytes.set(header, 8);
  await refused(() => torch.readSafetensors(bytes), /bytes: header: expected at most 400000 names in JSON/);
});

// ------------------------------------------------------------------------------------------------------------------ graphs

type Entry = Record<string, unknown>;

const object = (className: string, config: Entry): Entry => ({
  class_name: className,
  config,
  module: "keras.layers",
});
const start = object("InputLayer", { name: "x", batch_shape: [null, 3, 1], dtype: "float32" });
const inFile = (config: Entry) =>
  zipSync({ ...parts, "config.json": utf8(JSON.stringify(config)) }, { level: 0 });
const stack = (entries: readonly Entry[]) => object("Sequential", { name: "s", layers: [start, ...entries] });
const history = (name: string) => ({
  class_name: "__keras_tensor__",
  config: { shape: [null, 3, 1], dtype: "float32", keras_history: [name, 0, 0] },
});
/** Each called on what the one before gives. */
function chain(entries: readonly Entry[]): Entry {
  const nodes = entries.map((entry, k) => ({
    ...entry,
    name: `l${k}`,
    inbound_nodes: [{ args: [history(k === 0 ? "x" : `l${k - 1}`)], kwargs: {} }],
  }));
  return object("Functional", {
    name: "f",
    // The last stands first.
    layers: [{ ...start, name: "x", inbound_nodes: [] }, ...nodes].reverse(),
    input_layers: ["x", 0, 0],
    output_layers: [`l${entries.length - 1}`, 0, 0],
  });
}
const activation = (k: number) => object("Activation", { name: `l${k}`, activation: "tanh" });
const gru = (k: number) => object("GRU", { name: `l${k}`, units: 1, return_sequences: true });

test("thousands of layers are read, in any order, and many more refused", async () => {
  await loadModel(inFile(chain(repeat(10, activation))));
  await cost(() => loadModel(inFile(chain(repeat(2400, activation)))), "2400 layers");
  const most = /config\.json: layers.*: expected at most 5000 layers and calls of layers.*, got/;
  await refused(() => loadModel(inFile(stack(repeat(9000, activation)))), most);
  await refused(() => loadModel(inFile(chain(repeat(9000, activation)))), most);
  await refused(() => loadModel(inFile(stack(repeat(4000, gru)))), most);
});

test("models in each other that stand for more calls with every level", async () => {
  let inner = stack(repeat(9, activation));
  for (let level = 0; level < 8; level++) {
    const name = `m${level}`;
    const nodes = repeat(8, (k) => ({ args: [k === 0 ? history("x") : [history(name)]], kwargs: {} }));
    inner = object("Functional", {
      name: `f${level}`,
      layers: [
        { ...start, name: "x", inbound_nodes: [] },
        {
          ...inner,
          config: { ...(inner.config as Entry), name },
          name,
          inbound_nodes: nodes.map((node) => node),
        },
      ],
      input_layers: ["x", 0, 0],
      // Of a functional model the first call counts as 1 here.
      output_layers: [name, level === 0 ? 7 : 8, 0],
    });
    // The k-th call reads what the one before it gives.
    nodes.forEach((node, k) => {
      if (k > 0) {
        const [[tensor]] = node.args as unknown as { config: Entry }[][];
        tensor.config.keras_history = [name, k - 1, 0];
        (node as { args: unknown[] }).args = [tensor];
      }
    });
  }
  await refused(() => loadModel(inFile(inner)), /at most 5000 layers and calls of layers/);
});

test("a graph may be deeper than calls of functions can be", async () => {
  const x = input({ shape: [1] });
  let y = x;
  for (let k = 0; k < 20_000; k++) y = ops.tanh(y);
  assert.is(model({ inputs: x, outputs: y }).layers.length, 20_001);
});

// -------------------------------------------------------------------------------------------------------------------- HDF5

test("HDF5 of the newer form: many names, many attributes, long ones", async () => {
  assert.is(lookup3(utf8("Four score and seven years ago")), 0x17770551);
  const old = await writeHdf5({
    groups: new Map(
      [3, 40, 600].map((count) => [
        `g${count}`,
        {
          attributes: new Map<string, string | string[]>([
            ...repeat(count, (k): [string, string] => [`attribute ${k}`, `text ${k}`]),
            ["names", ["a", "bcd"]],
          ]),
          datasets: new Map(
            repeat(count, (k) => [`a dataset ${k}`, { shape: [2, 1], data: Float32Array.of(k, -k) }]),
          ),
        },
      ]),
    ),
  });
  const newer = await newerHdf5(old);
  assert.is(newer[8], 3);
  for (const bytes of [old, newer]) {
    await readHdf5("test", bytes, (file) => {
      assert.equal([...file.keys("")!].sort(), ["g3", "g40", "g600"]);
      for (const count of [3, 40, 600]) {
        assert.is(file.keys(`g${count}`)?.length, count);
        assert.equal(file.text(`g${count}`, "names"), ["a", "bcd"]);
        for (let k = 0; k < count; k++) {
          assert.is(file.text(`g${count}`, `attribute ${k}`), `text ${k}`);
          assert.equal([...file.floats(`g${count}/a dataset ${k}`, [2, 1])], [k, -k]);
        }
      }
      assert.is(file.text("g3", "other"), undefined);
    });
  }
  const wrong = newer.slice();
  wrong[40] ^= 1;
  await refused(
    () => readHdf5("test", wrong, () => 0),
    /a whole HDF5 file, got a wrong checksum of 48 bytes at byte 0/,
  );
});

test("HDF5 that unpacks to too much, was never written, or holds one dataset for many", async () => {
  const { default: h5wasm } = await import("h5wasm");
  const { FS } = await h5wasm.ready;
  for (const isNewer of [true, false]) {
    const libver = isNewer ? "latest" : ["earliest", "v110"];
    const file = new h5wasm.File("/bomb.h5", "w", { libver } as never);
    const numbers = new Float32Array(2 ** 18);
    const shape = [2 ** 18];
    file.create_dataset({ name: "plain", data: numbers, shape, dtype: "<f4" });
    file.create_dataset({ name: "chunks", data: numbers, shape, dtype: "<f4", chunks: [1024] });
    file.create_dataset({
      name: "packed",
      data: numbers,
      shape,
      dtype: "<f4",
      chunks: shape,
      compression: 9,
    });
    const large = { name: "large", data: new Float32Array(2 ** 24), shape: [2 ** 24], dtype: "<f4" };
    file.create_dataset({ ...large, chunks: [2 ** 20], compression: 9 });
    file.close();
    const bytes = (FS.readFile("/bomb.h5") as Uint8Array).slice();
    FS.unlink("/bomb.h5");
    const read = (path: string, times = 1) =>
      readHdf5("test", bytes, (each) => repeat(times, () => each.floats(path, shape)).length);
    assert.is(await read("plain", 5), 5);
    assert.is(await read("chunks", 5), 5);
    assert.is(await read("packed", 5), 5);
    const TOO_MUCH = /expected at most \d+ bytes unpacked, got/;
    for (const name of ["plain", "chunks", "packed"]) await refused(() => read(name, 100), TOO_MUCH);
    await refused(
      () => readHdf5("test", bytes, (each) => each.floats("large", large.shape)),
      /^test: large: expected at most \d+ bytes unpacked, got 67\d+/,
    );
    if (!isNewer) {
      // The sizes of a chunk, 1024 numbers of 4 bytes: as many as nobody has.
      const begin = [3, 2, 2];
      const layout = bytes.findIndex(
        (_, k) =>
          begin.every((byte, n) => bytes[k + n] === byte) && bytes[k + 12] === 4 && bytes[k + 15] === 4,
      );
      assert.ok(layout > 0);
      const wide = bytes.slice();
      wide.fill(255, layout + 11, layout + 15);
      const floats = () => readHdf5("test", wide, (each) => each.floats("chunks", shape));
      await refused(floats, /test: chunks: expected at most \d+ bytes unpacked, got 1717986\d+/);
    }
    // Where its numbers lie, there is nothing.
    const at = bytes.findIndex((_, k) => [0, 0, 16, 0, 0, 0, 0, 0].every((byte, n) => bytes[k + n] === byte));
    assert.ok(at > 8);
    if (!isNewer) {
      bytes.fill(0xff, at - 8, at);
      await refused(() => read("plain"), /expected a whole HDF5 file, got 1048576 bytes at byte/);
    }
  }
});

// -------------------------------------------------------------------------------------------------------------------- ONNX

const FLOATS = {
  tensorType: { elemType: 1, shape: { dim: [{ dimParam: "n" }, { dimValue: 4 }] } },
};
const node = (opType: string, inputs: string[], output: string) => ({
  opType,
  input: inputs,
  output: [output],
  name: `makes ${output}`,
  attribute: [],
  domain: "",
});

function onnx(nodes: readonly object[], sizes: readonly number[] = []): Promise<Uint8Array> {
  const size = { name: "s", dataType: 7, dims: [sizes.length], int64Data: [...sizes] };
  return encodeModel({
    irVersion: 8,
    opsetImport: [{ domain: "", version: 17 }],
    graph: {
      name: "g",
      node: [...nodes, node("Relu", ["x"], "y")],
      input: [{ name: "x", type: FLOATS }],
      output: [{ name: "y", type: FLOATS }],
      initializer: sizes.length > 0 ? [size] : [],
    },
  } as Written<ModelProto>);
}

test("ONNX: constants, sizes and nodes without end", async () => {
  const read = async (bytes: Promise<Uint8Array>) => {
    const file = await bytes;
    return () => loadModel(file, { format: "onnx" });
  };
  await (await read(onnx([node("ConstantOfShape", ["s"], "c")], [2 ** 20])))();
  const constants = repeat(40, (k) => node("ConstantOfShape", ["s"], `c${k}`));
  await refused(
    await read(onnx(constants, [2 ** 21])),
    /node 'makes c4'.*: expected constants: at most 33554432 bytes unpacked/,
  );
  for (const operator of ["Mul", "Add"]) {
    const doubled = repeat(40, (k) => node(operator, [`d${k}`, `d${k}`], `d${k + 1}`));
    await refused(
      await read(onnx([node("Shape", ["x"], "d0"), ...doubled])),
      /expected shape: sizes that 1000 characters can tell, got/,
    );
  }
  const long = repeat(9000, (k) => node("Relu", [k === 0 ? "x" : `v${k - 1}`], `v${k}`));
  await refused(await read(onnx(long)), /graph: expected at most 8000 nodes and initializers, got 9001/);
  // Nodes of a graph inside a node are nodes, too.
  const body = { name: "body", node: long, input: [], output: [], initializer: [] };
  const scan = { ...node("Scan", ["x"], "z"), attribute: [{ name: "body", type: 5, g: body }] };
  await refused(await read(onnx([scan])), /graph: expected at most 8000 nodes and initializers, got 9002/);
});

// ------------------------------------------------------------------------------------------------------------------ others

test("TensorFlow.js: a shard that stands for many", async () => {
  const { json, shards } = JSON.parse(readFileSync(new URL("tests/formats/tfjs.json", root), "utf8")).cases
    .dense;
  const files = Object.fromEntries(
    Object.entries(shards as Record<string, string>).map(([path, each]) => [
      path,
      new Uint8Array(Buffer.from(each, "base64")),
    ]),
  );
  const [group] = json.weightsManifest;
  group.paths = [...group.paths, group.paths[0]];
  await refused(
    () => loadModel(utf8(JSON.stringify(json)), { files }),
    /weightsManifest\[0\]: paths: expected every file once, got '.*' twice/,
  );
});

test("a name of any length is told in part", async () => {
  const long = inFile(object("Functional", { name: "f", layers: [object("x".repeat(100_000), {})] }));
  const message = await refusal(long);
  assert.match(message, /config\.json: .*x{100}/);
  assert.ok(message.length < 2000, `${message.length} characters`);
});

test("names that every object has are none of a class", async () => {
  const compiled = { ...stack([activation(0)]), compile_config: { loss: "mse" } };
  const bare = await loadModel(inFile(stack([activation(0)])));
  assert.is(bare.layers.length, 1);
  for (const name of ["__proto__", "constructor", "toString"]) {
    const optimizer = object(name, {});
    const rated = object("SGD", { learning_rate: object(name, {}) });
    const both: [Entry, RegExp][] = [
      [optimizer, /compile_config: optimizer: expected an optimizer that is known here/],
      [rated, /learning_rate: expected a schedule that is known here/],
    ];
    for (const [each, message] of both) {
      const file = inFile({ ...compiled, compile_config: { ...compiled.compile_config, optimizer: each } });
      await refused(() => loadModel(file), message);
    }
    await refused(() => loadModel(inFile(stack([object(name, {})]))), /a layer that is known here, got/);
  }
});

test("what is code is refused by name, wherever it stands", async () => {
  const custom = { ...object("Mine", {}), registered_name: "pack>Mine", module: "pack" };
  await refused(() => loadModel(inFile(stack([custom]))), /layers\[1\]: .*'pack>Mine', a custom object/);
  const lambda = { class_name: "__lambda__", config: { value: "x" } };
  const places: [Entry, RegExp][] = [
    [
      { ...gru(0), config: { ...(gru(0).config as Entry), activation: lambda } },
      /activation: .*a __lambda__/,
    ],
    [
      { ...gru(0), config: { ...(gru(0).config as Entry), kernel_initializer: lambda } },
      /kernelInitializer: .*a __lambda__/,
    ],
    [object("TimeDistributed", { name: "t", layer: object("Lambda", { name: "l" }) }), /layer: .*a Lambda/],
    [object("RNN", { name: "r", cell: object("MyCell", { units: 1 }) }), /cell: .*class 'MyCell'/],
  ];
  for (const [entry, message] of places) await refused(() => loadModel(inFile(stack([entry]))), message);
  const pickle = Uint8Array.from([0x80, 4, ...utf8("cos\nsystem\n(S'true'\ntR.")]);
  await refused(() => loadModel(pickle), /a model file of a known kind, got .*pickle/);
  await refused(() => loadModel(pickle, { format: "h5" }), /got .*pickle/);
  const stacked = sequential([layers.dense({ units: 1, inputShape: [1] })]);
  await refused(() => stacked.loadWeights(pickle), /a model file of a known kind/);
  const wasm = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
  await refused(() => loadModel(wasm), /a model file of a known kind/);
  await refused(() => loadModel(wasm, { format: "wasm" }), /expected a format that can be read, got 'wasm'/);
  await refused(
    async () => layers.dense({ units: 1, kernelInitializer: 5 as never }),
    /kernelInitializer: expected a name, got 5|kernelInitializer/,
  );
});

test.run();
