// One batch: written into working memory, run, and read back. Shared by fit, evaluate, predict and trainOnBatch.
// A step allocates nothing in linear memory, and nothing that stays in JavaScript.
import { UnreelError } from "../errors.js";
import type { Executor, Prepared } from "../graph/executor.js";
import { type InputPort, type Mode, type Training, targetKind } from "../graph/lower.js";
import type { Value } from "../ops/op.js";
import { type Dim, type Dims, Size } from "../program/size.js";
import { seedOr } from "../random.js";
import type { Tensor } from "../tensor.js";
import { checkIds } from "./arrays.js";
import { type Batch, eachWeight, rowWeights, sumOfWeights } from "./batchWeights.js";
import type { MetricBatch } from "./metrics/metric.js";
import type { Optimizer } from "./optimizers.js";

/** What compile leaves for the training: one object for each compile. */
export interface Compiled extends Training {
  readonly optimizer: Optimizer;
}

/** Arrays of a whole data set. */
export interface DataSet {
  readonly inputs: readonly Tensor[];
  /** For each output; undefined where nobody asks for it. */
  readonly targets?: readonly (Tensor | undefined)[];
  /** For each output; undefined when all samples count the same. */
  readonly weights?: readonly (Tensor | undefined)[];
  readonly samples: number;
}

/** Runs batches of a data set through one program. */
export class Steps {
  readonly #executor: Executor;
  readonly #data: DataSet;
  readonly #compiled: Compiled | undefined;
  readonly prepared: Prepared;
  readonly #dims = new Map<number, Dims>();
  /** Drawn only where something is random: a prediction does not change what is random after it. */
  readonly #seed: number;
  #filled: Dims = {};
  #batch: Batch = { order: undefined, start: 0, count: 0 };
  #runs = 0;

