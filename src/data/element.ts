// Elements of a dataset: values (numbers, texts, tensors), or tuples and records of values, such as [x, y] and { x, y }.
// Here they are cut out of whole arrays, and put side by side to batches. Not here: the stream of them (dataset.ts).
import { show, UnreelError } from "../errors.js";
import { type NestedNumbers, Tensor, type TensorLike, type TypedArray, tensor } from "../tensor.js";

/** What becomes of a value in a batch. */
type StackedValue<V> = V extends string
  ? string[]
  : V extends readonly string[]
    ? V[]
    : V extends Tensor | TypedArray | NestedNumbers | boolean
      ? Tensor
      : V extends object
        ? { -readonly [K in keyof V]: StackedValue<V[K]> }
        : unknown;

/** What becomes of an element in a batch: numbers and tensors are stacked to tensors with one axis more, texts become lists. */
export type Batch<T> = T extends readonly number[]
  ? Tensor
  : T extends readonly unknown[]
    ? { -readonly [K in keyof T]: StackedValue<T[K]> }
    : StackedValue<T>;

/** What one element has of an array. */
type ItemOf<V> = V extends Tensor | TypedArray
  ? Tensor
  : V extends readonly (infer I)[]
    ? I extends string
      ? string
      : Tensor
    : V extends object
      ? { -readonly [K in keyof V]: ItemOf<V[K]> }
      : never;

/** The elements of whole arrays. */
export type ElementOf<S> = S extends Tensor | TypedArray | readonly (number | string)[]
  ? ItemOf<S>
  : S extends readonly unknown[]
    ? { -readonly [K in keyof S]: ItemOf<S[K]> }
    : ItemOf<S>;

const isRow = (value: unknown): value is TypedArray =>
  ArrayBuffer.isView(value) && !(value instanceof DataView);

/** A record of values: no array, no tensor. */
function isRecord(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    !isRow(value) &&
    !(value instanceof Tensor)
  );
}

/**
 * Arrays are ambiguous, so there is a rule. An element that is an array of numbers is a vector, any other array is a tuple; inside
 * of either, arrays of numbers and of texts are values, and those that hold a tensor or a typed array are tuples again.
 */
export function isTuple(value: unknown, isElement: boolean): value is unknown[] {
  if (!Array.isArray(value)) return false;
  if (isElement) return value.some((item) => typeof item !== "number");
  return value.some((item) => item instanceof Tensor || isRow(item) || isRecord(item));
}

/** Calls `join` with the values that stand at the same place of all elements, and puts what it gives there. */
export function joinElements(
  operation: string,
  elements: readonly unknown[],
  join: (values: readonly unknown[], place: readonly (string | number)[]) => unknown,
): unknown {
  const walk = (values: readonly unknown[], place: readonly (string | number)[]): unknown => {
    const [first] = values;
    const isElement = place.length === 0;
    if (isTuple(first, isElement)) {
      const wrong = values.findIndex((value) => !isTuple(value, isElement) || value.length !== first.length);
      if (wrong >= 0) throw unlike(operation, place, `a list of ${first.length}`, values[wrong], wrong);
      return first.map((_, i) =>
        walk(
          values.map((value) => (value as unknown[])[i]),
          [...place, i],
        ),
      );
    }
    if (isRecord(first)) {
      const keys = Object.keys(first);
      const fits = (value: unknown) =>
        isRecord(value) && Object.keys(value).length === keys.length && keys.every((key) => key in value);
      const wrong = values.findIndex((value) => !fits(value));
      if (wrong >= 0) throw unlike(operation, place, `entries ${keys.join(", ")}`, values[wrong], wrong);
      return Object.fromEntries(
        keys.map((key) => [
          key,
          walk(
            values.map((value) => (value as Record<string, unknown>)[key]),
            [...place, key],
          ),
        ]),
      );
    }
    return join(values, place);
  };
  return walk(elements, []);
}

