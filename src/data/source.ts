// Text and bytes from wherever they are: a path, a URL, a text, a stream. Read in chunks, unpacked when gzipped.
import { show, UnreelError } from "../errors.js";
import { fileSystemOr } from "../files.js";
import { whyUnread } from "../unread.js";

export type Chunks =
  | Iterable<Uint8Array | string>
  | AsyncIterable<Uint8Array | string>
  | ReadableStream<Uint8Array>;

/**
 * A string with a line break in it is the text itself; any other is a URL (http, https, data, blob, file) or a path (in a page, a
 * URL relative to it). Streams can be read once: give a function that opens one, to read them again.
 */
export type Source =
  | string
  | URL
  | Uint8Array
  | ArrayBuffer
  | Blob
  | Response
  | Chunks
  | (() => Source | Promise<Source>);

/** Bytes read from a file at a time. Four times as many make texts that V8 keeps apart as large objects and collects late: a CSV of
 * 155 MB then had 198 MB at its peak in place of 126. */
const CHUNK = 1 << 16;
const FETCHED = /^(https?|data|blob):/i;

/** The text of a source, in pieces that may end anywhere. */
export async function* textOf(operation: string, source: Source, encoding = "utf-8"): AsyncGenerator<string> {
  const decoder = decoderOf(operation, encoding);
  let read = 0;
  let isFirst = true;
  const decode = (bytes?: Uint8Array) => {
    try {
      return decoder.decode(bytes, { stream: bytes !== undefined });
    } catch {
      throw new UnreelError({
        operation,
        expected: `text in ${encoding}`,
        got: `other bytes before byte ${read}`,
        hint: "Give the option encoding, such as 'euc-kr' or 'latin1'.",
      });
    }
  };
  for await (const chunk of unpacked(operation, await chunksOf(operation, source))) {
    if (typeof chunk === "string") {
      // A decoder leaves the byte order mark out; texts may still have it.
      yield isFirst ? chunk.replace(/^\ufeff/, "") : chunk;
      isFirst = false;
      continue;
    }
    read += chunk.length;
    yield decode(chunk);
  }
  yield decode();
}

/** The bytes of a source in one piece; `progress` hears of each chunk. Texts are UTF-8. */
export async function readBytes(
  operation: string,
  source: Source,
  progress: (loaded: number) => void = () => {},
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of await chunksOf(operation, source)) {
    const bytes = typeof chunk === "string" ? new TextEncoder().encode(chunk) : chunk;
    chunks.push(bytes);
    length += bytes.length;
    progress(length);
  }
  // In one piece already: no copy, but none of Node's buffers, whose slice() is another one.
  if (chunks.length === 1) return new Uint8Array(chunks[0].buffer, chunks[0].byteOffset, length);
  const out = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    out.set(chunk, at);
    at += chunk.length;
  }
  return out;
}

function decoderOf(operation: string, encoding: string): TextDecoder {
  try {
    return new TextDecoder(encoding, { fatal: true });
  } catch {
    const expected = "an encoding, such as 'utf-8' or 'euc-kr'";
    throw new UnreelError({ operation: `${operation}: encoding`, expected, got: show(encoding) });
  }
}

type AsyncChunks = AsyncIterable<Uint8Array | string> | Iterable<Uint8Array | string>;

async function chunksOf(operation: string, source: Source): Promise<AsyncChunks> {
  if (typeof source === "function") return chunksOf(operation, await source());
  if (typeof source === "string") {
    if (/[\n\r]/.test(source)) return [source];
    if (FETCHED.test(source)) return fetched(operation, source);
    return file(operation, /^file:/i.test(source) ? new URL(source) : source);
  }
  if (source instanceof URL) {
    return FETCHED.test(source.protocol) ? fetched(operation, source) : file(operation, source);
  }
  if (source instanceof Uint8Array) return [source];
  if (source instanceof ArrayBuffer) return [new Uint8Array(source)];
  if (source instanceof Response) return bodyOf(operation, source);
  if (source instanceof Blob) return pulled(source.stream());
  if (source instanceof ReadableStream) return checked(operation, pulled(once(operation, source)));
  if (typeof source === "object" && source !== null) {
    if (Symbol.asyncIterator in source || Symbol.iterator in source)
      return checked(operation, source as AsyncChunks);
  }
  const expected = "a path, a URL, a text with line breaks, bytes or a stream";
  const isPromise = typeof (source as { then?: unknown } | null)?.then === "function";
  const hint = isPromise ? "It is a promise: write await before it." : undefined;
  throw new UnreelError({ operation, expected, got: show(source), hint });
}

