// A value seen along one of its axes as it lies in memory: [outer, n, inner].
import { type Dim, Size } from "../program/size.js";
import type { Value } from "./op.js";

/** The shape in the order in which the axes lie in memory. */
export function memoryShape({ shape, timeMajor }: Pick<Value, "shape" | "timeMajor">): readonly Dim[] {
  return timeMajor ? [shape[1], shape[0], ...shape.slice(2)] : shape;
}

/** [outer, n, inner] along `count` neighbouring axes from `axis` on, which must be neighbours in memory too. */
export function along(
  value: Pick<Value, "shape" | "timeMajor">,
  axis: number,
  count = 1,
): [Size, Size, Size] {
  const shape = memoryShape(value);
  const first = value.timeMajor && axis < 2 && count === 1 ? 1 - axis : axis;
  return [
    Size.product(shape.slice(0, first)),
    Size.product(shape.slice(first, first + count)),
    Size.product(shape.slice(first + count)),
  ];
}
