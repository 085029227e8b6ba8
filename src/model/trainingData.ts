// What fit and evaluate are given, checked and made into data sets.
import { positiveInteger, show, UnreelError } from "../errors.js";
import { targetKind } from "../graph/training.js";
import { readOptions } from "../layers/options.js";
import { type InputLike, readInputs, readTargets } from "../training/arrays.js";
import { type Callback, checkCallback } from "../training/callbacks/callback.js";
import { arrayFeed, type Batches, BatchStream, type Feed, isStream } from "../training/feed.js";
import type { Trainee } from "../training/fit.js";
import { splitValidation } from "../training/split.js";
import type { DataSet } from "../training/step.js";
import { type ClassWeight, readWeights, type WeightLike, weightsForOutputs } from "../training/weights.js";
import { refuseOfArrays, requireBatch, shapeOf, type Verbose } from "./data.js";

/** What fit does whatever the data are. */
interface TrainingOptions {
  epochs?: number;
  /** Batches of an epoch. Default: all. The next epoch goes on where the last one stopped; data that end in the middle of one end it. */
  stepsPerEpoch?: number;
  /** [x, y], [x, y, sampleWeight], or batches of them, as a dataset. */
  validationData?: ValidationData;
  /** Batches of the validation. Default: all. */
  validationSteps?: number;
  /** Samples of a batch of the validation, where it is given as arrays. Default: batchSize. */
  validationBatchSize?: number;
  /** Validates after every so many epochs, or after those of a list; they count from 1. Default 1. */
  validationFreq?: number | readonly number[];
  /** Weights by class number, for a model with one output. They are for training: validation does not see them. */
  classWeight?: ClassWeight;
  initialEpoch?: number;
  callbacks?: readonly Callback[];
  /** 0 silent, 1 progress bar (default), 2 a line for each epoch. */
  verbose?: Verbose;
}

export type ValidationData =
  | readonly [InputLike, InputLike]
  | readonly [InputLike, InputLike, WeightLike]
  | Batches;

/** Of arrays. */
export interface FitOptions extends TrainingOptions {
  batchSize?: number;
  /** Share of the data, from its end, kept for validation: in [0, 1). */
  validationSplit?: number;
  /** New order of the samples in each epoch. Default true. */
  shuffle?: boolean;
  /** One weight a sample, or a step; for several outputs also a list in their order, or a record by output name. */
  sampleWeight?: WeightLike;
}

/** Of a dataset, whose elements are batches: their size, their order and the weights of samples are its own. */
export type DatasetFitOptions = TrainingOptions;

const OF_TRAINING = {
  epochs: 1,
  stepsPerEpoch: undefined as number | undefined,
  validationData: undefined as ValidationData | undefined,
  validationSteps: undefined as number | undefined,
  validationBatchSize: undefined as number | undefined,
  validationFreq: undefined as number | readonly number[] | undefined,
  classWeight: undefined as ClassWeight | undefined,
  initialEpoch: 0,
  callbacks: [] as readonly Callback[],
  verbose: "auto" as Verbose,
};

const OF_ARRAYS = {
  batchSize: 32,
  validationSplit: 0,
  shuffle: true,
  sampleWeight: undefined as WeightLike | undefined,
};

/** Options of fit with their defaults. A dataset takes none of those that are for arrays. */
export function readFitOptions(options: FitOptions, isDataset: boolean) {
  if (isDataset) {
    refuseOfArrays("fit", options, Object.keys(OF_ARRAYS));
  }
  const call = `fit(${isDataset ? "dataset" : "x, y"}, { epochs: 10 })`;
  const read = readOptions("fit", options, { ...OF_TRAINING, ...OF_ARRAYS }, call);
  positiveInteger("fit: batchSize", read.batchSize);
  positiveInteger("fit: epochs", read.epochs);
  for (const name of ["stepsPerEpoch", "validationSteps", "validationBatchSize"] as const)
    if (read[name] !== undefined) positiveInteger(`fit: ${name}`, read[name]);
  if (Array.isArray(read.validationFreq)) {
    for (const epoch of read.validationFreq) positiveInteger("fit: validationFreq", epoch);
  } else if (read.validationFreq !== undefined) {
    positiveInteger("fit: validationFreq", read.validationFreq, "Or a list of epochs, from 1.");
  }
  if (!Number.isSafeInteger(read.initialEpoch) || read.initialEpoch < 0) {
    const got = show(read.initialEpoch);
    throw new UnreelError({ operation: "fit: initialEpoch", expected: "an integer from 0", got });
  }
  if (!Array.isArray(read.callbacks)) {
    throw new UnreelError({
      operation: "fit: callbacks",
      expected: "a list",
      got: show(read.callbacks),
      hint: "Write [callback].",
    });
  }
  for (const callback of read.callbacks) checkCallback("fit: callbacks", callback);
  const { validationData } = read;
  if (validationData !== undefined && !Array.isArray(validationData) && !isStream(validationData)) {
    const got = show(validationData);
    throw new UnreelError({
      operation: "fit: validationData",
      expected: "[x, y], [x, y, sampleWeight] or a dataset of batches",
      got,
      hint: "Write validationData: [x, y].",
    });
  }
  if (isStream(validationData)) refuseOfArrays("fit", options, ["validationBatchSize"]);
  const isValidated = validationData !== undefined || read.validationSplit > 0;
  for (const name of ["validationSteps", "validationBatchSize", "validationFreq"] as const) {
    if (isValidated || read[name] === undefined) continue;
    const expected = "validationData or validationSplit beside it";
    throw new UnreelError({ operation: `fit: ${name}`, expected, got: "neither" });
  }
  return read;
}

