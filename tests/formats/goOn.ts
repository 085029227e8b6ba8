// A training that begins here, goes on in Keras (go_on.py) and comes back:
// node build/tests/formats/goOn.js begin FOLDER && python tests/formats/go_on.py FOLDER && node build/tests/formats/goOn.js end FOLDER
import { mkdirSync, writeFileSync } from "node:fs";
import {
  layers,
  loadModel,
  type Model,
  type optimizers,
  sequential,
  setRandomSeed,
  tensor,
} from "../../src/index.js";
import { registry as optimizerRegistry } from "../../src/training/resolveOptimizer.js";

const [, , turn, folder] = process.argv;
const x = tensor(
  Float32Array.from({ length: 24 * 6 * 3 }, (_, i) => ((i * 37) % 19) / 9 - 1),
  [24, 6, 3],
);
const y = tensor(
  Float32Array.from({ length: 24 * 2 }, (_, i) => ((i * 5) % 7) / 7),
  [24, 2],
);
const options = { epochs: 5, batchSize: 8, shuffle: false, verbose: 0 } as const;

function fresh(optimizer: string): Model {
  setRandomSeed(6);
  const model = sequential([
    layers.bidirectional({ layer: layers.lstm({ units: 4, returnSequences: true }) }),
    layers.gru({ units: 4 }),
    layers.dense({ units: 2 }),
  ]);
  const make = optimizerRegistry[optimizer] as (options: object) => optimizers.Optimizer;
  model.compile({ optimizer: make({ learningRate: 0.01 }), loss: "meanSquaredError" });
  return model;
}

mkdirSync(folder, { recursive: true });
const names = Object.keys(optimizerRegistry);
if (turn === "begin") {
  const plain = ({ data, shape }: typeof x) => ({ data: [...data], shape });
  writeFileSync(`${folder}/data.json`, JSON.stringify({ names, x: plain(x), y: plain(y) }));
}
for (const name of names) {
  if (turn === "begin") {
    const model = fresh(name);
    await model.fit(x, y, options);
    await model.save(`${folder}/${name}.keras`);
    continue;
  }
  const whole = fresh(name);
  await whole.fit(x, y, { ...options, epochs: 10 });
  const back = await loadModel(`${folder}/${name}.after.keras`);
  const [expected, found] = [await whole.predict(x, { verbose: 0 }), await back.predict(x, { verbose: 0 })];
  const apart = Math.max(...Array.from(expected.data, (value, i) => Math.abs(value - found.data[i])));
  const steps = back.describe("steps").training!.iterations;
  console.log(`${name}: ${apart.toExponential(2)} apart after ${steps} steps, of them ${steps / 2} in Keras`);
}
