// Outputs, losses and every weight gradient against Keras 3 and PyTorch; weights after ten steps of each optimizer; the
// parameter counts of Keras' summaries. The numbers and the scripts that made them are in golden/.
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  input,
  type Layer,
  layers,
  losses,
  type Model,
  model,
  optimizers,
  type SymbolicTensor,
  sequential,
  type Tensor,
} from "../src/index.js";
import * as cells from "../src/layers/cells/index.js";
import { dense } from "../src/ops/index.js";
import { differentiate } from "./differentiate.js";
import {
  assertClose,
  asTensor,
  type Described,
  gradients,
  make,
  type Numbers,
  readGolden,
} from "./support.js";

interface LayerCase {
  name: string;
  layers: Described[];
  input: Numbers;
  weights: Numbers[];
  output: Numbers;
  loss: Described;
  target: Numbers;
  sampleWeight?: number[];
  lossValue: number;
  gradients: Numbers[];
}
interface TrainingCase extends Omit<LayerCase, "input" | "target" | "output" | "lossValue" | "gradients"> {
  optimizer: Described;
  batches: { input: Numbers; target: Numbers }[];
  weightsAfter: Numbers[];
  losses: number[];
}

function build({ layers: described }: { layers: Described[] }): Model {
  return sequential(described.map((each) => make<Layer>(layers, each)));
}

const { cases } = readGolden<{ cases: LayerCase[] }>("keras_layers.json");
for (const each of cases) {
  test(`Keras: ${each.name}`, async () => {
    const made = build(each);
    const x = asTensor(each.input);
    await made.predict(x);
    made.setWeights(each.weights.map(asTensor));
    const output = (await made.predict(x)) as Tensor;
    assert.equal([...output.shape], each.output.shape);
    assertClose("output", output.data, each.output.data);
    const loss = make<losses.Loss>(losses, each.loss);
    made.compile({ loss });
    const y = asTensor(each.target);
    const { sampleWeight } = each;
    const evaluated = await made.evaluate(x, y, { sampleWeight, batchSize: 1000 });
    assertClose("loss", [evaluated.loss], [each.lossValue]);
    const found = await gradients(made, x, y, { loss, sampleWeight });
    assertClose("training loss", [found.loss], [each.lossValue]);
    assert.is(found.weights.length, each.gradients.length);
    // A gradient that cancels to less than a hundredth of the others is only known to float32's rounding of its terms.
    const largest = Math.max(...each.gradients.flatMap(({ data }) => data.map(Math.abs)));
    each.gradients.forEach((gradient, index) => {
      assertClose(
        `gradient ${index}`,
        found.weights[index]!,
        gradient.data,
        1e-5,
        Math.max(1e-3, 0.01 * largest),
      );
    });
    made.dispose();
  });
}

const training = readGolden<{ cases: TrainingCase[] }>("keras_training.json");
for (const each of training.cases) {
  test(`Keras training: ${each.name}`, async () => {
    const made = build(each);
    await made.predict(asTensor(each.batches[0].input));
    made.setWeights(each.weights.map(asTensor));
    made.compile({
      optimizer: make<optimizers.Optimizer>(optimizers, each.optimizer),
      loss: make<losses.Loss>(losses, each.loss),
    });
    for (let step = 0; step < 10; step++) {
      const batch = each.batches[step % each.batches.length];
      const { loss } = await made.trainOnBatch(asTensor(batch.input), asTensor(batch.target));
      assertClose(`loss of step ${step}`, [loss], [each.losses[step]], 1e-4);
    }
    made.getWeights().forEach((weight, index) => {
      assertClose(`weight ${index}`, weight.data, each.weightsAfter[index].data, 1e-4);
    });
    made.dispose();
  });
}

interface TorchCase {
  name: string;
  cell: "rnn" | "lstm" | "gru";
  units: number;
  input: Numbers;
  weights: Numbers[];
  output: Numbers;
  states: Numbers[];
  outputGradient: Numbers;
  gradients: Numbers[];
  inputGradient: Numbers;
}

const torch = readGolden<{ cases: TorchCase[] }>("torch_rnn.json");
for (const each of torch.cases) {
  test(`PyTorch: ${each.name}`, async () => {
    const [, time, features] = each.input.shape;
    const x = input({ shape: [time, features] });
    const useBias = each.weights.length === 3;
    const make = { rnn: layers.simpleRNN, lstm: layers.lstm, gru: layers.gru }[each.cell];
    const layer = make({ units: each.units, useBias, returnSequences: true, returnState: true });
    const outputs = layer.apply(x) as SymbolicTensor[];
    const made = model({ inputs: x, outputs });
    made.setWeights(each.weights.map(asTensor));
    const found = (await made.predict(asTensor(each.input))) as Tensor[];
    assertClose("output", found[0].data, each.output.data);
    each.states.forEach((state, index) => {
      assertClose(`state ${index}`, found[index + 1].data, state.data);
    });
    made.dispose();
    await checkTorchGradients(each);
  });
}

/** Gradients of Σ output · outputGradient by the ops themselves. */
async function checkTorchGradients(each: TorchCase): Promise<void> {
  const cell = { rnn: cells.simple, lstm: cells.lstm, gru: cells.gru }[each.cell];
  const config = { units: each.units, resetAfter: true } as cells.CellConfig;
  const given = [each.input, ...each.weights].map(({ shape, data }) => ({ shape, data }));
  const { gradients: found } = await differentiate(
    given,
    (b, [x, ...weights]) => {
      const split = cell.split(b, config, weights);
      const [gates] = b.apply(dense, "gates", [b.timeMajor(x), split.kernel, split.inputBias], {});
      return [cell.sequence(b, "sequence", config, split, { gates, initialState: [] })[0]];
    },
    [each.outputGradient.data],
  );
  [each.inputGradient, ...each.gradients].forEach((gradient, index) => {
    assertClose(`gradient ${index}`, found[index]!, gradient.data);
  });
}

interface StackCase {
  name: string;
  cell: "rnn" | "lstm" | "gru";
  layers: number;
  both: boolean;
  units: number;
  input: Numbers;
  target: Numbers;
  weights: Numbers[];
  output: Numbers;
  lossValue: number;
  gradients: Numbers[];
}

for (const each of readGolden<{ cases: StackCase[] }>("torch_stacks.json").cases) {
  test(`PyTorch: ${each.name}`, async () => {
    const make = { rnn: layers.simpleRNN, lstm: layers.lstm, gru: layers.gru }[each.cell];
    const made = sequential(
      Array.from({ length: each.layers }, (_, index) => {
        const inputShape = index === 0 ? each.input.shape.slice(1) : undefined;
        if (!each.both) return make({ units: each.units, returnSequences: true, inputShape });
        return layers.bidirectional({
          layer: make({ units: each.units, returnSequences: true }),
          inputShape,
        });
      }),
    );
    made.setWeights(each.weights.map(asTensor));
    const x = asTensor(each.input);
    assertClose("output", (await made.predict(x)).data, each.output.data);
    const found = await gradients(made, x, asTensor(each.target), { loss: "meanSquaredError" });
    assertClose("loss", [found.loss], [each.lossValue]);
    each.gradients.forEach((gradient, index) => {
      assertClose(`gradient ${index}`, found.weights[index]!, gradient.data);
    });
    made.dispose();
  });
}

test.run();
