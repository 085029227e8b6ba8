// Sets the learning rate at the beginning of each epoch. For a rate that follows the steps, see training/schedules.ts.
import { inRange, show, UnreelError } from "../../errors.js";
import { readOptions } from "../../layers/options.js";
import type { Callback } from "./callback.js";

export interface LearningRateSchedulerOptions {
  /** From an epoch (from 0) and the present rate to the rate of this epoch. */
  schedule: (epoch: number, learningRate: number) => number;
  /** 1 says what it does. Default 0. */
  verbose?: 0 | 1;
}

/** Asks `schedule` for the learning rate of each epoch, and adds `learning_rate` to the logs. Keras:
 * callbacks.LearningRateScheduler. */
export function learningRateScheduler(options: LearningRateSchedulerOptions): Callback {
  const operation = "callbacks.learningRateScheduler";
  const { schedule, verbose } = readOptions(operation, options, {
    schedule: undefined as unknown as LearningRateSchedulerOptions["schedule"],
    verbose: 0 as 0 | 1,
  });
  if (typeof schedule !== "function") {
    const expected = "a function of epoch and learning rate";
    throw new UnreelError({ operation: `${operation}: schedule`, expected, got: show(schedule) });
  }
  return {
    onEpochBegin(epoch, { optimizer }) {
      const rate = schedule(epoch, optimizer.learningRate);
      optimizer.learningRate = inRange(`${operation}: epoch ${epoch + 1}`, rate, 0, Number.MAX_VALUE);
      if (verbose > 0)
        console.log(`\nEpoch ${epoch + 1}: LearningRateScheduler setting learning rate to ${rate}.`);
    },

    onEpochEnd(_, logs, { optimizer }) {
      logs.learning_rate = optimizer.learningRate;
    },
  };
}
