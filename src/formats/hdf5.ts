// HDF5 files in memory, read (hdf5Read.ts). Shapes are checked before numbers are read: what a file claims is never allocated.
// Not here: the writing (hdf5Write.ts), what Keras keeps where.
import { UnreelError } from "../errors.js";
import { later } from "../later.js";
import { allowance } from "../zip.js";
import { Hdf5Bytes } from "./hdf5Bytes.js";
import type { Chunking } from "./hdf5Chunks.js";
import { Hdf5Reader, InChunks } from "./hdf5Read.js";
import { isHdf5 } from "./signatures.js";

/** Numbers of a dataset, or of several, by path; and texts. */
export interface Hdf5File {
  /** Names in a group; undefined where there is none. */
  keys(path: string): readonly string[] | undefined;
  /** A dataset of this shape as float32. */
  floats(path: string, shape: readonly number[]): Float32Array;
  /** The shape of a dataset; undefined where there is none. */
  shape(path: string): readonly number[] | undefined;
  /** A dataset of one number. */
  number(path: string): number;
  /** A text, or a list of them; undefined where there is none. */
  text(path: string, attribute: string): string | readonly string[] | undefined;
}

/** Reads what it wants of a file. `act` is called again where the file turns out to have datasets in chunks, which Keras does not write:
 * what reads them is loaded then. */
export async function readHdf5<R>(
  operation: string,
  bytes: Uint8Array,
  act: (file: Hdf5File) => R,
): Promise<R> {
  if (!isHdf5(bytes))
    throw new UnreelError({ operation, expected: "a whole HDF5 file", got: "other bytes at its beginning" });
  try {
    return await act(fileOf(operation, bytes));
  } catch (error) {
    if (!(error instanceof InChunks)) throw error;
  }
  const { chunking } = await later(import("./hdf5Chunks.js"));
  return act(fileOf(operation, bytes, await chunking()));
}

function checkShape(place: string, given: readonly number[], shape: readonly number[]): void {
  if (given.length === shape.length && given.every((d, axis) => d === shape[axis])) return;
  throw new UnreelError({
    operation: place,
    expected: `shape (${shape.join(", ")})`,
    got: `(${given.join(", ")})`,
  });
}

function fileOf(operation: string, bytes: Uint8Array, chunking?: Chunking): Hdf5File {
  const content = new Hdf5Bytes(operation, bytes, allowance(bytes.length));
  const file = new Hdf5Reader(content, chunking);
  const find = (path: string, attribute?: string) => {
    content.place = [operation, path || "/", ...(attribute === undefined ? [] : [attribute])].join(": ");
    return file.find(path);
  };
  const dataset = (path: string) => {
    const found = find(path);
    return found === undefined ? undefined : file.dataset(found);
  };
  const values = (path: string, shape: readonly number[]) => {
    const found = dataset(path);
    const { place } = content;
    if (!found) throw new UnreelError({ operation: place, expected: "a dataset", got: "none" });
    checkShape(place, found.shape, shape);
    return found;
  };
  return {
    keys(path) {
      const found = find(path);
      return found === undefined ? undefined : [...(file.children(found)?.keys() ?? [])];
    },
    shape: (path) => dataset(path)?.shape,
    floats: (path, shape) => file.numbers(values(path, shape)),
    number: (path) => file.whole(values(path, [])),
    text(path, name) {
      const found = find(path, name);
      const attribute = found === undefined ? undefined : file.attribute(found, name);
      if (!attribute) return undefined;
      const texts = file.texts(attribute);
      return attribute.shape.length === 0 ? texts[0] : texts;
    },
  };
}
