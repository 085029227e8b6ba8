// Zip archives in memory: entries unpacked under a limit, and written uncompressed. Through fflate, which is loaded with the first that is deflated.
import { CRC32, crc32 } from "./crc32.js";
import { UnreelError } from "./errors.js";

/** What a file may hold unpacked: so many times its size, or so many bytes, whichever is more. */
const MOST_TIMES = 20;
const MOST_BYTES = 32 << 20;
const CLAIMS = "The file claims to hold far more than it can.";
/** Deflate makes no more than so many bytes of one. */
const DEFLATED_TIMES = 1032;
/** What the parts of an archive begin with, and their least sizes. */
const [END, END_BYTES] = [0x06054b50, 22];
const [CENTRAL, CENTRAL_BYTES] = [0x02014b50, 46];
const [LOCAL, LOCAL_BYTES] = [0x04034b50, 30];
/** Bytes of an entry's name, which messages tell. */
const LONGEST_NAME = 500;
/** Bytes that are inflated at a time: they become 34 MB at most. */
const PIECE = 1 << 15;

/** What a file may hold unpacked that is no stranger's: so many bytes, even if that is far more than its own, and what to do about more. */
export interface Limit {
  readonly bytes: number;
  readonly hint: string;
}

/** Counts what is taken out of a file of so many bytes, and refuses what is far more than it can hold: sizes that nothing stands behind,
 * or one piece that stands for many. To be asked before room is made. */
export function allowance(bytes: number, limit?: Limit): (place: string, more: number) => void {
  const most = limit?.bytes ?? Math.max(MOST_BYTES, bytes * MOST_TIMES);
  let sum = 0;
  return (place, more) => {
    sum += more;
    if (sum <= most) return;
    throw new UnreelError({
      operation: place,
      expected: `at most ${most} bytes unpacked`,
      got: `${sum}`,
      hint: limit?.hint ?? CLAIMS,
    });
  };
}

/** Entries whose names are wanted, unpacked. Sizes are checked before anything is, and what comes out against its size and checksum. */
export async function readZip(
  operation: string,
  bytes: Uint8Array,
  wanted: (name: string) => boolean,
  limit?: Limit,
): Promise<Map<string, Uint8Array>> {
  const take = allowance(bytes.length, limit);
  const found = new Map<string, Entry>();
  const refuse = (name: string, expected: string, got: string, hint?: string) =>
    new UnreelError({ operation: `${operation}: ${name}`, expected, got, hint });
  for (const entry of entriesOf(operation, bytes)) {
    const { name, method, size, packed } = entry;
    if (!wanted(name)) continue;
    if (found.has(name)) throw refuse(name, "one entry of a name", "two");
    if (method !== 0 && method !== 8) throw refuse(name, "stored or deflated bytes", `method ${method}`);
    if (method === 0 && size !== packed.length)
      throw refuse(name, `${size} stored bytes`, `${packed.length}`);
    refuseClaim(`${operation}: ${name}`, packed, size);
    take(`${operation}: ${name}`, size);
    found.set(name, entry);
  }
  // Keras stores its entries as they are.
  const isDeflated = [...found.values()].some(({ method }) => method === 8);
  const fflate = isDeflated ? await import("fflate") : undefined;
  const unpacked = new Map<string, Uint8Array>();
  for (const [name, { method, size, packed, checksum }] of found) {
    const place = `${operation}: ${name}`;
    const entry = method === 0 ? packed.slice() : inflated(place, fflate!.Inflate, packed, size);
    const sum = crc32(entry, CRC32);
    if (sum !== checksum) {
      const hint = "The file was damaged on its way. Fetch or copy it again.";
      throw refuse(name, `bytes with the checksum ${checksum.toString(16)}`, sum.toString(16), hint);
    }
    unpacked.set(name, entry);
  }
  return unpacked;
}

/** The names of the entries; undefined where the archive has no whole directory, as when its end was cut off. */
export function zipNames(bytes: Uint8Array): readonly string[] | undefined {
  try {
    return entriesOf("", bytes).map(({ name }) => name);
  } catch (error) {
    if (error instanceof UnreelError) return undefined;
    throw error;
  }
}

