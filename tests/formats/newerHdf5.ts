// An HDF5 file once more in the form that files written for the newest version of the library alone have, with checksums.
import type { Dataset, Group } from "h5wasm";

let made = 0;

export async function newerHdf5(bytes: Uint8Array): Promise<Uint8Array> {
  const { default: h5wasm } = await import("h5wasm");
  const { FS } = await h5wasm.ready;
  const [from, to] = [`/old-${made}.h5`, `/new-${made++}.h5`];
  FS.writeFile(from, bytes);
  const source = new h5wasm.File(from, "r");
  const target = new h5wasm.File(to, "w", { libver: "latest" });
  copy(source, target);
  source.close();
  target.close();
  const out = FS.readFile(to) as Uint8Array;
  for (const name of [from, to]) FS.unlink(name);
  return out.slice();
}

function copy(from: Group, to: Group): void {
  copyAttributes(from, to);
  for (const name of from.keys()) {
    const each = from.get(name) as Group | Dataset;
    if (each.type === "Group") {
      copy(each as Group, to.create_group(name));
      continue;
    }
    const { value, shape, dtype } = each as Dataset;
    const data = (typeof value === "number" ? [value] : value) as number[];
    copyAttributes(each as Dataset, to.create_dataset({ name, data, shape, dtype: dtype as string }));
  }
}

function copyAttributes(from: Group | Dataset, to: Group | Dataset): void {
  for (const [name, { value, shape, dtype }] of Object.entries(from.attrs)) {
    const isList = Array.isArray(value);
    if (isList || typeof value === "string")
      to.create_attribute(name, value as string[], isList ? shape : null, dtype);
  }
}
