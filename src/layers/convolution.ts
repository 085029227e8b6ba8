// Convolutions along time: conv1D, depthwiseConv1D, separableConv1D, conv1DTranspose. keras.io/api/layers/convolution_layers
// Input (batch, steps, channels). None of them passes a mask on, as in Keras: a window mixes masked steps with others.
import { positiveInteger, UnreelError } from "../errors.js";
import {
  concatenate,
  conv1D as conv1DOp,
  conv1DTranspose as conv1DTransposeOp,
  dense,
  depthwiseConv1D as depthwiseOp,
  expand,
  keep,
  pad,
} from "../ops/index.js";
import type { Value } from "../ops/op.js";
import { type Dim, Size } from "../program/size.js";
import { activate, resolveInnerActivation } from "./activations.js";
import { lastAxis, layerOptions } from "./core.js";
import { type Initializer, type InitializerLike, resolveInitializer } from "./initializers.js";
import type { LayerKind, LoweringContext } from "./kind.js";
import { type CommonOptions, Layer } from "./layer.js";
import { type LimitConfig, type LimitOptions, limitsOf, noLimits, resolveLimits } from "./limits.js";
import type { Regularizer, RegularizerLike } from "./regularizers.js";
import { dim, reshape, slice } from "./values.js";
import {
  type Padding,
  readMoves,
  readPadding,
  requireChannelsLast,
  requireLeastIn,
  requireLength,
  requireWindow,
  type Single,
  single,
  transposedWindows,
  type Window,
  windowCount,
  windowsOf,
} from "./windows.js";

// --------------------------------------------------------------------------------------------------- what all have in common

interface Common extends LimitConfig<"bias"> {
  kernelSize: number;
  stride: number;
  dilation: number;
  padding: Padding;
  activation: string;
  useBias: boolean;
  biasInitializer: Initializer;
  activityRegularizer: Regularizer | null;
}

interface ConvolutionOptions extends CommonOptions, LimitOptions<"bias"> {
  /** Steps of the window: a number, or a list of one. */
  kernelSize: Single;
  /** How far the window moves from step to step. Default 1. */
  strides?: Single;
  /** 'valid' (default): no zeros, a shorter output; 'same': as many steps as the input, divided by `strides`. */
  padding?: "valid" | "same";
  /** 'channelsLast', the only one. */
  dataFormat?: "channelsLast" | null;
  /** How far apart the steps of a window are. Default 1; with strides above 1 no other. */
  dilationRate?: Single;
  activation?: string | null;
  useBias?: boolean;
  biasInitializer?: InitializerLike;
  activityRegularizer?: RegularizerLike | null;
}

const defaults = {
  kernelSize: undefined as unknown as Single,
  strides: 1 as Single,
  padding: "valid" as Padding,
  dataFormat: null as string | null,
  dilationRate: 1 as Single,
  activation: null as string | null,
  useBias: true,
  biasInitializer: "zeros" as InitializerLike,
  activityRegularizer: null as RegularizerLike | null,
  ...noLimits("bias"),
};

function readCommon<C extends typeof defaults>(
  operation: string,
  config: C,
  paddings: readonly Padding[] = ["valid", "same"],
) {
  const { strides, dilationRate, dataFormat, ...rest } = resolveLimits(operation, config);
  requireChannelsLast(operation, dataFormat);
  return {
    ...rest,
    ...readMoves(operation, strides, dilationRate),
    kernelSize: single(`${operation}: kernelSize`, rest.kernelSize),
    padding: readPadding(`${operation}: padding`, rest.padding, paddings),
    activation: resolveInnerActivation(`${operation}: activation`, rest.activation),
    biasInitializer: resolveInitializer(`${operation}: biasInitializer`, rest.biasInitializer),
  };
}

const ranks = [3, 3] as const;

function windowOf({ kernelSize, stride, dilation, padding }: Common): Window {
  return { size: (kernelSize - 1) * dilation + 1, stride, padding };
}

function biasOf(config: Common, size: number) {
  if (!config.useBias) return [];
  return [{ name: "bias", shape: [size], initializer: config.biasInitializer, ...limitsOf("bias", config) }];
}

/** Streams need an output for each step that depends on no later one. */
function mixesTime({ kernelSize, stride, padding }: Common): string | undefined {
  if (stride === 1 && (kernelSize === 1 || padding === "causal")) return undefined;
  return stride === 1 ? "its window reaches ahead" : "it has no output for some steps";
}

