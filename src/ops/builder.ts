// Builds a program from ops: values and nodes in the order of the forward pass, then calls forward, calls backward.
// Not here: which ops a layer needs (layers/) and what is done with the gradients (training/).
import { blockBytes } from "../program/plan.js";
import type { Argument, Base, Call, Pointer, Step, Storage } from "../program/program.js";
import { type Dim, Size } from "../program/size.js";
import type { DType } from "../tensor.js";
import { GEMM_SCRATCH_BYTES, packedBytes } from "./gemm.js";
import {
  at,
  count,
  type Emitter,
  type Node,
  type Op,
  type OutputSpec,
  shifted,
  type TouchedRows,
  type Value,
} from "./op.js";
import { mixesSamples } from "./samples.js";
import { transpose } from "./transpose.js";

/** The body of a loop while it is recorded or emitted. */
interface Scope {
  readonly turns: Size;
  readonly nodes: Node[];
  /** Values made in the body: everything else is outside and shared by all turns. */
  readonly values: Set<Value>;
}

/** Before step `step`, parts of a batch that are computed apart add up so many words of a block, and go on with the sum. */
export interface Meeting {
  readonly step: number;
  readonly block: Pointer;
  readonly words: number;
}

/** Where packed weights lie, for all programs that share them: bytes from the base by what is packed and how. */
export interface PackedLayout {
  readonly addresses: Map<string, number>;
  bytes: number;
}

export class Builder implements Emitter {
  readonly steps: Step[] = [];
  /** Calls that pack weights, to be made before the steps whenever weights have changed. */
  readonly packing: Call[] = [];
  readonly #layout: PackedLayout | undefined;
  readonly #packed = new Map<string, Pointer>();
  readonly meetings: Meeting[] = [];
  /** Names of ops in which samples of a batch meet. */
  readonly mixing = new Set<string>();
  /** Multiplications and additions of the way forward, about. */
  flops = Size.zero;
  readonly #nodes: Node[] = [];
  readonly #gradients = new Map<Value, Pointer>();
  readonly #touched = new Map<Value, TouchedRows>();
  readonly #swapped = new Map<Value, Value>();
  readonly #names = new Map<string, number>();
  readonly #bodies = new Map<readonly Node[], Scope>();
  /** The loop body that is being recorded or emitted, and where its calls go. */
  #scope: Scope | undefined;
  #body: Call[] | undefined;

  /** With a layout for packed weights, weights are constants: no step of the program changes one. */
  constructor(layout?: PackedLayout) {
    this.#layout = layout;
  }

