// Layers that are random while training: what they change, that both ways agree, and that seeds repeat them.
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  configure,
  input,
  type Layer,
  layers,
  model,
  optimizers,
  type SymbolicTensor,
  sequential,
  setRandomSeed,
  Tensor,
} from "../src/index.js";
import { centralDifferences, numbers } from "./gradcheck.js";
import * as reference from "./reference.js";
import { type Real, real } from "./reference.js";
import { assertClose, gradients } from "./support.js";

const I = 2;

const tensorOf = ({ shape, data }: Real): Tensor => new Tensor(Float32Array.from(data), shape);

function meanSquaredError(output: Real, target: Real): number {
  const rows = reference.loss(target, output, "meanSquaredError");
  const weights = real(rows.shape, () => 1 / rows.data.length);
  return reference.weightedSum(rows, weights).data[0];
}

for (const kind of ["dropout", "spatialDropout1D"] as const) {
  test(`${kind}: the same share and the same mask on both ways`, async () => {
    const [units, rate] = [17, 0.5];
    const dropout = layers[kind]({ rate, seed: 4 });
    const start = input({ shape: [1, I] });
    const hidden = layers.dense({ units }).apply(start) as SymbolicTensor;
    const made = model({
      inputs: start,
      outputs: dropout.apply(hidden, { training: true }) as SymbolicTensor,
    });
    const x = numbers([1, 1, I], 1);
    const run = (weights: Real[], target: Real, loss: string) => {
      made.setWeights(weights.map((weight) => tensorOf(weight)));
      setRandomSeed(11);
      return gradients(made, tensorOf(x), tensorOf(target), { loss });
    };
    // Where dense gives ones, the mean of |output| has the gradient mask / units by the bias.
    const constant = [real([I, units], () => 0), real([units], () => 1)];
    const opposite = real([1, 1, units], () => -1);
    const probe = await run(constant, opposite, "meanAbsoluteError");
    const mask = [...probe.weights[1]!].map((slope) => slope * units);
    assert.ok(
      mask.every((m) => Math.abs(m) < 1e-6 || Math.abs(m - 2) < 1e-5),
      `zeros and twos, got ${mask}`,
    );
    assert.ok(mask.some((m) => m > 1) && mask.some((m) => m < 1), "some are dropped and some are not");

    const weights = [numbers([I, units], 2), numbers([units], 3)];
    const target = numbers([1, 1, units], 4);
    const forward = ([kernel, bias]: readonly Real[]) =>
      reference.dropout(reference.dense(x, kernel, bias), mask);
    const loss = (changed: readonly Real[]) => meanSquaredError(forward(changed), target);
    const found = await run(weights, target, "meanSquaredError");
    assertClose("loss", [found.loss], [loss(weights)]);
    centralDifferences(loss, weights).forEach((slopes, index) => {
      assertClose(`gradient of weight ${index}`, found.weights[index]!, slopes);
    });
    const predicting = model({ inputs: start, outputs: dropout.apply(hidden) as SymbolicTensor });
    const { data } = (await predicting.predict(tensorOf(x))) as Tensor;
    assertClose("prediction, nothing dropped", data, reference.dense(x, weights[0], weights[1]).data);
    predicting.dispose();
    made.dispose();
  });
}

/** What a layer makes of numbers, as if it were training. */
async function disturbed(layer: Layer, x: Tensor, seed = 11): Promise<Float32Array> {
  const start = input({ shape: x.shape.slice(1) });
  const made = model({ inputs: start, outputs: layer.apply(start, { training: true }) as SymbolicTensor });
  setRandomSeed(seed);
  const { data } = (await made.predict(x, { batchSize: x.shape[0] })) as Tensor;
  made.dispose();
  return data as Float32Array;
}

const onesOf = (shape: number[]) =>
  new Tensor(new Float32Array(shape.reduce((a, b) => a * b)).fill(1), shape);

