// Layers that bring numbers to mean 0 and variance 1: of each vector (layerNormalization), or of each feature over the batch
// (batchNormalization). keras.io/api/layers/normalization_layers
import { inRange, show, UnreelError } from "../errors.js";
import {
  columnMoments,
  layerNormalization as layerNormalizationOp,
  movingAverage,
  normalizeColumns,
} from "../ops/index.js";
import type { Value } from "../ops/op.js";
import { lastAxis, layerOptions } from "./core.js";
import type { Initializer, InitializerLike } from "./initializers.js";
import type { Flow, LayerKind, LoweringContext } from "./kind.js";
import { type CommonOptions, Layer } from "./layer.js";
import { type LimitConfig, type LimitOptions, limitsOf, noLimits, resolveLimits } from "./limits.js";
import { resolveInitializer } from "./resolveInitializer.js";
import { showShape } from "./symbolic.js";

interface Common extends LimitConfig<"gamma" | "beta"> {
  epsilon: number;
  center: boolean;
  scale: boolean;
  betaInitializer: Initializer;
  gammaInitializer: Initializer;
}

interface NormalizationOptions extends CommonOptions, LimitOptions<"gamma" | "beta"> {
  /** Added to the variance. Default 0.001. */
  epsilon?: number;
  /** Adds beta, which is trained. Default true. */
  center?: boolean;
  /** Multiplies by gamma, which is trained. Default true. */
  scale?: boolean;
  betaInitializer?: InitializerLike;
  gammaInitializer?: InitializerLike;
}

const defaults = {
  axis: -1 as unknown,
  epsilon: 1e-3,
  center: true,
  scale: true,
  betaInitializer: "zeros" as InitializerLike,
  gammaInitializer: "ones" as InitializerLike,
  ...noLimits("gamma", "beta"),
};

function readCommon(operation: string, config: typeof defaults): Common {
  const { epsilon, center, scale, betaInitializer, gammaInitializer } = config;
  const { gammaRegularizer, gammaConstraint, betaRegularizer, betaConstraint } = resolveLimits(
    operation,
    config,
  );
  return {
    gammaRegularizer,
    gammaConstraint,
    betaRegularizer,
    betaConstraint,
    epsilon: inRange(`${operation}: epsilon`, epsilon, 0, Number.MAX_VALUE),
    center,
    scale,
    betaInitializer: resolveInitializer(`${operation}: betaInitializer`, betaInitializer),
    gammaInitializer: resolveInitializer(`${operation}: gammaInitializer`, gammaInitializer),
  };
}

/** gamma and beta, as far as they are wanted. */
function affineWeights(config: Common, shape: number[]) {
  const { scale, center, gammaInitializer, betaInitializer } = config;
  const gamma = { name: "gamma", shape, initializer: gammaInitializer, ...limitsOf("gamma", config) };
  const beta = { name: "beta", shape, initializer: betaInitializer, ...limitsOf("beta", config) };
  return [...(scale ? [gamma] : []), ...(center ? [beta] : [])];
}

/** The same as values: undefined where it is not wanted. */
function affine({ weights }: LoweringContext, { scale, center }: Common): (Value | undefined)[] {
  return [scale ? weights[0] : undefined, center ? weights[scale ? 1 : 0] : undefined];
}

// --------------------------------------------------------------------------------------------------- layer normalization

interface LayerNormalizationConfig extends Common {
  axis: number | readonly number[];
  rmsScaling: boolean;
}

/** How many of the last axes are normalized together; any others are refused. */
function lastAxes(axis: LayerNormalizationConfig["axis"], rank: number): number {
  const axes = new Set([axis].flat().map((a) => (a < 0 ? a + rank : a)));
  const areLast = axes.size > 0 && Array.from(axes.keys(), (_, k) => rank - 1 - k).every((a) => axes.has(a));
  if (areLast && axes.size < rank) return axes.size;
  throw new UnreelError({
    operation: "layerNormalization: axis",
    expected: `the last axis of an input of rank ${rank}, or a list of its last axes without the batch`,
    got: show(axis),
  });
}

const layerNormalizationKind: LayerKind<LayerNormalizationConfig> = {
  className: "LayerNormalization",
  ranks: [2, Number.POSITIVE_INFINITY],

  weights(config, [shape]) {
    const dims = shape.slice(-lastAxes(config.axis, shape.length));
    if (dims.includes(null)) {
      const expected = "axes of known size to normalize";
      throw new UnreelError({ operation: "layerNormalization", expected, got: showShape(shape) });
    }
    return affineWeights(config, dims as number[]);
  },

  outputs: (_, [shape]) => [shape],

  lower(context, config, [{ value, mask }]) {
    const { builder, name } = context;
    const { axis, epsilon, rmsScaling: rms } = config;
    const axes = lastAxes(axis, value.shape.length);
    // Rows may lie in any order, but time inside of a row has its place there.
    const x = axes === value.shape.length - 1 ? builder.batchMajor(value) : value;
    const inputs = [x, ...affine(context, config)];
    return [{ value: builder.apply(layerNormalizationOp, name, inputs, { axes, epsilon, rms })[0], mask }];
  },

  mixesTime: ({ axis }) =>
    [axis].flat().length > 1 ? "it normalizes several axes together, and time may be one of them" : undefined,
};

export interface LayerNormalizationOptions extends NormalizationOptions {
  /** -1 (default), or a list of the last axes. */
  axis?: number | readonly number[];
  /** Divides by the deviation without taking the mean off; gamma only. Keras keeps it for old models. Default false. */
  rmsScaling?: boolean;
}

/** Each vector less its mean, over its standard deviation, times gamma, plus beta. Weights: gamma, beta, in the shape of the
 * normalized axes. Ba, Kiros & Hinton 2016. Keras: layers.LayerNormalization. */
