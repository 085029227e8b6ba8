// Arrays as a model takes them: inputs, targets and weights, checked as a whole before anything runs.
import { show, UnreelError } from "../errors.js";
import type { Graph } from "../layers/graph.js";
import { type Shape, type SymbolicTensor, showShape } from "../layers/symbolic.js";
import { Tensor, type TensorLike, tensor } from "../tensor.js";
import type { Loss } from "./losses.js";

export type InputLike = TensorLike | readonly TensorLike[] | Readonly<Record<string, TensorLike>>;

/** One tensor for each name: a single one, a list in order, or a record by name. */
function spread(operation: string, given: unknown, names: readonly string[]): unknown[] {
  if (given === undefined || given === null) {
    throw new UnreelError({
      operation,
      expected: names.length === 1 ? "an array" : `${names.length} arrays`,
      got: show(given),
    });
  }
  const isPlain =
    typeof given === "object" &&
    !Array.isArray(given) &&
    !(given instanceof Tensor) &&
    !ArrayBuffer.isView(given);
  if (isPlain) {
    const record = given as Record<string, unknown>;
    const missing = names.find((name) => !(name in record));
    if (missing !== undefined) {
      throw new UnreelError({
        operation,
        expected: `entries ${names.join(", ")}`,
        got: `no '${missing}'`,
        hint: `Found: ${Object.keys(record)}.`,
      });
    }
    return names.map((name) => record[name]);
  }
  if (names.length === 1) return [given];
  if (Array.isArray(given) && given.length === names.length) return given;
  const got = Array.isArray(given) ? `${given.length}` : "one";
  throw new UnreelError({ operation, expected: `${names.length} arrays (${names.join(", ")})`, got });
}

/** The inputs of a graph as tensors, with shapes and numbers checked. All have the same number of samples. */
export function readInputs(operation: string, graph: Graph, given: InputLike): Tensor[] {
  const names = graph.inputs.map((input) => input.name);
  const tensors = spread(`${operation}: x`, given, names).map((values, index) => {
    const input = graph.inputs[index];
    const what = `${operation}: ${names.length === 1 ? "x" : `x '${names[index]}'`}`;
    const given = withFeatureAxis(tensor(values as TensorLike), input.shape);
    checkShape(what, given, input);
    checkFinite(what, given);
    return given;
  });
  const samples = tensors[0].shape[0];
  tensors.forEach(({ shape }, index) => {
    if (shape[0] === samples) return;
    const expected = `${samples} samples, as in '${names[0]}'`;
    throw new UnreelError({ operation: `${operation}: x '${names[index]}'`, expected, got: `${shape[0]}` });
  });
  if (samples === 0) {
    throw new UnreelError({
      operation: `${operation}: x`,
      expected: "at least one sample",
      got: "an empty data set",
    });
  }
  return tensors;
}

/** [N] reads as [N, 1], as in Keras. */
function withFeatureAxis(given: Tensor, shape: Shape): Tensor {
  return given.shape.length === 1 && shape.length === 2 && (shape[1] === 1 || shape[1] === null)
    ? new Tensor(given.data, [given.shape[0], 1])
    : given;
}

function checkShape(operation: string, { shape }: Tensor, { shape: wanted }: SymbolicTensor): void {
  const fits =
    shape.length === wanted.length &&
    shape.every((d, axis) => axis === 0 || wanted[axis] === null || wanted[axis] === d);
  if (fits) return;
  const hint =
    shape.length === wanted.length - 1
      ? "The first axis counts samples: wrap a single sample in an array."
      : undefined;
  throw new UnreelError({
    operation,
    expected: `shape ${showShape([null, ...wanted.slice(1)])}`,
    got: showShape(shape),
    hint,
  });
}

function checkFinite(operation: string, { data, shape }: Tensor): void {
  if (data instanceof Int32Array) return;
  for (let i = 0; i < data.length; i++) {
    // NaN and both infinities are the only numbers whose difference with themselves is not zero.
    if (data[i] - data[i] === 0) continue;
    const hint = "Fill or drop missing values first; masking marks steps, it does not hide such numbers.";
    throw new UnreelError({
      operation,
      expected: "finite numbers",
      got: `${data[i]} at ${place(i, shape)}`,
      hint,
    });
  }
}

