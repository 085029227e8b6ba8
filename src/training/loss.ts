// One loss: what training needs to know of it, and what it says of plain values.
// Not here: which losses there are (losses.ts).
import { type KernelLoss, keptAxes, type Reduction } from "../graph/training.js";
import { readOptions } from "../layers/options.js";
import { Tensor, type TensorLike, tensor } from "../tensor.js";
import { formulas, probabilities, type Rows, type RowValue } from "./formulas.js";
import { alike, spread } from "./rows.js";

/** What `call` gives: one number, or with reduction 'none' each row's. */
type Reduced<R extends Reduction> = R extends "none" ? Tensor : number;

interface Specification extends Omit<KernelLoss, "reduction"> {
  readonly name: string;
  readonly config: Readonly<Record<string, unknown>>;
}

export class Loss<R extends Reduction = Reduction> implements KernelLoss {
  readonly className: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** The name it is registered under. */
  readonly name: string;
  readonly kernel: string;
  readonly parameters: readonly number[];
  readonly sparse: boolean;
  readonly logits?: "sigmoid" | "softmax";
  readonly axis?: readonly number[] | null;
  readonly reduction: R;

  constructor({ name, config, kernel, parameters, sparse, logits, axis }: Specification, reduction: R) {
    this.className = name.charAt(0).toUpperCase() + name.slice(1);
    this.name = name;
    this.config = config;
    this.kernel = kernel;
    this.parameters = parameters;
    this.sparse = sparse;
    this.logits = logits;
    this.axis = axis;
    this.reduction = reduction;
  }

  /** The loss of plain values, in double precision and at once, without the engine. Shapes: yPred [..., columns]; yTrue the same, or
   * class numbers [...]; sampleWeight as the first axes of yPred. Gives a number; with reduction 'none' a tensor. */
  call(yTrue: TensorLike, yPred: TensorLike, options: { sampleWeight?: TensorLike } = {}): Reduced<R> {
    const operation = `losses.${this.name}: call`;
    const { sampleWeight } = readOptions(operation, options, {
      sampleWeight: undefined as TensorLike | undefined,
    });
    const given = alike(operation, tensor(yTrue), tensor(yPred, undefined, "float32"), this.sparse);
    const shape = given.shape.slice(0, keptAxes(this, given.shape.length));
    const rows = shape.reduce((a, b) => a * b, 1);
    const value = this.rows({ ...given, rows, columns: given.prediction.length / Math.max(rows, 1) });
    const values = Float64Array.from({ length: rows }, (_, row) => value(row));
    const weights = sampleWeight === undefined ? undefined : tensor(sampleWeight, undefined, "float32");
    return reduce(operation, values, shape, this.reduction, weights) as Reduced<R>;
  }

  /** What the loss says of each row. */
  rows(rows: Rows): RowValue {
    return formulas[this.kernel](...this.parameters)(this.logits ? probabilities(rows, this.logits) : rows);
  }
}

/** Weights and reduces values as keras.losses.Loss does (reduce_weighted_values). */
function reduce(
  operation: string,
  values: Float64Array,
  shape: readonly number[],
  reduction: Reduction,
  weights: Tensor | undefined,
): number | Tensor {
  // A single number under weights is weighted by each of them.
  const isScalar = shape.length === 0;
  const weighted = isScalar && weights ? weights.shape : shape;
  const weight = weights && spread(`${operation}: sampleWeight`, weights, weighted);
  const count = weighted.reduce((a, b) => a * b, 1);
  const out = Float64Array.from(
    { length: count },
    (_, i) => (isScalar ? values[0] : values[i]) * (weight ? weight(i) : 1),
  );
  if (reduction === "none") return new Tensor(Float32Array.from(out), weighted);
  const sum = out.reduce((a, b) => a + b, 0);
  if (reduction === "sum") return sum;
  const divisor =
    reduction === "meanWithSampleWeight" && weights
      ? (weights.data as Float32Array).reduce((a, b) => a + b, 0)
      : count;
  return divisor === 0 ? 0 : sum / divisor;
}
