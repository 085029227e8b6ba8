// What a kind of layer is written with: from what flows in to what flows out.
import type { Layer } from "../../../layers/layer.js";
import type { CallOptions, Shape } from "../../../layers/symbolic.js";
import type { Builder, Flow } from "../builder.js";

export interface WriteCall<C> {
  readonly b: Builder;
  readonly layer: Layer;
  readonly config: C;
  readonly inputs: readonly Flow[];
  /** Shapes of the outputs. */
  readonly shapes: readonly Shape[];
  readonly options: CallOptions;
  readonly initialState: readonly string[];
  /** The mask that a recurrent layer obeys; `inputs[0].mask` is handed on. */
  readonly mask?: string;
}

// biome-ignore lint/suspicious/noExplicitAny: each kind of layer has a config of its own.
export type WriteLayer = (call: WriteCall<any>) => readonly Flow[];
export type Writers = Readonly<Record<string, WriteLayer>>;
