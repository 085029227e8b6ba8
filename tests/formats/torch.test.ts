// PyTorch's state dicts against PyTorch: read, written and read again; what cannot be taken over; safetensors. Fixtures: make_torch.py.
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  input,
  type Layer,
  layers,
  loadModel,
  model,
  sequential,
  Tensor,
  tensor,
  torch,
  UnreelError,
} from "../../src/index.js";
import { assertNear, bytesOf, type Packed, readFixture, unpack } from "./fixtures.js";
import { outputOf, TORCH } from "./torchModels.js";

interface ModuleCase {
  name: string;
  file: string;
  input: Packed;
  output: Packed;
}

const { cases } = readFixture<{ cases: ModuleCase[] }>("torch_modules.json");

async function refused(act: () => unknown, pattern: RegExp): Promise<void> {
  try {
    await act();
  } catch (error) {
    assert.instance(error, UnreelError);
    assert.match((error as UnreelError).message, pattern);
    return;
  }
  assert.unreachable(`was not refused: ${pattern}`);
}

for (const { name, file, input: given, output } of cases) {
  if (name === "lstm, projection") continue;
  test(`PyTorch's numbers: ${name}`, async () => {
    const { make, mapping } = TORCH[name];
    const made = make();
    await torch.loadStateDict(made, bytesOf(file), { mapping });
    const got = await outputOf(made, unpack(given));
    assertNear(got, unpack(output), "output");
    // And back: the same parameters. Of an LSTM and an RNN the two biases have become one.
    const theirs = await torch.readSafetensors(bytesOf(file));
    const ours = torch.stateDict(made, { mapping });
    const names = Object.keys(theirs).filter((each) => !each.endsWith("num_batches_tracked"));
    assert.equal(Object.keys(ours).sort(), names.sort());
    for (const key of names) {
      if (key.includes("bias_") && !name.startsWith("gru")) continue;
      assertNear(ours[key], theirs[key], key, 0);
    }
    // What PyTorch would get gives the same numbers when it comes back.
    const again = make();
    await torch.loadStateDict(again, torch.safetensorsOf(ours), { mapping });
    assertNear(await outputOf(again, unpack(given)), got, "again", 0);
    for (const each of [made, again]) each.dispose();
  });
}

const fileOf = (name: string) => bytesOf(cases.find((each) => each.name === name)!.file);

test("modules find their layers where one fits", async () => {
  const made = TORCH.tagger.make();
  await torch.loadStateDict(made, fileOf("tagger"));
  const { input: given, output } = cases.find(({ name }) => name === "tagger")!;
  assertNear(await outputOf(made, unpack(given)), unpack(output), "output");
  made.dispose();
});

test("where several fit a mapping is asked for, and nothing is changed", async () => {
  const x = input({ shape: [4] });
  const made = model({
    inputs: x,
    outputs: layers
      .concatenate()
      .apply([
        layers.dense({ units: 3, name: "p" }).apply(x),
        layers.dense({ units: 3, name: "q" }).apply(x),
      ]),
  });
  const before = made.getWeights().map(({ data }) => [...data]);
  const tensors = Object.fromEntries(
    ["f", "g"].flatMap((each) => [
      [`${each}.weight`, new Tensor(new Float32Array(12), [3, 4])],
      [`${each}.bias`, [1, 2, 3]],
    ]),
  );
  await refused(() => torch.loadStateDict(made, tensors), /module 'f'.*several: p, q.*mapping/);
  assert.equal(
    made.getWeights().map(({ data }) => [...data]),
    before,
  );
});

test("what PyTorch has no module for is refused", async () => {
  await refused(
    () => torch.loadStateDict(TORCH.lstm.make(), fileOf("lstm, projection")),
    /proj_size.*weight_hr_l0/,
  );
  const built = (layer: Layer) => sequential([layer]);
  const inputShape = [null, 4];
  await refused(
    () => torch.stateDict(built(layers.gru({ units: 3, resetAfter: false, inputShape }))),
    /gru.*resetAfter: true.*false/,
  );
  await refused(
    () => torch.stateDict(built(layers.lstm({ units: 3, activation: "relu", inputShape }))),
    /activation 'tanh'.*'relu'/,
  );
  await refused(
    () => torch.stateDict(built(layers.lstm({ units: 3, recurrentActivation: "hardSigmoid", inputShape }))),
    /recurrentActivation 'sigmoid'/,
  );
  await refused(
    () => torch.stateDict(built(layers.lstm({ units: 3, goBackwards: true, inputShape }))),
    /goBackwards/,
  );
  await refused(
    () =>
      torch.stateDict(
        built(layers.bidirectional({ layer: layers.lstm({ units: 3 }), mergeMode: "sum", inputShape })),
      ),
    /mergeMode 'concat'/,
  );
  await refused(
    () => torch.stateDict(built(layers.separableConv1D({ filters: 3, kernelSize: 2, inputShape }))),
    /module of PyTorch.*SeparableConv1D/,
  );
});

