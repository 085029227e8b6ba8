// Times jobs in interleaved rounds (A B C A B C …), so that what disturbs the machine disturbs all alike, and takes medians. Runs
// in every engine, browsers too. Not here: what is measured, tables and files (sections.ts).
//
// Warm-up first: V8 replaces a wasm function by its optimized code only between two calls, and compiles that code in the
// background, so what is measured is called often before, with a pause.

/** Something that is timed. `turn` runs it so many times and gives the milliseconds of all of them. */
export interface Job {
  turn(calls: number): number | Promise<number>;
  /** Each call is timed alone, because something is restored before it. */
  alone?: boolean;
  /** If a call takes more than `above` milliseconds, there are so many rounds only. */
  slow?: { above: number; rounds: number };
}

export interface Effort {
  /** Milliseconds of warm-up for each job, at least. */
  warmUp: number;
  /** Milliseconds that a job's turn in a round lasts at least, where calls may be joined. */
  turn: number;
  /** Rounds at least; then more until `budget` milliseconds are used or there are `most`. */
  rounds: number;
  budget: number;
  most: number;
  /** A clock in milliseconds. */
  now(): number;
}

export const QUICK = { warmUp: 50, turn: 2, rounds: 5, budget: 120, most: 101 };
export const FULL = { warmUp: 200, turn: 2, rounds: 9, budget: 800, most: 101 };

export const clocks = {
  /** What a user waits for. */
  wall: () => performance.now(),
  /** What this process alone has used of the processor, to a few microseconds: for machines that are busy with other work. */
  cpu() {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  },
};

/** A job of calls that return when they are done. `before` restores what a call destroys, outside of what is timed. */
export function job(run: () => void, now: () => number, before?: () => void): Job {
  return {
    alone: before !== undefined,
    turn(calls) {
      before?.();
      const start = now();
      for (let call = 0; call < calls; call++) run();
      return now() - start;
    },
  };
}

/** A job of calls that are awaited. */
export function awaited(run: () => unknown, now: () => number, slow?: Job["slow"]): Job {
  return {
    slow,
    async turn(calls) {
      const start = now();
      for (let call = 0; call < calls; call++) await run();
      return now() - start;
    },
  };
}

/** Milliseconds of one call, for each job a list of its rounds. */
export interface Rounds {
  times: number[][];
  /** False: `spare` ended before there were enough rounds. Hand the times in again as `earlier` to go on. */
  finished: boolean;
}

const PAUSE = 30;
const pause = () => new Promise((resolve) => setTimeout(resolve, PAUSE));

export async function interleave(
  jobs: readonly Job[],
  effort: Effort,
  {
    earlier,
    spare = () => Number.POSITIVE_INFINITY,
  }: { earlier?: readonly (readonly number[])[]; spare?: () => number } = {},
): Promise<Rounds> {
  const times = jobs.map((_, index) => [...(earlier?.[index] ?? [])]);
  const pace: Pace[] = [];
  for (const each of jobs) pace.push(await warmUp(each, effort));
  const roundsOf = (index: number) => {
    const { slow } = jobs[index];
    return slow && pace[index].each > slow.above ? slow.rounds : effort.most;
  };
  let spent = earlier ? effort.budget : 0;
  for (let first = true; ; first = false) {
    const done = Math.max(...times.map((list) => list.length));
    const open = jobs.map((_, index) => index).filter((index) => times[index].length < roundsOf(index));
    const least = Math.min(effort.rounds, Math.max(...jobs.map((_, index) => roundsOf(index))));
    if (open.length === 0 || (done >= least && spent >= effort.budget)) return { times, finished: true };
    const round = open.reduce((sum, index) => sum + pace[index].each * pace[index].calls, 0);
    if (!first && spare() < round) return { times, finished: false };
    for (const index of open) {
      const { calls } = pace[index];
      const elapsed = await jobs[index].turn(calls);
      times[index].push(elapsed / calls);
      spent += elapsed;
    }
  }
}

interface Pace {
  /** Calls in a turn. */
  calls: number;
  /** Milliseconds of one. */
  each: number;
}

/** Turns that grow to their final length, a pause in which the engine finishes its optimized code, and turns again. */
async function warmUp({ turn, alone }: Job, effort: Effort): Promise<Pace> {
  const pace = { calls: 1, each: 0 };
  for (const length of [effort.warmUp, effort.warmUp / 4]) {
    for (let spent = 0, turns = 0; turns < 2 || spent < length; turns++) {
      const elapsed = await turn(pace.calls);
      spent += elapsed;
      pace.each = elapsed / pace.calls;
      if (!alone) pace.calls = Math.max(1, Math.ceil(effort.turn / Math.max(pace.each, 1e-5)));
      // Long calls are many short ones inside: what they run is optimized by now.
      if (pace.each > 4 * effort.warmUp) return pace;
    }
    await pause();
  }
  return pace;
}

export interface Timing {
  /** Milliseconds of one call: the median over rounds, and the shortest round. */
  median: number;
  best: number;
}

/** One job alone. */
export async function measure(one: Job, effort: Effort): Promise<Timing> {
  const { times } = await interleave([one], effort);
  return { median: median(times[0]), best: Math.min(...times[0]) };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Three figures, or all before the point: 0.123, 12.3, 1234. */
export function figures(value: number): string {
  if (value >= 100) return value.toFixed(0);
  if (value >= 10) return value.toFixed(1);
  return value >= 1 ? value.toFixed(2) : value.toFixed(3);
}
