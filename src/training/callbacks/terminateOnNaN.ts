// Ends the training quietly at a loss that is not finite. Without this callback it ends with an error.
import { UnreelError } from "../../errors.js";
import { readOptions } from "../../layers/options.js";
import type { Callback } from "./callback.js";

/** Stops at a loss that is NaN or infinite; with `raiseError` (default false) by an error. The weights are those before that
 * batch (in Keras, what it made of them). Keras: callbacks.TerminateOnNaN. */
export function terminateOnNaN(options: { raiseError?: boolean } = {}): Callback {
  const { raiseError } = readOptions("callbacks.terminateOnNaN", options, { raiseError: false });
  return {
    onTrainBatchEnd(batch, { loss }, run) {
      if (Number.isFinite(loss)) return;
      if (raiseError) {
        const operation = `callbacks.terminateOnNaN: loss of batch ${batch}`;
        throw new UnreelError({ operation, expected: "a finite number", got: `${loss}` });
      }
      console.log(`Batch ${batch}: Invalid loss, terminating training`);
      run.stop = true;
    },
  };
}