test("spatialDropout1D: a feature of a sample is dropped at all steps or at none", async () => {
  const [B, T, C, rate] = [40, 5, 17, 0.25];
  const found = await disturbed(layers.spatialDropout1D({ rate, seed: 3 }), onesOf([B, T, C]));
  let dropped = 0;
  const patterns = new Set<string>();
  for (let b = 0; b < B; b++) {
    const pattern = Array.from({ length: C }, (_, c) => found[b * T * C + c]);
    for (let t = 0; t < T; t++) {
      assert.equal([...found.subarray((b * T + t) * C, (b * T + t + 1) * C)], pattern);
    }
    assert.ok(pattern.every((x) => x === 0 || Math.abs(x - 1 / (1 - rate)) < 1e-6));
    dropped += pattern.filter((x) => x === 0).length;
    patterns.add(pattern.map((x) => (x === 0 ? "0" : "1")).join(""));
  }
  // Four standard errors.
  assert.ok(Math.abs(dropped / (B * C) - rate) < 4 * Math.sqrt((rate * (1 - rate)) / (B * C)), `${dropped}`);
  assert.ok(patterns.size > B / 2, "samples drop different features");
});

test("gaussianNoise: mean, deviation and independence of what is added", async () => {
  const shape = [100, 10, 20];
  const n = 20_000;
  const found = await disturbed(layers.gaussianNoise({ stddev: 0.5, seed: 3 }), onesOf(shape));
  const noise = Array.from(found, (x) => (x - 1) / 0.5);
  const mean = noise.reduce((a, b) => a + b) / n;
  const variance = noise.reduce((a, b) => a + b * b, 0) / n;
  const beyond = noise.filter((x) => Math.abs(x) > 2).length / n;
  assert.ok(Math.abs(mean) < 4 / Math.sqrt(n), `mean ${mean}`);
  assert.ok(Math.abs(variance - 1) < 4 * Math.sqrt(2 / n), `variance ${variance}`);
  assert.ok(Math.abs(beyond - 0.0455) < 4 * Math.sqrt(0.0455 / n), `beyond two deviations: ${beyond}`);
});

const random: Record<string, (seed: number) => Layer> = {
  dropout: (seed) => layers.dropout({ rate: 0.5, seed }),
  spatialDropout1D: (seed) => layers.spatialDropout1D({ rate: 0.5, seed }),
  gaussianNoise: (seed) => layers.gaussianNoise({ stddev: 0.5, seed }),
};

for (const [name, make] of Object.entries(random)) {
  test(`${name}: the same seeds repeat it, others do not, and it rests outside of training`, async () => {
    const x = tensorOf(numbers([3, 7, 5], 1));
    const first = await disturbed(make(1), x);
    assert.equal(await disturbed(make(1), x), first);
    assert.not.equal(await disturbed(make(2), x), first);
    assert.not.equal(await disturbed(make(1), x, 12), first);
    const made = sequential([layers.activation({ activation: "linear", inputShape: [7, 5] }), make(1)]);
    assert.equal(((await made.predict(x)) as Tensor).data, x.data);
    made.dispose();
  });

  test(`${name}: every step of a training draws anew, and the same seed trains to the same bits`, async () => {
    configure({ deterministic: true });
    const runs: Tensor[][] = [];
    const x = tensorOf(numbers([4, 7, 3], 1));
    const y = tensorOf(numbers([4, 7, 2], 2));
    for (let run = 0; run < 2; run++) {
      setRandomSeed(5);
      const made = sequential([
        layers.dense({ units: 5, inputShape: [null, 3] }),
        make(1),
        layers.dense({ units: 2 }),
      ]);
      made.compile({ optimizer: "sgd", loss: "mse" });
      const { history } = await made.fit(x, y, { epochs: 5, batchSize: 2, verbose: 0 });
      assert.is(new Set(history.loss).size, 5);
      runs.push(made.getWeights());
      made.dispose();
    }
    configure({ deterministic: false });
    assert.equal(runs[0], runs[1]);
    // With a rate of learning of 0 only the noise tells two steps apart.
    const still = sequential([
      layers.dense({ units: 5, inputShape: [7, 3] }),
      make(1),
      layers.dense({ units: 2 }),
    ]);
    still.compile({ optimizer: optimizers.sgd({ learningRate: 0 }), loss: "mse" });
    const losses = [];
    for (let step = 0; step < 4; step++)
      losses.push((await still.fit(x, y, { epochs: 2, verbose: 0 })).history.loss);
    assert.is(new Set(losses.flat()).size, 8);
    still.dispose();
  });
}

test.run();
