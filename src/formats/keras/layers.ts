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

/** Layers in three parts: few files name layers of all. */
const from = {
  basic: () => import("../../layers/basic.js"),
  windowed: () => import("../../layers/windowed.js"),
  attentive: () => import("../../layers/attentive.js"),
};

/** Every class of Keras that is a layer here, by its name there. Tests walk `layers.*` against it. */
export const LAYERS: Readonly<Record<string, Rule>> = {
  SimpleRNN: { make: async () => (await from.basic()).simpleRNN, ...recurrent },
  LSTM: { make: async () => (await from.basic()).lstm, ...recurrent },
  GRU: { make: async () => (await from.basic()).gru, ...recurrent },
  SimpleRNNCell: { make: async () => (await from.basic()).simpleRNNCell, ...cell },
  LSTMCell: { make: async () => (await from.basic()).lstmCell, ...cell },
  GRUCell: { make: async () => (await from.basic()).gruCell, ...cell },
  StackedRNNCells: { make: async () => (await from.basic()).stackedRNNCells },
  RNN: { make: async () => (await from.basic()).rnn, silent: ["numConstants"], only: { timeMajor: [false] } },
  Bidirectional: {
    make: async () => (await from.basic()).bidirectional,
    write: ({ forward, backward, mergeMode }) => ({ layer: forward, backwardLayer: backward, mergeMode }),
    silent: ["numConstants"],
  },
  TimeDistributed: { make: async () => (await from.basic()).timeDistributed },

  Embedding: {
    make: async () => (await from.basic()).embedding,
    silent: ["inputLength", "quantizationConfig"],
    only: { loraRank: [null] },
  },
  Masking: { make: async () => (await from.basic()).masking },
  RepeatVector: { make: async () => (await from.basic()).repeatVector },

  Conv1D: { make: async () => (await from.windowed()).conv1D, ...convolution },
  Conv1DTranspose: {
    make: async () => (await from.windowed()).conv1DTranspose,
    ...convolution,
    only: { groups: [1] },
  },
  DepthwiseConv1D: { make: async () => (await from.windowed()).depthwiseConv1D, ...depthwise },
  SeparableConv1D: {
    make: async () => (await from.windowed()).separableConv1D,
    ...depthwise,
    silent: depthwise.silent.filter((name) => name !== "filters"),
  },
  MaxPooling1D: { make: async () => (await from.windowed()).maxPooling1D, ...pooling },
  AveragePooling1D: { make: async () => (await from.windowed()).averagePooling1D, ...pooling },
  GlobalMaxPooling1D: { make: async () => (await from.windowed()).globalMaxPooling1D, ...globalPooling },
  GlobalAveragePooling1D: {
    make: async () => (await from.windowed()).globalAveragePooling1D,
    ...globalPooling,
  },
  UpSampling1D: { make: async () => (await from.windowed()).upSampling1D },
  ZeroPadding1D: {
    make: async () => (await from.windowed()).zeroPadding1D,
    write: ({ before, after }) => ({ padding: [before, after], ...DATA_FORMAT }),
  },
  Cropping1D: {
    make: async () => (await from.windowed()).cropping1D,
    write: ({ before, after }) => ({ cropping: [before, after] }),
  },

  Dense: {
    make: async () => (await from.basic()).dense,
    silent: ["quantizationConfig"],
    only: { loraRank: [null] },
  },
  Activation: { make: async () => (await from.basic()).activation },
  ActivityRegularization: {
    make: async () => (await from.basic()).activityRegularization,
    write: ({ l1, l2 }) => ({ l1, l2 }),
  },
  Dropout: { make: async () => (await from.basic()).dropout, only: { noiseShape: [null] } },
  SpatialDropout1D: {
    make: async () => (await from.basic()).spatialDropout1D,
    isAlwaysTrainable: true,
    only: { noiseShape: [null] },
  },
  GaussianNoise: { make: async () => (await from.basic()).gaussianNoise },
  Flatten: { make: async () => (await from.basic()).flatten, only: CHANNELS_LAST },
  Reshape: { make: async () => (await from.basic()).reshape },
  Permute: { make: async () => (await from.basic()).permute },

  Concatenate: { make: async () => (await from.basic()).concatenate },
  Add: { make: async () => (await from.basic()).add },
  Subtract: { make: async () => (await from.basic()).subtract },
  Multiply: { make: async () => (await from.basic()).multiply },
  Average: { make: async () => (await from.basic()).average },
  Maximum: { make: async () => (await from.basic()).maximum },
  Minimum: { make: async () => (await from.basic()).minimum },
  Dot: { make: async () => (await from.attentive()).dot },

  // Keras 2 could also be told to be causal when it was made.
  Attention: { make: async () => (await from.attentive()).attention, only: { causal: [false] } },
  AdditiveAttention: {
    make: async () => (await from.attentive()).additiveAttention,
    write: (config) => without(config, "scaleInitializer"),
    only: { causal: [false] },
  },
  MultiHeadAttention: {
    make: async () => (await from.attentive()).multiHeadAttention,
    write: ({ projectionRegularizer, ...config }) => ({
      ...without(config, "initializers"),
      activityRegularizer: projectionRegularizer,
    }),
    // Keras 2 keeps what it was built for.
    silent: ["queryShape", "keyShape", "valueShape"],
  },

  LayerNormalization: {
    make: async () => (await from.basic()).layerNormalization,
    // Keras leaves it out of newer configs.
    write: (config) => (config.rmsScaling ? config : without(config, "rmsScaling")),
  },
  BatchNormalization: {
    make: async () => (await from.basic()).batchNormalization,
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
