// Weights of samples, steps and classes as a model takes them.
// Not here: how they enter a loss (step.ts) and plain values (rows.ts).
import { show, UnreelError } from "../errors.js";
import type { LossSpec } from "../graph/training.js";
import { showShape } from "../layers/symbolic.js";
import { Tensor, type TensorLike, tensor, tensorOf } from "../tensor.js";
import { byName, checkFinite } from "./arrays.js";
import { trimmed } from "./rows.js";

export type ClassWeight = Readonly<Record<number, number>>;

/** Weights for one output, or for each: a list in their order or a record by name; null where all count the same. */
export type WeightLike =
  | TensorLike
  | readonly (TensorLike | null)[]
  | Readonly<Record<string, TensorLike | null>>;

/** The weights of each output. A single array of one weight a sample holds for all outputs, as in Keras. */
export function weightsForOutputs(
  operation: string,
  given: WeightLike | undefined,
  names: readonly string[],
): (TensorLike | undefined)[] {
  if (given === undefined || given === null) return names.map(() => undefined);
  const isArray = given instanceof Tensor || ArrayBuffer.isView(given) || typeof given === "number";
  const isList = Array.isArray(given) && names.length > 1 && given.some((each) => typeof each !== "number");
  const isRecord = !isArray && !Array.isArray(given);
  if (isRecord) {
    const stranger = Object.keys(given).find((name) => !names.includes(name));
    if (stranger !== undefined) {
      const expected = `entries for ${names.join(", ")}`;
      throw new UnreelError({ operation: `${operation}: sampleWeight`, expected, got: `'${stranger}'` });
    }
  }
  if (isList || isRecord) {
    return byName(`${operation}: sampleWeight`, given, names).map(
      (each) => (each as TensorLike | null) ?? undefined,
    );
  }
  const single = tensorOf(`${operation}: sampleWeight`, given);
  if (names.length > 1 && trimmed(single.shape).length !== 1) {
    throw new UnreelError({
      operation: `${operation}: sampleWeight`,
      expected: "one weight for each sample, for all outputs",
      got: `shape ${showShape(single.shape)}`,
      hint: `For weights of steps give each output its own: a list for ${names.join(", ")}.`,
    });
  }
  return names.map(() => single);
}

/** Weights of samples [N] (or steps [N, T]) from the user's weights and those of classes; undefined when all count the same. */
export function readWeights(
  operation: string,
  { sampleWeight, classWeight }: { sampleWeight?: TensorLike; classWeight?: ClassWeight },
  target: Tensor,
  loss: LossSpec | undefined,
  samples: number,
): Tensor | undefined {
  const sparse = target.dtype === "int32";
  const given =
    sampleWeight === undefined
      ? undefined
      : tensor(tensorOf(`${operation}: sampleWeight`, sampleWeight), undefined, "float32");
  if (given) {
    // One weight a sample, or one for each of the first axes of what the loss counts: samples and steps.
    const counted =
      loss && "graph" in loss ? loss.graph.outputs[0].shape.length || 1 : target.shape.length - 1;
    const rows = sparse ? target.shape : target.shape.slice(0, counted);
    const axes = trimmed(given.shape);
    if (axes.length > rows.length || axes.some((d, axis) => d !== rows[axis])) {
      const expected = `${samples} weights, one for each sample${rows.length > 1 ? ", or one for each step" : ""}`;
      throw new UnreelError({
        operation: `${operation}: sampleWeight`,
        expected,
        got: showShape(given.shape),
      });
    }
    checkFinite(`${operation}: sampleWeight`, given);
  }
  if (!classWeight) return given;
  const operationOfClasses = `${operation}: classWeight`;
  if (
    typeof classWeight !== "object" ||
    !Object.values(classWeight).every((weight) => Number.isFinite(weight))
  ) {
    const expected = "finite weights by class number, as { 0: 1, 1: 5 }";
    throw new UnreelError({ operation: operationOfClasses, expected, got: show(classWeight) });
  }
  if (target.shape.length > (sparse ? 1 : 2)) {
    const hint = "Use sampleWeight, one for each sample or step.";
    throw new UnreelError({
      operation: operationOfClasses,
      expected: "one class for each sample",
      got: `targets of shape ${showShape(target.shape)}`,
      hint,
    });
  }
  const classOf = classReader(target);
  const perRow = given ? given.size / samples : 1;
  const values = new Float32Array(samples * perRow);
  for (let i = 0; i < values.length; i++) {
    const sample = Math.floor(i / perRow);
    values[i] = (given ? given.data[i] : 1) * (classWeight[classOf(sample)] ?? 1);
  }
  return new Tensor(values, given?.shape ?? [samples]);
}

/** The class of a sample: its number, or the place of the largest value of its one-hot row. */
function classReader({ data, shape }: Tensor): (sample: number) => number {
  const columns = shape.slice(1).reduce((a, b) => a * b, 1);
  if (columns === 1) return (sample) => nearestEven(data[sample]);
  return (sample) => {
    let best = 0;
    for (let i = 1; i < columns; i++)
      if (data[sample * columns + i] > data[sample * columns + best]) best = i;
    return best;
  };
}

/** The nearest whole number, of two the even one: as numpy rounds labels that are not whole. */
function nearestEven(x: number): number {
  return Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x);
}
