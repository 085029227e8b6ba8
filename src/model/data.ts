// What fit and evaluate are given, checked and made into data sets.
import { positiveInteger, show, UnreelError } from "../errors.js";
import { targetKind } from "../graph/lower.js";
import { readOptions } from "../layers/options.js";
import { type InputLike, readInputs, readTargets } from "../training/arrays.js";
import { type Callback, checkCallback } from "../training/callbacks/callback.js";
import { splitValidation, type Trainee } from "../training/fit.js";
import type { DataSet } from "../training/step.js";
import { type ClassWeight, readWeights, type WeightLike, weightsForOutputs } from "../training/weights.js";

export type Verbose = 0 | 1 | 2 | "auto";

export interface FitOptions {
  batchSize?: number;
  epochs?: number;
  /** Share of the data, from its end, kept for validation: in [0, 1). */
  validationSplit?: number;
  /** [x, y] or [x, y, sampleWeight]. */
  validationData?: readonly [InputLike, InputLike] | readonly [InputLike, InputLike, WeightLike];
  /** New order of the samples in each epoch. Default true. */
  shuffle?: boolean;
  /** Weights by class number, for a model with one output. They are for training: validation does not see them. */
  classWeight?: ClassWeight;
  /** One weight a sample, or a step; for several outputs also a list in their order, or a record by output name. */
  sampleWeight?: WeightLike;
  initialEpoch?: number;
  callbacks?: readonly Callback[];
  /** 0 silent, 1 progress bar (default), 2 a line for each epoch. */
  verbose?: Verbose;
}

/** Options of fit with their defaults. */
export function readFitOptions(options: FitOptions) {
  const read = readOptions("fit", options, {
    batchSize: 32,
    epochs: 1,
    validationSplit: 0,
    validationData: undefined as FitOptions["validationData"],
    shuffle: true,
    classWeight: undefined as ClassWeight | undefined,
    sampleWeight: undefined as WeightLike | undefined,
    initialEpoch: 0,
    callbacks: [] as readonly Callback[],
    verbose: "auto" as Verbose,
  });
  positiveInteger("fit: batchSize", read.batchSize);
  positiveInteger("fit: epochs", read.epochs);
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
  if (read.validationData !== undefined && !Array.isArray(read.validationData)) {
    const got = show(read.validationData);
    throw new UnreelError({
      operation: "fit: validationData",
      expected: "[x, y] or [x, y, sampleWeight]",
      got,
    });
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

/** What is trained on, and what it is validated with. Classes weigh only the first. */
export function fitData(
  trainee: Trainee,
  x: InputLike,
  y: InputLike,
  { sampleWeight, classWeight, validationData, validationSplit }: ReturnType<typeof readFitOptions>,
): { data: DataSet; validation?: DataSet } {
  const data = dataSet("fit", trainee, x, y, { sampleWeight, classWeight });
  if (validationData) {
    const [validX, validY, validWeight] = validationData;
    return {
      data,
      validation: dataSet("fit: validationData", trainee, validX, validY, { sampleWeight: validWeight }),
    };
  }
  if (validationSplit === 0) return { data };
  const unweighted = classWeight ? dataSet("fit", trainee, x, y, { sampleWeight }) : data;
  return {
    data: splitValidation(data, validationSplit).data,
    validation: splitValidation(unweighted, validationSplit).validation,
  };
}
