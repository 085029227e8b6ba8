// Runs a program on the host, kernel call by kernel call. Arguments are worked out once for given addresses and
// dimensions; after that a run only calls, and allocates nothing.
import { UnreelError } from "../errors.js";
import { type BoundStep, type Kernel, runSteps, wordsFor, writeSteps } from "../wasm/calls.js";
import type { Memory } from "../wasm/memory.js";
import type { Job } from "../wasm/threads.js";
import { type Argument, type Base, type Call, callsOf, isLoop, isPointer, type Program } from "./program.js";
import type { Dims, Size } from "./size.js";

/** How often any program was prepared: another number, other arguments. */
let preparations = 0;

/** A program bound to kernels: `prepare` for addresses and dimensions, then `run` as often as wanted. */
export class BoundProgram implements Job {
  readonly program: Program;
  readonly kernels: Readonly<Record<string, Kernel>>;
  readonly #steps: readonly BoundStep[];
  /** Where another thread finds the calls, if it is to. */
  readonly #memory: Memory | undefined;
  readonly address: number;
  version = 0;

  /** With a memory the calls are also written there, for another thread. */
  constructor(program: Program, kernels: Readonly<Record<string, Kernel>>, memory?: Memory) {
    this.program = program;
    this.kernels = kernels;
    this.#steps = program.steps.map((step) => ({
      calls: callsOf(step).map((call) => bind(program.name, call, kernels)),
      turns: 1,
    }));
    this.#memory = memory;
    const what = `${program.name}: calls for a thread`;
    this.address = memory ? memory.allocate(wordsFor(this.#steps) * 8, what) : 0;
  }

  /** Works out every argument. */
  prepare(bases: Readonly<Record<Base, number>>, dims: Dims): void {
    this.program.steps.forEach((step, index) => {
      const bound = this.#steps[index];
      bound.turns = isLoop(step) ? step.count.evaluate(dims) : 1;
      const backwards = isLoop(step) && step.backwards;
      callsOf(step).forEach((call, which) => {
        const { args, strides } = bound.calls[which];
        call.args.forEach((arg, place) => {
          const stride = isPointer(arg) && arg.stride ? arg.stride.evaluate(dims) : 0;
          strides[place] = backwards ? -stride : stride;
          args[place] = resolve(arg, bases, dims) + (backwards ? (bound.turns - 1) * stride : 0);
        });
      });
    });
    this.version = ++preparations;
    if (!this.#memory) return;
    const numbers = new Map(Object.values(this.kernels).map((kernel, number) => [kernel, number]));
    writeSteps(this.#steps, numbers, this.#memory.doubles, this.address / 8);
  }

  /** Runs steps [from, to): all of them by default. */
  run(from = 0, to = this.#steps.length): void {
    runSteps(this.#steps, from, to);
  }
}

function bind(program: string, call: Call, kernels: Readonly<Record<string, Kernel>>) {
  const kernel: Kernel | undefined = kernels[call.kernel];
  const operation = `program '${program}'`;
  if (kernel === undefined) {
    throw new UnreelError({ operation, expected: "a kernel of the build", got: `'${call.kernel}'` });
  }
  if (kernel.length !== call.args.length) {
    const expected = `${kernel.length} arguments for kernel ${call.kernel}`;
    throw new UnreelError({ operation, expected, got: `${call.args.length}` });
  }
  return { kernel, args: call.args.map(() => 0), strides: call.args.map(() => 0) };
}

/** The number that an argument stands for. */
export function resolve(arg: Argument, bases: Readonly<Record<Base, number>>, dims: Dims): number {
  if (typeof arg === "number") return arg;
  if (!isPointer(arg)) return (arg as Size).evaluate(dims);
  const { storage, offset } = arg;
  return bases[storage.base] + storage.address!.evaluate(dims) + offset.evaluate(dims);
}
