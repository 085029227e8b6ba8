// Inference one time step at a time: recurrent layers keep their states from step to step, and a step is synchronous.
import { positiveInteger, show, UnreelError } from "../errors.js";
import type { Executor } from "../graph/executor.js";
import type { Lowered } from "../graph/lower.js";
import { whyNotStepwise } from "../layers/graph.js";
import type { Base } from "../program/program.js";
import type { BoundProgram } from "../program/run.js";
import { Size } from "../program/size.js";
import { type DType, Tensor, type TensorLike, tensorOf } from "../tensor.js";
import { checkFinite, checkIds } from "../training/arrays.js";
import type { Predicted } from "./predictor.js";

export class Stream {
  readonly #onDispose: () => void;
  readonly #executor: Executor;
  readonly #lowered: Lowered;
  readonly #bound: BoundProgram;
  readonly #stateNames: ReadonlyMap<string, { address: number; size: number }>;
  readonly #stateBytes: number;
  readonly #packer: BoundProgram;
  readonly #blocks: Readonly<Record<Base, number>>;
  readonly #batchSize: number;
  /** Where the host writes inputs and reads outputs, as indices of 32-bit words: worked out once. */
  readonly #written: readonly (readonly { at: number; dtype: DType }[])[];
  readonly #read: readonly { at: number; size: number; shape: readonly number[] }[];
  /** The weights that were packed. */
  #packedFor = -1;
  #open = true;

  /** Use `model.stream()`. */
  /** `onDispose` is called once, when it is given back. */
  constructor(executor: Executor, batchSize: number, onDispose: () => void) {
    this.#onDispose = onDispose;
    positiveInteger("stream: batchSize", batchSize);
    const reason = whyNotStepwise(executor.graph);
    if (reason !== undefined) {
      const expected = "layers that can be run one step at a time";
      throw new UnreelError({ operation: "stream", expected, got: reason });
    }
    const { lowered, bound, packer, states, packedBytes } = executor.lowerStream(batchSize);
    this.#executor = executor;
    this.#lowered = lowered;
    this.#bound = bound;
    this.#packer = packer;
    this.#batchSize = batchSize;
    this.#stateBytes = states.bytes;
    this.#stateNames = new Map(
      [...states.addresses].map(([name, address]) => [name, { address, size: states.sizes.get(name)! }]),
    );
    const { memory } = executor.engine;
    this.#blocks = {
      weights: executor.currentWeights().address,
      training: 0,
      packed: memory.allocate(packedBytes, "stream: packed weights"),
      state: memory.allocate(states.bytes, "stream: states"),
      work: memory.allocate(lowered.work.evaluate({}), "stream: working memory"),
    };
    bound.prepare(this.#blocks, {});
    packer.prepare(this.#blocks, {});
    this.#written = lowered.inputs.map(({ values }) =>
      Object.values(values).map(({ pointer, dtype }) => ({ at: this.#place(pointer), dtype })),
    );
    this.#read = lowered.outputs.map(({ value }) => {
      const [batch, ...rest] = value.shape.map((d) => Size.of(d).evaluate({}));
      const shape = rest.length > 1 ? [batch, ...rest.slice(1)] : [batch, ...rest];
      return { at: this.#place(value.pointer), size: shape.reduce((a, b) => a * b, 1), shape };
    });
  }

  /** The outputs of the next time step. x: [batch, features], or [batch] ids; one such for each input of the model. */
  step(x: TensorLike | readonly TensorLike[]): Predicted {
    this.#check();
    const { inputs } = this.#lowered;
    if (x === undefined || x === null) {
      throw new UnreelError({ operation: "stream: step", expected: "the next time step", got: show(x) });
    }
    const given = inputs.length === 1 ? [x as TensorLike] : (x as readonly TensorLike[]);
    const tensors = inputs.map((port, index) =>
      this.#stepOf(port.name, port.shape as number[], port.idLimit, given[index]),
    );
    const { changes } = this.#executor.currentWeights();
    if (changes !== this.#packedFor) this.#packer.run();
    this.#packedFor = changes;
    const { floats, integers } = this.#executor.engine.memory;
    this.#written.forEach((places, index) => {
      for (const { at, dtype } of places)
        (dtype === "int32" ? integers : floats).set(tensors[index].data, at);
    });
    this.#bound.run();
    const results = this.#read.map(({ at, size, shape }) => new Tensor(floats.slice(at, at + size), shape));
    return (results.length === 1 ? results[0] : results) as Predicted;
  }

  /** Starts again: all states zero. */
  reset(): void {
    this.#check();
    const { state } = this.#blocks;
    this.#executor.engine.memory.floats.fill(0, state / 4, (state + this.#stateBytes) / 4);
  }

  /** Copies of the states, in the order of the layers: [batch, units] each. What was read can be set again, in this stream or another
   * of the model: a search goes back to where it was. */
  get state(): Tensor[] {
    this.#check();
    const { floats } = this.#executor.engine.memory;
    return [...this.#stateNames.values()].map(({ address, size }) => {
      const start = (this.#blocks.state + address) / 4;
      return new Tensor(floats.slice(start, start + size), [this.#batchSize, size / this.#batchSize]);
    });
  }

  set state(values: readonly TensorLike[]) {
    this.#check();
    const operation = "stream: state";
    const places = [...this.#stateNames.values()];
    if (!Array.isArray(values) || values.length !== places.length) {
      const got = Array.isArray(values) ? `${values.length}` : show(values);
      throw new UnreelError({ operation, expected: `a list of ${places.length} states`, got });
    }
    const tensors = places.map(({ size }, index) => {
      const read = tensorOf(operation, values[index]);
      if (read.size === size && read.shape[0] === this.#batchSize) {
        checkFinite(operation, read);
        return read;
      }
      const expected = `shape [${this.#batchSize}, ${size / this.#batchSize}] for state ${index}`;
      throw new UnreelError({ operation, expected, got: `shape [${read.shape}]` });
    });
    const { floats } = this.#executor.engine.memory;
    places.forEach(({ address }, index) => {
      floats.set(tensors[index].data, (this.#blocks.state + address) / 4);
    });
  }

  /** Gives its memory back. */
  dispose(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#onDispose();
    const { memory } = this.#executor.engine;
    memory.free(this.#blocks.packed);
    memory.free(this.#blocks.state);
    memory.free(this.#blocks.work);
  }

  #check(): void {
    if (this.#open) return;
    throw new UnreelError({
      operation: "stream",
      expected: "an open stream",
      got: "one that was disposed of, or whose model was",
      hint: "Make another: await model.stream().",
    });
  }

  #place({ storage, offset }: { storage: Lowered["seed"]["pointer"]["storage"]; offset: Size }): number {
    return (this.#blocks[storage.base] + storage.address!.evaluate({}) + offset.evaluate({})) / 4;
  }

  #stepOf(name: string, shape: readonly number[], idLimit: number | undefined, given: TensorLike): Tensor {
    const read = tensorOf("stream: step", given);
    const size = shape.reduce((a, b) => a * b, 1);
    if (read.size !== size || read.shape[0] !== this.#batchSize) {
      const wanted = [shape[0], ...shape.slice(2)];
      const hint =
        read.size === size
          ? "The first axis is the batch: a step of one sequence is step([x])."
          : read.shape.length > wanted.length
            ? "One step at a time: predict reads whole sequences."
            : undefined;
      const expected = `one step of shape [${wanted}] for '${name}'`;
      throw new UnreelError({ operation: "stream: step", expected, got: `shape [${read.shape}]`, hint });
    }
    if (idLimit !== undefined) checkIds("stream: step", read, idLimit);
    return read;
  }
}