interface Entry {
  readonly name: string;
  /** 0 for stored bytes, 8 for deflated ones. */
  readonly method: number;
  readonly checksum: number;
  /** Bytes unpacked, as the archive tells. */
  readonly size: number;
  readonly packed: Uint8Array;
}

/** What the directory at the end of an archive lists. */
function entriesOf(operation: string, bytes: Uint8Array): Entry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const part = (at: number, size: number, what: string) => {
    if (at + size <= bytes.length) return bytes.subarray(at, at + size);
    throw notWhole(operation, `${what} outside of its ${bytes.length} bytes`);
  };
  const begins = (at: number, size: number, signature: number, what: string) => {
    part(at, size, what);
    if (view.getUint32(at, true) !== signature) throw notWhole(operation, `no ${what} at byte ${at}`);
  };
  let end = bytes.length - END_BYTES;
  // Behind it a comment of any text may stand.
  const first = Math.max(0, end - 0xffff);
  while (end >= first && view.getUint32(end, true) !== END) end--;
  if (end < first) throw notWhole(operation, "no directory at its end");
  let at = view.getUint32(end + 16, true);
  return Array.from({ length: view.getUint16(end + 10, true) }, () => {
    begins(at, CENTRAL_BYTES, CENTRAL, "entry of the directory");
    const [length, extra, comment] = [28, 30, 32].map((offset) => view.getUint16(at + offset, true));
    if (length > LONGEST_NAME) throw notWhole(operation, `a name of ${length} bytes at byte ${at}`);
    const name = new TextDecoder().decode(part(at + CENTRAL_BYTES, length, "a name"));
    const method = view.getUint16(at + 10, true);
    const [checksum, packed, size] = [16, 20, 24].map((offset) => view.getUint32(at + offset, true));
    const local = view.getUint32(at + 42, true);
    begins(local, LOCAL_BYTES, LOCAL, `entry '${name}'`);
    const begin = local + LOCAL_BYTES + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
    at += CENTRAL_BYTES + length + extra + comment;
    return { name, method, checksum, size, packed: part(begin, packed, `entry '${name}'`) };
  });
}

/** Before room is made for what cannot be. */
function refuseClaim(operation: string, packed: Uint8Array, size: number): void {
  const most = (packed.length + 1) * DEFLATED_TIMES;
  if (size <= most) return;
  throw new UnreelError({
    operation,
    expected: `at most ${most} bytes unpacked`,
    got: `${size}`,
    hint: CLAIMS,
  });
}

/** Deflated bytes unpacked, piece by piece: whatever a file claims, not much more of it is made. */
export function inflated(
  operation: string,
  Inflate: typeof import("fflate").Inflate | typeof import("fflate").Unzlib,
  packed: Uint8Array,
  size: number,
): Uint8Array {
  refuseClaim(operation, packed, size);
  const out = new Uint8Array(size);
  let length = 0;
  const refuse = (got: string) =>
    new UnreelError({ operation, expected: `${size} bytes unpacked, as the file tells`, got });
  const inflate = new Inflate((some) => {
    if (length + some.length > size) throw refuse("more");
    out.set(some, length);
    length += some.length;
  });
  try {
    for (let at = 0; at < packed.length; at += PIECE) inflate.push(packed.subarray(at, at + PIECE));
  } catch (error) {
    throw error instanceof UnreelError ? error : refuse(error instanceof Error ? error.message : `${error}`);
  }
  if (length < size) throw refuse(`${length}`);
  return out;
}

function notWhole(operation: string, got: string): UnreelError {
  const hint = "Was it downloaded to its end?";
  return new UnreelError({ operation, expected: "a whole zip archive", got, hint });
}

/** An archive of these entries, none of them compressed, as Keras writes its own. */
export async function writeZip(entries: ReadonlyMap<string, Uint8Array>): Promise<Uint8Array> {
  const { zipSync } = await import("fflate");
  // The same bytes at any time: no clock in the archive.
  const options = { level: 0, mtime: new Date(1980, 0, 1) } as const;
  return zipSync(Object.fromEntries([...entries].map(([name, bytes]) => [name, [bytes, options]])));
}
