// Arrays as a model takes them: inputs and targets (weights: weights.ts), checked as a whole before anything runs.
import { show, UnreelError } from "../errors.js";
import type { TargetKind } from "../graph/training.js";
import type { Graph } from "../layers/graph.js";
import { type Shape, type SymbolicTensor, showShape } from "../layers/symbolic.js";
import { Tensor, type TensorLike, type TypedArray, tensor, tensorOf } from "../tensor.js";
import { classesHint, classHint, idHint, labelHint, shapeHint, targetHint } from "./hints.js";

export type InputLike = TensorLike | readonly TensorLike[] | Readonly<Record<string, TensorLike>>;

/** One array for each name: a single one, a list in order, or a record by name. */
export function byName(operation: string, given: unknown, names: readonly string[]): unknown[] {
  refuseMoving(operation, given);
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
      const found = Object.keys(record).join(", ");
      throw new UnreelError({
        operation,
        expected: names.length === 1 ? `an array, or { ${missing} }` : `entries ${names.join(", ")}`,
        got: names.length === 1 ? `an object with ${found || "nothing"}` : `no '${missing}'`,
        hint:
          names.length === 1
            ? "Columns side by side are one array: Dataset.fromCsv(…, { vector: true }) makes it of numbers. Texts need a map before they are batched."
            : `Found: ${found}.`,
      });
    }
    return names.map((name) => record[name]);
  }
  if (names.length === 1) return [given];
  if (Array.isArray(given) && given.length === names.length) return given;
  const got = Array.isArray(given) ? `${given.length}` : "one";
  throw new UnreelError({ operation, expected: `${names.length} arrays (${names.join(", ")})`, got });
}

/** Refuses what is to become an array later, or is read piece by piece. */
function refuseMoving(operation: string, given: unknown): void {
  const isObject = typeof given === "object" && given !== null && !Array.isArray(given);
  const isPromise = isObject && typeof (given as { then?: unknown }).then === "function";
  const isMoving =
    isObject && !ArrayBuffer.isView(given) && !(given instanceof Tensor) && Symbol.iterator in given;
  if (!isPromise && !isMoving) return;
  throw new UnreelError({
    operation,
    expected: "arrays",
    got: isPromise ? "a promise" : "next" in given ? "an iterator" : show(given),
    hint: isPromise
      ? "Write await before it."
      : "Array.from(it) makes an array; of batches, data.Dataset.fromGenerator(() => …) makes a dataset.",
  });
}

