// ONNX files that are wrong by hand, or ask for too much: each is refused by its place. Files changed at random: fuzz.test.ts.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { encodeModel, type ModelProto, type Written } from "../../src/formats/onnx/proto.js";
import { readOnnx } from "../../src/formats/onnx/read.js";
import { loadModel, UnreelError } from "../../src/index.js";

/** Nothing lies beside these models. */
const alone = async (): Promise<never> => {
  throw new Error("a file beside the model was asked for");
};
/** A second, or more where the machine has other things to do. */
const LONGEST = 1000 * Number(process.env.UNREEL_PATIENCE ?? 3);

async function tried(act: () => Promise<unknown>, what: string): Promise<boolean> {
  const begin = performance.now();
  let wasRead = true;
  try {
    await act();
  } catch (error) {
    if (!(error instanceof UnreelError)) throw new Error(`${what}: ${(error as Error).stack}`);
    wasRead = false;
  }
  const took = performance.now() - begin;
  assert.ok(took < LONGEST, `${what}: ${took} ms`);
  return wasRead;
}

async function refused(model: Written<ModelProto> | Uint8Array, pattern: RegExp): Promise<void> {
  const bytes = model instanceof Uint8Array ? model : await encodeModel(model);
  let message = "nothing was refused";
  const wasRead = await tried(async () => {
    try {
      // Not by loadModel, which gives every error a type.
      await readOnnx(bytes, "bytes", alone);
    } catch (error) {
      message = (error as Error).message;
      throw error;
    }
  }, String(pattern));
  assert.not(wasRead, message);
  assert.match(message, pattern);
}

const FLOATS = (dims: (number | string)[]) => ({
  tensorType: {
    elemType: 1,
    shape: { dim: dims.map((d) => (typeof d === "number" ? { dimValue: d } : { dimParam: d })) },
  },
});
const whole = (graph: object, more: object = {}): Written<ModelProto> => ({
  irVersion: 8,
  opsetImport: [{ domain: "", version: 17 }],
  ...more,
  graph: {
    name: "g",
    input: [{ name: "x", type: FLOATS(["n", 4]) }],
    output: [{ name: "y", type: FLOATS(["n", 4]) }],
    ...graph,
  } as Written<ModelProto>["graph"],
});
const node = (opType: string, input: string[], more: object = {}) => ({
  opType,
  input,
  output: ["y"],
  name: "the node",
  attribute: [],
  domain: "",
  ...more,
});
const ints = (name: string, values: number[]) => ({
  name,
  dataType: 7,
  dims: [values.length],
  int64Data: values,
});

test("an output that has its samples among others on a later axis is refused: a size may only look like theirs", async () => {
  const turned = [
    { ...node("Transpose", ["x"]), output: ["t"], attribute: [{ name: "perm", type: 7, ints: [1, 2, 0] }] },
    node("Reshape", ["t", "s"]),
  ];
  const made = (sizes: number[]) =>
    whole({
      node: turned,
      input: [{ name: "x", type: FLOATS([2, 2, 4]) }],
      initializer: [ints("s", sizes)],
    });
  await refused(made([2, -1]), /output 'y': expected samples on an axis of their own.*dynamic_axes/);
});

