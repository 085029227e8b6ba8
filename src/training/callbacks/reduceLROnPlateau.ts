// Lowers the learning rate when a number of the logs has ceased to improve.
import { inRange } from "../../errors.js";
import { readOptions } from "../../layers/options.js";
import type { Callback } from "./callback.js";
import { improvement, type MonitorMode, monitored } from "./monitor.js";

export interface ReduceLROnPlateauOptions {
  /** A name of the logs. Default 'val_loss'. */
  monitor?: string;
  /** The new rate is the old one times this, below 1. Default 0.1. */
  factor?: number;
  /** Epochs without improvement after which it acts. Default 10. */
  patience?: number;
  /** 1 says what it does. Default 0. */
  verbose?: 0 | 1;
  /** Whether less or more is better; 'auto' (default) goes by the name. */
  mode?: MonitorMode;
  /** A smaller change is no improvement. Default 0.0001. */
  minDelta?: number;
  /** Epochs after a change that do not count. Default 0. */
  cooldown?: number;
  /** The rate never falls below this. Default 0. */
  minLr?: number;
}

/** Multiplies the learning rate by `factor` when `monitor` has not improved for `patience` epochs, and adds `learning_rate` to
 * the logs. The optimizer must have a number for a rate, not a schedule. Keras: callbacks.ReduceLROnPlateau. */
export function reduceLROnPlateau(options: ReduceLROnPlateauOptions = {}): Callback {
  const operation = "callbacks.reduceLROnPlateau";
  const config = readOptions(operation, options, {
    monitor: "val_loss",
    factor: 0.1,
    patience: 10,
    verbose: 0 as 0 | 1,
    mode: "auto" as MonitorMode,
    minDelta: 1e-4,
    cooldown: 0,
    minLr: 0,
  });
  const { monitor, factor, patience, verbose, cooldown, minLr } = config;
  inRange(`${operation}: factor`, factor, 0, 1);
  for (const name of ["patience", "cooldown", "minLr"] as const)
    inRange(`${operation}: ${name}`, config[name], 0, Number.POSITIVE_INFINITY, true);
  const improves = improvement(operation, config);
  let best: number | undefined;
  let wait = 0;
  let cooling = 0;

  return {
    onTrainBegin() {
      best = undefined;
      wait = cooling = 0;
    },

    onEpochEnd(epoch, logs, { optimizer }) {
      const rate = optimizer.learningRate;
      logs.learning_rate = rate;
      const current = monitored("Learning rate reduction is", monitor, logs);
      if (current === undefined) return;
      if (cooling > 0) {
        cooling--;
        wait = 0;
      }
      if (improves(current, best)) {
        best = current;
        wait = 0;
        return;
      }
      if (cooling > 0 || ++wait < patience || rate <= minLr) return;
      optimizer.learningRate = Math.max(rate * factor, minLr);
      if (verbose > 0)
        console.log(
          `\nEpoch ${epoch + 1}: ReduceLROnPlateau reducing learning rate to ${optimizer.learningRate}.`,
        );
      cooling = cooldown;
      wait = 0;
    },
  };
}
