// The training loop, and evaluation and prediction over batches. It sees a graph's executor and checked arrays, not a model.
import { show, UnreelError } from "../errors.js";
import type { Executor } from "../graph/executor.js";
import { Random, seedOr } from "../random.js";
import { Tensor } from "../tensor.js";
import { type Position, readBackup, writeBackup } from "./backup.js";
import type { Callback, Logs, TrainedModel, TrainingRun } from "./callbacks/callback.js";
import { entries, type Metric } from "./metrics/index.js";
import { type Compiled, type DataSet, Steps } from "./step.js";

/** What fit returns: `history.history.loss[epoch]`, as in Keras. */
export class History {
  readonly epoch: number[] = [];
  readonly history: Record<string, number[]> = {};

  add(epoch: number, logs: Logs): void {
    this.epoch.push(epoch);
    for (const [name, value] of Object.entries(logs)) {
      this.history[name] ??= [];
      this.history[name].push(value);
    }
  }
}

/** A metric of an output, as compile names and counts it. */
export interface Counted {
  readonly metric: Metric;
  /** In logs. */
  readonly name: string;
  /** Whether sample weights count. */
  readonly isWeighted: boolean;
  /** Which of the output's functions it averages. */
  readonly function?: number;
}

/** A compiled graph with its metrics, ready to be trained. */
export interface Trainee {
  readonly executor: Executor;
  readonly compiled: Compiled;
  /** For each output. */
  readonly metrics: readonly (readonly Counted[])[];
  readonly outputNames: readonly string[];
}

export interface FitPlan {
  readonly data: DataSet;
  readonly validation?: DataSet;
  readonly batchSize: number;
  readonly epochs: number;
  readonly initialEpoch: number;
  readonly shuffle: boolean;
  readonly callbacks: readonly Callback[];
  /** As callbacks see it. */
  readonly model: TrainedModel;
}

/** Milliseconds after which a loop lets the page, or the server, breathe. */
const PATIENCE = 40;

/** Gives the event loop a turn when the last one is long ago. */
function breather(): () => Promise<void> {
  let last = performance.now();
  return async () => {
    if (performance.now() - last < PATIENCE) return;
    await new Promise((resolve) => setTimeout(resolve, 0));
    last = performance.now();
  };
}

/** Means over the batches of an epoch, weighted by their samples, and the metrics. */
class Tally {
  readonly #trainee: Trainee;
  readonly #losses: number[];
  /** Counts of its own: an evaluation in the middle of an epoch does not disturb the epoch's. */
  readonly #metrics: readonly (readonly Counted[])[];
  #penalties = 0;
  #samples = 0;

