// What a kind of layer is: plain data and functions, from which `Layer` (layer.ts) makes layers; and what it works with while a
// graph becomes a program: flows in, a context to emit ops into.
import type { Builder } from "../ops/builder.js";
import type { Value } from "../ops/op.js";
import type { Pointer } from "../program/program.js";
import type { Dim } from "../program/size.js";
import type { DType } from "../tensor.js";
import type { Graph } from "./graph.js";
import type { Initializer } from "./initializers.js";
import type { Layer } from "./layer.js";
import type { Regularizer } from "./regularizers.js";
import type { Attending, CallOptions, Shape } from "./symbolic.js";
import type { Limits } from "./weight.js";

export interface WeightSpec extends Limits {
  /** Path below the layer, as Keras names it: `kernel`, `lstm_cell/bias`. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly initializer: Initializer;
  /** A weight that the optimizer leaves alone: a layer writes it itself, with `assign`. */
  readonly trainable?: false;
}

/** A value on its way through a graph, with its mask (int32 [B, T], non-zero = keep). */
export interface Flow {
  readonly value: Value;
  readonly mask?: Value;
  /** Where it is another: the mask that the graph was drawn with (takenMasks.ts). */
  readonly wholeMask?: Value;
  /** The same as int32: only an input of the model has it. With a limit, the host checks ids in [0, limit) before each run. */
  integers?(limit?: number): Value;
  /** The shape where it is known without asking for the value. */
  readonly shape?: readonly Dim[];
  /** Set where the numbers are whole to begin with. */
  readonly isInteger?: boolean;
}

/** Two dimensions that the data must make equal, and who says so. */
export interface Equal {
  readonly what: string;
  readonly a: Dim;
  readonly b: Dim;
  /** How a message goes on after the first of them. Default: a mask and what it masks. */
  readonly as?: string;
}

/** A length that the data must not fall short of. */
export interface Least {
  readonly what: string;
  readonly length: Dim;
  readonly least: number;
  readonly hint: string;
}

/** How an attention layer is called; masks of its inputs come with these. */
export interface AttendingValues extends Pick<Attending, "useCausalMask" | "returnAttentionScores"> {
  /** int32, non-zero = keep. */
  readonly attentionMask?: Value;
}

/** What is different for a layer inside another one. */
export interface ContextChanges {
  readonly initialState?: readonly Value[];
  readonly ignoresMask?: boolean;
  readonly training?: boolean;
  readonly streaming?: boolean;
  readonly perStep?: true;
  readonly samples?: Dim;
  readonly attending?: AttendingValues;
  /** Tells apart the places where one layer is applied. */
  readonly place?: number;
}

/** Where a layer emits its ops. */
export interface LoweringContext {
  readonly builder: Builder;
  readonly name: string;
  readonly training: boolean;
  /** Neither this layer nor one around it is frozen. */
  readonly trainable: boolean;
  /** Applied once for each time step, by rnn or timeDistributed. */
  readonly perStep: boolean;
  /** Two 32-bit words: the seed of this training and the number of the step. */
  readonly seed: Pointer;
  /** A number for something random in this program, different for each. */
  nextStream(): number;
  /** The layer's weights in order. */
  readonly weights: readonly Value[];
  /** Gives a weight that is not trained its next value: calls after this one see it, and a training step keeps it. */
  assign(index: number, value: Value): void;
  readonly initialState: readonly Value[];
  /** A mask that came with the input is only handed on, not obeyed. So Keras 3 does where a recurrent layer is given its
   * states: such a call sees a mask that is given by name, `apply(x, { initialState, mask })`, and no other. */
  readonly ignoresMask: boolean;
  /** What an attention layer is called with. */
  readonly attending?: AttendingValues;
  /** Every recurrent layer keeps its states from run to run: the model is run step by step. */
  readonly streaming: boolean;
  /** Has the host check, when lengths are known, that two dimensions are equal. */
  requireEqual(equal: Equal): void;
  /** Has the host check, when lengths are known, that one is long enough. */
  requireLeast(least: Least): void;
  /** An array of this layer that keeps its numbers between runs, zero at first. */
  keptState(name: string, shape: readonly Dim[]): Value;
  /** How many samples there are, where that is not the first axis: inside timeDistributed. */
  readonly samples?: Dim;
  /** Adds what a regularizer makes of a value of this layer to the loss, where there is one. */
  penalize(regularizer: Regularizer, value: Value): void;
  /** The same for a layer inside this one. */
  forLayer(layer: Layer, changes?: ContextChanges): LoweringContext;
}

export interface LayerKind<C extends object> {
  readonly className: string;
  /** One of `ops.*`, not of `layers.*`: names of their classes overlap. */
  readonly isOperation?: boolean;
  /** A model inside: its calls and its layers. */
  readonly graph?: Graph;
  /** What a user's own cell does at each step, once it has been drawn. */
  cellGraph?(): Graph | undefined;
  /** Ids or numbers: what the first input must be. Default: anything. */
  readonly inputDtype?: DType;
  /** Smallest and largest rank of inputs, batch included. */
  readonly ranks?: readonly [number, number];
  /** Reads a sequence step by step and has states: what bidirectional can wrap. */
  readonly recurrent?: boolean;
  /** A cell, for rnn: takes x of one step and its states, gives its output and its new states. */
  stateSizes?(config: C): readonly number[];
  /** Takes `constants` in apply: they follow the inputs, as further ones. */
  takesConstants?(config: C): boolean;
  /** An attention layer: takes masks in a list, or by their names in Keras. */
  readonly attends?: "list" | "named";
  /** Of several inputs: the mask of the output. */
  joinMasks?(context: LoweringContext, config: C, inputs: readonly Flow[]): Value | undefined;
  /** Inputs of a call that later calls see without their masks (takenMasks.ts). */
  readonly takesMasks?: true;
  /** What it is for a copy of the layer, where it holds layers that its config does not show. */
  copy?(copy: (layer: Layer) => Layer): LayerKind<C>;
  /** How many inputs it takes: exactly one (default), or two and more. */
  readonly merges?: boolean;
  weights?(config: C, inputs: readonly Shape[]): WeightSpec[];
  /** Layers inside this one, each with the shapes it is applied to unless it is built already. Their weights are this
   * layer's, in order. */
  children?(config: C, inputs: readonly Shape[]): { layer: Layer; inputs?: readonly Shape[] }[];
  outputs(config: C, inputs: readonly Shape[], options?: CallOptions): Shape[];
  lower(context: LoweringContext, config: C, inputs: readonly Flow[]): Flow[];
  /** Refuses what cannot work, before anything is built. */
  check?(config: C, inputs: readonly Shape[], options: CallOptions): void;
  /** Why the layer cannot be run one time step at a time, if it cannot. */
  mixesTime?(config: C): string | undefined;
}
