// Shows the training while it runs: a live bar in a terminal (cli-progress), a line for each epoch elsewhere.
import { readOptions } from "../../layers/options.js";
import type { Callback, Logs } from "./callback.js";

function show(logs: Logs): string {
  return Object.entries(logs)
    .map(
      ([name, value]) =>
        `${name}: ${value === 0 || Math.abs(value) >= 1e-3 ? value.toFixed(4) : value.toExponential(3)}`,
    )
    .join(" - ");
}

/** A line about what took place since `start`, with what came of it. */
export function report(start: number, logs: Logs): void {
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log([`${seconds}s`, show(logs)].filter(Boolean).join(" - "));
}

/** Keras' progress: epoch, bar, loss and metrics. Used by fit unless `verbose: 0`; `verbose: 2` writes a line for each epoch. */
export function progressBar(options: { verbose?: 0 | 1 | 2 } = {}): Callback {
  const { verbose } = readOptions("callbacks.progressBar", options, { verbose: 1 });
  let bar: import("cli-progress").SingleBar | undefined;
  let start = 0;
  let drawn = 0;
  const isTerminal = typeof process !== "undefined" && process.stdout?.isTTY === true;
  return {
    async onEpochBegin(epoch, { epochs, batches }) {
      start = performance.now();
      if (!isTerminal || verbose !== 1) return;
      const { default: progress } = await import("cli-progress");
      // A dataset may not know how long it is: then batches are counted.
      const done = batches === undefined ? "{value}" : "[{bar}] {value}/{total}";
      const format = `Epoch ${epoch + 1}/${epochs} ${done} - {seconds}s - {logs}`;
      bar = new progress.SingleBar(
        { format, hideCursor: true, barsize: 24 },
        progress.Presets.shades_classic,
      );
      bar.start(batches ?? 1, 0, { seconds: "0.0", logs: "" });
    },

    onTrainBatchEnd(batch, logs) {
      if (!bar || performance.now() - drawn < 50) return;
      drawn = performance.now();
      bar.update(batch + 1, { seconds: ((drawn - start) / 1000).toFixed(1), logs: show(logs) });
    },

    onEpochEnd(epoch, logs, { epochs, batches }) {
      const seconds = ((performance.now() - start) / 1000).toFixed(1);
      if (bar) {
        bar.update(batches ?? 0, { seconds, logs: show(logs) });
        bar.stop();
        bar = undefined;
      } else if (verbose !== 0) {
        console.log(`Epoch ${epoch + 1}/${epochs} - ${seconds}s - ${show(logs)}`);
      }
    },
  };
}
