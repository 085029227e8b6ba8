// Kernel calls with arguments that are known before they run, and the same as numbers in memory, where another thread finds them.
// Not here: where the arguments come from (program/run.ts).

export type Kernel = (...args: number[]) => number;

export interface BoundCall {
  readonly kernel: Kernel;
  readonly args: number[];
  /** What each argument grows by from turn to turn. */
  readonly strides: number[];
}

/** Calls that are made one after the other, so many times. */
export interface BoundStep {
  readonly calls: readonly BoundCall[];
  turns: number;
}

/** Runs steps [from, to). Allocates nothing. */
export function runSteps(steps: readonly BoundStep[], from: number, to: number): void {
  for (let index = from; index < to; index++) {
    const { calls, turns } = steps[index];
    for (let turn = 0; turn < turns; turn++) {
      for (const { kernel, args, strides } of calls) {
        if (turn > 0) for (let place = 0; place < args.length; place++) args[place] += strides[place];
        kernel(...args);
      }
    }
    if (turns > 1) for (const call of calls) rewind(call, turns - 1);
  }
}

/** Puts the arguments of a loop's call back to the first turn. */
function rewind({ args, strides }: BoundCall, turns: number): void {
  for (let place = 0; place < args.length; place++) args[place] -= turns * strides[place];
}

// In memory: how many steps there are; of each its turns and how many calls it makes; of each call the kernel's number, the number
// of arguments, the arguments, their strides.

/** Words that steps take in memory. */
export function wordsFor(steps: readonly BoundStep[]): number {
  const words = ({ calls }: BoundStep) => calls.reduce((sum, { args }) => sum + 2 + 2 * args.length, 2);
  return steps.reduce((sum, step) => sum + words(step), 1);
}

/** Writes steps to memory from word `at` on. `numbers` are those of the kernels, in the order in which the module exports them. */
export function writeSteps(
  steps: readonly BoundStep[],
  numbers: ReadonlyMap<Kernel, number>,
  words: Float64Array,
  at: number,
): void {
  words[at] = steps.length;
  let next = at + 1;
  for (const { calls, turns } of steps) {
    words[next++] = turns;
    words[next++] = calls.length;
    for (const { kernel, args, strides } of calls) {
      words[next++] = numbers.get(kernel)!;
      words[next++] = args.length;
      for (const arg of args) words[next++] = arg;
      for (const stride of strides) words[next++] = stride;
    }
  }
}

/** The steps that were written to memory. */
export function readSteps(kernels: readonly Kernel[], words: Float64Array, at: number): BoundStep[] {
  let next = at + 1;
  const list = (length: number) => Array.from({ length }, () => words[next++]);
  return Array.from({ length: words[at] }, () => {
    const turns = words[next++];
    const calls = Array.from({ length: words[next++] }, () => {
      const kernel = kernels[words[next++]];
      const count = words[next++];
      return { kernel, args: list(count), strides: list(count) };
    });
    return { calls, turns };
  });
}
