// Chooses a build of the kernels and instantiates it. Builds differ in the instructions they use, never in what they offer.
// Not here: what the kernels compute (assembly/) and who calls them (program/run.ts).
import { UnreelError } from "../errors.js";
import { fileSystem, withFile } from "../files.js";
import type { Kernel } from "./calls.js";
import { inlined } from "./inlined.js";

/** `wide` only by configure({ wide: true }): wide.ts. */
export type Build = "simd" | "relaxed" | "wide";
export type { Kernel } from "./calls.js";

export interface Kernels {
  readonly build: Build;
  readonly memory: WebAssembly.Memory;
  /** First byte that kernels leave free. */
  readonly heapBase: number;
  readonly functions: Readonly<Record<string, Kernel>>;
  /** What other threads need to make instances of their own, where memory is shared. */
  readonly module?: WebAssembly.Module;
}

/** Bytes of a module, or where they are: read when the build is first needed. */
export type KernelSource = Uint8Array | ArrayBuffer | Response | URL | string;

/** Builds in one text, in base64: so many pieces of each in turns, deflated together (scripts/build.js). */
export interface Inlined {
  /** Bytes of each build. */
  readonly sizes: Partial<Record<Build, number>>;
  readonly pieces: number;
  readonly text: string;
}

/** What is inlined, by build; unreel/slim has nothing. */
const texts = new Map<Build, Inlined>(
  (Object.keys(inlined?.sizes ?? {}) as Build[]).map((build) => [build, inlined]),
);

const given = new Map<Build, KernelSource>();

/** Builds that are loaded when they are asked for. */
export function addInlined(added: Inlined): void {
  for (const build of Object.keys(added.sizes) as Build[]) texts.set(build, added);
}

/** A build that the user has. */
export function useKernels(build: Build, source: KernelSource): void {
  given.set(build, source);
  decoded.delete(build);
}

const decoded = new Map<Build, Promise<Uint8Array<ArrayBuffer>>>();

/** The bytes of a build, as it was compiled. */
export function kernelBytes(build: Build): Promise<Uint8Array<ArrayBuffer>> {
  let bytes = decoded.get(build);
  if (!bytes) {
    bytes = readKernels(build);
    decoded.set(build, bytes);
    bytes.catch(() => decoded.delete(build));
  }
  return bytes;
}

async function readKernels(build: Build): Promise<Uint8Array<ArrayBuffer>> {
  const source = given.get(build);
  if (source) return bytesFrom(source);
  const text = texts.get(build);
  if (text) return unpack(text, build);
  throw new UnreelError({
    operation: "kernels",
    expected: `the ${build} build`,
    got: "none",
    hint: `unreel/slim has no kernels of its own: configure({ kernels: { ${build}: … } }) with bytes or the URL of unreel/kernels.${build}.wasm.`,
  });
}

/** One build of those that lie together. */
async function unpack({ sizes, pieces, text }: Inlined, wanted: Build): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await inflate(fromBase64(text));
  const module = new Uint8Array(sizes[wanted]!);
  let from = 0;
  for (let piece = 0; piece < pieces; piece++) {
    for (const [build, size] of Object.entries(sizes)) {
      const at = Math.floor((piece * size) / pieces);
      const to = from + Math.floor(((piece + 1) * size) / pieces) - at;
      if (build === wanted) module.set(bytes.subarray(from, to), at);
      from = to;
    }
  }
  return module;
}

/** What the server says of the type is not asked: some say it wrong. */
async function bytesFrom(source: KernelSource): Promise<Uint8Array<ArrayBuffer>> {
  if (ArrayBuffer.isView(source)) return new Uint8Array(source);
  if (source instanceof ArrayBuffer) return new Uint8Array(source);
  const url = source instanceof Response ? source.url : new URL(source, globalThis.location?.href);
  if (url instanceof URL && url.protocol === "file:") {
    const files = await fileSystem("configure: kernels");
    return new Uint8Array(
      await withFile(
        "configure: kernels",
        url.pathname,
        () => files.readFile(url),
        "a file that can be read",
      ),
    );
  }
  const response = source instanceof Response ? source : await fetch(url);
  if (!response.ok) {
    const got = `an answer of ${response.status} from ${url}`;
    throw new UnreelError({ operation: "configure: kernels", expected: "the bytes of a build", got });
  }
  return new Uint8Array(await response.arrayBuffer());
}

