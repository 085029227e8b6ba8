// The same numbers in another shape or order, parts of them, several side by side. keras.io/api/ops/numpy
import { show, UnreelError } from "../../errors.js";
import { reverse } from "../../ops/index.js";
import { type Dim, Size } from "../../program/size.js";
import type { LayerKind } from "../kind.js";
import { Layer } from "../layer.js";
import * as merge from "../merge.js";
import { checkTarget, reshaped, reshapedDims } from "../reshaped.js";
import { type SymbolicTensor, showShape } from "../symbolic.js";
import { dim, inOrder, permute, reshape as reshapeValue, slice as sliceValue } from "../values.js";
import { applied, placeOf, placesOf, requireEqualIn, requireTensor } from "./call.js";

// -------------------------------------------------------------------------------------------------------------- reshape

interface ReshapeConfig {
  /** Without the batch if that stays. */
  target: readonly number[];
  keepsBatch: boolean;
  mixes: boolean;
}

const reshapeKind: LayerKind<ReshapeConfig> = {
  className: "Reshape",
  outputs({ target, keepsBatch }, [shape]) {
    const kept = keepsBatch ? 1 : 0;
    return [[...shape.slice(0, kept), ...reshaped("ops.reshape", shape.slice(kept), target)]];
  },
  mixesTime: ({ mixes }) => (mixes ? "it changes the axis of time" : undefined),
  lower(context, { target, keepsBatch }, [{ value }]) {
    const { builder, name } = context;
    const kept = keepsBatch ? 1 : 0;
    const rest = reshapedDims(name, value.shape.slice(kept), target, requireEqualIn(context));
    return [{ value: reshapeValue(builder, name, value, [...value.shape.slice(0, kept), ...rest]) }];
  },
};

/** The same numbers in another shape, the batch included: it stays in front as null (or -1); one other size may be -1. */
export function reshape(x: SymbolicTensor, newShape: readonly (number | null)[]): SymbolicTensor {
  requireTensor("ops.reshape", x);
  const [batch] = x.shape;
  const keepsBatch = batch === null;
  if (!keepsBatch) {
    const target = checkTarget("ops.reshape: newShape", newShape);
    return applied(reshapeKind, { target, keepsBatch, mixes: x.shape.length > 2 }, [x]);
  }
  const [first, ...rest] = Array.isArray(newShape) ? newShape : [undefined];
  if (first !== null && first !== -1) {
    throw new UnreelError({
      operation: "ops.reshape: newShape",
      expected: "the batch in front, as null",
      got: show(newShape),
      hint: `Write [null, …] and the shape of a sample, whose numbers are now ${showShape(x.shape.slice(1))}.`,
    });
  }
  const target = checkTarget("ops.reshape: newShape", rest);
  return applied(reshapeKind, { target, keepsBatch, mixes: x.shape.length > 2 }, [x]);
}

// ------------------------------------------------------------------------------------------------- axes of size one

const axesKind: LayerKind<{ removed: readonly number[]; added: readonly number[]; mixes: boolean }> = {
  className: "Axes",
  outputs: ({ removed, added }, [shape]) => [changed(shape, removed, added)],
  mixesTime: ({ mixes }) => (mixes ? "it moves the axis of time" : undefined),
  lower: ({ builder, name }, { removed, added }, [{ value }]) => [
    { value: reshapeValue(builder, name, value, changed(value.shape, removed, added)) },
  ],
};

function changed<D>(shape: readonly D[], removed: readonly number[], added: readonly number[]): (D | 1)[] {
  const result: (D | 1)[] = shape.filter((_, axis) => !removed.includes(axis));
  for (const axis of added) result.splice(axis, 0, 1);
  return result;
}

/** Without axes of size 1: one, some, or all of them. */
export function squeeze(x: SymbolicTensor, axis?: number | readonly number[] | null): SymbolicTensor {
  requireTensor("ops.squeeze", x);
  const all = placesOf("ops.squeeze", axis, x.shape.length);
  const isAll = axis === undefined || axis === null;
  const removed = isAll ? all.filter((place) => x.shape[place] === 1) : all;
  const wrong = removed.find((place) => x.shape[place] !== 1);
  if (wrong !== undefined) {
    const got = `axis ${wrong} of ${showShape(x.shape)}`;
    throw new UnreelError({ operation: "ops.squeeze: axis", expected: "an axis of size 1", got });
  }
  const mixes = x.shape.length > 2 && removed.some((place) => place < 2);
  return applied(axesKind, { removed, added: [], mixes }, [x]);
}

