// Every kind of layer as Keras' config, both ways: one table. Options are those of the layer's function here, in snake_case; what is
// otherwise stands in the table. Not here: how it is read and written (readLayer.ts, writeLayer.ts). keras/src/layers/*/get_config
import type { Layer } from "../../layers/layer.js";
import type { Json, JsonObject } from "../place.js";
import type { FamilyName } from "./objects.js";

export type Options = Record<string, unknown>;

/** The function that makes layers of a class. */
export type Maker = (options: never) => Layer;

interface Rule {
  /** Loaded for the models that have such a layer. */
  readonly make: () => Promise<Maker>;
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

/** The files of layers. */
const from = {
  attention: () => import("../../layers/attention.js"),
  cellLayers: () => import("../../layers/cellLayers.js"),
  conv1D: () => import("../../layers/convolution/conv1D.js"),
  conv1DTranspose: () => import("../../layers/convolution/conv1DTranspose.js"),
  depthwiseConv1D: () => import("../../layers/convolution/depthwiseConv1D.js"),
  core: () => import("../../layers/core.js"),
  dot: () => import("../../layers/dot.js"),
  embedding: () => import("../../layers/embedding.js"),
  merge: () => import("../../layers/merge.js"),
  multiHeadAttention: () => import("../../layers/multiHeadAttention.js"),
  noise: () => import("../../layers/noise.js"),
  normalization: () => import("../../layers/normalization.js"),
  pooling: () => import("../../layers/pooling.js"),
  recurrent: () => import("../../layers/recurrent.js"),
  reshaping: () => import("../../layers/reshaping.js"),
  resizing: () => import("../../layers/resizing.js"),
  rnn: () => import("../../layers/rnn.js"),
  steps: () => import("../../layers/steps.js"),
  wrappers: () => import("../../layers/wrappers.js"),
};

/** Every class of Keras that is a layer here, by its name there. Tests walk `layers.*` against it. */
export const LAYERS: Readonly<Record<string, Rule>> = {
  SimpleRNN: { make: async () => (await from.recurrent()).simpleRNN, ...recurrent },
  LSTM: { make: async () => (await from.recurrent()).lstm, ...recurrent },
  GRU: { make: async () => (await from.recurrent()).gru, ...recurrent },
  SimpleRNNCell: { make: async () => (await from.cellLayers()).simpleRNNCell, ...cell },
  LSTMCell: { make: async () => (await from.cellLayers()).lstmCell, ...cell },
  GRUCell: { make: async () => (await from.cellLayers()).gruCell, ...cell },
  StackedRNNCells: { make: async () => (await from.cellLayers()).stackedRNNCells },
  RNN: { make: async () => (await from.rnn()).rnn, silent: ["numConstants"], only: { timeMajor: [false] } },
  Bidirectional: {
    make: async () => (await from.wrappers()).bidirectional,
    write: ({ forward, backward, mergeMode }) => ({ layer: forward, backwardLayer: backward, mergeMode }),
    silent: ["numConstants"],
  },
  TimeDistributed: { make: async () => (await from.wrappers()).timeDistributed },

  Embedding: {
    make: async () => (await from.embedding()).embedding,
    silent: ["inputLength", "quantizationConfig"],
    only: { loraRank: [null] },
  },
  Masking: { make: async () => (await from.steps()).masking },
  RepeatVector: { make: async () => (await from.steps()).repeatVector },

  Conv1D: { make: async () => (await from.conv1D()).conv1D, ...convolution },
  Conv1DTranspose: {
    make: async () => (await from.conv1DTranspose()).conv1DTranspose,
    ...convolution,
    only: { groups: [1] },
  },
  DepthwiseConv1D: { make: async () => (await from.depthwiseConv1D()).depthwiseConv1D, ...depthwise },
  SeparableConv1D: {
    make: async () => (await from.depthwiseConv1D()).separableConv1D,
    ...depthwise,
    silent: depthwise.silent.filter((name) => name !== "filters"),
  },
  MaxPooling1D: { make: async () => (await from.pooling()).maxPooling1D, ...pooling },
  AveragePooling1D: { make: async () => (await from.pooling()).averagePooling1D, ...pooling },
  GlobalMaxPooling1D: { make: async () => (await from.pooling()).globalMaxPooling1D, ...globalPooling },
  GlobalAveragePooling1D: {
    make: async () => (await from.pooling()).globalAveragePooling1D,
    ...globalPooling,
  },
  UpSampling1D: { make: async () => (await from.resizing()).upSampling1D },
  ZeroPadding1D: {
    make: async () => (await from.resizing()).zeroPadding1D,
    write: ({ before, after }) => ({ padding: [before, after], ...DATA_FORMAT }),
  },
  Cropping1D: {
    make: async () => (await from.resizing()).cropping1D,
    write: ({ before, after }) => ({ cropping: [before, after] }),
  },

  Dense: {
    make: async () => (await from.core()).dense,
    silent: ["quantizationConfig"],
    only: { loraRank: [null] },
  },
  Activation: { make: async () => (await from.core()).activation },
  ActivityRegularization: {
    make: async () => (await from.core()).activityRegularization,
    write: ({ l1, l2 }) => ({ l1, l2 }),
  },
  Dropout: { make: async () => (await from.noise()).dropout, only: { noiseShape: [null] } },
  SpatialDropout1D: {
    make: async () => (await from.noise()).spatialDropout1D,
    isAlwaysTrainable: true,
    only: { noiseShape: [null] },
  },
  GaussianNoise: { make: async () => (await from.noise()).gaussianNoise },
  Flatten: { make: async () => (await from.core()).flatten, only: CHANNELS_LAST },
  Reshape: { make: async () => (await from.reshaping()).reshape },
  Permute: { make: async () => (await from.reshaping()).permute },

  Concatenate: { make: async () => (await from.merge()).concatenate },
  Add: { make: async () => (await from.merge()).add },
  Subtract: { make: async () => (await from.merge()).subtract },
  Multiply: { make: async () => (await from.merge()).multiply },
  Average: { make: async () => (await from.merge()).average },
  Maximum: { make: async () => (await from.merge()).maximum },
  Minimum: { make: async () => (await from.merge()).minimum },
  Dot: { make: async () => (await from.dot()).dot },

  // Keras 2 could also be told to be causal when it was made.
  Attention: { make: async () => (await from.attention()).attention, only: { causal: [false] } },
  AdditiveAttention: {
    make: async () => (await from.attention()).additiveAttention,
    write: (config) => without(config, "scaleInitializer"),
    only: { causal: [false] },
  },
  MultiHeadAttention: {
    make: async () => (await from.multiHeadAttention()).multiHeadAttention,
    write: ({ projectionRegularizer, ...config }) => ({
      ...without(config, "initializers"),
      activityRegularizer: projectionRegularizer,
    }),
    // Keras 2 keeps what it was built for.
    silent: ["queryShape", "keyShape", "valueShape"],
  },

  LayerNormalization: {
    make: async () => (await from.normalization()).layerNormalization,
    // Keras leaves it out of newer configs.
    write: (config) => (config.rmsScaling ? config : without(config, "rmsScaling")),
  },
  BatchNormalization: {
    make: async () => (await from.normalization()).batchNormalization,
    read: ({ axis, ...rest }) => ({
      ...rest,
      axis: Array.isArray(axis) && axis.length === 1 ? axis[0] : axis,
    }),
    silent: ["synchronized", "fused", "renormClipping", "renormMomentum", "virtualBatchSize"],
    only: { renorm: [false], adjustment: [null] },
  },
};

/** What makes the layers that a config names, by class: the files that these are in are loaded, and no others. */
export async function makersFor(config: Json | undefined): Promise<ReadonlyMap<string, Maker>> {
  const names = new Set<string>();
  const waiting: unknown[] = [config];
  for (let value = waiting.pop(); value !== undefined; value = waiting.pop()) {
    if (typeof value !== "object" || value === null) continue;
    const { class_name: name } = value as JsonObject;
    if (typeof name === "string" && Object.hasOwn(LAYERS, name)) names.add(name);
    for (const each of Object.values(value)) if (typeof each === "object") waiting.push(each);
  }
  const made = [...names].map(async (name) => [name, await LAYERS[name].make()] as const);
  return new Map(await Promise.all(made));
}

/** The family of an option's value, by the option's name. */
export function familyOf(option: string): FamilyName | undefined {
  if (/Initializer$/.test(option)) return "initializer";
  if (/Regularizer$/.test(option)) return "regularizer";
  return /Constraint$/.test(option) ? "constraint" : undefined;
}

export const isActivation = (option: string) => /^(recurrentA|a)ctivation$/.test(option);
