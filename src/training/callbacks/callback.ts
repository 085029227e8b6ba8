// What a callback may do: look on at each turn of the training, change learning rate and weights, ask it to stop.
// keras.io/api/callbacks/base_callback
import { show, UnreelError } from "../../errors.js";
import { readOptions } from "../../layers/options.js";
import type { Tensor, TensorLike } from "../../tensor.js";
import type { Optimizer } from "../optimizers/optimizer.js";

/** Loss and metrics by name, those of the validation with `val_` before it. */
export type Logs = Record<string, number>;

/** What callbacks need of a model. */
export interface TrainedModel {
  readonly name: string;
  /** Copies of the newest weights. */
  getWeights(): Tensor[];
  /** Counts from the next batch on. */
  setWeights(values: readonly TensorLike[]): void;
  /** Writes the whole model to a file, which is whole at any time. */
  save(path: string): Promise<void>;
  /** Writes the weights alone. */
  saveWeights(path: string): Promise<void>;
}

/** The training, as callbacks see it. */
export interface TrainingRun {
  readonly epochs: number;
  /** In each epoch. */
  readonly batches: number;
  readonly samples: number;
  readonly model: TrainedModel;
  /** Its `learningRate` may be set; `iterations` says how many steps were taken. */
  readonly optimizer: Optimizer;
  /** The bytes of all that the training has come to: weights, the optimizer's state, random numbers, and that it goes on with this
   * batch of this epoch. */
  backup(epoch: number, batch: number): Promise<Uint8Array>;
  /** In onTrainBegin: the training goes on where a backup was made, with the same bits as if it had not ended. */
  restore(backup: Uint8Array): Promise<void>;
  /** True ends the training after this batch; validation and the end of the epoch still come (Keras: model.stop_training). */
  stop: boolean;
}

/**
 * Every method is optional and may be async; names and order of the calls as in Keras. Epochs and batches count from 0.
 * Logs of batches are means since the epoch began. What onEpochEnd adds to its logs is seen by the callbacks after it, the
 * progress bar and the history. A loss that is not finite ends the training with an error after onTrainBatchEnd, unless a
 * callback has set `run.stop`; the weights are then those before that batch.
 */
export interface Callback {
  onTrainBegin?(run: TrainingRun): void | Promise<void>;
  onEpochBegin?(epoch: number, run: TrainingRun): void | Promise<void>;
  onTrainBatchBegin?(batch: number, run: TrainingRun): void | Promise<void>;
  onTrainBatchEnd?(batch: number, logs: Logs, run: TrainingRun): void | Promise<void>;
  /** The validation of an epoch, as are the next three. */
  onTestBegin?(run: TrainingRun): void | Promise<void>;
  onTestBatchBegin?(batch: number, run: TrainingRun): void | Promise<void>;
  onTestBatchEnd?(batch: number, logs: Logs, run: TrainingRun): void | Promise<void>;
  onTestEnd?(logs: Logs, run: TrainingRun): void | Promise<void>;
  onEpochEnd?(epoch: number, logs: Logs, run: TrainingRun): void | Promise<void>;
  /** With the logs of the last epoch. Not called when the training ends with an error. */
  onTrainEnd?(logs: Logs, run: TrainingRun): void | Promise<void>;
}

const turns: Record<keyof Callback, undefined> = {
  onTrainBegin: undefined,
  onEpochBegin: undefined,
  onTrainBatchBegin: undefined,
  onTrainBatchEnd: undefined,
  onTestBegin: undefined,
  onTestBatchBegin: undefined,
  onTestBatchEnd: undefined,
  onTestEnd: undefined,
  onEpochEnd: undefined,
  onTrainEnd: undefined,
};

/** A callback from functions. Keras: callbacks.LambdaCallback. */
export function lambda(functions: Callback): Callback {
  return readOptions<Callback>("callbacks.lambda", functions, turns);
}

/** Refuses what would never be called: a factory without its parentheses, an object without a known method. */
export function checkCallback(operation: string, given: unknown): void {
  const isObject = typeof given === "object" && given !== null;
  if (
    isObject &&
    Object.keys(turns).some((turn) => typeof (given as Record<string, unknown>)[turn] === "function")
  )
    return;
  const hint =
    typeof given === "function"
      ? "Call it: callbacks.earlyStopping({ … })."
      : `A callback has one or more of ${Object.keys(turns).join(", ")}.`;
  throw new UnreelError({ operation, expected: "a callback", got: show(given), hint });
}
