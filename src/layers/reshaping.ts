// Layers that give the same numbers another shape or order: reshape, permute. keras.io/api/layers/reshaping_layers
// Not here: flatten (core.ts). None of them passes a mask on, as in Keras.
import { show, UnreelError } from "../errors.js";
import { layerOptions } from "./core.js";
import type { LayerKind } from "./kind.js";
import { type CommonOptions, Layer } from "./layer.js";
import { requireEqualIn } from "./operations/call.js";
import { checkTarget, reshaped, reshapedDims } from "./reshaped.js";
import { showShape } from "./symbolic.js";
import { permute as permuteValue, reshape as reshapeValue } from "./values.js";

const reshapeKind: LayerKind<{ targetShape: readonly number[] }> = {
  className: "Reshape",
  ranks: [1, Number.POSITIVE_INFINITY],
  outputs: ({ targetShape }, [[batch, ...rest]]) => [
    [batch, ...reshaped("reshape: targetShape", rest, targetShape)],
  ],
  mixesTime: () => "it changes the axis of time",
  lower(context, { targetShape }, [{ value }]) {
    const { builder, name } = context;
    const [batch, ...rest] = value.shape;
    const shape = [batch, ...reshapedDims(name, rest, targetShape, requireEqualIn(context))];
    return [{ value: reshapeValue(builder, name, value, shape) }];
  },
};

/** Each sample in another shape; one size may be -1. An axis of unknown length stays whole: the others share what is left of
 * each step. Keras: layers.Reshape. */
export function reshape(options: { targetShape: readonly number[] } & CommonOptions): Layer {
  const { config, common } = layerOptions("reshape", options, {
    targetShape: undefined as unknown as readonly number[],
  });
  const targetShape = checkTarget("reshape: targetShape", config.targetShape);
  return new Layer(reshapeKind, { targetShape }, common) as unknown as Layer;
}

const permuteKind: LayerKind<{ dims: readonly number[] }> = {
  className: "Permute",

  check({ dims }, [shape]) {
    if (shape.length === dims.length + 1) return;
    const expected = `input of rank ${dims.length + 1}, the batch included`;
    throw new UnreelError({ operation: "permute", expected, got: `shape ${showShape(shape)}` });
  },

  outputs: ({ dims }, [shape]) => [[shape[0], ...dims.map((axis) => shape[axis])]],
  mixesTime: ({ dims }) => (dims[0] === 1 ? undefined : "it moves the axis of time"),
  lower: ({ builder, name }, { dims }, [{ value }]) => {
    const stays = dims.every((axis, place) => axis === place + 1);
    return [{ value: stays ? value : permuteValue(builder, name, value, [0, ...dims]) }];
  },
};

/** The axes of each sample in another order; they are counted from 1. Keras: layers.Permute. */
export function permute(options: { dims: readonly number[] } & CommonOptions): Layer {
  const { config, common } = layerOptions("permute", options, {
    dims: undefined as unknown as readonly number[],
  });
  const { dims } = config;
  const isOrder =
    Array.isArray(dims) && [...dims].sort((a, b) => a - b).every((axis, place) => axis === place + 1);
  if (!isOrder) {
    throw new UnreelError({
      operation: "permute: dims",
      expected: "the axes from 1 on, each once",
      got: show(dims),
      hint: "[2, 1] exchanges the axes behind the batch.",
    });
  }
  return new Layer(permuteKind, { dims }, common) as unknown as Layer;
}
