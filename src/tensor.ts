// Tensors: plain values with a shape. They hold no engine memory and are garbage-collected like any array.
// Not here: arithmetic. Numbers are made by programs (program/), never by tensors.
import { isPlain, show, UnreelError } from "./errors.js";

export type DType = "float32" | "int32";
export type NestedNumbers = number | readonly NestedNumbers[];
/** Nested arrays of a rank that is known: `number[][]` of 2. */
export type NestedOfRank<R extends number> = R extends 0
  ? number
  : R extends 1
    ? number[]
    : R extends 2
      ? number[][]
      : R extends 3
        ? number[][][]
        : R extends 4
          ? number[][][][]
          : NestedNumbers;
export type TypedArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array;
/** Accepted wherever a tensor is: a tensor, nested arrays, or a typed array (rank 1). */
export type TensorLike = Tensor | NestedNumbers | TypedArray;

/** Dense, row-major, immutable in shape. `data.length` is the product of `shape`. */
export class Tensor {
  readonly data: Float32Array | Int32Array;
  readonly shape: readonly number[];
  readonly dtype: DType;

  constructor(data: Float32Array | Int32Array, shape: readonly number[]) {
    if (!Array.isArray(shape) || !(data instanceof Float32Array || data instanceof Int32Array)) {
      const expected = "a Float32Array or an Int32Array, and a list of sizes";
      throw new UnreelError({ operation: "tensor", expected, got: show([data, shape]) });
    }
    const size = shape.reduce((product, dimension) => product * dimension, 1);
    if (size !== data.length || shape.some((d) => !Number.isSafeInteger(d) || d < 0)) {
      throw new UnreelError({
        operation: "tensor",
        expected: `${size} values for shape [${shape}]`,
        got: `${data.length} values`,
        hint: "The product of the shape must equal the number of values.",
      });
    }
    this.data = data;
    this.shape = Object.freeze([...shape]);
    this.dtype = data instanceof Int32Array ? "int32" : "float32";
  }

  get size(): number {
    return this.data.length;
  }

  /** Nested arrays of the tensor's shape; a number for a scalar. With a rank TypeScript knows them too, `toArray(2)[0][1]` is a number;
   * a tensor of another rank is refused. */
  toArray(): NestedNumbers;
  toArray<R extends number>(rank: R): NestedOfRank<R>;
  toArray(rank = this.shape.length): NestedNumbers {
    if (rank !== this.shape.length) {
      throw new UnreelError({
        operation: "toArray",
        expected: `a tensor of rank ${show(rank)}`,
        got: `shape [${this.shape}]`,
        hint: `Write toArray(${this.shape.length}), or toArray() for any rank.`,
      });
    }
    const nest = (axis: number, offset: number, stride: number): NestedNumbers => {
      if (axis === this.shape.length) return this.data[offset];
      const inner = this.shape[axis] === 0 ? 0 : stride / this.shape[axis];
      return Array.from({ length: this.shape[axis] }, (_, i) => nest(axis + 1, offset + i * inner, inner));
    };
    return nest(0, 0, this.size);
  }

  toString(): string {
    const values = Array.from(this.data.subarray(0, 6), (v) => Number(v.toPrecision(6))).join(", ");
    return `Tensor(${this.dtype}, [${this.shape.join(", ")}]) ${values}${this.size > 6 ? ", …" : ""}`;
  }
}

/** A tensor from nested arrays, a typed array or a number. `shape` reshapes flat values; `dtype` defaults to that of the
 * typed array, or float32. Ragged arrays, non-numbers and fractions in an int32 tensor are refused. */
export function tensor(values: TensorLike, shape?: readonly number[], dtype?: DType): Tensor {
  if (values instanceof Tensor) {
    if (!shape && (!dtype || dtype === values.dtype)) return values;
    return new Tensor(convert(values.data, dtype ?? values.dtype), shape ?? values.shape);
  }
  if (isTypedArray(values)) return new Tensor(convert(values, dtype), shape ?? [values.length]);
  const flat: number[] = [];
  const found = shapeOf(values, flat);
  return new Tensor(convert(flat, dtype ?? "float32"), shape ?? found);
}

/** The same of an argument, whose name is told when it is refused. `hint` knows more of what is no number there. */
export function tensorOf(
  operation: string,
  values: unknown,
  hint?: (value: unknown) => string | undefined,
): Tensor {
  if (values instanceof Tensor) return values;
  if (isTypedArray(values)) return new Tensor(convert(values), [values.length]);
  const flat: number[] = [];
  const shape = shapeOf(values, flat, [], { operation, hint });
  return new Tensor(convert(flat, "float32"), shape);
}

/** Tensors by name. */
export function tensorsOf(operation: string, given: unknown): [string, Tensor][] {
  if (!isPlain(given))
    throw new UnreelError({ operation, expected: "an object of arrays by name", got: show(given) });
  return Object.entries(given).map(([name, values]) => [name, tensorOf(`${operation}: ${name}`, values)]);
}

