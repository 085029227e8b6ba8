// Graphs of layers from Keras' configs: Sequential and Functional, models inside models, calls with their arguments; in the form of Keras 3
// (`args` and `kwargs` with `__keras_tensor__`) and in the older one (lists of name, node, tensor). keras/src/models/functional.py, sequential.py
import { show, UnreelError } from "../../errors.js";
import { input } from "../../layers/core.js";
import { type Graph, makeGraph } from "../../layers/graph.js";
import { type ApplyOptions, Layer } from "../../layers/layer.js";
import { type LayerCall, SymbolicTensor } from "../../layers/symbolic.js";
import { graphKind } from "../../layers/wire.js";
import type { DType } from "../../tensor.js";
import {
  at,
  isObject,
  type Json,
  type JsonObject,
  requireList,
  requireObject,
  requireString,
  shown,
} from "../place.js";
import { attentionNode, listNode, type NodeAttending, tryAttending } from "./attentionNodes.js";
import { makersFor } from "./layers.js";
import { ComputedMasks } from "./masks.js";
import { isFunctional } from "./models.js";
import { refuseCode } from "./objects.js";
import { type LayerReader, readLayer, requireFloat32 } from "./readLayer.js";
import { type Reference, reference, references, tensorsOf } from "./references.js";

/** A model as its config tells it. */
export interface ModelGraph {
  readonly name: string;
  readonly graph: Graph;
  /** The layers of a sequential model, without its input. */
  readonly sequence?: readonly Layer[];
}

/** Shared by all models of a file. */
export interface GraphReader {
  readonly defaults?: LayerReader["defaults"];
  readonly seed?: LayerReader["seed"];
  /** Nodes name the first call of a model inside as 1, as in Keras 2: 0 is that of its making. */
  readonly countsModelsFromOne?: true;
}

const MODELS = ["Sequential", "Functional", "Model"];

/** Layers and calls of a file, those of a model inside at each place where it is called: more cost more than any model is worth. */
const MOST_CALLS = 5000;

/** A file that is read: what all of its models share, and how many layers and calls there were so far. */
interface Reading extends GraphReader {
  readonly makers: LayerReader["makers"];
  count(place: string, more: number): void;
  /** How many calls one of a layer stands for. */
  callsOf(layer: Layer): number;
}

function readingOf(reader: GraphReader, makers: LayerReader["makers"]): Reading {
  let sum = 0;
  const known = new Map<Layer, number>();
  const callsOf = (layer: Layer): number => {
    let calls = known.get(layer);
    if (calls === undefined) {
      const inside = Object.values(layer.config).flat();
      const layers = layer.kind.graph?.calls.map((call) => call.layer) ?? inside.filter(isLayer);
      calls = layers.reduce((all, each) => all + callsOf(each), 1);
      known.set(layer, calls);
    }
    return calls;
  };
  return {
    ...reader,
    makers,
    callsOf,
    count(place, more) {
      sum += more;
      if (sum <= MOST_CALLS) return;
      const expected = `at most ${MOST_CALLS} layers and calls of layers, in all models together`;
      throw new UnreelError({ operation: place, expected, got: `${sum} or more` });
    },
  };
}

const isLayer = (value: unknown): value is Layer => value instanceof Layer;

/** A model from its entry `{ class_name, config }`. */
export async function readModel(
  place: string,
  value: Json | undefined,
  reader: GraphReader = {},
): Promise<ModelGraph> {
  const entry = requireObject(place, value);
  const className = requireString(`${place}: class_name`, entry.class_name);
  refuseCode(place, className);
  if (!MODELS.includes(className)) {
    throw new UnreelError({
      operation: place,
      expected: "a model of class Sequential or Functional",
      got: `one of class '${className}'`,
      hint: "A subclassed model is code of Python, which is not in the file.",
    });
  }
  const makers = await makersFor(entry.config);
  return readGraph(place, className, entry.config ?? null, readingOf(reader, makers), 0);
}

function readGraph(
  place: string,
  className: string,
  config: Json,
  reader: Reading,
  depth: number,
): ModelGraph {
  if (className === "Sequential") return readSequential(place, config, reader, depth);
  return readFunctional(place, requireObject(`${place}: config`, config), reader, depth);
}

