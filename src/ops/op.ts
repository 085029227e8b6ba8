// What an op is: one file that says its outputs' shapes, emits its forward calls and, directly below, its backward calls.
// Ops work on values: a shape, a place in memory, and the value whose gradient they share.
import type { Argument, Pointer, Storage } from "../program/program.js";
import { type Dim, Size } from "../program/size.js";
import type { DType } from "../tensor.js";

/** An array in a program. `shape` is logical ([B, T, …]); a time-major value lies in memory with its first two axes swapped. */
export interface Value {
  readonly name: string;
  readonly shape: readonly Dim[];
  readonly dtype: DType;
  readonly pointer: Pointer;
  readonly timeMajor: boolean;
  /** The value of which this one is a view; itself otherwise. Gradients belong to roots. */
  readonly root: Value;
  /** Bytes from the root's start. */
  readonly offset: Size;
  /** In the body of a scan, for a view of something outside: bytes further for each turn. */
  readonly stride?: Size;
  /** Whether a gradient may flow into it: it is, or depends on, something trained. */
  readonly wantsGradient: boolean;
}

/** What an op says of one of its outputs. Without `pointer` or `viewOf` it gets memory of its own. */
export interface OutputSpec {
  readonly shape: readonly Dim[];
  readonly dtype?: DType;
  readonly timeMajor?: boolean;
  readonly pointer?: Pointer;
  readonly viewOf?: Value;
}

export interface Node<A = unknown> {
  readonly op: Op<A>;
  readonly name: string;
  readonly inputs: readonly (Value | undefined)[];
  readonly outputs: readonly Value[];
  readonly attributes: A;
  /** Blocks that the forward pass leaves for the backward pass. */
  readonly saved: Record<string, Pointer>;
}

export interface Op<A = unknown> {
  readonly name: string;
  /** Whether what it gives for one sample depends on others, so that a batch must be computed as a whole. Without it the shapes say
   * so (samples.ts). A sum over samples that only the host reads is none: it adds up the parts' sums. */
  mixesSamples?(inputs: readonly (Value | undefined)[], attributes: A): boolean;
  /** Multiplications and additions of the way forward. Default: a few for each number it gives. */
  flops?(node: Node<A>): Size;
  outputs(inputs: readonly (Value | undefined)[], attributes: A, allocate: Allocate): OutputSpec[];
  /** Set where each row of the first input gives a row of the output, in whatever order they lie: whether an exchange of axes is better
   * done before it. */
  byRows?(node: Node<A>): boolean;
  forward(emitter: Emitter, node: Node<A>): void;
  /** Adds to the gradients of the inputs. An op without it stops gradients, as ids and masks do. */
  backward?(emitter: Emitter, node: Node<A>): void;
}

export type Allocate = (name: string, bytes: Size) => Pointer;

/** The rows of a table that a step has touched: its gradient holds theirs alone, side by side (assembly/embedding.ts). */
export interface TouchedRows {
  /** Their numbers in the table, as many as the table has rows. */
  readonly rows: Pointer;
  /** Where each row of the table stands among them. */
  readonly places: Pointer;
  /** How many there are. */
  readonly count: Pointer;
}

/** What an op may do while it emits. */
export interface Emitter {
  call(kernel: string, ...args: (Argument | Value)[]): void;
  /** A block of working memory that the way back may read; in a loop, one for each turn. */
  allocate: Allocate;
  /** A block that no other turn of a loop needs. */
  temporary: Allocate;
  /** Scratch for one call of a GEMM kernel. */
  gemmScratch(): Pointer;
  /** Whether a matrix is the same in every run until the model's weights change. */
  isConstant(matrix: Value): boolean;
  /** A matrix [K, N], or its transpose, packed for products; in groups of so many of its columns, side by side. A constant one is
   * packed once, any other here. */
  packed(matrix: Value, groups: readonly number[], transposed?: boolean): Pointer;
  /** Whether `value` takes part in training. */
  wants(value: Value | undefined): value is Value;
  /** The gradient that has reached `value` so far, if any. */
  gradientOf(value: Value): Pointer | undefined;
  /** Where to add to the gradient of `value`: zeroed when nothing has reached it yet. */
  gradient(value: Value): Pointer;
  /** The same for kernels that can overwrite: `accumulate` is 0 when nothing has reached it yet. */
  accumulator(value: Value): { pointer: Pointer; accumulate: 0 | 1 };
  /** Set where the gradient of a table is to be that of its touched rows. */
  touchedRows(table: Value): TouchedRows | undefined;
  /** Declares that the gradient of `value` now lies at `pointer`. */
  adopt(value: Value, pointer: Pointer): void;
  /** From here on, so many words of a block hold the sum over all parts of a batch. Not in a loop. */
  meet(block: Pointer, words: number): void;
  /** Emits the calls of recorded nodes in a loop, forwards; `around` may add calls before and after them. */
  loopForward(count: Size, nodes: readonly Node[], around: { after(): void }): void;
  /** Emits the way back of recorded nodes in a loop, from the last turn to the first. */
  loopBackward(count: Size, nodes: readonly Node[], around: { before(): void }): void;
}

/** A pointer to the beginning of a block. */
export function at(storage: Storage): Pointer {
  return { storage, offset: Size.zero };
}

/** The beginning of the block that a pointer points into. */
export function origin(pointer: Pointer): Pointer {
  return { ...pointer, offset: Size.zero };
}

export function shifted(pointer: Pointer, bytes: Dim): Pointer {
  return { ...pointer, offset: pointer.offset.plus(bytes) };
}

export function count(value: Value): Size {
  return Size.product(value.shape);
}

/** All axes but the last, as one. */
export function rows(value: Value): Size {
  return Size.product(value.shape.slice(0, -1));
}

/** The last axis. */
export function columns(value: Value): number | Size {
  const last = value.shape.at(-1)!;
  return typeof last === "number" ? last : Size.of(last);
}
