// What a kind of layer is written with: from what flows in to what flows out.
import type { Layer } from "../../../layers/layer.js";
import type { Attending, CallOptions, Shape } from "../../../layers/symbolic.js";
import type { Builder, Flow } from "../builder.js";

export interface WrittenAttending extends Pick<Attending, "useCausalMask" | "returnAttentionScores"> {
  /** Truth values. */
  readonly attentionMask?: string;
}

export interface WriteCall<C> {
  readonly b: Builder;
  readonly layer: Layer;
  readonly config: C;
  readonly inputs: readonly Flow[];
  /** Shapes of the outputs. */
  readonly shapes: readonly Shape[];
  readonly options: CallOptions;
  readonly initialState: readonly string[];
  /** How an attention layer is called; masks of its inputs are theirs. */
  readonly attending?: WrittenAttending;
  /** The mask that a recurrent layer obeys; `inputs[0].mask` is handed on. */
  readonly mask?: string;
}

// biome-ignore lint/suspicious/noExplicitAny: each kind of layer has a config of its own.
export type WriteLayer = (call: WriteCall<any>) => readonly Flow[];
export type Writers = Readonly<Record<string, WriteLayer>>;
