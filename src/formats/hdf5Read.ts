// Reads HDF5 files as Keras has them written: groups, attributes, and datasets in one piece or in chunks (hdf5Chunks.ts), of either form of
// the format (h5py writes the older one unless told otherwise). Every offset is checked against the file and nothing is visited twice, for the older form has no checksums
// and a damaged file may be a maze. The HDF Group's own library loses itself in some (it never comes back), and makes room for whatever a
// dataset claims. HDF5 File Format Specification, version 3
import { CHECKSUM, type Hdf5Bytes, UNDEFINED } from "./hdf5Bytes.js";
import type { Chunking, Chunks } from "./hdf5Chunks.js";
import { FractalHeap, type Piece, recordsOf } from "./hdf5Dense.js";
import { MESSAGES, type Message, messagesOf } from "./hdf5Header.js";

/** A dataset's or an attribute's numbers or texts: what they are and where they lie. */
interface Data {
  readonly type: DataType;
  readonly shape: readonly number[];
  readonly at: number;
  readonly bytes: number;
  /** How it is cut, where it lies in no one piece, and how far each axis may grow. */
  readonly cut?: { readonly chunks: Chunks; readonly most: readonly number[] };
}

interface DataType {
  readonly class: "integer" | "float" | "string" | "text" | "other";
  readonly size: number;
  readonly littleEndian: boolean;
  readonly signed: boolean;
}

/** A dataset in chunks was met by a reader that has nothing to read one with. */
export class InChunks extends Error {}

export class Hdf5Reader {
  readonly #file: Hdf5Bytes;
  readonly #chunking: Chunking | undefined;
  readonly #root: number;
  readonly #headers = new Map<number, readonly Message[]>();
  readonly #groups = new Map<number, ReadonlyMap<string, number>>();
  readonly #attributeNames = new Map<number, ReadonlyMap<string, number>>();
  readonly #heaps = new Map<number, ReadonlyMap<number, Piece>>();

  constructor(file: Hdf5Bytes, chunking?: Chunking) {
    this.#file = file;
    this.#chunking = chunking;
    const version = file.number(8, 1);
    const isNewer = version === 2 || version === 3;
    if (version > 3) throw file.damaged(`a superblock of version ${version}`);
    const [offsets, lengths] = isNewer ? [9, 10] : [13, 14];
    if (file.number(offsets, 1) !== 8 || file.number(lengths, 1) !== 8)
      throw file.damaged("offsets of other than 8 bytes");
    const at = isNewer ? 12 : version === 0 ? 24 : 28;
    if (file.number(at, 8) !== 0) throw file.damaged("data before its beginning");
    const end = file.number(at + 16, 8);
    const { length } = file.bytes;
    if (end > length) throw file.damaged(`${length} of ${end} bytes: a truncated file`);
    if (isNewer) file.checked(0, 44 + CHECKSUM);
    this.#root = file.number(at + (isNewer ? 24 : 40), 8);
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
    const messages = this.#messages(header);
    const table = messages.find(({ type }) => type === MESSAGES.symbols);
    const names = table ? this.#symbolTable(table.at) : this.#links(messages);
    if (names) this.#groups.set(header, names);
    return names;
  }

  /** A group of the newer form: links in its header, or in a heap where there are many. */
  #links(messages: readonly Message[]): ReadonlyMap<string, number> | undefined {
    const file = this.#file;
    const info = messages.find(({ type }) => type === MESSAGES.linkInfo)?.at;
    if (info === undefined) return undefined;
    const names = new Map<string, number>();
    for (const { type, at } of messages) if (type === MESSAGES.link) this.#link(at, names);
    const start = info + 2 + (file.number(info + 1, 1) & 1) * 8;
    // A hash stands before the identifier.
    for (const at of this.#dense(start, 4)) this.#link(at, names);
    return names;
  }

