// What a thread does besides the calling one: it waits for its ticket, runs a list of calls in the shared memory, and says that it
// has. Bundled into one string (scripts/build.js), so that there is no file to find: nothing imports this one.
import { type BoundStep, type Kernel, readSteps, runSteps } from "./calls.js";
import { changes, LANE, type Start, WORD } from "./control.js";

interface Port {
  postMessage(message: string): void;
  onmessage: ((event: { data: Start }) => void) | null;
}

/** The other end: a Web Worker's global scope, or in Node the port of worker_threads. */
function port(): Port {
  if (typeof self !== "undefined") return self as unknown as Port;
  const { parentPort } = require("node:worker_threads") as typeof import("node:worker_threads");
  const found: Port = { postMessage: (message) => parentPort!.postMessage(message), onmessage: null };
  parentPort!.once("message", (data: Start) => found.onmessage!({ data }));
  return found;
}

const PAGE = 65536;
const caller = port();

caller.onmessage = ({ data: { module, memory, control, lane } }) => {
  caller.onmessage = null;
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  const kernels = Object.values(exports).filter((each) => typeof each === "function") as Kernel[];
  let words = new Float64Array(memory.buffer);
  /** The calls of each job, by where they lie, until they are others. */
  const jobs = new Map<number, { version: number; steps: BoundStep[] }>();

  const stepsAt = (address: number, version: number) => {
    const known = jobs.get(address);
    if (known?.version === version) return known.steps;
    // Those of models that are no more.
    if (jobs.size > 100) jobs.clear();
    const steps = readSteps(kernels, words, address / 8);
    jobs.set(address, { version, steps });
    return steps;
  };

  caller.postMessage("ready");

  for (let ticket = 0; ; ) {
    if (!changes(control, lane + WORD.ticket, ticket)) Atomics.wait(control, lane + WORD.ticket, ticket);
    const next = Atomics.load(control, lane + WORD.ticket);
    if (next === ticket) continue;
    ticket = next;
    // Another thread has made memory larger: growing by nothing makes this one see it.
    if (words.byteLength < control[lane + WORD.pages] * PAGE) {
      memory.grow(0);
      words = new Float64Array(memory.buffer);
    }
    control[lane + WORD.failed] = 0;
    try {
      const steps = stepsAt(control[lane + WORD.address] >>> 0, control[lane + WORD.version]);
      runSteps(steps, control[lane + WORD.from], control[lane + WORD.to]);
    } catch (error) {
      const text = String(error).slice(0, LANE - WORD.text);
      for (let i = 0; i < text.length; i++) control[lane + WORD.text + i] = text.charCodeAt(i);
      control[lane + WORD.failed] = text.length;
    }
    Atomics.store(control, lane + WORD.done, ticket);
    Atomics.notify(control, lane + WORD.done);
  }
};
