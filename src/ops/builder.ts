// Builds a program from ops: values and nodes in the order of the forward pass, then calls forward, calls backward.
// Not here: which ops a layer needs (layers/) and what is done with the gradients (training/).
import type { Argument, Base, Call, Pointer, Storage } from "../program/program.js";
import { type Dim, Size } from "../program/size.js";
import type { DType } from "../tensor.js";
import { GEMM_SCRATCH_BYTES } from "./gemm.js";
import { at, count, type Emitter, type Node, type Op, type OutputSpec, type Value } from "./op.js";
import { transpose } from "./transpose.js";

export class Builder implements Emitter {
  readonly calls: Call[] = [];
  readonly #nodes: Node[] = [];
  readonly #gradients = new Map<Value, Pointer>();
  readonly #swapped = new Map<Value, Value>();
  readonly #names = new Map<string, number>();

  /** A value that comes from outside: an input of the model, or a weight. */
  source(
    name: string,
    shape: readonly Dim[],
    base: Base,
    options: { dtype?: DType; address?: number; wantsGradient?: boolean } = {},
  ): Value {
    const bytes = Size.product(shape).times(4);
    const storage: Storage = { name: this.#unique(name), base, size: bytes };
    if (options.address !== undefined) storage.address = Size.of(options.address);
    const { dtype = "float32", wantsGradient = false } = options;
    return root({ name, shape, dtype, pointer: at(storage), timeMajor: false, wantsGradient });
  }

  /** Applies an op: its outputs, to be computed at this place of the program. */
  apply<A>(op: Op<A>, name: string, inputs: readonly (Value | undefined)[], attributes: A): Value[] {
    const wantsGradient = op.backward !== undefined && inputs.some((input) => input?.wantsGradient);
    const specs = op.outputs(inputs, attributes, (block, bytes) => this.allocate(`${name}.${block}`, bytes));
    const outputs = specs.map((spec) => this.#output(name, spec, wantsGradient));
    this.#nodes.push({ op: op as Op, name, inputs, outputs, attributes, saved: {} });
    return outputs;
  }

  /** A part of a value, sharing its memory and its gradient. */
  view(value: Value, shape: readonly Dim[], offset: Dim | Size = 0): Value {
    const pointer = { storage: value.pointer.storage, offset: value.pointer.offset.plus(offset) };
    return { ...value, shape, pointer, offset: value.offset.plus(offset), root: value.root };
  }

  /** The same value with time outermost in memory, as the recurrent kernels want it. */
  timeMajor(value: Value): Value {
    return value.timeMajor ? value : this.#swap(value);
  }

  /** The same value with the batch outermost in memory, as the user sees it. */
  batchMajor(value: Value): Value {
    return value.timeMajor ? this.#swap(value) : value;
  }

  /** Emits the forward calls of all nodes. */
  forward(): void {
    for (const node of this.#nodes) node.op.forward(this, node);
  }

  /** Emits the backward calls: the nodes in reverse, from the gradients that were adopted or added before. */
  backward(): void {
    for (const node of [...this.#nodes].reverse()) {
      const reached = node.outputs.some((output) => this.gradientOf(output));
      if (node.op.backward && reached && node.inputs.some((input) => this.wants(input)))
        node.op.backward(this, node);
    }
  }

  call(kernel: string, ...args: (Argument | Value)[]): void {
    this.calls.push({ kernel, args: args.map((arg) => (isValue(arg) ? arg.pointer : arg)) });
  }

  allocate(name: string, size: Size): Storage {
    return { name: this.#unique(name), base: "work", size };
  }

  gemmScratch(): Pointer {
    return at(this.allocate("scratch", Size.of(GEMM_SCRATCH_BYTES)));
  }

  wants(value: Value | undefined): value is Value {
    return value?.wantsGradient ?? false;
  }

  gradientOf(value: Value): Pointer | undefined {
    const pointer = this.#gradients.get(value.root);
    return pointer && { storage: pointer.storage, offset: pointer.offset.plus(value.offset) };
  }

  gradient(value: Value): Pointer {
    if (!this.#gradients.has(value.root)) {
      const pointer = this.#allocateGradient(value.root);
      this.call("fill", pointer, 0, count(value.root));
    }
    return this.gradientOf(value)!;
  }

  accumulator(value: Value): { pointer: Pointer; accumulate: 0 | 1 } {
    const coversRoot = count(value).toString() === count(value.root).toString();
    if (coversRoot && !this.#gradients.has(value.root)) {
      return { pointer: this.#allocateGradient(value.root), accumulate: 0 };
    }
    return { pointer: this.gradient(value), accumulate: 1 };
  }

  adopt(value: Value, pointer: Pointer): void {
    this.#gradients.set(value.root, pointer);
  }

  #allocateGradient(value: Value): Pointer {
    const { base, name, address } = value.pointer.storage;
    const isWeight = base === "weights";
    // Weights' gradients lie side by side as the weights do, so that an optimizer finds them at the same offsets.
    const storage: Storage = {
      name: this.#unique(`d${name}`),
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
    const pointer = spec.pointer ?? at(this.allocate(name, Size.product(shape).times(4)));
    return root({ name, shape, dtype, pointer, timeMajor, wantsGradient });
  }

  #swap(value: Value): Value {
    let swapped = this.#swapped.get(value);
    if (!swapped) {
      [swapped] = this.apply(
        transpose,
        `${value.name}.${value.timeMajor ? "batchMajor" : "timeMajor"}`,
        [value],
        {},
      );
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

function root(value: Omit<Value, "root" | "offset">): Value {
  const made = { ...value, offset: Size.zero } as { -readonly [K in keyof Value]: Value[K] };
  made.root = made;
  return made;
}

function isValue(arg: Argument | Value): arg is Value {
  return typeof arg === "object" && "shape" in arg;
}
