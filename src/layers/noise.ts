// Layers that are random while training and pass their input on otherwise: dropout, spatialDropout1D, gaussianNoise.
// keras.io/api/layers/regularization_layers
import { inRange } from "../errors.js";
import { dropout as dropoutOp, gaussianNoise as gaussianNoiseOp } from "../ops/index.js";
import type { Value } from "../ops/op.js";
import { seedOr } from "../random.js";
import { layerOptions } from "./core.js";
import type { LayerKind, LoweringContext } from "./kind.js";
import { type CommonOptions, Layer } from "./layer.js";
import { dropOverTime, randomStream } from "./recurrence.js";

/** A layer that changes its input while training only, and then unless its `amount` is 0. */
function noiseKind<C extends object>(
  className: string,
  amount: (config: C) => number,
  disturb: (context: LoweringContext, x: Value, config: C) => Value,
  ranks?: readonly [number, number],
): LayerKind<C> {
  return {
    className,
    ranks,
    outputs: (_, [shape]) => [shape],
    lower(context, config, [{ value, mask }]) {
      const quiet = !context.training || amount(config) === 0;
      return [quiet ? { value, mask } : { value: disturb(context, value, config), mask }];
    },
  };
}

interface DropoutConfig {
  rate: number;
  seed: number;
}

const dropoutKind = noiseKind<DropoutConfig>(
  "Dropout",
  ({ rate }) => rate,
  (context, x, { rate, seed }) => {
    const { builder, name } = context;
    return builder.apply(dropoutOp, name, [x], { rate, ...randomStream(context, seed) })[0];
  },
);

const spatialDropoutKind = noiseKind<DropoutConfig>(
  "SpatialDropout1D",
  ({ rate }) => rate,
  (context, x, { rate, seed }) => dropOverTime(context, context.builder.timeMajor(x), rate, seed),
  [3, 3],
);

const gaussianNoiseKind = noiseKind<{ stddev: number; seed: number }>(
  "GaussianNoise",
  ({ stddev }) => stddev,
  (context, x, { stddev, seed }) => {
    const { builder, name } = context;
    return builder.apply(gaussianNoiseOp, name, [x], { stddev, ...randomStream(context, seed) })[0];
  },
);

interface DropoutOptions extends CommonOptions {
  rate: number;
  seed?: number | null;
}

function dropping(kind: LayerKind<DropoutConfig>, operation: string, options: DropoutOptions): Layer {
  const { config, common } = layerOptions(operation, options, {
    rate: undefined as unknown as number,
    seed: null as number | null,
  });
  const rate = inRange(`${operation}: rate`, config.rate, 0, 1);
  const seed = seedOr(config.seed, `${operation}: seed`);
  return new Layer(kind, { rate, seed }, common) as unknown as Layer;
}

/** Sets a share `rate` in [0, 1) of the numbers to zero while training and scales the rest by 1 / (1 - rate).
 * Keras: layers.Dropout. */
export const dropout = (options: DropoutOptions): Layer => dropping(dropoutKind, "dropout", options);

/** Sets a share `rate` in [0, 1) of the features of each sample to zero while training, each at all steps together, and scales the
 * rest by 1 / (1 - rate). Input (batch, time, features). Keras: layers.SpatialDropout1D. */
export const spatialDropout1D = (options: DropoutOptions): Layer =>
  dropping(spatialDropoutKind, "spatialDropout1D", options);

/** Adds normal numbers of mean 0 and deviation `stddev` in [0, 1] while training. Keras: layers.GaussianNoise. */
export function gaussianNoise(options: { stddev: number; seed?: number | null } & CommonOptions): Layer {
  const { config, common } = layerOptions("gaussianNoise", options, {
    stddev: undefined as unknown as number,
    seed: null as number | null,
  });
  const stddev = inRange("gaussianNoise: stddev", config.stddev, 0, 1, true);
  const seed = seedOr(config.seed, "gaussianNoise: seed");
  return new Layer(gaussianNoiseKind, { stddev, seed }, common) as unknown as Layer;
}
