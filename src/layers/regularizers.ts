// Penalties on weights, or on what a layer gives, that are added to the loss. Definitions: keras.io/api/layers/regularizers.
import { show, UnreelError } from "../errors.js";
import type { Builder } from "../ops/builder.js";
import { orthogonality, penalty } from "../ops/index.js";
import type { Value } from "../ops/op.js";
import { type Dim, Size } from "../program/size.js";
import { readOptions } from "./options.js";

/** Makes one number of a weight, or of what a layer gives, that is added to the loss. */
export interface Regularizer {
  readonly className: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** Emits the penalty of x. What a layer gives is divided by its samples; a weight has none. */
  penalty(builder: Builder, name: string, x: Value, samples?: Dim): Value;
  /** Refuses a shape that it cannot penalize; null or a run-time dimension for any length. */
  check?(operation: string, shape: readonly (Dim | null)[]): void;
}

export type RegularizerLike = Regularizer | string;

function factor(operation: string, value: unknown): number {
  if (typeof value === "number" && value >= 0 && Number.isFinite(value)) return value;
  throw new UnreelError({ operation, expected: "a finite number, zero or more", got: show(value) });
}

function norms(className: string, config: { l1?: number; l2?: number }): Regularizer {
  const { l1 = 0, l2 = 0 } = config;
  return {
    className,
    config,
    penalty: (builder, name, x, samples = 1) => builder.apply(penalty, name, [x], { l1, l2, samples })[0],
  };
}

/** l1 Σ|x|; default 0.01. Keras: regularizers.L1. */
export function l1(options: { l1?: number } = {}): Regularizer {
  const config = readOptions("regularizers.l1", options, { l1: 0.01 });
  return norms("L1", { l1: factor("regularizers.l1: l1", config.l1) });
}

/** l2 Σx²; default 0.01. Keras: regularizers.L2. */
export function l2(options: { l2?: number } = {}): Regularizer {
  const config = readOptions("regularizers.l2", options, { l2: 0.01 });
  return norms("L2", { l2: factor("regularizers.l2: l2", config.l2) });
}

/** l1 Σ|x| + l2 Σx²; defaults 0 and 0, also by name: nothing, as in Keras. Keras: regularizers.L1L2. */
export function l1l2(options: { l1?: number; l2?: number } = {}): Regularizer {
  const config = readOptions("regularizers.l1l2", options, { l1: 0, l2: 0 });
  return norms("L1L2", {
    l1: factor("regularizers.l1l2: l1", config.l1),
    l2: factor("regularizers.l1l2: l2", config.l2),
  });
}

const MODES = { rows: "rows", columns: "columns" } as const;

/** factor times the mean of |uᵢ·uⱼ| over pairs of different rows (or columns) of a matrix, each brought to length one.
 * Defaults: factor 0.01, mode 'rows'. Keras: regularizers.OrthogonalRegularizer. */
export function orthogonalRegularizer(
  options: { factor?: number; mode?: "rows" | "columns" } = {},
): Regularizer {
  const operation = "regularizers.orthogonalRegularizer";
  const config = readOptions(operation, options, { factor: 0.01, mode: "rows" as "rows" | "columns" });
  factor(`${operation}: factor`, config.factor);
  if (typeof config.mode !== "string" || !Object.hasOwn(MODES, config.mode)) {
    throw new UnreelError({
      operation: `${operation}: mode`,
      expected: "'rows' or 'columns'",
      got: show(config.mode),
    });
  }
  const check: Regularizer["check"] = (what, shape) => {
    const vectors = shape[config.mode === "rows" ? 0 : 1];
    if (shape.length === 2 && vectors !== 1) return;
    throw new UnreelError({
      operation: `${what}: orthogonalRegularizer`,
      expected: `a matrix with two ${config.mode} or more`,
      got: `shape (${shape.join(", ")})`,
    });
  };
  return {
    className: "OrthogonalRegularizer",
    config,
    check,
    penalty(builder, name, x, samples) {
      check(name, x.shape);
      if (samples !== undefined && Size.of(samples).toString() !== Size.of(x.shape[0]).toString()) {
        throw new UnreelError({
          operation: `${name}: orthogonalRegularizer`,
          expected: "one matrix for the batch",
          got: "one for each time step",
          hint: "Inside timeDistributed, l1, l2 and l1l2 can penalize what a layer gives.",
        });
      }
      return builder.apply(orthogonality, name, [x], { ...config, samples: samples ?? 1 })[0];
    },
  };
}
