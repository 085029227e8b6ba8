// The shape that a reshape gives, symbolic and in a program: for the layer and for `ops.reshape`.
import { show, UnreelError } from "../errors.js";
import { type Dim, Size } from "../program/size.js";
import type { Shape } from "./symbolic.js";
import { dim, type RequireEqual } from "./values.js";

/** Refuses what is no list of sizes with one -1 at most. */
export function checkTarget(operation: string, target: unknown): readonly number[] {
  const isSize = (d: unknown) => typeof d === "number" && Number.isSafeInteger(d) && (d > 0 || d === -1);
  if (Array.isArray(target) && target.every(isSize) && target.filter((d) => d === -1).length < 2)
    return target;
  throw new UnreelError({
    operation,
    expected: "an array of positive integers, one of which may be -1",
    got: show(target),
  });
}

const product = (sizes: readonly number[]) => sizes.reduce((a, b) => a * b, 1);
const knownOf = (target: readonly number[]) => product(target.filter((d) => d !== -1));

/** The new shape of axes `from`; what -1 stands for is unknown where a size in `from` is. */
export function reshaped(operation: string, from: Shape, target: readonly number[]): Shape {
  const known = product(from.filter((d) => d !== null));
  const isOpen = from.includes(null);
  const wanted = knownOf(target);
  const guesses = target.includes(-1);
  const fits = isOpen ? !guesses || known % wanted === 0 : guesses ? known % wanted === 0 : known === wanted;
  if (!fits) {
    throw new UnreelError({
      operation,
      expected: `a shape for ${isOpen ? `${known} numbers for each step` : `${known} numbers`}`,
      got: show(target),
      hint: isOpen
        ? "An axis of unknown length stays whole: the others must share the rest evenly."
        : undefined,
    });
  }
  return target.map((d) => (d === -1 ? (isOpen ? null : known / wanted) : d));
}

/** The same for a value in a program. */
export function reshapedDims(
  operation: string,
  from: readonly Dim[],
  target: readonly number[],
  requireEqual: RequireEqual,
): Dim[] {
  const total = Size.product(from);
  const wanted = knownOf(target);
  if (!target.includes(-1)) {
    if (total.constant !== wanted) requireEqual(wanted, total);
    return [...target];
  }
  const rest = total.dividedBy(wanted);
  if (rest) return target.map((d) => (d === -1 ? dim(rest) : d));
  const got = `${total} numbers`;
  throw new UnreelError({ operation, expected: `a multiple of ${wanted} numbers`, got });
}
