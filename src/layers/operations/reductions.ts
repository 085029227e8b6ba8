// Sums, means and extremes over axes, and products of matrices. keras.io/api/ops/numpy
import { UnreelError } from "../../errors.js";
import type { Reduction } from "../../ops/index.js";
import type { LayerKind } from "../kind.js";
import { readOptions } from "../options.js";
import { type SymbolicTensor, showShape } from "../symbolic.js";
import { matmul as matmulValues, reduce } from "../values.js";
import { applied, jointShape, placesOf, requireEqualIn, requireTensor } from "./call.js";

interface ReduceConfig {
  reduction: Reduction;
  axes: readonly number[];
  keepdims: boolean;
  rank: number;
}

const reduceKind: LayerKind<ReduceConfig> = {
  className: "Reduce",
  outputs: ({ axes, keepdims }, [shape]) => [
    keepdims
      ? shape.map((d, axis) => (axes.includes(axis) ? 1 : d))
      : shape.filter((_, axis) => !axes.includes(axis)),
  ],
  mixesTime: ({ axes, rank }) => (rank > 2 && axes.includes(1) ? "it reduces a whole sequence" : undefined),
  lower: ({ builder, name }, { axes, reduction, keepdims }, [{ value }]) => [
    { value: reduce(builder, name, value, axes, reduction, keepdims) },
  ],
};

export interface ReduceOptions {
  /** The axis, or the axes; all of them, the batch too, when absent. */
  axis?: number | readonly number[] | null;
  /** Keep reduced axes with size 1. Default false. */
  keepdims?: boolean;
}

function reducing(reduction: Reduction) {
  const operation = `ops.${reduction}`;
  return (x: SymbolicTensor, options?: ReduceOptions): SymbolicTensor => {
    requireTensor(operation, x);
    const { axis, keepdims } = readOptions(operation, options, {
      axis: undefined as ReduceOptions["axis"],
      keepdims: false,
    });
    const axes = placesOf(operation, axis, x.shape.length);
    return applied(reduceKind, { reduction, axes, keepdims, rank: x.shape.length }, [x]);
  };
}

/** The sum over some axes, or over all. */
export const sum = reducing("sum");
/** The mean over some axes, or over all. */
export const mean = reducing("mean");
/** The largest number over some axes, or over all; on ties the gradient is split evenly. */
export const max = reducing("max");
/** The smallest number over some axes, or over all; on ties the gradient is split evenly. */
export const min = reducing("min");

// --------------------------------------------------------------------------------------------------------------- matmul

const matmulKind: LayerKind<{ rank: number }> = {
  className: "Matmul",
  merges: true,
  outputs(_, [a, b]) {
    const leading = jointShape("ops.matmul", [a.slice(0, -2), b.slice(0, -2)]);
    return [[...leading, a.at(-2)!, b.at(-1)!]];
  },
  mixesTime: ({ rank }) => (rank === 3 ? "it multiplies by all steps of a sequence" : undefined),
  lower(context, _, [a, b]) {
    const { builder, name } = context;
    return [{ value: matmulValues(builder, name, a.value, b.value, requireEqualIn(context)) }];
  },
};

/** Products of matrices, a [..., M, K] · b [..., K, N]; leading axes are broadcast. */
export function matmul(a: SymbolicTensor, b: SymbolicTensor): SymbolicTensor {
  requireTensor("ops.matmul", a, b);
  const [inner, other] = [a.shape.at(-1), b.shape.at(-2)];
  const agree = inner === other || inner === null || other === null;
  if (a.shape.length < 2 || b.shape.length < 2 || !agree) {
    const expected = "matrices [..., M, K] and [..., K, N]";
    const got = `${showShape(a.shape)} and ${showShape(b.shape)}`;
    throw new UnreelError({ operation: "ops.matmul", expected, got });
  }
  return applied(matmulKind, { rank: b.shape.length }, [a, b]);
}
