// Calls of attention layers as nodes of Keras' config, both ways: which masks they are given by name, and flags.
import { show, UnreelError } from "../../errors.js";
import { attendingOptions } from "../../layers/attending.js";
import type { Layer } from "../../layers/layer.js";
import type { Attending, LayerCall, SymbolicTensor } from "../../layers/symbolic.js";
import { at, type Json, type JsonObject, shown } from "../place.js";
import type { ComputedMasks } from "./masks.js";
import { type Reference, tensorsOf } from "./references.js";

/** What MultiHeadAttention is called with, in order, where others take a list. */
export const ARGUMENTS = ["query", "value", "key"] as const;

/** How an attention layer is called; masks of query, value and key in order. */
export interface NodeAttending extends Pick<Attending, "useCausalMask" | "returnAttentionScores"> {
  readonly masks: readonly (Reference | null | undefined)[];
  readonly attentionMask?: Reference;
}

export function writeAttending(
  { masks, attentionMask, useCausalMask, returnAttentionScores }: Attending,
  isList: boolean,
  tensor: (each: SymbolicTensor) => JsonObject,
): JsonObject {
  const [query, value, key] = masks.map((mask) => (mask ? tensor(mask) : null));
  return {
    ...(isList && masks.length > 0 && { mask: [query, value] }),
    ...(!isList && value && { value_mask: value }),
    ...(!isList && key && { key_mask: key }),
    ...(attentionMask && { attention_mask: tensor(attentionMask) }),
    ...(returnAttentionScores && { return_attention_scores: true }),
    ...(useCausalMask && { use_causal_mask: true }),
  };
}

/** A call of MultiHeadAttention: query, value and key in order or by name. */
export function attentionNode(
  place: string,
  args: readonly Reference[][],
  kwargs: JsonObject,
): { inputs: readonly Reference[]; attending: NodeAttending } {
  const { query, value, key, query_mask: ofQuery, value_mask: ofValue, key_mask: ofKey, ...rest } = kwargs;
  const { attention_mask: attention, ...options } = rest;
  const one = (name: string, given: Json | undefined): Reference | undefined =>
    given === undefined || given === null ? undefined : tensorsOf(`${place}: ${name}`, given)[0];
  const inputs = [query, value, key].flatMap((given, k) => {
    const each = args[k]?.[0] ?? one(ARGUMENTS[k], given);
    return each ? [each] : [];
  });
  const masks = [one("query_mask", ofQuery), one("value_mask", ofValue), one("key_mask", ofKey)];
  return {
    inputs,
    attending: { ...flagsOf(place, options), masks, attentionMask: one("attention_mask", attention) },
  };
}

/** What attention is told besides tensors. */
function flagsOf(place: string, { training: _, ...kwargs }: JsonObject) {
  const { use_causal_mask: causal = false, return_attention_scores: scores = false, ...others } = kwargs;
  const strange = Object.entries(others).find(([, value]) => value !== null);
  const notFlag = [causal, scores].find((value) => typeof value !== "boolean" && value !== null);
  if (strange || notFlag !== undefined) {
    throw new UnreelError({
      operation: `${place}: kwargs`,
      expected: "masks, use_causal_mask and return_attention_scores, true or false",
      got: strange ? show(strange[0]) : shown(notFlag),
    });
  }
  return { useCausalMask: causal === true, returnAttentionScores: scores === true };
}

/** A call of a layer that takes a list of inputs. */
export function listNode(
  place: string,
  inputs: readonly Reference[],
  { mask, inputs: _, ...rest }: JsonObject,
): { inputs: readonly Reference[]; attending: NodeAttending } {
  // A third mask, of the key, is not read by Keras.
  const masks = (Array.isArray(mask) ? mask.slice(0, 2) : []).map((each, k) =>
    each === null ? null : tensorsOf(`${place}: mask[${k}]`, each)[0],
  );
  return { inputs, attending: { ...flagsOf(place, rest), masks } };
}

/** Makes the call once all its tensors are there. */
export function tryAttending(
  place: string,
  layer: Layer,
  inputs: readonly Reference[],
  { masks: given, attentionMask, ...flags }: NodeAttending,
  find: (reference: Reference) => SymbolicTensor | undefined,
  masks: ComputedMasks,
): LayerCall | undefined {
  // Those that Keras computed by itself come with the inputs here.
  const named = given.map((mask) => (mask && masks.areComputed([mask]) ? undefined : mask));
  const all = [...inputs, ...[...named, attentionMask].flatMap((each) => (each ? [each] : []))];
  const found = new Map(all.map((each) => [each, find(each)]));
  if ([...found.values()].includes(undefined)) return undefined;
  const tensor = (each: Reference) => found.get(each)!;
  const x = inputs.map(tensor);
  given.forEach((mask, k) => {
    if (mask && named[k] === undefined) masks.check(place, [mask], [x[k] ?? x[1]]);
  });
  const attending: Attending = {
    ...flags,
    masks: named.map((mask) => (mask ? tensor(mask) : mask)),
    attentionMask: attentionMask && tensor(attentionMask),
  };
  const call = at(place, () =>
    layer.call(
      x,
      attendingOptions(layer.kind, attending, (each) => each),
    ),
  );
  masks.follow(call, inputs.slice(0, 1), true);
  return call;
}