function unlike(
  operation: string,
  place: readonly (string | number)[],
  expected: string,
  value: unknown,
  index: number,
): UnreelError {
  const got = isRecord(value) ? `entries ${Object.keys(value).join(", ")}` : show(value);
  return new UnreelError({
    operation: `${operation}${named(place)}`,
    expected: `${expected}, as in the first element of the batch`,
    got: `${got} in element ${index}`,
  });
}

/** `: x.ids`, `: [1]`. */
export function named(place: readonly (string | number)[]): string {
  const path = place.map((part) => (typeof part === "number" ? `[${part}]` : `.${part}`)).join("");
  return path === "" ? "" : `: ${path.replace(/^\./, "")}`;
}

/** Elements side by side: tensors with one axis more, lists of texts. */
export function stack(operation: string, elements: readonly unknown[]): unknown {
  return joinElements(operation, elements, (values, place) => {
    const plain = plainly(values);
    if (plain) return plain;
    const what = `${operation}${named(place)}`;
    const texts = asTexts(what, values);
    if (texts) return texts;
    const tensors = asTensors(what, values);
    const [{ shape }] = tensors;
    const wrong = tensors.findIndex((each) => !sameShape(each.shape, shape));
    if (wrong >= 0) {
      throw new UnreelError({
        operation: what,
        expected: `shape [${shape}], as in the first element of the batch`,
        got: `[${tensors[wrong].shape}] in element ${wrong}`,
        hint: "paddedBatch and bucketByLength take elements of different lengths.",
      });
    }
    const { size } = tensors[0];
    const out = emptyLike(tensors, size * tensors.length);
    tensors.forEach(({ data }, i) => {
      out.set(data, i * size);
    });
    return new Tensor(out, [tensors.length, ...shape]);
  });
}

/** What most batches are made of, without a tensor for each: numbers, or rows of floats of one length. */
function plainly(values: readonly unknown[]): Tensor | undefined {
  if (values.every((value) => typeof value === "number"))
    return new Tensor(Float32Array.from(values), [values.length]);
  const [first] = values;
  if (!(first instanceof Float32Array)) return undefined;
  const width = first.length;
  if (!values.every((value) => value instanceof Float32Array && value.length === width)) return undefined;
  const out = new Float32Array(values.length * width);
  for (let i = 0; i < values.length; i++) out.set(values[i] as Float32Array, i * width);
  return new Tensor(out, [values.length, width]);
}

export interface Padding {
  /** Shape of an element, null for an axis that is as long as the longest of the batch; for tuples and records one for each place. */
  readonly paddedShapes?: unknown;
  /** A number, or for tuples and records one for each place. Default 0. */
  readonly paddingValues?: unknown;
  /** How long the first axis of x becomes, and whatever axis has null in `paddedShapes`. */
  readonly boundary?: number;
}

/** Elements side by side, each filled up at its end. */
export function stackPadded(operation: string, elements: readonly unknown[], padding: Padding): unknown {
  return joinElements(operation, elements, (values, place) => {
    const what = `${operation}${named(place)}`;
    const texts = asTexts(what, values);
    if (texts) return texts;
    const tensors = asTensors(what, values);
    const rank = tensors[0].shape.length;
    const wrong = tensors.findIndex(({ shape }) => shape.length !== rank);
    if (wrong >= 0) {
      const got = `[${tensors[wrong].shape}] in element ${wrong}`;
      throw new UnreelError({ operation: what, expected: `${rank} axes, as in the first element`, got });
    }
    const wanted = shapeAt(operation, padding.paddedShapes, place, rank);
    const shape = Array.from({ length: rank }, (_, axis) => {
      const longest = tensors.reduce((most, each) => Math.max(most, each.shape[axis]), 0);
      const open = wanted ? padding.boundary : axis === 0 && isInput(place) ? padding.boundary : undefined;
      const fixed = wanted?.[axis] ?? open ?? null;
      if (fixed === null || longest <= fixed) return fixed ?? longest;
      const index = tensors.findIndex((each) => each.shape[axis] === longest);
      const got = `[${tensors[index].shape}] in element ${index}`;
      throw new UnreelError({ operation: what, expected: `at most ${fixed} along axis ${axis}`, got });
    });
    const size = shape.reduce((product, length) => product * length, 1);
    const out = emptyLike(tensors, size * tensors.length);
    const value = valueAt(operation, padding.paddingValues, place, out instanceof Int32Array);
    if (value !== 0) out.fill(value);
    tensors.forEach((each, i) => {
      copyInto(out, i * size, shape, each);
    });
    return new Tensor(out, [tensors.length, ...shape]);
  });
}

