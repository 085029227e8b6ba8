// What a program is told of training: losses, what metrics ask, how a weight is updated. Plain data, which the host makes before any
// program is there. Not here: what becomes of them (lower.ts, losses.ts), and which there are (training/).
import { UnreelError } from "../errors.js";
import type { Graph } from "../layers/graph.js";
import type { Builder } from "../ops/builder.js";
import type { TouchedRows, Value } from "../ops/op.js";
import type { Pointer } from "../program/program.js";
import type { Size } from "../program/size.js";

/** How values become one number: the mean over samples (and time steps), over the sum of their weights, their sum, or not at all. */
export type Reduction = "sumOverBatchSize" | "mean" | "meanWithSampleWeight" | "sum" | "none";

interface Reducing {
  /** Labels are class numbers (int32) instead of values like the output's. */
  readonly sparse: boolean;
  readonly reduction: Reduction;
}

/** A loss that a kernel computes, row by row. */
export interface KernelLoss extends Reducing {
  readonly kernel: string;
  readonly parameters: readonly number[];
  /** Predictions are logits, and become probabilities first. */
  readonly logits?: "sigmoid" | "softmax";
  /** Axes that make a row, if not the last; null for all. */
  readonly axis?: readonly number[] | null;
}

/** A loss that is a graph from (yTrue, yPred) to its values. */
export interface GraphLoss extends Reducing {
  readonly graph: Graph;
}

export type LossSpec = KernelLoss | GraphLoss;

/** How many axes of a prediction of some rank stay when its rows have become one number each. */
export function keptAxes({ axis, kernel }: KernelLoss, rank: number): number {
  if (axis === undefined) return rank - 1;
  if (axis === null) return 0;
  const axes = axis.map((each) => (each < 0 ? each + rank : each)).sort((a, b) => a - b);
  const kept = rank - axes.length;
  if (kept >= 0 && axes.every((each, k) => each === kept + k)) return kept;
  const expected = `the last axes of ${rank}`;
  throw new UnreelError({ operation: `losses.${kernel}: axis`, expected, got: `[${axis}]` });
}

/** What a program needs to know of an optimizer: how a weight is updated from its gradient. */
export interface UpdateSpec {
  /** Arrays kept for each weight between steps. */
  readonly slots: readonly string[];
  /** The number that fills each of them before the first step; 0 when absent. */
  readonly initial?: readonly number[];
  /** Where a row of a table waits while its gradient is 0: what its states are multiplied by at each step meanwhile. */
  readonly waiting?: number;
  /** Emits the update of each weight; `hyper` holds what changes from step to step. */
  emit(call: Builder["call"], updates: readonly Update[], hyper: Pointer): void;
}

export interface Update {
  readonly weight: Value;
  readonly gradient: Pointer;
  readonly slots: readonly Pointer[];
  readonly size: Size;
  /** Set for a table whose gradient is that of the rows that the step has touched. */
  readonly touched?: TouchedTable;
}

export interface TouchedTable extends TouchedRows {
  /** Rows of the table, and numbers in each. */
  readonly vocabulary: number;
  readonly width: number;
  /** Memory, zeros at first, for rules that make up later for what a row has missed: how many updates there were, and the last
   * of each row. */
  clock(): Pointer;
}

export interface Training {
  /** One for each output; an output without a loss is not trained. */
  readonly losses: readonly (LossSpec | undefined)[];
  readonly lossWeights: readonly number[];
  /** What else is asked of each output. */
  readonly questions?: readonly Questions[];
  readonly update: UpdateSpec;
}

/** What metrics want to know of an output. */
export interface Questions {
  /** Functions of (yTrue, yPred) whose values the host averages. */
  readonly functions: readonly Graph[];
  /** How the target is read where no loss says so: as values, as class numbers, or not at all. */
  readonly target: TargetKind | undefined;
}

/** Values like the output's (float32), or class numbers (int32). */
export type TargetKind = "values" | "classes";

/** How the target of an output is read; undefined when nobody asks for it. */
export function targetKind({ losses, questions }: Training, output: number): TargetKind | undefined {
  const loss = losses[output];
  return loss ? (loss.sparse ? "classes" : "values") : questions?.[output].target;
}