/** With an axis of size 1 more, at `axis` of the result. */
export function expandDims(x: SymbolicTensor, axis: number): SymbolicTensor {
  requireTensor("ops.expandDims", x);
  const place = placeOf("ops.expandDims", axis, x.shape.length + 1);
  const mixes = place < 2 && x.shape.length > 2;
  return applied(axesKind, { removed: [], added: [place], mixes }, [x]);
}

// ------------------------------------------------------------------------------------------------------------ transpose

const transposeKind: LayerKind<{ axes: readonly number[] }> = {
  className: "Transpose",
  outputs: ({ axes }, [shape]) => [axes.map((axis) => shape[axis])],
  mixesTime: ({ axes }) => (axes.length > 2 && axes[1] !== 1 ? "it moves the axis of time" : undefined),
  lower: ({ builder, name }, { axes }, [{ value }]) => {
    const stays = axes.every((axis, place) => axis === place);
    return [{ value: stays ? value : permute(builder, name, value, axes) }];
  },
};

/** The axes in another order: axis k of the result is axis `axes[k]` of x. Default: all of them reversed. */
export function transpose(x: SymbolicTensor, axes?: readonly number[]): SymbolicTensor {
  requireTensor("ops.transpose", x);
  const rank = x.shape.length;
  const order = axes
    ? [axes].flat().map((axis) => placeOf("ops.transpose", axis, rank))
    : x.shape.map((_, k) => rank - 1 - k);
  if (order.length !== rank || new Set(order).size !== rank) {
    const expected = `each of ${rank} axes once`;
    throw new UnreelError({ operation: "ops.transpose: axes", expected, got: show(axes) });
  }
  return applied(transposeKind, { axes: order }, [x]);
}

// ---------------------------------------------------------------------------------------------------------------- parts

/** Some places along one axis; negative `from` counts from the end, -1 as `size` is all that is left. */
interface Part {
  axis: number;
  from: number;
  size: number;
}

const sliceKind: LayerKind<{ parts: readonly Part[]; mixes: boolean }> = {
  className: "Slice",
  outputs({ parts }, [shape]) {
    const sizes = [...shape];
    for (const { axis, from, size } of parts) {
      const whole = shape[axis];
      if (size !== -1) sizes[axis] = size;
      else if (whole !== null) sizes[axis] = from < 0 ? -from : whole - from;
    }
    return [sizes];
  },
  mixesTime: ({ mixes }) => (mixes ? "it takes some of the steps" : undefined),
  lower({ builder, name }, { parts }, [flow]) {
    let { value } = flow;
    for (const { axis, from, size } of parts) {
      const whole = value.shape[axis];
      const start: Dim = from < 0 ? dim(Size.of(whole).plus(from)) : from;
      const rest = from < 0 ? -from : dim(Size.of(whole).plus(-from));
      value = sliceValue(builder, name, value, axis, start, size === -1 ? rest : size);
    }
    return [{ value }];
  },
};

/** `shape[k]` places along each axis k from `start[k]` on; -1 takes all that is left. Of an axis of unknown size (the batch, a
 * length) that is the whole of it, all but its first place, or one place: the first (0) or the last (-1). */
export function slice(x: SymbolicTensor, start: readonly number[], shape: readonly number[]): SymbolicTensor {
  const operation = "ops.slice";
  requireTensor(operation, x);
  for (const [what, list] of Object.entries({ start, shape })) {
    if (Array.isArray(list) && list.length === x.shape.length && list.every(Number.isSafeInteger)) continue;
    const expected = `a whole number for each axis of ${showShape(x.shape)}`;
    throw new UnreelError({ operation: `${operation}: ${what}`, expected, got: show(list) });
  }
  const parts = x.shape.flatMap((whole, axis): Part[] => {
    const [from, size] = [start[axis], shape[axis]];
    if (from === 0 && (size === -1 || size === whole)) return [];
    const fits =
      whole === null
        ? (size === 1 && (from === 0 || from === -1)) || (size === -1 && from === 1)
        : from >= -whole &&
          from < whole &&
          (size === -1 || (size > 0 && ((from + whole) % whole) + size <= whole));
    if (!fits) {
      const hint = whole === null ? "Give the input a fixed length to take other parts." : undefined;
      const got = `${size} from ${from} on`;
      throw new UnreelError({
        operation,
        expected: `a part of axis ${axis} of ${showShape(x.shape)}`,
        got,
        hint,
      });
    }
    return [{ axis, from: whole === null ? from : (from + whole) % whole, size }];
  });
  const mixes = x.shape.length > 2 && parts.some(({ axis }) => axis === 1);
  return applied(sliceKind, { parts, mixes }, [x]);
}

