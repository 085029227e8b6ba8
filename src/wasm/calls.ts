// Kernel calls as numbers in memory, so that any thread can make them. Not here: where the numbers come from (program/run.ts).
//
// A list of steps at word `at`: for each step, how far from `at` it begins; then its turns, how many calls it makes in each, and
// of each call the kernel's number, the number n of arguments, the n arguments of the first turn, and what each of them grows by.

export type Kernel = (...args: number[]) => number;

/** Runs steps [from, to) of the list that begins at word `at`. */
export function runCalls(
  kernels: readonly Kernel[],
  words: Float64Array,
  at: number,
  from: number,
  to: number,
): void {
  for (let step = from; step < to; step++) {
    const start = at + words[at + step];
    const turns = words[start];
    const calls = words[start + 1];
    for (let turn = 0; turn < turns; turn++) {
      let next = start + 2;
      for (let call = 0; call < calls; call++) {
        const count = words[next + 1];
        const args = roomFor(count);
        next += 2;
        if (turn === 0) for (let i = 0; i < count; i++) args[i] = words[next + i];
        else for (let i = 0; i < count; i++) args[i] = words[next + i] + turn * words[next + count + i];
        kernels[words[next - 2]](...args);
        next += 2 * count;
      }
    }
  }
}

/** For each number of arguments a list to pass them in: a run allocates nothing. */
const rooms: number[][] = [];

function roomFor(count: number): number[] {
  rooms[count] ??= new Array<number>(count).fill(0);
  return rooms[count];
}