/** The element itself, the first of a tuple, or x, and what is inside of them. */
function isInput(place: readonly (string | number)[]): boolean {
  return place.length === 0 || place[0] === 0 || place[0] === "x";
}

function copyInto(
  out: Float32Array | Int32Array,
  at: number,
  shape: readonly number[],
  { data, shape: own }: Tensor,
): void {
  const walk = (axis: number, to: number, from: number, size: number, ownSize: number): void => {
    if (axis >= own.length - 1) {
      out.set(data.subarray(from, from + ownSize), to);
      return;
    }
    for (let i = 0; i < own[axis]; i++) {
      const [inner, ownInner] = [size / shape[axis], ownSize / own[axis]];
      walk(axis + 1, to + i * inner, from + i * ownInner, inner, ownInner);
    }
  };
  const size = shape.reduce((product, length) => product * length, 1);
  if (data.length > 0) walk(0, at, 0, size, data.length);
}

/** What an option says for a place: one for all, or a tuple or record that is built like the elements. */
function at(
  option: unknown,
  place: readonly (string | number)[],
  isValue: (option: unknown) => boolean,
): unknown {
  let value = option;
  for (const part of place) {
    if (value === undefined || value === null || isValue(value)) return value;
    value = (value as Record<string | number, unknown>)[part];
  }
  return value;
}

function shapeAt(
  operation: string,
  option: unknown,
  place: readonly (string | number)[],
  rank: number,
): readonly (number | null)[] | undefined {
  const isLength = (length: unknown) =>
    length === null || (typeof length === "number" && Number.isSafeInteger(length) && length >= 0);
  const isShape = (value: unknown) => Array.isArray(value) && value.every(isLength);
  const shape = at(option, place, (value) => isShape(value) && (value as unknown[]).length > 0);
  if (shape === undefined || shape === null) return undefined;
  if (isShape(shape) && (shape as unknown[]).length === rank) return shape as (number | null)[];
  const expected = `${rank} lengths or nulls`;
  throw new UnreelError({
    operation: `${operation}: paddedShapes${named(place)}`,
    expected,
    got: show(shape),
  });
}

function valueAt(
  operation: string,
  option: unknown,
  place: readonly (string | number)[],
  isInteger: boolean,
): number {
  const value = at(option, place, (each) => typeof each === "number") ?? 0;
  if (typeof value === "number" && !Number.isNaN(value) && (!isInteger || value === (value | 0)))
    return value;
  const expected = isInteger ? "an integer, as the values are" : "a number";
  throw new UnreelError({
    operation: `${operation}: paddingValues${named(place)}`,
    expected,
    got: show(value),
  });
}

/** Texts, or lists of texts, which no tensor holds: a list of them. Undefined for numbers. */
function asTexts(operation: string, values: readonly unknown[]): unknown[] | undefined {
  const isText = (value: unknown) =>
    typeof value === "string" ||
    (Array.isArray(value) && value.length > 0 && value.every((v) => typeof v === "string"));
  if (!isText(values[0])) return undefined;
  const isEmpty = (value: unknown) => Array.isArray(value) && value.length === 0;
  const wrong = values.findIndex((value) => !isText(value) && !(Array.isArray(values[0]) && isEmpty(value)));
  if (wrong < 0) return [...values];
  const got = `${show(values[wrong])} in element ${wrong}`;
  throw new UnreelError({ operation, expected: "a text, as in the first element", got });
}

