// Runs a program on the host, kernel call by kernel call. Arguments are worked out once for given addresses and
// dimensions; after that a run only calls, and allocates nothing.
import { UnreelError } from "../errors.js";
import type { Kernel } from "../wasm/kernels.js";
import { type Argument, type Base, isPointer, type Program } from "./program.js";
import type { Dims, Size } from "./size.js";

interface BoundCall {
  readonly kernel: Kernel;
  readonly args: number[];
}

/** A program bound to kernels: `prepare` for addresses and dimensions, then `run` as often as wanted. */
export class BoundProgram {
  readonly program: Program;
  readonly #calls: BoundCall[];

  constructor(program: Program, kernels: Readonly<Record<string, Kernel>>) {
    this.program = program;
    this.#calls = program.calls.map(({ kernel, args }) => {
      const found: Kernel | undefined = kernels[kernel];
      const operation = `program '${program.name}'`;
      if (found === undefined)
        throw new UnreelError({ operation, expected: "a kernel of the build", got: `'${kernel}'` });
      if (found.length !== args.length) {
        throw new UnreelError({
          operation,
          expected: `${found.length} arguments for kernel ${kernel}`,
          got: `${args.length}`,
        });
      }
      return { kernel: found, args: args.map(() => 0) };
    });
  }

  /** Works out every argument. */
  prepare(bases: Readonly<Record<Base, number>>, dims: Dims): void {
    this.program.calls.forEach(({ args }, index) => {
      const bound = this.#calls[index].args;
      args.forEach((arg, place) => {
        bound[place] = resolve(arg, bases, dims);
      });
    });
  }

  /** Runs calls [from, to): all of them by default. */
  run(from = 0, to = this.#calls.length): void {
    for (let index = from; index < to; index++) {
      const { kernel, args } = this.#calls[index];
      kernel(...args);
    }
  }

  /** Runs once and returns the milliseconds that each kernel took in all. For profiles, not for training. */
  profile(): Map<string, number> {
    const spent = new Map<string, number>();
    for (const [index, { kernel, args }] of this.#calls.entries()) {
      const start = performance.now();
      kernel(...args);
      const name = this.program.calls[index].kernel;
      spent.set(name, (spent.get(name) ?? 0) + performance.now() - start);
    }
    return spent;
  }
}

/** The number that an argument stands for. */
export function resolve(arg: Argument, bases: Readonly<Record<Base, number>>, dims: Dims): number {
  if (typeof arg === "number") return arg;
  if (!isPointer(arg)) return (arg as Size).evaluate(dims);
  const { storage, offset } = arg;
  return bases[storage.base] + storage.address!.evaluate(dims) + offset.evaluate(dims);
}
