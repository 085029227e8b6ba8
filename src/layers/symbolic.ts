// Symbolic tensors: what layers are applied to when a graph is drawn. A shape, a type and where it comes from.
import type { DType } from "../tensor.js";
import type { Layer } from "./layer.js";

/** A shape with the batch in front; null where any size is welcome. */
export type Shape = readonly (number | null)[];

/** One application of a layer: shared layers have several. */
export interface LayerCall {
  /** The first application of the layer is 0. */
  readonly index: number;
  readonly layer: Layer;
  readonly inputs: readonly SymbolicTensor[];
  readonly outputs: readonly SymbolicTensor[];
  readonly options: CallOptions;
}

/** How an attention layer is called. */
export interface Attending {
  /** Masks (batch, steps) given by name, of query, value and key, non-zero = keep: null for none, undefined for that which comes with the
   * input. A key's without a key is one more of the value. */
  readonly masks: readonly (SymbolicTensor | null | undefined)[];
  /** Which query may see which key, (batch, queries, keys) or (batch, heads, queries, keys). */
  readonly attentionMask?: SymbolicTensor;
  readonly useCausalMask: boolean;
  readonly returnAttentionScores: boolean;
}

export interface CallOptions {
  /** States to start from, for recurrent layers: one tensor, or one for each state. */
  readonly initialState?: readonly SymbolicTensor[];
  /** How many of the inputs, counted from the last, are constants for a cell. */
  readonly constants?: number;
  /** Which steps to keep, shape (batch, time), non-zero = keep. */
  readonly mask?: SymbolicTensor;
  /** What an attention layer is told besides. */
  readonly attending?: Attending;
  /** Fixes the behaviour of dropout and the like; by default it follows fit and predict. */
  readonly training?: boolean;
}

export class SymbolicTensor {
  readonly shape: Shape;
  readonly dtype: DType;
  /** The call that makes it. */
  source!: LayerCall;
  /** Which output of that call it is. */
  readonly index: number;

  constructor(shape: Shape, dtype: DType, index: number) {
    this.shape = Object.freeze([...shape]);
    this.dtype = dtype;
    this.index = index;
  }

  get name(): string {
    return this.source.layer.name;
  }
}

/** What `apply` gives: one symbolic tensor, or a list where the layer has several outputs. Typed as both, so that
 * `const y = dense.apply(x)` and `const [y, state] = lstm.apply(x)` need no cast. */
export type Applied = SymbolicTensor & SymbolicTensor[];

export function showShape(shape: Shape): string {
  return `(${shape.map((d) => d ?? "None").join(", ")}${shape.length === 1 ? "," : ""})`;
}
