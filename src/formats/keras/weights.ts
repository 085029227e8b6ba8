// Where Keras 3 keeps numbers in model.weights.h5, and x.weights.h5: a path of attributes and class names for each layer
// (`layers/bidirectional/forward_layer/cell/vars/0`). keras/src/saving/saving_lib.py (_save_state)
import { UnreelError } from "../../errors.js";
import type { Graph } from "../../layers/graph.js";
import type { Layer } from "../../layers/layer.js";
import type { Weight } from "../../layers/weight.js";
import { Tensor } from "../../tensor.js";
import type { Hdf5File } from "../hdf5.js";
import type { Hdf5Builder } from "../hdf5Write.js";
import { stackOf } from "./models.js";

/** The version whose layout this is. */
export const KERAS_VERSION = "3.15.1";

/** A group of variables. */
interface Place {
  readonly path: string;
  /** What Keras writes beside them. */
  readonly name: string;
  readonly weights: readonly Weight[];
}

/** keras/src/utils/naming.py */
function snake(name: string): string {
  return name
    .replace(/(.)([A-Z][a-z]+)/g, "$1_$2")
    .replace(/([a-z])([A-Z])/g, "$1_$2")
    .toLowerCase();
}

/** Names in a list of layers: those of their classes, numbered where there are several. */
function named(layers: readonly Layer[]): [string, Layer][] {
  const used = new Map<string, number>();
  return layers.map((layer) => {
    const base = snake(layer.className);
    const count = used.get(base) ?? 0;
    used.set(base, count + 1);
    return [count === 0 ? base : `${base}_${count}`, layer];
  });
}

/** Layers inside a layer, by the attributes that hold them in Keras. */
function inside(layer: Layer): [string, Layer][] {
  const config = layer.config as Readonly<Record<string, Layer & readonly Layer[]>>;
  if (layer.kind.graph) {
    return named(layersOf(layer.kind.graph, layer.className === "Sequential")).map(([name, each]) => [
      `layers/${name}`,
      each,
    ]);
  }
  switch (layer.className) {
    case "RNN":
      return [["cell", config.cell]];
    case "StackedRNNCells":
      return named(config.cells).map(([name, each]) => [`cells/${name}`, each]);
    case "Bidirectional":
      return [
        ["forward_layer", config.forward],
        ["backward_layer", config.backward],
      ];
    case "TimeDistributed":
      return [["layer", config.layer]];
    default:
      return [];
  }
}

/** A sequential model of Keras does not count its input. */
function layersOf(graph: Graph, isSequential: boolean): readonly Layer[] {
  return isSequential ? stackOf(graph) : graph.layers;
}

/** Layers whose weights belong to the cell inside them. */
const CELLS = ["SimpleRNN", "LSTM", "GRU"];

function placesOf(path: string, layer: Layer, seen: Set<Layer>): Place[] {
  // Keras saves what it comes upon twice once, where it is first.
  if (seen.has(layer)) return [];
  seen.add(layer);
  const children = inside(layer);
  const theirs = new Set(children.flatMap(([, child]) => child.weights));
  const own = layer.weights.filter((weight) => !theirs.has(weight));
  const below = children.flatMap(([attribute, child]) => placesOf(`${path}/${attribute}`, child, seen));
  const { name } = layer;
  if (layer.className === "MultiHeadAttention")
    return [{ path, name, weights: [] }, ...projectionsOf(path, own)];
  if (!CELLS.includes(layer.className)) return [{ path, name, weights: own }, ...below];
  const cell = { path: `${path}/cell`, name: `${snake(layer.className)}_cell`, weights: own };
  return [{ path, name, weights: [] }, cell];
}

/** The attributes that hold the dense layers inside MultiHeadAttention, by the names of these. */
const PROJECTIONS: Readonly<Record<string, string>> = {
  query: "query_dense",
  key: "key_dense",
  gate: "_gate_dense",
  value: "value_dense",
  attention_output: "output_dense",
};

function projectionsOf(path: string, weights: readonly Weight[]): Place[] {
  return Object.entries(PROJECTIONS).flatMap(([name, attribute]): Place[] => {
    const own = weights.filter((weight) => weight.name.split("/").at(-2) === name);
    return own.length > 0 ? [{ path: `${path}/${attribute}`, name, weights: own }] : [];
  });
}

function placesIn(graph: Graph, sequence: readonly Layer[] | undefined): Place[] {
  const seen = new Set<Layer>();
  return named(sequence ?? graph.layers).flatMap(([name, layer]) => placesOf(`layers/${name}`, layer, seen));
}

interface Weighted {
  readonly name: string;
  readonly graph: Graph;
  readonly sequence?: readonly Layer[];
}

export function writeWeights(file: Hdf5Builder, { name, graph, sequence }: Weighted): void {
  file.group("vars").attributes.set("name", name);
  for (const place of placesIn(graph, sequence)) {
    const vars = file.group(`${place.path}/vars`);
    vars.attributes.set("name", place.name);
    place.weights.forEach((weight, k) => {
      vars.datasets.set(`${k}`, { shape: weight.shape, data: weight.read().slice() });
    });
  }
}

/** Assigns all weights, after every one of them has been found and has the right shape. */
export function readWeights(operation: string, file: Hdf5File, { graph, sequence }: Weighted): void {
  const places = placesIn(graph, sequence);
  // Before the release of Keras 3 the group had another name.
  const top = file.keys("layers") ? "layers" : "_layer_checkpoint_dependencies";
  const found = places.flatMap(({ path, name, weights }) => {
    const vars = `${path.replace(/^layers/, top)}/vars`;
    const count = weights.length === 0 ? 0 : (file.keys(vars)?.length ?? 0);
    if (count !== weights.length) {
      throw new UnreelError({
        operation: `${operation}: ${vars}`,
        expected: `${weights.length} variables for layer '${name}'`,
        got: count === 0 ? "none" : `${count}`,
      });
    }
    return weights.map((weight, k) => ({ weight, values: file.floats(`${vars}/${k}`, weight.shape) }));
  });
  for (const { weight, values } of found) weight.assign(new Tensor(values, weight.shape), operation);
}