test("every place where a file can be wrong is told", async () => {
  const relu = node("Relu", ["x"]);
  await refused(new Uint8Array(), /bytes: model.graph: expected a graph/);
  await refused(
    Uint8Array.of(8, 8, 0x3a, 0x7f, 1),
    /model.graph: expected at most 1 bytes, got a length of 127/,
  );
  await refused(Uint8Array.of(8, 8, 0x3d, 1, 2, 3, 4), /model.graph: expected bytes, got 32 bits/);
  await refused(whole({ node: [relu] }, { irVersion: 2 }), /irVersion.*got 2/);
  await refused(
    whole({ node: [relu] }, { opsetImport: [{ domain: "", version: 6 }] }),
    /opset 7 or later, got 6/,
  );
  await refused(whole({ node: [relu] }, { functions: [new Uint8Array(2)] }), /functions/);
  await refused(
    whole({ node: [{ ...relu, domain: "com.microsoft" }] }),
    /node 'the node' \(Relu\).*'com.microsoft'/,
  );
  await refused(
    whole({ node: [node("Relu", ["z"])] }),
    /^bytes: node 'the node' \(Relu\): expected value 'z': a node before that makes it, got none$/,
  );
  // In a graph inside a node.
  const body = (more: object) => ({
    name: "body",
    g: {
      name: "inside",
      input: [{ name: "s" }, { name: "now" }],
      output: [{ name: "s" }, { name: "y" }],
      node: [{ ...node("Relu", ["now"]), name: "inner", ...more }],
    },
  });
  const attribute = [{ name: "num_scan_inputs", i: 1 }, body({ opType: "Foo" })];
  await refused(
    whole({
      node: [node("Scan", ["h", "x"], { output: ["q", "y"], attribute })],
      input: [
        { name: "h", type: FLOATS(["n", 4]) },
        { name: "x", type: FLOATS(["t", "n", 4]) },
      ],
    }),
    /^bytes: node 'the node' \(Scan\): node 'inner' \(Foo\): expected an operator that/,
  );
  await refused(whole({ node: [node("Relu", [])] }), /an input 0/);
  await refused(whole({ node: [relu], output: [{ name: "q" }] }), /output 'q'/);
  await refused(whole({ node: [relu], input: [{ name: "x" }] }), /input 'x'.*a tensor/);
  await refused(
    whole({
      node: [relu],
      input: [{ name: "x", type: { tensorType: { elemType: 8, shape: { dim: [{}] } } } }],
    }),
    /input 'x'.*string/,
  );
  const outside = (location: string, more: object = {}) => ({
    name: "w",
    dataType: 1,
    dims: [4],
    externalData: Object.entries({ location, ...more }).map(([key, value]) => ({ key, value })),
    dataLocation: 1,
  });
  for (const path of ["../../etc/passwd", "/etc/passwd", "a/../../b", "C:\\b", "http://host/b", ""]) {
    await refused(
      whole({ node: [node("Add", ["x", "w"])], initializer: [outside(path)] }),
      /initializer 'w': external data: expected a file beside the model or below it/,
    );
  }
  await refused(
    whole({ node: [node("Add", ["x", "w"])], initializer: [outside("w.bin", { offset: "-4" })] }),
    /an offset and a length in bytes, got -4, 16/,
  );
  const short = { name: "w", dataType: 1, dims: [4], rawData: new Uint8Array(12) };
  await refused(
    whole({ node: [node("Add", ["x", "w"])], initializer: [short] }),
    /initializer 'w'.*16 bytes for shape \[4\], got 12/,
  );
  await refused(
    whole({ node: [node("Add", ["x", "w"])], initializer: [{ ...short, dims: [-4] }] }),
    /shape of sizes.*\[-4\]/,
  );
  await refused(
    whole({ node: [node("Add", ["x", "w"])], initializer: [{ ...short, dims: [2 ** 40, 2 ** 40] }] }),
    /shape/,
  );
  await refused(
    whole({ node: [node("Add", ["x", "w"])], initializer: [{ ...short, dataType: 8 }] }),
    /string/,
  );
});

