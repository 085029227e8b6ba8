// attention, additiveAttention and multiHeadAttention: outputs, losses, gradients and training against Keras 3; masks, dropout, what is
// refused. The ops inside are in ops.test.ts, files in formats/.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { layOut, lower } from "../src/graph/lower.js";
import {
  configure,
  initializers,
  input,
  type Layer,
  layers,
  loadModel,
  type Model,
  model,
  ops,
  optimizers,
  type SymbolicTensor,
  setRandomSeed,
  type Tensor,
  tensor,
  UnreelError,
} from "../src/index.js";
import { makeGraph } from "../src/layers/graph.js";
import { type ApplyOptions, copyLayer } from "../src/layers/layer.js";
import { Random } from "../src/random.js";
import {
  assertClose,
  asTensor,
  type Described,
  gradients,
  make,
  type Numbers,
  nameOf,
  numbers,
  readGolden,
} from "./support.js";

// ---------------------------------------------------------------------------------------------------------------- Keras

interface Call {
  layer: Described | number;
  from: number[];
  /** As `apply` takes them; masks are numbers of tensors. */
  options: Record<string, unknown>;
}
interface Functional {
  name: string;
  floatx: string;
  inputs: { shape: (number | null)[]; dtype: "float32" | "int32" }[];
  calls: Call[];
  outputs: number[];
  weights: Numbers[];
  weightPaths: string[];
}
interface Case extends Functional {
  feeds: Numbers[];
  found: Numbers[];
  targets: Numbers[];
  lossValue: number;
  gradients: Numbers[];
}
interface Trained extends Functional {
  batches: { feeds: Numbers[]; target: Numbers }[];
  losses: number[];
  weightsAfter: Numbers[];
}

/** The model of a case, with its weights, and these in the order of the calls. */
function build({ inputs, calls, outputs, weights }: Functional): { made: Model; used: Layer[] } {
  const given = inputs.map((each) => input(each));
  const tensors: SymbolicTensor[] = [...given];
  const made: Layer[] = [];
  for (const { layer, from, options } of calls) {
    const own = typeof layer === "number" ? made[layer] : makeLayer(layer);
    made.push(own);
    const x = from.map((k) => tensors[k]);
    const named = Object.entries(options).map(([name, value]) => [name, tensorsOf(value, tensors)]);
    const applied = own.apply(x.length > 1 ? x : x[0], Object.fromEntries(named) as ApplyOptions);
    tensors.push(...[applied].flat());
  }
  const result = model({ inputs: given, outputs: outputs.map((k) => tensors[k]) });
  const used = [...new Set(made)];
  const left = weights.map(asTensor);
  for (const layer of used) layer.setWeights(left.splice(0, layer.weights.length));
  assert.is(left.length, 0, "all weights of the file are used");
  return { made: result, used };
}

function makeLayer({ className, config }: Described): Layer {
  const inner = config.layer as Described | undefined;
  return make<Layer>(layers, {
    className,
    config: inner ? { ...config, layer: makeLayer(inner) } : config,
  });
}

function tensorsOf(value: unknown, tensors: readonly SymbolicTensor[]): unknown {
  if (Array.isArray(value)) return value.map((each) => tensorsOf(each, tensors));
  return typeof value === "number" ? tensors[value] : value;
}

const { cases, training } = readGolden<{ cases: Case[]; training: Trained[] }>("keras_attention.json");

