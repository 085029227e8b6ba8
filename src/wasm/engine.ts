// The engine: one instance of the kernels and its memory, shared by all models, loaded by the first call that needs it.
import { inRange, show, suggestion, UnreelError } from "../errors.js";
import { type Build, chooseBuild, type Kernel, loadKernels } from "./kernels.js";
import { Memory } from "./memory.js";
import { prepareWide } from "./wide.js";

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
  /**
   * Kernels for 256-bit vectors, in Node 22 and newer on x64: 1.3 to 1.9 times as fast. They need an experimental flag of V8, which is
   * set for the whole process when the next model loads its kernels; results are compared with the plain build's first. Where it
   * cannot be, models run as without, and `engineInfo()` says why. Not with `deterministic`. Default false.
   */
  wide?: boolean;
}

const settings: Required<Settings> = {
  deterministic: false,
  memoryLimit: Number.POSITIVE_INFINITY,
  threads: 1,
  wide: false,
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
    if ((name === "deterministic" || name === "wide") && typeof value !== "boolean") {
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
  const build = await presentBuild();
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

async function presentBuild(): Promise<Build> {
  const { deterministic, wide } = settings;
  if (wide && !deterministic && (await prepareWide()) === "") return "wide";
  return chooseBuild(deterministic);
}

export interface EngineInfo {
  readonly build: Build;
  readonly threads: number;
  readonly deterministic: boolean;
  /** Whether the wide kernels run; if they were asked for and do not, `wideReason` says why. */
  readonly wide: boolean;
  readonly wideReason?: string;
  /** Bytes of linear memory, and of those in use. */
  readonly memory: number;
  readonly memoryUsed: number;
}

/** What the next model will run on. */
export async function engineInfo(): Promise<EngineInfo> {
  const { build, memory } = await loadEngine();
  const { threads, deterministic } = settings;
  const wide = build === "wide";
  const info = { build, threads, deterministic, wide, memory: memory.size, memoryUsed: memory.used };
  if (!settings.wide || wide) return info;
  const wideReason = deterministic ? "deterministic models run the plain build." : await prepareWide();
  return { ...info, wideReason };
}
