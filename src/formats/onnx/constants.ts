// Layers that imported graphs need beside those of `layers.*`: an array as a weight, a value whose mask is dropped.

import { zeros } from "../../layers/initializers.js";
import type { LayerKind } from "../../layers/kind.js";
import { Layer } from "../../layers/layer.js";
import * as ops from "../../layers/operations.js";
import type { SymbolicTensor } from "../../layers/symbolic.js";
import { Tensor } from "../../tensor.js";
import type { Known } from "./arrays.js";

const constantKind: LayerKind<{ shape: readonly number[] }> = {
  className: "Constant",
  weights: ({ shape }) => [{ name: "value", shape, initializer: zeros() }],
  outputs: ({ shape }) => [shape],
  lower: ({ weights: [value] }) => [{ value }],
};

/** A layer with an array as its one weight, which training changes unless told otherwise. It needs some tensor to stand in a graph, and reads nothing of
 * it. */
export function constant(
  name: string,
  { data, shape }: Known,
  beside: SymbolicTensor,
  trainable = true,
): SymbolicTensor {
  const layer = new Layer(constantKind, { shape }, { name, trainable }) as unknown as Layer;
  const value = layer.apply(beside);
  layer.setWeights([new Tensor(Float32Array.from(data), shape)]);
  return value;
}

const withoutMaskKind: LayerKind<object> = {
  className: "WithoutMask",
  outputs: (_, [shape]) => [shape],
  lower: (_context, _config, [{ value }]) => [{ value }],
};

/** The same value; layers behind it see no mask. ONNX knows none. */
export function withoutMask(x: SymbolicTensor): SymbolicTensor {
  return (new Layer(withoutMaskKind, {}) as unknown as Layer).apply(x);
}

/** Numbers [samples, count] that are the same everywhere and stay so, for the samples of a sequence [samples, steps, features]. */
export function filled(name: string, x: SymbolicTensor, value: number, count: number): SymbolicTensor {
  const zero = ops.zerosLike(ops.squeeze(ops.slice(x, [0, 0, 0], [-1, 1, 1]), 1));
  if (count === 1) return value === 0 ? zero : ops.add(zero, value);
  const data = new Float32Array(count).fill(value);
  return ops.add(zero, constant(name, { type: "float", shape: [1, count], data }, x, false));
}
