// Every kind of layer as Keras' config, both ways: one table. Options are those of the layer's function here, in snake_case; what is
// otherwise stands in the table. Models inside models and inputs are graph.ts's. keras/src/layers/*/get_config
import { suggestion, UnreelError } from "../../errors.js";
import * as layers from "../../layers/index.js";
import { Layer } from "../../layers/layer.js";
import { camelCase } from "../../layers/options.js";
import { at, isObject, type Json, type JsonObject, requireList, requireString, shown } from "../place.js";
import { isActivationLayer, readActivationLayer } from "./activationLayers.js";
import {
  type Configured,
  camelOptions,
  type FamilyName,
  kerasObject,
  readActivation,
  readMember,
  readObject,
  snakeOptions,
  writeActivation,
  writeMember,
} from "./objects.js";

type Options = Record<string, unknown>;

interface Rule {
  readonly make: (options: never) => Layer;
  /** The options from which the layer could be made again, out of its config, where they differ from it. */
  write?(config: Options): Options;
  /** Options of ours out of those of Keras. */
  read?(options: Options): Options;
  /** Keras does not know its `trainable`. */
  readonly isAlwaysTrainable?: true;
  /** Entries of Keras' config that say nothing here. */
  readonly silent?: readonly string[];
  /** Entries that may have these values only, and then say nothing. */
  readonly only?: Readonly<Record<string, readonly Json[]>>;
}

const DATA_FORMAT = { dataFormat: "channels_last" };
const CHANNELS_LAST: Rule["only"] = { dataFormat: ["channels_last", null] };

function without(config: Options, ...names: readonly string[]): Options {
  return Object.fromEntries(Object.entries(config).filter(([name]) => !names.includes(name)));
}

const recurrent = {
  write: (config: Options) => without(config, "useCudnn"),
  silent: ["implementation", "useCudnn"],
  only: { timeMajor: [false] },
} satisfies Partial<Rule>;
const cell = { silent: ["implementation"] } satisfies Partial<Rule>;

const convolution = {
  write({ kernelSize, stride, dilation, outputPadding, ...rest }: Options): Options {
    const padding = outputPadding === undefined ? {} : { outputPadding };
    return {
      ...rest,
      ...padding,
      ...DATA_FORMAT,
      kernelSize: [kernelSize],
      strides: [stride],
      dilationRate: [dilation],
    };
  },
} satisfies Partial<Rule>;

const depthwise = {
  write: (config: Options) => convolution.write(config),
  // Keras 2 writes what every convolution has.
  silent: ["filters", "kernelInitializer", "kernelRegularizer", "kernelConstraint", "groups"],
} satisfies Partial<Rule>;

const pooling = {
  write: ({ size, stride, padding }: Options) => ({
    poolSize: [size],
    strides: [stride],
    padding,
    ...DATA_FORMAT,
  }),
} satisfies Partial<Rule>;
const globalPooling = { write: (config: Options) => ({ ...config, ...DATA_FORMAT }) } satisfies Partial<Rule>;

/** Layers of Keras that are no layers here, and what does their work. */
const ELSEWHERE: ReadonlyMap<string, string> = new Map(
  [
    ...[
      "Normalization",
      "Rescaling",
      "Discretization",
      "CategoryEncoding",
      "StringLookup",
      "IntegerLookup",
    ].map((name) => [name, `data.${name}`] as const),
    ["TextVectorization", "text.TextVectorization"] as const,
  ].map(([name, ours]) => [
    name,
    `${ours} does its work, before the model. In Python: save the model without that layer.`,
  ]),
);

