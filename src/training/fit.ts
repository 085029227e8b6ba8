// The training loop, and evaluation over batches. It sees a graph's executor and checked arrays, not a model.
import type { Executor } from "../graph/executor.js";
import { Random, seedOr } from "../random.js";
import { type Position, readBackup, writeBackup } from "./backup.js";
import type { Callback, Logs, TrainedModel, TrainingRun } from "./callbacks/callback.js";
import { type Feed, noBatch, type Pass, type Turn } from "./feed.js";
import { entries, type Metric } from "./metrics/metric.js";
import { breather, eachTurn } from "./predict.js";
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
  readonly feed: Feed;
  /** Without it, an epoch is a pass. */
  readonly stepsPerEpoch?: number;
  readonly validation?: Validation;
  readonly epochs: number;
  readonly initialEpoch: number;
  readonly shuffle: boolean;
  readonly callbacks: readonly Callback[];
  /** As callbacks see it. */
  readonly model: TrainedModel;
}

export interface Validation {
  readonly feed: Feed;
  /** Without it, all batches. */
  readonly steps?: number;
  /** Whether an epoch is followed by it: epochs count from 1. */
  readonly isDue: (epoch: number) => boolean;
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
  const { feed, stepsPerEpoch, validation, epochs, initialEpoch, shuffle, callbacks, model } = plan;
  const { optimizer } = compiled;
  let shuffleSeed = seedOr(undefined, "fit");
  const { inTurn } = executor.engine;
  const steps = await inTurn(() => new Steps(executor, "train", feed.data, compiled));
  const history = new History();
  const run: TrainingRun = {
    epochs,
    batches: stepsPerEpoch ?? feed.batches,
    samples: feed.samples,
    model,
    optimizer,
    stop: false,
    backup: (epoch, batch) =>
      inTurn(() => {
        const position = { epoch, batch, shuffle: shuffleSeed, steps: steps.random };
        // In the middle of an epoch, callbacks will begin it again: from the rate that they began it with.
        return writeBackup(trainee, position, batch > 0 ? rateBefore : optimizer.learningRate);
      }),
    async restore(backup) {
      const found = await inTurn(() => readBackup("fit: restore", backup, trainee));
      start = found;
      shuffleSeed = found.shuffle;
      steps.random = found.steps;
    },
  };
  let start: Pick<Position, "epoch" | "batch"> = { epoch: initialEpoch, batch: 0 };
  const breathe = breather();
  let passes: Passes | undefined;
  let logs: Logs = {};
  let rateBefore = optimizer.learningRate;

  try {
    for (const callback of callbacks) await callback.onTrainBegin?.(run);
    passes = new Passes(feed, shuffle ? new Random(shuffleSeed) : undefined, stepsPerEpoch);
    await passes.skip(start.epoch - initialEpoch, start.batch);
    for (let { epoch, batch: first } = start; epoch < epochs && !run.stop; epoch++, first = 0) {
      rateBefore = optimizer.learningRate;
      for (const callback of callbacks) await callback.onEpochBegin?.(epoch, run);
      const tally = new Tally(trainee);
      let batch = first;
      for (; batch !== stepsPerEpoch; batch++) {
        // Not in turn: what makes the batch may want to compute something, too.
        const turn = await passes.next(batch);
        if (!turn) break;
        for (const callback of callbacks) await callback.onTrainBatchBegin?.(batch, run);
        const failure = await inTurn(async () => {
          turn.fill(steps);
          const found = await update(trainee, steps, `epoch ${epoch + 1}, batch ${batch + 1}`);
          tally.add(steps, turn.samples);
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
      if (!run.stop) run.batches ??= batch;
      if (batch === 0 && !run.stop) throw noBatch(`fit: epoch ${epoch + 1}`, "none");
      // A run that broke off behind the last batch of an epoch has nothing to tell of it but its validation.
      logs = batch > first || batch === 0 ? tally.logs() : {};
      if (validation?.isDue(epoch + 1)) {
        const found = await evaluate(trainee, validation.feed, validation.steps, { callbacks, run });
        for (const [name, value] of Object.entries(found)) logs[`val_${name}`] = value;
      }
      for (const callback of callbacks) await callback.onEpochEnd?.(epoch, logs, run);
      history.add(epoch, logs);
    }
  } finally {
    await passes?.close();
  }
  for (const callback of callbacks) await callback.onTrainEnd?.(logs, run);
  return history;
}

/** One pass after the other. An epoch with a number of steps goes on where the one before it stopped, as in Keras: a pass that ends
 * in the middle of one ends it. */
class Passes {
  readonly #feed: Feed;
  readonly #random: Random | undefined;
  readonly #stepsPerEpoch: number | undefined;
  #pass: Pass | undefined;

  constructor(feed: Feed, random: Random | undefined, stepsPerEpoch: number | undefined) {
    this.#feed = feed;
    this.#random = random;
    this.#stepsPerEpoch = stepsPerEpoch;
  }

  /** Batch number so-and-so of an epoch; undefined when the epoch is over. */
  async next(batch: number): Promise<Turn | undefined> {
    this.#pass ??= this.#feed.begin(this.#random);
    let turn = await this.#pass.next();
    if (turn) return turn;
    if (batch === 0 && this.#stepsPerEpoch !== undefined) {
      this.#pass = this.#feed.begin(this.#random);
      turn = await this.#pass.next();
      if (turn) return turn;
    }
    this.#pass = undefined;
    if (batch > 0 && this.#stepsPerEpoch !== undefined) {
      console.warn(
        `fit: the data ended after ${batch} of ${this.#stepsPerEpoch} batches, and so did the epoch. Use dataset.repeat(), or a smaller stepsPerEpoch.`,
      );
    }
    return undefined;
  }

  /** Goes on behind so many epochs and batches, as if their steps had been made. */
  async skip(epochs: number, batches: number): Promise<void> {
    for (let epoch = 0; epoch < epochs; epoch++) {
      for (let batch = 0; batch !== this.#stepsPerEpoch; batch++) if (!(await this.next(batch))) break;
    }
    for (let batch = 0; batch < batches; batch++) await this.next(batch);
  }

  async close(): Promise<void> {
    await this.#pass?.close();
  }
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

/** Loss and metrics over a pass, or over its first `limit` batches. */
export async function evaluate(
  trainee: Trainee,
  feed: Feed,
  limit: number | undefined,
  watch?: Watch,
): Promise<Logs> {
  const { callbacks, run } = watch ?? { callbacks: [] };
  const { inTurn } = trainee.executor.engine;
  const steps = await inTurn(() => new Steps(trainee.executor, "evaluate", feed.data, trainee.compiled));
  const tally = new Tally(trainee);
  for (const callback of callbacks) await callback.onTestBegin?.(run!);
  await eachTurn("evaluate", feed, limit, async (turn, batch) => {
    for (const callback of callbacks) await callback.onTestBatchBegin?.(batch, run!);
    await inTurn(async () => {
      turn.fill(steps);
      await steps.run("evaluate");
      tally.add(steps, turn.samples);
    });
    const soFar = callbacks.some((callback) => callback.onTestBatchEnd) ? tally.logs() : {};
    for (const callback of callbacks) await callback.onTestBatchEnd?.(batch, soFar, run!);
  });
  const logs = tally.logs();
  for (const callback of callbacks) await callback.onTestEnd?.(logs, run!);
  return logs;
}
