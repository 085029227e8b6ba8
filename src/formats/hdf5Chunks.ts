// A dataset in chunks, as files that were repacked, compressed or made to grow have them, put together. Where each chunk lies:
// hdf5ChunkIndex.ts; what was done to its bytes: hdf5Filters.ts. HDF5 File Format Specification, version 3: IV.A.2.i (layout)
import { type Hdf5Bytes, UNDEFINED } from "./hdf5Bytes.js";
import { type Index, locate, numbersAt, type Stored } from "./hdf5ChunkIndex.js";
import { type Filter, filtersOf, type Unzlib, unfiltered } from "./hdf5Filters.js";

/** How a dataset is cut. */
export interface Chunks {
  /** Of a chunk; those at the ends are whole too. */
  readonly shape: readonly number[];
  /** Bytes of a number. */
  readonly size: number;
  readonly index: Index;
  readonly filters: readonly Filter[];
  /** Chunks that reach out of the dataset are stored as they are. */
  readonly plainEnds: boolean;
}

/** What reads datasets in chunks, with what unpacks them. `filters`: where the message of the filters is. */
export async function chunking() {
  const { Unzlib } = await import("fflate");
  return {
    chunksOf: (file: Hdf5Bytes, at: number, filters?: number) =>
      chunksOf(file, at, filters === undefined ? [] : filtersOf(file, filters)),
    assembled: (file: Hdf5Bytes, chunks: Chunks, shape: readonly number[], most: readonly number[]) =>
      assembled(file, chunks, shape, most, Unzlib),
  };
}
export type Chunking = Awaited<ReturnType<typeof chunking>>;

/** The layout message of a dataset in chunks, of version 3 to 5. */
function chunksOf(file: Hdf5Bytes, at: number, filters: readonly Filter[]): Chunks {
  const version = file.number(at, 1);
  if (version === 3) {
    const rank = file.number(at + 2, 1);
    const sizes = numbersAt(file, at + 11, rank, 4);
    return cut(file, sizes, filters, { kind: "tree", at: file.number(at + 3, 8) }, false);
  }
  const [flags, rank, width] = [2, 3, 4].map((place) => file.number(at + place, 1));
  if (width < 1 || width > 8) throw file.damaged(`sizes of chunks of ${width} bytes`);
  const sizes = numbersAt(file, at + 5, rank, width);
  const after = at + 5 + rank * width;
  const kind = file.number(after, 1);
  const plainEnds = (flags & 1) !== 0;
  if (kind === 1) {
    const isFiltered = (flags & 2) !== 0;
    const index: Index = {
      kind: "single",
      at: file.number(after + (isFiltered ? 13 : 1), 8),
      bytes: isFiltered ? file.number(after + 1, 8) : undefined,
      skipped: isFiltered ? file.number(after + 9, 4) : 0,
    };
    return cut(file, sizes, filters, index, plainEnds);
  }
  const kinds = ["implicit", "fixed", "extensible", "newerTree"] as const;
  const [name, settings] = [kinds[kind - 2], [0, 1, 5, 6][kind - 2]];
  if (name === undefined) throw file.damaged(`an index of chunks of kind ${kind}`);
  return cut(file, sizes, filters, { kind: name, at: file.number(after + 1 + settings, 8) }, plainEnds);
}

/** The last of the sizes is that of a number. */
function cut(
  file: Hdf5Bytes,
  sizes: readonly number[],
  filters: readonly Filter[],
  index: Index,
  plainEnds: boolean,
): Chunks {
  if (sizes.length < 2 || sizes.some((size) => !(size > 0)))
    throw file.damaged(`chunks of shape (${sizes.join(", ")})`);
  return { shape: sizes.slice(0, -1), size: sizes.at(-1)!, index, filters, plainEnds };
}

const productOf = (sizes: readonly number[]) => sizes.reduce((product, size) => product * size, 1);

