// `npm run bench:brain`: unreel against brain.js, on what its recurrent networks do: series whose next step is asked for. An LSTM, one
// core, one thread, turn by turn in one process; medians of the time of one pass over the series, and of one prediction.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { median } from "../../build/bench/measure.js";
import { layers, sequential, tensor } from "../../build/src/index.js";
import { installBeside } from "../../scripts/install.js";

const [SERIES, STEPS, FEATURES, UNITS, ROUNDS] = [32, 50, 8, 32, 9];

installBeside(import.meta.url, "the peers into bench/peers/node_modules, about a minute and 760 MB");
const beside = fileURLToPath(new URL("node_modules/brain.js", import.meta.url));
if (!existsSync(beside))
  throw new Error("brain.js is not there: remove bench/peers/node_modules and begin again.");
const { recurrent } = createRequire(import.meta.url)("brain.js");

const series = Array.from({ length: SERIES }, (_, n) =>
  Array.from({ length: STEPS + 1 }, (_, t) =>
    Array.from({ length: FEATURES }, (_, k) => 0.5 + 0.4 * Math.sin(0.2 * t * (1 + k / 4) + n)),
  ),
);
const x = tensor(series.map((steps) => steps.slice(0, -1)));
const y = tensor(series.map((steps) => steps.slice(1)));

/** Its training takes whole series and updates after each. */
const theirs = new recurrent.LSTMTimeStep({
  inputSize: FEATURES,
  hiddenLayers: [UNITS],
  outputSize: FEATURES,
});
const pass = () => theirs.train(series, { iterations: 1, log: false, errorThresh: 0 });

function ours() {
  const model = sequential([
    layers.lstm({ units: UNITS, returnSequences: true, inputShape: [STEPS, FEATURES] }),
    layers.dense({ units: FEATURES }),
  ]);
  model.compile({ optimizer: "rmsprop", loss: "meanSquaredError" });
  return model;
}
const model = ours();
const fit = (batchSize) => model.fit(x, y, { batchSize, epochs: 1, verbose: 0 });
const one = tensor(x.data.subarray(0, STEPS * FEATURES), [1, STEPS, FEATURES]);

const rows = {
  "training, update after each series": [() => pass(), () => fit(1)],
  "training, batches of 32 here": [() => pass(), () => fit(32)],
  "prediction of one series": [
    () => theirs.run(series[0].slice(0, -1)),
    () => model.predict(one, { verbose: 0 }),
  ],
};

async function milliseconds(act) {
  const start = performance.now();
  let times = 0;
  do {
    await act();
    times++;
  } while (performance.now() - start < 50);
  return (performance.now() - start) / times;
}

console.log(
  `LSTM ${UNITS}, ${SERIES} series of ${STEPS} steps of ${FEATURES} numbers; Node ${process.version}\n`,
);
console.log("| | brain.js, ms | unreel, ms | ratio |\n| --- | --: | --: | --: |");
for (const [name, [slow, fast]] of Object.entries(rows)) {
  for (const act of [slow, fast]) await act();
  const rounds = [];
  for (let round = 0; round < ROUNDS; round++)
    rounds.push([await milliseconds(slow), await milliseconds(fast)]);
  const [a, b] = [0, 1].map((side) => median(rounds.map((each) => each[side])));
  const ratio = median(rounds.map(([slowly, fastly]) => slowly / fastly));
  console.log(`| ${name} | ${a.toFixed(2)} | ${b.toFixed(3)} | ${ratio.toFixed(0)} |`);
}