test("what asks for too much is refused", async () => {
  const filled = (dims: number[]) =>
    whole({
      node: [{ ...node("ConstantOfShape", ["s"]), output: ["c"] }, node("Add", ["x", "c"])],
      initializer: [ints("s", dims)],
    });
  await refused(filled([2 ** 30]), /at most \d+ numbers in a constant/);
  await refused(filled([2 ** 31, 2 ** 31]), /numbers in a constant/);
  const ranged = [0, 2 ** 40, 1].map((value, k) => ({ ...ints(`r${k}`, [value]), dims: [] }));
  await refused(
    whole({
      node: [{ ...node("Range", ["r0", "r1", "r2"]), output: ["c"] }, node("Add", ["x", "c"])],
      initializer: ranged,
    }),
    /numbers in a constant/,
  );
  await refused(
    whole({ node: [node("Tile", ["x", "t"])], initializer: [ints("t", [1, 2 ** 40])] }),
    /repetitions/,
  );
  await refused(
    whole({ node: [node("Expand", ["x", "t"])], initializer: [ints("t", [2 ** 40, 1, 4])] }),
    /node 'the node'/,
  );
  // Constants of constants: each doubles the last.
  const doubled = Array.from({ length: 40 }, (_, k) => ({
    ...node("Concat", [`c${k}`, `c${k}`], { attribute: [{ name: "axis", type: 2, i: 0 }] }),
    output: [`c${k + 1}`],
    name: `double ${k}`,
  }));
  const floats = (name: string, dims: number[]) => ({
    name,
    dataType: 1,
    dims,
    rawData: new Uint8Array(4 * dims.reduce((a, b) => a * b, 1)),
  });
  await refused(
    whole({ node: [...doubled, node("Add", ["x", "c40"])], initializer: [floats("c0", [4])] }),
    /node 'double \d+' \(Concat\): expected at most \d+ numbers in a constant, got shape \[8388608\]/,
  );
  // A row of a table, many times; and more rows than are picked one by one.
  const picked = (rows: number, columns: number) =>
    whole({
      node: [{ ...node("Gather", ["t", "i"]), output: ["c"] }, node("Add", ["x", "c"])],
      initializer: [floats("t", [1, columns]), ints("i", Array(rows).fill(0))],
    });
  await refused(
    picked(5000, 1000),
    /node 'the node' \(Gather\): expected at most \d+ numbers in a constant, got shape \[5000,1000\]/,
  );
  await refused(picked(30_000, 1), /\(Gather\): expected at most 20000 rows of a constant, got 30000/);
  // Two that fit together into one that does not.
  const [tall, wide] = [floats("a", [4000, 1]), floats("b", [1, 4000])];
  for (const opType of ["Add", "Equal"]) {
    const nodes = [{ ...node(opType, ["a", "b"]), output: ["c"] }, node("Add", ["x", "c"])];
    await refused(whole({ node: nodes, initializer: [tall, wide] }), /at most \d+ numbers in a constant/);
  }
  const bits = { name: "m", dataType: 9, dims: [4000, 1], rawData: new Uint8Array(4000).fill(1, 0, 2000) };
  const chosen = [{ ...node("Where", ["m", "b", "b"]), output: ["c"] }, node("Add", ["x", "c"])];
  await refused(
    whole({ node: chosen, initializer: [bits, wide] }),
    /node 'the node' \(Where\): expected at most \d+ numbers in a constant/,
  );
  // Many of them, none too large.
  const many = Array.from({ length: 100 }, (_, k) => ({
    ...node("ConstantOfShape", ["s"]),
    output: [`c${k}`],
    name: `constant ${k}`,
  }));
  await refused(
    whole({ node: [...many, node("Add", ["x", "c99"])], initializer: [ints("s", [1 << 22])] }),
    /node 'constant \d' \(ConstantOfShape\): expected constants: at most \d+ bytes unpacked/,
  );
  // A value of a value of a value: a long chain is no deep one.
  const chain = Array.from({ length: 3000 }, (_, k) => ({
    ...node("Relu", [k === 0 ? "x" : `v${k - 1}`]),
    output: [k === 2999 ? "y" : `v${k}`],
    name: `n${k}`,
  }));
  await tried(async () => readOnnx(await encodeModel(whole({ node: chain })), "chain", alone), "a chain");
});

