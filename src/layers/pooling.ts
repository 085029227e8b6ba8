// Pooling along time: maxPooling1D, averagePooling1D, globalMaxPooling1D, globalAveragePooling1D. keras.io/api/layers/pooling_layers
// Input (batch, steps, features). Of masks only globalAveragePooling1D takes notice, as in Keras; none passes one on.
import { arithmetic, ones, pool, selectRows } from "../ops/index.js";
import type { Value } from "../ops/op.js";
import { layerOptions } from "./core.js";
import type { Flow, LayerKind, LoweringContext } from "./kind.js";
import { type CommonOptions, Layer } from "./layer.js";
import { requireEqualIn } from "./operations/call.js";
import { inOrder, reduce, together } from "./values.js";
import {
  type Padding,
  readPadding,
  requireChannelsLast,
  requireWindow,
  type Single,
  single,
  type Window,
  windowCount,
  windowsOf,
} from "./windows.js";

const ranks = [3, 3] as const;

// -------------------------------------------------------------------------------------------------------------- windows

function poolingKind(className: string, operation: string, mean: boolean): LayerKind<Window> {
  return {
    className,
    ranks,
    mixesTime: () => "it makes one step of several",
    outputs: (window, [shape]) => [[shape[0], windowCount(operation, shape, window), shape[2]]],
    lower(context, window, [{ value }]) {
      const { builder, name } = context;
      const [, length] = value.shape;
      requireWindow(context, length, window);
      const { steps, before } = windowsOf(length, window);
      const { size, stride } = window;
      return [{ value: builder.apply(pool, name, [value], { mean, size, stride, before, steps })[0] }];
    },
  };
}

interface PoolingOptions extends CommonOptions {
  /** Steps of the window: a number, or a list of one. Default 2. */
  poolSize?: Single;
  /** How far the window moves from step to step. Default: `poolSize`. */
  strides?: Single | null;
  /** 'valid' (default): whole windows only; 'same': as many steps as the input, divided by `strides`. */
  padding?: "valid" | "same";
  /** 'channelsLast', the only one. */
  dataFormat?: "channelsLast" | null;
}

function pooling(kind: LayerKind<Window>, operation: string, options: PoolingOptions | undefined): Layer {
  const { config, common } = layerOptions(operation, options, {
    poolSize: 2 as Single,
    strides: null as Single | null,
    padding: "valid" as Padding,
    dataFormat: null as string | null,
  });
  requireChannelsLast(operation, config.dataFormat);
  const size = single(`${operation}: poolSize`, config.poolSize);
  const stride = config.strides === null ? size : single(`${operation}: strides`, config.strides);
  const padding = readPadding(`${operation}: padding`, config.padding, ["valid", "same"]);
  return new Layer(kind, { size, stride, padding }, common) as unknown as Layer;
}

const maxKind = poolingKind("MaxPooling1D", "maxPooling1D", false);
const averageKind = poolingKind("AveragePooling1D", "averagePooling1D", true);

/** The largest number of each window, feature by feature. Keras: layers.MaxPooling1D. */
export const maxPooling1D = (options?: PoolingOptions): Layer => pooling(maxKind, "maxPooling1D", options);

/** The mean of each window, feature by feature; with 'same' of those steps that are there. Keras: layers.AveragePooling1D. */
export const averagePooling1D = (options?: PoolingOptions): Layer =>
  pooling(averageKind, "averagePooling1D", options);

// ------------------------------------------------------------------------------------------------------- whole sequences

interface GlobalConfig {
  keepdims: boolean;
}

function globalKind(
  className: string,
  lower: (context: LoweringContext, flow: Flow, keepdims: boolean) => Value,
): LayerKind<GlobalConfig> {
  return {
    className,
    ranks,
    mixesTime: () => "it reads the whole sequence",
    outputs: ({ keepdims }, [[batch, , features]]) => [keepdims ? [batch, 1, features] : [batch, features]],
    lower: (context, { keepdims }, [flow]) => [{ value: lower(context, flow, keepdims) }],
  };
}

const globalMaxKind = globalKind("GlobalMaxPooling1D", ({ builder, name }, { value }, keepdims) =>
  reduce(builder, name, value, [1], "max", keepdims),
);

const globalAverageKind = globalKind("GlobalAveragePooling1D", (context, { value, mask }, keepdims) => {
  const { builder, name } = context;
  if (!mask) return reduce(builder, name, value, [1], "mean", keepdims);
  const inTime = inOrder(builder, mask, value.timeMajor);
  const [all] = builder.apply(ones, `${name}.ones`, [], { shape: [...mask.shape, 1] });
  const [sum, count] = [value, { ...all, timeMajor: value.timeMajor }].map((each) => {
    const [kept] = builder.apply(selectRows, `${name}.kept`, [inTime, each], {});
    return reduce(builder, `${name}.sum`, kept, [1], "sum", keepdims);
  });
  const parts = together(builder, name, [sum, count], requireEqualIn(context));
  return builder.apply(arithmetic, name, parts, { kernel: "divide" })[0];
});

interface GlobalPoolingOptions extends CommonOptions {
  /** 'channelsLast', the only one. */
  dataFormat?: "channelsLast" | null;
  /** Keeps the axis of time, with one step. Default false. */
  keepdims?: boolean;
}

function globalPooling(
  kind: LayerKind<GlobalConfig>,
  operation: string,
  options: GlobalPoolingOptions | undefined,
): Layer {
  const { config, common } = layerOptions(operation, options, {
    dataFormat: null as string | null,
    keepdims: false,
  });
  requireChannelsLast(operation, config.dataFormat);
  return new Layer(kind, { keepdims: config.keepdims }, common) as unknown as Layer;
}

/** The largest number of each feature over all steps, masked ones too. Keras: layers.GlobalMaxPooling1D. */
export const globalMaxPooling1D = (options?: GlobalPoolingOptions): Layer =>
  globalPooling(globalMaxKind, "globalMaxPooling1D", options);

/** The mean of each feature over all steps; under a mask over those that are kept, and NaN where none is, as in Keras.
 * Keras: layers.GlobalAveragePooling1D. */
export const globalAveragePooling1D = (options?: GlobalPoolingOptions): Layer =>
  globalPooling(globalAverageKind, "globalAveragePooling1D", options);