async function* checked(operation: string, chunks: AsyncChunks): AsyncChunks {
  for await (const chunk of chunks) {
    if (typeof chunk !== "string" && !(chunk instanceof Uint8Array)) {
      throw new UnreelError({ operation, expected: "pieces of text or bytes", got: show(chunk) });
    }
    yield chunk;
  }
}

async function fetched(operation: string, url: string | URL): Promise<AsyncChunks> {
  let response: Response;
  try {
    response = await fetch(url);
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : (error as Error);
    const hint = `${cause.message}. Is the address right, is there a network, and does another site's server allow this page (Access-Control-Allow-Origin)?`;
    throw new UnreelError({ operation, expected: "a URL that answers", got: show(String(url)), hint });
  }
  return bodyOf(operation, response);
}

function bodyOf(operation: string, response: Response): AsyncChunks {
  if (!response.ok) {
    const got = `${response.status} ${response.statusText}`.trim();
    const hint = response.status === 404 ? "Is the address right?" : undefined;
    throw new UnreelError({ operation, expected: `a file at ${response.url || "the URL"}`, got, hint });
  }
  return response.body ? pulled(once(operation, response.body)) : [];
}

/** A stream that nobody has read from yet. */
function once(operation: string, stream: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
  if (!stream.locked && !spent.has(stream)) {
    spent.add(stream);
    return stream;
  }
  throw new UnreelError({
    operation,
    expected: "a stream that was not read before",
    got: "one that was",
    hint: "To read again, as each epoch does, give a function that opens it: () => fetch(url).",
  });
}

const spent = new WeakSet<object>();

/** Pages cannot iterate streams in every browser; readers they all have. */
async function* pulled(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  let isDone = false;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) {
        isDone = true;
        return;
      }
      yield value;
    }
  } finally {
    if (!isDone) await reader.cancel().catch(() => {});
    reader.releaseLock();
  }
}

async function file(operation: string, path: string | URL): Promise<AsyncChunks> {
  const files = await fileSystemOr();
  if (!files) return fetched(operation, path);
  const expected = "a file that can be read";
  const shown = String(path);
  const refused = async (error: unknown) => {
    throw new UnreelError({ operation, expected, got: show(shown), hint: await whyUnread(path, error) });
  };
  const handle = await files.open(path, "r").catch(refused);
  return (async function* () {
    try {
      for (;;) {
        const chunk = new Uint8Array(CHUNK);
        const { bytesRead } = await handle.read(chunk, 0, CHUNK).catch(refused);
        if (bytesRead === 0) return;
        yield chunk.subarray(0, bytesRead);
      }
    } finally {
      await handle.close();
    }
  })();
}

/** Gzipped bytes are unpacked: they begin with 1f 8b, which no text does. */
async function* unpacked(operation: string, chunks: AsyncChunks): AsyncGenerator<Uint8Array | string> {
  const iterator = (async function* () {
    yield* chunks;
  })();
  let first = await iterator.next();
  while (!first.done && first.value.length === 0) first = await iterator.next();
  if (first.done) return;
  const { value } = first;
  const rest = (async function* () {
    try {
      yield value;
      yield* iterator;
    } finally {
      await iterator.return(undefined);
    }
  })();
  if (typeof value === "string" || value[0] !== 0x1f || (value.length > 1 && value[1] !== 0x8b)) yield* rest;
  else yield* gunzipped(operation, rest as AsyncGenerator<Uint8Array<ArrayBuffer>>);
}

/** Unpacks a stream of gzipped bytes as it comes. */
export async function* gunzipped(
  operation: string,
  chunks: AsyncIterator<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<Uint8Array> {
  const packed = new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      async pull(controller) {
        const { done, value } = await chunks.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      async cancel() {
        await chunks.return?.();
      },
    },
    { highWaterMark: 0 },
  );
  try {
    yield* pulled(packed.pipeThrough(new DecompressionStream("gzip")));
  } catch (error) {
    if (error instanceof UnreelError) throw error;
    const got = error instanceof Error ? error.message : String(error);
    throw new UnreelError({ operation, expected: "whole gzipped data", got });
  }
}
