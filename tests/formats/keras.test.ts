// Files of Keras 3 (make_keras.py, keras.zip): each opens here and predicts what Keras predicts; what was trained goes on as in Keras;
// and it is the same after it was written here.
import { readFileSync } from "node:fs";
import { unzipSync, zipSync } from "fflate";
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  input,
  layers,
  loadModel,
  model,
  type SymbolicTensor,
  tensor,
  UnreelError,
} from "../../src/index.js";
import { root } from "../support.js";
import { apart, cases, check, entries, given } from "./kerasCases.js";

test("there are models enough", () => {
  assert.ok(Object.keys(cases).length >= 50, `${Object.keys(cases).length} models`);
});

for (const [name, { x, y, more }] of Object.entries(cases)) {
  test(`${name}.keras: opens, predicts as Keras, and once more when written here`, async () => {
    const model = await loadModel(entries[`${name}.keras`]);
    await check(model, x, y, 1e-5);
    const again = await loadModel(await model.toBytes("keras"));
    model.resetStates();
    await check(again, x, y, 1e-5);
    if (!more) return;
    for (const each of [model, again]) {
      const options = { epochs: 3, batchSize: 3, shuffle: false, verbose: 0 } as const;
      const { history } = await each.fit(given(more.x), given(more.y), options);
      assert.equal(Object.keys(history).sort(), Object.keys(more.history).sort());
      for (const [log, values] of Object.entries(more.history)) {
        const far = apart(history[log], values);
        assert.ok(far <= 1e-5, `${log} is ${far} apart`);
      }
      await check(each, x, more.after, 1e-4);
    }
  });
}

for (const kind of ["attention", "additiveAttention", "multiHeadAttention"] as const) {
  test(`${kind} between two masked sequences gives the mask of its query on, in files too`, async () => {
    const ids = [input({ shape: [4] }), input({ shape: [5] })];
    const words = ids.map((each) =>
      layers.embedding({ inputDim: 7, outputDim: 3, maskZero: true }).apply(each),
    );
    const attention =
      kind === "multiHeadAttention" ? layers[kind]({ numHeads: 2, keyDim: 3 }) : layers[kind]();
    const both = layers.concatenate().apply([words[0], attention.apply(words) as SymbolicTensor]);
    const made = model({ inputs: ids, outputs: layers.lstm({ units: 2 }).apply(both) });
    const x = [
      [
        [1, 2, 0, 0],
        [3, 4, 5, 0],
      ],
      [
        [1, 0, 0, 0, 0],
        [6, 2, 3, 0, 0],
      ],
    ];
    const expected = await made.predict(x, { verbose: 0 });
    for (const format of ["keras", "h5"] as const) {
      const again = await loadModel(await made.toBytes(format));
      assert.equal((await again.predict(x, { verbose: 0 })).data, expected.data, format);
      again.dispose();
    }
    made.dispose();
  });
}

for (const file of Object.keys(entries)) {
  const [, name, ending] = /^(.*?)\.((?:weights\.)?h5)$/.exec(file) ?? [];
  if (name === undefined) continue;
  test(`${file}: opens, predicts as Keras, and once more when written here`, async () => {
    const { x, y, more } = cases[name];
    const isWhole = ending === "h5";
    const model = await loadModel(entries[isWhole ? file : `${name}.keras`]);
    if (!isWhole) {
      model.setWeights(
        model.getWeights().map(({ data, shape }) =>
          tensor(
            data.map(() => 9),
            [...shape],
          ),
        ),
      );
      await model.loadWeights(entries[file]);
    }
    await check(model, x, y, 1e-5);
    if (!isWhole) return;
    const again = await loadModel(await model.toBytes("h5"));
    await check(again, x, y, 1e-5);
    if (!more) return;
    for (const each of [model, again]) {
      await each.fit(given(more.x), given(more.y), { epochs: 3, batchSize: 3, shuffle: false, verbose: 0 });
      await check(each, x, more.after, 1e-4);
    }
  });
}

/** The states that each layer of a file is given, as they stand in its config. */
function givenStates(file: Uint8Array): unknown[] {
  const { config } = JSON.parse(new TextDecoder().decode(unzipSync(file)["config.json"]));
  const layers = config.layers as {
    name?: string;
    inbound_nodes?: { kwargs?: { initial_state?: unknown } }[];
  }[];
  return layers
    .flatMap(({ name, inbound_nodes: nodes = [] }) =>
      nodes.map((node) => ({ name, states: node.kwargs?.initial_state ?? [] })),
    )
    .filter(({ states }) => (states as unknown[]).length > 0)
    .map(({ name, states }) => ({ name, states: JSON.stringify(states) }));
}

