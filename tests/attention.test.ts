// attention, additiveAttention and multiHeadAttention: outputs, losses, gradients and training against Keras 3; masks, dropout, what is
// refused. The ops inside are in ops.test.ts, files in formats/.
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  input,
  type Layer,
  layers,
  type Model,
  model,
  optimizers,
  type SymbolicTensor,
  type Tensor,
} from "../src/index.js";
import type { ApplyOptions } from "../src/layers/layer.js";
import {
  assertClose,
  asTensor,
  type Described,
  gradients,
  make,
  type Numbers,
  nameOf,
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

test.run();