  /** Where messages in a heap begin, and their identifiers in the records of its tree; none where there is no heap. */
  #dense(at: number, before: number): number[] {
    const file = this.#file;
    const [heapAt, tree] = [file.number(at, 8), file.number(at + 8, 8)];
    if (heapAt === UNDEFINED) return [];
    const heap = new FractalHeap(file, heapAt);
    return recordsOf(file, tree).map((record) => heap.find(record + before).at);
  }

  #link(at: number, into: Map<string, number>): void {
    const file = this.#file;
    const flags = file.number(at + 1, 1);
    let place = at + 2;
    const kind = flags & 8 ? file.number(place++, 1) : 0;
    if (flags & 4) place += 8;
    if (flags & 16) place++;
    const size = 1 << (flags & 3);
    const length = file.number(place, size);
    file.block(place + size, length);
    // Others lead to a path, or to another file.
    if (kind === 0) into.set(file.text(place + size, length), file.number(place + size + length, 8));
  }

  #symbolTable(table: number): ReadonlyMap<string, number> {
    const names = new Map<string, number>();
    const heap = this.#file.number(table + 8, 8);
    this.#file.signature(heap, "HEAP");
    const [size, data] = [this.#file.number(heap + 8, 8), this.#file.number(heap + 24, 8)];
    this.#file.room(data, size);
    const seen = new Set<number>();
    const nodes = [this.#file.number(table, 8)];
    for (let node = nodes.pop(); node !== undefined; node = nodes.pop()) {
      if (seen.has(node)) throw this.#file.damaged(`a group that holds itself, at byte ${node}`);
      seen.add(node);
      if (this.#file.has(node, "SNOD")) this.#symbols(node, data, data + size, names);
      else nodes.push(...this.#branches(node).reverse());
    }
    return names;
  }

  /** The nodes below a node of a group's tree. */
  #branches(node: number): number[] {
    this.#file.signature(node, "TREE");
    if (this.#file.number(node + 4, 1) !== 0)
      throw this.#file.damaged(`a tree that is no group's, at byte ${node}`);
    const count = this.#file.number(node + 6, 2);
    this.#file.block(node + 24, 8 + 16 * count);
    return Array.from({ length: count }, (_, k) => this.#file.number(node + 32 + 16 * k, 8));
  }

  #symbols(node: number, names: number, end: number, into: Map<string, number>): void {
    const count = this.#file.number(node + 6, 2);
    this.#file.block(node + 8, 40 * count);
    for (let k = 0; k < count; k++) {
      const at = node + 8 + 40 * k;
      const start = names + this.#file.number(at, 8);
      if (start >= end) throw this.#file.damaged(`a name outside of its heap, at byte ${at}`);
      const stop = this.#file.bytes.subarray(start, end).indexOf(0);
      const length = stop < 0 ? end - start : stop;
      this.#file.block(start, length);
      const isLink = this.#file.number(at + 16, 4) === 2;
      if (!isLink) into.set(this.#file.text(start, length), this.#file.number(at + 8, 8));
    }
  }

  /** A dataset; undefined for a group. */
  dataset(header: number): Data | undefined {
    const messages = this.#messages(header);
    const message = (type: number) => messages.find((each) => each.type === type);
    const [space, type, layout] = [MESSAGES.dataspace, MESSAGES.datatype, MESSAGES.layout].map(message);
    if (!space || !type || !layout) return undefined;
    const shape = this.#shape(space.at);
    const found = { type: this.#datatype(type.at), shape };
    const bytes = shape.reduce((product, d) => product * d, found.type.size);
    const [version, kind] = [this.#file.number(layout.at, 1), this.#file.number(layout.at + 1, 1)];
    if (version < 3 || version > 5) throw this.#file.damaged(`a layout of version ${version}`);
    if (kind > 2) throw this.#file.damaged("a dataset in other files", "a dataset in the file");
    if (kind === 2) {
      if (!this.#chunking) throw new InChunks();
      const chunks = this.#chunking.chunksOf(this.#file, layout.at, message(MESSAGES.filters)?.at);
      if (chunks.size !== found.type.size)
        throw this.#file.damaged(`chunks of numbers of ${chunks.size} bytes in place of ${found.type.size}`);
      return { ...found, at: 0, bytes, cut: { chunks, most: this.#most(space.at, shape) } };
    }
    const at = kind === 0 ? layout.at + 4 : this.#file.number(layout.at + 2, 8);
    const own = kind === 0 ? this.#file.number(layout.at + 2, 2) : this.#file.number(layout.at + 10, 8);
    if (bytes > 0 && own < bytes) throw this.#file.damaged(`${own} bytes for shape (${shape.join(", ")})`);
    // Where there are no numbers, they lie nowhere.
    return { ...found, at: bytes === 0 ? 0 : at, bytes };
  }

  /** An attribute of an object. */
  attribute(header: number, name: string): Data | undefined {
    const at = this.#attributes(header).get(name);
    if (at === undefined) return undefined;
    const version = this.#file.number(at, 1);
    const pad = (size: number) => (version === 1 ? Math.ceil(size / 8) * 8 : size);
    const [own, typeSize, spaceSize] = [2, 4, 6].map((place) => this.#file.number(at + place, 2));
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
    const messages = this.#messages(header);
    const info = messages.find(({ type }) => type === MESSAGES.attributeInfo)?.at;
    const inHeader = messages.filter(({ type }) => type === MESSAGES.attribute).map(({ at }) => at);
    const others =
      info === undefined ? [] : this.#dense(info + 2 + (this.#file.number(info + 1, 1) & 1) * 2, 0);
    for (const at of [...inHeader, ...others]) {
      const version = this.#file.number(at, 1);
      if (version < 1 || version > 3) throw this.#file.damaged(`an attribute of version ${version}`);
      const length = this.#file.number(at + 2, 2);
      this.#file.block(at, length);
      const name = this.#file.text(at + (version === 3 ? 9 : 8), length).replace(/\0.*$/s, "");
      if (!names.has(name)) names.set(name, at);
    }
    this.#attributeNames.set(header, names);
    return names;
  }

  numbers(data: Data): Float32Array {
    const { type, shape, at, bytes } = data;
    const { class: kind, size, littleEndian, signed } = type;
    if (kind !== "float" && kind !== "integer") throw this.#file.damaged(`a ${kind}`, "numbers");
    const file = this.#piece(data);
    file.block(at, bytes);
    const count = shape.reduce((product, d) => product * d, 1);
    if (kind === "float" && size === 4 && littleEndian)
      return new Float32Array(file.bytes.slice(at, at + bytes).buffer);
    const { view } = file;
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
    if (!one) throw this.#file.damaged(`${kind} numbers of ${size} bytes`);
    return Float32Array.from({ length: count }, (_, k) => one(at + k * size));
  }

  /** One number, with all its digits. */
  whole(data: Data): number {
    const { type, at } = data;
    if (type.class !== "integer" || type.size > 8 || !type.littleEndian) return this.numbers(data)[0];
    return this.#piece(data).number(at, type.size);
  }

  /** The bytes that a dataset lies in: the file's, or its own put together. */
  #piece({ shape, cut }: Data): Hdf5Bytes {
    if (!cut) return this.#file;
    return this.#file.made(this.#chunking!.assembled(this.#file, cut.chunks, shape, cut.most));
  }

  texts({ type, shape, at, bytes }: Data): string[] {
    const count = shape.reduce((product, d) => product * d, 1);
    if (count === 0) return [];
    if (type.size === 0) throw this.#file.damaged("texts of no bytes");
    this.#file.block(at, bytes);
    if (type.class === "string") {
      return Array.from({ length: count }, (_, k) =>
        this.#file.text(at + k * type.size, type.size).replace(/\0.*$/s, ""),
      );
    }
    if (type.class !== "text") throw this.#file.damaged(`a ${type.class}`, "a text, or a list of texts");
    return Array.from({ length: count }, (_, k) => this.#fromHeap(at + 16 * k));
  }

  /** A text of any length: its length, a collection of such, and its place there. */
  #fromHeap(at: number): string {
    const [length, collection, index] = [
      this.#file.number(at, 4),
      this.#file.number(at + 4, 8),
      this.#file.number(at + 12, 4),
    ];
    if (length === 0) return "";
    const piece = this.#heap(collection).get(index);
    if (!piece || piece.bytes < length) throw this.#file.damaged(`no text ${index} at byte ${collection}`);
    this.#file.block(piece.at, length);
    return this.#file.text(piece.at, length);
  }

  /** The pieces of a collection by their numbers. */
  #heap(collection: number): ReadonlyMap<number, Piece> {
    const known = this.#heaps.get(collection);
    if (known) return known;
    this.#file.signature(collection, "GCOL");
    const size = this.#file.number(collection + 8, 8);
    this.#file.block(collection, size);
    const pieces = new Map<number, Piece>();
    for (let at = collection + 16; at + 16 <= collection + size; ) {
      const [index, bytes] = [this.#file.number(at, 2), this.#file.number(at + 8, 8)];
      // What is left.
      if (index === 0) break;
      if (!pieces.has(index)) pieces.set(index, { at: at + 16, bytes });
      at += 16 + Math.ceil(bytes / 8) * 8;
    }
    this.#heaps.set(collection, pieces);
    return pieces;
  }

  #shape(at: number): readonly number[] {
    const [version, rank] = [this.#file.number(at, 1), this.#file.number(at + 1, 1)];
    if (version !== 1 && version !== 2) throw this.#file.damaged(`a dataspace of version ${version}`);
    if (rank > 32) throw this.#file.damaged(`${rank} axes`);
    // Version 2 tells an empty one by its type.
    if (version === 2 && this.#file.number(at + 3, 1) === 2) return [0];
    const start = at + (version === 1 ? 8 : 4);
    return Array.from({ length: rank }, (_, axis) => this.#file.number(start + 8 * axis, 8));
  }

  /** How far each axis may grow. */
  #most(at: number, shape: readonly number[]): readonly number[] {
    const [version, flags] = [this.#file.number(at, 1), this.#file.number(at + 2, 1)];
    if ((flags & 1) === 0) return shape;
    const start = at + (version === 1 ? 8 : 4) + 8 * shape.length;
    return shape.map((now, axis) => {
      const most = this.#file.number(start + 8 * axis, 8);
      if (most < now) throw this.#file.damaged(`an axis of ${now} that may grow to ${most}`);
      return most;
    });
  }

  #datatype(at: number): DataType {
    const first = this.#file.number(at, 1);
    const bits = this.#file.number(at + 1, 1);
    const size = this.#file.number(at + 4, 4);
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
    const found = messagesOf(this.#file, header);
    this.#headers.set(header, found);
    return found;
  }
}
