// Layers about time steps: masking and repeatVector. keras.io/api/layers/core_layers/masking, .../repeat_vector
import { positiveInteger, show, UnreelError } from "../errors.js";
import { differs, repeat, selectRows } from "../ops/index.js";
import { layerOptions } from "./core.js";
import type { LayerKind } from "./kind.js";
import { type CommonOptions, Layer } from "./layer.js";

const maskingKind: LayerKind<{ maskValue: number }> = {
  className: "Masking",
  ranks: [3, 3],
  outputs: (_, [shape]) => [shape],

  lower({ builder, name }, { maskValue }, [{ value }]) {
    const [mask] = builder.apply(differs, `${name}.mask`, [value], { value: maskValue });
    return [{ value: builder.apply(selectRows, name, [mask, value], {})[0], mask }];
  },
};

/** Masks the steps whose vector holds nothing but `maskValue` (default 0), and sets them to zero. Keras: layers.Masking. */
export function masking(options?: { maskValue?: number } & CommonOptions): Layer {
  const { config, common } = layerOptions("masking", options, { maskValue: 0 });
  if (typeof config.maskValue !== "number" || !Number.isFinite(config.maskValue)) {
    throw new UnreelError({
      operation: "masking: maskValue",
      expected: "a finite number",
      got: show(config.maskValue),
    });
  }
  return new Layer(maskingKind, config, common) as unknown as Layer;
}

const repeatVectorKind: LayerKind<{ n: number }> = {
  className: "RepeatVector",
  ranks: [2, 2],
  outputs: ({ n }, [[batch, features]]) => [[batch, n, features]],
  lower: ({ builder, name }, { n }, [{ value }]) => [
    { value: builder.apply(repeat, name, [value], { times: n })[0] },
  ],
  mixesTime: () => "it makes a sequence of one vector",
};

/** One vector as a sequence of `n` equal steps. Keras: layers.RepeatVector. */
export function repeatVector(options: { n: number } & CommonOptions): Layer {
  const { config, common } = layerOptions("repeatVector", options, { n: undefined as unknown as number });
  return new Layer(
    repeatVectorKind,
    { n: positiveInteger("repeatVector: n", config.n) },
    common,
  ) as unknown as Layer;
}
