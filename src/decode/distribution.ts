// What is known of the next id: logarithms of probabilities, and the likeliest ids. The same bits on every engine.
import { show, UnreelError } from "../errors.js";
import { exponential, logarithm } from "../numerics.js";
import { type TensorLike, tensor } from "../tensor.js";

/** What a row of numbers means: weights from 0 on, which need not add up to 1, or logarithms of such up to a constant. */
export type Kind = "probabilities" | "logits";

/** Natural logarithms of the probabilities, one for each id: they add up to 1, and -Infinity is an id that never comes. Axes of size
 * one in front of the ids are welcome, as predict and streams give them. */
export function logProbabilities(operation: string, given: TensorLike, kind: Kind): Float64Array {
  const { data, shape } = tensor(given);
  if (data.length === 0 || data.length !== shape.at(-1)) {
    const expected = "one row of numbers, one for each id";
    throw new UnreelError({ operation, expected, got: `shape [${shape}]` });
  }
  const allowed = kind === "logits" ? isLogit : isWeight;
  const wrong = data.findIndex((value) => !allowed(value));
  if (wrong >= 0) {
    throw new UnreelError({
      operation,
      expected:
        kind === "logits" ? "logits: numbers or -Infinity" : "probabilities: finite numbers, 0 or more",
      got: `${data[wrong]} for id ${wrong}`,
      hint: data[wrong] < 0 ? "Logits are given with fromLogits: true, by a step as { logits }." : undefined,
    });
  }
  let max = data[0];
  for (const value of data) max = Math.max(max, value);
  if (max === (kind === "logits" ? Number.NEGATIVE_INFINITY : 0)) {
    throw new UnreelError({
      operation,
      expected: "an id that is possible",
      got: `${show(max)} for every id`,
    });
  }
  let sum = 0;
  for (const value of data) sum += kind === "logits" ? exponential(value - max) : value;
  const logSum = logarithm(sum);
  return Float64Array.from(data, (value) => {
    if (kind === "logits") return value - max - logSum;
    return value === 0 ? Number.NEGATIVE_INFINITY : logarithm(value) - logSum;
  });
}

const isWeight = (value: number) => value >= 0 && value < Number.POSITIVE_INFINITY;
const isLogit = (value: number) => value < Number.POSITIVE_INFINITY;

/** The `count` ids with the largest values, largest first; of equal ones the lower id comes first. */
export function likeliest(values: ArrayLike<number>, count: number): number[] {
  const compare = (a: number, b: number) => (values[a] > values[b] ? -1 : values[a] < values[b] ? 1 : a - b);
  if (count > FEW)
    return Array.from(values, (_, id) => id)
      .sort(compare)
      .slice(0, count);
  const found: number[] = [];
  for (let id = 0; id < values.length; id++) {
    if (found.length === count && !(values[id] > values[found[count - 1]])) continue;
    let place = found.length;
    while (place > 0 && values[found[place - 1]] < values[id]) place--;
    found.splice(place, 0, id);
    if (found.length > count) found.pop();
  }
  return found;
}

/** Up to so many are kept sorted while the ids are read: most are smaller than the last that is kept. */
const FEW = 64;
