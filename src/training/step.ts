// One batch: written into working memory, run, and read back. Shared by fit, evaluate, predict and trainOnBatch.
// A step allocates nothing in linear memory, and nothing that stays in JavaScript.
import { UnreelError } from "../errors.js";
import type { Executor, Prepared } from "../graph/executor.js";
import type { InputPort, Mode } from "../graph/lower.js";
import { type Part, placeIn } from "../graph/parts.js";
import { type Training, targetKind } from "../graph/training.js";
import type { Value } from "../ops/op.js";
import { type Dims, resolveShape } from "../program/size.js";
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
  readonly #mode: Mode;
  #data: DataSet = { inputs: [], samples: 0 };
  readonly #compiled: Compiled | undefined;
  readonly prepared: Prepared;
  readonly #dims = new Map<number, Dims>();
  /** Drawn only where something is random: a prediction does not change what is random after it. */
  #seed: number;
  /** The parts of the last batch. */
  #parts: readonly Part[] = [];
  #batch: Batch = { order: undefined, start: 0, count: 0 };
  #runs = 0;

  /** Without data: `use` comes before the first batch. */
  constructor(executor: Executor, mode: Mode, data: DataSet | undefined, compiled?: Compiled) {
    this.#executor = executor;
    this.#mode = mode;
    this.#compiled = compiled;
    this.prepared = executor.program(mode, compiled);
    this.#seed = this.prepared.draws ? seedOr(undefined, "step") : 0;
    if (data) this.use(data);
  }

  /** Takes the next batches from these arrays, which may have other lengths than those before. */
  use(data: DataSet): void {
    this.#data = data;
    this.#dims.clear();
    this.prepared.inputs.forEach((port, index) => {
      if (port.idLimit !== undefined)
        checkIds(
          `${this.#operation}: x${this.prepared.inputs.length > 1 ? ` '${port.name}'` : ""}`,
          data.inputs[index],
          port.idLimit,
        );
    });
    this.#checkTargets();
  }

  /** What the user called. */
  get #operation(): string {
    return this.#mode === "train" ? "fit" : this.#mode;
  }

  /** What is random in the next step. */
  get random(): { readonly seed: number; readonly runs: number } {
    return { seed: this.#seed, runs: this.#runs };
  }

  set random({ seed, runs }: { readonly seed: number; readonly runs: number }) {
    this.#seed = seed;
    this.#runs = runs;
  }

  /** Writes samples order[start : start + count] into memory. Without an order, those from `start` on. */
  fill(order: Uint32Array | undefined, start: number, count: number): void {
    const fixed = this.prepared.inputs.find(({ batch }) => batch !== undefined)?.batch;
    if (fixed !== undefined && fixed !== count) {
      throw new UnreelError({
        operation: `${this.prepared.program.name}: batch`,
        expected: `${fixed} samples, the batch size of the model's input`,
        got: `${count}`,
        hint: `Use batchSize: ${fixed} and a number of samples that it divides; of a dataset, batch(${fixed}, { dropRemainder: true }). Or make the model for any number: input without batchSize; torch.onnx.export with dynamic_axes, or dynamic_shapes.`,
      });
    }
    this.#executor.prepare(this.prepared, this.#dimsFor(count));
    this.#parts = this.prepared.parts;
    this.#batch = { order, start, count };
    const { inputs, targets, weights } = this.#data;
    for (const part of this.#parts) {
      if (this.prepared.draws || this.prepared.share) this.#writeSeed(part);
      this.prepared.inputs.forEach((port, index) => {
        for (const value of Object.values(port.values)) this.#copyRows(inputs[index], value, part);
      });
      this.prepared.outputs.forEach((port, index) => {
        for (const target of [port.target, port.labels])
          if (target) this.#copyRows(targets![index]!, target, part);
        if (port.weights) this.#writeWeights(index, weights?.[index], part);
      });
    }
    this.#runs++;
  }

  /** Forward (and backward and update); an infinite loss or NaN is an error before any weight has changed. */
  async run(where: string): Promise<void> {
    const computed = this.#executor.compute(this.prepared);
    if (computed) await computed;
    const trains = this.prepared.program.name === "train";
    const loss = trains ? this.loss() : 0;
    if (loss - loss !== 0) {
      throw new UnreelError({
        operation: `training stopped at ${where}: loss`,
        expected: "a finite number",
        got: `${loss}`,
        hint: "Use a smaller learning rate or clipnorm, and look for extreme values in the data. The weights are as the batch before left them.",
      });
    }
    if (trains) this.#executor.update(this.prepared);
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
    return loss ? this.#sum(loss, () => 1) : 0;
  }

  /** What regularizers add to the loss of the last batch. */
  penalty(): number {
    const { penalty } = this.prepared;
    return penalty ? this.#sum(penalty, ({ share }) => share) : 0;
  }

  /** The last batch of an output as metrics want it, part by part: without and with sample weights, and the values of their
   * functions. Views: valid until the next step. */
  metricBatches(output: number): {
    plain: MetricBatch;
    weighted: MetricBatch;
    functions: readonly Float32Array[];
  }[] {
    const { value, target, mask, functions = [] } = this.prepared.outputs[output];
    const masks = mask !== undefined && mask.shape.length === value.shape.length - 1;
    const given = this.#data.weights?.[output];
    return this.#parts.map((part) => {
      const shape = resolveShape(value.shape, part.dims);
      const columns = shape.at(-1)!;
      const rows = shape.slice(0, -1).reduce((a, b) => a * b, 1);
      const kept = masks ? this.#view(mask, part).map((keep) => (keep ? 1 : 0)) : undefined;
      const plain: MetricBatch = {
        prediction: this.#view(value, part) as Float32Array,
        target: this.#view(target!, part),
        rows,
        columns,
        sparse: targetKind(this.#compiled!, output) === "classes",
        weights: kept,
      };
      return {
        plain,
        weighted: given ? { ...plain, weights: rowWeights(given, this.#samplesOf(part), rows, kept) } : plain,
        functions: functions.map((each) => this.#view(each, part) as Float32Array),
      };
    });
  }

  /** Copies the last batch of an output behind what `into` already has. */
  readOutput(output: number, into: Float32Array, offset: number): void {
    let next = offset;
    for (const part of this.#parts) {
      const values = this.#view(this.prepared.outputs[output].value, part);
      into.set(values, next);
      next += values.length;
    }
  }

  /** The shape of an output for a number of samples. */
  outputShape(output: number, samples: number): number[] {
    const [, ...rest] = resolveShape(this.prepared.outputs[output].value.shape, this.#dimsFor(samples));
    return [samples, ...rest];
  }

  /** Lengths that are known only now: targets have as many steps as the outputs, and masks as what they mask. */
  #checkTargets(): void {
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
      const operation = `${this.#operation}: y`;
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

  #writeSeed(part: Part): void {
    const { floats, integers } = this.#executor.engine.memory;
    const { seed, share } = this.prepared;
    const words = [this.#seed | 0, this.#runs, part.first, this.#batch.count - part.count];
    integers.set(words, placeIn(part, seed.pointer));
    if (share) floats[placeIn(part, share.pointer)] = part.share;
  }

  /** A part's samples in the data set. */
  #samplesOf({ first, count }: Part): Batch {
    return { order: this.#batch.order, start: this.#batch.start + first, count };
  }

  #copyRows({ data, shape }: Tensor, { pointer, dtype }: Value, part: Part): void {
    const { floats, integers } = this.#executor.engine.memory;
    const words = dtype === "int32" ? integers : floats;
    const at = placeIn(part, pointer);
    const row = data.length / shape[0];
    const { order, start, count } = this.#samplesOf(part);
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

  /** A block of a part: a view. */
  #view({ pointer, shape, dtype }: Value, part: Part): Float32Array | Int32Array {
    const { floats, integers } = this.#executor.engine.memory;
    const at = placeIn(part, pointer);
    const size = resolveShape(shape, part.dims).reduce((product, dim) => product * dim, 1);
    return (dtype === "int32" ? integers : floats).subarray(at, at + size);
  }

  /** A number of the last batch, of which each part has some. */
  #sum({ pointer }: Value, factor: (part: Part) => number): number {
    const { floats } = this.#executor.engine.memory;
    return this.#parts.reduce((sum, part) => sum + factor(part) * floats[placeIn(part, pointer)], 0);
  }

  /** Weights of the values of a loss, with the reduction in them: divided by their number in the batch for a mean. */
  #writeWeights(output: number, weights: Tensor | undefined, part: Part): void {
    const { weights: value, isScalar, isMasked } = this.prepared.outputs[output];
    const target = this.#view(value!, part) as Float32Array;
    const { reduction } = this.#compiled!.losses[output]!;
    let scale = part.share / target.length;
    if (reduction === "sum" && (!isScalar || isMasked || weights)) scale = 1;
    // Under a mask the program divides by what is left of the weights, and the scale falls away.
    if (reduction === "meanWithSampleWeight" && weights) scale = inverse(sumOfWeights(weights, this.#batch));
    if (!weights) {
      target.fill(scale);
      return;
    }
    eachWeight(weights, this.#samplesOf(part), target.length, (index, weight) => {
      target[index] = scale * weight;
    });
  }
}

/** 1/x, and 0 for 0: where nothing weighs anything, the loss is 0. */
const inverse = (x: number) => (x === 0 ? 0 : 1 / x);
