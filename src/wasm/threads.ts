// Threads that make calls in one shared memory: started once, asleep between two batches. The calling thread is one of them.
// Not here: what they run (calls.ts) and how a batch becomes several (graph/parts.ts).
import { UnreelError } from "../errors.js";
import { changes, LANE, type Start, WORD } from "./control.js";
import type { Memory } from "./memory.js";
import { workerSource } from "./workerSource.js";

/** A thread as this file sees it, in Node and elsewhere. */
interface Worker {
  postMessage(start: Start): void;
  terminate(): void;
  /** From now on it keeps no process alive. */
  release(): void;
}

/** What a thread says of itself: "ready", or why there is none (any more). */
type Listener = (message: string) => void;

/** Milliseconds after which a thread that has not begun never will. */
const PATIENCE = 10_000;
/** Milliseconds of sleep after which this thread looks whether the others are still there. */
const NAP = 20;

/** What threads share: the module with its memory imported, and that memory. */
export interface Shared {
  readonly module: WebAssembly.Module;
  readonly buffer: WebAssembly.Memory;
  readonly memory: Memory;
}

/** Steps of calls that any thread can run. */
export interface Job {
  /** Where in memory they lie (calls.ts), and a number that changes when they do. */
  readonly address: number;
  readonly version: number;
  /** Runs steps [from, to) on this thread. */
  run(from: number, to: number): void;
}

/** Why threads cannot share memory here, if they cannot. */
export function whyNotShared(): string | undefined {
  if (typeof SharedArrayBuffer === "undefined" || globalThis.crossOriginIsolated === false) {
    return "Threads need shared memory, which a page has only when it is cross-origin isolated (headers Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp).";
  }
  return undefined;
}

export class Threads {
  /** How many there are, the calling one included. */
  readonly size: number;
  readonly #shared: Shared;
  readonly #control: Int32Array;
  readonly #workers: Worker[] = [];
  /** Lanes of threads that are no longer there, and why. */
  readonly #ended = new Map<number, string>();

  private constructor(size: number, shared: Shared) {
    this.size = size;
    this.#shared = shared;
    this.#control = new Int32Array(new SharedArrayBuffer(size * LANE * 4));
  }

