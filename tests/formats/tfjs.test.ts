// Models of TensorFlow.js (make_tfjs.mjs, tfjs.json): each opens here and predicts what it predicts there, and once more when written
// here; what is broken, or what that library could not run, is refused. That it opens what is written here: make_tfjs.mjs check.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { loadFormat } from "../../src/formats/index.js";
import {
  input,
  type Layer,
  layers,
  loadModel,
  losses,
  type Model,
  model as makeModel,
  metrics,
  ops,
  optimizers,
  type SymbolicTensor,
  schedules,
  sequential,
  type Tensor,
  UnreelError,
} from "../../src/index.js";
import { assertNear, bytesOf, type Packed, readFixture, unpack } from "./fixtures.js";

// biome-ignore lint/suspicious/noExplicitAny: a file that tests change at will
type Json = { [key: string]: any };

interface Case {
  json: Json;
  shards: Record<string, string>;
  x: Packed[];
  y: Packed[];
  /** Three epochs more there, without shuffling. */
  more?: { target: Packed; loss: number[]; after: Packed };
}

const { cases } = readFixture<{ cases: Record<string, Case> }>("tfjs.json");
type Files = Record<string, Uint8Array>;

const encoded = (json: Json) => new TextEncoder().encode(JSON.stringify(json));
const filesOf = ({ shards }: Case): Files =>
  Object.fromEntries(Object.entries(shards).map(([path, text]) => [path, bytesOf(text)]));
const opened = (json: Json, files: Files) => loadModel(encoded(json), { files });

async function written(model: Model): Promise<{ json: Json; files: Files }> {
  const { write } = await loadFormat("tfjs");
  const found = (await write!(model.describe("test"), { includeOptimizer: true })) as ReadonlyMap<
    string,
    Uint8Array
  >;
  const [[name, first], ...others] = found;
  assert.is(name, "model.json");
  return { json: JSON.parse(new TextDecoder().decode(first)), files: Object.fromEntries(others) };
}

async function check(model: Model, { x, y }: Pick<Case, "x" | "y">, tolerance?: number): Promise<void> {
  const given = x.map(unpack);
  const found: Tensor[] = [await model.predict(given.length === 1 ? given[0] : given, { verbose: 0 })].flat();
  assert.is(found.length, y.length);
  for (const [k, each] of found.entries()) assertNear(each, unpack(y[k]), `output ${k}`, tolerance);
}

async function refused(act: () => Promise<unknown>, message: RegExp): Promise<void> {
  try {
    await act();
  } catch (error) {
    assert.instance(error, UnreelError);
    assert.match((error as UnreelError).message, message);
    return;
  }
  assert.unreachable(`not refused: ${message}`);
}

for (const [name, each] of Object.entries(cases)) {
  test(`${name}: opens, predicts as TensorFlow.js, and once more when written here`, async () => {
    const model = await opened(each.json, filesOf(each));
    await check(model, each);
    const { json, files } = await written(model);
    assert.is(json.format, "layers-model");
    await check(await opened(json, files), each);
  });
}

/** Adadelta divides by the average of the step before there, by that of this one in Keras. */
const GOES_ON_OTHERWISE = ["trained_adadelta"];

