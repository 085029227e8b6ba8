// Nested arrays of keys (strings or integers), of one shape: what tensors cannot hold, or not exactly.
import { show, UnreelError } from "../../errors.js";
import { requireEnd, Tensor } from "../../tensor.js";
import type { Key, KeyKind } from "./vocabulary.js";

export type Nested<K> = K | readonly Nested<K>[];

export interface Keys<K extends Key> {
  readonly keys: K[];
  readonly shape: number[];
}

/** All keys of nested arrays, a tensor or a typed array, row by row. Every key is checked, ragged arrays are refused. */
export function readKeys<K extends Key>(operation: string, given: unknown, kind: KeyKind<K>): Keys<K> {
  const keys: K[] = [];
  const path: number[] = [];
  const place = () => (path.length ? ` at [${path.join("][")}]` : "");

  const push = (value: unknown) => {
    const key = kind.read(value);
    if (key === undefined)
      throw new UnreelError({ operation, expected: kind.name, got: `${show(value)}${place()}` });
    keys.push(key);
  };
  const walk = (value: unknown): number[] => {
    if (value instanceof Tensor) {
      value.data.forEach(push);
      return [...value.shape];
    }
    const isRow = ArrayBuffer.isView(value) && !(value instanceof DataView);
    if (!isRow && !Array.isArray(value)) {
      push(value);
      return [];
    }
    requireEnd(operation, path);
    const row = value as ArrayLike<unknown>;
    let first: number[] | undefined;
    for (let i = 0; i < row.length; i++) {
      path.push(i);
      const shape = walk(row[i]);
      if (first && (shape.length !== first.length || shape.some((d, axis) => d !== first![axis]))) {
        const expected = `rows of one shape, [${first}] like the first`;
        throw new UnreelError({ operation, expected, got: `[${shape}]${place()} (a ragged array)` });
      }
      first ??= shape;
      path.pop();
    }
    return [row.length, ...(first ?? [])];
  };
  const shape = walk(given);
  return { keys, shape };
}

/** Nested arrays of a shape. */
export function nest<K>(values: readonly K[], shape: readonly number[]): Nested<K> {
  let level: Nested<K>[] = [...values];
  for (const size of shape.slice(1).reverse()) {
    level = Array.from({ length: level.length / size }, (_, i) => level.slice(i * size, (i + 1) * size));
  }
  return shape.length === 0 ? level[0] : level;
}