  constructor(trainee: Trainee) {
    this.#trainee = trainee;
    this.#losses = trainee.outputNames.map(() => 0);
    this.#metrics = trainee.metrics.map((list) =>
      list.map((counted) => ({ ...counted, metric: counted.metric.fresh() })),
    );
  }

  add(steps: Steps, count: number): void {
    this.#samples += count;
    this.#penalties += steps.penalty() * count;
    this.#trainee.outputNames.forEach((_, output) => {
      this.#losses[output] += steps.lossOf(output) * count;
      const metrics = this.#metrics[output];
      if (metrics.length === 0) return;
      for (const { plain, weighted, functions } of steps.metricBatches(output)) {
        for (const { metric, isWeighted, function: place } of metrics) {
          const batch = isWeighted ? weighted : plain;
          metric.add(place === undefined ? batch : { ...batch, values: functions[place] });
        }
      }
    });
  }

  /** As Keras names and orders them: the loss, each output's when several are trained, and the metrics, by name. */
  logs(): Logs {
    const { compiled, outputNames } = this.#trainee;
    const losses = this.#losses.map((sum) => sum / this.#samples);
    const total = losses.reduce(
      (sum, loss, output) => sum + compiled.lossWeights[output] * loss,
      this.#penalties / this.#samples,
    );
    const logs: [string, number][] = [["loss", total]];
    const trained = outputNames.filter((_, output) => compiled.losses[output] !== undefined);
    outputNames.forEach((name, output) => {
      if (trained.length > 1 && compiled.losses[output]) logs.push([`${name}_loss`, losses[output]]);
      for (const { name, metric } of this.#metrics[output]) logs.push(...entries(name, metric.result()));
    });
    return Object.fromEntries(logs.sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}

/** What evaluation tells callbacks while it validates an epoch. */
interface Watch {
  readonly callbacks: readonly Callback[];
  readonly run: TrainingRun;
}

export async function fit(trainee: Trainee, plan: FitPlan): Promise<History> {
  const { executor, compiled } = trainee;
  const { data, validation, batchSize, epochs, initialEpoch, shuffle, callbacks, model } = plan;
  const { optimizer } = compiled;
  let shuffleSeed = seedOr(undefined, "fit");
  const { inTurn } = executor.engine;
  const steps = await inTurn(() => new Steps(executor, "train", data, compiled));
  const order = Uint32Array.from({ length: data.samples }, (_, i) => i);
  const history = new History();
  const run: TrainingRun = {
    epochs,
    batches: Math.ceil(data.samples / batchSize),
    samples: data.samples,
    model,
    optimizer,
    stop: false,
    backup: (epoch, batch) =>
      inTurn(() => writeBackup(trainee, { epoch, batch, shuffle: shuffleSeed, steps: steps.random })),
    async restore(backup) {
      const found = await inTurn(() => readBackup("fit: restore", backup, trainee));
      start = found;
      shuffleSeed = found.shuffle;
      steps.random = found.steps;
    },
  };
  let start: Pick<Position, "epoch" | "batch"> = { epoch: initialEpoch, batch: 0 };
  const breathe = breather();
  let logs: Logs = {};

  for (const callback of callbacks) await callback.onTrainBegin?.(run);
  const random = new Random(shuffleSeed);
  // The order of an epoch is that of the one before, shuffled.
  if (shuffle) for (let epoch = initialEpoch; epoch < start.epoch; epoch++) random.shuffle(order);
  for (let { epoch, batch: first } = start; epoch < epochs && !run.stop; epoch++, first = 0) {
    for (const callback of callbacks) await callback.onEpochBegin?.(epoch, run);
    if (shuffle) random.shuffle(order);
    const tally = new Tally(trainee);
    for (let batch = first; batch < run.batches; batch++) {
      for (const callback of callbacks) await callback.onTrainBatchBegin?.(batch, run);
      const start = batch * batchSize;
      const count = Math.min(batchSize, data.samples - start);
      const failure = await inTurn(async () => {
        steps.fill(shuffle ? order : undefined, start, count);
        const found = await update(trainee, steps, `epoch ${epoch + 1}, batch ${batch + 1}`);
        tally.add(steps, count);
        return found;
      });
      if (callbacks.length > 0) {
        const soFar = tally.logs();
        for (const callback of callbacks) await callback.onTrainBatchEnd?.(batch, soFar, run);
      }
      if (run.stop) break;
      if (failure) throw failure;
      await breathe();
    }
    logs = tally.logs();
    if (validation) {
      const found = await evaluate(trainee, validation, batchSize, { callbacks, run });
      for (const [name, value] of Object.entries(found)) logs[`val_${name}`] = value;
    }
    for (const callback of callbacks) await callback.onEpochEnd?.(epoch, logs, run);
    history.add(epoch, logs);
  }
  for (const callback of callbacks) await callback.onTrainEnd?.(logs, run);
  return history;
}

/** One step on the batch that was filled in. A loss that is not finite changes nothing, and its error is returned, not thrown:
 * callbacks may want to stop in its place. */
async function update({ executor, compiled }: Trainee, steps: Steps, where: string): Promise<unknown> {
  // Slots that begin again make the step count begin again: Adam's correction belongs to them.
  if (executor.takeFreshTraining()) compiled.optimizer.iterations = 0;
  steps.writeSettings(compiled.optimizer);
  try {
    await steps.run(where);
  } catch (error) {
    if (Number.isFinite(steps.loss())) throw error;
    return error;
  }
  compiled.optimizer.iterations++;
  executor.trained();
  return undefined;
}

/** One step on the whole of `data`, and its loss and metrics. */
export function trainOnBatch(trainee: Trainee, data: DataSet): Promise<Logs> {
  const { executor, compiled } = trainee;
  return executor.engine.inTurn(async () => {
    const steps = new Steps(executor, "train", data, compiled);
    const tally = new Tally(trainee);
    steps.fill(undefined, 0, data.samples);
    const failure = await update(trainee, steps, `step ${compiled.optimizer.iterations + 1}`);
    if (failure) throw failure;
    tally.add(steps, data.samples);
    return tally.logs();
  });
}

export async function evaluate(
  trainee: Trainee,
  data: DataSet,
  batchSize: number,
  watch?: Watch,
): Promise<Logs> {
  const { callbacks, run } = watch ?? { callbacks: [] };
  const { inTurn } = trainee.executor.engine;
  const steps = await inTurn(() => new Steps(trainee.executor, "evaluate", data, trainee.compiled));
  const tally = new Tally(trainee);
  const breathe = breather();
  for (const callback of callbacks) await callback.onTestBegin?.(run!);
  for (let batch = 0; batch * batchSize < data.samples; batch++) {
    for (const callback of callbacks) await callback.onTestBatchBegin?.(batch, run!);
    const start = batch * batchSize;
    const count = Math.min(batchSize, data.samples - start);
    await inTurn(async () => {
      steps.fill(undefined, start, count);
      await steps.run("evaluate");
      tally.add(steps, count);
    });
    const soFar = callbacks.some((callback) => callback.onTestBatchEnd) ? tally.logs() : {};
    for (const callback of callbacks) await callback.onTestBatchEnd?.(batch, soFar, run!);
    await breathe();
  }
  const logs = tally.logs();
  for (const callback of callbacks) await callback.onTestEnd?.(logs, run!);
  return logs;
}

export async function predict(executor: Executor, data: DataSet, batchSize: number): Promise<Tensor[]> {
  const { inTurn } = executor.engine;
  const steps = await inTurn(() => new Steps(executor, "predict", data));
  const shapes = executor.graph.outputs.map((_, output) => steps.outputShape(output, data.samples));
  const results = shapes.map((shape) => new Float32Array(shape.reduce((a, b) => a * b, 1)));
  const breathe = breather();
  for (let start = 0; start < data.samples; start += batchSize) {
    await inTurn(async () => {
      steps.fill(undefined, start, Math.min(batchSize, data.samples - start));
      await steps.run("predict");
      results.forEach((values, output) => {
        steps.readOutput(output, values, (start * values.length) / data.samples);
      });
    });
    await breathe();
  }
  return results.map((values, output) => new Tensor(values, shapes[output]));
}

/** Cuts the last share off as validation data, before any shuffling, as Keras does. */
export function splitValidation(data: DataSet, share: number): { data: DataSet; validation: DataSet } {
  if (!(typeof share === "number" && share >= 0 && share < 1)) {
    throw new UnreelError({
      operation: "fit: validationSplit",
      expected: "a number in [0, 1)",
      got: show(share),
    });
  }
  const kept = Math.floor(data.samples * (1 - share));
  if (kept === 0 || kept === data.samples) {
    const got = `${kept} and ${data.samples - kept} of ${data.samples}`;
    throw new UnreelError({ operation: "fit: validationSplit", expected: "samples on both sides", got });
  }
  return { data: slice(data, 0, kept), validation: slice(data, kept, data.samples) };
}

function slice(data: DataSet, from: number, to: number): DataSet {
  const part = <T extends Tensor | undefined>(whole: T) => {
    if (!whole) return whole;
    const row = whole.size / whole.shape[0];
    return new Tensor(whole.data.subarray(from * row, to * row), [to - from, ...whole.shape.slice(1)]);
  };
  return {
    inputs: data.inputs.map((each) => part(each)!),
    targets: data.targets?.map((each) => part(each)),
    weights: data.weights?.map((each) => part(each)),
    samples: to - from,
  };
}