/** The inputs of a graph as tensors, with shapes and numbers checked. All have the same number of samples. */
export function readInputs(operation: string, graph: Graph, given: InputLike): Tensor[] {
  const names = graph.inputs.map((input) => input.name);
  const tensors = byName(`${operation}: x`, given, names).map((values, index) => {
    const input = graph.inputs[index];
    const what = `${operation}: ${names.length === 1 ? "x" : `x '${names[index]}'`}`;
    const read = withFeatureAxis(tensorOf(what, values), input.shape);
    const inside = oneElement(values, names);
    const given =
      inside && !matches(read.shape, input.shape) ? withFeatureAxis(tensor(inside), input.shape) : read;
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

/** The array in a list of one, where one array is wanted: `fit([x], [y])`. */
function oneElement(given: unknown, names: readonly string[]): Tensor | TypedArray | undefined {
  if (names.length !== 1 || !Array.isArray(given) || given.length !== 1) return undefined;
  const [inside] = given;
  return inside instanceof Tensor || ArrayBuffer.isView(inside) ? (inside as Tensor | TypedArray) : undefined;
}

/** [N] reads as [N, 1], as in Keras. */
function withFeatureAxis(given: Tensor, shape: Shape): Tensor {
  return given.shape.length === 1 && shape.length === 2 && (shape[1] === 1 || shape[1] === null)
    ? new Tensor(given.data, [given.shape[0], 1])
    : given;
}

function checkShape(operation: string, { shape }: Tensor, { shape: wanted, dtype }: SymbolicTensor): void {
  const isIds = dtype === "int32";
  const fits =
    shape.length === wanted.length &&
    shape.every((d, axis) => axis === 0 || wanted[axis] === null || wanted[axis] === d);
  if (fits) return;
  throw new UnreelError({
    operation,
    expected: `shape ${showShape([null, ...wanted.slice(1)])}`,
    got: showShape(shape),
    hint: shapeHint(shape, wanted, isIds),
  });
}

export function checkFinite(operation: string, { data, shape }: Tensor): void {
  if (data instanceof Int32Array || areFinite(data)) return;
  const i = data.findIndex((value) => !Number.isFinite(value));
  const hint = "Fill or drop missing values first; masking marks steps, it does not hide such numbers.";
  throw new UnreelError({
    operation,
    expected: "finite numbers",
    got: `${data[i]} at ${place(i, shape)}`,
    hint,
  });
}

/** 0 · x is NaN for NaN and both infinities only: four sums at once, without a branch. */
function areFinite(data: Float32Array): boolean {
  let [a, b, c, d] = [0, 0, 0, 0];
  const whole = data.length & -4;
  for (let i = 0; i < whole; i += 4) {
    a += data[i] * 0;
    b += data[i + 1] * 0;
    c += data[i + 2] * 0;
    d += data[i + 3] * 0;
  }
  for (let i = whole; i < data.length; i++) a += data[i] * 0;
  return a + b + c + d === 0;
}

/** Refuses ids outside [0, limit), and fractions, naming the first. */
export function checkIds(operation: string, { data, shape }: Tensor, limit: number): void {
  for (let i = 0; i < data.length; i++) {
    const id = data[i];
    if (id >= 0 && id < limit && (data instanceof Int32Array || Math.floor(id) === id)) continue;
    throw new UnreelError({
      operation,
      expected: `ids from 0 to ${limit - 1}`,
      got: `${id} at ${place(i, shape)}`,
      hint: idHint(id),
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

/** The targets of one or several outputs, each as it is read: values like the output's, class numbers, or not at all. */
export function readTargets(
  operation: string,
  graph: Graph,
  kinds: readonly (TargetKind | undefined)[],
  given: InputLike,
  samples: number,
): (Tensor | undefined)[] {
  const names = graph.outputs.map((output) => output.name);
  // Targets that nobody asks for may be left out.
  const wanted = names.filter((_, index) => kinds[index] !== undefined);
  const isWhole = Array.isArray(given) && given.length === names.length && names.length > 1;
  const list = byName(`${operation}: y`, given, isWhole ? names : wanted);
  return names.map((name, index) => {
    const kind = kinds[index];
    if (kind === undefined) return undefined;
    const what = `${operation}: ${names.length === 1 ? "y" : `y '${name}'`}`;
    const values = list[isWhole ? index : wanted.indexOf(name)];
    if (values === undefined || values === null) {
      throw new UnreelError({ operation: what, expected: "an array", got: show(values) });
    }
    const inside = oneElement(values, wanted);
    const { shape } = graph.outputs[index];
    const target = tensorOf(
      what,
      inside && countOf(inside) === samples && (samples > 1 || inside instanceof Tensor) ? inside : values,
      (value) => labelHint(value, kind, shape.at(-1)),
    );
    if (target.shape[0] !== samples) {
      throw new UnreelError({
        operation: what,
        expected: `${samples} samples, as in x`,
        got: `${target.shape[0] ?? "a number"}`,
      });
    }
    return kind === "classes" ? classNumbers(what, target, shape) : likeOutput(what, target, shape);
  });
}

const countOf = (array: Tensor | TypedArray) => (array instanceof Tensor ? array.shape[0] : array.length);

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
    throw new UnreelError({
      operation,
      expected: `class numbers of shape ${showShape(rows)}`,
      got: showShape(target.shape),
      hint: classesHint(target, output),
    });
  }
  for (let i = 0; i < target.size; i++) {
    const label = target.data[i];
    if (label >= 0 && label < classes && Math.floor(label) === label) continue;
    const got = `${label} at ${place(i, target.shape)}`;
    const hint = classHint(label, classes);
    throw new UnreelError({ operation, expected: `class numbers from 0 to ${classes - 1}`, got, hint });
  }
  return new Tensor(Int32Array.from(target.data), target.shape.slice(0, rows.length));
}

function likeOutput(operation: string, target: Tensor, output: Shape): Tensor {
  const expanded =
    output.at(-1) === 1 && target.shape.length === output.length - 1 ? [...target.shape, 1] : target.shape;
  if (!matches(expanded, output)) {
    throw new UnreelError({
      operation,
      expected: `shape ${showShape(output)}, as the output's`,
      got: showShape(target.shape),
      hint: targetHint(target, output),
    });
  }
  const values = tensor(target, expanded, "float32");
  checkFinite(operation, values);
  return values;
}
