// The layers of model.json, both ways: Keras 2's config with another library's defaults and names. What it holds is Keras' otherwise:
// keras/readGraph.ts and writeGraph.ts read and write it. tfjs-layers/src/layers/*.ts (getConfig), engine/container.ts (fromConfig)
import { UnreelError } from "../../errors.js";
import type { Graph } from "../../layers/graph.js";
import type { Layer } from "../../layers/layer.js";
import type { SymbolicTensor } from "../../layers/symbolic.js";
import { type ModelGraph, readModel } from "../keras/readGraph.js";
import { writeModel } from "../keras/writeGraph.js";
import { isObject, type Json, type JsonObject, shown } from "../place.js";

/** Activations by the name in the file: 0.2 x + 0.5 is hard_sigmoid there, as in Keras 2. */
const ACTIVATIONS: Readonly<Record<string, string>> = {
  hard_sigmoid: "keras2_hard_sigmoid",
  hardSigmoid: "keras2_hard_sigmoid",
  gelu_new: "gelu_tanh",
};
/** Entries in which null is not "as by default". */
const NULL_SAYS_SOMETHING = ["activation", "recurrent_activation", "merge_mode"];
/** Entries of an RNN that are its own. */
const RNN = [
  ...["name", "trainable", "dtype", "batch_input_shape", "cell", "return_sequences", "return_state"],
  ...["go_backwards", "stateful", "unroll", "zero_output_for_mask"],
];
const isActivation = (key: string) => key === "activation" || key === "recurrent_activation";

// -------------------------------------------------------------------------------------------------------------- reading

const GATES = { recurrentActivation: "keras2HardSigmoid" };
/** What a config leaves out, where it is otherwise than in Keras 3. */
const DEFAULTS: Readonly<Record<string, Record<string, unknown>>> = {
  LSTM: GATES,
  LSTMCell: GATES,
  GRU: { ...GATES, resetAfter: false },
  GRUCell: { ...GATES, resetAfter: false },
  Softmax: { axis: 1 },
};

export async function readTopology(place: string, topology: Json | undefined): Promise<ModelGraph> {
  const model = await readModel(place, asKeras3(topology ?? null), {
    defaults: (className) => DEFAULTS[className] ?? {},
    countsModelsFromOne: true,
  });
  checkMasks(place, model.graph, false);
  return model;
}

function asKeras3(value: Json, key = ""): Json {
  if (typeof value === "string" && isActivation(key)) return ACTIVATIONS[value] ?? value;
  if (key === "distribution" && value === "normal") return "truncated_normal";
  if (Array.isArray(value)) return value.map((each) => asKeras3(each));
  if (!isObject(value)) return value;
  const entries = Object.entries(value).flatMap(([name, each]): [string, Json][] =>
    each === null && key === "config" && !NULL_SAYS_SOMETHING.includes(name)
      ? []
      : [[name, asKeras3(each, name)]],
  );
  const object = Object.fromEntries(entries);
  // An RNN repeats there what its cell is configured with.
  if (object.class_name === "RNN" && isObject(object.config)) {
    const config = Object.entries(object.config).filter(([name]) => RNN.includes(name));
    return { ...object, config: Object.fromEntries(config) };
  }
  // Older files hold the function itself.
  if (isActivation(key) && typeof object.config === "string") return asKeras3(object.config, key);
  return object;
}

// -------------------------------------------------------------------------------------------------------------- writing

type Values = Readonly<Record<string, readonly Json[]>>;

/** The layers that tfjs has, with the entries that must have one of some values there. */
const LAYERS: Readonly<Record<string, Values>> = {
  InputLayer: {},
  SimpleRNN: {},
  LSTM: {},
  GRU: { reset_after: [false] },
  SimpleRNNCell: {},
  LSTMCell: {},
  GRUCell: { reset_after: [false] },
  StackedRNNCells: {},
  RNN: {},
  Bidirectional: {},
  TimeDistributed: {},
  Embedding: {},
  Masking: {},
  RepeatVector: {},
  Conv1D: { groups: [1], padding: ["valid", "same"] },
  MaxPooling1D: {},
  AveragePooling1D: {},
  GlobalMaxPooling1D: { keepdims: [false] },
  GlobalAveragePooling1D: { keepdims: [false] },
  Dense: {},
  Activation: {},
  Dropout: {},
  SpatialDropout1D: {},
  GaussianNoise: {},
  Flatten: {},
  Reshape: {},
  Permute: {},
  Concatenate: {},
  Add: {},
  Multiply: {},
  Average: {},
  Maximum: {},
  Minimum: {},
  Dot: {},
  LayerNormalization: { rms_scaling: [false] },
  BatchNormalization: {},
};
const MODELS = ["Sequential", "Functional"];

