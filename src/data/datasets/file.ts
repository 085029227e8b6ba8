// A data set's file: from a path, a URL or the cache, with its checksum.
import { md5 } from "@noble/hashes/legacy";
import { sha256 } from "@noble/hashes/sha2";
import { bytesToHex } from "@noble/hashes/utils";
import { show, UnreelError } from "../../errors.js";
import { type Files, fileSystemOr, withFile } from "../../files.js";
import { gunzipped, readBytes, type Source } from "../source.js";

/** What is known of a published file. */
export interface KnownFile {
  /** In the cache. */
  readonly name: string;
  readonly url: string;
  readonly sha256?: string;
  readonly md5?: string;
}

export interface Progress {
  readonly file: string;
  /** Bytes so far. */
  readonly loaded: number;
}

export interface FileOptions {
  /** A file of one's own (a path, bytes, a Blob): nothing is fetched. */
  path?: Exclude<Source, () => unknown>;
  /** In the place of the published address. */
  url?: string | URL;
  /** What the file must have, in hexadecimal digits. Default: the published checksum, where the published address is used. */
  sha256?: string;
  /** Keeps what was fetched: in Node, Deno and Bun in the folder UNREEL_CACHE (default ~/.cache/unreel), in a page in its Cache
   * storage. Default true. */
  cache?: boolean;
  /** Hears of every chunk. Without it one line goes to stderr when something is fetched. */
  onProgress?: (progress: Progress) => void;
}

export const FILE_OPTIONS: Required<FileOptions> = {
  path: undefined as never,
  url: undefined as never,
  sha256: undefined as never,
  cache: true,
  onProgress: undefined as never,
};

/** The bytes of a file, checked; unpacked when they are gzipped. */
export async function loadFile(
  operation: string,
  known: KnownFile,
  options: FileOptions,
): Promise<Uint8Array> {
  const { path, url, cache, onProgress } = options;
  const wanted = options.sha256;
  if (wanted !== undefined && !/^[0-9a-f]{64}$/i.test(wanted)) {
    const expected = "64 hexadecimal digits";
    throw new UnreelError({ operation: `${operation}: sha256`, expected, got: show(wanted) });
  }
  if (onProgress !== undefined && typeof onProgress !== "function") {
    throw new UnreelError({
      operation: `${operation}: onProgress`,
      expected: "a function",
      got: show(onProgress),
    });
  }
  if (path !== undefined) {
    const bytes = await readBytes(operation, path, (loaded) => onProgress?.({ file: known.name, loaded }));
    check(operation, show(path), bytes, { sha256: wanted });
    return gunzip(operation, bytes);
  }
  const address = String(url ?? known.url);
  const sums = url === undefined ? { md5: known.md5, sha256: wanted ?? known.sha256 } : { sha256: wanted };
  const name = url === undefined ? known.name : nameOf(address);
  const store = cache === false ? undefined : await cacheOf();
  const kept = await store?.read(name, address);
  if (kept && mismatch(kept, sums) === undefined) return gunzip(operation, kept);
  if (!onProgress) say(`unreel: ${known.name} from ${address}\n`);
  const bytes = await readBytes(operation, address, (loaded) => onProgress?.({ file: known.name, loaded }));
  check(operation, address, bytes, sums);
  await store?.write(operation, name, address, bytes);
  return gunzip(operation, bytes);
}

export async function loadText(operation: string, known: KnownFile, options: FileOptions): Promise<string> {
  const bytes = await loadFile(operation, known, options);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new UnreelError({ operation, expected: `${known.name}: text in UTF-8`, got: "other bytes" });
  }
}

async function gunzip(operation: string, bytes: Uint8Array): Promise<Uint8Array> {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  const chunks = (async function* () {
    yield bytes as Uint8Array<ArrayBuffer>;
  })();
  return readBytes(operation, gunzipped(operation, chunks));
}

interface Sums {
  readonly sha256?: string;
  readonly md5?: string;
}

function check(operation: string, from: string, bytes: Uint8Array, sums: Sums): void {
  const wrong = mismatch(bytes, sums);
  if (!wrong) return;
  throw new UnreelError({
    operation,
    expected: `${wrong.kind} ${wrong.expected} of ${from}`,
    got: wrong.found,
    hint: "The file is broken, or another version: the option sha256 names the checksum of a file you trust.",
  });
}

function mismatch(bytes: Uint8Array, sums: Sums) {
  if (sums.sha256 !== undefined) {
    const found = bytesToHex(sha256(bytes));
    if (found !== sums.sha256.toLowerCase()) return { kind: "SHA-256", expected: sums.sha256, found };
  }
  if (sums.md5 !== undefined) {
    const found = bytesToHex(md5(bytes));
    if (found !== sums.md5) return { kind: "MD5", expected: sums.md5, found };
  }
  return undefined;
}

/** Of a file from an address of the user's own: two of one name do not meet. */
function nameOf(address: string): string {
  const last = /([\w.-]*)\/?(?:[?#].*)?$/.exec(address)?.[1] ?? "";
  return `${bytesToHex(sha256(new TextEncoder().encode(address))).slice(0, 16)}-${last.replace(/^\.+/, "")}`;
}

function say(line: string): void {
  const { process } = globalThis as { process?: { stderr?: { write?(text: string): void } } };
  process?.stderr?.write?.(line);
}

interface Store {
  read(name: string, address: string): Promise<Uint8Array | undefined>;
  write(operation: string, name: string, address: string, bytes: Uint8Array): Promise<void>;
}

async function cacheOf(): Promise<Store | undefined> {
  const files = await fileSystemOr();
  if (files) return folder(files);
  return typeof caches === "object" ? PAGE : undefined;
}

/** Browsers give pages a cache where they are served safely. */
const PAGE: Store = {
  async read(_, address) {
    const found = await (await caches.open("unreel")).match(address);
    return found && new Uint8Array(await found.arrayBuffer());
  },
  async write(_, __, address, bytes) {
    await (await caches.open("unreel")).put(address, new Response(bytes as Uint8Array<ArrayBuffer>));
  },
};

/** UNREEL_CACHE, or unreel in the user's cache. */
function folder(files: Files): Store | undefined {
  const { process } = globalThis as { process?: { env?: Record<string, string | undefined>; pid?: number } };
  const env = process?.env ?? {};
  const home =
    env.XDG_CACHE_HOME ?? env.LOCALAPPDATA ?? (env.HOME === undefined ? undefined : `${env.HOME}/.cache`);
  const path = env.UNREEL_CACHE ?? (home === undefined ? undefined : `${home}/unreel`);
  if (path === undefined) return undefined;
  return {
    async read(name) {
      try {
        return new Uint8Array(await files.readFile(`${path}/${name}`));
      } catch {
        return undefined;
      }
    },
    async write(operation, name, _, bytes) {
      // Another process may read meanwhile: the name appears when all bytes are there.
      const partial = `${path}/${name}.${process?.pid ?? 0}.partial`;
      await withFile(`${operation}: cache`, path, async () => {
        await files.mkdir(path, { recursive: true });
        await files.writeFile(partial, bytes);
        await files.rename(partial, `${path}/${name}`);
      });
    },
  };
}
