// A graph's place in the engine: its weights in linear memory, its programs, and the working memory they share.
// Not here: batches, epochs and callbacks (training/).

import type { Graph } from "../layers/graph.js";
import type { Weight } from "../layers/weight.js";
import type { StateLayout } from "../layers/wire.js";
import { BASES, type Base, type Pointer, print } from "../program/program.js";
import { BoundProgram } from "../program/run.js";
import type { Dims } from "../program/size.js";
import { type Engine, loadEngine } from "../wasm/engine.js";
import { type Lowered, layOut, lower, type Mode, type Training, type WeightLayout } from "./lower.js";

/** A lowered program with the kernels it calls, and the dimensions it was last prepared for. */
export interface Prepared extends Lowered {
  readonly bound: BoundProgram;
  dims: Dims;
  /** Working memory that it was prepared for: any other means preparing again. */
  preparedAt: number;
}

/** Addresses of a graph's blocks; 0 while there is none. */
interface Blocks extends Record<Base, number> {
  workBytes: number;
  stateBytes: number;
}

/** Returns the blocks of models that were dropped without dispose(). */
const forgotten = new FinalizationRegistry<() => void>((release) => release());

export class Executor {
  readonly graph: Graph;
  readonly engine: Engine;
  readonly #layout: WeightLayout;
  readonly #states: StateLayout = { addresses: new Map(), sizes: new Map(), bytes: 0, owners: new Map() };
  readonly #versions = new Map<Weight, number>();
  readonly #blocks: Blocks;
  readonly #programs = new Map<Mode, Prepared>();
  #training: Training | undefined;
  #freshTraining = false;

  static async create(graph: Graph, name: string): Promise<Executor> {
    return new Executor(graph, name, await loadEngine());
  }

