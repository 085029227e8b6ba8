// Forecasts of the temperature, beside the naive one that nothing changes: direct models, one for each horizon, and one that tells all
// steps up to the last at once.
import {
  callbacks,
  input,
  layers,
  type Model,
  model as modelOf,
  ops,
  optimizers,
  type SymbolicTensor,
  schedules,
  sequence,
  Tensor,
  data as tools,
} from "../../src/index.js";
import type { Chart } from "../shared/chart.js";
import { choice, positive } from "../shared/options.js";
import type { Figure } from "../shared/report.js";
import { start } from "../shared/task.js";
import { PLACES, readWeather, type Series, WEATHER } from "./places.js";

const NETWORKS = ["gru", "stacked", "conv"] as const;
type Network = (typeof NETWORKS)[number];

interface Sizes {
  readonly window: number;
  readonly features: number;
  readonly units: number;
  readonly dropout: number;
}

/** A window of weather to the temperature at `outputs` steps: what the network adds to the last one of the window. */
function forecaster(network: Network, outputs: number, { window, features, units, dropout }: Sizes): Model {
  const seen = input({ shape: [window, features] });
  let hidden: SymbolicTensor = seen;
  if (network === "conv") {
    // Four steps at a time, half as many vectors: the loop is shorter, and what is alike from step to step is said once.
    hidden = layers.conv1D({ filters: units, kernelSize: 4, strides: 2, activation: "relu" }).apply(hidden);
  }
  if (network === "stacked") {
    hidden = layers.gru({ units, returnSequences: true }).apply(hidden);
    hidden = layers.dropout({ rate: dropout }).apply(hidden);
  }
  hidden = layers.dropout({ rate: dropout }).apply(layers.gru({ units }).apply(hidden));
  const change = layers.dense({ units: outputs, kernelInitializer: "zeros" }).apply(hidden);
  const last = ops.reshape(ops.slice(seen, [0, window - 1, 0], [-1, 1, 1]), [null, 1]);
  return modelOf({ inputs: seen, outputs: ops.add(change, last) });
}