function layerReader(reader: Reading): LayerReader {
  return {
    ...reader,
    model(place, className, config, depth) {
      if (!MODELS.includes(className)) return undefined;
      const { name, graph, sequence } = readGraph(place, className, config, reader, depth);
      const trainable = isObject(config) ? config.trainable !== false : true;
      return new Layer(
        graphKind(sequence ? "Sequential" : "Functional", graph),
        {},
        { name, trainable },
      ) as unknown as Layer;
    },
  };
}

const INTEGERS = ["int32", "int64", "int8", "int16", "uint8", "uint16", "uint32", "bool"];

function readInput(place: string, value: Json | undefined): SymbolicTensor {
  const config = requireObject(`${place}: config`, requireObject(place, value).config);
  const shape = config.batch_shape ?? config.batch_input_shape;
  requireFloat32(`${place}: dtype`, config.dtype, INTEGERS);
  for (const option of ["sparse", "ragged"]) {
    if (config[option] === true) {
      throw new UnreelError({ operation: `${place}: ${option}`, expected: "false", got: "true" });
    }
  }
  const dtype: DType = INTEGERS.includes(String(config.dtype)) ? "int32" : "float32";
  return inputOf(place, requireString(`${place}: name`, config.name), shape, dtype);
}

function inputOf(
  place: string,
  name: string | undefined,
  batchShape: Json | undefined,
  dtype?: DType,
): SymbolicTensor {
  const [batch, ...shape] = requireList(`${place}: batch_shape`, batchShape) as readonly (number | null)[];
  return at(place, () => input({ name, shape, dtype, batchSize: batch ?? undefined }));
}

const classOf = (value: Json) => (isObject(value) ? value.class_name : undefined);

function readSequential(place: string, config: Json, reader: Reading, depth: number): ModelGraph {
  const isList = Array.isArray(config);
  const options = isList ? {} : requireObject(`${place}: config`, config);
  const name = options.name === undefined ? "sequential" : requireString(`${place}: name`, options.name);
  const entries = requireList(`${place}: layers`, isList ? config : options.layers);
  reader.count(`${place}: layers`, entries.length);
  const [first] = entries;
  if (first === undefined) {
    throw new UnreelError({ operation: `${place}: layers`, expected: "layers", got: "none" });
  }
  const label = (index: number) => `${place}: layers[${index}]`;
  const given = classOf(first) === "InputLayer" ? readInput(label(0), first) : undefined;
  const skipped = given ? 1 : 0;
  const stack = entries
    .slice(skipped)
    .map((entry, k) => readLayer(label(k + skipped), entry, layerReader(reader), depth));
  const [bottom] = stack;
  if (!bottom)
    throw new UnreelError({ operation: `${place}: layers`, expected: "layers", got: "an input alone" });
  const start = given ?? startOf(place, options, first, bottom);
  const end = stack.reduce((x, layer, k) => {
    reader.count(label(k + skipped), reader.callsOf(layer));
    const outputs: SymbolicTensor | SymbolicTensor[] = at(label(k + skipped), () => layer.apply(x));
    if (outputs instanceof SymbolicTensor) return outputs;
    throw new UnreelError({
      operation: label(k + skipped),
      expected: "a layer with one output",
      got: `${outputs.length}`,
    });
  }, start);
  return { name, graph: makeGraph(place, [start], [end]), sequence: stack };
}

/** The input of a sequential model that lists none. */
function startOf(place: string, options: JsonObject, first: Json, bottom: Layer): SymbolicTensor {
  const config = isObject(first) && isObject(first.config) ? first.config : {};
  const shape = options.build_input_shape ?? config.batch_input_shape ?? config.batch_shape;
  const inside = bottom.kind.graph?.inputs[0];
  const batchShape = shape ?? (inside && [...inside.shape]);
  if (batchShape === undefined) {
    throw new UnreelError({
      operation: place,
      expected: "the shape of its input",
      got: "none",
      hint: "In Python: call the model on data, or build it, before saving.",
    });
  }
  return inputOf(place, undefined, batchShape, inside?.dtype ?? bottom.kind.inputDtype);
}

// ----------------------------------------------------------------------------------------------------------- functional

/** A node to be made: what the layer is applied to, and how. */
interface Node {
  readonly inputs: readonly Reference[];
  readonly initialState?: readonly Reference[];
  readonly mask?: readonly Reference[];
  readonly attending?: NodeAttending;
}

/** A layer of the file whose calls are still to be made. */
interface Waiting {
  readonly place: string;
  readonly name: string;
  readonly layer: Layer;
  readonly nodes: readonly Node[];
}

