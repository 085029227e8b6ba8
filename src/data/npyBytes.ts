// One array as NumPy's .npy file has it. Not here: reading (npz.ts).
import { UnreelError } from "../errors.js";
import type { Tensor } from "../tensor.js";

/** Types that arrays are written as. */
export const NPY_TYPES = {
  float32: { descr: "<f4", make: (data: ArrayLike<number>) => Float32Array.from(data) },
  float64: { descr: "<f8", make: (data: ArrayLike<number>) => Float64Array.from(data) },
  int32: { descr: "<i4", make: (data: ArrayLike<number>) => Int32Array.from(data) },
  int64: {
    descr: "<i8",
    make: (data: ArrayLike<number>) => BigInt64Array.from(Array.from(data, (n) => BigInt(Math.trunc(n)))),
  },
  uint8: { descr: "|u1", make: (data: ArrayLike<number>) => Uint8Array.from(data) },
} as const;
export type NpyType = keyof typeof NPY_TYPES;

/** The bytes of an .npy file, version 1.0, in C order. Numbers that the type does not hold are refused. */
export function writeNpy(operation: string, { data, shape, dtype }: Tensor, as: NpyType = dtype): Uint8Array {
  const { descr, make } = NPY_TYPES[as];
  if (as !== "float32" && as !== "float64") {
    const [low, high] = as === "uint8" ? [0, 255] : [-(2 ** 31), 2 ** 31 - 1];
    const wrong = data.findIndex(
      (n) => !Number.isInteger(n) || (as !== "int64" && (n < low || n > high)) || Math.abs(n) > 2 ** 53,
    );
    if (wrong >= 0)
      throw new UnreelError({
        operation,
        expected: `numbers that ${as} holds`,
        got: `${data[wrong]} at flat position ${wrong}`,
      });
  }
  const numbers = make(data);
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${tuple}, }`;
  // The header ends with a line, at a multiple of 64 bytes.
  const length = Math.ceil((text.length + 11) / 64) * 64 - 10;
  const header = `${text.padEnd(length - 1)}\n`;
  const out = new Uint8Array(10 + length + numbers.byteLength);
  out.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, length & 255, length >> 8]);
  out.set(new TextEncoder().encode(header), 10);
  out.set(new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength), 10 + length);
  return out;
}