for (const each of cases) {
  test(`Keras: ${each.name}`, async () => {
    const { made, used } = build(each);
    const paths = used.flatMap(({ weights, name }) =>
      weights.map((weight) => weight.name.slice(name.length + 1)),
    );
    const ofCells = /lstm_cell|gru_cell/;
    assert.equal(
      paths.filter((path) => !ofCells.test(path)),
      each.weightPaths.filter((path) => !ofCells.test(path)),
      "names of weights",
    );
    const x = each.feeds.map(asTensor);
    const found = [await made.predict(x.length > 1 ? x : x[0])].flat() as Tensor[];
    each.found.forEach((output, k) => {
      assert.equal([...found[k].shape], output.shape);
      assertClose(`output ${k}`, found[k].data, output.data);
    });
    const y = each.targets.map(asTensor);
    const slopes = await gradients(made, x.length > 1 ? x : x[0], y.length > 1 ? y : y[0], {
      loss: "meanSquaredError",
    });
    assertClose("loss", [slopes.loss], [each.lossValue]);
    const all = made.layers.flatMap((layer) => layer.weights);
    const ofModel = new Map(all.map((weight, k) => [weight, slopes.weights[k]!]));
    const largest = Math.max(...each.gradients.flatMap(({ data }) => data.map(Math.abs)));
    for (const [k, weight] of used.flatMap((layer) => layer.weights).entries()) {
      // The bias of a key moves all scores of a query alike: its gradient is nothing but the rounding of its terms.
      const floor = weight.name.endsWith("/key/bias") ? largest : Math.max(1e-3, 0.01 * largest);
      assertClose(`gradient of ${weight.name}`, ofModel.get(weight)!, each.gradients[k].data, 1e-5, floor);
    }
    made.dispose();
  });
}

for (const each of training) {
  test(`Keras training: ${each.name}`, async () => {
    const { made, used } = build(each);
    made.compile({
      optimizer: optimizers.sgd({ learningRate: 0.1, momentum: 0.9 }),
      loss: "meanSquaredError",
    });
    for (const [step, { feeds, target }] of each.batches.entries()) {
      const x = feeds.map(asTensor);
      const { loss } = await made.trainOnBatch(x.length > 1 ? x : x[0], asTensor(target));
      assertClose(`loss of step ${step}`, [loss], [each.losses[step]], 1e-4);
    }
    const after = used.flatMap((layer) => layer.getWeights());
    each.weightsAfter.forEach(({ data }, k) => {
      assertClose(`weight ${k}`, after[k].data, data, 1e-4);
    });
    made.dispose();
  });
}

test("the golden file has every kind of layer and enough cases", () => {
  const kinds = cases.flatMap(({ calls }) => calls.map(({ layer }) => layer));
  const names = new Set(
    kinds.flatMap((layer) => (typeof layer === "number" ? [] : [nameOf(layer.className)])),
  );
  for (const name of ["attention", "additiveAttention", "multiHeadAttention"])
    assert.ok(names.has(name), name);
  assert.ok(cases.length >= 100, `${cases.length} cases`);
});

// --------------------------------------------------------------------------------------------------------------- layers

const [I, T, S] = [4, 5, 7];
const sequence = (steps: number | null = T, width = I) => input({ shape: [steps, width] });
const KINDS: Readonly<Record<string, (options?: object) => Layer>> = {
  attention: (options) => layers.attention(options),
  additiveAttention: (options) => layers.additiveAttention(options),
  multiHeadAttention: (options) => layers.multiHeadAttention({ numHeads: 2, keyDim: 3, ...options }),
};

/** One output of a layer for query and value, and how it is called. */
async function outputs(
  layer: Layer,
  feeds: readonly Tensor[],
  options: (inputs: readonly SymbolicTensor[]) => ApplyOptions = () => ({}),
): Promise<Tensor[]> {
  const inputs = feeds.map(({ shape }) => input({ shape: shape.slice(1) }));
  const made = model({ inputs, outputs: layer.apply(inputs.slice(0, 2), options(inputs)) });
  try {
    return [await made.predict(feeds.length > 1 ? [...feeds] : feeds[0])].flat() as Tensor[];
  } finally {
    made.dispose();
  }
}