function readFunctional(place: string, config: JsonObject, reader: Reading, depth: number): ModelGraph {
  const name = config.name === undefined ? "functional" : requireString(`${place}: name`, config.name);
  const made = new Map<string, LayerCall[]>();
  const waiting: Waiting[] = [];
  const masks = new ComputedMasks();
  const entries = requireList(`${place}: layers`, config.layers);
  reader.count(`${place}: layers`, entries.length);
  entries.forEach((entry, k) => {
    const label = `${place}: layers[${k}]`;
    const object = requireObject(label, entry);
    if (masks.take(label, object)) return;
    const isInput = object.class_name === "InputLayer";
    const layer = isInput ? readInput(label, object) : readLayer(label, object, layerReader(reader), depth);
    const own = requireString(
      `${label}: name`,
      object.name ?? (layer instanceof Layer ? layer.name : layer.source.layer.name),
    );
    if (made.has(own)) {
      throw new UnreelError({
        operation: `${label}: name`,
        expected: "layers of different names",
        got: show(own),
      });
    }
    made.set(own, isInput ? [(layer as SymbolicTensor).source] : []);
    if (!isLayer(layer)) return;
    const list = requireList(`${label}: inbound_nodes`, object.inbound_nodes);
    reader.count(`${label}: inbound_nodes`, list.length * reader.callsOf(layer));
    const nodes = list.map((node, n) =>
      readNode(`${label} (${layer.className}): inbound_nodes[${n}]`, node, layer),
    );
    waiting.push({ place: label, name: own, layer, nodes });
  });
  const named = (is: (layer: Layer) => boolean) =>
    new Set(waiting.flatMap(({ name, layer }) => (is(layer) ? [name] : [])));
  const [models, functional] = [named(({ kind }) => kind.graph !== undefined), named(isFunctional)];
  const nodeOf = ([layer, given]: Reference, isEnd: boolean) => {
    const fromOne = reader.countsModelsFromOne ? models : isEnd ? functional : undefined;
    return fromOne?.has(layer) ? given - 1 : given;
  };
  const find = (where: string, reference: Reference, isEnd = false): SymbolicTensor | undefined => {
    const [layer, , index] = reference;
    const calls = made.get(layer);
    if (!calls) {
      const operation = masks.classOf(layer);
      const got =
        operation === undefined ? show(layer) : `keras.ops.${operation}, an operation without a layer`;
      const hint = /^(Add|Subtract|Multiply|Maximum|Minimum|Concatenate)$/.test(operation ?? "")
        ? `In Python: keras.layers.${operation}()([a, b]) in place of the operation.`
        : undefined;
      throw new UnreelError({ operation: where, expected: "the name of a layer of the model", got, hint });
    }
    const call = calls[nodeOf(reference, isEnd)];
    if (call && index >= call.outputs.length) {
      const expected = `an output of '${layer}' from 0 to ${call.outputs.length - 1}`;
      throw new UnreelError({ operation: where, expected, got: `${index}` });
    }
    return call?.outputs[index];
  };
  // A call that reads one which is not made yet waits for it: layers may stand in any order.
  const ready = [...waiting];
  const pending = new Map<string, Waiting[]>();
  for (const each of ready) {
    const { name, place, layer, nodes } = each;
    const calls = made.get(name)!;
    while (calls.length < nodes.length) {
      const where = `${place}: inbound_nodes[${calls.length}]`;
      let awaited = "";
      const get = (reference: Reference) => {
        const found = find(where, reference);
        if (!found) awaited = `${reference[0]}\n${nodeOf(reference, false)}`;
        return found;
      };
      const call = tryCall(where, layer, nodes[calls.length], get, masks);
      if (!call) {
        pending.set(awaited, [...(pending.get(awaited) ?? []), each]);
        break;
      }
      ready.push(...(pending.get(`${name}\n${calls.length}`) ?? []));
      calls.push(call);
    }
  }
  const left = waiting.find(({ name, nodes }) => made.get(name)!.length < nodes.length);
  if (left) {
    const got = `'${left.name}', which waits for itself or for a call that is not there`;
    throw new UnreelError({ operation: `${place}: layers`, expected: "an acyclic graph", got });
  }
  const ends = (what: string): SymbolicTensor[] => {
    const where = `${place}: ${what}`;
    return references(where, config[what]).map((each) => {
      const found = find(where, each, true);
      if (found) return found;
      throw new UnreelError({ operation: where, expected: "a call of the graph", got: shown(each) });
    });
  };
  const [inputs, outputs] = [ends("input_layers"), ends("output_layers")];
  const graph = makeGraph(place, inputs, outputs, { unusedInputs: true });
  return { name, graph: inOrder(graph, [...made.values()]) };
}

