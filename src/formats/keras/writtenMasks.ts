// Masks that a joined sequence carries, written out as operations, as Keras' own files have them. Where a file leaves masks out Keras works
// them out when it reads it, and that of a Concatenate layer is made by an operation which takes the name `concatenate` that the layer
// has: then the file does not open. Masks that no Concatenate has joined stay out: Keras makes them again under names that no layer has.
// keras/src/layers/merging/*.py (compute_mask)
import type { Graph } from "../../layers/graph.js";
import { type LayerCall, type Shape, SymbolicTensor } from "../../layers/symbolic.js";
import { passesMask } from "../../layers/takenMasks.js";
import type { Json, JsonObject } from "../place.js";

/** A mask, as the tensor of the graph that it is or as an operation on others. */
type Mask = SymbolicTensor | Operation;

interface Operation {
  readonly className: string;
  readonly args: readonly (Mask | number | readonly Mask[])[];
  readonly config: JsonObject;
  readonly shape: Shape;
  /** Of what it was joined. */
  readonly isJoined: boolean;
}

/** Layers that are given a mask by name. */
const TAKES = /^(SimpleRNN|LSTM|GRU|RNN|Bidirectional|TimeDistributed|GlobalAveragePooling1D)$/;
const MERGES = /^(Add|Subtract|Multiply|Average|Maximum|Minimum)$/;

const isJoined = (mask: Mask) => !(mask instanceof SymbolicTensor) && mask.isJoined;

function operation(
  className: string,
  args: Operation["args"],
  shape: Shape,
  config: JsonObject = {},
  joins = false,
): Operation {
  const masks = args.flat().filter((arg): arg is Mask => typeof arg !== "number");
  return { className, args, config, shape, isJoined: joins || masks.some(isJoined) };
}

/** The mask of a join: those of its inputs, each as wide as the input, side by side, and whether any keeps a step. */
function joined({ inputs, outputs, layer }: LayerCall, masks: readonly (Mask | undefined)[]): Operation {
  const axis = (layer.config as { axis: number }).axis;
  const wide = inputs.map((input, k) => {
    const mask = masks[k];
    if (!mask) return operation("OnesLike", [input], input.shape, { dtype: "bool" });
    if (mask.shape.length === input.shape.length) return mask;
    const column = operation("ExpandDims", [mask], [...mask.shape, 1], { axis: -1 });
    const zeros = operation("ZerosLike", [input], input.shape, { dtype: "bool" });
    return operation("LogicalOr", [column, zeros], input.shape);
  });
  const [{ shape }] = outputs;
  const all = operation("Concatenate", [wide], shape, { axis }, true);
  return operation("Any", [all], shape.slice(0, -1), { axis: -1, keepdims: false });
}

function maskOf(call: LayerCall, masks: readonly (Mask | undefined)[]): Mask | undefined {
  const { layer, inputs } = call;
  const { className, kind, config } = layer;
  const [x] = inputs;
  const own = config as { maskZero?: boolean; maskValue?: number };
  if (kind.graph) return undefined;
  if (className === "Embedding") return own.maskZero ? operation("NotEqual", [x, 0], x.shape) : undefined;
  if (className === "Masking") {
    const differs = operation("NotEqual", [x, own.maskValue!], x.shape);
    return operation("Any", [differs], x.shape.slice(0, -1), { axis: -1, keepdims: false });
  }
  if (className === "Concatenate") return masks.some(Boolean) ? joined(call, masks) : undefined;
  if (MERGES.test(className)) {
    if (masks.some((mask) => mask === undefined)) return undefined;
    return (masks as Mask[]).reduce((a, b) => operation("LogicalOr", [a, b], a.shape));
  }
  return passesMask(className, config) ? masks[0] : undefined;
}

export interface WrittenMasks {
  /** Entries of operations, for the list of layers. */
  readonly entries: readonly JsonObject[];
  /** The mask that a call is given. */
  readonly given: ReadonlyMap<LayerCall, JsonObject>;
}

export function writeMasks(graph: Graph, tensor: (each: SymbolicTensor) => JsonObject): WrittenMasks {
  const masks = new Map<SymbolicTensor, Mask>();
  const entries: JsonObject[] = [];
  const given = new Map<LayerCall, JsonObject>();
  const written = new Map<Operation, JsonObject>();
  const names = new Set(graph.layers.map(({ name }) => name));

  const write = (mask: Mask): JsonObject => {
    if (mask instanceof SymbolicTensor) return tensor(mask);
    const found = written.get(mask);
    if (found) return found;
    const { className, shape } = mask;
    const args = mask.args.map((arg): Json => {
      if (typeof arg === "number") return arg;
      return Array.isArray(arg) ? arg.map(write) : write(arg as Mask);
    });
    let name = "mask";
    for (let k = 1; names.has(name); k++) name = `mask_${k}`;
    names.add(name);
    entries.push({
      module: "keras.src.ops.numpy",
      class_name: className,
      config: { name, ...mask.config },
      registered_name: className,
      name,
      inbound_nodes: [{ args, kwargs: {} }],
    });
    const config = { shape: [...shape], dtype: "bool", keras_history: [name, 0, 0] };
    const made: JsonObject = { class_name: "__keras_tensor__", config };
    written.set(mask, made);
    return made;
  };

  for (const call of graph.calls) {
    const { layer, inputs, outputs, options } = call;
    if (inputs.length === 0) continue;
    // Beside its states a layer sees no mask but one that is given by name.
    const carried = inputs.map((input) => (options.initialState ? undefined : masks.get(input)));
    const all = options.mask ? [options.mask, ...carried.slice(1)] : carried;
    const [mask] = all;
    if (mask && isJoined(mask) && TAKES.test(layer.className)) given.set(call, write(mask));
    const after = maskOf(call, all);
    if (after) masks.set(outputs[0], after);
  }
  return { entries, given };
}
