// The same program for every bundler, runtime and page: trains, predicts, and says how it went. Byte for byte the same everywhere.
import { engineInfo, layers, sequential, setRandomSeed } from "unreel";

async function run() {
  setRandomSeed(1);
  const x = Array.from({ length: 400 }, (_, i) => [0, 0, i % 2 ? 1 : 2, 3 + (i % 5), i % 2 ? 2 : 1, 0]);
  const y = x.map((row) => (row.indexOf(1) < row.indexOf(2) ? 1 : 0));
  const model = sequential([
    layers.embedding({ inputDim: 8, outputDim: 4, inputShape: [6] }),
    layers.lstm({ units: 8 }),
    layers.dense({ units: 1, activation: "sigmoid" }),
  ]);
  model.compile({ optimizer: "adam", loss: "binaryCrossentropy", metrics: ["accuracy"] });
  const { history } = await model.fit(x, y, { epochs: 30, verbose: 0 });
  const { build } = await engineInfo();
  return {
    accuracy: history.accuracy.at(-1),
    predicted: (await model.predict([[0, 1, 0, 4, 2, 0]])).data[0],
    build,
  };
}

run().then(
  (result) => console.log(`unreel ${JSON.stringify(result)}`),
  (error) => console.log(`unreel failed ${error}`),
);