export function layerNormalization(options?: LayerNormalizationOptions): Layer {
  const operation = "layerNormalization";
  const { config, common } = layerOptions(operation, options, { ...defaults, rmsScaling: false });
  const { axis, rmsScaling } = config;
  const isList = Array.isArray(axis) && axis.length > 0;
  if (![axis].flat().every((a) => Number.isSafeInteger(a)) || !(isList || typeof axis === "number")) {
    throw new UnreelError({
      operation: `${operation}: axis`,
      expected: "an integer or a list of integers",
      got: show(axis),
    });
  }
  const read = readCommon(operation, config);
  const affine = rmsScaling ? { scale: true, center: false } : {};
  return new Layer(
    layerNormalizationKind,
    { ...read, ...affine, axis: axis as number | readonly number[], rmsScaling },
    common,
  ) as unknown as Layer;
}

// --------------------------------------------------------------------------------------------------- batch normalization

interface BatchNormalizationConfig extends Common {
  axis: number;
  momentum: number;
  movingMeanInitializer: Initializer;
  movingVarianceInitializer: Initializer;
}

const batchNormalizationKind: LayerKind<BatchNormalizationConfig> = {
  className: "BatchNormalization",
  ranks: [2, Number.POSITIVE_INFINITY],

  weights(config, [shape]) {
    const { axis, movingMeanInitializer, movingVarianceInitializer } = config;
    if (axis !== -1 && axis !== shape.length - 1) {
      throw new UnreelError({
        operation: "batchNormalization: axis",
        expected: `-1, the last axis of ${showShape(shape)}`,
        got: show(axis),
      });
    }
    const size = [lastAxis("batchNormalization", shape)];
    return [
      ...affineWeights(config, size),
      { name: "moving_mean", shape: size, initializer: movingMeanInitializer, trainable: false },
      { name: "moving_variance", shape: size, initializer: movingVarianceInitializer, trainable: false },
    ];
  },

  outputs: (_, [shape]) => [shape],

  lower(context, config, [flow]) {
    const { builder, name, training, trainable } = context;
    const { value, mask } = flow;
    const { epsilon } = config;
    checkMaskRank(name, flow);
    const [mean, variance] =
      training && trainable ? batchStatistics(context, config, flow) : context.weights.slice(-2);
    const inputs = [value, mean, variance, ...affine(context, config)];
    return [{ value: builder.apply(normalizeColumns, name, inputs, { epsilon })[0], mask }];
  },
};

/** Mean and variance of the batch; the moving ones follow them. */
function batchStatistics(
  context: LoweringContext,
  { momentum }: BatchNormalizationConfig,
  { value, mask }: Flow,
): Value[] {
  const { builder, name, perStep, weights } = context;
  if (perStep) {
    throw new UnreelError({
      operation: name,
      expected: "to be trained outside of rnn and timeDistributed",
      got: "a place where it would need statistics of each time step",
      hint: "Apply it to the whole sequence, freeze it (trainable: false), or use layerNormalization.",
    });
  }
  const inOrder = mask && (value.timeMajor ? builder.timeMajor(mask) : builder.batchMajor(mask));
  const statistics = builder.apply(columnMoments, `${name}.moments`, [value, inOrder], {});
  statistics.forEach((now, k) => {
    const index = weights.length - 2 + k;
    const [next] = builder.apply(movingAverage, `${name}.moving`, [weights[index], now], { momentum });
    context.assign(index, next);
  });
  return statistics;
}

/** Keras: a mask has one axis less than what it masks. */
function checkMaskRank(operation: string, { value, mask }: Flow): void {
  if (!mask || mask.shape.length === value.shape.length - 1) return;
  throw new UnreelError({
    operation,
    expected: `a mask of rank ${value.shape.length - 1}, one less than its input`,
    got: `rank ${mask.shape.length}`,
    hint: "Normalize before the features get further axes.",
  });
}

export interface BatchNormalizationOptions extends NormalizationOptions {
  /** -1, the last axis. */
  axis?: number;
  /** Share of a moving average that stays at each step, in [0, 1]. Default 0.99. */
  momentum?: number;
  movingMeanInitializer?: InitializerLike;
  movingVarianceInitializer?: InitializerLike;
}

/** Each feature less its mean over the batch (and time), over its standard deviation, times gamma, plus beta. Training uses the
 * statistics of the batch, under a mask those of its kept steps, and moves the averages that inference uses; with
 * `trainable: false` training uses them too, and leaves them. Weights: gamma, beta, moving_mean, moving_variance, [features] each;
 * the last two are not trained. Ioffe & Szegedy 2015. Keras: layers.BatchNormalization. */
export function batchNormalization(options?: BatchNormalizationOptions): Layer {
  const operation = "batchNormalization";
  const { config, common } = layerOptions(operation, options, {
    ...defaults,
    momentum: 0.99,
    movingMeanInitializer: "zeros" as InitializerLike,
    movingVarianceInitializer: "ones" as InitializerLike,
  });
  const { axis, momentum, movingMeanInitializer, movingVarianceInitializer } = config;
  if (typeof axis !== "number") {
    const expected = "-1, the last axis";
    throw new UnreelError({ operation: `${operation}: axis`, expected, got: show(axis) });
  }
  return new Layer(
    batchNormalizationKind,
    {
      ...readCommon(operation, config),
      axis,
      momentum: inRange(`${operation}: momentum`, momentum, 0, 1, true),
      movingMeanInitializer: resolveInitializer(`${operation}: movingMeanInitializer`, movingMeanInitializer),
      movingVarianceInitializer: resolveInitializer(
        `${operation}: movingVarianceInitializer`,
        movingVarianceInitializer,
      ),
    },
    common,
  ) as unknown as Layer;
}