  private constructor(graph: Graph, name: string, engine: Engine) {
    this.graph = graph;
    this.engine = engine;
    this.#layout = layOut(graph.weights);
    const { memory } = engine;
    const weights = memory.allocate(this.#layout.bytes, `${name}: weights`);
    const blocks: Blocks = { weights, training: 0, state: 0, stateBytes: 0, work: 0, workBytes: -1 };
    this.#blocks = blocks;
    forgotten.register(this, () => freeAll(engine, blocks), this);
  }

  /** Gives all memory back; the newest weights go to the host first. */
  dispose(): void {
    for (const weight of this.graph.weights) weight.release(this);
    forgotten.unregister(this);
    freeAll(this.engine, this.#blocks);
    this.#programs.clear();
  }

  /** Values of a weight, straight from linear memory: not a copy. */
  read(weight: Weight): Float32Array {
    const start = (this.#blocks.weights + this.#layout.addresses.get(weight)!) / 4;
    return this.engine.memory.floats.subarray(start, start + weight.size);
  }

  /** Bytes of all weights as they lie in memory, and where each begins. */
  weightBytes(): Uint8Array {
    this.#takeNewest();
    const start = this.#blocks.weights / 4;
    return new Uint8Array(this.engine.memory.floats.slice(start, start + this.#layout.bytes / 4).buffer);
  }

  /** The constants of the kernels, as they lie at the beginning of memory. */
  kernelConstants(): Uint8Array {
    const { floats } = this.engine.memory;
    return new Uint8Array(floats.buffer.slice(0, this.engine.kernels.heapBase()));
  }

  /** A program for one time step of so many sequences, with a layout of its own for the states that it keeps. */
  lowerStream(batchSize: number): { lowered: Lowered; bound: BoundProgram; states: StateLayout } {
    const states: StateLayout = { addresses: new Map(), sizes: new Map(), bytes: 0, owners: new Map() };
    const lowered = lower(this.graph, "predict", { layout: this.#layout, states, stream: { batchSize } });
    return { lowered, bound: new BoundProgram(lowered.program, this.engine.kernels), states };
  }

  /** Address of the weights, brought up to date. */
  currentWeights(): number {
    this.#takeNewest();
    return this.#blocks.weights;
  }

  /** The program of a mode, lowered when first asked for. A new `training` (another compile) lowers its programs anew. */
  program(mode: Mode, training?: Training): Prepared {
    if (training && training !== this.#training) {
      for (const stale of ["evaluate", "gradients", "train"] as const) this.#programs.delete(stale);
      this.engine.memory.free(this.#blocks.training);
      this.#blocks.training = 0;
      this.#training = training;
    }
    let prepared = this.#programs.get(mode);
    if (!prepared) {
      const lowered = lower(this.graph, mode, { layout: this.#layout, states: this.#states, training });
      const bound = new BoundProgram(lowered.program, this.engine.kernels);
      prepared = { ...lowered, bound, dims: {}, preparedAt: -1 };
      this.#programs.set(mode, prepared);
    }
    return prepared;
  }

  /** Whether slots have begun again since this was last asked. */
  takeFreshTraining(): boolean {
    const fresh = this.#freshTraining;
    this.#freshTraining = false;
    return fresh;
  }

  /** For tests: numbers left over from other programs must not matter. */
  fillWork(value: number): void {
    const { work, workBytes } = this.#blocks;
    this.engine.memory.floats.fill(value, work / 4, (work + Math.max(workBytes, 0)) / 4);
  }

  /** Forgets training programs, as when a layer's `trainable` has changed; the optimizer's state goes with them. */
  forgetTraining(): void {
    this.#training = undefined;
  }

  /** Makes memory ready for a run with these dimensions. After it, inputs may be written. */
  prepare(prepared: Prepared, dims: Dims): void {
    this.#takeNewest();
    const { memory } = this.engine;
    const blocks = this.#blocks;
    if (
      (prepared.program.name === "train" || prepared.program.name === "gradients") &&
      blocks.training === 0
    ) {
      this.#freshTraining = true;
      blocks.training = memory.allocate(prepared.trainingBytes, "training: gradients and optimizer state");
      for (const { offset, words, value } of prepared.filled) {
        const start = (blocks.training + offset) / 4;
        memory.floats.fill(value, start, start + words);
      }
    }
    if (this.#states.bytes > blocks.stateBytes) this.#growStates();
    if (prepared.preparedAt === blocks.work && sameDims(prepared.dims, dims)) return;
    const bytes = prepared.work.evaluate(dims);
    if (bytes > blocks.workBytes) {
      if (blocks.workBytes >= 0) memory.free(blocks.work);
      blocks.workBytes = -1;
      blocks.work = 0;
      blocks.work = memory.allocate(
        bytes,
        `${prepared.program.name}: working memory for ${JSON.stringify(dims)}`,
      );
      blocks.workBytes = bytes;
    }
    prepared.bound.prepare(blocks, dims);
    prepared.dims = dims;
    prepared.preparedAt = blocks.work;
  }

  /** Sets all states that are kept between runs to zero. */
  resetStates(): void {
    const { state, stateBytes } = this.#blocks;
    this.engine.memory.floats.fill(0, state / 4, (state + stateBytes) / 4);
  }

  /** The states that are kept between runs, by name: views of memory. */
  keptStates(): Map<string, Float32Array> {
    const { floats } = this.engine.memory;
    const found = [...this.#states.addresses].map(([name, address]): [string, Float32Array] => {
      const start = (this.#blocks.state + address) / 4;
      return [name, floats.subarray(start, start + this.#states.sizes.get(name)!)];
    });
    return new Map(found);
  }

  /** After training steps: this executor has the newest weights now. */
  trained(): void {
    for (const weight of this.graph.weights) {
      weight.heldBy(this);
      this.#versions.set(weight, weight.version);
    }
  }

  /** Address of a working block in the present dimensions, as an index of 32-bit words. */
  place({ storage, offset }: Pointer, dims: Dims): number {
    return (this.#blocks[storage.base] + storage.address!.evaluate(dims) + offset.evaluate(dims)) / 4;
  }

  /** The training block (gradients, slots, settings) from a byte offset: memory as floats, and the index there. */
  trainingWords(offset: number): { floats: Float32Array; index: number } {
    return { floats: this.engine.memory.floats, index: (this.#blocks.training + offset) / 4 };
  }

  /** The program as text. */
  print(mode: Mode, training?: Training): string {
    return print(this.program(mode, training).program);
  }

  /** Room for the states that a new program keeps; what others keep stays. */
  #growStates(): void {
    const { memory } = this.engine;
    const blocks = this.#blocks;
    const grown = memory.allocate(this.#states.bytes, "states");
    memory.floats.copyWithin(grown / 4, blocks.state / 4, (blocks.state + blocks.stateBytes) / 4);
    memory.free(blocks.state);
    blocks.state = grown;
    blocks.stateBytes = this.#states.bytes;
    for (const prepared of this.#programs.values()) prepared.preparedAt = -1;
  }

  #takeNewest(): void {
    for (const weight of this.graph.weights) {
      if (this.#versions.get(weight) === weight.version) continue;
      this.read(weight).set(weight.read());
      this.#versions.set(weight, weight.version);
    }
  }
}

function freeAll({ memory }: Engine, blocks: Blocks): void {
  for (const base of BASES) memory.free(blocks[base]);
}

function sameDims(a: Dims, b: Dims): boolean {
  const names = Object.keys(b);
  return names.length === Object.keys(a).length && names.every((name) => a[name] === b[name]);
}