/** The names that tfjs knows, in Keras' spelling. Its gelu_new is saved under a name that it does not find again. */
const WRITTEN_ACTIVATIONS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    "elu selu relu relu6 linear sigmoid softplus softsign tanh softmax log_softmax gelu mish"
      .split(" ")
      .map((name) => [name, name]),
  ),
  silu: "swish",
  keras2_hard_sigmoid: "hard_sigmoid",
};

/** Classes of initializers, regularizers and constraints, by Keras' names. */
const OBJECTS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    [
      "Zeros Ones Constant RandomUniform RandomNormal TruncatedNormal Identity VarianceScaling GlorotUniform GlorotNormal",
      "HeNormal HeUniform Orthogonal L1L2 MaxNorm UnitNorm NonNeg MinMaxNorm",
    ]
      .join(" ")
      .split(" ")
      .map((name) => [name, name]),
  ),
  LecunNormal: "LeCunNormal",
  LecunUniform: "LeCunUniform",
  L1: "L1L2",
  L2: "L1L2",
};

function refuse(operation: string, expected: string, got: string): never {
  const hint = "TensorFlow.js could not run it as it is here.";
  throw new UnreelError({ operation, expected, got, hint });
}

export function writeTopology(name: string, graph: Graph, sequence?: readonly Layer[]): JsonObject {
  checkMasks(name, graph, true);
  return writeEntry("", writeModel(name, graph, sequence, [], true));
}

/** A model or a layer, `{ class_name, config }`, with its nodes if it has any; `place` is the model around it. */
function writeEntry(place: string, entry: JsonObject): JsonObject {
  const className = String(entry.class_name);
  const config = entry.config as JsonObject;
  const name = String(config.name ?? className);
  const at = place === "" ? name : `${place}: ${name}`;
  const nodes = entry.inbound_nodes as readonly JsonObject[] | undefined;
  const graph = nodes && { name: entry.name, inbound_nodes: nodes.map((node) => writeNode(at, node)) };
  if (MODELS.includes(className)) return { ...writeInner(at, className, config), ...graph };
  // It has this one as a layer alone.
  if (className === "Activation" && config.activation === "leaky_relu") {
    const { activation: _, dtype, ...rest } = config;
    const alpha = { alpha: 0.2, dtype: writeOption(at, "dtype", dtype) };
    return { class_name: "LeakyReLU", config: { ...rest, ...alpha }, ...graph };
  }
  const only = LAYERS[className];
  if (!only) refuse(at, "a layer of TensorFlow.js", `a layer of class '${className}'`);
  for (const [option, values] of Object.entries(only)) {
    const given = config[option];
    if (given === undefined || values.includes(given)) continue;
    refuse(`${at}: ${option}`, values.map((value) => JSON.stringify(value)).join(" or "), shown(given));
  }
  const written = Object.entries(config).map(([option, value]) => [option, writeOption(at, option, value)]);
  const options: JsonObject = Object.fromEntries(written);
  return { class_name: className, config: writeConfig(at, className, options), ...graph };
}

