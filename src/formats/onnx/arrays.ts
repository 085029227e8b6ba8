// Arrays that are known while a graph is read: initializers, constants, and what operators make of them. A small NumPy.
import type { Complain } from "../complain.js";
import { countOf } from "../complain.js";
import { fromBrain, fromHalves, numbersOf } from "../numbers.js";
import type { TensorProto } from "./proto.js";

/** Whole numbers and truth values are kept as doubles: exact up to 2^53. */
export interface Known {
  readonly type: "float" | "int" | "bool";
  readonly shape: readonly number[];
  readonly data: Float32Array | Float64Array;
}

/** Numbers that a constant made while reading may have: a few bytes of a file must not ask for all memory. */
export const LARGEST_CONSTANT = 1 << 22;

export const TYPE_NAMES: Readonly<Record<number, string>> = {
  1: "float32",
  2: "uint8",
  3: "int8",
  4: "uint16",
  5: "int16",
  6: "int32",
  7: "int64",
  8: "string",
  9: "bool",
  10: "float16",
  11: "float64",
  12: "uint32",
  13: "uint64",
  14: "complex64",
  15: "complex128",
  16: "bfloat16",
};

/** What an element type is here; undefined for what is not read. */
export function typeOf(dataType: number): Known["type"] | undefined {
  if (dataType === 1 || dataType === 10 || dataType === 11 || dataType === 16) return "float";
  if (dataType === 9) return "bool";
  return (dataType >= 2 && dataType <= 7) || dataType === 12 || dataType === 13 ? "int" : undefined;
}

export const BYTES: Readonly<Record<number, number>> = {
  ...{ 1: 4, 2: 1, 3: 1, 4: 2, 5: 2, 6: 4, 7: 8, 9: 1, 10: 2, 11: 8, 12: 4, 13: 8, 16: 2 },
};

/** An array as a file holds it. */
export function readTensor(tensor: TensorProto, place: string, complain: Complain): Known {
  const { dims: shape, dataType, rawData } = tensor;
  const type = typeOf(dataType);
  if (type === undefined) complain(place, "numbers", `type ${TYPE_NAMES[dataType] ?? dataType}`);
  if (tensor.externalData.length > 0 || tensor.dataLocation !== 0) {
    const hint = "Save it as one file: onnx.save(model, path, save_as_external_data=False).";
    complain(place, "its data in the file, or an initializer's beside it", "external data", hint);
  }
  const count = countOf(shape);
  if (Number.isNaN(count)) complain(place, "a shape of sizes, 0 or more", `[${shape}]`);
  if (rawData) {
    const wanted = count * BYTES[dataType];
    if (rawData.length !== wanted)
      complain(place, `${wanted} bytes for shape [${shape}]`, `${rawData.length}`);
    return { type: type!, shape, data: rawNumbers(dataType, rawData) };
  }
  const { floatData, int32Data, int64Data, doubleData, uint64Data } = tensor;
  const values: ArrayLike<number> =
    dataType === 1
      ? floatData
      : dataType === 11
        ? doubleData
        : dataType === 7
          ? int64Data
          : dataType === 12 || dataType === 13
            ? uint64Data
            : int32Data;
  if (values.length !== count) complain(place, `${count} numbers for shape [${shape}]`, `${values.length}`);
  if (dataType === 10) return { type: "float", shape, data: fromHalves(Uint16Array.from(int32Data)) };
  if (dataType === 16) return { type: "float", shape, data: fromBrain(Uint16Array.from(int32Data)) };
  if (values instanceof Float32Array) return { type: "float", shape, data: values };
  const data = type === "float" ? Float32Array.from(values) : Float64Array.from(values);
  return { type: type!, shape, data };
}

function rawNumbers(dataType: number, bytes: Uint8Array): Float32Array | Float64Array {
  if (dataType === 1) return numbersOf(Float32Array, bytes);
  if (dataType === 10) return fromHalves(numbersOf(Uint16Array, bytes));
  if (dataType === 16) return fromBrain(numbersOf(Uint16Array, bytes));
  if (dataType === 11) return new Float32Array(numbersOf(Float64Array, bytes));
  if (dataType === 7 || dataType === 13) {
    const out = new Float64Array(bytes.length / 8);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let i = 0; i < out.length; i++) {
      const low = view.getUint32(8 * i, true);
      out[i] =
        low + 2 ** 32 * (dataType === 7 ? view.getInt32(8 * i + 4, true) : view.getUint32(8 * i + 4, true));
    }
    return out;
  }
  if (dataType === 6) return Float64Array.from(numbersOf(Int32Array, bytes));
  if (dataType === 12) return Float64Array.from(numbersOf(Int32Array, bytes), (n) => n >>> 0);
  if (dataType === 5) return Float64Array.from(numbersOf(Int16Array, bytes));
  if (dataType === 4) return Float64Array.from(numbersOf(Uint16Array, bytes));
  if (dataType === 3) return Float64Array.from(bytes, (n) => (n << 24) >> 24);
  return Float64Array.from(bytes);
}

export const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

const make = (type: Known["type"], length: number) =>
  type === "float" ? new Float32Array(length) : new Float64Array(length);

export function known(type: Known["type"], shape: readonly number[], values: ArrayLike<number>): Known {
  const data = make(type, values.length);
  data.set(values);
  return { type, shape, data };
}

