// Runs a program on the host, kernel call by kernel call. Arguments are worked out once for given addresses and
// dimensions; after that a run only calls, and allocates nothing.
import { UnreelError } from "../errors.js";
import type { Kernel } from "../wasm/kernels.js";
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

interface BoundCall {
  readonly call: Call;
  readonly kernel: Kernel;
  readonly args: number[];
  /** In a loop: what each argument grows by from turn to turn. */
  readonly strides: number[];
}

interface BoundStep {
  readonly step: Step;
  readonly calls: readonly BoundCall[];
  /** How often the calls are made. */
  count: number;
}

/** A program bound to kernels: `prepare` for addresses and dimensions, then `run` as often as wanted. */
export class BoundProgram {
  readonly program: Program;
  readonly kernels: Readonly<Record<string, Kernel>>;
  readonly #steps: readonly BoundStep[];

  constructor(program: Program, kernels: Readonly<Record<string, Kernel>>) {
    this.program = program;
    this.kernels = kernels;
    this.#steps = program.steps.map((step) => ({
      step,
      calls: callsOf(step).map((call) => bind(program.name, call, kernels)),
      count: 1,
    }));
  }

  /** Works out every argument. */
  prepare(bases: Readonly<Record<Base, number>>, dims: Dims): void {
    for (const bound of this.#steps) {
      const { step } = bound;
      bound.count = isLoop(step) ? step.count.evaluate(dims) : 1;
      const backwards = isLoop(step) && step.backwards;
      for (const { call, args, strides } of bound.calls) {
        call.args.forEach((arg, place) => {
          const stride = isPointer(arg) && arg.stride ? arg.stride.evaluate(dims) : 0;
          strides[place] = backwards ? -stride : stride;
          args[place] = resolve(arg, bases, dims) + (backwards ? (bound.count - 1) * stride : 0);
        });
      }
    }
  }

  /** Runs steps [from, to): all of them by default. */
  run(from = 0, to = this.#steps.length): void {
    for (let index = from; index < to; index++) {
      const { calls, count } = this.#steps[index];
      for (let turn = 0; turn < count; turn++) for (const bound of calls) callAt(bound, turn);
      if (count !== 1) for (const bound of calls) rewind(bound, count);
    }
  }

  /** Runs once and returns the milliseconds that each kernel took in all. For profiles, not for training. */
  profile(): Map<string, number> {
    const spent = new Map<string, number>();
    for (const { calls, count } of this.#steps) {
      for (let turn = 0; turn < count; turn++) {
        for (const bound of calls) {
          const start = performance.now();
          callAt(bound, turn);
          const { kernel } = bound.call;
          spent.set(kernel, (spent.get(kernel) ?? 0) + performance.now() - start);
        }
      }
      if (count !== 1) for (const bound of calls) rewind(bound, count);
    }
    return spent;
  }
}

/** One call of one turn; from the second turn on its arguments move by their strides first. */
function callAt({ kernel, args, strides }: BoundCall, turn: number): void {
  if (turn > 0) for (let place = 0; place < args.length; place++) args[place] += strides[place];
  kernel(...args);
}

/** Puts the arguments of a loop's call back to the first turn. */
function rewind({ args, strides }: BoundCall, count: number): void {
  const turns = Math.max(count - 1, 0);
  for (let place = 0; place < args.length; place++) args[place] -= turns * strides[place];
}

function bind(program: string, call: Call, kernels: Readonly<Record<string, Kernel>>): BoundCall {
  const kernel: Kernel | undefined = kernels[call.kernel];
  const operation = `program '${program}'`;
  if (kernel === undefined) {
    throw new UnreelError({ operation, expected: "a kernel of the build", got: `'${call.kernel}'` });
  }
  if (kernel.length !== call.args.length) {
    const expected = `${kernel.length} arguments for kernel ${call.kernel}`;
    throw new UnreelError({ operation, expected, got: `${call.args.length}` });
  }
  return { call, kernel, args: call.args.map(() => 0), strides: call.args.map(() => 0) };
}

/** The number that an argument stands for. */
export function resolve(arg: Argument, bases: Readonly<Record<Base, number>>, dims: Dims): number {
  if (typeof arg === "number") return arg;
  if (!isPointer(arg)) return (arg as Size).evaluate(dims);
  const { storage, offset } = arg;
  return bases[storage.base] + storage.address!.evaluate(dims) + offset.evaluate(dims);
}
