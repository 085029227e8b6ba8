// A graph's place in the engine: its weights in linear memory, its programs, and the working memory they share.
// Not here: batches, epochs and callbacks (training/).

import type { Graph } from "../layers/graph.js";
import type { Weight } from "../layers/weight.js";
import type { StateLayout } from "../layers/wire.js";
import type { PackedLayout } from "../ops/builder.js";
import { print } from "../program/program.js";
import { BoundProgram } from "../program/run.js";
import type { Dims } from "../program/size.js";
import { type Engine, loadEngine } from "../wasm/engine.js";
import { type Lowered, layOut, lower, type Mode, type WeightLayout } from "./lower.js";
import { compute, type Part, partDims, partSizes } from "./parts.js";
import { decayed } from "./slots.js";
import type { Training } from "./training.js";

/** What an optimizer keeps of each weight, after so many steps. */
export interface Slots {
  readonly kept: ReadonlyMap<Weight, readonly Float32Array[]>;
  readonly iterations: number;
}

/** A lowered program with the kernels it calls, and the batch it was last prepared for. */
export interface Prepared extends Lowered {
  /** For each part of a batch, as many as were ever needed. */
  readonly bound: BoundProgram[];
  readonly packer: BoundProgram;
  /** The weights that it was packed for: with any others, or elsewhere, it is packed again. */
  packedFor: number;
  parts: readonly Part[];
  dims: Dims;
  /** The blocks that it was prepared for: where any has moved since, it is prepared again. */
  preparedFor: number;
}

/** What a stream runs, and the memory that it needs. */
export interface LoweredStream {
  readonly lowered: Lowered;
  readonly bound: BoundProgram;
  readonly packer: BoundProgram;
  readonly states: StateLayout;
  readonly packedBytes: number;
}

/** A block of memory that grows by moving: 0 bytes while there is none. */
interface Block {
  address: number;
  bytes: number;
}

/** What each part of a batch has to itself. The first part's gradients lie in the training block. */
interface Room {
  readonly work: Block;
  readonly gradients: Block;
}

const noBlock = (): Block => ({ address: 0, bytes: 0 });

/** Returns the blocks of models that were dropped without dispose(). */
const forgotten = new FinalizationRegistry<() => void>((release) => release());

export class Executor {
  readonly graph: Graph;
  readonly engine: Engine;
  readonly #layout: WeightLayout;
  readonly #states: StateLayout = { addresses: new Map(), sizes: new Map(), bytes: 0, owners: new Map() };
  readonly #versions = new Map<Weight, number>();
  readonly #weights: number;
  readonly #training = noBlock();
  readonly #state = noBlock();
  readonly #packed = noBlock();
  readonly #packedLayout: PackedLayout = { addresses: new Map(), bytes: 0 };
  readonly #rooms: Room[] = [];
  readonly #programs = new Map<Mode, Prepared>();
  /** Addresses of all that it has in memory. */
  readonly #held = new Set<number>();
  /** Rises whenever a block moves. */
  #moves = 0;
  /** Rises whenever weights change in memory, or their packed forms move. */
  #changes = 0;
  #compiled: Training | undefined;
  #freshTraining = false;
  /** Slots to begin the training with, from a file. */
  #restored: (Slots & { readonly training: Training }) | undefined;

  static async create(graph: Graph, name: string): Promise<Executor> {
    return new Executor(graph, name, await loadEngine());
  }