test("weights of multiHeadAttention: count, summary, and initial values by the fans of the products", () => {
  const [query, value] = [sequence(), sequence(S, 6)];
  const layer = layers.multiHeadAttention({ numHeads: 2, keyDim: 3, valueDim: 5, useGate: true });
  const made = model({ inputs: [query, value], outputs: layer.apply([query, value]) });
  const shapes = layer.getWeights().map(({ shape }) => shape.join("x"));
  assert.is(shapes.join(" "), "4x2x3 2x3 6x2x3 2x3 4x2x5 2x5 6x2x5 2x5 2x5x4 4");
  assert.is(made.countParams(), 30 + 42 + 50 + 70 + 44);
  const rows = made.summary({ print: () => {} }).split("\n");
  const row = rows.find((line) => line.includes("multi_head_attention"))!;
  assert.match(row, /\(None, 5, 4\) +│ +236 │ input/);

  const wide = layers.multiHeadAttention({ numHeads: 4, keyDim: 16, outputShape: 32 });
  wide.build([
    [null, T, 64],
    [null, S, 64],
  ]);
  const [queries, , keys, , values, , out] = wide.getWeights().map(({ data }) => Array.from(data));
  const largest = (all: number[]) => all.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  const [within, outside] = [Math.sqrt(6 / (64 + 64)), Math.sqrt(6 / (64 + 32))];
  for (const [kernel, limit] of [
    [queries, within],
    [keys, within],
    [values, within],
    [out, outside],
  ] as const) {
    assert.ok(largest(kernel) <= limit && largest(kernel) > 0.99 * limit, `${largest(kernel)} of ${limit}`);
  }
  assert.not.equal(queries, keys, "each kernel is drawn anew");
  const seeded = layers.multiHeadAttention({
    numHeads: 2,
    keyDim: 2,
    kernelInitializer: initializers.glorotUniform({ seed: 3 }),
  });
  seeded.build([
    [null, T, 4],
    [null, T, 4],
  ]);
  const [first, , second] = seeded.getWeights();
  assert.equal(first.data, second.data, "a seed of the user's is everybody's, as in Keras");
});

test("additiveAttention draws its scale from glorotUniform, and attention begins with ones", () => {
  const additive = layers.additiveAttention();
  additive.build([
    [null, T, 100],
    [null, T, 100],
  ]);
  const [{ data, shape }] = additive.getWeights();
  assert.equal([...shape], [100]);
  const most = Math.max(...Array.from(data, Math.abs));
  assert.ok(most <= Math.sqrt(6 / 200) && most > 0.9 * Math.sqrt(6 / 200), `${most}`);
  const luong = layers.attention({ useScale: true, scoreMode: "concat" });
  luong.build([
    [null, T, 3],
    [null, T, 3],
  ]);
  assert.equal(
    luong.getWeights().map((weight) => [weight.shape.length, ...weight.data]),
    [
      [0, 1],
      [0, 1],
    ],
  );
});