for (const [name, each] of Object.entries(cases)) {
  const { more } = each;
  if (!more) continue;
  test(`${name}: goes on training as in TensorFlow.js, and once more when written here`, async () => {
    const first = await opened(each.json, filesOf(each));
    const { json, files } = await written(first);
    const spelled = JSON.stringify(each.json.trainingConfig).replace('"acc"', '"accuracy"');
    assert.equal(json.trainingConfig, JSON.parse(spelled));
    const arrays = ({ weightsManifest: [{ weights }] }: Json) =>
      (weights as Json[])
        .filter(({ group }) => group === "optimizer")
        .map(({ name, shape, dtype }) => [name.replace(/^.*\//, ""), shape, dtype]);
    assert.equal(arrays(json), arrays(each.json));
    const second = await opened(json, files);
    const [a, b] = [first, second].map((model) => model.describe("test").training!);
    assert.is(a.iterations, 9);
    const slots = (state: typeof a) => [...state.slots.values()].flat();
    slots(a).forEach((values, k) => {
      values.forEach((value, i) => {
        const again = slots(b)[k][i];
        assert.ok(Math.abs(value - again) <= 1e-6 * Math.abs(value), `slot ${k}: ${value}, ${again}`);
      });
    });
    if (GOES_ON_OTHERWISE.includes(name)) return;
    for (const model of [first, second]) {
      const options = { epochs: 3, batchSize: 3, shuffle: false, verbose: 0 } as const;
      const { history } = await model.fit(unpack(each.x[0]), unpack(more.target), options);
      more.loss.forEach((loss, k) => {
        assert.ok(Math.abs(history.loss[k] - loss) <= 1e-5, `epoch ${k}: ${history.loss[k]}, there ${loss}`);
      });
      await check(model, { x: each.x, y: [more.after] }, 1e-4);
    }
  });
}

test("what it is compiled with and TensorFlow.js has not is refused by name, and left out on demand", async () => {
  const made = (options: object) => {
    const model = sequential([layers.dense({ units: 2, inputShape: [3], name: "dense" })]);
    model.compile({ loss: "meanSquaredError", ...options });
    return model;
  };
  const settings: [object, RegExp][] = [
    [{ optimizer: "adamw" }, /compile: optimizer: .* got AdamW/],
    [{ optimizer: optimizers.adam({ clipnorm: 1 }) }, /clipnorm: expected null, got 1/],
    [{ optimizer: optimizers.adam({ amsgrad: true }) }, /amsgrad/],
    [{ optimizer: optimizers.rmsprop({ centered: true }) }, /centered/],
    [{ optimizer: optimizers.adagrad({ epsilon: 1e-3 }) }, /epsilon/],
    [
      {
        optimizer: optimizers.sgd({
          learningRate: schedules.cosineDecay({ initialLearningRate: 1, decaySteps: 9 }),
        }),
      },
      /learningRate: expected a number, got a CosineDecay/,
    ],
    [{ loss: "huber" }, /loss: .* got huber/],
    [{ loss: losses.categoricalCrossentropy({ fromLogits: true }) }, /loss: .*default options.*fromLogits/],
    [
      { loss: (yTrue: SymbolicTensor, yPred: SymbolicTensor) => ops.subtract(yTrue, yPred) },
      /loss: .*your own/,
    ],
    [{ metrics: ["auc"] }, /metrics\[0\]: .* got auc/],
    [{ metrics: [metrics.binaryAccuracy({ threshold: 0.7 })] }, /metrics\[0\]: .*default options.*0.7/],
    [{ weightedMetrics: ["mae"] }, /weightedMetrics/],
    [{ lossWeights: [2] }, /lossWeights/],
  ];
  for (const [options, message] of settings) {
    const model = made(options);
    await refused(() => written(model), message);
    await refused(() => written(model), /save with \{ includeOptimizer: false \}/);
    const { write } = await loadFormat("tfjs");
    const bare = (await write!(model.describe("test"), { includeOptimizer: false })) as ReadonlyMap<
      string,
      Uint8Array
    >;
    assert.not.match(new TextDecoder().decode(bare.get("model.json")), "trainingConfig");
  }
  const several = made({
    optimizer: optimizers.adamax(),
    loss: ["cosineSimilarity"],
    metrics: [["acc", "mse"]],
  });
  const { json, files } = await written(several);
  assert.equal(json.trainingConfig.loss, ["cosine_proximity"]);
  assert.equal(json.trainingConfig.metrics, [["accuracy", "mse"]]);
  assert.is((await opened(json, files)).describe("test").compiled!.loss[0 as never], "cosine_similarity");
});

test("what a file says of training and is not here is refused by name, with the way to do without", async () => {
  const each = cases.trained_adam;
  const changed = (change: (json: Json) => void) => {
    const json = structuredClone(each.json);
    change(json);
    return json;
  };
  const wrong: [Json, RegExp][] = [
    [
      changed((json) => {
        json.trainingConfig.optimizer_config.class_name = "Ftrl";
      }),
      /'Ftrl'/,
    ],
    [
      changed((json) => {
        json.trainingConfig.loss = "circle";
      }),
      /loss: .*'circle'/,
    ],
    [
      changed((json) => {
        json.trainingConfig.metrics = ["cosine"];
      }),
      /metrics\[0\]: .*'cosine'/,
    ],
    [
      changed((json) => {
        json.trainingConfig.optimizer_config.class_name = "SGD";
      }),
      /SGD/,
    ],
    [
      changed((json) => {
        json.trainingConfig.optimizer_config.class_name = "Adamax";
      }),
      /arrays of Adamax/,
    ],
    [
      changed((json) => {
        json.weightsManifest[0].weights.at(-1).shape = [1, 2];
      }),
      /arrays of Adam of shapes/,
    ],
  ];
  for (const [json, message] of wrong) {
    await refused(() => opened(json, filesOf(each)), message);
    await refused(
      () => opened(json, filesOf(each)),
      /loadModel\(path, \{ compile: false \}\) loads the rest/,
    );
    const model = await loadModel(encoded(json), { files: filesOf(each), compile: false });
    await check(model, each);
  }
});

test("what a model is compiled with is read, and left out on demand", async () => {
  const { json, x, y, ...rest } = cases.compiled;
  const files = filesOf({ json, x, y, ...rest });
  const model = await opened(json, files);
  const { compiled } = model.describe("test");
  assert.is((compiled!.optimizer as { className: string }).className, "Adam");
  const { loss } = await model.evaluate(unpack(x[0]), unpack(y[0]), { verbose: 0 });
  assert.ok(loss < 1e-10, `${loss}`);
  const bare = await loadModel(encoded(json), { files, compile: false });
  assert.is(bare.describe("test").compiled, undefined);
});

test("a converter's file: the topology in model_config, cells in names, GRU and gates by their defaults there", async () => {
  const { json, ...rest } = cases.gru;
  const changed = structuredClone(json);
  const { class_name, config, keras_version, backend } = changed.modelTopology;
  changed.modelTopology = {
    model_config: { class_name, config },
    keras_version,
    backend,
    training_config: null,
  };
  delete changed.format;
  for (const { config } of changed.modelTopology.model_config.config.layers) {
    delete config.reset_after;
    if (config.recurrent_activation === "hard_sigmoid") delete config.recurrent_activation;
  }
  for (const weight of changed.weightsManifest[0].weights) {
    weight.name = `${weight.name.replace(/\//, "/gru_cell/")}:0`;
  }
  await check(await opened(changed, filesOf({ json, ...rest })), rest);
});

test("quantized weights are read", async () => {
  const model = sequential([
    layers.dense({ units: 2, inputShape: [2], kernelInitializer: "ones", biasInitializer: "ones" }),
  ]);
  const { json } = await written(model);
  const [group] = json.weightsManifest;
  const read = async (dtype: string, stored: ArrayBufferView, bias: ArrayBufferView) => {
    const scaled = dtype === "float16" ? { dtype } : { dtype, scale: 0.5, min: -1 };
    for (const weight of group.weights) weight.quantization = scaled;
    const bytes = [stored, bias].flatMap(({ buffer }) => [...new Uint8Array(buffer as ArrayBuffer)]);
    const found = await opened(json, { [group.paths[0]]: Uint8Array.from(bytes) });
    return found.getWeights().map(({ data }) => [...data]);
  };
  const values = [
    [-1, -0.5, 0, 99.5],
    [0.5, 1],
  ];
  assert.equal(await read("uint8", Uint8Array.of(0, 1, 2, 201), Uint8Array.of(3, 4)), values);
  assert.equal(await read("uint16", Uint16Array.of(0, 1, 2, 40000), Uint16Array.of(3, 4)), [
    [-1, -0.5, 0, 19999],
    [0.5, 1],
  ]);
  assert.equal(await read("float16", Uint16Array.of(0x3c00, 0xc000, 0x3555, 1), Uint16Array.of(0, 0x7bff)), [
    [1, -2, 0.333251953125, 2 ** -24],
    [0, 65504],
  ]);
});

test("weights of more than 4 MB lie in several shards", async () => {
  const model = sequential([layers.dense({ units: 1100, inputShape: [1000] })]);
  const { json, files } = await written(model);
  assert.equal(json.weightsManifest[0].paths, ["group1-shard1of2.bin", "group1-shard2of2.bin"]);
  assert.equal(
    Object.values(files).map(({ length }) => length),
    [4 * 2 ** 20, 4 * 1001 * 1100 - 4 * 2 ** 20],
  );
  const again = await opened(json, files);
  const [kernel] = model.getWeights();
  assertNear(again.getWeights()[0], kernel, "kernel", 0);
});

// ------------------------------------------------------------------------------------------------------------- refused

const { dense, timeDistributed } = cases;
const change = (each: Case, act: (json: Json, files: Files) => void) => async () => {
  const [json, files] = [structuredClone(each.json), filesOf(each)];
  act(json, files);
  await opened(json, files);
};
const first = (json: Json) => json.modelTopology.config.layers[0];
const entries = (json: Json) => json.weightsManifest[0].weights;

const broken: Record<string, [Case, (json: Json, files: Files) => void, RegExp]> = {
  "a missing shard": [
    dense,
    (_, files) => delete files["group1-shard2of2.bin"],
    /expected a file 'group1-shard2of2.bin'/,
  ],
  "a shard that is too short": [
    dense,
    (_, files) => {
      files["group1-shard2of2.bin"] = files["group1-shard2of2.bin"].slice(1);
    },
    /expected \d+ bytes, as the manifest tells, got \d+/,
  ],
  "an unknown layer": [dense, (json) => (first(json).class_name = "Denser"), /got a layer of class 'Denser'/],
  "a Lambda": [dense, (json) => (first(json).class_name = "Lambda"), /Lambda, which holds code/],
  "a graph model": [
    dense,
    (json) => (json.format = "graph-model"),
    /expected 'layers-model', got 'graph-model'/,
  ],
  "a weight of another shape": [
    dense,
    (json) => (entries(json)[0].shape = [5, 4]),
    /expected shape \[4, 5\], got \[5, 4\]/,
  ],
  "a weight of no layer": [dense, (json) => (entries(json)[0].name = "else/kernel"), /got 'else\/kernel'/],
  "a weight twice": [
    timeDistributed,
    (json) => (entries(json)[4].name = entries(json)[3].name),
    /expected every weight once|expected shape/,
  ],
  "a weight that is not there": [
    dense,
    (json, files) => {
      const { shape } = entries(json).pop();
      const path = "group1-shard2of2.bin";
      files[path] = files[path].slice(0, -4 * shape[0]);
    },
    /expected a weight '.*\/bias', got none/,
  ],
  "a type that is not read": [
    dense,
    (json) => (entries(json)[0].dtype = "string"),
    /dtype: expected float32 or int32 or bool/,
  ],
  "a quantization without a scale": [
    dense,
    (json) => (entries(json)[0].quantization = { dtype: "uint8", min: 0 }),
    /quantization: scale: expected a number/,
  ],
  "a size that is no count": [
    dense,
    (json) => (entries(json)[0].shape = [-4, -5]),
    /a whole number, 0 or more/,
  ],
  "a path elsewhere": [
    dense,
    (json) => (json.weightsManifest[0].paths[0] = "../other.bin"),
    /expected a path of a file beside this one/,
  ],
  "no topology": [
    dense,
    (json) => delete json.modelTopology,
    /modelTopology: expected an object, got nothing/,
  ],
};

for (const [name, [each, act, message]] of Object.entries(broken)) {
  test(`refused: ${name}`, () => refused(change(each, act), message));
}

test("refused: text that is no JSON", async () => {
  await refused(() => loadModel(new TextEncoder().encode('{"format": '), {}), /expected JSON/);
});

const shape = { inputShape: [4, 3] };
const unwritten: Record<string, [() => Layer[], RegExp]> = {
  "a GRU that resets behind the product": [
    () => [layers.gru({ units: 2, ...shape })],
    /^sequential\w*: gru\w*: reset_after: expected false, got true/,
  ],
  "Keras 3's hard sigmoid": [
    () => [layers.lstm({ units: 2, recurrentActivation: "hardSigmoid", ...shape })],
    /recurrent_activation: expected one of TensorFlow.js, got 'hard_sigmoid'/,
  ],
  "a layer that is not there": [() => [layers.upSampling1D({ ...shape })], /class 'UpSampling1D'/],
  "causal padding": [
    () => [layers.conv1D({ filters: 2, kernelSize: 2, padding: "causal", ...shape })],
    /padding: expected "valid" or "same", got 'causal'/,
  ],
  "two different directions": [
    () => [
      layers.bidirectional({
        layer: layers.simpleRNN({ units: 2 }),
        backwardLayer: layers.simpleRNN({ units: 3, goBackwards: true }),
        ...shape,
      }),
    ],
    /backward_layer: expected the same layer/,
  ],
  "a mask where none is taken": [
    () => [layers.masking({ ...shape }), layers.globalAveragePooling1D()],
    /a masked one for a layer of class 'GlobalAveragePooling1D'/,
  ],
  "masked steps that are zeros here": [
    () => [
      layers.masking({ ...shape }),
      layers.bidirectional({ layer: layers.simpleRNN({ units: 2, returnSequences: true }) }),
      layers.dense({ units: 1 }),
    ],
    /outputs at masked steps/,
  ],
};

for (const [name, [make, message]] of Object.entries(unwritten)) {
  test(`not written: ${name}`, () => refused(() => written(sequential(make())), message));
}

test("not written: operations without a layer, merges of different masks, one name in two models", async () => {
  const x = input({ shape: [4, 3] });
  await refused(() => written(makeModel({ inputs: x, outputs: ops.exp(x) })), /expected a layer of Keras/);
  const [a, b] = [input({ shape: [4, 3] }), input({ shape: [4, 3] })];
  const sum = layers.add().apply([layers.masking().apply(a), layers.masking().apply(b)]);
  const last = layers.simpleRNN({ units: 2 }).apply(sum);
  await refused(
    () => written(makeModel({ inputs: [a, b], outputs: last })),
    /expected inputs with the same mask/,
  );
  const inner = sequential([layers.dense({ units: 3, name: "same", inputShape: [4, 3] })]);
  const outer = layers.dense({ units: 3, name: "same" }).apply(inner.apply(x));
  await refused(() => written(makeModel({ inputs: x, outputs: outer })), /'same\/kernel' twice/);
});

test("a curve of Keras 2 is not written for Keras 3", async () => {
  const model = await opened(cases.gru.json, filesOf(cases.gru));
  for (const format of ["keras", "h5"] as const) {
    await refused(() => model.toBytes(format), /expected an activation of Keras 3, got 'keras2HardSigmoid'/);
  }
  await refused(() => model.toBytes("tfjs"), /expected a format of one file/);
  const graph = await loadModel(await model.toBytes("onnx"), { format: "onnx" });
  await check(graph, cases.gru);
});

test("bytes alone have no shards", async () => {
  await refused(() => loadModel(encoded(dense.json)), /expected a file 'group1-shard1of2.bin', got none/);
});

test.run();
