// Batches: elements side by side, of one shape or filled up to one. Not here: what an element is (element.ts).
import { show, UnreelError } from "../errors.js";
import { Tensor } from "../tensor.js";
import { asTensors, isRecord, isTuple, named } from "./element.js";

/** Calls `join` with the values that stand at the same place of all elements, and puts what it gives there. */
function joinElements(
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

/** Integers stay integers when all are. */
function emptyLike(tensors: readonly Tensor[], size: number): Float32Array | Int32Array {
  return tensors.every(({ dtype }) => dtype === "int32") ? new Int32Array(size) : new Float32Array(size);
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((length, axis) => length === b[axis]);
}