for (const [name, make] of Object.entries(KINDS)) {
  test(`${name}: dropout while training alone, by its seed`, async () => {
    const feeds = [numbers(1, 3, T, I), numbers(2, 3, S, I)];
    const run = async (options: object, seed: number, training = true) => {
      setRandomSeed(seed);
      const layer = make(options);
      layer.build(feeds.map(({ shape }) => [null, ...shape.slice(1)]));
      layer.setWeights(layer.getWeights().map(({ shape }, k) => numbers(10 + k, ...shape)));
      return outputs(layer, feeds, () => ({ training, returnAttentionScores: true }));
    };
    const rate = 0.5;
    const [still] = await run({ dropout: rate, seed: 3 }, 1, false);
    const [first, scores] = await run({ dropout: rate, seed: 3 }, 1);
    assert.not.equal(first.data, still.data);
    assert.equal((await run({ dropout: rate, seed: 3 }, 1))[0].data, first.data);
    assert.not.equal((await run({ dropout: rate, seed: 4 }, 1))[0].data, first.data);
    assert.not.equal((await run({ dropout: rate, seed: 3 }, 2))[0].data, first.data);
    assert.equal((await run({ dropout: rate, seed: 3 }, 9, false))[0].data, still.data);
    // Keras gives the weights after dropout, and those of several heads before it.
    const zeros = scores.data.filter((x) => x === 0).length / scores.size;
    if (name === "multiHeadAttention") assert.is(zeros, 0);
    else assert.ok(Math.abs(zeros - rate) < 4 * Math.sqrt(0.25 / scores.size), `${zeros} are zero`);
  });

  test(`${name}: deterministic training ends with the same bits, whatever the threads`, async () => {
    const [x, y] = [numbers(3, 6, T, I), numbers(4, 6, T, I)];
    const runs = [];
    for (let k = 0; k < 2; k++) {
      configure({ deterministic: true });
      setRandomSeed(5);
      const start = sequence(null);
      const query = layers.dense({ units: I }).apply(start) as SymbolicTensor;
      const out = make({ dropout: 0.25 }).apply([query, start], { useCausalMask: true }) as SymbolicTensor;
      const made = model({ inputs: start, outputs: out });
      made.compile({ optimizer: "adam", loss: "meanSquaredError" });
      const { history } = await made.fit(x, y, { epochs: 5, batchSize: 4, verbose: 0 });
      assert.ok(history.loss.every(Number.isFinite));
      runs.push(made.getWeights().map(({ data }) => Array.from(data)));
      made.dispose();
      configure({ deterministic: false });
    }
    assert.equal(runs[0], runs[1]);
  });

  test(`${name}: samples do not meet, so that a batch can be computed in parts`, () => {
    const [query, value, kept] = [sequence(null), sequence(null), input({ shape: [null] })];
    const isList = name !== "multiHeadAttention";
    const masks = isList ? { mask: [kept, null] } : { valueMask: kept };
    const out = make({ dropout: 0.5 }).apply([query, value], {
      ...masks,
      useCausalMask: true,
      training: true,
    }) as SymbolicTensor;
    const graph = makeGraph("test", [query, value, kept], [out]);
    const states = { addresses: new Map(), sizes: new Map(), bytes: 0, owners: new Map() };
    const { mixing } = lower(graph, "predict", { layout: layOut(graph.weights), states });
    assert.equal([...mixing], []);
  });

  test(`${name}: masks by name do what those of embeddings do`, async () => {
    const ids = tensor(
      [
        [1, 2, 3, 0, 0],
        [0, 4, 0, 1, 2],
      ],
      undefined,
      "int32",
    );
    const layer = make();
    const [x, kept] = [input({ shape: [T], dtype: "int32" }), input({ shape: [T], dtype: "int32" })];
    const options = { inputDim: 6, outputDim: I };
    const [table, plain] = [layers.embedding({ ...options, maskZero: true }), layers.embedding(options)];
    const query = plain.apply(x) as SymbolicTensor;
    const implicit = layer.apply([query, table.apply(x) as SymbolicTensor]);
    const named = name === "multiHeadAttention" ? { valueMask: kept } : { mask: [null, kept] };
    const explicit = layer.apply([query, query], named);
    const neither = layer.apply([query, query]);
    const made = model({ inputs: [x, kept], outputs: [implicit, explicit, neither] });
    table.setWeights(plain.getWeights());
    const [a, b, c] = (await made.predict([ids, ids])) as Tensor[];
    assert.equal(a.data, b.data);
    assert.not.equal(a.data, c.data);
    made.dispose();
  });

  test(`${name}: a copy of a model, and a model at each step, attend as it does`, async () => {
    const start = sequence(null);
    const own = make();
    const query = layers.dense({ units: I }).apply(start) as SymbolicTensor;
    const kept = layers.masking({ maskValue: 0 }).apply(start) as SymbolicTensor;
    const inner = model({
      inputs: start,
      outputs: own.apply([query, kept], { useCausalMask: true }) as SymbolicTensor,
    });
    const x = numbers(5, 2, T, I);
    x.data.fill(0, I, 2 * I);
    const expected = (await inner.predict(x)) as Tensor;
    const copied = copyLayer(inner.asLayer());
    const other = sequence(null);
    const again = model({ inputs: other, outputs: copied.apply(other) });
    assert.not.equal(((await again.predict(x)) as Tensor).data, expected.data);
    again.setWeights(inner.getWeights());
    assert.equal(((await again.predict(x)) as Tensor).data, expected.data);
    const steps = input({ shape: [2, T, I] });
    const each = model({ inputs: steps, outputs: layers.timeDistributed({ layer: inner }).apply(steps) });
    const both = (await each.predict(tensor(x.data, [1, 2, T, I]))) as Tensor;
    assertClose("at each step", both.data, expected.data);
    for (const one of [inner, again, each]) one.dispose();
  });

  test(`${name}: a stream and a file of TensorFlow.js are refused by name`, async () => {
    const start = sequence(null);
    const made = model({ inputs: start, outputs: make().apply([start, start]) });
    await refused(() => made.stream(), /ttention.*whole sequences/);
    await refused(() => made.toBytes("tfjs"), /layer of TensorFlow.js, got a layer of class '\w*Attention'/);
    made.dispose();
  });

  test(`${name}: what cannot be is refused, and what was expected is told`, async () => {
    const [x, y, z] = [sequence(), sequence(S), sequence(S, 3)];
    const operation = name;
    const apply = (inputs: SymbolicTensor | SymbolicTensor[], options?: object) => () =>
      make().apply(inputs, options);
    await refused(apply(x), new RegExp(`${operation}: expected 2 or 3 inputs, got 1.*apply\\(\\[x, x\\]\\)`));
    await refused(apply([x, y, y, y]), /expected 2 or 3 inputs, got 4/);
    await refused(apply([x, y, x]), /a key with the 7 steps of the value/);
    await refused(apply([x, input({ shape: [I] })]), /rank 3.*\(None, 4\)/);
    await refused(
      apply([input({ shape: [T, I], batchSize: 2 }), input({ shape: [S, I], batchSize: 3 })]),
      /batch size 2/,
    );
    await refused(apply([x, y], { useCausalMask: 1 }), /useCausalMask.*true or false/);
    await refused(apply([x, y], { causal: true }), /expected known options, got 'causal'.*useCausalMask/);
    await refused(() => make({ dropout: 1 }), /dropout.*a number in \[0, 1\)/);
    await refused(() => make({ seed: -1 }), /seed/);
    await refused(() => layers.dense({ units: 1 }).apply(x, { useCausalMask: true }), /known options/);
    await refused(
      () => layers.lstm({ units: 1 }).apply(x, { mask: [input({ shape: [T] })] }),
      /mask: expected a symbolic tensor of shape/,
    );
    if (name === "multiHeadAttention") {
      await refused(apply([x, y], { mask: [x, y] }), /mask.*valueMask/);
      await refused(apply([x, y], { queryMask: x }), /queryMask.*from the query alone/);
      await refused(
        apply([x, y], { valueMask: input({ shape: [T] }) }),
        /valueMask.*\(None, 7\).*got \(None, 5\)/,
      );
      await refused(apply([x, z], { keyMask: 3 }), /keyMask.*got 3/);
      await refused(
        apply([x, z], { attentionMask: input({ shape: [T, T] }) }),
        /attentionMask.*\(None, 5, 7\)/,
      );
      await refused(() => make({ numHeads: 0 }), /numHeads.*positive integer, got 0/);
      await refused(() => make({ keyDim: 1.5 }), /keyDim.*positive integer/);
      await refused(() => make({ valueDim: -1 }), /valueDim.*positive integer/);
      await refused(() => make({ outputShape: [] }), /outputShape.*positive integer or a list/);
      await refused(() => make({ attentionAxes: [1, 2] }), /attentionAxes.*null or 1.*permute/);
      await refused(() => make({ slidingWindow: 0 }), /slidingWindow/);
      await refused(() => make({ flashAttention: true }), /known options, got 'flashAttention'/);
    } else {
      await refused(apply([x, z]), /as many features.*\(None, 5, 4\) and \(None, 7, 3\)/);
      await refused(
        apply([x, y], { mask: input({ shape: [T] }) }),
        /mask: expected \[queryMask, valueMask\]/,
      );
      await refused(apply([x, y], { mask: [null, null, null] }), /\[queryMask, valueMask\].*got 3/);
      await refused(apply([x, y], { mask: [null, input({ shape: [T] })] }), /mask\[1\].*\(None, 7\)/);
      await refused(apply([x, y], { attentionMask: x }), /known options, got 'attentionMask'/);
      await refused(apply([x, y], { returnAttentionScores: "yes" }), /returnAttentionScores.*true or false/);
    }
    await refused(
      () => layers.attention({ scoreMode: "dott" as "dot" }),
      /scoreMode.*'dot' or 'concat', got 'dott'.*'dot'/,
    );
  });

  test(`${name}: lengths that the data does not agree on are told before anything runs`, async () => {
    const inputs = [sequence(null), sequence(null), sequence(null)];
    const kept = input({ shape: [null] });
    const options = name === "multiHeadAttention" ? { valueMask: kept } : { mask: [null, kept] };
    const made = model({ inputs: [...inputs, kept], outputs: make().apply(inputs, options) });
    const feed = (key: number, mask: number) => [
      numbers(1, 2, 3, I),
      numbers(2, 2, 5, I),
      numbers(3, 2, key, I),
      numbers(4, 2, mask),
    ];
    await refused(() => made.predict(feed(6, 5)), /ttention.*(5|6)/);
    await refused(() => made.predict(feed(5, 4)), /ttention.*mask.*(5|4)/);
    const found = (await made.predict(feed(5, 5))) as Tensor;
    assert.equal([...found.shape], [2, 3, I]);
    made.dispose();
  });
}