  /** Starts so many threads less one; throws with the reason if one does not start. */
  static async start(size: number, shared: Shared): Promise<Threads> {
    const threads = new Threads(size, shared);
    try {
      await Promise.all(Array.from({ length: size - 1 }, (_, index) => threads.#add((index + 1) * LANE)));
    } catch (error) {
      threads.stop();
      throw error;
    }
    for (const worker of threads.#workers) worker.release();
    return threads;
  }

  /** Why one of them is gone, if one is: from then on the calling thread runs everything. */
  get failure(): string | undefined {
    const [reason] = this.#ended.values();
    return reason && `A thread has ended: ${reason}.`;
  }

  /** Ends all but the calling thread. */
  stop(): void {
    for (const worker of this.#workers) worker.terminate();
  }

  /** Runs steps [from, to) of each job, the first on this thread, the others on one each. Ends when all have. */
  async run([own, ...others]: readonly Job[], from: number, to: number): Promise<void> {
    if (this.#ended.size > 0) {
      for (const job of [own, ...others]) job.run(from, to);
      return;
    }
    const lanes = others.map((_, index) => (index + 1) * LANE);
    lanes.forEach((lane, index) => {
      this.#ask(lane, others[index], from, to);
    });
    try {
      own.run(from, to);
    } finally {
      // Whatever happens here: the others must have ended before their memory is used for anything else.
      for (const lane of lanes) await this.#wait(lane);
    }
    for (const lane of lanes) this.#requireSuccess(lane);
  }

  #ask(lane: number, { address, version }: Job, from: number, to: number): void {
    const control = this.#control;
    control[lane + WORD.address] = address;
    control[lane + WORD.version] = version;
    control[lane + WORD.from] = from;
    control[lane + WORD.to] = to;
    control[lane + WORD.pages] = this.#shared.memory.size / 65536;
    Atomics.add(control, lane + WORD.ticket, 1);
    Atomics.notify(control, lane + WORD.ticket);
  }

  async #wait(lane: number): Promise<void> {
    const control = this.#control;
    const ticket = control[lane + WORD.ticket];
    const done = lane + WORD.done;
    if (changes(control, done, ticket - 1)) return;
    while (Atomics.load(control, done) !== ticket) {
      // A thread that has died tells so by an event: the event loop must get a turn now and then.
      if (this.#ended.has(lane)) return;
      if (!nap(control, done, ticket - 1)) await new Promise((resolve) => setTimeout(resolve, 0));
    }
  }

  #requireSuccess(lane: number): void {
    const start = lane + WORD.text;
    const length = this.#control[lane + WORD.failed];
    const text = String.fromCharCode(...this.#control.subarray(start, start + length));
    const reason = this.#ended.has(lane) ? this.failure : text;
    if (reason) throw failed(reason);
  }

  async #add(lane: number): Promise<void> {
    let tell: Listener = () => {};
    const first = new Promise<string>((resolve) => {
      tell = resolve;
    });
    const late = setTimeout(() => tell(`it has not begun after ${PATIENCE / 1000} seconds`), PATIENCE);
    try {
      const worker = await open((message) => {
        tell(message);
        if (message !== "ready" && !this.#ended.has(lane)) this.#ended.set(lane, message);
      });
      this.#workers.push(worker);
      const { module, buffer } = this.#shared;
      worker.postMessage({ module, memory: buffer, control: this.#control, lane });
      const answer = await first;
      if (answer !== "ready") throw new Error(answer);
    } finally {
      clearTimeout(late);
    }
  }
}

function failed(message: string): UnreelError {
  return new UnreelError({
    operation: "threads",
    expected: "every thread to compute its part of the batch",
    got: message,
    hint: "configure({ threads: 1 }) computes without others.",
  });
}

/** Sleeps until a word differs from `old`, for a while at most; false if it still is the same, or this thread may not sleep. */
function nap(control: Int32Array, index: number, old: number): boolean {
  try {
    return Atomics.wait(control, index, old, NAP) !== "timed-out";
  } catch {
    // The main thread of a page.
    return false;
  }
}

const describe = (error: unknown) => (error instanceof Error ? error.message : String(error));

/** Deno's own workers keep its process alive, those that it has from Node do not. */
async function open(listener: Listener): Promise<Worker> {
  const isWeb = typeof globalThis.Worker === "function" && !("Deno" in globalThis);
  return isWeb ? openWeb(listener) : openNode(listener);
}

/** Browsers and Bun. */
function openWeb(listener: Listener): Worker {
  const url = URL.createObjectURL(new Blob([workerSource], { type: "text/javascript" }));
  const worker = new globalThis.Worker(url);
  worker.onmessage = ({ data }) => {
    URL.revokeObjectURL(url);
    listener(String(data));
  };
  worker.onerror = (event) => {
    event.preventDefault();
    listener(event.message ?? "a worker from a blob is not allowed here");
  };
  return {
    postMessage: (start) => worker.postMessage(start),
    terminate: () => worker.terminate(),
    release: () => (worker as { unref?(): void }).unref?.(),
  };
}

async function openNode(listener: Listener): Promise<Worker> {
  // For bundlers: pages never come here.
  const { Worker } = await import(/* webpackIgnore: true */ /* @vite-ignore */ "node:worker_threads");
  const worker = new Worker(workerSource, { eval: true, execArgv: [] });
  worker.on("message", listener);
  worker.on("error", (error) => listener(describe(error)));
  worker.on("exit", (code) => listener(`exit code ${code}`));
  return {
    postMessage: (start) => worker.postMessage(start),
    terminate: () => void worker.terminate(),
    release: () => worker.unref(),
  };
}
