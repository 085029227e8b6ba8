// The engine: one instance of the kernels and its memory, shared by all models, loaded by the first call that needs it.
import { inRange, show, suggestion, UnreelError } from "../errors.js";
import { type Build, chooseBuild, type Kernel, loadKernels } from "./kernels.js";
import { Memory } from "./memory.js";

export interface Engine {
  readonly build: Build;
  readonly memory: Memory;
  readonly kernels: Readonly<Record<string, Kernel>>;
}

export interface Settings {
  /** Bit-identical results on every engine: the `simd` build. Default false. */
  deterministic?: boolean;
  /** Bytes of linear memory that models may use together. Default: all that 32-bit memory has. */
  memoryLimit?: number;
  /** Threads of one model. Only 1 is available in this version. */
  threads?: number;
}

const settings: Required<Settings> = {
  deterministic: false,
  memoryLimit: Number.POSITIVE_INFINITY,
  threads: 1,
};
const engines = new Map<Build, Promise<Engine>>();

/** Sets how models run from here on. A model keeps the engine it first ran on. */
export function configure(changes: Settings): void {
  if (changes === null || typeof changes !== "object") {
    throw new UnreelError({ operation: "configure", expected: "an object of settings", got: show(changes) });
  }
  for (const [name, value] of Object.entries(changes)) {
    const operation = `configure: ${name}`;
    if (!Object.hasOwn(settings, name)) {
      throw new UnreelError({
        operation,
        expected: "a known setting",
        got: show(name),
        hint: suggestion(name, Object.keys(settings)),
      });
    }
    if (name === "deterministic" && typeof value !== "boolean") {
      throw new UnreelError({ operation, expected: "true or false", got: show(value) });
    }
    if (name === "memoryLimit") inRange(operation, value, 1, Number.POSITIVE_INFINITY, true);
    if (name === "threads" && value !== 1) {
      throw new UnreelError({
        operation,
        expected: "1",
        got: show(value),
        hint: "This version runs each model on one thread.",
      });
    }
  }
  Object.assign(settings, changes);
  for (const engine of engines.values())
    engine.then(({ memory }) => {
      memory.limit = settings.memoryLimit;
    });
}

/** The engine for the present settings. */
export async function loadEngine(): Promise<Engine> {
  const build = chooseBuild(settings.deterministic);
  let engine = engines.get(build);
  if (!engine) {
    engine = loadKernels(build).then((kernels) => ({
      build,
      memory: new Memory(kernels.memory, kernels.heapBase),
      kernels: kernels.functions,
    }));
    engines.set(build, engine);
  }
  const loaded = await engine;
  loaded.memory.limit = settings.memoryLimit;
  return loaded;
}

/** What the next model will run on. */
export async function engineInfo(): Promise<{
  build: Build;
  threads: number;
  deterministic: boolean;
  memory: number;
  memoryUsed: number;
}> {
  const { build, memory } = await loadEngine();
  const { threads, deterministic } = settings;
  return { build, threads, deterministic, memory: memory.size, memoryUsed: memory.used };
}
