// Gives damaged files to what reads them: each ends in a result or in an error of our own, soon, and in little memory.
// So many of each kind: UNREEL_MUTATIONS=20000, one process for each, as UNREEL_KIND=.h5 (the beginning of the names of tests) picks them.
import * as assert from "uvu/assert";
import { UnreelError } from "../../src/index.js";
import { Random } from "../../src/random.js";

const COUNT = Number(process.env.UNREEL_MUTATIONS ?? 80);
export const KIND = process.env.UNREEL_KIND ?? "";
/** Milliseconds. Beside other tests, which take the caches, more. */
const LONGEST = COUNT > 1000 ? 1000 : 3000;
const MOST = 256 << 20;

/** What an engine says of a mistake in the code that reads, and not of the file. */
const MISTAKE =
  /Cannot (read|convert)|is not (a function|iterable|a constructor|defined)|Maximum call stack|Invalid (array|typed array|string|count)|allocation|out of memory|outside the bounds|\[object Object\]|'undefined'|of undefined|(?<!got )\bNaN\b|null function|unreachable|indirect call/i;

export interface Fuzzed {
  /** Files by what messages of the test call them. */
  readonly files: Readonly<Record<string, Uint8Array>>;
  readonly damage: (bytes: Uint8Array, random: Random) => Uint8Array;
  readonly read: (bytes: Uint8Array, name: string) => Promise<unknown>;
  /** What messages begin with: the operation and the file. Default: those of loadModel. */
  readonly says?: RegExp;
  /** Of so many at least one is refused: a damage that nothing notices tests nothing. */
  readonly oneOf: number;
}

interface Seen {
  read: number;
  refused: number;
  /** Milliseconds, and bytes over those of the process before. */
  slowest: number;
  most: number;
}

export async function fuzz(
  kind: string,
  { files, damage, read, says = /^loadModel: bytes\b/, oneOf }: Fuzzed,
): Promise<void> {
  const seen: Seen = { read: 0, refused: 0, slowest: 0, most: 0 };
  const names = Object.keys(files);
  for (const name of names) await read(files[name], name);
  for (let seed = 0; seed < COUNT; seed++) {
    const name = names[seed % names.length];
    const bytes = damage(files[name], new Random(seed));
    await attempt(() => read(bytes, name), says, seen, `${kind}: ${name}, seed ${seed}`);
  }
  if (COUNT > 1000) {
    const { read: opened, refused, slowest, most } = seen;
    const ms = Math.ceil(slowest);
    console.log(`${kind}: ${opened} read, ${refused} refused, ${ms} ms, ${Math.ceil(most / 2 ** 20)} MB`);
  }
  assert.ok(seen.refused >= COUNT / oneOf, `${kind}: ${seen.refused} of ${COUNT} were refused`);
}

async function attempt(act: () => Promise<unknown>, says: RegExp, seen: Seen, what: string): Promise<void> {
  const refuse = (error: unknown) => {
    assert.instance(error, UnreelError, `${what}: ${(error as Error).stack}`);
    const { message } = error as Error;
    assert.match(message, says, `${what}: ${message}`);
    assert.not.match(message, MISTAKE, `${what}: ${message}`);
    assert.ok(message.length < 2000, `${what}: a message of ${message.length} characters`);
    seen.refused++;
  };
  const { took, memory } = await cost(() => act().then(() => seen.read++, refuse), what);
  seen.slowest = Math.max(seen.slowest, took);
  seen.most = Math.max(seen.most, memory);
}

/** Does something, which must not take long, nor much. */
export async function cost(
  act: () => Promise<unknown>,
  what: string,
): Promise<{ took: number; memory: number }> {
  const { rss } = process.memoryUsage();
  const peak = process.resourceUsage().maxRSS;
  const [start, processor] = [performance.now(), process.cpuUsage()];
  await act();
  // The processor's time where other work has taken the clock's.
  const { user, system } = process.cpuUsage(processor);
  const took = Math.min(performance.now() - start, (user + system) / 1000);
  const { maxRSS } = process.resourceUsage();
  const memory = maxRSS > peak ? maxRSS * 1024 - rss : 0;
  assert.ok(took < LONGEST, `${what}: ${took} ms`);
  assert.ok(memory < MOST, `${what}: ${memory} bytes`);
  return { took, memory };
}
