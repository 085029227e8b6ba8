// Saves the model, or its weights, while it is trained.
import { inRange, positiveInteger, show, UnreelError } from "../../errors.js";
import { readOptions } from "../../layers/options.js";
import type { Callback, Logs, TrainingRun } from "./callback.js";
import { improvement, type MonitorMode, monitored } from "./monitor.js";

export interface ModelCheckpointOptions {
  /** Where to; `{epoch}` (from 1), `{epoch:02d}`, `{batch}`, `{val_loss:.2f}` and the like become numbers. Ends in `.keras`, or with
   * saveWeightsOnly in `.weights.h5`. */
  filepath: string;
  /** A name of the logs, for saveBestOnly. Default 'val_loss'. */
  monitor?: string;
  /** 1 says what it does. Default 0. */
  verbose?: 0 | 1;
  /** Only when `monitor` is better than ever. Default false. */
  saveBestOnly?: boolean;
  /** Default false: the whole model, with the optimizer's state. */
  saveWeightsOnly?: boolean;
  /** Whether less or more is better; 'auto' (default) goes by the name. */
  mode?: MonitorMode;
  /** 'epoch' (default), or a number of batches. */
  saveFreq?: "epoch" | number;
  /** What `monitor` must be better than at first. Default null. */
  initialValueThreshold?: number | null;
}

/** Saves to `filepath` after each epoch. A file is replaced when the new one is whole on the disk. Keras: callbacks.ModelCheckpoint. */
export function modelCheckpoint(options: ModelCheckpointOptions): Callback {
  const operation = "callbacks.modelCheckpoint";
  const config = readOptions(operation, options, {
    filepath: "",
    monitor: "val_loss",
    verbose: 0 as 0 | 1,
    saveBestOnly: false,
    saveWeightsOnly: false,
    mode: "auto" as MonitorMode,
    saveFreq: "epoch" as "epoch" | number,
    initialValueThreshold: null as number | null,
  });
  const { filepath, monitor, verbose, saveBestOnly, saveWeightsOnly, saveFreq, initialValueThreshold } =
    config;
  const ending = saveWeightsOnly ? ".weights.h5" : ".keras";
  if (typeof filepath !== "string" || !filepath.endsWith(ending)) {
    throw new UnreelError({
      operation: `${operation}: filepath`,
      expected: `a path that ends in '${ending}'`,
      got: show(filepath),
    });
  }
  if (saveFreq !== "epoch") positiveInteger(`${operation}: saveFreq`, saveFreq, "Or 'epoch'.");
  if (initialValueThreshold !== null)
    inRange(
      `${operation}: initialValueThreshold`,
      initialValueThreshold,
      -Number.MAX_VALUE,
      Number.MAX_VALUE,
    );
  const improves = saveBestOnly ? improvement(operation, { ...config, minDelta: 0 }) : undefined;
  let best: number | undefined = initialValueThreshold ?? undefined;
  let epochNow = 0;
  let batches = 0;

  const save = async (batch: number | undefined, logs: Logs, { model }: TrainingRun) => {
    const path = filled(operation, filepath, {
      ...logs,
      epoch: epochNow + 1,
      ...(batch !== undefined && { batch: batch + 1 }),
    });
    const say = (text: string) => verbose > 0 && console.log(`\nEpoch ${epochNow + 1}: ${text}`);
    if (improves) {
      const current = monitored("Can save best model only", monitor, logs);
      if (current === undefined) return;
      if (!improves(current, best)) {
        say(`${monitor} did not improve from ${best}`);
        return;
      }
      say(`${monitor} improved from ${best ?? "none"} to ${current}, saving model to ${path}`);
      best = current;
    } else say(`saving model to ${path}`);
    await (saveWeightsOnly ? model.saveWeights(path) : model.save(path));
  };

  return {
    onEpochBegin(epoch) {
      epochNow = epoch;
    },
    async onTrainBatchEnd(batch, logs, run) {
      if (saveFreq !== "epoch" && ++batches % saveFreq === 0) await save(batch, logs, run);
    },
    async onEpochEnd(_, logs, run) {
      if (saveFreq === "epoch") await save(undefined, logs, run);
    },
  };
}

/** `{name}`, `{name:02d}` and `{name:.3f}` of Python's format, as numbers. */
function filled(operation: string, filepath: string, numbers: Readonly<Record<string, number>>): string {
  return filepath.replace(
    /\{(\w+)(?::(0?)(\d*)(?:\.(\d+))?([df]?))?\}/g,
    (_, name: string, zero, width, digits, kind) => {
      if (!Object.hasOwn(numbers, name)) {
        const expected = `names among ${Object.keys(numbers).join(", ")}`;
        throw new UnreelError({ operation: `${operation}: filepath`, expected, got: show(name) });
      }
      const value = numbers[name];
      const text = kind === "f" || digits ? value.toFixed(digits ? Number(digits) : 6) : String(value);
      return width ? text.padStart(Number(width), zero || " ") : text;
    },
  );
}
