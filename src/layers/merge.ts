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
import { type CommonOptions, type Flow, Layer, type LayerKind, type LoweringContext } from "./layer.js";
import { type Shape, showShape } from "./symbolic.js";

/** All values in the memory order of the first. */
function aligned({ builder }: LoweringContext, flows: readonly Flow[]): Value[] {
  const values = flows.map(({ value }) => value);
  return values.map((value) => (values[0].timeMajor ? builder.timeMajor(value) : builder.batchMajor(value)));
}

/** The mask where all inputs that have one agree on it; Keras combines differing ones, which is refused here by name. */
function commonMask(name: string, flows: readonly Flow[]): Value | undefined {
  const masks = new Set(flows.flatMap(({ mask }) => (mask ? [mask.root] : [])));
  if (masks.size > 1) {
    const hint = "Mask the merged value instead, or mask all inputs alike.";
    throw new UnreelError({
      operation: name,
      expected: "inputs under one mask",
      got: `${masks.size} different masks`,
      hint,
    });
  }
  return flows.every(({ mask }) => mask) ? flows[0].mask : undefined;
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

/** The values one after another. What stands at masked steps does not take part in products, maxima and minima. */
function combined(context: LoweringContext, kernel: Arithmetic, flows: readonly Flow[]): Value {
  const { builder, name } = context;
  const values = aligned(context, flows);
  const { timeMajor } = values[0];
  const masks = flows.map(
    ({ mask }) => mask && (timeMajor ? builder.timeMajor(mask) : builder.batchMajor(mask)),
  );
  const join = (a: Value, b: Value) => builder.apply(arithmetic, name, [a, b], { kernel })[0];
  const select = (mask: Value | undefined, ...from: [Value, Value?]) =>
    mask ? builder.apply(selectRows, `${name}.masked`, [mask, ...from], {})[0] : from[0];
  const mask = masks.every(Boolean) ? masks[0] : undefined;
  if (kernel === "multiply") {
    if (mask) return select(mask, values.reduce(join));
    const one = (shape: Value["shape"]) => ({
      ...builder.apply(ones, `${name}.ones`, [], { shape })[0],
      timeMajor,
    });
    return values
      .map((value, k) => (masks[k] ? select(masks[k], value, one(value.shape)) : value))
      .reduce(join);
  }
  if (kernel !== "maximum" && kernel !== "minimum") return values.reduce(join);
  // Where all are masked, the first.
  let joinedMask = masks[0];
  return values.reduce((a, b, k) => {
    const right = select(masks[k], b, a);
    const joined = join(select(joinedMask, a, right), right);
    joinedMask = joinedMask && masks[k];
    return joined;
  });
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
      const different = inputs.find(
        (shape) => shape.length !== inputs[0].length || shape.some((d, axis) => d !== inputs[0][axis]),
      );
      if (!different) return;
      const expected = `inputs of one shape, ${showShape(inputs[0])}`;
      throw new UnreelError({ operation, expected, got: showShape(different) });
    },

    outputs: (_, [first]) => [first],

    lower(context, _, flows) {
      const { builder, name } = context;
      const all = combined(context, kernel, flows);
      const value = mean
        ? builder.apply(scaled, `${name}.mean`, [all], { factor: 1 / flows.length })[0]
        : all;
      return [{ value, mask: commonMask(name, flows) }];
    },
  };
  return (options?: CommonOptions): Layer =>
    new Layer(kind, {}, layerOptions(operation, options, {}).common) as Layer;
}

/** The sum of two or more inputs of one shape. Keras: layers.Add. */
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
    const isLast = place === flows[0].value.shape.length - 1;
    const values =
      isLast && place > 1 ? aligned(context, flows) : flows.map(({ value }) => builder.batchMajor(value));
    const [value] = builder.apply(concatenateOp, name, values, { axis: place });
    return [{ value, mask: place === 1 ? undefined : commonMask(name, flows) }];
  },
};

/** Inputs side by side along `axis` (default -1). Keras: layers.Concatenate. */
export function concatenate(options?: { axis?: number } & CommonOptions): Layer {
  const { config, common } = layerOptions("concatenate", options, { axis: -1 });
  return new Layer(concatenateKind, config, common) as unknown as Layer;
}
