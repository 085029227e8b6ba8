// Keeps the state of a training on disk, so that one that was killed goes on where it was.
import { positiveInteger, show, UnreelError } from "../../errors.js";
import { type Files, fileSystem, replaceFile, withFile } from "../../files.js";
import { readOptions } from "../../layers/options.js";
import type { Callback } from "./callback.js";

export interface BackupAndRestoreOptions {
  /** A folder for this training alone; it is made if need be. */
  backupDir: string;
  /** 'epoch' (default), or a number of batches. */
  saveFreq?: "epoch" | number;
  /** Removes the backup when the training has come to its end. Default true. */
  deleteCheckpoint?: boolean;
}

const NAME = "latest.backup";

/** Which backup could not be taken over. */
function ofFile(operation: string, path: string, error: unknown): unknown {
  if (!(error instanceof UnreelError)) return error;
  const { expected, got, hint } = error;
  const what = error.operation.replace(/^fit: restore/, "");
  return new UnreelError({ operation: `${operation}: ${path}${what}`, expected, got, hint });
}

/**
 * Writes weights, the optimizer's state, states of stateful layers, random numbers and the place in the data to `backupDir`. When the
 * same program begins again, with the same model, data and options, `fit` goes on from there, and ends with the same bits as if it had
 * never been stopped. A backup takes the name of the last one only when it is whole on the disk: killed at any moment, one of them is
 * there. The history, and the logs of an epoch that was begun before, hold what came after. Other callbacks begin anew. Keras: callbacks.BackupAndRestore.
 */
export function backupAndRestore(options: BackupAndRestoreOptions): Callback {
  const operation = "callbacks.backupAndRestore";
  const { backupDir, saveFreq, deleteCheckpoint } = readOptions(operation, options, {
    backupDir: "",
    saveFreq: "epoch" as "epoch" | number,
    deleteCheckpoint: true,
  });
  if (typeof backupDir !== "string" || backupDir === "") {
    throw new UnreelError({
      operation: `${operation}: backupDir`,
      expected: "a folder",
      got: show(backupDir),
    });
  }
  if (saveFreq !== "epoch") positiveInteger(`${operation}: saveFreq`, saveFreq, "Or 'epoch'.");
  const path = `${backupDir.replace(/[\\/]$/, "")}/${NAME}`;
  let files: Files;
  let epochNow = 0;
  let batches = 0;

  return {
    async onTrainBegin(run) {
      batches = 0;
      files = await fileSystem(operation);
      await withFile(
        `${operation}: backupDir`,
        backupDir,
        () => files.mkdir(backupDir, { recursive: true }),
        "a folder, or a path where one can be made",
      );
      const found = await files.readFile(path).catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return undefined;
        throw new UnreelError({
          operation,
          expected: "a backup that can be read",
          got: show(path),
          hint: error.message,
        });
      });
      if (found) await run.restore(found).catch((error) => Promise.reject(ofFile(operation, path, error)));
    },

    onEpochBegin(epoch) {
      epochNow = epoch;
    },

    async onTrainBatchEnd(batch, _, run) {
      // After its last batch an epoch still has its validation: its end is the place to go on from.
      if (saveFreq === "epoch" || ++batches % saveFreq !== 0 || batch + 1 === run.batches) return;
      await replaceFile(operation, path, await run.backup(epochNow, batch + 1));
    },

    async onEpochEnd(epoch, _, run) {
      await replaceFile(operation, path, await run.backup(epoch + 1, 0));
    },

    async onTrainEnd() {
      if (deleteCheckpoint) await files.rm(path, { force: true });
    },
  };
}