/** The input with the zeros that the padding asks for, and how many windows it has. */
function padded(context: LoweringContext, config: Common, value: Value): { x: Value; steps: Dim } {
  const { builder, name, streaming } = context;
  const window = windowOf(config);
  const [, length] = value.shape;
  const { steps, before, after } = windowsOf(length, window);
  if (streaming && window.size > 1) return { x: withPast(context, window.size - 1, value), steps };
  requireWindow(context, length, window);
  const isWhole = before === 0 && after === 0;
  const x = isWhole ? value : builder.apply(pad, `${name}.padded`, [value], { axis: 1, before, after })[0];
  return { x, steps };
}

/** In a stream: the last `count` steps of the runs before stand before this one, zeros at first. */
function withPast({ builder, name, keptState }: LoweringContext, count: number, value: Value): Value {
  const now = builder.batchMajor(value);
  const [batch, time, channels] = now.shape;
  const past = keptState("past", [batch, count, channels]);
  const [all] = builder.apply(concatenate, `${name}.past`, [past, now], { axis: 1 });
  builder.apply(keep, `${name}.keep`, [slice(builder, `${name}.last`, all, 1, time, count), past], {});
  return all;
}

function activated({ builder, name }: LoweringContext, { activation }: Common, value: Value) {
  return [{ value: activate(builder, activation, `${name}.${activation}`, value) }];
}

// --------------------------------------------------------------------------------------------------------------- conv1D

interface ConvConfig extends Common, LimitConfig<"kernel"> {
  filters: number;
  groups: number;
  kernelInitializer: Initializer;
}

const convKind: LayerKind<ConvConfig> = {
  className: "Conv1D",
  ranks,
  mixesTime,

  weights(config, [shape]) {
    const { kernelSize, groups, filters, kernelInitializer } = config;
    const channels = lastAxis("conv1D", shape);
    if (channels % groups !== 0) {
      throw new UnreelError({
        operation: "conv1D: groups",
        expected: `a divisor of the ${channels} channels of the input`,
        got: `${groups}`,
      });
    }
    const kernel = {
      name: "kernel",
      shape: [kernelSize, channels / groups, filters],
      initializer: kernelInitializer,
      ...limitsOf("kernel", config),
    };
    return [kernel, ...biasOf(config, filters)];
  },

  outputs: (config, [shape]) => [[shape[0], windowCount("conv1D", shape, windowOf(config)), config.filters]],

  lower(context, config, [{ value }]) {
    const { builder, name, weights } = context;
    const { stride, dilation, groups, filters } = config;
    const { x, steps } = padded(context, config, value);
    const channels = value.shape[2] as number;
    if (groups === channels && groups > 1) {
      const each = repeated(context, x, filters / groups);
      const [out] = builder.apply(depthwiseOp, name, [each, ...weights], { stride, dilation, steps });
      return activated(context, config, out);
    }
    const [out] = builder.apply(conv1DOp, name, [x, ...weights], { stride, dilation, groups, steps });
    return activated(context, config, out);
  },
};

/** Each channel so many times. */
function repeated({ builder, name }: LoweringContext, value: Value, times: number): Value {
  if (times === 1) return value;
  const [batch, time, channels] = value.shape;
  const apart = reshape(builder, `${name}.channels`, value, [batch, time, channels, 1]);
  const [each] = builder.apply(expand, `${name}.repeated`, [apart], { axis: 3, size: times });
  return reshape(builder, `${name}.channels`, each, [batch, time, dim(Size.of(channels).times(times))]);
}

interface Conv1DOptions extends Omit<ConvolutionOptions, "padding">, LimitOptions<"kernel"> {
  /** Channels of the output. */
  filters: number;
  /** 'valid' (default), 'same', or 'causal': zeros before the sequence only, so that no step depends on a later one. */
  padding?: Padding;
  /** Parts into which channels and filters are divided, each convolved on its own. Default 1. */
  groups?: number;
  kernelInitializer?: InitializerLike;
}

/** out[t] = activation(Σ_j x[t·strides + j·dilationRate] · kernel[j] + bias). Weights: kernel [kernelSize, channels / groups, filters],
 * bias [filters]. Keras: layers.Conv1D. */
export function conv1D(options: Conv1DOptions): Layer {
  const operation = "conv1D";
  const { config, common } = layerOptions(operation, options, {
    ...defaults,
    filters: undefined as unknown as number,
    groups: 1,
    kernelInitializer: "glorotUniform" as InitializerLike,
    ...noLimits("kernel"),
  });
  const filters = positiveInteger(`${operation}: filters`, config.filters);
  const groups = positiveInteger(`${operation}: groups`, config.groups);
  if (filters % groups !== 0) {
    const expected = `a divisor of the ${filters} filters`;
    throw new UnreelError({ operation: `${operation}: groups`, expected, got: `${groups}` });
  }
  const kernelInitializer = resolveInitializer(`${operation}: kernelInitializer`, config.kernelInitializer);
  const read = readCommon(operation, config, ["valid", "same", "causal"]);
  return new Layer(convKind, { ...read, filters, groups, kernelInitializer }, common) as unknown as Layer;
}

