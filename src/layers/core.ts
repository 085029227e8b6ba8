// Layers that treat each vector, or each number, on its own: dense, activation, flatten, activityRegularization; and the input.
// keras.io/api/layers/core_layers
import { positiveInteger, show, UnreelError } from "../errors.js";
import { dense as denseOp, reshape } from "../ops/index.js";
import { type Dim, Size } from "../program/size.js";
import type { DType } from "../tensor.js";
import { activate, activatedShape, resolveActivation, resolveInnerActivation } from "./activations.js";
import type { Initializer, InitializerLike } from "./initializers.js";
import type { LayerKind } from "./kind.js";
import { type CommonOptions, Layer, uniqueName } from "./layer.js";
import { type LimitConfig, type LimitOptions, limitsOf, noLimits, resolveLimits } from "./limits.js";
import { readOptions } from "./options.js";
import { l1l2, type Regularizer, type RegularizerLike } from "./regularizers.js";
import { resolveInitializer } from "./resolveInitializer.js";
import { type Shape, SymbolicTensor } from "./symbolic.js";

const common = { name: undefined, inputShape: undefined, trainable: true };

/** Separates what every layer has from what this kind has. */
export function layerOptions<C extends object>(operation: string, given: object | undefined, defaults: C) {
  const all = readOptions<C & CommonOptions>(operation, given, { ...common, ...defaults });
  const { name, inputShape, trainable, ...config } = all;
  if (inputShape !== undefined) checkShape(`${operation}: inputShape`, inputShape);
  return { config: config as unknown as C, common: { name, inputShape, trainable } };
}

export function checkShape(operation: string, shape: unknown): Shape {
  const fits = (d: unknown) => d === null || (typeof d === "number" && Number.isSafeInteger(d) && d > 0);
  if (Array.isArray(shape) && shape.every(fits)) return shape as Shape;
  throw new UnreelError({
    operation,
    expected: "an array of positive integers, or null for any length",
    got: show(shape),
    hint: typeof shape === "number" ? `Write [${shape}].` : undefined,
  });
}

// ---------------------------------------------------------------------------------------------------------------- input

interface InputConfig {
  shape: Shape;
  dtype: DType;
  batchSize: number | null;
}

const inputKind: LayerKind<InputConfig> = {
  className: "InputLayer",
  outputs: ({ shape, batchSize }) => [[batchSize, ...shape]],
  lower: () => {
    throw new UnreelError({ operation: "input", expected: "to be fed", got: "a lowering" });
  },
};

/** The beginning of a graph. `shape` is that of one sample; null = any length. dtype: 'float32' (default) or 'int32' (ids). */
export function input(options: {
  shape: Shape;
  dtype?: DType;
  name?: string;
  batchSize?: number;
}): SymbolicTensor {
  const { shape, dtype, name, batchSize } = readOptions("input", options, {
    shape: undefined as unknown as Shape,
    dtype: "float32" as DType,
    name: undefined as string | undefined,
    batchSize: null as number | null,
  });
  checkShape("input: shape", shape);
  if (batchSize !== null) positiveInteger("input: batchSize", batchSize);
  if (dtype !== "float32" && dtype !== "int32") {
    throw new UnreelError({ operation: "input: dtype", expected: "'float32' or 'int32'", got: show(dtype) });
  }
  const layer = new Layer(inputKind, { shape, dtype, batchSize }, { name: name ?? uniqueName("input") });
  const output = new SymbolicTensor([batchSize, ...shape], dtype, 0);
  output.source = { index: 0, layer: layer as unknown as Layer, inputs: [], outputs: [output], options: {} };
  return output;
}

// ---------------------------------------------------------------------------------------------------------------- dense

interface DenseConfig extends LimitConfig<"kernel" | "bias"> {
  units: number;
  activation: string;
  useBias: boolean;
  kernelInitializer: Initializer;
  biasInitializer: Initializer;
  activityRegularizer: Regularizer | null;
}

const denseKind: LayerKind<DenseConfig> = {
  className: "Dense",
  ranks: [2, Number.POSITIVE_INFINITY],

  weights({ units, useBias, ...config }, [shape]) {
    const kernel = {
      name: "kernel",
      shape: [lastAxis("dense", shape), units],
      initializer: config.kernelInitializer,
      ...limitsOf("kernel", config),
    };
    const bias = {
      name: "bias",
      shape: [units],
      initializer: config.biasInitializer,
      ...limitsOf("bias", config),
    };
    return useBias ? [kernel, bias] : [kernel];
  },

  outputs: ({ units }, [shape]) => [[...shape.slice(0, -1), units]],

  lower({ builder, name, weights: [kernel, bias] }, { activation }, [{ value, mask }]) {
    const [product] = builder.apply(denseOp, name, [value, kernel, bias], {});
    return [{ value: activate(builder, activation, `${name}.${activation}`, product), mask }];
  },
};

