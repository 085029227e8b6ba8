// Limits that weights are brought back to after each update. Definitions: keras.io/api/layers/constraints.
import { inRange, show, UnreelError } from "../errors.js";
import type { Builder } from "../ops/builder.js";
import { count, type Value } from "../ops/op.js";
import { readOptions } from "./options.js";

/** Brings a weight back to where it may be. */
export interface Constraint {
  readonly className: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** Emits the calls that change the weight in place, after its update. */
  emit(call: Builder["call"], weight: Value): void;
  /** Refuses a weight of a shape that it cannot limit. */
  check?(operation: string, shape: readonly number[]): void;
}

export type ConstraintLike = Constraint | string;

/** One axis, several that lie side by side, or null for all. */
type Axis = number | readonly number[] | null;

interface Along {
  /** The axis, or axes, along which a length is taken; default 0: the weights into each unit. */
  axis?: Axis;
}

/** How the kernel sees a weight: outer · inner vectors of n numbers. */
function layout(operation: string, axis: Axis, shape: readonly number[]): [number, number, number] {
  const all = shape.map((_, index) => index);
  const given = axis === null ? all : [axis].flat();
  const axes = given.map((each) => (each < 0 ? each + shape.length : each)).sort((a, b) => a - b);
  const sizes = `shape [${shape}]`;
  const outside = given.find((each) => each < -shape.length || each >= shape.length);
  if (outside !== undefined) {
    throw new UnreelError({ operation, expected: `an axis of ${sizes}`, got: `${outside}` });
  }
  if (axes.some((each, index) => each !== axes[0] + index)) {
    throw new UnreelError({
      operation,
      expected: `one axis of ${sizes}, or several side by side, each once`,
      got: show(axis),
    });
  }
  const size = (part: readonly number[]) => part.reduce((a, b) => a * b, 1);
  const end = axes[0] + axes.length;
  return [size(shape.slice(0, axes[0])), size(shape.slice(axes[0], end)), size(shape.slice(end))];
}

/** Lengths between `least` and `most`, as far as `rate` goes. */
function lengths<C extends { axis: Axis }>(
  className: string,
  operation: string,
  config: C,
  least: number,
  most: number,
  rate: number,
): Constraint {
  const { axis } = config;
  const axes = axis === null ? [0] : [axis].flat();
  if (axes.length === 0 || !axes.every((each) => Number.isSafeInteger(each))) {
    const expected = "a whole number, a list of them, or null for all axes";
    throw new UnreelError({ operation: `${operation}: axis`, expected, got: show(axis) });
  }
  return {
    className,
    config,
    check: (what, shape) => {
      layout(`${what}: ${operation}: axis`, axis, shape);
    },
    emit(call, weight) {
      const sizes = layout(weight.name, axis, weight.shape as readonly number[]);
      call("limitLengths", weight, ...sizes, least, most, rate);
    },
  };
}

/** Vectors no longer than `maxValue`; defaults maxValue 2, axis 0. Keras: constraints.MaxNorm. */
export function maxNorm(options: { maxValue?: number } & Along = {}): Constraint {
  const operation = "constraints.maxNorm";
  const config = readOptions(operation, options, { maxValue: 2, axis: 0 as Axis });
  const most = inRange(`${operation}: maxValue`, config.maxValue, 0, Number.MAX_VALUE);
  return lengths("MaxNorm", operation, config, 0, most, 1);
}

/** Vectors of length one; default axis 0. Keras: constraints.UnitNorm. */
export function unitNorm(options: Along = {}): Constraint {
  const operation = "constraints.unitNorm";
  return lengths("UnitNorm", operation, readOptions(operation, options, { axis: 0 as Axis }), 1, 1, 1);
}

/** Vectors between `minValue` and `maxValue` long; with `rate` below 1 they go only that share of the way at each step.
 * Defaults: minValue 0, maxValue 1, rate 1, axis 0. Keras: constraints.MinMaxNorm. */
export function minMaxNorm(
  options: { minValue?: number; maxValue?: number; rate?: number } & Along = {},
): Constraint {
  const operation = "constraints.minMaxNorm";
  const defaults = { minValue: 0, maxValue: 1, rate: 1, axis: 0 as Axis };
  const config = readOptions(operation, options, defaults);
  const most = inRange(`${operation}: maxValue`, config.maxValue, 0, Number.MAX_VALUE);
  const least = inRange(`${operation}: minValue`, config.minValue, 0, most, true);
  const rate = inRange(`${operation}: rate`, config.rate, 0, 1, true);
  return lengths("MinMaxNorm", operation, config, least, most, rate);
}

/** Nothing below zero. Keras: constraints.NonNeg. */
export function nonNeg(): Constraint {
  return {
    className: "NonNeg",
    config: {},
    emit: (call, weight) => call("relu", weight, weight, count(weight)),
  };
}