/** Every class of Keras that is a layer here, by its name there. Tests walk `layers.*` against it. */
export const LAYERS: Readonly<Record<string, Rule>> = {
  SimpleRNN: { make: layers.simpleRNN, ...recurrent },
  LSTM: { make: layers.lstm, ...recurrent },
  GRU: { make: layers.gru, ...recurrent },
  SimpleRNNCell: { make: layers.simpleRNNCell, ...cell },
  LSTMCell: { make: layers.lstmCell, ...cell },
  GRUCell: { make: layers.gruCell, ...cell },
  StackedRNNCells: { make: layers.stackedRNNCells },
  RNN: { make: layers.rnn, silent: ["numConstants"], only: { timeMajor: [false] } },
  Bidirectional: {
    make: layers.bidirectional,
    write: ({ forward, backward, mergeMode }) => ({ layer: forward, backwardLayer: backward, mergeMode }),
    silent: ["numConstants"],
  },
  TimeDistributed: { make: layers.timeDistributed },

  Embedding: {
    make: layers.embedding,
    silent: ["inputLength", "quantizationConfig"],
    only: { loraRank: [null] },
  },
  Masking: { make: layers.masking },
  RepeatVector: { make: layers.repeatVector },

  Conv1D: { make: layers.conv1D, ...convolution },
  Conv1DTranspose: { make: layers.conv1DTranspose, ...convolution, only: { groups: [1] } },
  DepthwiseConv1D: { make: layers.depthwiseConv1D, ...depthwise },
  SeparableConv1D: {
    make: layers.separableConv1D,
    ...depthwise,
    silent: depthwise.silent.filter((name) => name !== "filters"),
  },
  MaxPooling1D: { make: layers.maxPooling1D, ...pooling },
  AveragePooling1D: { make: layers.averagePooling1D, ...pooling },
  GlobalMaxPooling1D: { make: layers.globalMaxPooling1D, ...globalPooling },
  GlobalAveragePooling1D: { make: layers.globalAveragePooling1D, ...globalPooling },
  UpSampling1D: { make: layers.upSampling1D },
  ZeroPadding1D: {
    make: layers.zeroPadding1D,
    write: ({ before, after }) => ({ padding: [before, after], ...DATA_FORMAT }),
  },
  Cropping1D: { make: layers.cropping1D, write: ({ before, after }) => ({ cropping: [before, after] }) },

  Dense: { make: layers.dense, silent: ["quantizationConfig"], only: { loraRank: [null] } },
  Activation: { make: layers.activation },
  ActivityRegularization: { make: layers.activityRegularization, write: ({ l1, l2 }) => ({ l1, l2 }) },
  Dropout: { make: layers.dropout, only: { noiseShape: [null] } },
  SpatialDropout1D: { make: layers.spatialDropout1D, isAlwaysTrainable: true, only: { noiseShape: [null] } },
  GaussianNoise: { make: layers.gaussianNoise },
  Flatten: { make: layers.flatten, only: CHANNELS_LAST },
  Reshape: { make: layers.reshape },
  Permute: { make: layers.permute },

  Concatenate: { make: layers.concatenate },
  Add: { make: layers.add },
  Subtract: { make: layers.subtract },
  Multiply: { make: layers.multiply },
  Average: { make: layers.average },
  Maximum: { make: layers.maximum },
  Minimum: { make: layers.minimum },
  Dot: { make: layers.dot },

  // Keras 2 could also be told to be causal when it was made.
  Attention: { make: layers.attention, only: { causal: [false] } },
  AdditiveAttention: {
    make: layers.additiveAttention,
    write: (config) => without(config, "scaleInitializer"),
    only: { causal: [false] },
  },
  MultiHeadAttention: {
    make: layers.multiHeadAttention,
    write: ({ projectionRegularizer, ...config }) => ({
      ...without(config, "initializers"),
      activityRegularizer: projectionRegularizer,
    }),
    // Keras 2 keeps what it was built for.
    silent: ["queryShape", "keyShape", "valueShape"],
  },

  LayerNormalization: {
    make: layers.layerNormalization,
    // Keras leaves it out of newer configs.
    write: (config) => (config.rmsScaling ? config : without(config, "rmsScaling")),
  },
  BatchNormalization: {
    make: layers.batchNormalization,
    read: ({ axis, ...rest }) => ({
      ...rest,
      axis: Array.isArray(axis) && axis.length === 1 ? axis[0] : axis,
    }),
    silent: ["synchronized", "fused", "renormClipping", "renormMomentum", "virtualBatchSize"],
    only: { renorm: [false], adjustment: [null] },
  },
};

const FLOAT32: JsonObject = kerasObject("keras", "DTypePolicy", { name: "float32" });

