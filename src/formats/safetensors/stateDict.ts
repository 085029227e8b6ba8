// State dicts: which module of PyTorch is which layer, and a model's weights by PyTorch's names. Not here: state dicts that are read
// (readStateDict.ts).
import { show, suggestion, UnreelError } from "../../errors.js";
import type { Graph } from "../../layers/graph.js";
import type { Layer } from "../../layers/layer.js";
import type { Tensor } from "../../tensor.js";
import { type Module, moduleOf } from "./modules.js";

/** A module's name in PyTorch ('encoder.rnn'; '' for a state dict of one module) to the name of a layer here, or of several: those of
 * a module with `num_layers`, from the first one on. */
export type Mapping = Readonly<Record<string, string | readonly string[]>>;

/** Layers of a model with weights, those of models inside it too. */
export function layersOf(graph: Graph): Layer[] {
  return graph.layers.flatMap((layer) =>
    layer.kind.graph ? layersOf(layer.kind.graph) : layer.weights.length > 0 ? [layer] : [],
  );
}

export const prefixed = (prefix: string, name: string) => (prefix === "" ? name : `${prefix}.${name}`);

export interface Pair {
  readonly prefix: string;
  readonly layers: readonly { layer: Layer; module: Module }[];
}

export function pairsOf(operation: string, layers: readonly Layer[], mapping: Mapping): Pair[] {
  const taken = new Set<Layer>();
  return Object.entries(mapping).map(([prefix, names]) => {
    const list = [names].flat() as string[];
    const found = list.map((name, level) => {
      const layer = layers.find((each) => each.name === name);
      if (!layer) {
        const known = layers.map((each) => each.name);
        const hint = typeof name === "string" ? suggestion(name, known) : `Known names: ${known.join(", ")}.`;
        throw new UnreelError({
          operation: `${operation}: mapping: ${show(prefix)}`,
          expected: "the name of a layer with weights",
          got: show(name),
          hint,
        });
      }
      if (taken.has(layer))
        throw new UnreelError({
          operation: `${operation}: mapping`,
          expected: "each layer once",
          got: `${show(name)} twice`,
        });
      taken.add(layer);
      return { layer, module: moduleOf(layer, level)! };
    });
    return { prefix, layers: found };
  });
}

/** A model's weights as a state dict. Without a mapping modules are called as the layers. */
export function writeStateDict(operation: string, graph: Graph, mapping?: Mapping): Map<string, Tensor> {
  const layers = layersOf(graph);
  const pairs = pairsOf(
    operation,
    layers,
    mapping ?? Object.fromEntries(layers.map(({ name }) => [name, name])),
  );
  const named = new Set(pairs.flatMap((pair) => pair.layers.map(({ layer }) => layer)));
  const missing = layers.find((layer) => !named.has(layer));
  if (missing) {
    const expected = "a module for every layer with weights";
    throw new UnreelError({
      operation: `${operation}: mapping`,
      expected,
      got: `none for ${show(missing.name)}`,
    });
  }
  const out = new Map<string, Tensor>();
  for (const { prefix, layers: parts } of pairs)
    for (const { module } of parts)
      for (const [name, tensor] of module.write()) out.set(prefixed(prefix, name), tensor);
  return out;
}
