// Graphs of recurrent layers against Keras' own numbers: every output, the loss and every gradient. What the cases are is in
// golden/keras_recurrent.py: functional models, tensors by number, the inputs first and then what each call gives.
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  type DType,
  input,
  type Layer,
  layers,
  type Model,
  model,
  type SymbolicTensor,
} from "../src/index.js";
import { camelCase } from "../src/layers/options.js";
import { assertClose, asTensor, gradients, readGolden } from "./support.js";

interface Array_ {
  shape: number[];
  data: number[];
  dtype?: string;
}
interface Described {
  className: string;
  config: Record<string, unknown>;
}
interface Call {
  layer?: Described;
  /** The call whose layer is applied again. */
  sharedWith?: number;
  from: number[];
  initialState?: number[];
}
interface Case {
  name: string;
  inputs: { shape: number[]; dtype: DType }[];
  calls: Call[];
  outputs: number[];
  feeds: Array_[];
  weights: Array_[];
  values: Array_[];
  targets: Array_[];
  lossValue: number;
  gradients: Array_[];
}

const special: Record<string, string> = { SimpleRNN: "simpleRNN", LSTM: "lstm", GRU: "gru" };

function make({ className, config }: Described): Layer {
  const factory = (layers as unknown as Record<string, (config: object) => Layer>)[
    special[className] ?? camelCase(className)
  ];
  assert.ok(factory, `${className} is offered`);
  const inner = ["layer", "backwardLayer"].filter((key) => key in config);
  return factory({
    ...config,
    ...Object.fromEntries(inner.map((key) => [key, make(config[key] as Described)])),
  });
}

function build({ inputs, calls, outputs }: Case): Model {
  const given = inputs.map((each) => input(each));
  const tensors = [...given];
  const made: Layer[] = [];
  const all = (numbers: number[]) => numbers.map((number) => tensors[number]);
  for (const { layer, sharedWith, from, initialState } of calls) {
    made.push(layer ? make(layer) : made[sharedWith!]);
    const options = initialState && { initialState: all(initialState) };
    tensors.push(...[made.at(-1)!.apply(all(from), options)].flat());
  }
  return model({ inputs: given, outputs: all(outputs) as SymbolicTensor[] });
}

const oneOrAll = <T>(list: T[]): T | T[] => (list.length === 1 ? list[0] : list);

const { cases } = readGolden<{ cases: Case[] }>("keras_recurrent.json");
for (const each of cases) {
  test(`Keras: ${each.name}`, async () => {
    const made = build(each);
    made.setWeights(each.weights.map(asTensor));
    const x = oneOrAll(each.feeds.map(asTensor));
    const found = [await made.predict(x)].flat();
    assert.is(found.length, each.values.length);
    each.values.forEach(({ shape, data }, index) => {
      assert.equal([...found[index].shape], shape);
      assertClose(`output ${index}`, found[index].data, data);
    });
    const y = oneOrAll(each.targets.map(asTensor));
    made.compile({ loss: "meanSquaredError" });
    const { loss } = await made.evaluate(x, y);
    assertClose("loss", [loss], [each.lossValue]);
    const trained = await gradients(made, x, y, { loss: "meanSquaredError" });
    assertClose("training loss", [trained.loss], [each.lossValue]);
    assert.is(trained.weights.length, each.gradients.length);
    // A gradient that cancels to less than a hundredth of the others is only known to float32's rounding of its terms.
    const largest = Math.max(...each.gradients.flatMap(({ data }) => data.map(Math.abs)));
    each.gradients.forEach(({ data }, index) => {
      // No path from the weight to the loss: no storage for its gradient either.
      const gradient = trained.weights[index] ?? data.map(() => 0);
      assertClose(`gradient ${index}`, gradient, data, 1e-5, Math.max(1e-3, 0.01 * largest));
    });
    made.dispose();
  });
}

test("enough of them", () => {
  const layersAndStacks = readGolden<{ cases: unknown[] }>("keras_layers.json").cases.length;
  console.log(
    `${cases.length + layersAndStacks} golden cases: ${layersAndStacks} layers and stacks, ${cases.length} graphs`,
  );
  assert.ok(cases.length + layersAndStacks >= 400);
});

test.run();
