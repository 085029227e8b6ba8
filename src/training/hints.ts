// What data that do not fit a model may have been meant as: the hints of errors. Not here: whether they fit (arrays.ts).
import { show } from "../errors.js";
import type { TargetKind } from "../graph/training.js";
import type { Shape } from "../layers/symbolic.js";
import type { Tensor } from "../tensor.js";

/** Of inputs of another shape than the model's. */
export function shapeHint(shape: readonly number[], wanted: Shape, isIds: boolean): string | undefined {
  const fits = (d: number, axis: number) => wanted[axis] === null || wanted[axis] === d;
  if (shape.length === wanted.length - 1) {
    const isSample = shape.every((d, axis) => fits(d, axis + 1));
    const lacksFeatures = wanted.length === 3 && wanted[2] === 1 && fits(shape[1], 1);
    if (lacksFeatures)
      return "One number a step has an axis of its own: x.map((row) => row.map((value) => [value])).";
    if (isSample && wanted.length < 3)
      return "The first axis counts samples: wrap a single sample in an array.";
    return wanted.length === 3
      ? "The axes are samples, steps, features: a single sample is [x], samples of one step are x.map((row) => [row])."
      : undefined;
  }
  if (shape.length !== wanted.length) return undefined;
  const isLength = (wanted.length > 2 || isIds) && shape.every((d, axis) => axis < 2 || fits(d, axis));
  if (isLength) {
    return "The model was given, or took from its first data, a fixed length; inputShape [null, …] takes any.";
  }
  return `The last axis has the features of ${wanted.length > 2 ? "a step" : "a sample"}: the model was given, or took from its first data, ${wanted.at(-1)} of them.`;
}

/** Of an id that no row of an embedding's table has. */
export function idHint(id: number): string {
  if (Math.floor(id) !== id) {
    return "An embedding looks rows up. Measured values need none: they go into the next layer as they are.";
  }
  return id < 0
    ? "Padding is 0, which maskZero: true leaves out; the ids of what there is begin with 1 then."
    : "inputDim of the embedding must be larger than every id: the number of words and one for padding.";
}

/** Of labels that are texts. */
export function labelHint(
  value: unknown,
  kind: TargetKind,
  units: number | null | undefined,
): string | undefined {
  if (typeof value !== "string" || (value.trim() !== "" && Number.isFinite(Number(value)))) return undefined;
  const numbers = "data.StringLookup({ numOovIndices: 0 }).adapt(labels).apply(labels)";
  if (kind === "classes") return `Labels become class numbers: ${numbers}.`;
  if (units === 1) return `Labels become 0 and 1: labels.map((label) => (label === ${show(value)} ? 1 : 0)).`;
  return `Labels become class numbers for 'sparseCategoricalCrossentropy': ${numbers}; with outputMode: 'oneHot' rows for 'categoricalCrossentropy'.`;
}

/** Of a number that is no class of the output. */
export function classHint(label: number, classes: number): string {
  if (classes === 1) return "One unit tells two classes apart: use 'binaryCrossentropy' with a sigmoid.";
  if (Math.floor(label) !== label)
    return "Values that are no classes want a loss such as 'meanSquaredError'.";
  return label < 0
    ? "Class numbers begin with 0; sampleWeight 0 leaves a sample out."
    : `Classes are counted from 0, and the last layer has ${classes} units: it needs one for each.`;
}

/** Of targets that are not of the shape of class numbers. */
export function classesHint({ data, shape }: Tensor, output: Shape): string | undefined {
  const width = shape.at(-1)!;
  if (shape.length !== output.length || !isOneHot(data, width)) {
    return sequenceHint(shape.length, output.length - 1);
  }
  const units = width === output.at(-1) ? "" : `, and units: ${width} in the last layer`;
  return `For one-hot targets use 'categoricalCrossentropy'${units}.`;
}

/** Of targets of another shape than the output's. */
export function targetHint({ data, shape }: Tensor, output: Shape): string | undefined {
  const units = output.at(-1)!;
  const isColumn = shape.length === output.length && shape.at(-1) === 1;
  if (units > 1 && (shape.length === output.length - 1 || isColumn)) {
    const areClasses = data.every((value) => value >= 0 && value < units && Math.floor(value) === value);
    return areClasses
      ? "For class numbers use 'sparseCategoricalCrossentropy'."
      : `y has one number where the last layer has ${units} units: for one number, units: 1.`;
  }
  if (shape.length !== output.length) return sequenceHint(shape.length, output.length);
  const width = shape.at(-1)!;
  return width === units
    ? undefined
    : `The last layer's units are the width of y: units: ${width}${isOneHot(data, width) ? ", with activation 'softmax' and 'categoricalCrossentropy'" : ""}.`;
}

/** Targets a step for an output a sequence, and the other way round. */
function sequenceHint(given: number, output: number): string | undefined {
  if (given === output + 1)
    return "For an output at each step, the last recurrent layer needs returnSequences: true.";
  if (given < output)
    return "The model has an output at each step: returnSequences: false on the last recurrent layer gives one for the sequence.";
  return undefined;
}

function isOneHot(data: ArrayLike<number>, width: number): boolean {
  for (let row = 0; row < data.length; row += width) {
    let ones = 0;
    for (let i = row; i < row + width; i++) {
      if (data[i] === 1) ones++;
      else if (data[i] !== 0) return false;
    }
    if (ones !== 1) return false;
  }
  return width > 1;
}