  /** A value that comes from outside: an input of the model, or a weight. */
  source(
    name: string,
    shape: readonly Dim[],
    base: Base,
    options: { dtype?: DType; address?: Dim; wantsGradient?: boolean } = {},
  ): Value {
    const bytes = Size.product(shape).times(4);
    const storage: Storage = { name: this.#unique(name), base, size: bytes };
    if (options.address !== undefined) storage.address = Size.of(options.address);
    const { dtype = "float32", wantsGradient = false } = options;
    return this.#root({ name, shape, dtype, pointer: at(storage), timeMajor: false, wantsGradient });
  }

  /** Applies an op: its outputs, to be computed at this place of the program, or before a loop that is being recorded where
   * nothing of the loop goes into it. */
  apply<A>(op: Op<A>, name: string, inputs: readonly (Value | undefined)[], attributes: A): Value[] {
    const scope = this.#scope;
    if (inputs.every((input) => !input || (this.#isOutside(input.root) && !input.stride)))
      this.#scope = undefined;
    const outputs = this.#apply(op, name, inputs, attributes);
    this.#scope = scope;
    return outputs;
  }

  #apply<A>(op: Op<A>, name: string, inputs: readonly (Value | undefined)[], attributes: A): Value[] {
    const wantsGradient = op.backward !== undefined && inputs.some((input) => input?.wantsGradient);
    const specs = op.outputs(inputs, attributes, (block, bytes) => this.allocate(`${name}.${block}`, bytes));
    const outputs = specs.map((spec) => this.#output(name, spec, wantsGradient));
    const nodes = this.#scope?.nodes ?? this.#nodes;
    const node: Node<A> = { op, name, inputs, outputs, attributes, saved: {} };
    nodes.push(node as Node);
    if (mixesSamples(node as Node)) this.mixing.add(op.name);
    this.flops = this.flops.plus(flopsOf(node).times(this.#scope?.turns ?? 1));
    return outputs;
  }

  /** A part of a value, sharing its memory and its gradient. With a stride, another part in each turn of a loop. */
  view(value: Value, shape: readonly Dim[], offset: Dim = 0, stride?: Size): Value {
    const pointer = shifted(value.pointer, offset);
    const moving = stride ? { ...pointer, stride } : pointer;
    return {
      ...value,
      shape,
      pointer: moving,
      offset: value.offset.plus(offset),
      stride: stride ?? value.stride,
      root: value.root,
    };
  }

  /** The same value with time outermost in memory, as the recurrent kernels want it. */
  timeMajor(value: Value): Value {
    return value.timeMajor ? value : this.#swap(value);
  }

  /** The same value with the batch outermost in memory, as the user sees it. */
  batchMajor(value: Value): Value {
    return value.timeMajor ? this.#swap(value) : value;
  }

  /** The same for a value that no op is going to read but those applied to what this returns: what makes it row by row is then done on
   * batch-major rows, where its own input is the narrower one. */
  batchMajorAtLast(value: Value): Value {
    if (!value.timeMajor) return value;
    // Not through a view: where gradients stop, for one, they must stop behind the turn as well.
    const node = this.#nodes.find(({ outputs }) => outputs[0] === value);
    const isRead = this.#nodes.some(({ inputs }) => inputs.some((input) => input?.root === value.root));
    if (!node?.op.byRows?.(node) || isRead || this.#swapped.has(value)) return this.#swap(value);
    this.#nodes.splice(this.#nodes.indexOf(node), 1);
    this.flops = this.flops.plus(flopsOf(node).times(-1));
    const [x, ...rest] = node.inputs;
    const [out] = this.apply(node.op, node.name, [this.batchMajorAtLast(x!), ...rest], node.attributes);
    this.#swapped.set(value, out);
    return out;
  }

  /** The node whose first output is this value, or is the same in another shape. */
  maker(value: Value): Node | undefined {
    const { root, timeMajor } = value;
    if (!same(count(value), count(root)) || root.timeMajor !== timeMajor) return undefined;
    return this.#nodes.find(({ outputs }) => outputs[0] === root);
  }

  /** Records the nodes that `build` applies as the body of a loop of so many turns, instead of adding them to the program. */
  record<R>(turns: Size, build: () => R): { nodes: readonly Node[]; result: R } {
    const outer = this.#scope;
    const scope: Scope = { turns, nodes: [], values: new Set() };
    this.#scope = scope;
    try {
      const result = build();
      this.#bodies.set(scope.nodes, scope);
      return { nodes: scope.nodes, result };
    } finally {
      this.#scope = outer;
    }
  }

  /** Whether the body of a loop is being recorded. */
  get recording(): boolean {
    return this.#scope !== undefined;
  }

  /** In a recording: a value at a place outside, another in each turn, with a gradient of its own. */
  turnValue(name: string, shape: readonly Dim[], pointer: Pointer, dtype: DType = "float32"): Value {
    return this.#root({ name, shape, dtype, pointer, timeMajor: false, wantsGradient: dtype === "float32" });
  }

  /** Emits the forward calls of all nodes. */
  forward(): void {
    for (const node of this.#nodes) node.op.forward(this, node);
  }

  /** Emits the backward calls: the nodes in reverse, from the gradients that were adopted or added before. */
  backward(): void {
    this.#backward(this.#nodes);
  }

  loopForward(turns: Size, nodes: readonly Node[], { after }: { after(): void }): void {
    this.#loop(turns, nodes, false, () => {
      for (const node of nodes) node.op.forward(this, node);
      after();
    });
  }

  loopBackward(turns: Size, nodes: readonly Node[], { before }: { before(): void }): void {
    this.#loop(turns, nodes, true, () => {
      before();
      this.#backward(nodes);
    });
  }

  call(kernel: string, ...args: (Argument | Value)[]): void {
    const calls: Step[] = this.#body ?? this.steps;
    calls.push({ kernel, args: args.map((arg) => (isValue(arg) ? arg.pointer : arg)) });
  }

  allocate(name: string, bytes: Size): Pointer {
    const turns = this.#scope?.turns;
    if (!turns) return this.temporary(name, bytes);
    // A loop keeps each turn's numbers; turns begin on vector boundaries when there is one number to multiply.
    const one = bytes.factored();
    const stride = one.unit.times(Math.ceil(one.coefficient / 16) * 16);
    return { ...this.temporary(name, stride.times(turns)), stride };
  }

  meet(block: Pointer, words: number): void {
    this.meetings.push({ step: this.steps.length, block, words });
  }

  temporary(name: string, size: Size): Pointer {
    return at({ name: this.#unique(name), base: "work", size });
  }

  gemmScratch(): Pointer {
    return this.temporary("scratch", Size.of(GEMM_SCRATCH_BYTES));
  }

  isConstant({ pointer }: Value): boolean {
    return this.#layout !== undefined && pointer.storage.base === "weights";
  }

  packed(matrix: Value, groups: readonly number[], transposed = false): Pointer {
    const kernel = transposed ? "packBT" : "packB";
    const { storage, offset } = matrix.pointer;
    const key = [storage.name, offset, kernel, groups].join(" ");
    const known = this.#packed.get(key);
    if (known) return known;
    const [K, ld] = matrix.shape as number[];
    const sizes = groups.map((columns) => (transposed ? [columns, K] : [K, columns]) as [number, number]);
    const bytes = sizes.reduce((sum, size) => sum + packedBytes(...size), 0);
    const constant = this.isConstant(matrix);
    const name = `${storage.name}.${kernel}`;
    const pointer = constant ? this.#packedBlock(key, name, bytes) : this.temporary(name, Size.of(bytes));
    let [column, place] = [0, 0];
    sizes.forEach((size, index) => {
      const from = shifted(matrix.pointer, column * 4);
      const args = [shifted(pointer, place), from, ld, ...size];
      if (constant) this.packing.push({ kernel, args });
      else this.call(kernel, ...args);
      column += groups[index];
      place += packedBytes(...size);
    });
    if (constant) this.#packed.set(key, pointer);
    return pointer;
  }

  #packedBlock(key: string, name: string, bytes: number): Pointer {
    const { addresses } = this.#layout!;
    let address = addresses.get(key);
    if (address === undefined) {
      address = this.#layout!.bytes;
      addresses.set(key, address);
      this.#layout!.bytes += blockBytes(bytes);
    }
    return at({ name, base: "packed", size: Size.of(bytes), address: Size.of(address) });
  }

  wants(value: Value | undefined): value is Value {
    return value?.wantsGradient ?? false;
  }

  gradientOf(value: Value): Pointer | undefined {
    const pointer = this.#gradients.get(value.root);
    if (!pointer) return undefined;
    const part = shifted(pointer, value.offset);
    return value.stride ? { ...part, stride: value.stride } : part;
  }

  gradient(value: Value): Pointer {
    if (!this.#gradients.has(value.root)) this.#zeroed(value.root);
    return this.gradientOf(value)!;
  }

  accumulator(value: Value): { pointer: Pointer; accumulate: 0 | 1 } {
    const coversRoot = same(count(value), count(value.root));
    if (coversRoot && !this.#gradients.has(value.root) && !this.#isOutside(value.root)) {
      return { pointer: this.#allocateGradient(value.root), accumulate: 0 };
    }
    return { pointer: this.gradient(value), accumulate: 1 };
  }

  touchedRows(table: Value): TouchedRows | undefined {
    return this.#touched.get(table);
  }

  /** Has the gradient of a table hold its touched rows alone, if all that reads the table is `op`, which can do so. */
  trackRows(table: Value, op: Op<never>): void {
    const readers = this.#nodes.filter(({ inputs }) => inputs.some((input) => input?.root === table));
    if (readers.length === 0 || readers.some((node) => node.op.name !== op.name)) return;
    const words = (what: string, size: Dim) =>
      this.temporary(`${table.name}.${what}`, Size.of(size).times(4));
    const [rows] = table.shape;
    this.#touched.set(table, {
      rows: words("rows", rows),
      places: words("places", rows),
      count: words("touched", 1),
    });
  }

  adopt(value: Value, pointer: Pointer): void {
    this.#gradients.set(value.root, pointer);
  }

  #backward(nodes: readonly Node[]): void {
    for (const node of [...nodes].reverse()) {
      const reached = node.outputs.some((output) => this.gradientOf(output));
      if (node.op.backward && reached && node.inputs.some((input) => this.wants(input)))
        node.op.backward(this, node);
    }
  }

  #loop(turns: Size, nodes: readonly Node[], backwards: boolean, emit: () => void): void {
    const body: Call[] = [];
    this.#body = body;
    this.#scope = this.#bodies.get(nodes);
    try {
      emit();
    } finally {
      this.#body = undefined;
      this.#scope = undefined;
    }
    this.steps.push({ count: turns, backwards, body });
  }

  /** Whether a value is shared by all turns of the loop that is being emitted. */
  #isOutside(value: Value): boolean {
    return this.#scope !== undefined && !this.#scope.values.has(value);
  }

  /** A gradient of zeros: in a loop, that of a value outside is zeroed before the loop. */
  #zeroed(value: Value): void {
    const fill: Call = { kernel: "fill", args: [this.#allocateGradient(value), 0, count(value)] };
    const calls: Step[] = this.#isOutside(value) ? this.steps : (this.#body ?? this.steps);
    calls.push(fill);
  }

  #allocateGradient(value: Value): Pointer {
    const { base, name, address } = value.pointer.storage;
    const isWeight = base === "weights";
    // Weights' gradients lie side by side as the weights do, so that an optimizer finds them at the same offsets.
    const storage: Storage = {
      name: this.#unique(`d${isWeight ? name : value.name}`),
      base: isWeight ? "training" : "work",
      size: count(value).times(4),
    };
    if (isWeight) storage.address = address;
    const pointer = at(storage);
    this.#gradients.set(value, pointer);
    return pointer;
  }

  #output(name: string, spec: OutputSpec, wantsGradient: boolean): Value {
    const { shape, dtype = "float32", timeMajor = false, viewOf } = spec;
    if (viewOf) return { ...this.view(viewOf, shape), name, timeMajor, wantsGradient };
    const pointer = spec.pointer ?? this.allocate(name, Size.product(shape).times(4));
    return this.#root({ name, shape, dtype, pointer, timeMajor, wantsGradient });
  }

  #root(value: Omit<Value, "root" | "offset">): Value {
    const made = { ...value, offset: Size.zero } as { -readonly [K in keyof Value]: Value[K] };
    made.root = made;
    this.#scope?.values.add(made);
    return made;
  }

  #swap(value: Value): Value {
    let swapped = this.#swapped.get(value);
    if (!swapped) {
      const name = `${value.name}.${value.timeMajor ? "batchMajor" : "timeMajor"}`;
      [swapped] = this.apply(transpose, name, [value], {});
      this.#swapped.set(value, swapped);
      this.#swapped.set(swapped, value);
    }
    return swapped;
  }

  #unique(name: string): string {
    const seen = this.#names.get(name) ?? 0;
    this.#names.set(name, seen + 1);
    return seen === 0 ? name : `${name}.${seen + 1}`;
  }
}

/** Without a word of the op: four for each number that it gives. */
function flopsOf<A>(node: Node<A>): Size {
  if (node.op.flops) return node.op.flops(node);
  return node.outputs.reduce((sum, out) => sum.plus(count(out).times(4)), Size.zero);
}

const same = (a: Size, b: Size) => a.toString() === b.toString();

function isValue(arg: Argument | Value): arg is Value {
  return typeof arg === "object" && "shape" in arg;
}