// -------------------------------------------------------------------------------------------------------------- writing

export interface LayerWriter {
  /** Writes a layer that is a model. */
  model(layer: Layer): JsonObject;
  /** Gets the seeds of layers that Keras cannot hold, in the order of the config, where they stand as null. */
  readonly seeds?: number[];
  /** Takes activations that Keras 3 has no more. */
  readonly takesKeras2?: boolean;
}

/** Keras' seeds are 32-bit numbers with a sign. */
export const SEED_LIMIT = 2 ** 31;

/** A layer as Keras writes it, but for the models inside it. */
export function writeLayer(layer: Layer, writer: LayerWriter): JsonObject {
  const { kind, name } = layer;
  if (kind.graph) return writer.model(layer);
  const rule = kind.isOperation ? undefined : LAYERS[layer.className];
  if (!rule) {
    const what = kind.isOperation
      ? `ops.${camelCase(layer.className)}, a function without a layer`
      : layer.className === "Cell"
        ? "a cell of your own"
        : `a ${layer.className} layer`;
    throw new UnreelError({
      operation: name,
      expected: "a layer of Keras",
      got: what,
      hint: "A file holds no code: use layers.* for what is to be saved, or save the weights alone.",
    });
  }
  const config = { ...layer.config } as Options;
  const options = rule.write?.(config) ?? config;
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  return kerasObject("keras.layers", layer.className, {
    name,
    ...(!rule.isAlwaysTrainable && { trainable: layer.trainable }),
    dtype: FLOAT32,
    ...Object.assign(
      {},
      ...entries.map(([option, value]) => writeOption(`${name}: ${option}`, option, value, writer)),
    ),
  });
}

function writeOption(place: string, option: string, value: unknown, writer: LayerWriter): JsonObject {
  const [key] = Object.keys(snakeOptions({ [option]: null }));
  const as = (written: Json): JsonObject => ({ [key]: written });
  if (value instanceof Layer) return as(writeLayer(value, writer));
  if (Array.isArray(value) && value[0] instanceof Layer)
    return as(value.map((each) => writeLayer(each, writer)));
  if (option === "seed" && typeof value === "number" && value >= SEED_LIMIT) {
    writer.seeds?.push(value);
    return as(null);
  }
  const family = familyOf(option);
  if (family && value !== null) return as(writeMember(family, place, value as Configured));
  if (isActivation(option) && typeof value === "string") {
    if (value === "keras2HardSigmoid" && !writer.takesKeras2) {
      throw new UnreelError({
        operation: place,
        expected: "an activation of Keras 3",
        got: `'${value}'`,
        hint: "Keras 3's hard_sigmoid is another curve: formats 'tfjs', 'onnx' and 'wasm' have this one.",
      });
    }
    return as(writeActivation(value));
  }
  return at(place, () => snakeOptions({ [option]: value }));
}

function familyOf(option: string): FamilyName | undefined {
  if (/Initializer$/.test(option)) return "initializer";
  if (/Regularizer$/.test(option)) return "regularizer";
  return /Constraint$/.test(option) ? "constraint" : undefined;
}

const isActivation = (option: string) => /^(recurrentA|a)ctivation$/.test(option);

// -------------------------------------------------------------------------------------------------------------- reading

/** How layers that hold models are read, and how deep they may lie in each other. */
export interface LayerReader {
  /** A layer that is a model, if the class is one. */
  model(place: string, className: string, config: Json, depth: number): Layer | undefined;
  /** Options that a file leaves out, as another library's defaults have them. */
  defaults?(className: string): Options;
  /** The next of the seeds that Keras could not hold. */
  seed?(): number | undefined;
}

const DEEPEST = 24;

