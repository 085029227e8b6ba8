// Times things and prints tables. Medians of rounds after a warm-up: V8 replaces a wasm function by its optimized code only
// between two calls, and compiles that code in the background, so what is measured is called often before.

export interface Effort {
  /** Milliseconds of warm-up, at least. */
  warmUp: number;
  /** Milliseconds to spend on rounds; at least `rounds` are made. */
  budget: number;
  rounds: number;
  /** A clock in milliseconds. */
  now(): number;
}

export const QUICK = { warmUp: 40, budget: 120, rounds: 5 };
export const FULL = { warmUp: 200, budget: 800, rounds: 9 };

export const clocks = {
  /** What a user waits for. */
  wall: () => performance.now(),
  /** What this process alone has used of the processor, to a few microseconds: for machines that are busy with other work. */
  cpu() {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  },
};

export interface Timing {
  /** Milliseconds of one call: the median over rounds, and the shortest round. */
  median: number;
  best: number;
}

/** A round lasts at least this long, in milliseconds, where calls may be joined. */
const ROUND = 2;
const MOST_ROUNDS = 101;

/** Milliseconds of one call of `run`. With `before`, which restores what `run` destroys, each call is timed alone. */
export function measure(run: () => void, effort: Effort, before?: () => void): Timing {
  const time = (calls: number) => {
    before?.();
    const start = effort.now();
    for (let call = 0; call < calls; call++) run();
    return effort.now() - start;
  };
  const rounds = new Rounds(effort, before !== undefined);
  while (rounds.calls > 0) rounds.add(time(rounds.calls));
  return rounds.timing();
}

/** The same for calls that are awaited. */
export async function measureAsync(run: () => Promise<unknown>, effort: Effort): Promise<Timing> {
  const rounds = new Rounds(effort, false);
  while (rounds.calls > 0) {
    const start = effort.now();
    for (let call = 0; call < rounds.calls; call++) await run();
    rounds.add(effort.now() - start);
  }
  return rounds.timing();
}

/** How many calls the next round makes, and what the rounds said. */
class Rounds {
  /** 0 when there is nothing left to do. */
  calls = 1;
  readonly #effort: Effort;
  readonly #alone: boolean;
  readonly #times: number[] = [];
  #warm = 0;
  #warmCalls = 0;
  #spent = 0;

  constructor(effort: Effort, alone: boolean) {
    this.#effort = effort;
    this.#alone = alone;
  }

  add(elapsed: number): void {
    const { warmUp, budget, rounds } = this.#effort;
    if (this.#warm < warmUp || this.#warmCalls < 2) {
      this.#warm += elapsed;
      this.#warmCalls++;
      const each = Math.max(elapsed / this.calls, 1e-6);
      this.calls = this.#alone ? 1 : Math.max(1, Math.ceil(ROUND / each));
      return;
    }
    this.#times.push(elapsed / this.calls);
    this.#spent += elapsed;
    const enough = this.#times.length >= rounds && this.#spent >= budget;
    if (enough || this.#times.length >= MOST_ROUNDS) this.calls = 0;
  }

  timing(): Timing {
    const times = this.#times.toSorted((a, b) => a - b);
    return { median: times[times.length >> 1], best: times[0] };
  }
}

/** Three figures, or all before the point: 0.123, 12.3, 1234. */
export function figures(value: number): string {
  if (value >= 100) return value.toFixed(0);
  if (value >= 10) return value.toFixed(1);
  return value >= 1 ? value.toFixed(2) : value.toFixed(3);
}

/** Prints one row at a time, as they are measured: the first column to the left, the others to the right. */
export class Table {
  readonly #widths: number[];

  constructor(title: string, columns: readonly string[], width = 44) {
    this.#widths = columns.map((name, index) => (index === 0 ? width : Math.max(10, name.length + 2)));
    console.log(`\n${title}`);
    this.row(columns);
  }

  row(cells: readonly string[]): void {
    const padded = cells.map((cell, index) =>
      index === 0 ? cell.padEnd(this.#widths[0]) : cell.padStart(this.#widths[index]),
    );
    console.log(padded.join("").trimEnd());
  }
}
