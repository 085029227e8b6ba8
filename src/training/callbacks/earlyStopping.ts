// Stops the training when a number of the logs has ceased to improve.
import { inRange } from "../../errors.js";
import { readOptions } from "../../layers/options.js";
import type { Tensor } from "../../tensor.js";
import type { Callback } from "./callback.js";
import { improvement, type MonitorMode, monitored } from "./monitor.js";

export interface EarlyStoppingOptions {
  /** A name of the logs. Default 'val_loss'. */
  monitor?: string;
  /** A smaller change is no improvement. Default 0. */
  minDelta?: number;
  /** Epochs without improvement after which it stops. Default 0. */
  patience?: number;
  /** 1 says what it does. Default 0. */
  verbose?: 0 | 1;
  /** Whether less or more is better; 'auto' (default) goes by the name. */
  mode?: MonitorMode;
  /** It stops also when this was not beaten within `patience`. Default null. */
  baseline?: number | null;
  /** Ends with the weights of the best epoch instead of the last. Default false. */
  restoreBestWeights?: boolean;
  /** Epochs that do not count, at the beginning. Default 0. */
  startFromEpoch?: number;
}

export interface EarlyStopping extends Callback {
  /** The epoch it stopped after, from 0; 0 when it did not. */
  readonly stoppedEpoch: number;
  /** The epoch with the best value so far, from 0. */
  readonly bestEpoch: number;
}

/** Ends the training when `monitor` has not improved for `patience` epochs. Keras: callbacks.EarlyStopping. */
export function earlyStopping(options: EarlyStoppingOptions = {}): EarlyStopping {
  const operation = "callbacks.earlyStopping";
  const config = readOptions(operation, options, {
    monitor: "val_loss",
    minDelta: 0,
    patience: 0,
    verbose: 0 as 0 | 1,
    mode: "auto" as MonitorMode,
    baseline: null as number | null,
    restoreBestWeights: false,
    startFromEpoch: 0,
  });
  const { monitor, patience, verbose, baseline, restoreBestWeights, startFromEpoch } = config;
  for (const name of ["patience", "startFromEpoch"] as const)
    inRange(`${operation}: ${name}`, config[name], 0, Number.POSITIVE_INFINITY, true);
  if (baseline !== null)
    inRange(`${operation}: baseline`, baseline, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, true);
  const improves = improvement(operation, config);
  let wait = 0;
  let stoppedEpoch = 0;
  let bestEpoch = 0;
  let best: number | undefined;
  let bestWeights: Tensor[] | undefined;

  return {
    get stoppedEpoch() {
      return stoppedEpoch;
    },
    get bestEpoch() {
      return bestEpoch;
    },

    onTrainBegin() {
      wait = stoppedEpoch = bestEpoch = 0;
      best = bestWeights = undefined;
    },

    onEpochEnd(epoch, logs, run) {
      const current = monitored("Early stopping", monitor, logs);
      if (current === undefined || epoch < startFromEpoch) return;
      if (restoreBestWeights && !bestWeights) {
        bestWeights = run.model.getWeights();
        bestEpoch = epoch;
      }
      wait++;
      if (improves(current, best)) {
        best = current;
        bestEpoch = epoch;
        if (restoreBestWeights) bestWeights = run.model.getWeights();
        if (baseline === null || improves(current, baseline)) wait = 0;
        return;
      }
      if (wait >= patience && epoch > 0) {
        stoppedEpoch = epoch;
        run.stop = true;
      }
    },

    onTrainEnd(_, { model }) {
      if (stoppedEpoch > 0 && verbose > 0) console.log(`Epoch ${stoppedEpoch + 1}: early stopping`);
      if (!bestWeights) return;
      if (verbose > 0)
        console.log(`Restoring model weights from the end of the best epoch: ${bestEpoch + 1}.`);
      model.setWeights(bestWeights);
    },
  };
}