// ------------------------------------------------------------------------------------------- depthwiseConv1D, separableConv1D

interface DepthwiseConfig extends Common, LimitConfig<"depthwise"> {
  depthMultiplier: number;
  depthwiseInitializer: Initializer;
}

function depthwiseWeight(name: string, config: DepthwiseConfig, channels: number) {
  const { kernelSize, depthMultiplier, depthwiseInitializer: initializer } = config;
  return {
    name,
    shape: [kernelSize, channels, depthMultiplier],
    initializer,
    ...limitsOf("depthwise", config),
  };
}

/** Every channel of the input with filters of its own, side by side. */
function depthwise(
  context: LoweringContext,
  config: DepthwiseConfig,
  value: Value,
  kernel: Value,
  bias?: Value,
): Value {
  const { builder, name } = context;
  const { stride, dilation, depthMultiplier } = config;
  const { x, steps } = padded(context, config, value);
  const each = repeated(context, x, depthMultiplier);
  return builder.apply(depthwiseOp, name, [each, kernel, bias], { stride, dilation, steps })[0];
}

const depthwiseKind: LayerKind<DepthwiseConfig> = {
  className: "DepthwiseConv1D",
  ranks,
  mixesTime,

  weights(config, [shape]) {
    const channels = lastAxis("depthwiseConv1D", shape);
    const kernel = depthwiseWeight("kernel", config, channels);
    return [kernel, ...biasOf(config, channels * config.depthMultiplier)];
  },

  outputs: (config, [shape]) => [
    [
      shape[0],
      windowCount("depthwiseConv1D", shape, windowOf(config)),
      lastAxis("depthwiseConv1D", shape) * config.depthMultiplier,
    ],
  ],

  lower(context, config, [{ value }]) {
    const [kernel, bias] = context.weights;
    return activated(context, config, depthwise(context, config, value, kernel, bias));
  },
};

interface DepthwiseOptions extends ConvolutionOptions, LimitOptions<"depthwise"> {
  /** Filters for each channel. Default 1. */
  depthMultiplier?: number;
  depthwiseInitializer?: InitializerLike;
}

const depthwiseDefaults = {
  ...defaults,
  depthMultiplier: 1,
  depthwiseInitializer: "glorotUniform" as InitializerLike,
  ...noLimits("depthwise"),
};

function readDepthwise<C extends typeof depthwiseDefaults>(operation: string, config: C) {
  return {
    ...readCommon(operation, config),
    depthMultiplier: positiveInteger(`${operation}: depthMultiplier`, config.depthMultiplier),
    depthwiseInitializer: resolveInitializer(
      `${operation}: depthwiseInitializer`,
      config.depthwiseInitializer,
    ),
  };
}

/** A convolution of each channel on its own. Weights: kernel [kernelSize, channels, depthMultiplier],
 * bias [channels · depthMultiplier]. Keras: layers.DepthwiseConv1D. */
export function depthwiseConv1D(options: DepthwiseOptions): Layer {
  const operation = "depthwiseConv1D";
  const { config, common } = layerOptions(operation, options, depthwiseDefaults);
  return new Layer(depthwiseKind, readDepthwise(operation, config), common) as unknown as Layer;
}

interface SeparableConfig extends DepthwiseConfig, LimitConfig<"pointwise"> {
  filters: number;
  pointwiseInitializer: Initializer;
}

const separableKind: LayerKind<SeparableConfig> = {
  className: "SeparableConv1D",
  ranks,
  mixesTime,

  weights(config, [shape]) {
    const channels = lastAxis("separableConv1D", shape);
    const pointwise = {
      name: "pointwise_kernel",
      shape: [1, channels * config.depthMultiplier, config.filters],
      initializer: config.pointwiseInitializer,
      ...limitsOf("pointwise", config),
    };
    const first = depthwiseWeight("depthwise_kernel", config, channels);
    return [first, pointwise, ...biasOf(config, config.filters)];
  },

  outputs: (config, [shape]) => [
    [shape[0], windowCount("separableConv1D", shape, windowOf(config)), config.filters],
  ],

  lower(context, config, [{ value }]) {
    const { builder, name } = context;
    const [first, pointwise, bias] = context.weights;
    const between = depthwise(context, config, value, first);
    const kernel = builder.view(pointwise, pointwise.shape.slice(1));
    const [out] = builder.apply(dense, `${name}.pointwise`, [between, kernel, bias], {});
    return activated(context, config, out);
  },
};

interface SeparableOptions extends DepthwiseOptions, LimitOptions<"pointwise"> {
  /** Channels of the output. */
  filters: number;
  pointwiseInitializer?: InitializerLike;
}

