// Writes the logs for TensorBoard. What an event file is made of: eventFile.ts.
// Scalars only: graphs, histograms, images, embeddings and profiles are not offered.
import { positiveInteger, show, UnreelError } from "../../errors.js";
import { fileSystem } from "../../files.js";
import { later } from "../../later.js";
import { readOptions } from "../../layers/options.js";
import type { Callback, Logs } from "./callback.js";
import type { EventFile } from "./eventFile.js";

export interface TensorBoardOptions {
  /** Where `train/` and `validation/` are made. Default 'logs'. */
  logDir?: string;
  /** Adds `epoch_steps_per_second` (and `batch_…`, with updateFreq). Default false. */
  writeStepsPerSecond?: boolean;
  /** 'epoch' (default): at the end of each; a number: also every so many batches; 'batch': after each batch. */
  updateFreq?: "epoch" | "batch" | number;
}

/** Milliseconds after which batches are written although the epoch has not ended. */
const PATIENCE = 2000;

/** Tags as Keras writes them: `epoch_loss`, `epoch_accuracy`, `epoch_learning_rate`, … in train/, by epoch; the same without
 * `val_` in validation/, with `evaluation_loss_vs_iterations`, …, by steps; `batch_loss`, … in train/, by batches.
 * Keras: callbacks.TensorBoard. */
export function tensorBoard(options: TensorBoardOptions = {}): Callback {
  const operation = "callbacks.tensorBoard";
  const { logDir, writeStepsPerSecond, updateFreq } = readOptions(operation, options, {
    logDir: "logs",
    writeStepsPerSecond: false,
    updateFreq: "epoch" as "epoch" | "batch" | number,
  });
  if (typeof logDir !== "string" || logDir === "") {
    const expected = "the path of a directory";
    throw new UnreelError({ operation: `${operation}: logDir`, expected, got: show(logDir) });
  }
  const hint = "Or 'epoch', or 'batch'.";
  const often =
    updateFreq === "epoch"
      ? Number.POSITIVE_INFINITY
      : positiveInteger(`${operation}: updateFreq`, updateFreq === "batch" ? 1 : updateFreq, hint);

  let train: EventFile;
  let validation: EventFile;
  let batches = 0;
  let batchBegun = 0;
  let epochBegun = 0;
  let stepsBefore = 0;
  const seconds = () => performance.now() / 1000;
  const write = (file: EventFile, logs: Logs, tag: (name: string) => string, step: number) => {
    for (const [name, value] of Object.entries(logs)) file.scalar(tag(name), value, step);
  };

  return {
    async onTrainBegin() {
      const files = await fileSystem(operation);
      const { EventFile } = await later(import("./eventFile.js"));
      train = new EventFile(files, `${logDir}/train`);
      validation = new EventFile(files, `${logDir}/validation`);
      batches = 0;
    },

    onEpochBegin(_, { optimizer }) {
      epochBegun = seconds();
      stepsBefore = optimizer.iterations;
    },

    onTrainBatchBegin() {
      batchBegun = seconds();
    },

    async onTrainBatchEnd(_, logs) {
      if (++batches % often !== 0) return;
      if (writeStepsPerSecond) train.scalar("batch_steps_per_second", 1 / (seconds() - batchBegun), batches);
      write(train, logs, (name) => `batch_${name}`, batches);
      await train.flush(PATIENCE);
    },

    onTestEnd(logs, { optimizer }) {
      write(validation, logs, (name) => `evaluation_${name}_vs_iterations`, optimizer.iterations);
    },

    async onEpochEnd(epoch, logs, { optimizer }) {
      const entries = Object.entries(logs);
      const ofTraining: Logs = Object.fromEntries(entries.filter(([name]) => !name.startsWith("val_")));
      const ofValidation: Logs = Object.fromEntries(entries.filter(([name]) => name.startsWith("val_")));
      ofTraining.learning_rate = optimizer.learningRate;
      if (writeStepsPerSecond)
        ofTraining.steps_per_second = (optimizer.iterations - stepsBefore) / (seconds() - epochBegun);
      write(train, ofTraining, (name) => `epoch_${name}`, epoch);
      write(validation, ofValidation, (name) => `epoch_${name.slice("val_".length)}`, epoch);
      await train.flush();
      if (Object.keys(ofValidation).length > 0) await validation.flush();
    },
  };
}
