// Layers that make sequences longer or shorter without weights: upSampling1D, zeroPadding1D, cropping1D.
// keras.io/api/layers/reshaping_layers. Input (batch, steps, features). None of them passes a mask on, as in Keras.
import { positiveInteger, show, UnreelError } from "../errors.js";
import { pad, upSample } from "../ops/index.js";
import { Size } from "../program/size.js";
import { layerOptions } from "./core.js";
import type { LayerKind } from "./kind.js";
import { type CommonOptions, Layer } from "./layer.js";
import { dim, slice } from "./values.js";
import { requireChannelsLast, requireLeastIn, requireLength } from "./windows.js";

const ranks = [3, 3] as const;

// --------------------------------------------------------------------------------------------------------- upSampling1D

const upSamplingKind: LayerKind<{ size: number }> = {
  className: "UpSampling1D",
  ranks,
  mixesTime: () => "it makes several steps of one",
  outputs: ({ size }, [[batch, time, features]]) => [[batch, time === null ? null : time * size, features]],
  lower: ({ builder, name }, { size }, [{ value }]) => [
    { value: builder.apply(upSample, name, [value], { times: size })[0] },
  ],
};

/** Each step `size` times, default 2. Keras: layers.UpSampling1D. */
export function upSampling1D(options?: { size?: number } & CommonOptions): Layer {
  const { config, common } = layerOptions("upSampling1D", options, { size: 2 });
  const size = positiveInteger("upSampling1D: size", config.size);
  return new Layer(upSamplingKind, { size }, common) as unknown as Layer;
}

// ------------------------------------------------------------------------------------------------ zeroPadding1D, cropping1D

interface Sides {
  before: number;
  after: number;
}

type SidesLike = number | readonly [number, number];

/** One number for both sides, or one for each. */
function readSides(operation: string, given: unknown): Sides {
  const isCount = (n: unknown) => typeof n === "number" && Number.isSafeInteger(n) && n >= 0;
  if (isCount(given)) return { before: given as number, after: given as number };
  if (Array.isArray(given) && given.length === 2 && given.every(isCount))
    return { before: given[0], after: given[1] };
  throw new UnreelError({
    operation,
    expected: "an integer, 0 or more, or a list of two: [before, after]",
    got: show(given),
  });
}

const zeroPaddingKind: LayerKind<Sides> = {
  className: "ZeroPadding1D",
  ranks,
  mixesTime: () => "it adds steps",
  outputs: ({ before, after }, [[batch, time, features]]) => [
    [batch, time === null ? null : before + time + after, features],
  ],
  lower: ({ builder, name }, { before, after }, [{ value }]) => [
    { value: builder.apply(pad, name, [value], { axis: 1, before, after })[0] },
  ],
};

/** Steps of zeros before and behind the sequence: a number for both (default 1), or [before, after]. Keras: layers.ZeroPadding1D. */
export function zeroPadding1D(
  options?: { padding?: SidesLike; dataFormat?: "channelsLast" | null } & CommonOptions,
): Layer {
  const { config, common } = layerOptions("zeroPadding1D", options, {
    padding: 1 as SidesLike,
    dataFormat: null as string | null,
  });
  requireChannelsLast("zeroPadding1D", config.dataFormat);
  const sides = readSides("zeroPadding1D: padding", config.padding);
  return new Layer(zeroPaddingKind, sides, common) as unknown as Layer;
}

const cropHint = "cropping must leave one step at least.";

const croppingKind: LayerKind<Sides> = {
  className: "Cropping1D",
  ranks,
  mixesTime: () => "it takes steps away",

  outputs({ before, after }, [shape]) {
    requireLength("cropping1D", shape, before + after + 1, cropHint);
    const [batch, time, features] = shape;
    return [[batch, time === null ? null : time - before - after, features]];
  },

  lower(context, { before, after }, [{ value }]) {
    const [, length] = value.shape;
    requireLeastIn(context, length, before + after + 1, cropHint);
    const steps = dim(Size.of(length).plus(-before - after));
    return [{ value: slice(context.builder, context.name, value, 1, before, steps) }];
  },
};

/** The sequence without its first and last steps: a number for both, or [before, after] (default [1, 1]). Keras: layers.Cropping1D. */
export function cropping1D(options?: { cropping?: SidesLike } & CommonOptions): Layer {
  const { config, common } = layerOptions("cropping1D", options, { cropping: [1, 1] as SidesLike });
  return new Layer(
    croppingKind,
    readSides("cropping1D: cropping", config.cropping),
    common,
  ) as unknown as Layer;
}
