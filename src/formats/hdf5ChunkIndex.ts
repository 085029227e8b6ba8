// Where the chunks of an HDF5 dataset lie, by any of the six kinds of index. Nothing is visited twice, and no more is made of a list than the
// file has of it. HDF5 File Format Specification, version 3: III.A.1 and III.A.2 (trees), appendix C (implicit, fixed array, extensible array)
import { CHECKSUM, type Hdf5Bytes, UNDEFINED } from "./hdf5Bytes.js";
import { log2, recordsOf } from "./hdf5Dense.js";

/** What says where the chunks of a dataset lie, by the kinds that the library has. */
export type Index =
  | { readonly kind: "tree" | "implicit" | "fixed" | "extensible" | "newerTree"; readonly at: number }
  | { readonly kind: "single"; readonly at: number; readonly bytes?: number; readonly skipped: number };

/** Where a chunk's bytes are. A bit of `skipped` stands for a filter that was left out. */
export interface Stored {
  readonly at: number;
  readonly bytes: number;
  readonly skipped: number;
}

/** Takes a chunk over: by its place among the chunks of each axis, or by its number. */
export interface Found {
  at(place: readonly number[], stored: Stored): void;
  number(number: number, stored: Stored): void;
}

export function numbersAt(file: Hdf5Bytes, at: number, count: number, size: number): number[] {
  return Array.from({ length: count }, (_, k) => file.number(at + k * size, size));
}

export interface Cut {
  readonly chunk: readonly number[];
  readonly filtered: boolean;
  /** Of a chunk that no filter has changed. */
  readonly whole: { readonly bytes: number; readonly skipped: number };
  /** Chunks of the dataset at its largest. */
  readonly count: number;
}

export function locate(file: Hdf5Bytes, index: Index, given: Cut, found: Found): void {
  const { chunk, whole, count } = given;
  if (index.at === UNDEFINED) return;
  if (index.kind === "tree") fromTree(file, index.at, chunk, found);
  else if (index.kind === "newerTree") fromNewerTree(file, index.at, given, found);
  else if (index.kind === "fixed") fromFixedArray(file, index.at, given, found);
  else if (index.kind === "extensible") fromExtensibleArray(file, index.at, given, found);
  else if (index.kind === "single") {
    const { at, bytes = whole.bytes, skipped } = index;
    found.number(0, { at, bytes, skipped });
  } else {
    // One after the other: as many as the file has room for.
    file.room(index.at, count * whole.bytes);
    for (let k = 0; k < count; k++) found.number(k, { ...whole, at: index.at + k * whole.bytes });
  }
}

/** Keys and nodes of a tree in turns; a key tells where its chunk begins, how long it is and which filters were left out. */
function fromTree(file: Hdf5Bytes, root: number, chunk: readonly number[], found: Found): void {
  const key = 8 + 8 * (chunk.length + 1);
  const seen = new Set<number>();
  const nodes = [root];
  for (let node = nodes.pop(); node !== undefined; node = nodes.pop()) {
    if (seen.has(node)) throw file.damaged(`a tree that holds itself, at byte ${node}`);
    seen.add(node);
    file.signature(node, "TREE");
    const [kind, level, count] = [
      file.number(node + 4, 1),
      file.number(node + 5, 1),
      file.number(node + 6, 2),
    ];
    if (kind !== 1) throw file.damaged(`a tree that is no dataset's, at byte ${node}`);
    file.block(node, 24 + key + (key + 8) * count);
    for (let k = 0; k < count; k++) {
      const at = node + 24 + (key + 8) * k;
      const below = file.number(at + key, 8);
      if (level > 0) {
        nodes.push(below);
        continue;
      }
      const place = chunk.map((length, axis) => file.number(at + 8 + 8 * axis, 8) / length);
      if (!place.every(Number.isInteger)) throw file.damaged(`a chunk between chunks, at byte ${at}`);
      found.at(place, { at: below, bytes: file.number(at, 4), skipped: file.number(at + 4, 4) });
    }
  }
}

function fromNewerTree(file: Hdf5Bytes, tree: number, { chunk, filtered, whole }: Cut, found: Found): void {
  const places = 8 * chunk.length;
  const size = file.number(tree + 10, 2);
  const bytes = size - 12 - places;
  if (filtered ? bytes < 1 || bytes > 8 : size !== 8 + places)
    throw file.damaged(`records of ${size} bytes at byte ${tree}`);
  for (const at of recordsOf(file, tree)) {
    const stored = filtered ? entry(file, at, bytes) : { ...whole, at: file.number(at, 8) };
    found.at(numbersAt(file, at + size - places, chunk.length, 8), stored);
  }
}

/** What an array says of a chunk whose length is written in so many bytes. */
function entry(file: Hdf5Bytes, at: number, bytes: number): Stored {
  return {
    at: file.number(at, 8),
    bytes: file.number(at + 8, bytes),
    skipped: file.number(at + 8 + bytes, 4),
  };
}