test("graphs inside graphs are read to a depth that no model has", async () => {
  // Each a node whose attribute holds the next: 3000 deep.
  let inner = new Uint8Array();
  const lengthOf = (n: number) =>
    n < 128
      ? [n]
      : n < 16384
        ? [(n & 127) | 128, n >> 7]
        : [(n & 127) | 128, ((n >> 7) & 127) | 128, n >> 14];
  const field = (tag: number, bytes: Uint8Array) =>
    Uint8Array.from([tag, ...lengthOf(bytes.length), ...bytes]);
  for (let depth = 0; depth < 3000; depth++) inner = field(0x0a, field(0x2a, field(0x32, inner)));
  const bytes = Uint8Array.from([8, 8, ...field(0x3a, inner), ...field(0x42, Uint8Array.of(0x10, 17))]);
  await refused(bytes, /g.node\[0\].*: expected messages at most 32 deep, got deeper ones/);
});

test("numbers of initializers in a file beside the model", async () => {
  const initializer = [
    {
      name: "w",
      dataType: 1,
      dims: [4],
      externalData: [
        { key: "location", value: "data/w.bin" },
        { key: "offset", value: "4" },
        { key: "length", value: "16" },
      ],
      dataLocation: 1,
    },
  ];
  const bytes = await encodeModel(whole({ node: [node("Add", ["x", "w"])], initializer }));
  const numbers = new Uint8Array(Float32Array.of(9, 1, 2, 3, 4).buffer);
  const read = await loadModel(bytes, { files: { "data/w.bin": numbers } });
  const [, width] = read.inputs[0].shape;
  assert.is(width, 4);
  assert.equal([...(await read.predict([[10, 20, 30, 40]], { verbose: 0 })).data], [11, 22, 33, 44]);
  const complaint = (act: Promise<unknown>) =>
    act.then(
      () => "nothing was refused",
      (error: unknown) => (error as Error).message,
    );
  assert.match(
    await complaint(loadModel(bytes, { files: { "data/w.bin": numbers.slice(0, 12) } })),
    /initializer 'w': external data: expected bytes of 'data\/w\.bin', got 16 from byte 4 of 12/,
  );
  assert.match(await complaint(loadModel(bytes)), /expected a file 'data\/w\.bin', got none/);
});

test("a state to begin with has the node's shape, zeros too", async () => {
  const floats = (name: string, dims: number[], value = 0) => ({
    name,
    dataType: 1,
    dims,
    rawData: new Uint8Array(new Float32Array(dims.reduce((a, b) => a * b, 1)).fill(value).buffer),
  });
  const made = (op: string, gates: number, state: string, dims: number[], value: number) =>
    whole({
      node: [
        node(op, ["x", "W", "R", "", "", ...(state === "c0" ? ["", "c0"] : ["h0"])], {
          output: ["", "y"],
          attribute: [{ name: "hidden_size", i: 3 }],
        }),
      ],
      input: [{ name: "x", type: FLOATS(["t", "n", 4]) }],
      initializer: [
        floats("W", [1, gates * 3, 4]),
        floats("R", [1, gates * 3, 3]),
        floats(state, dims, value),
      ],
    });
  const ops: [string, number, string][] = [
    ["RNN", 1, "h0"],
    ["GRU", 3, "h0"],
    ["LSTM", 4, "h0"],
    ["LSTM", 4, "c0"],
  ];
  for (const [op, gates, state] of ops) {
    for (const value of [0, 0.5]) {
      const fits = await encodeModel(made(op, gates, state, [1, 2, 3], value));
      const { graph } = await readOnnx(fits, "bytes", alone);
      assert.is(graph.outputs[0].shape.at(-1), 3);
      for (const dims of [[1, 2, 4], [2, 2, 3], [2, 3], [6], [1, 1, 2, 3]]) {
        await refused(
          made(op, gates, state, dims, value),
          new RegExp(
            `\\(${op}\\): expected input ${state === "c0" ? 6 : 5}, a state of shape \\(1, samples, 3\\), got`,
          ),
        );
      }
    }
  }
});

test.run();
