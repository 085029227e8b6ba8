// Reads HDF5 files in the form that h5py, and so Keras, writes: superblock 0 or 1, groups as symbol tables, datasets in one piece. Every
// offset is checked against the file and nothing is visited twice, for this form has no checksums and a damaged file may be a maze. The
// HDF Group's own library loses itself in some (it never comes back); files of the newer form have checksums, and go there (hdf5.ts).
// HDF5 File Format Specification, version 3
import { UnreelError } from "../errors.js";

/** A dataset's or an attribute's numbers or texts: what they are and where they lie. */
interface Data {
  readonly type: DataType;
  readonly shape: readonly number[];
  readonly at: number;
  readonly bytes: number;
}

interface DataType {
  readonly class: "integer" | "float" | "string" | "text" | "other";
  readonly size: number;
  readonly littleEndian: boolean;
  readonly signed: boolean;
}

interface Piece {
  readonly at: number;
  readonly bytes: number;
}

interface Message {
  readonly type: number;
  readonly at: number;
  readonly size: number;
}

const UNDEFINED = 2 ** 64;
const HEADER = {
  dataspace: 1,
  datatype: 3,
  layout: 8,
  filters: 11,
  attribute: 12,
  continuation: 16,
  symbols: 17,
} as const;

export class OldHdf5 {
  readonly #operation: string;
  readonly #bytes: Uint8Array;
  readonly #take: (place: string, bytes: number) => void;
  readonly #view: DataView;
  readonly #base: number;
  readonly #root: number;
  readonly #headers = new Map<number, readonly Message[]>();
  readonly #groups = new Map<number, ReadonlyMap<string, number>>();
  readonly #attributeNames = new Map<number, ReadonlyMap<string, number>>();
  readonly #heaps = new Map<number, ReadonlyMap<number, Piece>>();