function writeInner(place: string, className: string, config: JsonObject): JsonObject {
  const layers = (config.layers as readonly JsonObject[]).map((layer) => writeEntry(place, layer));
  const { name, trainable } = config;
  if (className === "Sequential")
    return { class_name: "Sequential", config: { name, trainable, layers } as JsonObject };
  const models = new Set(
    layers
      .filter((layer) => /^(Sequential|Model)$/.test(String(layer.class_name)))
      .map((layer) => layer.name),
  );
  // Models in models count their calls from 1: the first is that of their own making.
  const moved = ([layer, node, index, ...rest]: Json[]): Json[] => [
    layer,
    models.has(layer) ? Number(node) + 1 : node,
    index,
    ...rest,
  ];
  const ends = (list: Json): Json => {
    const references = (typeof (list as Json[])[0] === "string" ? [list] : list) as Json[][];
    return references.map(moved);
  };
  return {
    class_name: "Model",
    config: {
      name,
      trainable,
      layers: layers.map((layer) => ({
        ...layer,
        inbound_nodes: (layer.inbound_nodes as Json[][][]).map((node) => node.map(moved)),
      })),
      input_layers: ends(config.input_layers),
      output_layers: ends(config.output_layers),
    } as JsonObject,
  };
}

/** A node in the older form: a list of the tensors that it reads, states behind the others. */
function writeNode(place: string, { args, kwargs }: JsonObject): Json {
  const { initial_state: states, mask } = kwargs as JsonObject;
  if (mask !== undefined) refuse(`${place}: mask`, "no mask that is given by itself", "one");
  const tensors = [args, states ?? []].flat(3) as JsonObject[];
  return tensors.map((tensor) => [...((tensor.config as JsonObject).keras_history as Json[]), {}]);
}

function writeOption(place: string, option: string, value: Json): Json {
  if (option === "dtype") return isObject(value) ? "float32" : value;
  if (isActivation(option) && typeof value === "string") {
    return WRITTEN_ACTIVATIONS[value] ?? refuse(`${place}: ${option}`, "one of TensorFlow.js", shown(value));
  }
  if (Array.isArray(value)) return value.map((each) => writeOption(place, option, each));
  if (!isObject(value) || typeof value.class_name !== "string") return value;
  if (value.module === "keras.layers" || MODELS.includes(value.class_name)) return writeEntry(place, value);
  const className = OBJECTS[value.class_name];
  const config = value.config as JsonObject;
  if (!className || config.distribution === "untruncated_normal") {
    refuse(`${place}: ${option}`, "one of TensorFlow.js", `a ${value.class_name} that is not there`);
  }
  // Its normal distribution is a truncated one; both parts of L1L2 have a default.
  if (config.distribution === "truncated_normal") {
    return { class_name: className, config: { ...config, distribution: "normal" } };
  }
  return { class_name: className, config: className === "L1L2" ? { l1: 0, l2: 0, ...config } : config };
}

function writeConfig(place: string, className: string, given: JsonObject): JsonObject {
  // Unknown there; checkMasks has seen that it changes nothing.
  const { zero_output_for_mask: _, ...config } = given;
  if (className === "InputLayer") {
    const { batch_shape: shape, ragged, ...rest } = config;
    return { ...rest, batch_input_shape: shape };
  }
  if (className === "Bidirectional") return writeBidirectional(place, config);
  const { cell } = config;
  if (isObject(cell) && cell.class_name === "StackedRNNCells" && config.return_state === true) {
    // It gives the states of the last cell first.
    refuse(`${place}: return_state`, "false with stacked cells", "true");
  }
  return config;
}

/** The names of a layer's two directions begin with these. */
export const inner = (name: string) => name.replace(/^(forward|backward)_/, "");

/** It makes the other direction by itself. */
function writeBidirectional(
  place: string,
  { backward_layer: backward, layer, ...rest }: JsonObject,
): JsonObject {
  const forward = layer as JsonObject;
  const [one, other] = [forward, backward as JsonObject].map(({ class_name: className, config }) => {
    const { name, seed, go_backwards: isReversed, ...options } = config as JsonObject;
    // What weights and noise began from may differ.
    const lasting = Object.entries(options).filter(([option]) => !/initializer$/.test(option));
    return { name: String(name), isReversed, text: JSON.stringify([className, lasting]) };
  });
  const isMirrored =
    one.text === other.text && one.isReversed !== other.isReversed && inner(one.name) === inner(other.name);
  if (!isMirrored) refuse(`${place}: backward_layer`, "the same layer in the other direction", "another one");
  return {
    ...rest,
    layer: { ...forward, config: { ...(forward.config as JsonObject), name: inner(one.name) } },
  };
}