/** Of numbers: no DataView, no bigints. */
function isTypedArray(value: unknown): value is TypedArray {
  const isBig = value instanceof BigInt64Array || value instanceof BigUint64Array;
  return ArrayBuffer.isView(value) && !(value instanceof DataView) && !isBig;
}

/** What can be done about something that is no number. */
function numberHint(value: unknown): string | undefined {
  if (typeof value === "string") {
    return value.trim() !== "" && Number.isFinite(Number(value))
      ? "A number written as text: Number(text) reads it."
      : "Texts become numbers first: sentences with text.TextVectorization, single words with data.StringLookup.";
  }
  if (value === null || value === undefined) return "Fill or drop missing values first.";
  if (typeof value === "bigint") return "Number(value) makes a number of it.";
  if (typeof value === "function") {
    return "Is it to be called? Of a function that makes batches, data.Dataset.fromGenerator makes a dataset.";
  }
  if (typeof value !== "object") return undefined;
  if (value instanceof ArrayBuffer) return "new Float32Array(buffer) reads it as numbers.";
  if (value instanceof BigInt64Array || value instanceof BigUint64Array) {
    return "Int32Array.from(values, Number) makes numbers of them.";
  }
  if (typeof (value as { then?: unknown }).then === "function")
    return "It is a promise: write await before it.";
  if (Symbol.iterator in value) return "Array.from(values) makes an array of it.";
  if (Symbol.asyncIterator in value) return "A dataset stands alone: fit(dataset, { … }).";
  return Object.getPrototypeOf(value) === Object.prototype
    ? "Object.values(record) makes an array of its values."
    : undefined;
}

function convert(values: TypedArray | number[], dtype?: DType): Float32Array | Int32Array {
  const isFloat = values instanceof Float32Array || values instanceof Float64Array || Array.isArray(values);
  const wanted = dtype ?? (isFloat ? "float32" : "int32");
  if (wanted !== "float32" && wanted !== "int32") {
    const expected = "'float32' or 'int32'";
    throw new UnreelError({ operation: "tensor: dtype", expected, got: show(wanted) });
  }
  if (wanted === "float32") return values instanceof Float32Array ? values : Float32Array.from(values);
  if (values instanceof Int32Array) return values;
  const out = new Int32Array(values.length);
  for (let i = 0; i < out.length; i++) {
    out[i] = values[i];
    if (out[i] !== values[i]) {
      throw new UnreelError({
        operation: "tensor",
        expected: "32-bit integers for dtype int32",
        got: `${values[i]} at flat position ${i}`,
        hint: "Use dtype 'float32' for fractions.",
      });
    }
  }
  return out;
}

/** As many as NumPy's arrays have. */
export const MOST_AXES = 64;

/** Refuses nested arrays without an end: a list that holds itself. */
export function requireEnd(operation: string, { length }: readonly number[]): void {
  if (length <= MOST_AXES) return;
  throw new UnreelError({ operation, expected: `at most ${MOST_AXES} axes`, got: "more" });
}

/** Walks nested arrays, appends their numbers to `flat` and returns their shape. */
function shapeOf(
  values: unknown,
  flat: number[],
  path: number[] = [],
  argument: { operation: string; hint?: (value: unknown) => string | undefined } = { operation: "tensor" },
): number[] {
  const { operation } = argument;
  const place = () => (path.length ? ` at [${path.join("][")}]` : "");
  if (typeof values === "number" || typeof values === "boolean") {
    flat.push(Number(values));
    return [];
  }
  if (values instanceof Tensor) {
    for (let i = 0; i < values.size; i++) flat.push(values.data[i]);
    return [...values.shape];
  }
  requireEnd(operation, path);
  const isRow = isTypedArray(values);
  if (!isRow && !Array.isArray(values)) {
    const hint = argument.hint?.(values) ?? numberHint(values);
    throw new UnreelError({ operation, expected: "numbers", got: `${show(values)}${place()}`, hint });
  }
  const row = values as unknown[];
  if (isRow || row.every((value) => typeof value === "number")) {
    for (let i = 0; i < row.length; i++) flat.push(row[i] as number);
    return [row.length];
  }
  let first: number[] | undefined;
  for (let i = 0; i < row.length; i++) {
    path.push(i);
    const shape = shapeOf(row[i], flat, path, argument);
    if (first && (shape.length !== first.length || shape.some((d, axis) => d !== first![axis]))) {
      throw new UnreelError({
        operation,
        expected: `rows of one shape, [${first}] like the first`,
        got: `[${shape}]${place()} (a ragged array)`,
        hint: "Pad sequences of different lengths with sequence.padSequences.",
      });
    }
    first ??= shape;
    path.pop();
  }
  return [row.length, ...(first ?? [])];
}
