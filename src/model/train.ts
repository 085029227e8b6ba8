// fit, evaluate and trainOnBatch of a model: what they are given becomes feeds, which the loops of training/ walk.
import { positiveInteger, UnreelError } from "../errors.js";
import { readOptions } from "../layers/options.js";
import type { InputLike } from "../training/arrays.js";
import type { TrainedModel } from "../training/callbacks/callback.js";
import { progressBar, report } from "../training/callbacks/progressBar.js";
import { arrayFeed, type Batches, checkEnds, type Feed, isStream } from "../training/feed.js";
import {
  evaluate as evaluateFeed,
  fit as fitFeed,
  type History,
  type Trainee,
  trainOnBatch as trainOn,
} from "../training/fit.js";
import type { ClassWeight, WeightLike } from "../training/weights.js";
import { refuseOfArrays, type Verbose, withBatches } from "./data.js";
import {
  arrayFeeds,
  dataSet,
  type FitOptions,
  isDue,
  readFitOptions,
  streamFeed,
  validationFeed,
} from "./trainingData.js";

/** The model compiled and in the engine; data tell a model without a shape its own. */
type Place = (operation: string, data: InputLike) => Promise<Trainee>;

/** `rest`: what stands behind the data, (y, options) or (options). */
export async function fit(
  model: TrainedModel,
  place: Place,
  data: InputLike | Batches,
  rest: readonly unknown[],
): Promise<History> {
  const { y, options } = targetsAndOptions("fit", data, rest, "{ epochs: 10 }");
  const read = readFitOptions((options === undefined ? {} : options) as FitOptions, isStream(data));
  const run = (trainee: Trainee, feed: Feed, split?: Feed) => fitFeeds(model, trainee, feed, split, read);
  if (!isStream(data)) {
    const trainee = await place("fit", data);
    const { feed, validation } = arrayFeeds(trainee, data, y as InputLike, read);
    return run(trainee, feed, validation);
  }
  const epoch = read.initialEpoch === 0 ? undefined : read.initialEpoch;
  return withBatches("fit", data, epoch, async (stream, x) => {
    const trainee = await place("fit", x);
    return run(trainee, streamFeed("fit", trainee, stream, read.classWeight));
  });
}

function fitFeeds(
  model: TrainedModel,
  trainee: Trainee,
  feed: Feed,
  split: Feed | undefined,
  read: ReturnType<typeof readFitOptions>,
): Promise<History> {
  const { stepsPerEpoch, epochs, initialEpoch, shuffle, validationData, validationSteps } = read;
  const validation =
    validationData === undefined
      ? split
      : validationFeed(trainee, validationData, read.validationBatchSize ?? read.batchSize);
  checkEnds("fit", "stepsPerEpoch", feed, stepsPerEpoch);
  if (validation) checkEnds("fit: validationData", "validationSteps", validation, validationSteps);
  const verbose = read.verbose === "auto" ? 1 : read.verbose;
  return fitFeed(trainee, {
    feed,
    stepsPerEpoch,
    validation: validation && { feed: validation, steps: validationSteps, isDue: isDue(read.validationFreq) },
    epochs,
    initialEpoch,
    shuffle,
    // The bar last, as in Keras: it shows what the others add to the logs.
    callbacks: verbose === 0 ? read.callbacks : [...read.callbacks, progressBar({ verbose })],
    model,
  });
}

