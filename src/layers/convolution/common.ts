// What convolutions along time have in common: options, windows, bias. Input (batch, steps, channels). None of them passes a mask on, as in
// Keras: a window mixes masked steps with others. keras.io/api/layers/convolution_layers

import { concatenate, expand, keep, pad } from "../../ops/index.js";
import type { Value } from "../../ops/op.js";
import { type Dim, Size } from "../../program/size.js";
import { activate, resolveInnerActivation } from "../activations.js";
import type { Initializer, InitializerLike } from "../initializers.js";
import type { LoweringContext } from "../kind.js";
import type { CommonOptions } from "../layer.js";
import { type LimitConfig, type LimitOptions, limitsOf, noLimits, resolveLimits } from "../limits.js";
import type { Regularizer, RegularizerLike } from "../regularizers.js";
import { resolveInitializer } from "../resolveInitializer.js";
import { dim, reshape, slice } from "../values.js";
import {
  type Padding,
  readMoves,
  readPadding,
  requireChannelsLast,
  requireWindow,
  type Single,
  single,
  type Window,
  windowsOf,
} from "../windows.js";

export interface Common extends LimitConfig<"bias"> {
  kernelSize: number;
  stride: number;
  dilation: number;
  padding: Padding;
  activation: string;
  useBias: boolean;
  biasInitializer: Initializer;
  activityRegularizer: Regularizer | null;
}

export interface ConvolutionOptions extends CommonOptions, LimitOptions<"bias"> {
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

export const defaults = {
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

export function readCommon<C extends typeof defaults>(
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

export const ranks = [3, 3] as const;

export function windowOf({ kernelSize, stride, dilation, padding }: Common): Window {
  return { size: (kernelSize - 1) * dilation + 1, stride, padding };
}

export function biasOf(config: Common, size: number) {
  if (!config.useBias) return [];
  return [{ name: "bias", shape: [size], initializer: config.biasInitializer, ...limitsOf("bias", config) }];
}

/** Streams need an output for each step that depends on no later one. */
export function mixesTime({ kernelSize, stride, padding }: Common): string | undefined {
  if (stride === 1 && (kernelSize === 1 || padding === "causal")) return undefined;
  return stride === 1 ? "its window reaches ahead" : "it has no output for some steps";
}

/** The input with the zeros that the padding asks for, and how many windows it has. */
export function padded(context: LoweringContext, config: Common, value: Value): { x: Value; steps: Dim } {
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
export function withPast({ builder, name, keptState }: LoweringContext, count: number, value: Value): Value {
  const now = builder.batchMajor(value);
  const [batch, time, channels] = now.shape;
  const past = keptState("past", [batch, count, channels]);
  const [all] = builder.apply(concatenate, `${name}.past`, [past, now], { axis: 1 });
  builder.apply(keep, `${name}.keep`, [slice(builder, `${name}.last`, all, 1, time, count), past], {});
  return all;
}

export function activated({ builder, name }: LoweringContext, { activation }: Common, value: Value) {
  return [{ value: activate(builder, activation, `${name}.${activation}`, value) }];
}

/** Each channel so many times. */
export function repeated({ builder, name }: LoweringContext, value: Value, times: number): Value {
  if (times === 1) return value;
  const [batch, time, channels] = value.shape;
  const apart = reshape(builder, `${name}.channels`, value, [batch, time, channels, 1]);
  const [each] = builder.apply(expand, `${name}.repeated`, [apart], { axis: 3, size: times });
  return reshape(builder, `${name}.channels`, each, [batch, time, dim(Size.of(channels).times(times))]);
}
