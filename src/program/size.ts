// Sizes that are known up to the batch size and the lengths of sequences: Σ coefficient · product of run-time dimensions.
// They are what makes one program, and one memory plan, serve every batch and every length.

/** A dimension: a number, the name of one that is known only at run time ("B", "T"), or a formula of such (B·T). */
export type Dim = number | string | Size;
/** The values of the run-time dimensions in one run. */
export type Dims = Readonly<Record<string, number>>;

/** A polynomial in the run-time dimensions with integer coefficients. Immutable. Keys: factors sorted and joined by "*". */
export class Size {
  readonly terms: ReadonlyMap<string, number>;

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

  /** The value when it does not depend on run-time dimensions. */
  get constant(): number | undefined {
    if (this.terms.size === 0) return 0;
    return this.terms.size === 1 ? this.terms.get("") : undefined;
  }

  evaluate(dims: Dims): number {
    let sum = 0;
    for (const [key, coefficient] of this.terms) {
      sum += split(key).reduce((product, factor) => product * dims[factor], coefficient);
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

function split(key: string): string[] {
  return key === "" ? [] : key.split("*");
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}
