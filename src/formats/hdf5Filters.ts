// What was done to the bytes of an HDF5 chunk before they were written, undone: deflate, shuffle, fletcher32.
// HDF5 File Format Specification, version 3: IV.A.2.l
import { inflated } from "../zip.js";
import type { Hdf5Bytes } from "./hdf5Bytes.js";

export interface Filter {
  readonly id: number;
  readonly values: readonly number[];
}

export type Unzlib = typeof import("fflate").Unzlib;

const [DEFLATE, SHUFFLE, FLETCHER] = [1, 2, 3];
const OTHERS: Readonly<Record<number, string>> = { 4: "szip", 5: "nbit", 6: "scaleoffset", 32000: "lzf" };

/** The filters of a dataset, in the order in which they were applied. */
export function filtersOf(file: Hdf5Bytes, at: number): Filter[] {
  const [version, count] = [file.number(at, 1), file.number(at + 1, 1)];
  if (version !== 1 && version !== 2) throw file.damaged(`filters of version ${version}`);
  if (count > 32) throw file.damaged(`${count} filters`);
  let place = at + (version === 1 ? 8 : 2);
  const filters = Array.from({ length: count }, () => {
    const id = file.number(place, 2);
    // Filters of the library's own have no name in the newer form.
    const hasName = version === 1 || id >= 256;
    const named = hasName ? file.number(place + 2, 2) : 0;
    const numbers = file.number(place + (hasName ? 6 : 4), 2);
    const start = place + (hasName ? 8 : 6) + (version === 1 ? Math.ceil(named / 8) * 8 : named);
    const values = Array.from({ length: numbers }, (_, k) => file.number(start + 4 * k, 4));
    place = start + 4 * (numbers + (version === 1 ? numbers % 2 : 0));
    if (id !== DEFLATE && id !== SHUFFLE && id !== FLETCHER) {
      const hint = "h5repack -f GZIP=6 makes one of it.";
      const expected = "numbers that are packed with gzip, shuffle or fletcher32, or as they are";
      throw file.damaged(`the filter ${OTHERS[id] ?? id}`, expected, hint);
    }
    return { id, values };
  });
  // A chunk is gone through by each of them.
  if (new Set(filters.map(({ id }) => id)).size < count) throw file.damaged("one filter twice");
  return filters;
}

/** A chunk as it was before the filters: so many bytes. */
export function unfiltered(
  file: Hdf5Bytes,
  stored: Uint8Array,
  filters: readonly Filter[],
  bytes: number,
  Unzlib: Unzlib,
): Uint8Array {
  const sums = (upTo: number) => 4 * filters.slice(0, upTo).filter(({ id }) => id === FLETCHER).length;
  let now = stored;
  for (let k = filters.length - 1; k >= 0; k--) {
    const { id, values } = filters[k];
    if (id === DEFLATE) now = unpacked(file, now, bytes + sums(k), Unzlib);
    else if (id === SHUFFLE) now = unshuffled(now, values[0] ?? 1);
    else now = checked(file, now);
  }
  if (now.length === bytes) return now;
  throw file.damaged(`a chunk of ${now.length} bytes in place of ${bytes}`);
}

/** Deflated bytes between a header and a checksum (RFC 1950). */
function unpacked(file: Hdf5Bytes, packed: Uint8Array, bytes: number, Unzlib: Unzlib): Uint8Array {
  const out = inflated(file.place, Unzlib, packed, bytes);
  const told = packed.subarray(-4).reduce((sum, byte) => sum * 256 + byte, 0);
  if (adler32(out) === told) return out;
  throw file.damaged(`a wrong checksum of a chunk of ${bytes} bytes`);
}

function adler32(bytes: Uint8Array): number {
  let [one, two] = [1, 0];
  for (let at = 0; at < bytes.length; ) {
    // So many fit before the sums are reduced.
    for (const end = Math.min(at + 3800, bytes.length); at < end; at++) {
      one += bytes[at];
      two += one;
    }
    one %= 65521;
    two %= 65521;
  }
  return two * 65536 + one;
}

/** All first bytes of numbers stand before all second ones. What is left over stands behind. */
function unshuffled(bytes: Uint8Array, size: number): Uint8Array {
  const count = Math.floor(bytes.length / size);
  if (size < 2 || count < 2) return bytes;
  const out = bytes.slice();
  for (let byte = 0, from = 0; byte < size; byte++)
    for (let k = 0; k < count; k++) out[k * size + byte] = bytes[from++];
  return out;
}

function checked(file: Hdf5Bytes, bytes: Uint8Array): Uint8Array {
  const end = bytes.length - 4;
  if (end < 0) throw file.damaged(`a chunk of ${bytes.length} bytes with its checksum`);
  const content = bytes.subarray(0, end);
  const [a, b, c, d] = bytes.subarray(end);
  const sum = fletcher32(content);
  const told = (a | (b << 8) | (c << 16) | (d << 24)) >>> 0;
  // As versions before 1.6.3 of the library wrote it.
  const turned = (b | (a << 8) | (d << 16) | (c << 24)) >>> 0;
  if (sum === told || sum === turned) return content;
  throw file.damaged(`a wrong checksum of a chunk of ${end} bytes`);
}

/** Of pairs of bytes, the first the higher one (H5_checksum_fletcher32). */
function fletcher32(bytes: Uint8Array): number {
  let [one, two] = [0, 0];
  for (let at = 0; at < bytes.length; at += 2) {
    one = folded(one + ((bytes[at] << 8) | (bytes[at + 1] ?? 0)));
    two = folded(two + one);
  }
  return ((two << 16) | one) >>> 0;
}

const folded = (sum: number) => (sum & 0xffff) + (sum >>> 16);
