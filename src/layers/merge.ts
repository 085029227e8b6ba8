// Layers that make one value of several: concatenate, add, subtract, multiply, average, maximum, minimum.
// keras.io/api/layers/merging_layers
import { show, UnreelError } from "../errors.js";
import {
  type Arithmetic,
  arithmetic,
  concatenate as concatenateOp,
  ones,
  scaled,
  selectRows,
} from "../ops/index.js";
import type { Value } from "../ops/op.js";
import { layerOptions } from "./core.js";
import type { Flow, LayerKind, LoweringContext } from "./kind.js";
import { type CommonOptions, Layer } from "./layer.js";
import { jointShape, requireEqualIn } from "./operations/call.js";
import { type Shape, showShape } from "./symbolic.js";
import { anyKept, broadcast, inOrder, reshape, together } from "./values.js";

/** The mask of a merge (keras base_merge.py): none where an input has none, else the steps that any input keeps. */
function mergedMask(context: LoweringContext, flows: readonly Flow[]): Value | undefined {
  const masks = flows.flatMap(({ mask }) => (mask ? [mask] : []));
  if (masks.length < flows.length) return undefined;
  return anyKept(context.builder, context.name, masks, requireEqualIn(context));
}

function requireSeveral(
  name: string,
  inputs: readonly Shape[],
  least: number,
  most = Number.POSITIVE_INFINITY,
): void {
  if (inputs.length >= least && inputs.length <= most) return;
  const expected = least === most ? `${least} inputs` : `${least} inputs or more`;
  throw new UnreelError({ operation: name, expected, got: `${inputs.length}`, hint: "apply([a, b])" });
}

// ----------------------------------------------------------------------------------------------------------- arithmetic

/** Inputs of fewer axes get axes of size 1 behind the batch. */
function ranked({ builder, name }: LoweringContext, flows: readonly Flow[]): Value[] {
  const rank = Math.max(...flows.map(({ value }) => value.shape.length));
  return flows.map(({ value }) => {
    const [batch, ...rest] = value.shape;
    const missing = Array<number>(rank - value.shape.length).fill(1);
    return missing.length === 0 ? value : reshape(builder, name, value, [batch, ...missing, ...rest]);
  });
}

/** The values one after another. What stands at masked steps does not take part in products, maxima and minima. */
function combined(context: LoweringContext, kernel: Arithmetic, flows: readonly Flow[]): Value {
  const { builder, name } = context;
  const equal = requireEqualIn(context);
  const values = together(builder, name, ranked(context, flows), equal);
  const [{ timeMajor, shape }] = values;
  const join = (a: Value, b: Value) => builder.apply(arithmetic, name, [a, b], { kernel })[0];
  const isBlind = kernel === "add" || kernel === "subtract" || flows.every(({ mask }) => !mask);
  if (isBlind) return values.reduce(join);
  // A mask belongs to an input of as many axes; Keras loses those of others where it adds axes.
  const masks = flows.map(({ mask, value }) => {
    if (!mask || value.shape.length < shape.length) return undefined;
    return broadcast(builder, `${name}.mask`, mask, shape.slice(0, mask.shape.length), timeMajor);
  });
  const select = (mask: Value | undefined, ...from: [Value, Value?]) =>
    mask ? builder.apply(selectRows, `${name}.masked`, [mask, ...from], {})[0] : from[0];
  const either = (a: Value | undefined, b: Value | undefined) =>
    a && b && anyKept(builder, name, [a, b], equal);
  if (kernel === "multiply") {
    const isCommon = masks.every((mask) => mask && mask.root === masks[0]?.root);
    if (isCommon) return select(masks[0], values.reduce(join));
    const [one] = builder.apply(ones, `${name}.ones`, [], { shape });
    const parts = values.map((value, k) => select(masks[k], value, { ...one, timeMajor }));
    const product = parts.reduce(join);
    return masks.every(Boolean) ? select(masks.reduce(either), product) : product;
  }
  // Where all are masked, the first.
  let joinedMask = masks[0];
  return values.reduce((a, b, k) => {
    const right = select(masks[k], b, a);
    const joined = join(select(joinedMask, a, right), right);
    joinedMask = either(joinedMask, masks[k]);
    return joined;
  });
}

/** The shape of inputs together, as Keras tells it: unknown where an axis of one is unknown. */
function mergedShape(operation: string, inputs: readonly Shape[]): Shape {
  const batch = inputs.find(([size]) => size !== null)?.[0] ?? null;
  const samples = inputs.map((shape) => shape.slice(1));
  const others = inputs.some(([size]) => size !== null && size !== batch);
  if (others) {
    const got = inputs.map(showShape).join(" and ");
    throw new UnreelError({ operation, expected: "inputs of one batch size", got });
  }
  const joint = jointShape(operation, samples);
  const isOpen = (axis: number) =>
    samples.some((shape) => shape[axis - joint.length + shape.length] === null);
  return [batch, ...joint.map((d, axis) => (isOpen(axis) ? null : d))];
}

