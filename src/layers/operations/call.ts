// What the files of `ops.*` share: an operation is a layer without weights, applied at once; its operands and axes are checked
// when it is written.
import { show, UnreelError } from "../../errors.js";
import type { Dim } from "../../program/size.js";
import type { LayerKind, LoweringContext } from "../kind.js";
import { Layer } from "../layer.js";
import { type Shape, SymbolicTensor, showShape } from "../symbolic.js";
import type { RequireEqual } from "../values.js";

export type Operand = SymbolicTensor | number;

/** One output of a kind applied to some tensors. */
export function applied<C extends object>(
  kind: LayerKind<C>,
  config: C,
  inputs: readonly SymbolicTensor[],
): SymbolicTensor {
  return new Layer({ ...kind, isOperation: true }, config).call(inputs).outputs[0];
}

export function requireTensor(operation: string, ...given: unknown[]): void {
  const wrong = given.findIndex((each) => !(each instanceof SymbolicTensor));
  if (wrong < 0 && given.length > 0) return;
  throw new UnreelError({ operation, expected: "a symbolic tensor", got: show(given[wrong]) });
}

/** Has the host check equal dimensions, on behalf of the layer that needs them. */
export function requireEqualIn({ name, requireEqual }: LoweringContext): RequireEqual {
  return (a: Dim, b: Dim) => requireEqual({ what: name, a, b, as: "places along one axis, in all operands" });
}

/** An axis counted from the front, of a tensor of some rank. */
export function placeOf(operation: string, axis: unknown, rank: number): number {
  const place = typeof axis === "number" && axis < 0 ? axis + rank : axis;
  if (typeof place === "number" && Number.isSafeInteger(place) && place >= 0 && place < rank) return place;
  const expected = rank === 0 ? "a tensor with axes" : `an axis from ${-rank} to ${rank - 1}`;
  throw new UnreelError({ operation: `${operation}: axis`, expected, got: show(axis) });
}

/** Different axes counted from the front, sorted; all of them when none are given. */
export function placesOf(operation: string, axes: unknown, rank: number): number[] {
  if (axes === undefined || axes === null) return Array.from({ length: rank }, (_, axis) => axis);
  const places = [axes].flat().map((axis) => placeOf(operation, axis, rank));
  if (new Set(places).size === places.length) return places.sort((a, b) => a - b);
  throw new UnreelError({ operation: `${operation}: axis`, expected: "different axes", got: show(axes) });
}

/** The shape of operands together: aligned at their last axes, axes of size one grow. Unknown sizes are checked at run time. */
export function jointShape(operation: string, shapes: readonly Shape[]): Shape {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, axis) => {
    const here = shapes.flatMap((shape) => {
      const d = shape[axis - rank + shape.length];
      return d === undefined || d === 1 ? [] : [d];
    });
    const size = here.find((d) => d !== null);
    if (here.some((d) => d !== null && d !== size)) {
      throw new UnreelError({
        operation,
        expected: "operands whose axes agree or have size 1",
        got: shapes.map(showShape).join(" and "),
      });
    }
    return here.length === 0 ? 1 : (size ?? null);
  });
}