  /** `take` is told of what is read, as several things may say that they lie in the same place. */
  constructor(operation: string, bytes: Uint8Array, take: (place: string, bytes: number) => void) {
    this.#operation = operation;
    this.#bytes = bytes;
    this.#take = take;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const version = this.#number(8, 1);
    if (this.#number(13, 1) !== 8 || this.#number(14, 1) !== 8)
      throw this.#damaged("offsets of other than 8 bytes");
    const at = version === 0 ? 24 : 28;
    this.#base = this.#number(at, 8);
    const end = this.#number(at + 16, 8);
    if (this.#base !== 0) throw this.#damaged("data before its beginning");
    if (end > bytes.length) throw this.#damaged(`${bytes.length} of ${end} bytes: a truncated file`);
    this.#root = this.#number(at + 40, 8);
  }

  /** Where an object begins, by the names on the way there. */
  find(path: string): number | undefined {
    let here = this.#root;
    for (const part of path.split("/").filter((each) => each !== "")) {
      const next = this.children(here)?.get(part);
      if (next === undefined) return undefined;
      here = next;
    }
    return here;
  }

  /** Names in a group, and where they begin; undefined for a dataset. */
  children(header: number): ReadonlyMap<string, number> | undefined {
    const known = this.#groups.get(header);
    if (known) return known;
    const table = this.#messages(header).find(({ type }) => type === HEADER.symbols);
    if (!table) return undefined;
    const names = new Map<string, number>();
    const heap = this.#number(table.at + 8, 8);
    this.#signature(heap, "HEAP");
    const [size, data] = [this.#number(heap + 8, 8), this.#number(heap + 24, 8)];
    this.#room(data, size);
    const seen = new Set<number>();
    const nodes = [this.#number(table.at, 8)];
    for (let node = nodes.pop(); node !== undefined; node = nodes.pop()) {
      if (seen.has(node)) throw this.#damaged(`a group that holds itself, at byte ${node}`);
      seen.add(node);
      if (this.#text(node, 4) === "SNOD") this.#symbols(node, data, data + size, names);
      else nodes.push(...this.#branches(node).reverse());
    }
    this.#groups.set(header, names);
    return names;
  }

  /** The nodes below a node of a group's tree. */
  #branches(node: number): number[] {
    this.#signature(node, "TREE");
    if (this.#number(node + 4, 1) !== 0) throw this.#damaged(`a tree that is no group's, at byte ${node}`);
    const count = this.#number(node + 6, 2);
    this.#block(node + 24, 8 + 16 * count);
    return Array.from({ length: count }, (_, k) => this.#number(node + 32 + 16 * k, 8));
  }

  #symbols(node: number, names: number, end: number, into: Map<string, number>): void {
    const count = this.#number(node + 6, 2);
    this.#block(node + 8, 40 * count);
    for (let k = 0; k < count; k++) {
      const at = node + 8 + 40 * k;
      const start = names + this.#number(at, 8);
      if (start >= end) throw this.#damaged(`a name outside of its heap, at byte ${at}`);
      const stop = this.#bytes.subarray(start, end).indexOf(0);
      const length = stop < 0 ? end - start : stop;
      this.#block(start, length);
      const isLink = this.#number(at + 16, 4) === 2;
      if (!isLink) into.set(this.#text(start, length), this.#number(at + 8, 8));
    }
  }

  /** A dataset; undefined for a group. */
  dataset(header: number): Data | undefined {
    const messages = this.#messages(header);
    const message = (type: number) => messages.find((each) => each.type === type);
    const [space, type, layout] = [HEADER.dataspace, HEADER.datatype, HEADER.layout].map(message);
    if (!space || !type || !layout) return undefined;
    if (message(HEADER.filters)) throw this.#damaged("a compressed dataset", "numbers as they are");
    const shape = this.#shape(space.at);
    const found = { type: this.#datatype(type.at), shape };
    const bytes = shape.reduce((product, d) => product * d, found.type.size);
    const [version, kind] = [this.#number(layout.at, 1), this.#number(layout.at + 1, 1)];
    if (version !== 3 && version !== 4) throw this.#damaged(`a layout of version ${version}`);
    if (kind > 1) throw this.#damaged("a dataset in chunks", "a dataset in one piece");
    const at = kind === 0 ? layout.at + 4 : this.#number(layout.at + 2, 8);
    const own = kind === 0 ? this.#number(layout.at + 2, 2) : this.#number(layout.at + 10, 8);
    if (bytes > 0 && own < bytes) throw this.#damaged(`${own} bytes for shape (${shape.join(", ")})`);
    return { ...found, at, bytes };
  }

  /** An attribute of an object. */
  attribute(header: number, name: string): Data | undefined {
    const at = this.#attributes(header).get(name);
    if (at === undefined) return undefined;
    const version = this.#number(at, 1);
    const pad = (size: number) => (version === 1 ? Math.ceil(size / 8) * 8 : size);
    const [own, typeSize, spaceSize] = [2, 4, 6].map((place) => this.#number(at + place, 2));
    const typeAt = at + (version === 3 ? 9 : 8) + pad(own);
    const spaceAt = typeAt + pad(typeSize);
    const found = { type: this.#datatype(typeAt), shape: this.#shape(spaceAt) };
    const bytes = found.shape.reduce((product, d) => product * d, found.type.size);
    return { ...found, at: spaceAt + pad(spaceSize), bytes };
  }

  /** Where the attributes of an object begin, by name. */
  #attributes(header: number): ReadonlyMap<string, number> {
    const known = this.#attributeNames.get(header);
    if (known) return known;
    const names = new Map<string, number>();
    for (const { type, at } of this.#messages(header)) {
      if (type !== HEADER.attribute) continue;
      const version = this.#number(at, 1);
      if (version < 1 || version > 3) throw this.#damaged(`an attribute of version ${version}`);
      const length = this.#number(at + 2, 2);
      this.#block(at, length);
      const name = this.#text(at + (version === 3 ? 9 : 8), length).replace(/\0.*$/s, "");
      if (!names.has(name)) names.set(name, at);
    }
    this.#attributeNames.set(header, names);
    return names;
  }

  numbers({ type, shape, at, bytes }: Data): Float32Array {
    const { class: kind, size, littleEndian, signed } = type;
    if (kind !== "float" && kind !== "integer") throw this.#damaged(`a ${kind}`, "numbers");
    this.#block(at, bytes);
    const count = shape.reduce((product, d) => product * d, 1);
    if (kind === "float" && size === 4 && littleEndian)
      return new Float32Array(this.#bytes.slice(at, at + bytes).buffer);
    const view = this.#view;
    const read: Record<string, (place: number) => number> = {
      float4: (place) => view.getFloat32(place, littleEndian),
      float8: (place) => view.getFloat64(place, littleEndian),
      integer1: (place) => (signed ? view.getInt8(place) : view.getUint8(place)),
      integer2: (place) =>
        signed ? view.getInt16(place, littleEndian) : view.getUint16(place, littleEndian),
      integer4: (place) =>
        signed ? view.getInt32(place, littleEndian) : view.getUint32(place, littleEndian),
      integer8: (place) =>
        Number(signed ? view.getBigInt64(place, littleEndian) : view.getBigUint64(place, littleEndian)),
    };
    const one = read[`${kind}${size}`];
    if (!one) throw this.#damaged(`${kind} numbers of ${size} bytes`);
    return Float32Array.from({ length: count }, (_, k) => one(at + k * size));
  }

  /** One number, with all its digits. */
  whole(data: Data): number {
    const { type, at } = data;
    if (type.class !== "integer" || type.size > 8 || !type.littleEndian) return this.numbers(data)[0];
    return this.#number(at, type.size);
  }

  texts({ type, shape, at, bytes }: Data): string[] {
    const count = shape.reduce((product, d) => product * d, 1);
    if (count === 0) return [];
    if (type.size === 0) throw this.#damaged("texts of no bytes");
    this.#block(at, bytes);
    if (type.class === "string") {
      return Array.from({ length: count }, (_, k) =>
        this.#text(at + k * type.size, type.size).replace(/\0.*$/s, ""),
      );
    }
    if (type.class !== "text") throw this.#damaged(`a ${type.class}`, "a text, or a list of texts");
    return Array.from({ length: count }, (_, k) => this.#fromHeap(at + 16 * k));
  }

  /** A text of any length: its length, a collection of such, and its place there. */
  #fromHeap(at: number): string {
    const [length, collection, index] = [
      this.#number(at, 4),
      this.#number(at + 4, 8),
      this.#number(at + 12, 4),
    ];
    if (length === 0) return "";
    const piece = this.#heap(collection).get(index);
    if (!piece || piece.bytes < length) throw this.#damaged(`no text ${index} at byte ${collection}`);
    this.#block(piece.at, length);
    return this.#text(piece.at, length);
  }

  /** The pieces of a collection by their numbers. */
  #heap(collection: number): ReadonlyMap<number, Piece> {
    const known = this.#heaps.get(collection);
    if (known) return known;
    this.#signature(collection, "GCOL");
    const size = this.#number(collection + 8, 8);
    this.#block(collection, size);
    const pieces = new Map<number, Piece>();
    for (let at = collection + 16; at + 16 <= collection + size; ) {
      const [index, bytes] = [this.#number(at, 2), this.#number(at + 8, 8)];
      // What is left.
      if (index === 0) break;
      if (!pieces.has(index)) pieces.set(index, { at: at + 16, bytes });
      at += 16 + Math.ceil(bytes / 8) * 8;
    }
    this.#heaps.set(collection, pieces);
    return pieces;
  }

  #shape(at: number): readonly number[] {
    const [version, rank] = [this.#number(at, 1), this.#number(at + 1, 1)];
    if (version !== 1 && version !== 2) throw this.#damaged(`a dataspace of version ${version}`);
    if (rank > 32) throw this.#damaged(`${rank} axes`);
    // Version 2 tells an empty one by its type.
    if (version === 2 && this.#number(at + 3, 1) === 2) return [0];
    const start = at + (version === 1 ? 8 : 4);
    return Array.from({ length: rank }, (_, axis) => this.#number(start + 8 * axis, 8));
  }

  #datatype(at: number): DataType {
    const first = this.#number(at, 1);
    const bits = this.#number(at + 1, 1);
    const size = this.#number(at + 4, 4);
    const common = { size, littleEndian: (bits & 1) === 0, signed: (bits & 8) !== 0 };
    switch (first & 15) {
      case 0:
        return { class: "integer", ...common };
      case 1:
        return { class: "float", ...common };
      case 3:
        return { class: "string", ...common };
      case 9:
        return { class: (bits & 15) === 1 ? "text" : "other", ...common };
      default:
        return { class: "other", ...common };
    }
  }

  #messages(header: number): readonly Message[] {
    const known = this.#headers.get(header);
    if (known) return known;
    if (this.#number(header, 1) !== 1) throw this.#damaged(`no object at byte ${header}`);
    const found: Message[] = [];
    const blocks: [number, number][] = [[header + 16, this.#number(header + 8, 4)]];
    const seen = new Set<number>();
    for (let block = blocks.pop(); block; block = blocks.pop()) {
      const [start, length] = block;
      if (seen.has(start)) throw this.#damaged(`an object that goes on in itself, at byte ${start}`);
      seen.add(start);
      this.#block(start, length);
      for (let at = start; at + 8 <= start + length; ) {
        const [type, size, flags] = [this.#number(at, 2), this.#number(at + 2, 2), this.#number(at + 4, 1)];
        this.#room(at + 8, size);
        const message = { type, at: at + 8, size };
        if (type === HEADER.continuation) blocks.push([this.#number(at + 8, 8), this.#number(at + 16, 8)]);
        else if ((flags & 2) === 0) found.push(message);
        at += 8 + size;
      }
    }
    this.#headers.set(header, found);
    return found;
  }

  #signature(at: number, expected: string): void {
    if (this.#text(at, 4) !== expected) throw this.#damaged(`no ${expected} at byte ${at}`);
  }

  #text(at: number, length: number): string {
    this.#room(at, length);
    return new TextDecoder().decode(this.#bytes.subarray(at, at + length));
  }

  /** An unsigned number of 1, 2, 4 or 8 bytes, little endian. */
  #number(at: number, size: number): number {
    this.#room(at, size);
    if (size === 1) return this.#bytes[at];
    if (size === 2) return this.#view.getUint16(at, true);
    const low = this.#view.getUint32(at, true);
    return size === 4 ? low : low + this.#view.getUint32(at + 4, true) * 2 ** 32;
  }

  /** Room for what is gone through: blocks may lie in each other, and one may be asked for again and again. */
  #block(at: number, size: number): void {
    this.#room(at, size);
    this.#take(this.#operation, size);
  }

  #room(at: number, size: number): void {
    if (at >= 0 && at < UNDEFINED && at + size <= this.#bytes.length) return;
    throw this.#damaged(`${size} bytes at byte ${at}, of ${this.#bytes.length}`);
  }

  #damaged(got: string, expected = "a whole HDF5 file"): UnreelError {
    return new UnreelError({ operation: this.#operation, expected, got });
  }
}