test("states that a layer is given are written in the structure that Keras wants", async () => {
  const names = [
    "stack_with_given_states",
    "stack_with_states",
    "encoder_decoder",
    "bidirectional_states",
    "bidirectional_stack_with_states",
  ];
  for (const name of names) {
    const file = entries[`${name}.keras`];
    const written = await (await loadModel(file)).toBytes("keras");
    const given = givenStates(file);
    assert.equal(givenStates(written), given, name);
    assert.is(given.length, 1, name);
  }
});

test("masks that a join carries are written as operations, so that Keras need not name any itself", async () => {
  for (const [name, takers] of [
    ["masks_in_graphs", ["bidirectional"]],
    [
      "joined_masks",
      ["bidirectional", "global_average_pooling1d", "gru", "gru_1", "simple_rnn", "time_distributed"],
    ],
  ] as const) {
    const bytes = await (await loadModel(entries[`${name}.keras`])).toBytes("keras");
    const { config } = JSON.parse(new TextDecoder().decode(unzipSync(bytes)["config.json"]));
    // biome-ignore lint/suspicious/noExplicitAny: a config as it stands in a file
    const listed = config.layers as any[];
    const names = listed.map((layer) => layer.name);
    assert.is(new Set(names).size, names.length, "each name once");
    const operations = listed.filter(({ module }) => module === "keras.src.ops.numpy");
    const given = listed.filter(({ inbound_nodes: nodes }) => nodes[0]?.kwargs.mask);
    assert.equal(given.map((layer) => layer.name).sort(), takers);
    for (const layer of given) {
      const [source] = layer.inbound_nodes[0].kwargs.mask.config.keras_history;
      assert.ok(
        operations.some((each) => each.name === source),
        `${layer.name}: ${source}`,
      );
    }
    const joins = operations.filter(({ class_name: className }) => className === "Concatenate");
    assert.is(joins.length, name === "joined_masks" ? 3 : 1);
  }
});

/** Configs of compile from Keras, with what is not here, by the name of that. */
const compiles = JSON.parse(new TextDecoder().decode(entries["compile.json"])) as Record<string, object>;

for (const [name, compile] of Object.entries(compiles)) {
  test(`compiled with ${name}: refused by name, and loaded without`, async () => {
    const parts = unzipSync(entries["gru.keras"]);
    const config = JSON.parse(new TextDecoder().decode(parts["config.json"]));
    const text = JSON.stringify({ ...config, compile_config: compile });
    const file = zipSync({ ...parts, "config.json": new TextEncoder().encode(text) });
    const error = await loadModel(file).catch((thrown: unknown) => thrown as Error);
    assert.instance(error, UnreelError);
    const { message } = error as Error;
    assert.match(message, new RegExp(`config.json: compile_config: .*\\b${name}\\b`));
    assert.match(message, "loadModel(path, { compile: false }) loads the rest.");
    const model = await loadModel(file, { compile: false });
    await check(model, cases.gru.x, cases.gru.y, 1e-5);
  });
}

test("what is compiled for another output is told with the way to do without", async () => {
  const parts = unzipSync(entries["gru.keras"]);
  const config = JSON.parse(new TextDecoder().decode(parts["config.json"]));
  const compile = { optimizer: "sgd", loss: { nowhere: "mse" } };
  const text = JSON.stringify({ ...config, compile_config: compile });
  const file = zipSync({ ...parts, "config.json": new TextEncoder().encode(text) });
  const error = await loadModel(file).catch((thrown: unknown) => thrown as Error);
  assert.instance(error, UnreelError);
  assert.match((error as Error).message, /nowhere.*\{ compile: false \}\) loads the rest/s);
});

const old = unzipSync(readFileSync(new URL("tests/formats/keras2.zip", root)));
const told = JSON.parse(new TextDecoder().decode(old["cases.json"])) as { x: number[] } & Record<
  string,
  { y: number[] }
>;

for (const name of ["graph", "stack"]) {
  test(`Keras 2: ${name}.h5, and its weights alone`, async () => {
    const model = await loadModel(old[`${name}.h5`]);
    const x = tensor(Float32Array.from(told.x), [3, 5, 3]);
    assert.ok(apart((await model.predict(x, { verbose: 0 })).data, told[name].y) <= 1e-5);
    model.setWeights(model.getWeights().map(({ shape, size }) => tensor(new Float32Array(size), [...shape])));
    await model.loadWeights(old[`${name}.weights.h5`]);
    assert.ok(apart((await model.predict(x, { verbose: 0 })).data, told[name].y) <= 1e-5);
    if (name === "graph") {
      assert.is((await loadModel(old["graph.h5"])).describe("steps").training!.iterations, 1);
      return;
    }
    const y = tensor(new Float32Array(6), [3, 2]);
    assert.equal(Object.keys(await model.evaluate(x, y, { verbose: 0 })), ["far", "loss"]);
  });
}

test.run();
