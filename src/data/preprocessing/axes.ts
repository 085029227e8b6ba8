// Statistics along axes: which axes keep numbers of their own, and which number a value of a tensor belongs to.
import { show, UnreelError } from "../../errors.js";

export type Axis = number | readonly number[] | null;

/** The list of axes that an option `axis` names. */
export function readAxis(operation: string, axis: unknown): number[] {
  const list = axis === null ? [] : typeof axis === "number" ? [axis] : axis;
  if (Array.isArray(list) && list.every(Number.isSafeInteger)) return [...list];
  const expected = "an integer, a list of integers, or null";
  throw new UnreelError({ operation: `${operation}: axis`, expected, got: show(axis) });
}

export class KeptAxes {
  /** Ascending, counted from the front. */
  readonly axes: readonly number[];
  /** Lengths of the kept axes. */
  readonly shape: readonly number[];
  readonly size: number;
  readonly #rank: number;
  readonly #given: readonly number[];

  constructor(operation: string, given: readonly number[], shape: readonly number[]) {
    const rank = shape.length;
    const wrong = given.find((axis) => axis < -rank || axis >= rank);
    if (wrong !== undefined) {
      const expected = `axes of data of shape [${shape}], from ${-rank} to ${rank - 1}`;
      throw new UnreelError({ operation: `${operation}: axis`, expected, got: String(wrong) });
    }
    this.#rank = rank;
    this.#given = given;
    this.axes = [...new Set(given.map((axis) => (axis < 0 ? axis + rank : axis)))].sort((a, b) => a - b);
    this.shape = this.axes.map((axis) => shape[axis]);
    this.size = this.shape.reduce((product, length) => product * length, 1);
  }

  /** Refuses data whose kept axes are others than those before. Where none is kept, any shape will do. */
  check(operation: string, shape: readonly number[]): void {
    if (this.axes.length === 0) return;
    const fits = shape.length === this.#rank && this.axes.every((axis, i) => shape[axis] === this.shape[i]);
    if (fits) return;
    const wanted = Array.from({ length: this.#rank }, (_, axis) => {
      const kept = this.axes.indexOf(axis);
      return kept < 0 ? "…" : this.shape[kept];
    });
    const expected = `shape [${wanted.join(", ")}], as before (axis ${show([...this.#given])})`;
    throw new UnreelError({ operation, expected, got: `[${shape.join(", ")}]` });
  }

  /** Calls back with each value's position in data of a shape, and the place of its kept axes. */
  each(shape: readonly number[], take: (position: number, place: number) => void): void {
    const strides = new Array<number>(shape.length).fill(0);
    let stride = 1;
    for (let i = this.axes.length - 1; i >= 0; i--) {
      strides[this.axes[i]] = stride;
      stride *= this.shape[i];
    }
    const index = new Array<number>(shape.length).fill(0);
    const count = shape.reduce((product, length) => product * length, 1);
    let place = 0;
    for (let n = 0; n < count; n++) {
      take(n, place);
      for (let axis = shape.length - 1; axis >= 0; axis--) {
        index[axis]++;
        place += strides[axis];
        if (index[axis] < shape[axis]) break;
        place -= index[axis] * strides[axis];
        index[axis] = 0;
      }
    }
  }

  /** Rank and lengths, enough to make it again. */
  toJSON(): { rank: number; shape: readonly number[] } {
    return { rank: this.#rank, shape: this.shape };
  }

  static fromJSON(
    operation: string,
    given: readonly number[],
    { rank, shape }: Record<string, unknown>,
  ): KeptAxes {
    const isRank = Number.isSafeInteger(rank) && (rank as number) >= 0 && (rank as number) < 64;
    const isShape =
      Array.isArray(shape) && shape.every((length) => Number.isSafeInteger(length) && length >= 0);
    if (!isRank || !isShape) {
      const got = `${show(rank)} and ${show(shape)}`;
      throw new UnreelError({ operation: `${operation}: state`, expected: "a rank and lengths", got });
    }
    const whole = new Array<number>(rank as number).fill(1);
    const { axes } = new KeptAxes(operation, given, whole);
    if (axes.length !== shape.length) {
      const expected = `${axes.length} lengths`;
      throw new UnreelError({ operation: `${operation}: state`, expected, got: show(shape) });
    }
    axes.forEach((axis, i) => {
      whole[axis] = shape[i];
    });
    return new KeptAxes(operation, given, whole);
  }

  /** Lists of numbers of a saved state, one number for each place. */
  readState(operation: string, state: Record<string, unknown>, names: readonly string[]): Float64Array[] {
    return names.map((name) => {
      const list = state[name];
      if (Array.isArray(list) && list.length === this.size && list.every(Number.isFinite))
        return Float64Array.from(list);
      const expected = `${this.size} finite numbers`;
      throw new UnreelError({ operation: `${operation}: ${name}`, expected, got: show(list) });
    });
  }
}
