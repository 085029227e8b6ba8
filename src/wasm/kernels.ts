// Chooses a build of the kernels and instantiates it. Builds differ in the instructions they use, never in what they offer.
// Not here: what the kernels compute (assembly/) and who calls them (program/run.ts).
import { UnreelError } from "../errors.js";
import type { Kernel } from "./calls.js";
import { relaxed, simd } from "./inlined.js";
import { importingMemory, sharedMemory } from "./shared.js";

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

const INLINED: Partial<Record<Build, string>> = { simd, relaxed };

const decoded = new Map<Build, Uint8Array<ArrayBuffer>>();
const valid = new Map<Build, boolean>();

/** The bytes of a build, as it was compiled. */
export function kernelBytes(build: Build): Uint8Array<ArrayBuffer> {
  let bytes = decoded.get(build);
  if (!bytes) {
    bytes = fromBase64(INLINED[build]!);
    decoded.set(build, bytes);
  }
  return bytes;
}

/** A build that is not inlined into the package, but loaded when it is asked for. */
export function addKernels(build: Build, text: string): void {
  INLINED[build] = text;
}

/** In Node by its own decoder, which takes a tenth of the time. */
function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  if (typeof Buffer === "function") return new Uint8Array(Buffer.from(text, "base64"));
  const characters = atob(text);
  const bytes = new Uint8Array(characters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i);
  return bytes;
}

/** Whether this engine can run a build. */
export function canRun(build: Build): boolean {
  if (!valid.has(build)) valid.set(build, WebAssembly.validate(kernelBytes(build)));
  return valid.get(build)!;
}

/** The build that an engine runs: `relaxed` (fused multiply-add) where it can, unless results must be equal everywhere. */
export function chooseBuild(deterministic: boolean): Build {
  if (!deterministic && canRun("relaxed")) return "relaxed";
  if (canRun("simd")) return "simd";
  throw new UnreelError({
    operation: "kernels",
    expected: "an engine with WebAssembly SIMD",
    got: "one without",
    hint: "Chrome 91, Firefox 89, Safari 16.4, Node 16.4 and later have it.",
  });
}

/** An instance with memory of its own, or with memory that other threads may share. */
export async function loadKernels(build: Build, { shared = false } = {}): Promise<Kernels> {
  const { bytes, initial } = shared ? importingMemory(kernelBytes(build)) : { bytes: kernelBytes(build) };
  const module = await WebAssembly.compile(bytes);
  const env: WebAssembly.ModuleImports = initial === undefined ? {} : { memory: sharedMemory(initial) };
  const { exports } = await WebAssembly.instantiate(module, { env });
  const functions: Record<string, Kernel> = {};
  for (const [name, value] of Object.entries(exports)) {
    if (typeof value === "function") functions[name] = value as Kernel;
  }
  const heapBase = functions.heapBase();
  const memory = exports.memory as WebAssembly.Memory;
  return { build, memory, heapBase, functions, module: shared ? module : undefined };
}
