// Zip archives in memory: entries unpacked under a limit, and written uncompressed. Through fflate, which is loaded with the first one.
import { CRC32, crc32 } from "./crc32.js";
import { UnreelError } from "./errors.js";

/** What an archive may hold unpacked: so many times its size, or so many bytes, whichever is more. */
const MOST_TIMES = 40;
const MOST_BYTES = 64 << 20;
/** What the end of an archive begins with, and its least size. */
const [END, END_BYTES] = [0x06054b50, 22];

export function isZip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x50 && bytes[1] === 0x4b && (bytes[2] === 3 || bytes[2] === 5);
}

/** Entries whose names are wanted, unpacked. Sizes are checked before anything is, and what comes out against its checksum. */
export async function readZip(
  operation: string,
  bytes: Uint8Array,
  wanted: (name: string) => boolean,
): Promise<Map<string, Uint8Array>> {
  const { unzipSync } = await import("fflate");
  const most = Math.max(MOST_BYTES, bytes.length * MOST_TIMES);
  let sum = 0;
  const seen = new Set<string>();
  const refuse = (name: string, expected: string, got: string, hint?: string) =>
    new UnreelError({ operation: `${operation}: ${name}`, expected, got, hint });
  try {
    const entries = unzipSync(bytes, {
      filter({ name, originalSize, size, compression }) {
        if (!wanted(name)) return false;
        sum += originalSize;
        if (seen.has(name)) throw refuse(name, "one entry of a name", "two");
        if (compression !== 0 && compression !== 8) {
          throw refuse(name, "stored or deflated bytes", `method ${compression}`);
        }
        if (sum > most || (compression === 0 && originalSize !== size)) {
          const hint = "The archive claims to hold far more than it can.";
          throw refuse(name, `at most ${most} bytes unpacked`, `${sum}`, hint);
        }
        seen.add(name);
        return true;
      },
    });
    const sums = checksums(bytes);
    for (const [name, entry] of Object.entries(entries)) {
      const [found, wanted] = [crc32(entry, CRC32), sums.get(name)].map((sum) => (sum ?? 0).toString(16));
      if (found === wanted) continue;
      const hint = "The file was damaged on its way. Fetch or copy it again.";
      throw refuse(name, `bytes with the checksum ${wanted}`, found, hint);
    }
    return new Map(Object.entries(entries));
  } catch (error) {
    throw error instanceof UnreelError ? error : notWhole(operation, error);
  }
}

/** The names of the entries; undefined where the archive has no directory, as when its end was cut off. */
export function zipNames(bytes: Uint8Array): readonly string[] | undefined {
  try {
    return endOf(bytes) === undefined ? undefined : [...checksums(bytes).keys()];
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Where the end begins, which tells where the directory does. */
function endOf(bytes: Uint8Array): number | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let end = bytes.length - END_BYTES; end >= 0; end--) if (view.getUint32(end, true) === END) return end;
  return undefined;
}

/** The checksums of the entries, by name: the directory at the end of an archive has them. */
function checksums(bytes: Uint8Array): Map<string, number> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = endOf(bytes) ?? 0;
  const found = new Map<string, number>();
  let at = view.getUint32(end + 16, true);
  for (let left = view.getUint16(end + 10, true); left > 0; left--) {
    const [name, extra, comment] = [28, 30, 32].map((offset) => view.getUint16(at + offset, true));
    found.set(
      new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + name)),
      view.getUint32(at + 16, true),
    );
    at += 46 + name + extra + comment;
  }
  return found;
}

function notWhole(operation: string, error: unknown): UnreelError {
  const got = error instanceof Error ? error.message : String(error);
  return new UnreelError({ operation, expected: "a whole zip archive", got });
}

/** An archive of these entries, none of them compressed, as Keras writes its own. */
export async function writeZip(entries: ReadonlyMap<string, Uint8Array>): Promise<Uint8Array> {
  const { zipSync } = await import("fflate");
  // The same bytes at any time: no clock in the archive.
  const options = { level: 0, mtime: new Date(1980, 0, 1) } as const;
  return zipSync(Object.fromEntries([...entries].map(([name, bytes]) => [name, [bytes, options]])));
}
