// Masks that Keras' MultiHeadAttention takes away. When it runs it removes the masks from its inputs (keras multi_head_attention.py,
// `set_keras_mask(query, None)`), so whatever runs after it and reads the same tensors finds none: the sum of x and attention over x has
// no mask, nor has a second attention over x. Which calls run after it depends on Keras' order. But a layer that is applied to one tensor
// and takes a `mask` in its call was told the mask when the graph was drawn, before anything was taken (keras Layer.__call__, step 6): a
// recurrent layer behind that sum is masked. The same model gives the same numbers here only if masks are gone at the same places; so
// a flow has the mask that is there when the model runs, and, where that is another, the whole one that the graph was drawn with.
import { type Graph, inKerasOrder } from "./graph.js";
import type { LayerCall, SymbolicTensor } from "./symbolic.js";

interface Masks<M> {
  readonly mask?: M;
  readonly wholeMask?: M;
}

export interface TakenMasks {
  /** The masks of an input as a call finds them. */
  seen<M>(call: LayerCall, input: SymbolicTensor, masks: Masks<M>): Masks<M>;
  /** The masks of an output when all is done. */
  left<M>(output: SymbolicTensor, masks: Masks<M>): Masks<M>;
}

const known = new WeakMap<Graph, TakenMasks & { readonly atEnd: ReadonlySet<SymbolicTensor> }>();

export function takenMasks(graph: Graph): TakenMasks {
  return taken(graph);
}

function taken(graph: Graph) {
  let found = known.get(graph);
  if (!found) {
    found = follow(graph);
    known.set(graph, found);
  }
  return found;
}

function follow(graph: Graph) {
  const atEnd = new Set<SymbolicTensor>();
  const lost = new Map<LayerCall, ReadonlySet<SymbolicTensor>>();
  if (graph.calls.some((call) => takes(call).length > 0)) {
    for (const call of inKerasOrder(graph.calls)) {
      lost.set(call, new Set(call.inputs.filter((input) => atEnd.has(input))));
      for (const input of takes(call)) atEnd.add(input);
    }
  }
  const without = <M>(masks: Masks<M>, isTaken = false): Masks<M> =>
    isTaken ? { wholeMask: masks.wholeMask ?? masks.mask } : masks;
  return {
    atEnd,
    seen<M>(call: LayerCall, input: SymbolicTensor, masks: Masks<M>): Masks<M> {
      if (isTold(call)) return { mask: masks.wholeMask ?? masks.mask };
      return without(masks, lost.get(call)?.has(input));
    },
    left: <M>(output: SymbolicTensor, masks: Masks<M>) => without(masks, atEnd.has(output)),
  };
}

/** Inputs that lose their masks in a call: those of the attention, or those that an inner model hands to one. */
function takes({ layer: { kind }, inputs }: LayerCall): readonly SymbolicTensor[] {
  if (kind.takesMasks) return inputs;
  if (!kind.graph) return [];
  const { atEnd } = taken(kind.graph);
  const inner = kind.graph.inputs;
  return inputs.filter((_, k) => atEnd.has(inner[k]));
}

const TAKES_MASK =
  /^(SimpleRNN|LSTM|GRU|RNN|Bidirectional|TimeDistributed|GlobalAveragePooling1D|BatchNormalization|Sequential|Functional)$/;

/** Whether a call was told its mask when the graph was drawn: with nothing but one tensor. */
function isTold({ layer, inputs, options }: LayerCall): boolean {
  const { initialState, training } = options;
  const isAlone = inputs.length === 1 && !initialState && training === undefined;
  return isAlone && !layer.kind.isOperation && TAKES_MASK.test(layer.className);
}

/** Layers behind which there is no mask any more. */
const ENDS =
  /Conv1D|Pooling1D|^(Flatten|Reshape|Permute|RepeatVector|UpSampling1D|ZeroPadding1D|Cropping1D|Dot)$/;

/** Whether the mask of its one input goes on behind a layer. */
export function passesMask(className: string, config: object): boolean {
  const { forward } = config as { forward?: { config: object } };
  const options = (forward?.config ?? config) as { returnSequences?: boolean };
  return !ENDS.test(className) && (options.returnSequences ?? true);
}

/** The same for the whole mask; layers with a mask of their own pass none on. */
export function passesWholeMask({ layer: { kind, config }, inputs }: LayerCall): boolean {
  const isOwn = kind.isOperation || /^(Embedding|Masking)$/.test(kind.className);
  return inputs.length === 1 && !isOwn && passesMask(kind.className, config);
}
