// Elements of a dataset: values (numbers, texts, tensors), or tuples and records of values, such as [x, y] and { x, y }.
// Here they are told apart, and cut out of whole arrays. Not here: batches of them (stack.ts), the stream of them (dataset.ts).
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
export function isRecord(value: unknown): value is Record<string, unknown> {
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

/** `: x.ids`, `: [1]`. */
export function named(place: readonly (string | number)[]): string {
  const path = place.map((part) => (typeof part === "number" ? `[${part}]` : `.${part}`)).join("");
  return path === "" ? "" : `: ${path.replace(/^\./, "")}`;
}

export function asTensors(operation: string, values: readonly unknown[]): Tensor[] {
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
