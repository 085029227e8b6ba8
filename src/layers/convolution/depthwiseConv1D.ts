// depthwiseConv1D and separableConv1D: filters of one channel each, and with a product over channels behind them.
// keras.io/api/layers/convolution_layers

import { positiveInteger } from "../../errors.js";
import { dense, depthwiseConv1D as depthwiseOp } from "../../ops/index.js";
import type { Value } from "../../ops/op.js";
import { lastAxis, layerOptions } from "../core.js";
import type { Initializer, InitializerLike } from "../initializers.js";
import type { LayerKind, LoweringContext } from "../kind.js";
import { Layer } from "../layer.js";
import { type LimitConfig, type LimitOptions, limitsOf, noLimits } from "../limits.js";
import { resolveInitializer } from "../resolveInitializer.js";
import { windowCount } from "../windows.js";
import {
  activated,
  biasOf,
  type Common,
  type ConvolutionOptions,
  defaults,
  mixesTime,
  padded,
  ranks,
  readCommon,
  repeated,
  windowOf,
} from "./common.js";

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
