// `data.*` for NumPy's files: arrays by name from .npz and .npy, and to them. Not here: their bytes (npz.ts).
import { positiveInteger, show, UnreelError } from "../errors.js";
import { readOptions } from "../layers/options.js";
import { Tensor, type TensorLike, tensor } from "../tensor.js";
import { readZip } from "../zip.js";
import { MOST_ARRAY_BYTES, NPY_TYPES, type NpyType, readNpy as readArray, writeNpy } from "./npz.js";
import { readBytes, type Source } from "./source.js";

const nameOf = (source: unknown) =>
  source instanceof Uint8Array
    ? "bytes"
    : source instanceof Response
      ? source.url || "response"
      : String(source);

function asTensor(operation: string, file: string, read: unknown): Tensor {
  if (read instanceof Tensor) return read;
  throw new UnreelError({ operation, expected: `${file}: an array of numbers`, got: "one of lists" });
}

/** The array of an .npy file. float32 and float64 become float32, whole numbers int32 (those that do not fit are refused); C and
 * Fortran order. */
export async function readNpy(source: Source): Promise<Tensor> {
  const operation = "data.readNpy";
  const file = nameOf(source);
  return asTensor(operation, file, readArray(operation, file, await readBytes(operation, source)));
}

/**
 * The arrays of an .npz file by name, as `numpy.savez` and `numpy.savez_compressed` wrote them. `maxBytes`: bytes that they may take
 * unpacked, all together (default 1 GiB); a file that would take more is refused before it is unpacked.
 */
export async function readNpz(
  source: Source,
  options: { maxBytes?: number } = {},
): Promise<Record<string, Tensor>> {
  const operation = "data.readNpz";
  const { maxBytes } = readOptions(operation, options, { maxBytes: MOST_ARRAY_BYTES });
  positiveInteger(`${operation}: maxBytes`, maxBytes);
  const file = nameOf(source);
  const hint = "A file that is known to hold so much is read with the option maxBytes.";
  const members = await readZip(
    `${operation}: ${file}`,
    await readBytes(operation, source),
    (name) => name.endsWith(".npy"),
    { bytes: maxBytes, hint },
  );
  const entries = [...members].map(([name, bytes]) => {
    const place = `${file}, ${name}`;
    return [
      name.replace(/\.npy$/, ""),
      asTensor(operation, place, readArray(operation, place, bytes)),
    ] as const;
  });
  return Object.fromEntries(entries);
}

export interface NpyOptions {
  /** Default: the tensor's own, 'float32' or 'int32'. */
  dtype?: NpyType;
}

function typeOf(operation: string, options: NpyOptions): NpyType | undefined {
  const { dtype } = readOptions(operation, options, { dtype: undefined as NpyType | undefined });
  if (dtype === undefined || Object.hasOwn(NPY_TYPES, dtype)) return dtype;
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
  const { zipSync } = await import("fflate");
  const members = Object.entries(arrays).map(([name, array]) => [
    `${name}.npy`,
    writeNpy(`${operation}: ${name}`, tensor(array), dtype),
  ]);
  // The same bytes at any time: no clock in the archive.
  return zipSync(Object.fromEntries(members), { level: 0, mtime: new Date(1980, 0, 1) });
}
