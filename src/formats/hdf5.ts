// HDF5 files in memory, read and written through h5wasm (the HDF Group's own library, compiled), which is loaded with the first one.
// Shapes are checked before numbers are read: what a file claims is never allocated. Not here: what Keras keeps where.
import type { Attribute, Dataset, File, Group } from "h5wasm";
import { show, UnreelError } from "../errors.js";
import { allowance } from "../zip.js";
import { OldHdf5 } from "./hdf5Old.js";
import { shown } from "./place.js";
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

/** Reads what it wants of a file. */
export async function readHdf5<R>(
  operation: string,
  bytes: Uint8Array,
  act: (file: Hdf5File) => R,
): Promise<R> {
  if (!isHdf5(bytes)) throw notWhole(operation, "other bytes at its beginning");
  // The superblock's version: the older form is read here, and needs no library.
  if (bytes[8] <= 1) return guarded(operation, () => act(oldReader(operation, bytes)));
  const { File, FS } = await library();
  const name = `/unreel-${opened++}.h5`;
  FS.writeFile(name, bytes);
  let file: File | undefined;
  try {
    file = guarded(operation, () => new File(name, "r"));
    return act(reader(operation, file, allowance(bytes.length)));
  } finally {
    try {
      file?.close();
    } catch {
      // A damaged file may refuse; its bytes go all the same.
    }
    FS.unlink(name);
  }
}

function notWhole(operation: string, got: string): UnreelError {
  return new UnreelError({ operation, expected: "a whole HDF5 file", got });
}

/** What the library says goes into one line. */
function guarded<R>(operation: string, act: () => R): R {
  try {
    return act();
  } catch (error) {
    if (error instanceof UnreelError) throw error;
    const lines = (error instanceof Error ? error.message : String(error)).split("\n");
    // The deepest of the library's own calls knows best.
    const told = lines.filter((line) => /^ *#\d+/.test(line)).at(-1) ?? lines[0];
    throw notWhole(operation, told.replace(/^.*\): /, "").trim() || "an error");
  }
}

function checkShape(place: string, given: readonly number[], shape: readonly number[]): void {
  if (given.length === shape.length && given.every((d, axis) => d === shape[axis])) return;
  throw new UnreelError({
    operation: place,
    expected: `shape (${shape.join(", ")})`,
    got: `(${given.join(", ")})`,
  });
}

function oldReader(operation: string, bytes: Uint8Array): Hdf5File {
  const file = new OldHdf5(operation, bytes, allowance(bytes.length));
  const dataset = (path: string) => {
    const found = file.find(path);
    return found === undefined ? undefined : file.dataset(found);
  };
  const values = (path: string, shape: readonly number[]) => {
    const found = dataset(path);
    const place = `${operation}: ${path}`;
    if (!found) throw new UnreelError({ operation: place, expected: "a dataset", got: "none" });
    checkShape(place, found.shape, shape);
    return found;
  };
  return {
    keys(path) {
      const found = file.find(path);
      return found === undefined ? undefined : [...(file.children(found)?.keys() ?? [])];
    },
    shape: (path) => dataset(path)?.shape,
    floats: (path, shape) => file.numbers(values(path, shape)),
    number: (path) => file.whole(values(path, [])),
    text(path, name) {
      const found = file.find(path);
      const attribute = found === undefined ? undefined : file.attribute(found, name);
      if (!attribute) return undefined;
      const texts = file.texts(attribute);
      return attribute.shape.length === 0 ? texts[0] : texts;
    },
  };
}

function reader(operation: string, file: File, take: ReturnType<typeof allowance>): Hdf5File {
  const entity = (path: string, type: string): Group | Dataset | undefined =>
    guarded(`${operation}: ${path}`, () => {
      const parts = path.split("/").filter((part) => part !== "");
      let here: Group | Dataset = file;
      for (const part of parts) {
        if (here.type !== "Group") return undefined;
        const next = (here as Group).get(part);
        if (next === null) return undefined;
        if (!("type" in next) || (next.type !== "Group" && next.type !== "Dataset")) {
          throw notWhole(`${operation}: ${path}`, `a ${"type" in next ? next.type : "reference"}`);
        }
        here = next as Group | Dataset;
      }
      return here.type === type ? here : undefined;
    });
  const dataset = (path: string): Dataset => {
    const found = entity(path, "Dataset") as Dataset | undefined;
    if (found) return found;
    throw new UnreelError({ operation: `${operation}: ${path}`, expected: "a dataset", got: "none" });
  };
  const values = (path: string, shape: readonly number[]): unknown => {
    const found = dataset(path);
    const place = `${operation}: ${path}`;
    return guarded(place, () => {
      const { type, size, chunks } = found.metadata;
      checkShape(place, found.metadata.shape ?? [], shape);
      if (type !== 0 && type !== 1) {
        throw new UnreelError({ operation: place, expected: "numbers", got: shown(found.dtype) });
      }
      // The library makes room for all of a chunk, and for what is not in the file: numbers that were never written.
      for (const axes of [shape, chunks ?? []]) take(place, size * axes.reduce((count, d) => count * d, 1));
      if (found.filters.length > 0) {
        throw new UnreelError({
          operation: place,
          expected: "numbers as they are",
          got: "compressed ones",
          hint: "Unpack the file with h5repack -f NONE.",
        });
      }
      return found.value;
    });
  };
  return {
    keys: (path) =>
      guarded(`${operation}: ${path}`, () => (entity(path, "Group") as Group | undefined)?.keys()),
    shape: (path) =>
      guarded(
        `${operation}: ${path}`,
        () => (entity(path, "Dataset") as Dataset | undefined)?.shape ?? undefined,
      ),
    floats(path, shape) {
      const given = values(path, shape);
      if (given instanceof Float32Array) return given;
      const list =
        typeof given === "number" || typeof given === "bigint" ? [given] : (given as Iterable<number>);
      return Float32Array.from(list as Iterable<number>, Number);
    },
    number: (path) => Number(values(path, [])),
    text(path, name) {
      const place = `${operation}: ${path || "/"}: ${name}`;
      return guarded(place, () => {
        const owner = entity(path, "Group") ?? entity(path, "Dataset");
        const attribute: Attribute | undefined =
          owner && Object.hasOwn(owner.attrs, name) ? owner.attrs[name] : undefined;
        if (!attribute) return undefined;
        const { value } = attribute;
        if (typeof value === "string") return value;
        // Lists without entries are told as numbers by some.
        if (ArrayBuffer.isView(value) && value.byteLength === 0) return [];
        if (Array.isArray(value) && value.every((each) => typeof each === "string")) return value as string[];
        throw new UnreelError({ operation: place, expected: "a text, or a list of texts", got: show(value) });
      });
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