/** The numbers of a dataset put together. Room is made when the limit allows for all of its chunks unpacked. */
function assembled(
  file: Hdf5Bytes,
  { shape: chunk, size, index, filters, plainEnds }: Chunks,
  shape: readonly number[],
  most: readonly number[],
  Unzlib: Unzlib,
): Uint8Array<ArrayBuffer> {
  if (chunk.length !== shape.length) throw file.damaged(`chunks of ${chunk.length} axes of ${shape.length}`);
  const counts = shape.map((length, axis) => Math.ceil(length / chunk[axis]));
  const wanted = productOf(counts);
  if (wanted === 0) return new Uint8Array(0);
  const chunkBytes = size * productOf(chunk);
  file.claim(wanted * chunkBytes);
  const found = new Map<number, Stored>();
  const placeIn = (place: readonly number[]) => place.reduce((sum, p, axis) => sum * counts[axis] + p, 0);
  const take = (place: readonly number[], stored: Stored) => {
    // A dataset may have been made smaller.
    if (stored.at === UNDEFINED || place.some((p, axis) => p >= counts[axis])) return;
    const number = placeIn(place);
    if (found.has(number)) throw file.damaged(`two chunks at (${place.join(", ")})`);
    found.set(number, stored);
  };
  // Where sizes are bounded, chunks are counted as if the dataset had grown to its bounds; the axis without any counts slowest.
  const free = most.indexOf(UNDEFINED);
  const order = [...(free < 0 ? [] : [free]), ...most.keys()].filter(
    (axis, k, all) => all.indexOf(axis) === k,
  );
  const rows = order.map((axis) => Math.ceil(most[axis] / chunk[axis]));
  const byNumber = (number: number, stored: Stored) => {
    const place: number[] = [];
    let rest = number;
    for (let k = order.length - 1; k >= 0; k--) {
      const isLast = k === 0;
      place[order[k]] = isLast ? rest : rest % rows[k];
      rest = isLast ? 0 : Math.floor(rest / rows[k]);
    }
    take(place, stored);
  };
  const whole = { bytes: chunkBytes, skipped: 0 };
  locate(
    file,
    index,
    { chunk, filtered: filters.length > 0, whole, count: productOf(rows) },
    { at: take, number: byNumber },
  );
  if (found.size < wanted)
    throw file.damaged(`${found.size} of ${wanted} chunks`, "a dataset whose chunks were all written");
  const out = new Uint8Array(size * productOf(shape));
  for (const [number, { at, bytes, skipped }] of found) {
    const begin: number[] = [];
    let rest = number;
    for (let axis = counts.length - 1; axis >= 0; axis--) {
      begin[axis] = (rest % counts[axis]) * chunk[axis];
      rest = Math.floor(rest / counts[axis]);
    }
    const isEnd = begin.some((from, axis) => from + chunk[axis] > shape[axis]);
    file.block(at, bytes);
    const stored = file.bytes.subarray(at, at + bytes);
    const used = plainEnds && isEnd ? [] : filters.filter((_, k) => (skipped & (1 << k)) === 0);
    put(out, unfiltered(file, stored, used, chunkBytes, Unzlib), { shape, chunk, begin, size });
  }
  return out;
}

/** Copies a chunk to its place, row by row. */
function put(
  out: Uint8Array,
  from: Uint8Array,
  {
    shape,
    chunk,
    begin,
    size,
  }: { shape: readonly number[]; chunk: readonly number[]; begin: readonly number[]; size: number },
): void {
  const last = shape.length - 1;
  const inside = shape.map((length, axis) => Math.min(chunk[axis], length - begin[axis]));
  const row = inside[last] * size;
  const at = new Array<number>(shape.length).fill(0);
  for (let left = productOf(inside.slice(0, -1)); left > 0; left--) {
    let [source, target] = [0, 0];
    for (let axis = 0; axis <= last; axis++) {
      source = source * chunk[axis] + at[axis];
      target = target * shape[axis] + begin[axis] + at[axis];
    }
    out.set(from.subarray(source * size, source * size + row), target * size);
    for (let axis = last - 1; axis >= 0; axis--) {
      if (++at[axis] < inside[axis]) break;
      at[axis] = 0;
    }
  }
}
