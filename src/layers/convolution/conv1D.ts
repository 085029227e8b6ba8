// conv1D: one filter over all channels of a window, or over those of its group. keras.io/api/layers/convolution_layers/convolution1d

import { positiveInteger, UnreelError } from "../../errors.js";
import { conv1D as conv1DOp, depthwiseConv1D as depthwiseOp } from "../../ops/index.js";
import { lastAxis, layerOptions } from "../core.js";
import type { Initializer, InitializerLike } from "../initializers.js";
import type { LayerKind } from "../kind.js";
import { Layer } from "../layer.js";
import { type LimitConfig, type LimitOptions, limitsOf, noLimits } from "../limits.js";
import { resolveInitializer } from "../resolveInitializer.js";
import { type Padding, windowCount } from "../windows.js";
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