test("a mask of attention with heads stands alone", async () => {
  const [x, may, ids] = [sequence(), input({ shape: [2, T, T] }), input({ shape: [T], dtype: "int32" })];
  const embedded = layers
    .embedding({ inputDim: 3, outputDim: I, maskZero: true })
    .apply(ids) as SymbolicTensor;
  const layer = KINDS.multiHeadAttention();
  const made = model({ inputs: [x, may, ids], outputs: layer.apply([x, embedded], { attentionMask: may }) });
  const feeds = [numbers(1, 2, T, I), numbers(2, 2, 2, T, T), tensor(new Int32Array(2 * T).fill(1), [2, T])];
  await refused(() => made.predict(feeds), /attentionMask.*axis of heads/);
});

test("masks of Keras' files that were given by name come back, and all flags", async () => {
  const [x, y, kept, may] = [sequence(), sequence(S), input({ shape: [S] }), input({ shape: [T, S] })];
  const first = layers.attention({ name: "a" }).apply([x, y], { mask: [null, kept], useCausalMask: true });
  const many = layers.multiHeadAttention({ name: "m", numHeads: 2, keyDim: 3, slidingWindow: 3 });
  const [second, scores] = many.apply([first, y], {
    attentionMask: may,
    keyMask: kept,
    returnAttentionScores: true,
  });
  const made = model({ inputs: [x, y, kept, may], outputs: [second, scores] });
  const bits = (seed: number, ...shape: number[]) => {
    const { data } = numbers(seed, ...shape);
    return tensor(
      data.map((v) => (v > 0 ? 1 : 0)),
      shape,
    );
  };
  const feeds = [numbers(1, 2, T, I), numbers(2, 2, S, I), bits(3, 2, S), bits(4, 2, T, S)];
  const expected = (await made.predict(feeds)) as Tensor[];
  for (const format of ["keras", "h5"] as const) {
    const again = await loadModel(await made.toBytes(format));
    const found = (await again.predict(feeds)) as Tensor[];
    expected.forEach(({ data }, k) => {
      assert.equal(found[k].data, data, `${format}: output ${k}`);
    });
    again.dispose();
  }
  made.dispose();
});