/** Reads entries of arrays: an address, and of filtered chunks its length and the filters that were left out. */
function entriesOf(file: Hdf5Bytes, header: number, size: number, { filtered, whole }: Cut, found: Found) {
  const isFiltered = file.number(header + 5, 1) === 1;
  const bytes = size - 12;
  if (isFiltered !== filtered || (filtered ? bytes < 1 || bytes > 8 : size !== 8))
    throw file.damaged(`entries of ${size} bytes at byte ${header}`);
  return (at: number, first: number, count: number) => {
    for (let k = 0; k < count; k++) {
      const place = at + k * size;
      const stored = filtered ? entry(file, place, bytes) : { ...whole, at: file.number(place, 8) };
      if (stored.at !== UNDEFINED) found.number(first + k, stored);
    }
  };
}

function fromFixedArray(file: Hdf5Bytes, header: number, given: Cut, found: Found): void {
  file.signature(header, "FAHD");
  file.checked(header, 24 + CHECKSUM);
  const [size, pageBits] = [file.number(header + 6, 1), file.number(header + 7, 1)];
  const [count, block] = [file.number(header + 8, 8), file.number(header + 16, 8)];
  const entries = entriesOf(file, header, size, given, found);
  if (block === UNDEFINED) return;
  file.signature(block, "FADB");
  file.room(block, count * size);
  const perPage = 2 ** pageBits;
  if (count <= perPage) {
    file.checked(block, 14 + count * size + CHECKSUM);
    entries(block + 14, 0, count);
    return;
  }
  const pages = Math.ceil(count / perPage);
  const start = block + 14 + Math.ceil(pages / 8) + CHECKSUM;
  file.checked(block, start - block);
  for (let page = 0; page < pages; page++) {
    const at = start + page * (perPage * size + CHECKSUM);
    const own = Math.min(perPage, count - page * perPage);
    // One that was never written has no checksum.
    if (file.holds(at, own * size + CHECKSUM)) entries(at, page * perPage, own);
  }
}

/** An array that grows: its first entries in the index itself, then in blocks, which double in size and number, then in blocks of such. */
function fromExtensibleArray(file: Hdf5Bytes, header: number, given: Cut, found: Found): void {
  file.signature(header, "EAHD");
  file.checked(header, 68 + CHECKSUM);
  const [size, bits, inIndex, least, leastPointers, pageBits] = [6, 7, 8, 9, 10, 11].map((at) =>
    file.number(header + at, 1),
  );
  const [used, index] = [file.number(header + 44, 8), file.number(header + 60, 8)];
  const entries = entriesOf(file, header, size, given, found);
  if (index === UNDEFINED) return;
  const [log, logPointers] = [log2(least), log2(leastPointers)];
  const arePowers = 2 ** log === least && 2 ** logPointers === leastPointers;
  if (!arePowers || logPointers < 1 || bits > 64 || bits < log)
    throw file.damaged(`an array of no size at byte ${header}`);
  const prefix = 14 + Math.ceil(bits / 8);
  const perPage = 2 ** pageBits;
  const readBlock = (block: number, first: number, count: number) => {
    if (block === UNDEFINED) return;
    file.signature(block, "EADB");
    file.room(block, count * size);
    if (count <= perPage) {
      file.checked(block, prefix + count * size + CHECKSUM);
      entries(block + prefix, first, count);
      return;
    }
    file.checked(block, prefix + CHECKSUM);
    for (let page = 0; page * perPage < count; page++) {
      const at = block + prefix + CHECKSUM + page * (perPage * size + CHECKSUM);
      if (file.holds(at, perPage * size + CHECKSUM)) entries(at, first + page * perPage, perPage);
    }
  };
  file.signature(index, "EAIB");
  const [direct, levels, inLevels] = [2 * (leastPointers - 1), 1 + bits - log, 2 * logPointers];
  const above = Math.max(0, levels - inLevels);
  file.checked(index, 14 + inIndex * size + 8 * (direct + above) + CHECKSUM);
  entries(index + 14, 0, inIndex);
  const pointers = index + 14 + inIndex * size;
  let [first, block] = [inIndex, 0];
  for (let level = 0; level < levels && first < used; level++) {
    const [blocks, each] = [2 ** Math.floor(level / 2), 2 ** Math.floor((level + 1) / 2) * least];
    if (level < inLevels) {
      for (let k = 0; k < blocks && block < direct; k++)
        readBlock(file.number(pointers + 8 * block++, 8), first + k * each, each);
    } else {
      const at = file.number(pointers + 8 * (direct + level - inLevels), 8);
      if (at !== UNDEFINED) {
        file.signature(at, "EASB");
        const pageBytes = each > perPage ? Math.ceil(each / perPage / 8) : 0;
        const list = at + prefix + blocks * pageBytes;
        file.checked(at, list + 8 * blocks + CHECKSUM - at);
        for (let k = 0; k < blocks; k++) readBlock(file.number(list + 8 * k, 8), first + k * each, each);
      }
    }
    first += blocks * each;
  }
}
