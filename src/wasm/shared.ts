// Memory that threads share, and modules of the kernels that take it: as they are built, the kernels bring memory of their own.
const PAGE = 65536;
/** Kinds of sections of a module, in the order in which they stand. */
const [TYPES, IMPORTS, MEMORIES] = [1, 2, 5];
/** Shared memory must say how large it may become. Not every system sets aside all that could be addressed. */
const MOST_PAGES = [65535, 32768, 16384, 8192, 4096];

/** Shared memory of so many bytes at first, which may grow as far as the system allows. */
export function sharedMemory(bytes: number): WebAssembly.Memory {
  const initial = Math.ceil(bytes / PAGE);
  let refusal: unknown;
  for (const maximum of MOST_PAGES) {
    try {
      return new WebAssembly.Memory({ initial, maximum, shared: true });
    } catch (error) {
      refusal = error;
    }
  }
  throw refusal;
}

/** The same module, its memory imported as `env.memory` and shared; and how many bytes it wants at first. */
export function importingMemory(bytes: Uint8Array): { bytes: Uint8Array<ArrayBuffer>; initial: number } {
  const found = sections(bytes);
  // One memory: how many there are, whether it has a maximum, its pages.
  const [pages] = unsigned(bytes, found.find(({ kind }) => kind === MEMORIES)!.content + 2);
  const limits = [3, ...leb(pages), ...leb(65536)];
  const entry = [1, ...name("env"), ...name("memory"), 2, ...limits];
  const parts = found.flatMap(({ kind, from, to }) => {
    if (kind === MEMORIES) return [];
    const own = bytes.subarray(from, to);
    return kind === TYPES ? [own, Uint8Array.from([IMPORTS, ...leb(entry.length), ...entry])] : [own];
  });
  const header = bytes.subarray(0, 8);
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, header.length));
  let at = 0;
  for (const part of [header, ...parts]) {
    whole.set(part, at);
    at += part.length;
  }
  return { bytes: whole, initial: pages * PAGE };
}

function sections(bytes: Uint8Array): { kind: number; from: number; content: number; to: number }[] {
  const found = [];
  for (let from = 8; from < bytes.length; ) {
    const [size, content] = unsigned(bytes, from + 1);
    found.push({ kind: bytes[from], from, content, to: content + size });
    from = content + size;
  }
  return found;
}

/** A number in LEB128, and where the next byte lies. */
function unsigned(bytes: Uint8Array, at: number): [value: number, next: number] {
  let value = 0;
  let next = at;
  for (let factor = 1; ; factor *= 128) {
    const byte = bytes[next++];
    value += (byte & 127) * factor;
    if (byte < 128) return [value, next];
  }
}

function leb(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...leb(value >>> 7)];
}

function name(text: string): number[] {
  return [text.length, ...[...text].map((character) => character.charCodeAt(0))];
}
