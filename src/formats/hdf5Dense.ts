// Where an HDF5 file of the newer form keeps many names of a group, or many attributes: a tree whose records tell where in a heap each
// lies. HDF5 File Format Specification, version 3: III.A.2 (version 2 B-trees), III.G (fractal heaps)
import type { Hdf5Bytes } from "./hdf5Bytes.js";
import { CHECKSUM, UNDEFINED } from "./hdf5Bytes.js";

export interface Piece {
  readonly at: number;
  readonly bytes: number;
}

/** Rounded down; the same on every engine. */
export function log2(value: number): number {
  let bits = 0;
  for (let left = value; left >= 2; left /= 2) bits++;
  return bits;
}

/** Bytes that numbers up to this one are written in. */
const bytesFor = (limit: number) => Math.floor(log2(limit) / 8) + 1;

/** Where the records of a tree begin. */
export function recordsOf(file: Hdf5Bytes, tree: number): number[] {
  file.signature(tree, "BTHD");
  file.checked(tree, 34 + CHECKSUM);
  const [nodeSize, recordSize, depth] = [
    file.number(tree + 6, 4),
    file.number(tree + 10, 2),
    file.number(tree + 12, 2),
  ];
  // A signature, a version and a type in front, a checksum behind.
  const room = nodeSize - 6 - CHECKSUM;
  const most = Math.floor(room / recordSize);
  if (!(most > 0) || depth > 16) throw file.damaged(`a tree of ${depth} levels, at byte ${tree}`);
  // Of each level: bytes of a pointer to a node below it.
  const pointers = [0];
  for (let [level, all] = [1, most]; level <= depth; level++) {
    const pointer = 8 + bytesFor(most) + (level > 1 ? bytesFor(all) : 0);
    pointers.push(pointer);
    const own = Math.floor((room - pointer) / (recordSize + pointer));
    all = (own + 1) * all + own;
  }
  const found: number[] = [];
  const nodes = [{ at: file.number(tree + 16, 8), count: file.number(tree + 24, 2), level: depth }];
  const seen = new Set<number>();
  for (let node = nodes.pop(); node; node = nodes.pop()) {
    const { at, count, level } = node;
    if (at === UNDEFINED) continue;
    if (seen.has(at)) throw file.damaged(`a tree that holds itself, at byte ${at}`);
    seen.add(at);
    file.signature(at, level === 0 ? "BTLF" : "BTIN");
    const records = count * recordSize;
    const size = 6 + records + (level === 0 ? 0 : (count + 1) * pointers[level]);
    file.checked(at, size + CHECKSUM);
    for (let k = 0; k < count; k++) found.push(at + 6 + k * recordSize);
    for (let k = 0; level > 0 && k <= count; k++) {
      const pointer = at + 6 + records + k * pointers[level];
      nodes.push({
        at: file.number(pointer, 8),
        count: file.number(pointer + 8, bytesFor(most)),
        level: level - 1,
      });
    }
  }
  return found;
}

export class FractalHeap {
  readonly #file: Hdf5Bytes;
  readonly #at: number;
  readonly #offsetBytes: number;
  readonly #lengthBytes: number;
  readonly #idBytes: number;
  readonly #width: number;
  readonly #smallest: number;
  readonly #largestDirect: number;
  #huge: ReadonlyMap<number, Piece> | undefined;

  constructor(file: Hdf5Bytes, at: number) {
    file.signature(at, "FRHP");
    file.checked(at, 142 + CHECKSUM);
    if (file.number(at + 7, 2) !== 0) throw file.damaged(`a compressed heap at byte ${at}`);
    this.#file = file;
    this.#at = at;
    this.#idBytes = file.number(at + 5, 2);
    const largest = file.number(at + 10, 4);
    this.#width = file.number(at + 110, 2);
    this.#smallest = file.number(at + 112, 8);
    this.#largestDirect = file.number(at + 120, 8);
    this.#offsetBytes = Math.ceil(file.number(at + 128, 2) / 8);
    this.#lengthBytes = Math.min(Math.ceil(log2(this.#largestDirect) / 8), bytesFor(largest));
    const isWhole = [this.#width, this.#smallest, this.#largestDirect, largest].every((size) => size > 0);
    if (!isWhole || this.#offsetBytes + this.#lengthBytes > 16)
      throw file.damaged(`a heap of no size at byte ${at}`);
  }

  /** What an identifier in a record stands for. */
  find(id: number): Piece {
    const file = this.#file;
    const first = file.number(id, 1);
    const kind = (first >> 4) & 3;
    if (kind === 2) return { at: id + 1, bytes: (first & 15) + 1 };
    if (kind === 1) return this.#hugeOf(id + 1);
    if (kind !== 0) throw file.damaged(`a heap's identifier of kind ${kind}, at byte ${id}`);
    const offset = file.number(id + 1, this.#offsetBytes);
    const bytes = file.number(id + 1 + this.#offsetBytes, this.#lengthBytes);
    const at = this.#place(offset);
    file.block(at, bytes);
    return { at, bytes };
  }

  /** Where a byte of the heap lies: blocks double in size from row to row, and those of many rows hold further ones. */
  #place(offset: number): number {
    const file = this.#file;
    const [width, smallest] = [this.#width, this.#smallest];
    let [block, rows, rest] = [file.number(this.#at + 132, 8), file.number(this.#at + 140, 2), offset];
    while (rows > 0) {
      file.signature(block, "FHIB");
      const row = rest < width * smallest ? 0 : log2(rest / (width * smallest)) + 1;
      if (row >= rows) throw file.damaged(`a place ${offset} outside of the heap at byte ${this.#at}`);
      const size = smallest * 2 ** Math.max(0, row - 1);
      rest -= row === 0 ? 0 : width * size;
      const column = Math.floor(rest / size);
      rest -= column * size;
      block = file.number(block + 13 + this.#offsetBytes + 8 * (row * width + column), 8);
      rows = size <= this.#largestDirect ? 0 : log2(size / (smallest * width)) + 1;
    }
    file.signature(block, "FHDB");
    return block + rest;
  }

  /** Objects too large for a block lie by themselves. */
  #hugeOf(id: number): Piece {
    const file = this.#file;
    if (this.#idBytes > 16) return { at: file.number(id, 8), bytes: file.number(id + 8, 8) };
    this.#huge ??= new Map(
      recordsOf(file, file.number(this.#at + 22, 8)).map((at) => [
        file.number(at + 16, 8),
        { at: file.number(at, 8), bytes: file.number(at + 8, 8) },
      ]),
    );
    const found = this.#huge.get(file.number(id, Math.min(8, this.#idBytes - 1)));
    if (!found) throw file.damaged(`no object of the identifier at byte ${id}`);
    file.block(found.at, found.bytes);
    return found;
  }
}