const strides = (shape: readonly number[]): number[] => {
  const out = Array<number>(shape.length).fill(1);
  for (let axis = shape.length - 2; axis >= 0; axis--) out[axis] = out[axis + 1] * shape[axis + 1];
  return out;
};

/** An array whose place [i, j, …] is place `offset + i·steps[0] + j·steps[1] + …` of another. */
export function strided(x: Known, shape: readonly number[], steps: readonly number[], offset = 0): Known {
  const data = make(x.type, size(shape));
  const at = Array<number>(shape.length).fill(0);
  let from = offset;
  for (let i = 0; i < data.length; i++) {
    data[i] = x.data[from];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += steps[axis];
      if (++at[axis] < shape[axis]) break;
      from -= steps[axis] * shape[axis];
      at[axis] = 0;
    }
  }
  return { type: x.type, shape, data };
}

export function reshaped(x: Known, shape: readonly number[]): Known {
  return { ...x, shape };
}

export function transposed(x: Known, axes: readonly number[]): Known {
  if (axes.every((axis, k) => axis === k)) return x;
  const from = strides(x.shape);
  return strided(
    x,
    axes.map((axis) => x.shape[axis]),
    axes.map((axis) => from[axis]),
  );
}

export function sliced(
  x: Known,
  parts: readonly { axis: number; from: number; count: number; step: number }[],
): Known {
  const steps = strides(x.shape);
  const shape = [...x.shape];
  const moves = [...steps];
  let offset = 0;
  for (const { axis, from, count, step } of parts) {
    shape[axis] = count;
    offset += from * steps[axis];
    moves[axis] = step * steps[axis];
  }
  return strided(x, shape, moves, offset);
}

/** The same numbers in a larger shape of as many axes. */
export function broadcasted(x: Known, shape: readonly number[]): Known {
  const padded = [...Array<number>(shape.length - x.shape.length).fill(1), ...x.shape];
  if (padded.every((d, axis) => d === shape[axis])) return { ...x, shape };
  if (x.data.length === 1) return { type: x.type, shape, data: make(x.type, size(shape)).fill(x.data[0]) };
  const steps = strides(padded).map((step, axis) => (padded[axis] === 1 ? 0 : step));
  return strided(x, shape, steps);
}

export function jointShape(shapes: readonly (readonly number[])[]): number[] | undefined {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  const joint = Array.from({ length: rank }, (_, axis) => {
    const here = shapes.map((shape) => shape[axis - rank + shape.length] ?? 1).filter((d) => d !== 1);
    return here.every((d) => d === here[0]) ? (here[0] ?? 1) : Number.NaN;
  });
  return joint.some(Number.isNaN) ? undefined : joint;
}

export function mapped(x: Known, f: (value: number) => number, type = x.type): Known {
  const data = make(type, x.data.length);
  for (let i = 0; i < data.length; i++) data[i] = f(x.data[i]);
  return { type, shape: x.shape, data };
}

export function combined(
  a: Known,
  b: Known,
  shape: readonly number[],
  f: (a: number, b: number) => number,
  type = a.type,
): Known {
  const [x, y] = [broadcasted(a, shape), broadcasted(b, shape)];
  const data = make(type, size(shape));
  for (let i = 0; i < data.length; i++) data[i] = f(x.data[i], y.data[i]);
  return { type, shape, data };
}

export function concatenated(parts: readonly Known[], axis: number): Known {
  const [{ shape, type }] = parts;
  const outer = size(shape.slice(0, axis));
  const widths = parts.map((part) => size(part.shape.slice(axis)));
  const total = widths.reduce((a, b) => a + b, 0);
  const data = make(type, outer * total);
  let at = 0;
  for (const [k, part] of parts.entries()) {
    for (let o = 0; o < outer; o++)
      data.set(part.data.subarray(o * widths[k], (o + 1) * widths[k]), o * total + at);
    at += widths[k];
  }
  const joined = parts.reduce((sum, part) => sum + part.shape[axis], 0);
  return { type, shape: shape.with(axis, joined), data };
}

/** The sum or mean over axes, which stay with size one. */
export function reducedOver(x: Known, axes: readonly number[], f: (a: number, b: number) => number): Known {
  const shape = x.shape.map((d, axis) => (axes.includes(axis) ? 1 : d));
  const to = strides(shape).map((step, axis) => (axes.includes(axis) ? 0 : step));
  const data = make(x.type, size(shape));
  const seen = new Uint8Array(data.length);
  const at = Array<number>(x.shape.length).fill(0);
  let place = 0;
  for (let i = 0; i < x.data.length; i++) {
    data[place] = seen[place] ? f(data[place], x.data[i]) : x.data[i];
    seen[place] = 1;
    for (let axis = x.shape.length - 1; axis >= 0; axis--) {
      place += to[axis];
      if (++at[axis] < x.shape[axis]) break;
      place -= to[axis] * x.shape[axis];
      at[axis] = 0;
    }
  }
  return { type: x.type, shape, data };
}

/** The one number that stands everywhere, if there is one. */
export function uniform(x: Known): number | undefined {
  const [first] = x.data;
  return x.data.length > 0 && x.data.every((value) => value === first) ? first : undefined;
}