function asTensors(operation: string, values: readonly unknown[]): Tensor[] {
  return values.map((value, i) => {
    try {
      return tensor(value as TensorLike);
    } catch (error) {
      if (!(error instanceof UnreelError)) throw error;
      const { expected, got, hint } = error;
      throw new UnreelError({ operation, expected, got: `${got} in element ${i}`, hint });
    }
  });
}

/** Integers stay integers when all are. */
function emptyLike(tensors: readonly Tensor[], size: number): Float32Array | Int32Array {
  return tensors.every(({ dtype }) => dtype === "int32") ? new Int32Array(size) : new Float32Array(size);
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((length, axis) => length === b[axis]);
}

/** The items of whole arrays along their first axis: how many there are, and one of them at a time. */
export function slices(operation: string, source: unknown): { size: number; item: (i: number) => unknown } {
  const parts: { place: (string | number)[]; size: number }[] = [];
  const reader = (value: unknown, place: (string | number)[]): ((i: number) => unknown) => {
    const isWhole = place.length === 0;
    if (isRecord(value)) {
      const readers = Object.entries(value).map(
        ([key, part]) => [key, reader(part, [...place, key])] as const,
      );
      return (i) => Object.fromEntries(readers.map(([key, read]) => [key, read(i)]));
    }
    if (
      isWhole &&
      Array.isArray(value) &&
      value.some((item) => typeof item !== "number" && typeof item !== "string")
    ) {
      const readers = value.map((part, i) => reader(part, [i]));
      return (i) => readers.map((read) => read(i));
    }
    const { size, item } = sliced(`${operation}${named(place)}`, value);
    parts.push({ place, size });
    return item;
  };
  const item = reader(source, []);
  if (parts.length === 0)
    throw new UnreelError({ operation, expected: "at least one array", got: show(source) });
  const [first] = parts;
  const other = parts.find(({ size }) => size !== first.size);
  if (other) {
    throw new UnreelError({
      operation: `${operation}${named(other.place)}`,
      expected: `${first.size} items, as in the first array`,
      got: `${other.size}`,
      hint: "An array of arrays is a tuple, such as [x, y]; a single one is given as tensor(values) or { x: values }.",
    });
  }
  return { size: first.size, item };
}

function sliced(operation: string, value: unknown): { size: number; item: (i: number) => unknown } {
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) {
    return { size: value.length, item: (i) => value[i] };
  }
  if (Array.isArray(value) && value.some((item) => typeof item !== "number")) {
    // Rows may have different lengths.
    const rows = asTensors(operation, value);
    return { size: rows.length, item: (i) => rows[i] };
  }
  if (!Array.isArray(value) && !isRow(value) && !(value instanceof Tensor)) {
    throw new UnreelError({ operation, expected: "an array or a tensor", got: show(value) });
  }
  const whole = tensor(value);
  if (whole.shape.length === 0) {
    throw new UnreelError({ operation, expected: "an axis of items", got: "a number" });
  }
  const [size, ...shape] = whole.shape;
  const step = size === 0 ? 0 : whole.size / size;
  return { size, item: (i) => new Tensor(whole.data.subarray(i * step, (i + 1) * step), shape) };
}

/** How long an element is: the first axis of its x, of the first of a tuple, or of itself. */
export function lengthOf(element: unknown): number {
  const value = isTuple(element, true)
    ? element[0]
    : isRecord(element) && "x" in element
      ? element.x
      : element;
  if (value instanceof Tensor && value.shape.length > 0) return value.shape[0];
  if (Array.isArray(value) || isRow(value) || typeof value === "string") return value.length;
  throw new UnreelError({
    operation: "Dataset.bucketByLength",
    expected: "elements, or their x, with a length",
    got: show(value),
    hint: "Give lengthOf, a function from an element to its length.",
  });
}
