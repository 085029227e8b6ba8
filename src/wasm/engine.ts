// The engine: one instance of the kernels and its memory, shared by all models, loaded by the first call that needs it.
import { inRange, show, suggestion, UnreelError } from "../errors.js";
import { later } from "../later.js";
import {
  type Build,
  chooseBuild,
  type Kernel,
  type KernelSource,
  loadKernels,
  useKernels,
} from "./kernels.js";
import { Memory } from "./memory.js";
import type { Threads } from "./threads.js";

export interface Engine {
  readonly build: Build;
  readonly memory: Memory;
  readonly kernels: Readonly<Record<string, Kernel>>;
  /** Those that share the memory, where there are several. */
  readonly threads?: Threads;
  /** Why there are fewer than asked for. */
  readonly threadsReason?: string;
  /** Runs `work` when all that was given before it is done: a batch is filled in, run and read without another in between. */
  inTurn<R>(work: () => R | Promise<R>): Promise<R>;
}

export interface Settings {
  /** Bit-identical results on every engine: the `simd` build, on one thread. Default false. */
  deterministic?: boolean;
  /** Bytes of linear memory that models may use together. Default: all that 32-bit memory has. */
  memoryLimit?: number;
  /** Threads that share the samples of a batch, the calling one included: 1 (default) to 64. More than the machine has cores never
   * pay. What they give is the same up to the order of sums. */
  threads?: number;
  /**
   * Kernels for 256-bit vectors, in Node 22 and newer on x64: 1.3 to 1.9 times as fast. They need an experimental flag of V8, which is
   * set for the whole process when the next model loads its kernels; results are compared with the plain build's first. Where it
   * cannot be, models run as without, and `engineInfo()` says why. Not with `deterministic`. Default false.
   */
  wide?: boolean;
  /** Kernels of the user's, for `unreel/slim`, which has none: bytes, a response, or where they are, as of `unreel/kernels.simd.wasm`.
   * `simd` is enough; `relaxed` is a third faster or more where the engine takes it. */
  kernels?: { simd?: KernelSource; relaxed?: KernelSource };
}

const settings: Required<Omit<Settings, "kernels">> = {
  deterministic: false,
  memoryLimit: Number.POSITIVE_INFINITY,
  threads: 1,
  wide: false,
};
const engines = new Map<string, Promise<Engine>>();
const MOST_THREADS = 64;

/** Sets how models run from here on. A model keeps the engine it first ran on. */
export function configure(changes: Settings): void {
  if (changes === null || typeof changes !== "object") {
    throw new UnreelError({ operation: "configure", expected: "an object of settings", got: show(changes) });
  }
  const { kernels = {}, ...rest } = changes;
  checkKernels(kernels);
  for (const [name, value] of Object.entries(rest)) {
    const operation = `configure: ${name}`;
    if (!Object.hasOwn(settings, name)) {
      throw new UnreelError({
        operation,
        expected: "a known setting",
        got: show(name),
        hint: suggestion(name, [...Object.keys(settings), "kernels"]),
      });
    }
    if ((name === "deterministic" || name === "wide") && typeof value !== "boolean") {
      throw new UnreelError({ operation, expected: "true or false", got: show(value) });
    }
    if (name === "memoryLimit") inRange(operation, value, 1, Number.POSITIVE_INFINITY, true);
    if (
      name === "threads" &&
      !(typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= MOST_THREADS)
    ) {
      const expected = `an integer from 1 to ${MOST_THREADS}`;
      throw new UnreelError({ operation, expected, got: show(value) });
    }
  }
  for (const build of ["simd", "relaxed"] as const) if (kernels[build]) useKernels(build, kernels[build]);
  Object.assign(settings, rest);
  for (const engine of engines.values())
    engine.then(
      ({ memory }) => {
        memory.limit = settings.memoryLimit;
      },
      () => {},
    );
}

function checkKernels(kernels: NonNullable<Settings["kernels"]>): void {
  const known = ["simd", "relaxed"];
  const names = kernels !== null && typeof kernels === "object" ? Object.keys(kernels) : [];
  const wrong = names.length > 0 ? names.find((name) => !known.includes(name)) : undefined;
  if (kernels !== null && typeof kernels === "object" && wrong === undefined) return;
  throw new UnreelError({
    operation: "configure: kernels",
    expected: "{ simd, relaxed }",
    got: show(wrong ?? kernels),
  });
}

