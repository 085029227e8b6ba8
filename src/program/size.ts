// Sizes that are known up to the batch size and the lengths of sequences: Σ coefficient · product of run-time dimensions.
// They are what makes one program, and one memory plan, serve every batch and every length.

/** A dimension: a number, the name of one that is known only at run time ("B", "T"), or a formula of such (B·T). */
export type Dim = number | string | Size;
/** The values of the run-time dimensions in one run. */
export type Dims = Readonly<Record<string, number>>;

/** A dimension that follows from others: max(0, ⌊numerator / divisor⌋), as the number of windows with a stride. */
export interface Quotient {
  readonly numerator: Size;
  readonly divisor: number;
}

/** What derived dimensions are made of. A name is the formula itself, so the same one never means two things. */
const quotients = new Map<string, Quotient>();

/** A polynomial in the run-time dimensions with integer coefficients. Immutable. Keys: factors sorted and joined by "*". */
export class Size {
  readonly terms: ReadonlyMap<string, number>;
  /** The terms taken apart, once: sizes are evaluated in every call of a model. */
  #products: readonly { coefficient: number; factors: readonly string[] }[] | undefined;

  private constructor(terms: Map<string, number>) {
    this.terms = terms;
  }

  static readonly zero = new Size(new Map());

  static of(value: Dim): Size {
    if (value instanceof Size) return value;
    if (typeof value === "string") return new Size(new Map([[value, 1]]));
    return value === 0 ? Size.zero : new Size(new Map([["", value]]));
  }

  /** The product of dimensions: the number of elements of a shape. */
  static product(factors: readonly Dim[]): Size {
    return factors.reduce<Size>((product, factor) => product.times(factor), Size.of(1));
  }

  plus(other: Dim): Size {
    const terms = new Map(this.terms);
    for (const [key, coefficient] of Size.of(other).terms) {
      const sum = (terms.get(key) ?? 0) + coefficient;
      if (sum === 0) terms.delete(key);
      else terms.set(key, sum);
    }
    return new Size(terms);
  }

  times(other: Dim): Size {
    let product = Size.zero;
    for (const [key, coefficient] of this.terms) {
      for (const [otherKey, otherCoefficient] of Size.of(other).terms) {
        const factors = [...split(key), ...split(otherKey)].sort().join("*");
        product = product.plus(new Size(new Map([[factors, coefficient * otherCoefficient]])));
      }
    }
    return product;
  }

  /** A whole part of it, if every coefficient can be divided. */
  dividedBy(divisor: number): Size | undefined {
    const terms = [...this.terms].map(([key, coefficient]): [string, number] => [key, coefficient / divisor]);
    return terms.every(([, coefficient]) => Number.isInteger(coefficient))
      ? new Size(new Map(terms))
      : undefined;
  }

  /** max(0, ⌊this / divisor⌋): where it is no polynomial, a dimension of its own, which every run works out from the others. */
  quotient(divisor: number): Size {
    const { constant } = this;
    if (constant !== undefined) return Size.of(Math.max(0, Math.floor(constant / divisor)));
    // What is divided without a rest, and never negative, stands before the quotient.
    const isPositive = [...this.terms.values()].every((coefficient) => coefficient > 0);
    const [whole, rest] = [new Map<string, number>(), new Map<string, number>()];
    for (const [key, coefficient] of this.terms) {
      if (isPositive && coefficient % divisor === 0) whole.set(key, coefficient / divisor);
      else rest.set(key, coefficient);
    }
    const numerator = new Size(new Map([...rest].sort(([a], [b]) => (a < b ? 1 : -1))));
    if (whole.size > 0) return new Size(whole).plus(numerator.quotient(divisor));
    const formula = `${numerator}`.replaceAll("*", "·");
    const name = divisor === 1 ? `max(0,${formula})` : `⌊(${formula})/${divisor}⌋`;
    quotients.set(name, { numerator, divisor });
    return Size.of(name);
  }

  /** The value when it does not depend on run-time dimensions. */
  get constant(): number | undefined {
    if (this.terms.size === 0) return 0;
    return this.terms.size === 1 ? this.terms.get("") : undefined;
  }

  evaluate(dims: Dims): number {
    this.#products ??= [...this.terms].map(([key, coefficient]) => ({ coefficient, factors: split(key) }));
    let sum = 0;
    for (const { coefficient, factors } of this.#products) {
      let product = coefficient;
      for (const factor of factors) product *= evaluated(factor, dims);
      sum += product;
    }
    return sum;
  }

  /** `coefficient · unit` with a unit of coprime coefficients: buffers of one unit can share memory at every size. */
  factored(): { coefficient: number; unit: Size } {
    const coefficient = [...this.terms.values()].reduce((a, b) => greatestDivisor(a, Math.abs(b)), 0);
    if (coefficient === 0) return { coefficient: 0, unit: Size.of(1) };
    return {
      coefficient,
      unit: new Size(new Map([...this.terms].map(([key, c]) => [key, c / coefficient]))),
    };
  }

  toString(): string {
    if (this.terms.size === 0) return "0";
    const show = ([key, c]: [string, number]) => (key === "" ? `${c}` : c === 1 ? key : `${key}*${c}`);
    return [...this.terms].map(show).join("+").replaceAll("+-", "-");
  }
}

/** A shape whose run-time dimensions are known. */
export function resolveShape(shape: readonly Dim[], dims: Dims): number[] {
  return shape.map((dim) => {
    if (typeof dim === "number") return dim;
    return typeof dim === "string" ? evaluated(dim, dims) : dim.evaluate(dims);
  });
}

/** What a dimension is derived from, if it is. */
export function quotientOf(name: string): Quotient | undefined {
  return quotients.get(name);
}

function evaluated(name: string, dims: Dims): number {
  const derived = quotients.get(name);
  if (!derived) return dims[name];
  return Math.max(0, Math.floor(derived.numerator.evaluate(dims) / derived.divisor));
}

function split(key: string): string[] {
  return key === "" ? [] : key.split("*");
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}