/** A layer from its entry in a config. */
export function readLayer(place: string, value: Json | undefined, reader: LayerReader, depth = 0): Layer {
  if (depth > DEEPEST) {
    throw new UnreelError({
      operation: place,
      expected: `layers in each other up to ${DEEPEST} deep`,
      got: "more",
    });
  }
  const { className, config } = readClass(place, value);
  const inner = reader.model(place, className, config, depth + 1);
  if (inner) return inner;
  const rule = Object.hasOwn(LAYERS, className) ? LAYERS[className] : undefined;
  if (!rule) {
    if (isActivationLayer(className) && isObject(config)) {
      return readOne(`${place} (${className})`, className, config, reader);
    }
    throw new UnreelError({
      operation: place,
      expected: "a layer that is known here",
      got: `a layer of class '${className}'`,
      hint: ELSEWHERE.get(className) ?? suggestion(className, Object.keys(LAYERS)),
    });
  }
  if (!isObject(config)) {
    throw new UnreelError({ operation: `${place}: config`, expected: "an object", got: shown(config) });
  }
  const label = `${place} (${className})`;
  const { name, trainable, inputShape, rest } = readCommon(label, config);
  const options: Options = { ...reader.defaults?.(className), ...rest };
  for (const [option, given] of Object.entries(rest)) {
    options[option] = readOption(`${label}: ${option}`, option, given as Json, reader, depth);
  }
  for (const option of rule.silent ?? []) delete options[option];
  for (const [option, values] of Object.entries(rule.only ?? {})) {
    if (!(option in options)) continue;
    const given = options[option];
    delete options[option];
    if (values.some((each) => each === given)) continue;
    const expected = values.map((each) => JSON.stringify(each)).join(" or ");
    throw new UnreelError({ operation: `${label}: ${option}`, expected, got: shown(given) });
  }
  const all = { ...(rule.read?.(options) ?? options), name, trainable, inputShape };
  return at(label, () => rule.make(all as never));
}

/** A layer that is an activation, if the class is one. */
function readOne(place: string, className: string, config: JsonObject, reader: LayerReader): Layer {
  const { name, trainable, inputShape, rest } = readCommon(place, config);
  const options = { ...reader.defaults?.(className), ...rest };
  return readActivationLayer(place, className, options, { name, trainable, inputShape });
}

/** The class of an entry and what it is configured with, whatever that is: sequential models of old are a list. */
function readClass(place: string, value: Json | undefined): { className: string; config: Json } {
  if (isObject(value) && Array.isArray(value.config)) {
    return { className: requireString(`${place}: class_name`, value.class_name), config: value.config };
  }
  return readObject(place, value);
}

function readOption(place: string, option: string, value: Json, reader: LayerReader, depth: number): unknown {
  if (option === "seed" && value === null) return reader.seed?.() ?? null;
  const family = familyOf(option);
  if (family) return value === null ? null : readMember(family, place, value);
  if (isActivation(option)) return readActivation(place, value);
  if (option === "cells") {
    return requireList(place, value).map((each, k) => readLayer(`${place}[${k}]`, each, reader, depth + 1));
  }
  if (isObject(value) && "class_name" in value) return readLayer(place, value, reader, depth + 1);
  return value;
}

/** What every layer has. */
function readCommon(place: string, config: JsonObject) {
  const {
    name,
    trainable = true,
    dtype,
    batch_input_shape: batchInput,
    batch_shape: batchShape = batchInput,
    ...own
  } = config;
  requireFloat32(`${place}: dtype`, dtype);
  if (typeof trainable !== "boolean") {
    throw new UnreelError({
      operation: `${place}: trainable`,
      expected: "true or false",
      got: shown(trainable),
    });
  }
  const rest = camelOptions(own);
  // Only what reads ids or begins a sequential model has a shape of its own.
  const inputShape = Array.isArray(batchShape) ? batchShape.slice(1) : undefined;
  return { name: requireString(`${place}: name`, name), trainable, inputShape, rest };
}

/** Layers compute in float32: a policy that says otherwise would give other numbers. */
export function requireFloat32(place: string, dtype: Json | undefined, also: readonly string[] = []): void {
  if (dtype === undefined || dtype === null) return;
  const name = isObject(dtype) ? (isObject(dtype.config) ? dtype.config.name : dtype.class_name) : dtype;
  if (name === "float32" || also.includes(String(name))) return;
  throw new UnreelError({
    operation: place,
    expected: "float32",
    got: shown(name),
    hint: "In Python: rebuild the model under keras.config.set_dtype_policy('float32') and set its weights.",
  });
}