  constructor(executor: Executor, mode: Mode, data: DataSet, compiled?: Compiled) {
    this.#executor = executor;
    this.#data = data;
    this.#compiled = compiled;
    this.prepared = executor.program(mode, compiled);
    this.#seed = this.prepared.draws ? seedOr(undefined, "step") : 0;
    this.prepared.inputs.forEach((port, index) => {
      if (port.idLimit !== undefined)
        checkIds(
          `${mode === "train" ? "fit" : mode}: x${this.prepared.inputs.length > 1 ? ` '${port.name}'` : ""}`,
          data.inputs[index],
          port.idLimit,
        );
    });
    this.#checkTargets(mode);
    executor.prepare(this.prepared, this.#dimsFor(1));
  }

  /** Writes samples order[start : start + count] into memory. Without an order, those from `start` on. */
  fill(order: Uint32Array | undefined, start: number, count: number): void {
    const [fixed] = this.prepared.inputs[0].shape;
    if (typeof fixed === "number" && fixed !== count) {
      throw new UnreelError({
        operation: `${this.prepared.program.name}: batch`,
        expected: `${fixed} samples, the batch size of the model's input`,
        got: `${count}`,
        hint: `Use batchSize: ${fixed} and a number of samples that it divides.`,
      });
    }
    const dims = this.#dimsFor(count);
    this.#executor.prepare(this.prepared, dims);
    this.#filled = dims;
    const { inputs, targets, weights } = this.#data;
    this.#writeSeed();
    this.prepared.inputs.forEach((port, index) => {
      for (const value of Object.values(port.values))
        this.#copyRows(inputs[index], value.pointer, value.dtype, order, start, count);
    });
    this.#batch = { order, start, count };
    this.prepared.outputs.forEach((port, index) => {
      for (const target of [port.target, port.labels])
        if (target) this.#copyRows(targets![index]!, target.pointer, target.dtype, order, start, count);
      if (port.weights) this.#writeWeights(index, weights?.[index]);
    });
  }

  /** Forward (and backward); an infinite loss or NaN is an error before any weight has changed. */
  run(where: string): void {
    const { bound, updateStart } = this.prepared;
    bound.run(0, updateStart);
    const loss = this.loss();
    if (this.prepared.program.name === "train" && loss - loss !== 0) {
      throw new UnreelError({
        operation: `training stopped at ${where}: loss`,
        expected: "a finite number",
        got: `${loss}`,
        hint: "Use a smaller learning rate or clipnorm, and look for extreme values in the data. The weights are as the batch before left them.",
      });
    }
    bound.run(updateStart);
  }

  /** Writes the optimizer's settings of the next step. */
  writeSettings(optimizer: Optimizer): void {
    const { floats, index } = this.#executor.trainingWords(this.prepared.hyper);
    optimizer.settings().forEach((value, place) => {
      floats[index + place] = value;
    });
  }

  /** The loss of the last batch: the weighted sum over outputs, and what regularizers add. */
  loss(): number {
    let sum = this.penalty();
    this.prepared.outputs.forEach((_, index) => {
      sum += (this.#compiled?.lossWeights[index] ?? 1) * this.lossOf(index);
    });
    return sum;
  }

  lossOf(output: number): number {
    const { loss } = this.prepared.outputs[output];
    return loss ? this.#executor.engine.memory.floats[this.#executor.place(loss.pointer, this.#filled)] : 0;
  }

  /** What regularizers add to the loss of the last batch. */
  penalty(): number {
    const { penalty } = this.prepared;
    return penalty
      ? this.#executor.engine.memory.floats[this.#executor.place(penalty.pointer, this.#filled)]
      : 0;
  }

  /** The last batch of an output as metrics want it, without and with sample weights, and the values of their functions.
   * Views: valid until the next step. */
  metricBatch(output: number): {
    plain: MetricBatch;
    weighted: MetricBatch;
    functions: readonly Float32Array[];
  } {
    const { value, target, mask, functions = [] } = this.prepared.outputs[output];
    const shape = resolveShape(value.shape, this.#filled);
    const columns = shape.at(-1)!;
    const rows = shape.slice(0, -1).reduce((a, b) => a * b, 1);
    const masks = mask !== undefined && mask.shape.length === value.shape.length - 1;
    const kept = masks ? this.#view(mask).map((keep) => (keep ? 1 : 0)) : undefined;
    const given = this.#data.weights?.[output];
    const plain: MetricBatch = {
      prediction: this.#view(value) as Float32Array,
      target: this.#view(target!),
      rows,
      columns,
      sparse: targetKind(this.#compiled!, output) === "classes",
      weights: kept,
    };
    return {
      plain,
      weighted: given ? { ...plain, weights: rowWeights(given, this.#batch, rows, kept) } : plain,
      functions: functions.map((each) => this.#view(each) as Float32Array),
    };
  }

  /** Copies the last batch of an output behind what `into` already has. */
  readOutput(output: number, into: Float32Array, offset: number): void {
    const { value } = this.prepared.outputs[output];
    const start = this.#executor.place(value.pointer, this.#filled);
    const size = resolveShape(value.shape, this.#filled).reduce((a, b) => a * b, 1);
    into.set(this.#executor.engine.memory.floats.subarray(start, start + size), offset);
  }

  /** The shape of an output for a number of samples. */
  outputShape(output: number, samples: number): number[] {
    const [, ...rest] = resolveShape(this.prepared.outputs[output].value.shape, this.#dimsFor(samples));
    return [samples, ...rest];
  }

  /** Lengths that are known only now: targets have as many steps as the outputs, and masks as what they mask. */
  #checkTargets(mode: Mode): void {
    const { samples, targets } = this.#data;
    const dims = this.#dimsFor(samples);
    for (const { what, length, least, hint } of this.prepared.least) {
      const [steps] = resolveShape([length], dims);
      if (steps >= least) continue;
      throw new UnreelError({ operation: what, expected: `${least} steps or more`, got: `${steps}`, hint });
    }
    this.prepared.outputs.forEach(({ target }, index) => {
      if (!target || !targets) return;
      const wanted = [samples, ...resolveShape(target.shape, dims).slice(1)];
      const { shape } = targets[index]!;
      if (wanted.every((d, axis) => d === shape[axis])) return;
      const operation = `${mode === "train" ? "fit" : mode}: y`;
      const hint = "The output has this shape for inputs like these.";
      throw new UnreelError({
        operation,
        expected: `shape (${wanted.join(", ")})`,
        got: `(${shape.join(", ")})`,
        hint,
      });
    });
    for (const { what, a, b, as = "steps, as what it masks" } of this.prepared.equal) {
      const [first, second] = resolveShape([a, b], dims);
      if (first === second) continue;
      throw new UnreelError({
        operation: what,
        expected: `${first} ${as}`,
        got: `${second}`,
      });
    }
  }

  /** Run-time dimensions of a batch: its size, and the lengths that the data have. */
  #dimsFor(count: number): Dims {
    let dims = this.#dims.get(count);
    if (!dims) {
      const found: Record<string, number> = { B: count };
      this.prepared.inputs.forEach((port: InputPort, index) => {
        port.shape.forEach((dim, axis) => {
          if (axis > 0 && typeof dim === "string") found[dim] = this.#data.inputs[index].shape[axis];
        });
      });
      dims = found;
      this.#dims.set(count, dims);
    }
    return dims;
  }

  #writeSeed(): void {
    const at = this.#executor.place(this.prepared.seed.pointer, this.#filled);
    this.#executor.engine.memory.integers[at] = this.#seed | 0;
    this.#executor.engine.memory.integers[at + 1] = this.#runs++;
  }

  #copyRows(
    { data, shape }: Tensor,
    pointer: Parameters<Executor["place"]>[0],
    dtype: "float32" | "int32",
    order: Uint32Array | undefined,
    start: number,
    count: number,
  ): void {
    const { floats, integers } = this.#executor.engine.memory;
    const words = dtype === "int32" ? integers : floats;
    const at = this.#executor.place(pointer, this.#filled);
    const row = data.length / shape[0];
    if (!order) {
      words.set(data.subarray(start * row, (start + count) * row), at);
      return;
    }
    for (let i = 0; i < count; i++) {
      const from = order[start + i] * row;
      if (row > 32) words.set(data.subarray(from, from + row), at + i * row);
      else for (let k = 0; k < row; k++) words[at + i * row + k] = data[from + k];
    }
  }

  /** A block of the last batch: a view. */
  #view({ pointer, shape, dtype }: Value): Float32Array | Int32Array {
    const { floats, integers } = this.#executor.engine.memory;
    const at = this.#executor.place(pointer, this.#filled);
    const size = Size.product(shape).evaluate(this.#filled);
    return (dtype === "int32" ? integers : floats).subarray(at, at + size);
  }

  /** Weights of the values of a loss, with the reduction in them: divided by their number for a mean. */
  #writeWeights(output: number, weights: Tensor | undefined): void {
    const { weights: value, isScalar, isMasked } = this.prepared.outputs[output];
    const target = this.#view(value!) as Float32Array;
    const { reduction } = this.#compiled!.losses[output]!;
    const count = target.length;
    let scale = 1 / count;
    if (reduction === "sum" && (!isScalar || isMasked || weights)) scale = 1;
    // Under a mask the program divides by what is left of the weights, and the scale falls away.
    if (reduction === "meanWithSampleWeight" && weights) scale = inverse(sumOfWeights(weights, this.#batch));
    if (!weights) {
      target.fill(scale);
      return;
    }
    eachWeight(weights, this.#batch, count, (index, weight) => {
      target[index] = scale * weight;
    });
  }
}

/** 1/x, and 0 for 0: where nothing weighs anything, the loss is 0. */
const inverse = (x: number) => (x === 0 ? 0 : 1 / x);

export function resolveShape(shape: readonly Dim[], dims: Dims): number[] {
  return shape.map((dim) => Size.of(dim).evaluate(dims));
}
