// HDF5 files in memory, written through h5wasm (the HDF Group's own library, compiled), which is loaded with the first one.
import type { Group } from "h5wasm";
import { later } from "../later.js";

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
  const { default: h5wasm } = await later(import("h5wasm"));
  const module = await h5wasm.ready;
  // Errors as exceptions, and nothing on the console.
  module.activate_throwing_error_handler();
  return { File: h5wasm.File, FS: module.FS };
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
