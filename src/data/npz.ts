// NumPy's files, read: .npz, a zip of arrays, and .npy, one array. Numbers, and lists of integers (pickle.ts); nothing is executed.
// Not here: writing them (npyBytes.ts).
import { show, UnreelError } from "../errors.js";
import { Tensor } from "../tensor.js";
import { readZip } from "../zip.js";
import { unpickleLists } from "./pickle.js";

/** Numbers as a tensor; lists of integers, an array of type object, one array each. */
export type NpyArray = Tensor | Int32Array[];

/** Bytes that the arrays of an .npz file may take unless its reader says otherwise: one that holds mostly zeros is a thousandth as long. */
export const MOST_ARRAY_BYTES = 2 ** 30;

/** The arrays of an .npz file by name. */
export async function readNpz(
  operation: string,
  file: string,
  bytes: Uint8Array,
  names: readonly string[],
): Promise<NpyArray[]> {
  const hint = "data.readNpz(path, { maxBytes }) reads arrays of any size.";
  const members = await readZip(
    `${operation}: ${file}`,
    bytes,
    (name) => names.includes(name.replace(/\.npy$/, "")),
    { bytes: MOST_ARRAY_BYTES, hint },
  );
  return names.map((name) => {
    const member = members.get(`${name}.npy`);
    if (member) return readNpy(operation, `${file}, ${name}.npy`, member);
    throw new UnreelError({ operation, expected: `${file}: an array '${name}'`, got: "none" });
  });
}

type Reader = (view: DataView, at: number) => number | bigint;

/** NumPy's types, little-endian: bytes of a value and how it is read. */
const NUMBERS: Record<string, { size: number; isFloat: boolean; read: Reader }> = {
  b1: { size: 1, isFloat: false, read: (view, at) => view.getUint8(at) },
  i1: { size: 1, isFloat: false, read: (view, at) => view.getInt8(at) },
  u1: { size: 1, isFloat: false, read: (view, at) => view.getUint8(at) },
  i2: { size: 2, isFloat: false, read: (view, at) => view.getInt16(at, true) },
  u2: { size: 2, isFloat: false, read: (view, at) => view.getUint16(at, true) },
  i4: { size: 4, isFloat: false, read: (view, at) => view.getInt32(at, true) },
  u4: { size: 4, isFloat: false, read: (view, at) => view.getUint32(at, true) },
  i8: { size: 8, isFloat: false, read: (view, at) => view.getBigInt64(at, true) },
  u8: { size: 8, isFloat: false, read: (view, at) => view.getBigUint64(at, true) },
  f4: { size: 4, isFloat: true, read: (view, at) => view.getFloat32(at, true) },
  f8: { size: 8, isFloat: true, read: (view, at) => view.getFloat64(at, true) },
};

/** https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html */
export function readNpy(operation: string, file: string, bytes: Uint8Array): NpyArray {
  const refuse = (expected: string, got: string): never => {
    throw new UnreelError({ operation, expected: `${file}: ${expected}`, got });
  };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const magic = String.fromCharCode(...bytes.subarray(0, 6));
  if (magic !== "\x93NUMPY" || bytes.length < 12) refuse("a NumPy array", `bytes that begin ${show(magic)}`);
  const version = bytes[6];
  if (version < 1 || version > 3) refuse("format version 1, 2 or 3", String(version));
  const begin = version === 1 ? 10 : 12;
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  const start = begin + length;
  if (start > bytes.length) refuse("a whole header", `${bytes.length} bytes`);
  const header = new TextDecoder().decode(bytes.subarray(begin, start));
  const type = /'descr':\s*'([<>|=])([a-zA-Z]\d*)'/.exec(header);
  const dimensions = /'shape':\s*\(([\d,\s]*)\)/.exec(header);
  const order = /'fortran_order':\s*(True|False)/.exec(header);
  if (!type || !dimensions || !order)
    return refuse("a header with descr, fortran_order and shape", show(header.trim().slice(0, 200)));
  const shape = dimensions[1]
    .split(",")
    .filter((part) => part.trim() !== "")
    .map(Number);
  const [, endian, name] = type;
  if (endian === ">") refuse("little-endian numbers", show(`${endian}${name}`));
  const isFortran = order[1] === "True" && shape.length > 1;
  if (name === "O" && isFortran) refuse("C order", "Fortran order");
  if (name === "O") return objects(operation, file, bytes.subarray(start), shape);
  const number = Object.hasOwn(NUMBERS, name)
    ? NUMBERS[name]
    : refuse("numbers or lists of integers", `type ${show(name)}`);
  const count = shape.reduce((product, dimension) => product * dimension, 1);
  if (!Number.isSafeInteger(count) || shape.length > 32)
    refuse("a shape that a file can have", `(${dimensions[1].slice(0, 200)})`);
  if (bytes.length - start !== count * number.size) {
    refuse(`${count * number.size} bytes of data for shape [${shape}]`, `${bytes.length - start}`);
  }
  // Numbers in memory's order are a copy of bytes, or even that is saved.
  if (name === "f4" && !isFortran) return new Tensor(aligned(bytes.subarray(start)), shape);
  const out = number.isFloat ? new Float32Array(count) : new Int32Array(count);
  const place = isFortran ? fortranPlaces(shape) : (i: number) => i;
  for (let i = 0; i < count; i++) {
    const value = Number(number.read(view, start + i * number.size));
    const at = place(i);
    out[at] = value;
    if (!number.isFloat && out[at] !== value) refuse("integers of 32 bits", String(value));
  }
  return new Tensor(out, shape);
}

function aligned(bytes: Uint8Array): Float32Array {
  const { buffer, byteOffset, byteLength } = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  return new Float32Array(buffer as ArrayBuffer, byteOffset, byteLength / 4);
}

/** Where in row order the i-th number in column order belongs. */
function fortranPlaces(shape: readonly number[]): (i: number) => number {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
  return (i) => {
    let rest = i;
    let at = 0;
    for (let axis = 0; axis < shape.length; axis++) {
      at += (rest % shape[axis]) * strides[axis];
      rest = Math.floor(rest / shape[axis]);
    }
    return at;
  };
}

function objects(
  operation: string,
  file: string,
  pickle: Uint8Array,
  shape: readonly number[],
): Int32Array[] {
  const { rows, shape: inner } = unpickleLists(pickle, operation, file);
  if (String(inner) === String(shape) && shape.length === 1) return rows;
  const expected = `${file}: one list after the other, shape [${shape}] as in its header`;
  throw new UnreelError({ operation, expected, got: `[${inner}]` });
}