/** The engine for the present settings. */
export async function loadEngine(): Promise<Engine> {
  const { deterministic, threads } = settings;
  const loaded = await loadWith(await presentBuild(), deterministic ? 1 : threads);
  loaded.memory.limit = settings.memoryLimit;
  return loaded;
}

async function presentBuild(): Promise<Build> {
  const { deterministic, wide } = settings;
  if (wide && !deterministic && (await whyNotWide()) === "") return "wide";
  return chooseBuild(deterministic);
}

/** "" where the wide build runs. What few ask for is loaded when they do. */
async function whyNotWide(): Promise<string> {
  try {
    return await (await later(import("./wide.js"))).prepareWide();
  } catch (error) {
    return (error as Error).message;
  }
}

function loadWith(build: Build, threads: number): Promise<Engine> {
  const key = `${build} ${threads}`;
  let engine = engines.get(key);
  if (!engine) {
    engine = threads === 1 ? loadAlone(build) : loadThreaded(build, threads);
    engines.set(key, engine);
    // What failed may be mended: other kernels, another answer of the server.
    engine.catch(() => engines.delete(key));
  }
  return engine;
}

async function loadAlone(build: Build): Promise<Engine> {
  const { memory, heapBase, functions } = await loadKernels(build);
  return { build, memory: new Memory(memory, heapBase), kernels: functions, inTurn: queue() };
}

/** Where threads cannot be had: the engine of one thread, with the reason. */
async function loadThreaded(build: Build, size: number): Promise<Engine> {
  const without = async (threadsReason: string) => ({ ...(await loadWith(build, 1)), threadsReason });
  try {
    const { Threads, whyNotShared } = await later(import("./threads.js"));
    const reason = whyNotShared();
    if (reason) return without(reason);
    const { memory: buffer, heapBase, functions, module } = await loadKernels(build, { shared: true });
    const memory = new Memory(buffer, heapBase);
    const threads = await Threads.start(size, { module: module!, buffer, memory });
    return { build, memory, kernels: functions, threads, inTurn: queue() };
  } catch (error) {
    return without(`No thread could be started: ${error instanceof Error ? error.message : error}.`);
  }
}

function queue(): Engine["inTurn"] {
  let present: Promise<void> | undefined;
  return async (work) => {
    while (present) await present;
    const result = work();
    if (!(result instanceof Promise)) return result;
    const end = () => {
      present = undefined;
    };
    present = result.then(end, end);
    return result;
  };
}

export interface EngineInfo {
  readonly build: Build;
  /** Threads that share a batch. A small batch, and training in which samples meet (batchNormalization), run on one of them. */
  readonly threads: number;
  /** Why they are fewer than asked for. */
  readonly threadsReason?: string;
  readonly deterministic: boolean;
  /** Whether the wide kernels run. */
  readonly wide: boolean;
  /** Why they do not, if they were asked for. */
  readonly wideReason?: string;
  /** Bytes of linear memory, and of those in use. */
  readonly memory: number;
  readonly memoryUsed: number;
}

/** What the next model will run on. */
export async function engineInfo(): Promise<EngineInfo> {
  const { deterministic, wide: isWanted, threads: wanted } = settings;
  const { build, memory, threads, threadsReason } = await loadEngine();
  const failure = threads?.failure;
  const exact = deterministic && wanted > 1 ? ONE_ORDER : undefined;
  const fewer = exact ?? failure ?? threadsReason;
  const wide = build === "wide";
  const narrow = isWanted && !wide ? (deterministic ? PLAIN_BUILD : await whyNotWide()) : undefined;
  return {
    build,
    threads: failure ? 1 : (threads?.size ?? 1),
    ...(fewer && { threadsReason: fewer }),
    deterministic,
    wide,
    ...(narrow && { wideReason: narrow }),
    memory: memory.size,
    memoryUsed: memory.used,
  };
}

const ONE_ORDER = "With deterministic: true sums have one order, that of one thread.";
const PLAIN_BUILD = "With deterministic: true every engine runs the plain build.";