/** The graph with its layers in the order of the file, which is that of the weights there. */
function inOrder(graph: Graph, made: readonly (readonly LayerCall[])[]): Graph {
  const used = new Set(graph.layers);
  const listed = made.flatMap(([call]) => (call && used.has(call.layer) ? [call.layer] : []));
  const layers = [...new Set([...listed, ...graph.layers])];
  return { ...graph, layers, weights: [...new Set(layers.flatMap((layer) => layer.weights))] };
}

function tryCall(
  place: string,
  layer: Layer,
  { inputs, initialState, mask = [], attending }: Node,
  find: (reference: Reference) => SymbolicTensor | undefined,
  masks: ComputedMasks,
): LayerCall | undefined {
  if (attending) return tryAttending(place, layer, inputs, attending, find, masks);
  const comesWithX = masks.areComputed(mask);
  const named = comesWithX ? [] : mask;
  const all = [...inputs, ...(initialState ?? []), ...named].map(find);
  if (all.some((each) => each === undefined)) return undefined;
  const given = all as SymbolicTensor[];
  const x = given.slice(0, inputs.length);
  if (comesWithX) masks.check(place, mask, x);
  if (named.length > 1) {
    throw new UnreelError({ operation: `${place}: mask`, expected: "one mask", got: `${named.length}` });
  }
  const states = initialState && given.slice(inputs.length, inputs.length + initialState.length);
  const options: ApplyOptions = { initialState: states, mask: named.length === 1 ? given.at(-1) : undefined };
  const call = at(place, () => layer.call(x, options));
  masks.follow(call, inputs, comesWithX || named.length === 0);
  return call;
}

/** Layers that take states behind x, in older files as further inputs. */
const takesStates = (layer: Layer) => layer.kind.recurrent || layer.className === "Bidirectional";

function readNode(place: string, value: Json, layer: Layer): Node {
  if (isObject(value)) {
    const args = requireList(`${place}: args`, value.args);
    const kwargs = requireObject(`${place}: kwargs`, value.kwargs);
    if (layer.kind.attends === "named") {
      return attentionNode(
        place,
        args.map((each, k) => (each === null ? [] : tensorsOf(`${place}: args[${k}]`, each))),
        kwargs,
      );
    }
    const [x, ...rest] = args.length > 0 ? args : [kwargs.inputs];
    if (rest.some((each) => each !== null)) {
      throw new UnreelError({
        operation: `${place}: args`,
        expected: "one argument: x, or a list",
        got: `${args.length}`,
      });
    }
    return readArguments(place, layer, tensorsOf(`${place}: args[0]`, x), kwargs);
  }
  // [[name, node, tensor, kwargs], …]; one input alone may stand without the outer list.
  const list = requireList(place, value);
  const entries = typeof list[0] === "string" ? [list] : list;
  const found = entries.map((each, k) => reference(`${place}[${k}]`, each));
  const kwargs = (entries[0] as Json[])?.[3];
  const options = isObject(kwargs) ? kwargs : {};
  if (layer.kind.attends === "named")
    return attentionNode(
      place,
      found.map((each) => [each]),
      options,
    );
  return readArguments(place, layer, found, options);
}

function readArguments(place: string, layer: Layer, found: readonly Reference[], kwargs: JsonObject): Node {
  if (layer.kind.attends) return listNode(place, found, kwargs);
  const { inputs: _, initial_state: states, mask, training: __, constants, ...others } = kwargs;
  const strange = Object.entries(others).find(([, value]) => value !== null);
  const bad = constants !== undefined && constants !== null ? "constants" : strange?.[0];
  if (bad !== undefined) {
    throw new UnreelError({
      operation: `${place}: kwargs`,
      expected: "initial_state or mask",
      got: show(bad),
    });
  }
  const masks = mask === undefined || mask === null ? [] : tensorsOf(`${place}: mask`, mask);
  const given = states === undefined || states === null ? [] : tensorsOf(`${place}: initial_state`, states);
  const split = takesStates(layer) && given.length === 0 ? 1 : found.length;
  const initialState = given.length > 0 ? given : found.slice(split);
  return {
    inputs: found.slice(0, split),
    ...(initialState.length > 0 && { initialState }),
    ...(masks.length > 0 && { mask: masks }),
  };
}
