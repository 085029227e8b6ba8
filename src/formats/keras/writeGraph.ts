// Graphs of layers as Keras' configs: Sequential and Functional, models inside models, calls with their arguments.
// keras/src/models/functional.py, sequential.py
import { show, UnreelError } from "../../errors.js";
import { stateSizesOf } from "../../layers/cellLayers.js";
import type { Graph } from "../../layers/graph.js";
import type { Layer } from "../../layers/layer.js";
import type { LayerCall, Shape, SymbolicTensor } from "../../layers/symbolic.js";
import type { Json, JsonObject } from "../place.js";
import { ARGUMENTS, writeAttending } from "./attentionNodes.js";
import { isFunctional, stackOf } from "./models.js";
import { kerasObject } from "./objects.js";
import { type LayerWriter, writeLayer } from "./writeLayer.js";
import { writeMasks } from "./writtenMasks.js";

/** The config of a whole model, as `config.json` holds it. */
export function writeModel(
  name: string,
  graph: Graph,
  sequence?: readonly Layer[],
  seeds: number[] = [],
  takesKeras2 = false,
): JsonObject {
  const model = (layer: Layer): JsonObject =>
    writeModel(
      layer.name,
      layer.kind.graph!,
      layer.className === "Sequential" ? stackOf(layer.kind.graph!) : undefined,
      seeds,
      takesKeras2,
    );
  const nested: LayerWriter = { model, seeds, takesKeras2 };
  return sequence ? writeSequential(name, graph, sequence, nested) : writeFunctional(name, graph, nested);
}

function writeInput(call: LayerCall): JsonObject {
  const [{ shape, dtype }] = call.outputs;
  return kerasObject("keras.layers", "InputLayer", {
    batch_shape: [...shape],
    dtype,
    sparse: false,
    ragged: false,
    name: call.layer.name,
  });
}

function withBuild(written: JsonObject, shapes: readonly Shape[]): JsonObject {
  if (written.class_name === "MultiHeadAttention") {
    const named = ARGUMENTS.flatMap((name, k) => (shapes[k] ? [[`${name}_shape`, [...shapes[k]]]] : []));
    return { ...written, build_config: { shapes_dict: Object.fromEntries(named) } };
  }
  const shape: Json = shapes.length === 1 ? [...shapes[0]] : shapes.map((each) => [...each]);
  return { ...written, build_config: { input_shape: shape } };
}

function writeSequential(
  name: string,
  graph: Graph,
  sequence: readonly Layer[],
  nested: LayerWriter,
): JsonObject {
  const shapes = new Map(graph.calls.map((call) => [call.layer, call.inputs.map(({ shape }) => shape)]));
  const [start] = graph.inputs;
  return kerasObject("keras", "Sequential", {
    name,
    trainable: true,
    layers: [
      writeInput(start.source),
      ...sequence.map((layer) => withBuild(writeLayer(layer, nested), shapes.get(layer)!)),
    ],
    build_input_shape: [...start.shape],
  });
}

function writeFunctional(name: string, graph: Graph, nested: LayerWriter): JsonObject {
  const numbers = nodeNumbers(graph);
  const reference = ({ source, index }: SymbolicTensor): Json[] => [
    source.layer.name,
    numbers.get(source)!,
    index,
  ];
  const tensor = (each: SymbolicTensor): JsonObject => ({
    class_name: "__keras_tensor__",
    config: { shape: [...each.shape], dtype: each.dtype, keras_history: reference(each) },
  });
  const masks = nested.takesKeras2 ? undefined : writeMasks(graph, tensor);
  const layers = graph.layers.map((layer): JsonObject => {
    const calls = graph.calls.filter((call) => call.layer === layer).sort((a, b) => a.index - b.index);
    const [first] = calls;
    const isInput = first.inputs.length === 0;
    const written = isInput
      ? writeInput(first)
      : withBuild(
          writeLayer(layer, nested),
          first.inputs.map(({ shape }) => shape),
        );
    const nodes = isInput ? [] : calls.map((call) => writeNode(call, tensor, masks?.given.get(call)));
    return { ...written, name: layer.name, inbound_nodes: nodes };
  });
  const end = (each: SymbolicTensor): Json => {
    const [layer, node, index] = reference(each);
    return [layer, (node as number) + (isFunctional(each.source.layer) ? 1 : 0), index];
  };
  const ends = (list: readonly SymbolicTensor[]): Json => (list.length === 1 ? end(list[0]) : list.map(end));
  return {
    ...kerasObject("keras.src.models.functional", "Functional", {
      name,
      trainable: true,
      layers: [...layers, ...(masks?.entries ?? [])],
      input_layers: ends(graph.inputs),
      output_layers: ends(graph.outputs),
    }),
    registered_name: "Functional",
  };
}

/** Calls of each layer counted within the graph: it may have others outside. */
function nodeNumbers({ calls }: Graph): Map<LayerCall, number> {
  const numbers = new Map<LayerCall, number>();
  const counts = new Map<Layer, number>();
  for (const call of [...calls].sort((a, b) => a.index - b.index)) {
    const count = counts.get(call.layer) ?? 0;
    numbers.set(call, count);
    counts.set(call.layer, count + 1);
  }
  return numbers;
}

/** States as Keras wants them: those of a stack of cells cell by cell, several of one cell as a list. */
function nested({ className, config }: Layer, states: readonly JsonObject[]): Json[] {
  const own = config as { forward: Layer; backward: Layer; cell: Layer };
  if (className === "Bidirectional") {
    const half = states.length / 2;
    return [...nested(own.forward, states.slice(0, half)), ...nested(own.backward, states.slice(half))];
  }
  if (className !== "RNN" || own.cell.className !== "StackedRNNCells") return [...states];
  let from = 0;
  return (own.cell.config as { cells: readonly Layer[] }).cells.map((cell) => {
    const count = stateSizesOf(cell).length;
    const part = states.slice(from, from + count);
    from += count;
    return count === 1 ? part[0] : part;
  });
}

function writeNode(
  { layer, inputs, options }: LayerCall,
  tensor: (each: SymbolicTensor) => JsonObject,
  carried?: JsonObject,
): JsonObject {
  if (options.training !== undefined) {
    throw new UnreelError({
      operation: `${layer.name}: apply: training`,
      expected: "none, to be saved for Keras",
      got: show(options.training),
      hint: "A functional model of Keras does not keep it: there fit and predict decide.",
    });
  }
  const own = options.constants ?? 0;
  if (own > 0) {
    throw new UnreelError({
      operation: `${layer.name}: apply: constants`,
      expected: "none, to be saved",
      got: `${own}`,
    });
  }
  const { initialState, mask, attending } = options;
  const { merges, attends } = layer.kind;
  return {
    args: attends === "named" ? inputs.map(tensor) : [merges ? inputs.map(tensor) : tensor(inputs[0])],
    kwargs: {
      ...(initialState && { initial_state: nested(layer, initialState.map(tensor)) }),
      ...((mask || carried) && { mask: carried ?? tensor(mask!) }),
      ...(attending && writeAttending(attending, attends === "list", tensor)),
    },
  };
}
