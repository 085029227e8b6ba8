// How whoever reads a file complains: the file, the place in it, what was expected there, what was found.
import { UnreelError } from "../errors.js";

/** Refuses a file. `place` is where in it: a field, a node, a byte. */
export type Complain = (place: string, expected: string, got: string, hint?: string) => never;

/** One for a file. */
export function complainOf(file: string): Complain {
  return (place, expected, got, hint) => {
    throw new UnreelError({ operation: `${file}: ${place}`, expected, got, hint });
  };
}

/** Numbers in an array of this shape; NaN where that is no count a file could have. */
export function countOf(shape: readonly number[]): number {
  let count = 1;
  for (const size of shape) {
    if (!Number.isSafeInteger(size) || size < 0) return Number.NaN;
    count *= size;
  }
  return Number.isSafeInteger(count) ? count : Number.NaN;
}