  private constructor(graph: Graph, name: string, engine: Engine) {
    this.graph = graph;
    this.engine = engine;
    this.#layout = layOut(graph.weights);
    const held = this.#held;
    forgotten.register(this, () => freeAll(engine, held), this);
    this.#weights = engine.memory.allocate(this.#layout.bytes, `${name}: weights`);
    held.add(this.#weights);
  }

  /** Gives all memory back; the newest weights go to the host first. */
  dispose(): void {
    for (const weight of this.graph.weights) weight.release(this);
    forgotten.unregister(this);
    freeAll(this.engine, this.#held);
    this.#programs.clear();
  }

  /** Values of a weight, straight from linear memory: not a copy. */
  read(weight: Weight): Float32Array {
    const start = (this.#weights + this.#layout.addresses.get(weight)!) / 4;
    return this.engine.memory.floats.subarray(start, start + weight.size);
  }

  /** Bytes of all weights as they lie in memory, and where each begins. */
  weightBytes(): Uint8Array {
    this.#takeNewest();
    const start = this.#weights / 4;
    return new Uint8Array(this.engine.memory.floats.slice(start, start + this.#layout.bytes / 4).buffer);
  }

  /** Bytes of packed weights, for all programs that have been lowered. */
  get packedBytes(): number {
    return this.#packedLayout.bytes;
  }

  /** The constants of the kernels, as they lie at the beginning of memory. */
  kernelConstants(): Uint8Array {
    const { memory, kernels } = this.engine;
    return new Uint8Array(memory.floats.buffer, 0, kernels.heapBase()).slice();
  }

  /** A program for one time step of so many sequences, with a layout of its own for the states that it keeps. */
  lowerStream(batchSize: number): LoweredStream {
    const states: StateLayout = { addresses: new Map(), sizes: new Map(), bytes: 0, owners: new Map() };
    const packed: PackedLayout = { addresses: new Map(), bytes: 0 };
    const options = { layout: this.#layout, states, packed, stream: { batchSize } };
    const lowered = lower(this.graph, "predict", options);
    const [bound, packer] = [lowered.program, lowered.packing].map(
      (program) => new BoundProgram(program, this.engine.kernels),
    );
    return { lowered, bound, packer, states, packedBytes: packed.bytes };
  }

  /** Address of the weights, brought up to date, and a number that rises whenever they change. */
  currentWeights(): { address: number; changes: number } {
    this.#takeNewest();
    return { address: this.#weights, changes: this.#changes };
  }

  /** The program of a mode, lowered when first asked for. A new `training` (another compile) lowers its programs anew. */
  program(mode: Mode, training?: Training): Prepared {
    if (training && training !== this.#compiled) {
      for (const stale of ["evaluate", "gradients", "train"] as const) this.#forget(stale);
      this.#free(this.#training);
      this.#compiled = training;
    }
    let prepared = this.#programs.get(mode);
    if (!prepared) {
      const packed = mode === "predict" || mode === "evaluate" ? this.#packedLayout : undefined;
      const lowered = lower(this.graph, mode, {
        layout: this.#layout,
        states: this.#states,
        training,
        packed,
        inParts: this.engine.threads !== undefined,
      });
      const packer = new BoundProgram(lowered.packing, this.engine.kernels);
      prepared = { ...lowered, bound: [], packer, packedFor: -1, parts: [], dims: {}, preparedFor: -1 };
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
    for (const { work } of this.#rooms)
      this.engine.memory.floats.fill(value, work.address / 4, (work.address + work.bytes) / 4);
  }

  /** Forgets training programs, as when a layer's `trainable` has changed; the optimizer's state goes with them. */
  forgetTraining(): void {
    this.#compiled = undefined;
    this.#restored = undefined;
  }

  /** Makes memory ready for a run with these dimensions. After it, inputs may be written, to each part of the batch its own. */
  prepare(prepared: Prepared, dims: Dims): void {
    this.#takeNewest();
    if (isTraining(prepared) && this.#training.bytes === 0) this.#beginTraining(prepared);
    if (this.#states.bytes > this.#state.bytes) this.#growStates();
    if (this.#packedLayout.bytes > this.#packed.bytes) this.#growPacked();
    if (prepared.preparedFor !== this.#moves || !sameDims(prepared.dims, dims)) this.#place(prepared, dims);
    if (prepared.packedFor === this.#changes) return;
    prepared.packer.prepare(prepared.parts[0].bases, {});
    prepared.packer.run();
    prepared.packedFor = this.#changes;
  }

  /** Gives each part of a batch its memory, and works out the arguments of its calls. */
  #place(prepared: Prepared, dims: Dims): void {
    const { name } = prepared.program;
    const trains = isTraining(prepared);
    let first = 0;
    const places = partSizes(prepared, dims, this.engine.threads?.size ?? 1).map((count, index) => {
      const own = partDims(dims, first, count);
      first += count;
      this.#rooms[index] ??= { work: noBlock(), gradients: index === 0 ? this.#training : noBlock() };
      const { work, gradients } = this.#rooms[index];
      const bytes = prepared.work.evaluate(own);
      if (bytes > work.bytes || work.address === 0) {
        this.#free(work);
        this.#allocate(work, bytes, `${name}: working memory for ${named(dims)}`);
      }
      if (trains && gradients.bytes === 0)
        this.#allocate(gradients, this.#layout.bytes, "training: gradients of a part");
      return { dims: own, first: first - count, count };
    });
    prepared.parts = places.map((place, index) => {
      prepared.bound[index] ??= this.#bind(prepared, index);
      const { work, gradients } = this.#rooms[index];
      const bases = {
        weights: this.#weights,
        training: gradients.address,
        state: this.#state.address,
        packed: this.#packed.address,
        work: work.address,
      };
      prepared.bound[index].prepare(bases, place.dims);
      return { ...place, bound: prepared.bound[index], bases, share: place.count / first };
    });
    prepared.dims = dims;
    prepared.preparedFor = this.#moves;
  }

  /** Runs a prepared program up to its update: what changes no weight. Without threads it has run when this returns. */
  compute(prepared: Prepared): Promise<void> | undefined {
    return compute(this.engine, prepared, prepared.parts, this.#layout.bytes);
  }

  /** The update of the weights, after `compute`. */
  update({ bound, updateStart }: Prepared): void {
    bound[0].run(updateStart);
    this.#changes++;
  }

  /** Sets all states that are kept between runs to zero. */
  resetStates(): void {
    const { address, bytes } = this.#state;
    this.engine.memory.floats.fill(0, address / 4, (address + bytes) / 4);
  }

  /** What stateful layers keep from run to run, in the order of the programs that asked for it, straight from linear memory: not copies. */
  keptStates(): Float32Array[] {
    const { addresses, sizes, bytes } = this.#states;
    if (bytes > this.#state.bytes) this.#growStates();
    return [...addresses].map(([name, offset]) => {
      const start = (this.#state.address + offset) / 4;
      return this.engine.memory.floats.subarray(start, start + sizes.get(name)!);
    });
  }

  /** After training steps: this executor has the newest weights now. */
  trained(): void {
    for (const weight of this.graph.weights) {
      weight.heldBy(this);
      this.#versions.set(weight, weight.version);
    }
  }

  /** The training block (gradients, slots, settings) from a byte offset: memory as floats, and the index there. */
  trainingWords(offset: number): { floats: Float32Array; index: number } {
    return { floats: this.engine.memory.floats, index: (this.#training.address + offset) / 4 };
  }

  /** Copies of what the optimizer keeps of each weight that may be trained; undefined before the first step. */
  slots(training: Training): Slots["kept"] | undefined {
    const prepared = this.#programs.get("train");
    const restored = this.#restored?.training === training ? this.#restored.kept : undefined;
    if (!prepared || this.#training.bytes === 0 || this.#compiled !== training || restored) return restored;
    const { slots: kinds, waiting } = training.update;
    const { integers } = this.engine.memory;
    return new Map(
      this.graph.weights.map((weight) => {
        const clock = prepared.clocks.get(weight);
        const last = clock === undefined ? 0 : (this.#training.address + clock) / 4;
        const kept = kinds.map((_, k) => {
          const { floats, index } = this.#slot(weight, k);
          const values = floats.slice(index, index + weight.size);
          if (clock === undefined || waiting === undefined) return values;
          const times = Array.from(
            integers.subarray(last + 1, last + 1 + weight.shape[0]),
            (row) => integers[last] - row,
          );
          return decayed(values, times, waiting);
        });
        return [weight, kept];
      }),
    );
  }

  /** The training begins with these, after so many steps, and not from the start. */
  restoreSlots(training: Training, slots: Slots): void {
    this.#restored = { training, ...slots };
    const prepared = this.#programs.get("train");
    if (prepared && this.#training.bytes > 0 && this.#compiled === training)
      this.#takeRestored(prepared.clocks);
  }

  #slot(weight: Weight, slot: number): { floats: Float32Array; index: number } {
    return this.trainingWords(this.#layout.bytes * (1 + slot) + this.#layout.addresses.get(weight)!);
  }

  /** The program as text. */
  print(mode: Mode, training?: Training): string {
    const { packing, program } = this.program(mode, training);
    return [packing, program]
      .filter(({ steps }) => steps.length > 0)
      .map(print)
      .join("\n");
  }

  /** Gradients and slots as they are before the first step. */
  #beginTraining({ trainingBytes, filled, clocks, program }: Prepared): void {
    this.#freshTraining = true;
    const block = this.#training;
    this.#allocate(block, trainingBytes, "training: gradients and optimizer state");
    for (const { offset, words, value } of filled) {
      const start = (block.address + offset) / 4;
      this.engine.memory.floats.fill(value, start, start + words);
    }
    if (program.name === "train") this.#takeRestored(clocks);
  }

  /** Puts slots from a file in their places. */
  #takeRestored(clocks: ReadonlyMap<Weight, number>): void {
    if (!this.#restored || this.#restored.training !== this.#compiled) return;
    const { kept, iterations } = this.#restored;
    this.#freshTraining = false;
    for (const [weight, slots] of kept) {
      slots.forEach((values, k) => {
        const { floats, index } = this.#slot(weight, k);
        floats.set(values, index);
      });
      // No row is behind.
      const clock = clocks.get(weight);
      if (clock === undefined) continue;
      const start = (this.#training.address + clock) / 4;
      this.engine.memory.integers.fill(iterations, start, start + 1 + weight.shape[0]);
    }
    this.#restored = undefined;
  }

  /** Room for the states that a new program keeps; what others keep stays. */
  #growStates(): void {
    const state = this.#state;
    const old = { ...state };
    this.#allocate(state, this.#states.bytes, "states");
    this.engine.memory.floats.copyWithin(state.address / 4, old.address / 4, (old.address + old.bytes) / 4);
    this.#free(old);
  }

  /** Room for the packed weights of a new program; all are packed again. */
  #growPacked(): void {
    this.#free(this.#packed);
    this.#allocate(this.#packed, this.#packedLayout.bytes, "packed weights");
    this.#changes++;
  }

  /** The calls of a part: those of the first are made here, those of others lie in memory for a thread. */
  #bind({ program }: Prepared, part: number): BoundProgram {
    const { kernels, memory } = this.engine;
    const bound = new BoundProgram(program, kernels, part === 0 ? undefined : memory);
    if (part > 0) this.#held.add(bound.address);
    return bound;
  }

  #forget(mode: Mode): void {
    for (const { address } of this.#programs.get(mode)?.bound.slice(1) ?? [])
      this.#free({ address, bytes: 0 });
    this.#programs.delete(mode);
  }

  #allocate(block: Block, bytes: number, what: string): void {
    block.address = this.engine.memory.allocate(bytes, what);
    block.bytes = bytes;
    this.#held.add(block.address);
    this.#moves++;
  }

  #free(block: Block): void {
    this.engine.memory.free(block.address);
    this.#held.delete(block.address);
    block.address = 0;
    block.bytes = 0;
    this.#moves++;
  }

  #takeNewest(): void {
    for (const weight of this.graph.weights) {
      if (this.#versions.get(weight) === weight.version) continue;
      this.read(weight).set(weight.read());
      this.#versions.set(weight, weight.version);
      this.#changes++;
    }
  }
}

function freeAll({ memory }: Engine, held: Set<number>): void {
  for (const address of held) memory.free(address);
  held.clear();
}

function isTraining({ program: { name } }: Prepared): boolean {
  return name === "train" || name === "gradients";
}

function sameDims(a: Dims, b: Dims): boolean {
  const names = Object.keys(b);
  return names.length === Object.keys(a).length && names.every((name) => a[name] === b[name]);
}

/** Sizes as a message calls them. */
function named({ B, ...lengths }: Dims): string {
  const others = Object.entries(lengths).map(([name, size]) => `${name} = ${size}`);
  return [`a batch of ${B}`, ...others].join(", ");
}