/** A decoder of Bahdanau's kind: at each step attention over a memory, in a cell of the user's own. */
test("attention in a cell of one's own, over a memory that all steps share", async () => {
  const own = layers.additiveAttention();
  const cell = {
    stateSize: I,
    call(
      x: SymbolicTensor,
      [state]: readonly SymbolicTensor[],
      [memory]: readonly SymbolicTensor[],
    ): [SymbolicTensor, SymbolicTensor[]] {
      const context = ops.squeeze(own.apply([ops.expandDims(x, 1), memory]) as SymbolicTensor, 1);
      return [context, [ops.add(context, ops.multiply(state, 0))]];
    },
  };
  const [x, memory] = [sequence(null), sequence(null)];
  const inside = layers.rnn({ cell, returnSequences: true }).apply(x, { constants: memory });
  const made = model({ inputs: [x, memory], outputs: inside });
  const outside = model({ inputs: [x, memory], outputs: own.apply([x, memory]) });
  const feeds = [numbers(1, 3, T, I), numbers(2, 3, S, I)];
  const [a, b] = [await made.predict(feeds), await outside.predict(feeds)] as Tensor[];
  assertClose("in a loop", a.data, b.data);
  const y = numbers(3, 3, T, I);
  const slopes = [];
  for (const each of [made, outside])
    slopes.push((await gradients(each, feeds, y, { loss: "meanSquaredError" })).weights[0]!);
  assertClose("gradient of the scale", slopes[0], slopes[1]);
  made.dispose();
  outside.dispose();
});

