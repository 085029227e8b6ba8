// The bytes of an HDF5 file: numbers, texts, blocks and their checksums, none of which reaches out of it.
import { UnreelError } from "../errors.js";

/** Where there is nothing. */
export const UNDEFINED = 2 ** 64;
/** Bytes of a checksum, which stands at a block's end. */
export const CHECKSUM = 4;

export class Hdf5Bytes {
  readonly bytes: Uint8Array;
  /** What errors call the part that is read now. */
  place: string;
  readonly #take: (place: string, bytes: number) => void;
  readonly view: DataView;

  /** `take` is told of what is gone through, as several things may say that they lie in the same place. */
  constructor(place: string, bytes: Uint8Array, take: (place: string, bytes: number) => void) {
    this.bytes = bytes;
    this.place = place;
    this.#take = take;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** An unsigned number of up to 8 bytes, little endian. */
  number(at: number, size: number): number {
    this.room(at, size);
    if (size === 1) return this.bytes[at];
    if (size === 2) return this.view.getUint16(at, true);
    if (size === 4) return this.view.getUint32(at, true);
    let value = 0;
    for (let k = size - 1; k >= 0; k--) value = value * 256 + this.bytes[at + k];
    return value;
  }

  text(at: number, length: number): string {
    this.room(at, length);
    return new TextDecoder().decode(this.bytes.subarray(at, at + length));
  }

  has(at: number, signature: string): boolean {
    return this.text(at, 4) === signature;
  }

  signature(at: number, expected: string): void {
    if (!this.has(at, expected)) throw this.damaged(`no ${expected} at byte ${at}`);
  }

  /** Refuses what does not lie in the file. */
  room(at: number, size: number): void {
    if (at >= 0 && at < UNDEFINED && at + size <= this.bytes.length) return;
    throw this.damaged(`${size} bytes at byte ${at}, of ${this.bytes.length}`);
  }

  /** Room for what is gone through: blocks may lie in each other, and one may be asked for again and again. */
  block(at: number, size: number): void {
    this.room(at, size);
    this.#take(this.place, size);
  }

  /** Room for what is made of the file. */
  claim(bytes: number): void {
    this.#take(this.place, bytes);
  }

  /** The bytes of a dataset that lie in no one piece, read as those of the file are. */
  made(bytes: Uint8Array): Hdf5Bytes {
    // Counted when they were put together.
    return new Hdf5Bytes(this.place, bytes, () => {});
  }

  /** A block that ends in its checksum. */
  checked(at: number, size: number): void {
    if (this.holds(at, size)) return;
    throw this.damaged(`a wrong checksum of ${size} bytes at byte ${at}`);
  }

  /** Whether a block ends in its checksum. */
  holds(at: number, size: number): boolean {
    this.block(at, size);
    const end = at + size - CHECKSUM;
    return lookup3(this.bytes.subarray(at, Math.max(at, end))) === this.number(end, CHECKSUM);
  }

  damaged(got: string, expected = "a whole HDF5 file", hint?: string): UnreelError {
    return new UnreelError({ operation: this.place, expected, got, hint });
  }
}

const turn = (value: number, bits: number) => (value << bits) | (value >>> (32 - bits));

/** Bob Jenkins' hashlittle, begun with 0 (burtleburtle.net/bob/c/lookup3.c). */
export function lookup3(bytes: Uint8Array): number {
  let a = (0xdeadbeef + bytes.length) | 0;
  let [b, c] = [a, a];
  // Behind the end of the bytes stand zeros.
  const word = (at: number) =>
    (bytes[at] ?? 0) |
    ((bytes[at + 1] ?? 0) << 8) |
    ((bytes[at + 2] ?? 0) << 16) |
    ((bytes[at + 3] ?? 0) << 24);
  let at = 0;
  for (; bytes.length - at > 12; at += 12) {
    a = (a + word(at)) | 0;
    b = (b + word(at + 4)) | 0;
    c = (c + word(at + 8)) | 0;
    a = ((a - c) ^ turn(c, 4)) | 0;
    c = (c + b) | 0;
    b = ((b - a) ^ turn(a, 6)) | 0;
    a = (a + c) | 0;
    c = ((c - b) ^ turn(b, 8)) | 0;
    b = (b + a) | 0;
    a = ((a - c) ^ turn(c, 16)) | 0;
    c = (c + b) | 0;
    b = ((b - a) ^ turn(a, 19)) | 0;
    a = (a + c) | 0;
    c = ((c - b) ^ turn(b, 4)) | 0;
    b = (b + a) | 0;
  }
  if (at === bytes.length) return c >>> 0;
  a = (a + word(at)) | 0;
  b = (b + word(at + 4)) | 0;
  c = (c + word(at + 8)) | 0;
  c = ((c ^ b) - turn(b, 14)) | 0;
  a = ((a ^ c) - turn(c, 11)) | 0;
  b = ((b ^ a) - turn(a, 25)) | 0;
  c = ((c ^ b) - turn(b, 16)) | 0;
  a = ((a ^ c) - turn(c, 4)) | 0;
  b = ((b ^ a) - turn(a, 14)) | 0;
  c = ((c ^ b) - turn(b, 24)) | 0;
  return c >>> 0;
}
