// Functional models from the descriptions in the golden files: tensors by number, the inputs first and then what each call
// gives (golden/README.md). Used by recurrent.test.ts and family.test.ts.
import * as assert from "uvu/assert";
import {
  type DType,
  input,
  type Layer,
  layers,
  type Model,
  model,
  type SymbolicTensor,
  type Tensor,
} from "../src/index.js";
import { assertClose, asTensor, type Described, gradients, type Numbers, nameOf } from "./support.js";

interface Call {
  layer?: Described;
  /** The call whose layer is applied again. */
  sharedWith?: number;
  from: number[];
  initialState?: number[];
  mask?: number;
}

export interface DescribedGraph {
  inputs: { shape: number[]; dtype: DType; batchSize?: number; name?: string }[];
  calls: Call[];
  outputs: number[];
}

export interface GraphCase extends DescribedGraph {
  name: string;
  feeds: Numbers[];
  weights: Numbers[];
  values: Numbers[];
  targets: Numbers[];
  lossValue: number;
  /** One for each weight; null for those that are not trained. */
  gradients: (Numbers | null)[];
}

const factories = layers as unknown as Record<string, (config: object) => Layer>;

/** A layer from its description; layers, cells and models inside it are described likewise. */
export function makeLayer({ className, config }: Described): Layer {
  if (className === "Model") {
    const made = buildGraph(config as unknown as DescribedGraph, config.name as string | undefined).asLayer();
    made.trainable = (config.trainable as boolean | undefined) ?? true;
    return made;
  }
  const factory = factories[nameOf(className)];
  assert.ok(factory, `${className} is offered`);
  const inner = ["layer", "backwardLayer", "cell", "cells"].filter((key) => key in config);
  const make = (given: unknown): unknown =>
    Array.isArray(given) ? given.map(make) : makeLayer(given as Described);
  return factory({ ...config, ...Object.fromEntries(inner.map((key) => [key, make(config[key])])) });
}

export function buildGraph({ inputs, calls, outputs }: DescribedGraph, name?: string): Model {
  const given = inputs.map((each) => input(each));
  const tensors = [...given];
  const made: Layer[] = [];
  const all = (numbers: number[]) => numbers.map((number) => tensors[number]);
  for (const { layer, sharedWith, from, initialState, mask } of calls) {
    made.push(layer ? makeLayer(layer) : made[sharedWith!]);
    const options = {
      initialState: initialState && all(initialState),
      mask: mask === undefined ? undefined : tensors[mask],
    };
    tensors.push(...[made.at(-1)!.apply(all(from), options)].flat());
  }
  return model({ inputs: given, outputs: all(outputs) as SymbolicTensor[], name });
}

export const oneOrAll = <T>(list: T[]): T | T[] => (list.length === 1 ? list[0] : list);

export function assertOutputs(found: Tensor | Tensor[], expected: Numbers[], what = "output"): void {
  const all = [found].flat();
  assert.is(all.length, expected.length);
  expected.forEach(({ shape, data }, index) => {
    assert.equal([...all[index].shape], shape);
    assertClose(`${what} ${index}`, all[index].data, data);
  });
}

/** Every output, the loss and every gradient. */
export async function checkGraph(each: GraphCase): Promise<void> {
  const made = buildGraph(each);
  made.setWeights(each.weights.map(asTensor));
  const x = oneOrAll(each.feeds.map(asTensor));
  assertOutputs(await made.predict(x), each.values);
  const y = oneOrAll(each.targets.map(asTensor));
  made.compile({ loss: "meanSquaredError" });
  const { loss } = await made.evaluate(x, y);
  assertClose("loss", [loss], [each.lossValue]);
  const trained = await gradients(made, x, y, { loss: "meanSquaredError" });
  assertClose("training loss", [trained.loss], [each.lossValue]);
  assert.is(trained.weights.length, each.gradients.length);
  // A gradient that cancels to less than a hundredth of the others is only known to float32's rounding of its terms.
  const largest = Math.max(...each.gradients.flatMap((gradient) => gradient?.data.map(Math.abs) ?? []));
  each.gradients.forEach((expected, index) => {
    if (expected === null) {
      assert.is(trained.weights[index], undefined, `weight ${index} is not trained`);
      return;
    }
    // No path from the weight to the loss: no storage for its gradient either.
    const gradient = trained.weights[index] ?? expected.data.map(() => 0);
    assertClose(`gradient ${index}`, gradient, expected.data, 1e-5, Math.max(1e-3, 0.01 * largest));
  });
  made.dispose();
}