export const task = await start(import.meta.url, {
  about: "Forecasts of the temperature from windows of weather, better than that nothing changes.",
  epochs: { full: 20, quick: 5 },
  data: {
    files: [],
    source:
      "New York: the package nycflights13 (CC0), data-raw/weather.csv; Beijing: UCI data set 381 (PRSA data, CC BY 4.0); as CSV with " +
      "the columns that places.ts names.",
  },
  options: {
    place: choice("a place", PLACES, "seattle", "whose weather"),
    dropout: positive(0.3, "share dropped behind each recurrent layer"),
    learningRate: positive(
      0.003,
      "step size of the optimizer at the start; it falls to nothing along a cosine",
    ),
  },

  async run({ options, data, fit }) {
    const place = WEATHER[options.place];
    const { window, unit, batch, stride, units } = place;
    const [near, far] = place.horizons;
    const { train, validation, test, features } = await readWeather(place, data);

    const normalization = new tools.Normalization();
    normalization.adapt(train.map(({ rows }) => rows));
    const { mean, spread } = ofTemperature(train);
    const degrees = (normal: number) => normal * spread + mean;
    console.log(
      `${features.length} features; ${[train, validation, test].map((part) => part.reduce((n, { rows }) => n + rows.shape[0], 0)).join(", ")} ${unit}s to learn from, to validate, to test`,
    );

    /** Windows with the temperatures `ahead` steps after each one's end. */
    const windows = (part: readonly Series[], ahead: readonly number[], isTraining = false) =>
      part
        .map(({ rows }) => {
          const series = normalization.apply(rows);
          const [steps, width] = series.shape;
          const count = steps - window - far + 1;
          const targets = new Float32Array(count * ahead.length);
          for (let i = 0; i < count; i++) {
            // As in Keras, a window's target stands at its first step.
            for (const [k, h] of ahead.entries()) {
              targets[i * ahead.length + k] = series.data[(i + window - 1 + h) * width];
            }
          }
          return sequence.timeseriesDatasetFromArray(series, new Tensor(targets, [count, ahead.length]), {
            sequenceLength: window,
            sequenceStride: isTraining ? stride : 1,
            batchSize: batch,
            shuffle: isTraining,
          });
        })
        .reduce((all, next) => all.concatenate(next));

    const charts: Chart[] = [];
    const figures: Figure[] = [];
    const rows: string[] = [];
    const every = Array.from({ length: far }, (_, i) => i + 1);
    const jobs: { name: string; network: Network; ahead: number[] }[] = [
      { name: `gru, direct, ${near} ${unit}`, network: "gru", ahead: [near] },
      { name: `two gru, direct, ${far} ${unit}s`, network: "stacked", ahead: [far] },
      { name: `conv1D and gru, ${far} steps at once`, network: "conv", ahead: every },
    ];
    const naive = await naiveErrors(windows(test, every), spread);
    const byHorizon = jobs.map(() => new Float64Array(far).fill(Number.NaN));
    let shown: { name: string; values: number[] }[] = [];
    for (const [j, { name, network, ahead }] of jobs.entries()) {
      console.log(name);
      const model = forecaster(network, ahead.length, {
        ...options,
        units,
        window,
        features: features.length,
      });
      const training = windows(train, ahead, true);
      model.compile({
        optimizer: optimizers.adam({
          learningRate: schedules.cosineDecay({
            initialLearningRate: options.learningRate,
            decaySteps: options.epochs * training.size!,
          }),
          globalClipnorm: 1,
        }),
        loss: "mae",
      });
      await fit(model, training.shuffle(64), {
        name,
        validationData: windows(validation, ahead),
        callbacks: [callbacks.earlyStopping({ monitor: "val_loss", patience: 4, restoreBestWeights: true })],
      });

      // By horizon, in degrees; and of the first days, what was foretold for the farthest step.
      const sums = new Float64Array(ahead.length);
      const foretold: number[] = [];
      const was: number[] = [];
      const before: number[] = [];
      for await (const [x, y] of windows(test, ahead)) {
        const found = await model.predict(x, { verbose: 0 });
        const width = ahead.length;
        for (let i = 0; i < y.size; i++) sums[i % width] += Math.abs(found.data[i] - y.data[i]) * spread;
        for (let i = width - 1; i < y.size; i += width) {
          foretold.push(degrees(found.data[i]));
          was.push(degrees(y.data[i]));
          const sample = (i - width + 1) / width;
          before.push(degrees(x.data[((sample + 1) * window - 1) * features.length]));
        }
      }
      model.dispose();
      for (const [k, h] of ahead.entries()) byHorizon[j][h - 1] = sums[k] / foretold.length;
      if (ahead.length === 1 && ahead[0] === far) {
        const some = unit === "hour" ? 7 * 24 : 60;
        shown = [
          { name: "measured", values: was.slice(0, some) },
          { name: "naive", values: before.slice(0, some) },
          { name: "foretold", values: foretold.slice(0, some) },
        ];
      }
      for (const h of [near, far].filter((horizon) => ahead.includes(horizon))) {
        const error = byHorizon[j][h - 1];
        figures.push({
          name: `${name}: error at ${h}, of the naive one's`,
          value: error / naive[h - 1],
          atMost: 0.99,
        });
        rows.push(
          `${name.padEnd(36)} ${`${h} ${unit}${h > 1 ? "s" : ""}`.padEnd(9)} ${error.toFixed(2)} °C, naive ${naive[h - 1].toFixed(2)} °C`,
        );
      }
    }
    charts.push(
      {
        title: "Mean absolute error in the test, °C",
        x: `${unit}s ahead`,
        firstX: 1,
        lines: [
          { name: "naive", values: naive },
          { name: `direct, ${near}`, values: byHorizon[0] },
          { name: `direct, ${far}`, values: byHorizon[1] },
          { name: "all at once", values: byHorizon[2] },
        ],
      },
      { title: `Temperature, °C, foretold ${far} ${unit}s before`, x: unit, lines: shown },
    );
    return { figures, charts, says: ["mean absolute errors in the test", ...rows].join("\n") };
  },
});

/** Mean and standard deviation of the temperature, by which it was normalized. */
function ofTemperature(series: readonly Series[]): { mean: number; spread: number } {
  const values = series.flatMap(({ rows }) =>
    Array.from({ length: rows.shape[0] }, (_, i) => rows.data[i * rows.shape[1]]),
  );
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return {
    mean,
    spread: Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length),
  };
}

/** The mean absolute error, by horizon, when the last temperature of each window goes on. */
async function naiveErrors(windows: AsyncIterable<[Tensor, Tensor]>, spread: number): Promise<Float64Array> {
  let sums = new Float64Array();
  let count = 0;
  for await (const [x, y] of windows) {
    const [samples, steps, features] = x.shape;
    const horizons = y.shape[1];
    if (count === 0) sums = new Float64Array(horizons);
    for (let s = 0; s < samples; s++) {
      const last = x.data[((s + 1) * steps - 1) * features];
      for (let h = 0; h < horizons; h++) sums[h] += Math.abs(y.data[s * horizons + h] - last) * spread;
    }
    count += samples;
  }
  return sums.map((sum) => sum / count);
}
