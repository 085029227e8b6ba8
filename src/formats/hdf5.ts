// HDF5 files in memory: read here (hdf5Read.ts), written through h5wasm (the HDF Group's own library, compiled), which is loaded with the
// first one. Shapes are checked before numbers are read: what a file claims is never allocated. Not here: what Keras keeps where.
import type { Group } from "h5wasm";
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

/** What a group holds: further groups, datasets, texts. */
export interface Hdf5Group {
  readonly groups?: ReadonlyMap<string, Hdf5Group>;
  readonly datasets?: ReadonlyMap<string, Hdf5Dataset>;
  readonly attributes?: ReadonlyMap<string, string | readonly string[]>;
}

export interface Hdf5Dataset {
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array;
}

/** Files have names in h5wasm's memory. */
let opened = 0;

async function library() {
  const { default: h5wasm } = await import("h5wasm");
  const module = await h5wasm.ready;
  // Errors as exceptions, and nothing on the console.
  module.activate_throwing_error_handler();
  return { File: h5wasm.File, FS: module.FS };
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

/** The bytes of a file with this content. */
export async function writeHdf5(content: Hdf5Group): Promise<Uint8Array> {
  const { File, FS } = await library();
  const name = `/unreel-${opened++}.h5`;
  // The form that every version of the library reads, and h5py writes.
  const file = new File(name, "w", { libver: ["earliest", "v110"] });
  try {
    fill(file, content);
    file.flush();
  } finally {
    file.close();
  }
  const bytes = FS.readFile(name) as Uint8Array;
  FS.unlink(name);
  return bytes;
}

function fill(into: Group, { groups, datasets, attributes }: Hdf5Group): void {
  for (const [name, value] of attributes ?? []) {
    if (typeof value === "string") {
      into.create_attribute(name, value, null, "S");
    } else {
      const longest = value.reduce((most, each) => Math.max(most, new TextEncoder().encode(each).length), 1);
      into.create_attribute(name, [...value], [value.length], `S${longest}`);
    }
  }
  for (const [name, { shape, data }] of datasets ?? []) {
    const dtype = data instanceof Int32Array ? "<i4" : "<f4";
    into.create_dataset({ name, data, shape: [...shape], dtype });
  }
  for (const [name, group] of groups ?? []) fill(into.create_group(name), group);
}

/** Groups, datasets and texts put in by path, as they come. */
export class Hdf5Builder {
  readonly root = new Building();

  group(path: string): Building {
    let here = this.root;
    for (const part of path.split("/").filter((each) => each !== "")) {
      let next = here.groups.get(part);
      if (!next) {
        next = new Building();
        here.groups.set(part, next);
      }
      here = next;
    }
    return here;
  }
}

class Building implements Hdf5Group {
  readonly groups = new Map<string, Building>();
  readonly datasets = new Map<string, Hdf5Dataset>();
  readonly attributes = new Map<string, string | readonly string[]>();
}