/** Inputs, targets and weights, checked as a whole. */
export function dataSet(
  operation: string,
  { executor, compiled, outputNames }: Trainee,
  x: InputLike,
  y: InputLike,
  weighting: { sampleWeight?: WeightLike; classWeight?: ClassWeight },
): DataSet {
  const inputs = readInputs(operation, executor.graph, x);
  const samples = inputs[0].shape[0];
  const kinds = outputNames.map((_, output) => targetKind(compiled, output));
  const targets = readTargets(operation, executor.graph, kinds, y, samples);
  if (weighting.classWeight && targets.length > 1) {
    const expected = "a model with one output";
    throw new UnreelError({
      operation: `${operation}: classWeight`,
      expected,
      got: `${targets.length} outputs`,
      hint: "Use sampleWeight, an array for each output.",
    });
  }
  const { classWeight } = weighting;
  const given = weightsForOutputs(operation, weighting.sampleWeight, outputNames);
  const weights = targets.map((target, output) => {
    const sampleWeight = given[output];
    return (
      target &&
      readWeights(operation, { sampleWeight, classWeight }, target, compiled.losses[output], samples)
    );
  });
  return { inputs, targets, weights, samples };
}

type ReadFitOptions = ReturnType<typeof readFitOptions>;

/** What is trained on, and what it is validated with. Classes weigh only the first. */
export function arrayFeeds(
  trainee: Trainee,
  x: InputLike,
  y: InputLike,
  { sampleWeight, classWeight, validationSplit, ...read }: ReadFitOptions,
): { feed: Feed; validation?: Feed } {
  const data = dataSet("fit", trainee, x, y, { sampleWeight, classWeight });
  const { batchSize, validationBatchSize = batchSize, validationData } = read;
  if (validationData || validationSplit === 0) return { feed: arrayFeed(data, batchSize) };
  const unweighted = classWeight ? dataSet("fit", trainee, x, y, { sampleWeight }) : data;
  return {
    feed: arrayFeed(splitValidation(data, validationSplit).data, batchSize),
    validation: arrayFeed(splitValidation(unweighted, validationSplit).validation, validationBatchSize),
  };
}

/** The batches of a dataset, each checked when its turn comes. */
export function streamFeed(
  operation: string,
  trainee: Trainee,
  stream: BatchStream,
  classWeight?: ClassWeight,
): Feed {
  return stream.feed((batch) => {
    const { x, y, sampleWeight } = batch;
    if (y === undefined) {
      const hint =
        "map makes such elements before they are batched: dataset.map((x) => [x, targetOf(x)]); of a CSV, the option label.";
      throw new UnreelError({ operation, expected: "batches [x, y]", got: `no y, but ${shapeOf(x)}`, hint });
    }
    requireBatch(operation, batch, trainee.executor.graph);
    const weighting = { sampleWeight: sampleWeight as WeightLike | undefined, classWeight };
    return dataSet(operation, trainee, x as InputLike, y as InputLike, weighting);
  });
}

export function validationFeed(trainee: Trainee, given: ValidationData, batchSize: number): Feed {
  const operation = "fit: validationData";
  if (isStream(given)) return streamFeed(operation, trainee, new BatchStream(operation, given));
  const [x, y, sampleWeight] = given;
  return arrayFeed(dataSet(operation, trainee, x, y, { sampleWeight }), batchSize);
}

/** Whether an epoch, counted from 1, is followed by a validation. */
export function isDue(freq: number | readonly number[] = 1): (epoch: number) => boolean {
  return (epoch) => (typeof freq === "number" ? epoch % freq === 0 : freq.includes(epoch));
}