function merging(
  className: string,
  kernel: Arithmetic,
  { mean = false, most = Number.POSITIVE_INFINITY } = {},
) {
  const operation = className.charAt(0).toLowerCase() + className.slice(1);
  const kind: LayerKind<object> = {
    className,
    merges: true,

    check(_, inputs) {
      requireSeveral(operation, inputs, 2, most);
      mergedShape(operation, inputs);
    },

    outputs: (_, inputs) => [mergedShape(operation, inputs)],

    lower(context, _, flows) {
      const { builder, name } = context;
      const all = combined(context, kernel, flows);
      const value = mean
        ? builder.apply(scaled, `${name}.mean`, [all], { factor: 1 / flows.length })[0]
        : all;
      return [{ value, mask: mergedMask(context, flows) }];
    },

    joinMasks: (context, _, flows) => mergedMask(context, flows),
  };
  return (options?: CommonOptions): Layer =>
    new Layer(kind, {}, layerOptions(operation, options, {}).common) as Layer;
}

/** The sum of two or more inputs, broadcast. Keras: layers.Add. */
export const add = merging("Add", "add");
/** The first of two inputs less the second. Keras: layers.Subtract. */
export const subtract = merging("Subtract", "subtract", { most: 2 });
/** The product of two or more inputs, number by number. Keras: layers.Multiply. */
export const multiply = merging("Multiply", "multiply");
/** The mean of two or more inputs. Keras: layers.Average. */
export const average = merging("Average", "add", { mean: true });
/** The largest of two or more inputs, number by number. Keras: layers.Maximum. */
export const maximum = merging("Maximum", "maximum");
/** The smallest of two or more inputs, number by number. Keras: layers.Minimum. */
export const minimum = merging("Minimum", "minimum");

// ---------------------------------------------------------------------------------------------------------- concatenate

/** The axis counted from the front; the batch cannot be joined. */
function axisOf(axis: number, rank: number): number {
  const place = axis < 0 ? axis + rank : axis;
  if (Number.isSafeInteger(place) && place > 0 && place < rank) return place;
  throw new UnreelError({
    operation: "concatenate: axis",
    expected: `an axis from 1 to ${rank - 1} or from -1`,
    got: show(axis),
  });
}

const concatenateKind: LayerKind<{ axis: number }> = {
  className: "Concatenate",
  merges: true,

  check({ axis }, inputs) {
    requireSeveral("concatenate", inputs, 2);
    const place = axisOf(axis, inputs[0].length);
    const fits = (shape: Shape) =>
      shape.length === inputs[0].length &&
      shape.every((d, index) => index === place || d === inputs[0][index]);
    const different = inputs.find((shape) => !fits(shape));
    if (!different) return;
    const expected = `inputs that agree with ${showShape(inputs[0])} on every axis but ${place}`;
    throw new UnreelError({ operation: "concatenate", expected, got: showShape(different) });
  },

  outputs({ axis }, inputs) {
    const place = axisOf(axis, inputs[0].length);
    const sum = inputs.reduce<number | null>((total, shape) => {
      const d = shape[place];
      return total === null || d === null ? null : total + d;
    }, 0);
    return [inputs[0].map((d, index) => (index === place ? sum : d))];
  },

  mixesTime: ({ axis }) => (axis === 1 ? "it joins sequences" : undefined),

  lower(context, { axis }, flows) {
    const { builder, name } = context;
    const place = axisOf(axis, flows[0].value.shape.length);
    const { timeMajor } = flows[0].value;
    const values = flows.map(({ value }) => inOrder(builder, value, timeMajor && place > 1));
    const equal = requireEqualIn(context);
    for (const { shape } of values) {
      shape.forEach((d, index) => {
        if (index !== place && String(d) !== String(values[0].shape[index])) equal(values[0].shape[index], d);
      });
    }
    const [value] = builder.apply(concatenateOp, name, values, { axis: place });
    return [{ value, mask: maskAlong(context, place, flows) }];
  },

  joinMasks: (context, { axis }, flows) =>
    maskAlong(context, axisOf(axis, flows[0].value.shape.length), flows),
};

function maskAlong(context: LoweringContext, place: number, flows: readonly Flow[]): Value | undefined {
  return place === 1 ? joinedMask(context, flows) : mergedMask(context, flows);
}

/** Masks one after another, as their sequences: all steps of an input without a mask are kept (keras concatenate.py). */
function joinedMask({ builder, name }: LoweringContext, flows: readonly Flow[]): Value | undefined {
  if (!flows.some(({ mask }) => mask)) return undefined;
  const masks = flows.map(({ mask, value }) => {
    if (mask) return builder.batchMajor(mask);
    // Any word but zero keeps a step.
    const [all] = builder.apply(ones, `${name}.kept`, [], { shape: value.shape.slice(0, 2) });
    return { ...all, dtype: "int32" as const };
  });
  return builder.apply(concatenateOp, `${name}.mask`, masks, { axis: 1 })[0];
}

/** Inputs side by side along `axis` (default -1). Keras: layers.Concatenate. */
export function concatenate(options?: { axis?: number } & CommonOptions): Layer {
  const { config, common } = layerOptions("concatenate", options, { axis: -1 });
  return new Layer(concatenateKind, config, common) as unknown as Layer;
}