const splitKind: LayerKind<{ axis: number; ends: readonly number[]; mixes: boolean }> = {
  className: "Split",
  outputs: ({ axis, ends }, [shape]) =>
    ends.map((end, part) => shape.with(axis, end - (part === 0 ? 0 : ends[part - 1]))),
  mixesTime: ({ mixes }) => (mixes ? "it takes a sequence apart" : undefined),
  lower: ({ builder, name }, { axis, ends }, [{ value }]) =>
    ends.map((end, part) => {
      const from = part === 0 ? 0 : ends[part - 1];
      const out = sliceValue(builder, name, value, axis, from, end - from);
      return { value: out };
    }),
};

/** Parts along an axis (default the last): so many equal ones, or with a list, those between the given places. */
export function split(x: SymbolicTensor, parts: number | readonly number[], axis = -1): SymbolicTensor[] {
  const operation = "ops.split";
  requireTensor(operation, x);
  const place = placeOf(operation, axis, x.shape.length);
  const size = x.shape[place];
  if (size === null) {
    const got = `axis ${place} of ${showShape(x.shape)}`;
    throw new UnreelError({ operation, expected: "an axis of known size", got });
  }
  let ends: number[];
  if (typeof parts === "number") {
    if (!Number.isSafeInteger(parts) || parts < 1 || size % parts !== 0) {
      const expected = `a number of parts that divides ${size}`;
      throw new UnreelError({ operation, expected, got: show(parts) });
    }
    ends = Array.from({ length: parts }, (_, part) => ((part + 1) * size) / parts);
  } else {
    ends = [...(Array.isArray(parts) ? parts : [Number.NaN]), size];
    if (ends.some((end, part) => !Number.isSafeInteger(end) || end <= (part === 0 ? 0 : ends[part - 1]))) {
      const expected = `growing places inside ${size}`;
      throw new UnreelError({ operation, expected, got: show(parts) });
    }
  }
  const mixes = x.shape.length > 2 && place === 1;
  return [...new Layer({ ...splitKind, isOperation: true }, { axis: place, ends, mixes }).call([x]).outputs];
}

/** Tensors side by side along `axis` (default -1). */
export function concatenate(xs: readonly SymbolicTensor[], axis = -1): SymbolicTensor {
  return merge.concatenate({ axis }).apply(xs) as SymbolicTensor;
}

/** Tensors of one shape side by side along a new axis, at `axis` of the result. */
export function stack(xs: readonly SymbolicTensor[], axis: number): SymbolicTensor {
  requireTensor("ops.stack", ...(Array.isArray(xs) ? xs : []));
  const place = placeOf("ops.stack", axis, xs[0].shape.length + 1);
  return concatenate(
    xs.map((x) => expandDims(x, place)),
    place,
  );
}

// ----------------------------------------------------------------------------------------------------------------- flip

const flipKind: LayerKind<{ axis: number; rank: number }> = {
  className: "Flip",
  outputs: (_, [shape]) => [shape],
  mixesTime: ({ axis, rank }) => (axis === 1 && rank > 2 ? "it reads the sequence from its end" : undefined),
  lower({ builder, name }, { axis, rank }, [{ value }]) {
    if (axis === 1) return [{ value: builder.apply(reverse, name, [builder.timeMajor(value)], {})[0] }];
    // The kernel turns the outermost axis of what lies time-major; the axis comes there, and goes back.
    const order = [axis, ...Array.from({ length: rank }, (_, k) => k).filter((k) => k !== axis)];
    const front = permute(builder, name, value, order);
    const rows = reshapeValue(builder, name, front, [
      1,
      front.shape[0],
      dim(Size.product(front.shape.slice(1))),
    ]);
    const [turned] = builder.apply(reverse, name, [inOrder(builder, rows, true)], {});
    const back = reshapeValue(builder, name, { ...turned, timeMajor: false }, front.shape);
    const inverse = order.map((_, k) => order.indexOf(k));
    return [{ value: permute(builder, name, back, inverse) }];
  },
};

/** The places along an axis in the opposite order. */
export function flip(x: SymbolicTensor, axis: number): SymbolicTensor {
  requireTensor("ops.flip", x);
  const rank = x.shape.length;
  return applied(flipKind, { axis: placeOf("ops.flip", axis, rank), rank }, [x]);
}
