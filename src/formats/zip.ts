// Zip archives in memory: entries unpacked under a limit, and written uncompressed. Through fflate, which is loaded with the first one.
import { UnreelError } from "../errors.js";

/** What an archive may hold unpacked: so many times its size, or so many bytes, whichever is more. */
const MOST_TIMES = 40;
const MOST_BYTES = 64 << 20;

export function isZip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x50 && bytes[1] === 0x4b && (bytes[2] === 3 || bytes[2] === 5);
}

/** Entries whose names are wanted, unpacked. Sizes are checked before anything is. */
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
    return new Map(Object.entries(entries));
  } catch (error) {
    throw error instanceof UnreelError ? error : notWhole(operation, error);
  }
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
