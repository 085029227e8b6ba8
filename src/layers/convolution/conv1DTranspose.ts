// conv1DTranspose: each step spread over a window. keras.io/api/layers/convolution_layers/convolution1d_transpose

import { positiveInteger, UnreelError } from "../../errors.js";
import { conv1DTranspose as conv1DTransposeOp } from "../../ops/index.js";
import { lastAxis, layerOptions } from "../core.js";
import type { Initializer, InitializerLike } from "../initializers.js";
import type { LayerKind } from "../kind.js";
import { Layer } from "../layer.js";
import { type LimitConfig, type LimitOptions, limitsOf, noLimits } from "../limits.js";
import { resolveInitializer } from "../resolveInitializer.js";
import { slice } from "../values.js";
import { requireLeastIn, requireLength, type Single, single, transposedWindows } from "../windows.js";
import {
  activated,
  biasOf,
  type Common,
  type ConvolutionOptions,
  defaults,
  ranks,
  readCommon,
  windowOf,
} from "./common.js";

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