test("an encoder and a decoder with attention learn to turn a sequence round", async () => {
  setRandomSeed(7);
  const random = new Random(3);
  const [SAMPLES, LENGTH, LETTERS, UNITS] = [512, 6, 8, 32];
  const source = Int32Array.from({ length: SAMPLES * LENGTH }, () => 1 + random.integer(LETTERS));
  const at = (i: number) => Math.floor(i / LENGTH) * LENGTH;
  const target = source.map((_, i) => source[at(i) + LENGTH - 1 - (i % LENGTH)]);
  // The decoder is told the letter before, and 0 at first.
  const before = target.map((_, i) => (i % LENGTH === 0 ? 0 : target[i - 1]));
  const shape = [SAMPLES, LENGTH];
  const [from, to] = [input({ shape: [null], dtype: "int32" }), input({ shape: [null], dtype: "int32" })];
  const embed = (x: SymbolicTensor) =>
    layers.embedding({ inputDim: LETTERS + 1, outputDim: 16 }).apply(x) as SymbolicTensor;
  const [encoded, ...states] = layers
    .lstm({ units: UNITS, returnSequences: true, returnState: true })
    .apply(embed(from));
  const decoded = layers
    .lstm({ units: UNITS, returnSequences: true })
    .apply(embed(to), { initialState: states }) as SymbolicTensor;
  const context = layers.attention().apply([decoded, encoded]) as SymbolicTensor;
  const both = layers.concatenate().apply([decoded, context]) as SymbolicTensor;
  const made = model({
    inputs: [from, to],
    outputs: layers.dense({ units: LETTERS + 1, activation: "softmax" }).apply(both),
  });
  made.compile({
    optimizer: optimizers.adam({ learningRate: 0.01 }),
    loss: "sparseCategoricalCrossentropy",
    metrics: ["accuracy"],
  });
  const x = [tensor(source, shape), tensor(before, shape)];
  await made.fit(x, tensor(target, shape), { epochs: 25, batchSize: 32, verbose: 0, validationSplit: 0.125 });
  const tested = x.map(({ data }) => tensor(data.slice(-64 * LENGTH) as Int32Array, [64, LENGTH]));
  const { accuracy } = await made.evaluate(tested, tensor(target.slice(-64 * LENGTH), [64, LENGTH]), {
    verbose: 0,
  });
  assert.ok(accuracy > 0.95, `accuracy ${accuracy} on sequences it has not seen`);
  made.dispose();
});

async function refused(act: () => unknown, message: RegExp): Promise<void> {
  try {
    await act();
  } catch (error) {
    assert.instance(error, UnreelError);
    assert.match((error as Error).message.replace(/\s+/g, " "), message);
    return;
  }
  assert.unreachable(`expected an error: ${message}`);
}

test.run();