export async function evaluate(
  place: Place,
  data: InputLike | Batches,
  rest: readonly unknown[],
): Promise<Record<string, number>> {
  const { y, options } = targetsAndOptions("evaluate", data, rest, "{ batchSize: 128 }");
  const isDataset = isStream(data);
  if (isDataset) refuseOfArrays("evaluate", options, ["batchSize", "sampleWeight"]);
  const defaults = {
    batchSize: 32,
    sampleWeight: undefined as WeightLike | undefined,
    steps: undefined as number | undefined,
    verbose: "auto" as Verbose,
  };
  const call = isDataset ? "evaluate(dataset, { steps: 10 })" : "evaluate(x, y, { batchSize: 128 })";
  const read = readOptions("evaluate", options as object, defaults, call);
  const { batchSize, sampleWeight, steps, verbose } = read;
  positiveInteger("evaluate: batchSize", batchSize);
  if (steps !== undefined) positiveInteger("evaluate: steps", steps);
  const run = async (trainee: Trainee, feed: Feed) => {
    checkEnds("evaluate", "steps", feed, steps);
    const start = performance.now();
    const logs = await evaluateFeed(trainee, feed, steps);
    if (verbose === 1 || verbose === 2) report(start, logs);
    return logs;
  };
  if (isDataset) {
    return withBatches("evaluate", data, undefined, async (stream, x) => {
      const trainee = await place("evaluate", x);
      return run(trainee, streamFeed("evaluate", trainee, stream));
    });
  }
  const trainee = await place("evaluate", data);
  const arrays = dataSet("evaluate", trainee, data, y as InputLike, { sampleWeight });
  return run(trainee, arrayFeed(arrays, batchSize));
}

export async function trainOnBatch(
  place: Place,
  x: InputLike,
  y: InputLike,
  options: object,
): Promise<Record<string, number>> {
  requireTargets("trainOnBatch", x, y, "{ sampleWeight }");
  const defaults = {
    sampleWeight: undefined as WeightLike | undefined,
    classWeight: undefined as ClassWeight | undefined,
  };
  const read = readOptions("trainOnBatch", options, defaults, "trainOnBatch(x, y, { sampleWeight })");
  const trainee = await place("trainOnBatch", x);
  return trainOn(trainee, dataSet("trainOnBatch", trainee, x, y, read));
}

/** What stands behind the data: options alone behind a dataset, targets and options behind arrays. */
function targetsAndOptions(
  operation: string,
  data: InputLike | Batches,
  [first, second]: readonly unknown[],
  example: string,
): { y?: unknown; options: unknown } {
  if (isStream(data)) {
    refuseTargets(operation, first, second);
    return { options: first };
  }
  requireTargets(operation, data, first, example);
  return { y: first, options: second };
}

/** Options of fit and evaluate: what has one was meant as such. */
const OPTIONS =
  /^(epochs|batchSize|batch_size|verbose|callbacks|validationData|validationSplit|shuffle|steps)$/;

/** Arrays have their targets beside them. */
function requireTargets(operation: string, x: unknown, y: unknown, options: string): void {
  const isOptions =
    typeof y === "object" &&
    y !== null &&
    Object.getPrototypeOf(y) === Object.prototype &&
    Object.keys(y).some((name) => OPTIONS.test(name));
  if (y !== undefined && y !== null && !isOptions) return;
  const isBoth =
    typeof x === "object" &&
    x !== null &&
    Object.getPrototypeOf(x) === Object.prototype &&
    "x" in x &&
    "y" in x;
  const hint = `Write ${operation}(x, y, ${options}): targets stand behind the inputs, options behind both. Batches of both are a dataset: data.Dataset.fromGenerator(() => batches), or fromTensors([x, y]).batch(32).`;
  throw new UnreelError({
    operation: `${operation}: y`,
    expected: "targets, an array with one entry for each sample of x",
    got: isOptions ? "options" : isBoth ? "{ x, y } as one argument" : y === null ? "null" : "none",
    hint,
  });
}

/** A dataset's batches have their targets: what stands behind it are options. */
function refuseTargets(operation: string, given: unknown, more: unknown): void {
  const isOptions =
    given === undefined ||
    (typeof given === "object" && given !== null && Object.getPrototypeOf(given) === Object.prototype);
  if (isOptions && more === undefined) return;
  const hint = `Write ${operation}(dataset, { … }).`;
  throw new UnreelError({
    operation: `${operation}: y`,
    expected: "a dataset whose batches are [x, y]",
    got: "targets beside it",
    hint,
  });
}