const builtin = (name: string) => globalThis.process?.getBuiltinModule?.(name);

/** In Node by its own decoders, which take a tenth of the time. */
function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  if (typeof Buffer === "function") return new Uint8Array(Buffer.from(text, "base64"));
  const characters = atob(text);
  const bytes = new Uint8Array(characters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i);
  return bytes;
}

async function inflate(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const zlib = builtin("node:zlib") as typeof import("node:zlib") | undefined;
  if (zlib) return new Uint8Array(zlib.inflateRawSync(bytes));
  if (typeof DecompressionStream !== "function") {
    throw new UnreelError({
      operation: "kernels",
      expected: "DecompressionStream",
      got: "an engine without it",
      hint: "Use unreel/slim, and hand it unreel/kernels.simd.wasm by configure({ kernels: { simd } }).",
    });
  }
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Modules of one function with one instruction that only engines with it take: i8x16.splat, f32x4.relaxed_madd. */
export const PROBES: Readonly<Record<"simd" | "relaxed", string>> = {
  simd: "AGFzbQEAAAABBQFgAAF7AwIBAAoIAQYAQQD9Dws=",
  relaxed: "AGFzbQEAAAABBQFgAAF7AwIBAAoTAREAQQD9D0EA/Q9BAP0P/YUCCw==",
};

const has = (build: Build) => given.has(build) || texts.has(build);

/** Whether this engine can run a build. */
export function canRun(build: "simd" | "relaxed"): boolean {
  return WebAssembly.validate(fromBase64(PROBES[build]));
}

/** The build that an engine runs: `relaxed` (fused multiply-add) where it can, unless results must be equal everywhere. */
export function chooseBuild(deterministic: boolean): Build {
  if (typeof WebAssembly === "undefined") {
    const hint = "Lockdown and JIT-less modes switch it off; any other current engine has it.";
    throw new UnreelError({
      operation: "kernels",
      expected: "an engine with WebAssembly",
      got: "none",
      hint,
    });
  }
  if (!deterministic && has("relaxed") && canRun("relaxed")) return "relaxed";
  if (canRun("simd")) return "simd";
  throw new UnreelError({
    operation: "kernels",
    expected: "an engine with WebAssembly SIMD",
    got: "one without",
    hint: "Chrome 91, Firefox 89, Safari 16.4, Node 16.4 and later have it.",
  });
}

async function compiled(build: Build, bytes: Uint8Array<ArrayBuffer>): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compile(bytes);
  } catch (error) {
    const { message } = error as Error;
    // "<", as a page begins.
    if (bytes[0] === 0x3c) {
      const hint = `Is the address right? It must be that of unreel/kernels.${build}.wasm; a server that does not find it may send a page.`;
      throw new UnreelError({
        operation: "kernels",
        expected: "a module to compile",
        got: "a page of HTML",
        hint,
      });
    }
    const hint = /polic|CSP/i.test(message)
      ? "Allow it in the page's Content-Security-Policy: script-src 'wasm-unsafe-eval'."
      : `These must be the bytes of unreel/kernels.${build}.wasm of this version.`;
    throw new UnreelError({ operation: "kernels", expected: "a module to compile", got: message, hint });
  }
}

/** An instance with memory of its own, or with memory that other threads may share. */
export async function loadKernels(build: Build, { shared = false } = {}): Promise<Kernels> {
  const own = await kernelBytes(build);
  // What is no module is told as such, before its sections are looked for.
  const sharing = shared && WebAssembly.validate(own) ? await import("./shared.js") : undefined;
  const { bytes, initial } = sharing ? sharing.importingMemory(own) : { bytes: own };
  const module = await compiled(build, bytes);
  const env: WebAssembly.ModuleImports = sharing ? { memory: sharing.sharedMemory(initial!) } : {};
  const { exports } = await WebAssembly.instantiate(module, { env });
  const functions: Record<string, Kernel> = {};
  for (const [name, value] of Object.entries(exports)) {
    if (typeof value === "function") functions[name] = value as Kernel;
  }
  const heapBase = functions.heapBase();
  const memory = exports.memory as WebAssembly.Memory;
  return { build, memory, heapBase, functions, module: shared ? module : undefined };
}
