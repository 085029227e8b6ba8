// Lists of names in attributes of `.h5`. keras/src/legacy/saving/legacy_h5_format.py
import type { Hdf5File } from "../hdf5.js";

/** A list of names that is longer than this is kept in parts, `weight_names0` and so on. */
const LARGEST = 64512;

type Place = { readonly attributes: Map<string, string | readonly string[]> };

export function writeNames(group: Place, name: string, names: readonly string[]): void {
  // All entries take as much room as the longest.
  const longest = names.reduce((most, each) => Math.max(most, new TextEncoder().encode(each).length), 1);
  const most = Math.max(1, Math.floor(LARGEST / longest));
  if (names.length <= most) {
    group.attributes.set(name, names);
    return;
  }
  for (let part = 0; part * most < names.length; part++) {
    group.attributes.set(`${name}${part}`, names.slice(part * most, (part + 1) * most));
  }
}

export function readNames(file: Hdf5File, path: string, name: string): readonly string[] {
  const whole = file.text(path, name);
  if (whole !== undefined) return [whole].flat();
  const names: string[] = [];
  for (let part = 0; ; part++) {
    const some = file.text(path, `${name}${part}`);
    if (some === undefined) return names;
    names.push(...[some].flat());
  }
}