/** A convolution of each channel on its own, then a product over all channels of each step. Weights: depthwise_kernel
 * [kernelSize, channels, depthMultiplier], pointwise_kernel [1, channels · depthMultiplier, filters], bias [filters].
 * Keras: layers.SeparableConv1D. */
export function separableConv1D(options: SeparableOptions): Layer {
  const operation = "separableConv1D";
  const { config, common } = layerOptions(operation, options, {
    ...depthwiseDefaults,
    filters: undefined as unknown as number,
    pointwiseInitializer: "glorotUniform" as InitializerLike,
    ...noLimits("pointwise"),
  });
  const read = {
    ...readDepthwise(operation, config),
    filters: positiveInteger(`${operation}: filters`, config.filters),
    pointwiseInitializer: resolveInitializer(
      `${operation}: pointwiseInitializer`,
      config.pointwiseInitializer,
    ),
  };
  return new Layer(separableKind, read, common) as unknown as Layer;
}

// ------------------------------------------------------------------------------------------------------- conv1DTranspose

interface TransposeConfig extends Common, LimitConfig<"kernel"> {
  filters: number;
  outputPadding: number | null;
  kernelInitializer: Initializer;
}

/** Steps of the input that give one step at least. */
function leastTransposed(config: TransposeConfig): number {
  const { steps } = transposedWindows(1, windowOf(config), config.outputPadding);
  return (steps as number) > 0 ? 1 : 2;
}

const SHORT =
  "With padding: 'same', a window of an even number of steps and outputPadding: 0, one step gives none.";

const transposeKind: LayerKind<TransposeConfig> = {
  className: "Conv1DTranspose",
  ranks,
  mixesTime: (config) =>
    config.kernelSize === 1 && config.stride === 1 ? undefined : "a step of it adds to several steps",

  weights(config, [shape]) {
    const { kernelSize, filters, kernelInitializer } = config;
    const kernel = {
      name: "kernel",
      shape: [kernelSize, filters, lastAxis("conv1DTranspose", shape)],
      initializer: kernelInitializer,
      ...limitsOf("kernel", config),
    };
    return [kernel, ...biasOf(config, filters)];
  },

  outputs(config, [shape]) {
    requireLength("conv1DTranspose", shape, leastTransposed(config), SHORT);
    const [batch, length] = shape;
    const { steps } = transposedWindows(length ?? 1, windowOf(config), config.outputPadding);
    return [[batch, length === null ? null : (steps as number), config.filters]];
  },

  lower(context, config, [{ value }]) {
    const { builder, name, weights } = context;
    const { stride, dilation, outputPadding } = config;
    const [, length] = value.shape;
    requireLeastIn(context, length, leastTransposed(config), SHORT);
    const { full, from, steps } = transposedWindows(length, windowOf(config), outputPadding);
    const attributes = { stride, dilation, steps: full };
    const [all] = builder.apply(conv1DTransposeOp, name, [value, ...weights], attributes);
    return activated(context, config, slice(builder, `${name}.cropped`, all, 1, from, steps));
  },
};

interface Conv1DTransposeOptions extends ConvolutionOptions, LimitOptions<"kernel"> {
  /** Channels of the output. */
  filters: number;
  /** Steps more at the end, less than `strides`. Default null: with 'same' the output has steps · strides, with 'valid'
   * (steps - 1) · strides + the larger of window and stride. */
  outputPadding?: Single | null;
  kernelInitializer?: InitializerLike;
}

/** Each step of the input adds its product with the kernel to a window of the output: the way back of a convolution. Weights: kernel
 * [kernelSize, filters, channels], bias [filters]. Keras: layers.Conv1DTranspose. */
export function conv1DTranspose(options: Conv1DTransposeOptions): Layer {
  const operation = "conv1DTranspose";
  const { config, common } = layerOptions(operation, options, {
    ...defaults,
    filters: undefined as unknown as number,
    outputPadding: null as Single | null,
    kernelInitializer: "glorotUniform" as InitializerLike,
    ...noLimits("kernel"),
  });
  const read = {
    ...readCommon(operation, config),
    filters: positiveInteger(`${operation}: filters`, config.filters),
    outputPadding:
      config.outputPadding === null ? null : single(`${operation}: outputPadding`, config.outputPadding, 0),
    kernelInitializer: resolveInitializer(`${operation}: kernelInitializer`, config.kernelInitializer),
  };
  if (read.outputPadding !== null && read.outputPadding >= read.stride) {
    throw new UnreelError({
      operation: `${operation}: outputPadding`,
      expected: `less than strides, ${read.stride}`,
      got: `${read.outputPadding}`,
    });
  }
  return new Layer(transposeKind, read, common) as unknown as Layer;
}
