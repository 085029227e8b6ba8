// Sizes of axes while a graph is read: numbers, names of what is known at run time only ("B", "T"), and products of these.
import { UnreelError } from "../../errors.js";

export type Dim = number | string;

/** Characters of a size's name: each that is made of two others is as long as both. */
const LONGEST = 1000;

function bounded(dim: string): string {
  if (dim.length <= LONGEST) return dim;
  const expected = `sizes that ${LONGEST} characters can tell`;
  throw new UnreelError({ operation: "shape", expected, got: `${dim.length}` });
}

function parse(dim: Dim): { factor: number; names: string[] } {
  if (typeof dim === "number") return { factor: dim, names: [] };
  const parts = dim.split("*");
  const factor = Number(parts[0]);
  return Number.isNaN(factor) ? { factor: 1, names: parts } : { factor, names: parts.slice(1) };
}

function format(factor: number, names: readonly string[]): Dim {
  if (names.length === 0 || factor === 0) return factor;
  return bounded([...(factor === 1 ? [] : [String(factor)]), ...[...names].sort()].join("*"));
}

export function times(a: Dim, b: Dim): Dim {
  const [x, y] = [parse(a), parse(b)];
  return format(x.factor * y.factor, [...x.names, ...y.names]);
}

export const productOf = (dims: readonly Dim[]): Dim => dims.reduce<Dim>(times, 1);

/** a / b where that is a size as well. */
export function over(a: Dim, b: Dim): Dim | undefined {
  const [x, y] = [parse(a), parse(b)];
  const names = [...x.names];
  for (const name of y.names) {
    const place = names.indexOf(name);
    if (place < 0) return undefined;
    names.splice(place, 1);
  }
  return y.factor !== 0 && x.factor % y.factor === 0 ? format(x.factor / y.factor, names) : undefined;
}

/** Another operator of two sizes: a number of numbers, and else a name of its own, the same for the same operands. */
export function combine(symbol: string, a: Dim, b: Dim, f: (a: number, b: number) => number): Dim {
  if (typeof a === "number" && typeof b === "number") return f(a, b);
  return bounded(`(${a}${symbol}${b})`.replaceAll("*", "·"));
}
