// Weights are packed once for all predictions until they change: whoever changes them, the next prediction must know.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { layers, optimizers, sequential, type Tensor, tensor } from "../src/index.js";
import { BoundProgram } from "../src/program/run.js";

test("packed weights follow every change of the weights", async () => {
  const layer = layers.lstm({ units: 3, inputShape: [2, 2] });
  const net = sequential([layer, layers.dense({ units: 1 })]);
  net.compile({ optimizer: optimizers.sgd({ learningRate: 0.5 }), loss: "meanSquaredError" });
  const x = tensor([1, -1, 0.5, 2], [1, 2, 2]);
  const other = sequential([layer, layers.dense({ units: 1 })]);
  const stream = await net.stream();
  const fresh = async () => {
    const copy = sequential([layers.lstm({ units: 3, inputShape: [2, 2] }), layers.dense({ units: 1 })]);
    copy.setWeights(net.getWeights());
    const result = (await copy.predict(x)) as Tensor;
    copy.dispose();
    return [...result.data];
  };
  const steps = () => {
    stream.reset();
    stream.step([[1, -1]]);
    return [...(stream.step([[0.5, 2]]) as Tensor).data];
  };
  const check = async (what: string) => {
    const expected = await fresh();
    assert.equal([...((await net.predict(x)) as Tensor).data], expected, what);
    assert.equal(steps(), expected, `${what}, stream`);
  };
  await check("at first");
  await net.trainOnBatch(x, [[1]]);
  await check("after a step of training");
  net.setWeights(
    net.getWeights().map(({ data, shape }) => tensor(data.map((v) => v + 0.1) as Float32Array, [...shape])),
  );
  await check("after setWeights");
  other.compile({ optimizer: "sgd", loss: "meanSquaredError" });
  await other.trainOnBatch(x, [[3]]);
  await check("after a model that shares the layer was trained");
  const history = await net.fit(x, [[1]], { epochs: 3, validationData: [x, [[1]]], verbose: 0 });
  const evaluated = await net.evaluate(x, [[1]], { verbose: 0 });
  assert.ok(Math.abs(evaluated.loss - history.history.val_loss[2]) < 1e-7);
  await check("after fit");
  for (const model of [net, other]) model.dispose();
});

test("weights that do not change are packed once", async () => {
  const net = sequential([layers.lstm({ units: 3, inputShape: [2, 2] })]);
  const run = BoundProgram.prototype.run;
  let packings = 0;
  BoundProgram.prototype.run = function (from, to) {
    if (this.program.name === "predict: packing") packings++;
    run.call(this, from, to);
  };
  try {
    for (let k = 0; k < 5; k++)
      await net.predict(
        [
          [
            [1, -1],
            [0.5, k],
          ],
        ],
        { batchSize: 1 + k },
      );
  } finally {
    BoundProgram.prototype.run = run;
  }
  assert.is(packings, 1);
  net.dispose();
});

test.run();
