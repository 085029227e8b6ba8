// Runs a program on the host, kernel call by kernel call. Arguments are worked out once for given addresses and
// dimensions; after that a run only calls, and allocates nothing.
import { UnreelError } from "../errors.js";
import { runCalls } from "../wasm/calls.js";
import type { Kernel } from "../wasm/kernels.js";
import type { Memory } from "../wasm/memory.js";
import {
  type Argument,
  type Base,
  type Call,
  callsOf,
  isLoop,
  isPointer,
  type Program,
  type Step,
} from "./program.js";
import type { Dims, Size } from "./size.js";

/** A program bound to kernels: `prepare` for addresses and dimensions, then `run` as often as wanted. */
export class BoundProgram {
  readonly program: Program;
  readonly kernels: Readonly<Record<string, Kernel>>;
  readonly #numbers: ReadonlyMap<string, number>;
  readonly #list: readonly Kernel[];
  /** The calls as numbers (wasm/calls.ts), here or in memory, from word `at` on. */
  readonly #own: Float64Array;
  readonly #memory: Memory | undefined;
  readonly at: number;

  /** With a memory the calls lie there, at `address`, where another thread finds them. */
  constructor(program: Program, kernels: Readonly<Record<string, Kernel>>, memory?: Memory) {
    this.program = program;
    this.kernels = kernels;
    const names = Object.keys(kernels);
    this.#numbers = new Map(names.map((name, number) => [name, number]));
    this.#list = Object.values(kernels);
    for (const step of program.steps) for (const call of callsOf(step)) check(program.name, call, kernels);
    const words = program.steps.reduce((sum, step) => sum + wordsOf(step), 0);
    this.#memory = memory;
    this.at = memory ? memory.allocate(words * 8, `${program.name}: calls for a thread`) / 8 : 0;
    this.#own = new Float64Array(memory ? 0 : words);
  }

  get address(): number {
    return this.at * 8;
  }

  /** Works out every argument. */
  prepare(bases: Readonly<Record<Base, number>>, dims: Dims): void {
    const words = this.#words;
    const { steps } = this.program;
    let next = this.at + steps.length;
    steps.forEach((step, index) => {
      const turns = isLoop(step) ? step.count.evaluate(dims) : 1;
      const backwards = isLoop(step) && step.backwards;
      const calls = callsOf(step);
      words[this.at + index] = next - this.at;
      words[next++] = turns;
      words[next++] = calls.length;
      for (const { kernel, args } of calls) {
        words[next++] = this.#numbers.get(kernel)!;
        words[next++] = args.length;
        args.forEach((arg, place) => {
          const stride = isPointer(arg) && arg.stride ? arg.stride.evaluate(dims) : 0;
          words[next + place] = resolve(arg, bases, dims) + (backwards ? (turns - 1) * stride : 0);
          words[next + args.length + place] = backwards ? -stride : stride;
        });
        next += 2 * args.length;
      }
    });
  }

  /** Runs steps [from, to): all of them by default. */
  run(from = 0, to = this.program.steps.length): void {
    runCalls(this.#list, this.#words, this.at, from, to);
  }

  get #words(): Float64Array {
    return this.#memory ? this.#memory.doubles : this.#own;
  }
}

/** Words that a step takes in the list, its own place included. */
function wordsOf(step: Step): number {
  return callsOf(step).reduce((sum, { args }) => sum + 2 + 2 * args.length, 3);
}

function check(program: string, { kernel, args }: Call, kernels: Readonly<Record<string, Kernel>>): void {
  const found: Kernel | undefined = kernels[kernel];
  const operation = `program '${program}'`;
  if (found === undefined) {
    throw new UnreelError({ operation, expected: "a kernel of the build", got: `'${kernel}'` });
  }
  if (found.length !== args.length) {
    const expected = `${found.length} arguments for kernel ${kernel}`;
    throw new UnreelError({ operation, expected, got: `${args.length}` });
  }
}

/** The number that an argument stands for. */
export function resolve(arg: Argument, bases: Readonly<Record<Base, number>>, dims: Dims): number {
  if (typeof arg === "number") return arg;
  if (!isPointer(arg)) return (arg as Size).evaluate(dims);
  const { storage, offset } = arg;
  return bases[storage.base] + storage.address!.evaluate(dims) + offset.evaluate(dims);
}
