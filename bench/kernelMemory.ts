// The kernels alone, on memory of their own, and what a measured call of one is. Not here: which calls (products.ts, sequences.ts,
// elements.ts) and how they are timed (measure.ts). Runs in browsers too.
import { type Build, type Kernel, loadKernels } from "../src/wasm/kernels.js";
import { roundUp } from "../src/wasm/memory.js";

/** A kernel's call, its arguments ready. */
export interface KernelCall {
  run(): void;
  /** Restores what a call destroys. */
  before?(): void;
  /** Operations on one number each, as the kernel's formula has them; a fused multiply-add is two. */
  flops: number;
  /** Bytes between registers and memory at the least: each operand once, and once a step what a loop over time needs again. */
  bytes: number;
  /** Bytes of memory that a call touches, where it touches some more than once. */
  footprint?: number;
}

export interface KernelRow {
  name: string;
  make(memory: KernelMemory): KernelCall;
}

/** The same numbers each time, from -limit to limit. */
export function uniform(limit: number): () => number {
  let state = 12345;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state / 2 ** 31) * limit;
  };
}

/** The kernels and a bump allocator over their memory. */
export class KernelMemory {
  readonly kernels: Readonly<Record<string, Kernel>>;
  readonly memory: WebAssembly.Memory;
  readonly #start: number;
  #next: number;

  static async load(build: Build): Promise<KernelMemory> {
    return new KernelMemory(await loadKernels(build));
  }

  private constructor({ functions, memory, heapBase }: Awaited<ReturnType<typeof loadKernels>>) {
    this.kernels = functions;
    this.memory = memory;
    this.#start = roundUp(heapBase, 64);
    this.#next = this.#start;
  }

  reset(): void {
    this.#next = this.#start;
  }

  /** The address of `words` numbers of 32 bits, filled by `value`: by default from -1 to 1. */
  words(words: number, value: (index: number) => number = uniform(1), integers = false): number {
    const address = this.#next;
    this.#next = roundUp(address + words * 4 + 64, 64);
    const missing = this.#next - this.memory.buffer.byteLength;
    if (missing > 0) this.memory.grow(Math.ceil(missing / 65536));
    const view = this.view(address, words, integers);
    for (let index = 0; index < words; index++) view[index] = value(index);
    return address;
  }

  view(address: number, words: number, integers = false): Float32Array | Int32Array {
    return new (integers ? Int32Array : Float32Array)(this.memory.buffer, address, words);
  }
}