// ---------------------------------------------------------------------------------------------------------------- masks

/** Layers of tfjs that take a mask; the others throw. */
const TAKES_MASK =
  /^(Dense|Dropout|SpatialDropout1D|Activation|Masking|Add|Multiply|Average|Maximum|Minimum|Concatenate|Dot|GaussianNoise|BatchNormalization|LayerNormalization|SimpleRNN|LSTM|GRU|RNN|TimeDistributed|Bidirectional|Sequential|Functional)$/;
const MERGES = /^(Add|Multiply|Average|Maximum|Minimum|Concatenate)$/;
const RECURRENT = /^(SimpleRNN|LSTM|GRU|RNN|Bidirectional)$/;

/** The mask that comes with a tensor. */
interface Mask {
  /** Where it begins. */
  readonly root: SymbolicTensor;
  /** At the steps that it leaves out, tfjs has other numbers. */
  readonly differs: boolean;
}
type Masks = Map<SymbolicTensor, Mask>;

/** Follows masks, and refuses what tfjs does otherwise with them. */
function checkMasks(place: string, graph: Graph, isWritten: boolean): void {
  const masks: Masks = new Map();
  followMasks(place, graph, masks, isWritten);
  for (const output of graph.outputs) checkSteps(`${place}: ${output.source.layer.name}`, masks.get(output));
}

/** tfjs repeats an output at a masked step, or gives the state that it began with, where there is 0 here. */
function checkSteps(place: string, mask: Mask | undefined): void {
  if (!mask?.differs) return;
  refuse(place, "outputs at masked steps that a recurrent layer leaves out", "ones that go on to an output");
}

function followMasks(place: string, graph: Graph, masks: Masks, isWritten: boolean): void {
  for (const { layer, inputs, outputs, options: call } of graph.calls) {
    const at = `${place}: ${layer.name}`;
    const given = inputs.map((input) => masks.get(input));
    const found = given.filter((each) => each !== undefined);
    const mask = found.length > 0 && { root: found[0].root, differs: found.some(({ differs }) => differs) };
    const { className, kind } = layer;
    if (mask && isWritten && !TAKES_MASK.test(className)) {
      refuse(at, "an input without a mask", `a masked one for a layer of class '${className}'`);
    }
    const config = layer.config as {
      maskZero?: boolean;
      returnSequences?: boolean;
      zeroOutputForMask?: boolean;
      stateful?: boolean;
      axis?: number;
      forward?: Layer;
    };
    if (mask && MERGES.test(className)) {
      // Here any of several masks keeps a step, there all of them do.
      if (given.some((each) => each?.root !== mask.root)) {
        refuse(at, "inputs with the same mask", "inputs with different ones");
      }
      if (className === "Concatenate" && ![-1, inputs[0].shape.length - 1].includes(config.axis ?? -1)) {
        refuse(`${at}: axis`, "the last one, for masked inputs", `${config.axis}`);
      }
    }
    if (kind.graph) {
      const inside: Masks = new Map();
      for (const [k, input] of kind.graph.inputs.entries()) if (given[k]) inside.set(input, given[k]);
      followMasks(at, kind.graph, inside, isWritten);
      for (const [k, output] of kind.graph.outputs.entries()) {
        const passed = inside.get(output);
        if (passed) masks.set(outputs[k], passed);
      }
      continue;
    }
    if (className === "Masking" || (className === "Embedding" && config.maskZero)) {
      masks.set(outputs[0], { root: outputs[0], differs: false });
    } else if (mask && RECURRENT.test(className)) {
      const options = (config.forward?.config ?? config) as typeof config;
      if (call.initialState) refuse(at, "an input without a mask, or no states", "both");
      const differs = options.zeroOutputForMask === true || options.stateful === true;
      if (options.returnSequences) masks.set(outputs[0], { root: mask.root, differs });
    } else if (mask && TAKES_MASK.test(className) && className !== "Dot") {
      masks.set(outputs[0], mask);
    } else if (mask) checkSteps(at, mask);
  }
}