test("names and shapes that do not fit are told", async () => {
  const made = TORCH.lstm.make();
  const tensors = await torch.readSafetensors(fileOf("lstm"));
  const load = (changes: object, options: object = {}) =>
    torch.loadStateDict(made, { ...tensors, ...changes } as Record<string, Tensor>, {
      mapping: { "": "it" },
      ...options,
    });
  await refused(() => load({ weight_hh_l0: tensor([[1, 2]]) }), /weight_hh_l0.*\[12,3\].*\[1,2\]/);
  await refused(() => load({ more: [1] }), /'more'.*strict: false/);
  await load({ more: [1] }, { strict: false });
  await refused(
    () => torch.loadStateDict(made, { weight_ih_l0: tensors.weight_ih_l0 }, { mapping: { "": "it" } }),
    /weight_hh_l0.*no such tensor/,
  );
  await refused(() => load({}, { mapping: { "": "other" } }), /mapping: ''.*name of a layer.*'other'/);
  await refused(() => load({}, { mapping: { a: "it", b: "it" } }), /each layer once/);
  const { bias_ih_l0: _, bias_hh_l0: __, ...without } = tensors;
  await refused(
    () => torch.loadStateDict(made, without, { mapping: { "": "it" } }),
    /bias_ih_l0.*bias=False/,
  );
});

test("a model in safetensors is a model again", async () => {
  for (const name of ["tagger", "gru, both ways, two layers", "batchNorm1d"]) {
    const made = TORCH[name].make();
    const given = unpack(cases.find((each) => each.name === name)!.input);
    const again = await loadModel(await made.toBytes("safetensors"));
    assertNear(await outputOf(again, given), await outputOf(made, given), name, 0);
    for (const each of [made, again]) each.dispose();
  }
  await refused(() => loadModel(fileOf("lstm")), /layers in the header.*loadStateDict/);
});

test("safetensors: numbers of every kind", async () => {
  const kinds: [string, number[], number[], "float32" | "int32"][] = [
    ["F32", [0, 0, 128, 63, 0, 0, 0, 192], [1, -2], "float32"],
    ["F64", [0, 0, 0, 0, 0, 0, 248, 63, 0, 0, 0, 0, 0, 0, 0, 192], [1.5, -2], "float32"],
    [
      "F16",
      [0, 60, 1, 0, 0, 252, 255, 131],
      [1, 2 ** -24, Number.NEGATIVE_INFINITY, -1023 * 2 ** -24],
      "float32",
    ],
    ["BF16", [192, 63, 0, 192], [1.5, -2], "float32"],
    ["I64", [255, 255, 255, 255, 255, 255, 255, 255, 5, 0, 0, 0, 0, 0, 0, 0], [-1, 5], "int32"],
    ["I32", [254, 255, 255, 255], [-2], "int32"],
    ["I16", [254, 255], [-2], "int32"],
    ["I8", [254, 3], [-2, 3], "int32"],
    ["U8", [254], [254], "int32"],
    ["BOOL", [1, 0], [1, 0], "int32"],
  ];
  for (const [dtype, data, values, type] of kinds) {
    for (const shift of [0, 1, 3]) {
      const header =
        JSON.stringify({ x: { dtype, shape: [values.length], data_offsets: [0, data.length] } }) +
        " ".repeat(shift);
      const bytes = Uint8Array.from([header.length, 0, 0, 0, 0, 0, 0, 0, ...Buffer.from(header), ...data]);
      const { x } = await torch.readSafetensors(bytes);
      assert.equal([...x.data], values, dtype);
      assert.is(x.dtype, type);
    }
  }
});

test("safetensors: every place where a file can be wrong is told", async () => {
  const file = (header: unknown, data = new Uint8Array(8), length?: number) => {
    const text = typeof header === "string" ? header : JSON.stringify(header);
    const begin = new Uint8Array(8);
    new DataView(begin.buffer).setBigUint64(0, BigInt(length ?? text.length), true);
    return Uint8Array.from([...begin, ...Buffer.from(text), ...data]);
  };
  const x = { dtype: "F32", shape: [2], data_offsets: [0, 8] };
  const wrong: [Uint8Array, RegExp][] = [
    [new Uint8Array(3), /bytes: header.*8 bytes.*3 bytes/],
    [file({ x }, undefined, 2 ** 40), /header.*1099511627776/],
    [file("{"), /header: expected JSON/],
    [file("[]"), /header: expected an object/],
    [file({ x: 5 }), /tensor 'x'.*object.*5/],
    [file({ x: { ...x, dtype: "F4" } }), /'x': dtype.*'F4'/],
    [file({ x: { ...x, shape: [-2] } }), /'x': shape.*\[-2\]/],
    [file({ x: { ...x, shape: [2 ** 30, 2 ** 30] } }), /'x': data_offsets/],
    [file({ x: { ...x, data_offsets: [0, 12] } }), /'x': data_offsets.*inside 8 bytes.*\[0, 12\]/],
    [file({ x: { ...x, data_offsets: [8, 0] } }), /data_offsets/],
    [file({ x: { ...x, data_offsets: [0] } }), /a begin and an end/],
    [file({ x, y: { ...x } }, new Uint8Array(8)), /'y': data_offsets.*begin at 8/],
    [file({ x }, new Uint8Array(12)), /data: expected 8 bytes.*12/],
    [file({ x, __metadata__: { a: 1 } }), /__metadata__/],
    [
      file({ x: { dtype: "I64", shape: [1], data_offsets: [0, 8] } }, Uint8Array.of(0, 0, 0, 0, 1, 0, 0, 0)),
      /32 bits.*4294967296 at place 0/,
    ],
  ];
  for (const [bytes, pattern] of wrong) await refused(() => torch.readSafetensors(bytes), pattern);
});

test.run();
