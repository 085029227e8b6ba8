// Models as layers of other models: what Keras lists and counts of them.
import type { Graph } from "../../layers/graph.js";
import type { Layer } from "../../layers/layer.js";

/** The layers of a sequential model inside another one: those of its graph, without the input. */
export function stackOf(graph: Graph): Layer[] {
  return graph.calls.filter(({ inputs }) => inputs.length > 0).map(({ layer }) => layer);
}

/** A functional model inside another one: where a model begins and ends, Keras counts its calls from 1. */
export const isFunctional = ({ kind, className }: Layer) =>
  kind.graph !== undefined && className === "Functional";