interface DenseOptions extends CommonOptions, LimitOptions<"kernel" | "bias"> {
  units: number;
  activation?: string | null;
  useBias?: boolean;
  kernelInitializer?: InitializerLike;
  biasInitializer?: InitializerLike;
  /** Penalty on the output, after the activation, masked steps included. */
  activityRegularizer?: RegularizerLike | null;
}

/** activation(x · kernel + bias) over the last axis. Weights: kernel [I, units], bias [units]. Keras: layers.Dense. */
export function dense(options: DenseOptions): Layer {
  const { config, common } = layerOptions("dense", options, {
    units: undefined as unknown as number,
    activation: "linear" as string | null,
    useBias: true,
    kernelInitializer: "glorotUniform" as InitializerLike,
    biasInitializer: "zeros" as InitializerLike,
    ...noLimits("kernel", "bias"),
    activityRegularizer: null as RegularizerLike | null,
  });
  const { units, activation, kernelInitializer, biasInitializer } = config;
  return new Layer(
    denseKind,
    {
      ...resolveLimits("dense", config),
      units: positiveInteger("dense: units", units),
      activation: resolveInnerActivation("dense: activation", activation),
      kernelInitializer: resolveInitializer("dense: kernelInitializer", kernelInitializer),
      biasInitializer: resolveInitializer("dense: biasInitializer", biasInitializer),
    },
    common,
  ) as unknown as Layer;
}

/** The size of the last axis, which weights need to know. */
export function lastAxis(operation: string, shape: Shape): number {
  const last = shape.at(-1);
  if (typeof last === "number") return last;
  throw new UnreelError({ operation, expected: "a last axis of known size", got: show(shape) });
}

// ----------------------------------------------------------------------------------------------------------- activation

const activationKind: LayerKind<{ activation: string }> = {
  className: "Activation",
  outputs: ({ activation }, [shape]) => [activatedShape("activation", activation, shape)],
  lower: ({ builder, name }, { activation }, [{ value, mask }]) => [
    { value: activate(builder, activation, name, value), mask },
  ],
};

/** An activation function as a layer. Keras: layers.Activation. */
export function activation(options: { activation: string } & CommonOptions): Layer {
  const { config, common } = layerOptions("activation", options, {
    activation: undefined as unknown as string,
  });
  if (config.activation === undefined) {
    throw new UnreelError({
      operation: "activation",
      expected: "an activation",
      got: "none",
      hint: "activation({ activation: 'relu' })",
    });
  }
  const name = resolveActivation("activation: activation", config.activation);
  return new Layer(activationKind, { activation: name }, common) as unknown as Layer;
}

// -------------------------------------------------------------------------------------------------------------- flatten

const flattenKind: LayerKind<object> = {
  className: "Flatten",
  mixesTime: () => "it puts all steps into one vector",
  ranks: [1, Number.POSITIVE_INFINITY],

  outputs(_, [shape]) {
    const [batch, ...rest] = shape;
    return [[batch, rest.some((d) => d === null) ? null : rest.reduce<number>((a, b) => a * b!, 1)]];
  },

  lower({ builder, name }, _, [{ value }]) {
    const x = builder.batchMajor(value);
    const [batch, ...rest] = x.shape;
    const inner = Size.product(rest).constant;
    if (inner === undefined) {
      throw new UnreelError({
        operation: name,
        expected: "axes of known size to flatten",
        got: `(${x.shape.join(", ")})`,
        hint: "Give the input a fixed length.",
      });
    }
    const shape: Dim[] = [batch, inner];
    return [{ value: builder.apply(reshape, name, [x], { shape })[0] }];
  },
};

/** All axes but the batch as one. Keras: layers.Flatten. */
export function flatten(options?: CommonOptions): Layer {
  const { common } = layerOptions("flatten", options, {});
  return new Layer(flattenKind, {}, common) as unknown as Layer;
}

// ----------------------------------------------------------------------------------------------- activityRegularization

const activityRegularizationKind: LayerKind<{ l1: number; l2: number; activityRegularizer: Regularizer }> = {
  className: "ActivityRegularization",
  outputs: (_, [shape]) => [shape],
  lower: (_context, _config, [{ value, mask }]) => [{ value, mask }],
};

/** Passes its input on and adds l1 Σ|x| + l2 Σx², divided by the batch size, to the loss; defaults 0 and 0.
 * Keras: layers.ActivityRegularization. */
export function activityRegularization(options?: { l1?: number; l2?: number } & CommonOptions): Layer {
  const { config, common } = layerOptions("activityRegularization", options, { l1: 0, l2: 0 });
  const activityRegularizer = l1l2(config);
  return new Layer(
    activityRegularizationKind,
    { ...config, activityRegularizer },
    common,
  ) as unknown as Layer;
}
