// `data.*` for NumPy's files: arrays by name from .npz and .npy, and to them. Not here: the reading, which is loaded when something is
// read (readArrays.ts), and the bytes of an array (npyBytes.ts).
import { show, UnreelError } from "../errors.js";
import { later } from "../later.js";
import { readOptions } from "../layers/options.js";
import { type Tensor, type TensorLike, tensor, tensorsOf } from "../tensor.js";
import { NPY_TYPES, type NpyType, writeNpy } from "./npyBytes.js";
import type { Source } from "./source.js";

/** The array of an .npy file. float32 and float64 become float32, whole numbers int32 (those that do not fit are refused); C and
 * Fortran order. */
export async function readNpy(source: Source): Promise<Tensor> {
  return (await later(import("./readArrays.js"))).readNpy(source);
}

/**
 * The arrays of an .npz file by name, as `numpy.savez` and `numpy.savez_compressed` wrote them. `maxBytes`: bytes that they may take
 * unpacked, all together (default 1 GiB); a file that would take more is refused before it is unpacked.
 */
export async function readNpz(
  source: Source,
  options: { maxBytes?: number } = {},
): Promise<Record<string, Tensor>> {
  return (await later(import("./readArrays.js"))).readNpz(source, options);
}

export interface NpyOptions {
  /** Default: the tensor's own, 'float32' or 'int32'. */
  dtype?: NpyType;
}

function typeOf(operation: string, options: NpyOptions): NpyType | undefined {
  const { dtype } = readOptions(operation, options, { dtype: undefined as NpyType | undefined });
  if (dtype === undefined || (typeof dtype === "string" && Object.hasOwn(NPY_TYPES, dtype))) return dtype;
  const expected = `one of ${Object.keys(NPY_TYPES).join(", ")}`;
  throw new UnreelError({ operation: `${operation}: dtype`, expected, got: show(dtype) });
}

/** The bytes of an .npy file of an array, which `numpy.load` reads. */
export function npyBytes(array: TensorLike, options: NpyOptions = {}): Uint8Array {
  return writeNpy("data.npyBytes", tensor(array), typeOf("data.npyBytes", options));
}

/** The bytes of an .npz file of arrays by name, not compressed, which `numpy.load` reads. */
export async function npzBytes(
  arrays: Readonly<Record<string, TensorLike>>,
  options: NpyOptions = {},
): Promise<Uint8Array> {
  const operation = "data.npzBytes";
  const dtype = typeOf(operation, options);
  const members = tensorsOf(operation, arrays).map(([name, array]) => [
    `${name}.npy`,
    writeNpy(`${operation}: ${name}`, array, dtype),
  ]);
  const { zipSync } = await import("fflate");
  // The same bytes at any time: no clock in the archive.
  return zipSync(Object.fromEntries(members), { level: 0, mtime: new Date(1980, 0, 1) });
}
