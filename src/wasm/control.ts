// How threads tell each other to begin and that they have ended: a few words of shared memory for each, and waiting for one of
// them to change. Used on both sides: by the thread that asks (threads.ts) and by those that are asked (worker.ts).

/** Words that a thread has to itself: several cache lines, so that none is shared with another thread. */
export const LANE = 256;
/** Where in a lane which word lies. The asking thread raises `ticket` when the others are written; the asked one copies it to `done`. */
export const WORD = {
  ticket: 0,
  done: 32,
  /** The job: where its calls lie, which they are, and the steps to run. */
  address: 64,
  version: 65,
  from: 66,
  to: 67,
  /** How large memory is. */
  pages: 68,
  /** Characters of what went wrong, and the characters. */
  failed: 69,
  text: 70,
} as const;

/** What a thread is told when it begins. */
export interface Start {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly control: Int32Array;
  /** Where its lane begins. */
  readonly lane: number;
}

/** How long waiting burns the processor before it sleeps: waking up takes about as long. */
const SPIN_MILLISECONDS = 0.05;

/** Watches a word for a short while; whether it has become different from `old`. */
export function changes(control: Int32Array, index: number, old: number): boolean {
  const end = performance.now() + SPIN_MILLISECONDS;
  do {
    for (let look = 0; look < 100; look++) if (Atomics.load(control, index) !== old) return true;
  } while (performance.now() < end);
  return false;
}