/** Refuses ids outside [0, limit), and fractions, naming the first. */
export function checkIds(operation: string, { data, shape }: Tensor, limit: number): void {
  for (let i = 0; i < data.length; i++) {
    const id = data[i];
    if (id >= 0 && id < limit && (data instanceof Int32Array || Math.floor(id) === id)) continue;
    const hint = "inputDim of the embedding must be larger than every id.";
    throw new UnreelError({
      operation,
      expected: `ids from 0 to ${limit - 1}`,
      got: `${id} at ${place(i, shape)}`,
      hint,
    });
  }
}

/** `[row][step]` of a flat position. */
function place(flat: number, shape: readonly number[]): string {
  let rest = flat;
  const indices = [...shape].reverse().map((d) => {
    const index = rest % d;
    rest = Math.floor(rest / d);
    return index;
  });
  return indices
    .reverse()
    .map((index) => `[${index}]`)
    .join("");
}

/** The targets of one or several outputs, each as its loss reads it: values like the output's, or class numbers. */
export function readTargets(
  operation: string,
  graph: Graph,
  losses: readonly Loss[],
  given: InputLike,
  samples: number,
): Tensor[] {
  const names = graph.outputs.map((output) => output.name);
  return spread(`${operation}: y`, given, names).map((values, index) => {
    const what = `${operation}: ${names.length === 1 ? "y" : `y '${names[index]}'`}`;
    const target = tensor(values as TensorLike);
    if (target.shape[0] !== samples) {
      throw new UnreelError({
        operation: what,
        expected: `${samples} samples, as in x`,
        got: `${target.shape[0] ?? "a number"}`,
      });
    }
    const { shape } = graph.outputs[index];
    return losses[index].sparse ? classNumbers(what, target, shape) : likeOutput(what, target, shape);
  });
}

function matches(given: readonly number[], wanted: Shape): boolean {
  return (
    given.length === wanted.length &&
    given.every((d, axis) => axis === 0 || wanted[axis] === null || wanted[axis] === d)
  );
}

function classNumbers(operation: string, target: Tensor, output: Shape): Tensor {
  const rows = output.slice(0, -1);
  const classes = output.at(-1)!;
  if (!matches(target.shape, rows) && !matches(target.shape, [...rows, 1])) {
    const hint = "For one-hot targets use 'categoricalCrossentropy'.";
    const got = showShape(target.shape);
    throw new UnreelError({ operation, expected: `class numbers of shape ${showShape(rows)}`, got, hint });
  }
  for (let i = 0; i < target.size; i++) {
    const label = target.data[i];
    if (label >= 0 && label < classes && Math.floor(label) === label) continue;
    const got = `${label} at ${place(i, target.shape)}`;
    const hint = `The output has ${classes} classes.`;
    throw new UnreelError({ operation, expected: `class numbers from 0 to ${classes - 1}`, got, hint });
  }
  return new Tensor(Int32Array.from(target.data), target.shape.slice(0, rows.length));
}

function likeOutput(operation: string, target: Tensor, output: Shape): Tensor {
  const expanded =
    output.at(-1) === 1 && target.shape.length === output.length - 1 ? [...target.shape, 1] : target.shape;
  if (!matches(expanded, output)) {
    const hint =
      target.shape.length === output.length - 1
        ? "For class numbers use 'sparseCategoricalCrossentropy'."
        : undefined;
    throw new UnreelError({
      operation,
      expected: `shape ${showShape(output)}`,
      got: showShape(target.shape),
      hint,
    });
  }
  const values = tensor(target, expanded, "float32");
  checkFinite(operation, values);
  return values;
}

export type ClassWeight = Readonly<Record<number, number>>;

/** Weights of samples [N] (or steps [N, T]) from the user's weights and those of classes; undefined when all count the same. */
export function readWeights(
  operation: string,
  { sampleWeight, classWeight }: { sampleWeight?: TensorLike; classWeight?: ClassWeight },
  target: Tensor,
  sparse: boolean,
  samples: number,
): Tensor | undefined {
  const given = sampleWeight === undefined ? undefined : tensor(sampleWeight, undefined, "float32");
  if (given) {
    // One weight a sample, or one for each of the first axes of what the loss counts: samples and steps.
    const rows = sparse ? target.shape : target.shape.slice(0, -1);
    const trailing = given.shape.length === 2 && given.shape[1] === 1;
    const isPrefix = given.shape.length <= rows.length && given.shape.every((d, axis) => d === rows[axis]);
    if (given.shape[0] !== samples || !(isPrefix || trailing)) {
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
  if (columns === 1) return (sample) => data[sample];
  return (sample) => {
    let best = 0;
    for (let i = 1; i < columns; i++)
      if (data[sample * columns + i] > data[sample * columns + best]) best = i;
    return best;
  };
}
