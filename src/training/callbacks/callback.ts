// What a callback may do: look on at each turn of the training, and ask it to stop.

export type Logs = Record<string, number>;

/** The training, as callbacks see it. */
export interface TrainingRun {
  readonly epochs: number;
  readonly batches: number;
  readonly samples: number;
  /** True ends the training after this epoch. */
  stop: boolean;
}

/** Every method is optional and may be async; names as in Keras. */
export interface Callback {
  onTrainBegin?(run: TrainingRun): void | Promise<void>;
  onEpochBegin?(epoch: number, run: TrainingRun): void | Promise<void>;
  onTrainBatchEnd?(batch: number, logs: Logs, run: TrainingRun): void | Promise<void>;
  onEpochEnd?(epoch: number, logs: Logs, run: TrainingRun): void | Promise<void>;
  onTrainEnd?(run: TrainingRun): void | Promise<void>;
}

/** A callback from functions. Keras: callbacks.LambdaCallback. */
export function lambda(functions: Callback): Callback {
  return functions;
}
