// predict of a model: what it is given becomes a feed, which training/predict.ts walks.
import { positiveInteger } from "../errors.js";
import type { Executor } from "../graph/executor.js";
import { readOptions } from "../layers/options.js";
import type { Tensor } from "../tensor.js";
import { type InputLike, readInputs } from "../training/arrays.js";
import { report } from "../training/callbacks/progressBar.js";
import { arrayFeed, type Batches, checkEnds, type Feed, isStream } from "../training/feed.js";
import { predict as predictFeed } from "../training/predict.js";
import { refuseOfArrays, requireBatch, type Verbose, withBatches } from "./data.js";

export interface PredictOptions {
  /** Samples of a batch, where the data are arrays. Default 32. */
  batchSize?: number;
  /** Batches of a dataset. Default: all. */
  steps?: number;
  verbose?: Verbose;
}

/** A tensor for each output. `place`: the model's place in the engine; data tell a model without a shape its own. */
export async function predict(
  place: (data: InputLike) => Promise<Executor>,
  data: InputLike | Batches,
  options: PredictOptions,
): Promise<Tensor[]> {
  if (isStream(data)) refuseOfArrays("predict", options, ["batchSize"]);
  const defaults = { batchSize: 32, steps: undefined as number | undefined, verbose: "auto" as Verbose };
  const example = "predict(x, { batchSize: 128 })";
  const { batchSize, steps, verbose } = readOptions("predict", options, defaults, example);
  positiveInteger("predict: batchSize", batchSize);
  if (steps !== undefined) positiveInteger("predict: steps", steps);
  const run = async (executor: Executor, feed: Feed) => {
    checkEnds("predict", "steps", feed, steps);
    const start = performance.now();
    const results = await predictFeed(executor, feed, steps);
    if (verbose === 1 || verbose === 2) report(start, {});
    return results;
  };
  const read = (executor: Executor, x: InputLike) => {
    const inputs = readInputs("predict", executor.graph, x);
    return { inputs, samples: inputs[0].shape[0] };
  };
  if (!isStream(data)) {
    const executor = await place(data);
    return run(executor, arrayFeed(read(executor, data), batchSize));
  }
  return withBatches("predict", data, undefined, async (stream, x) => {
    const executor = await place(x);
    const feed = stream.feed((batch) => {
      requireBatch("predict", batch, executor.graph);
      return read(executor, batch.x as InputLike);
    });
    return run(executor, feed);
  });
}
