// Models that Keras 3 has saved, with what it predicts of them (make_keras.py, keras.zip).
import { readFileSync } from "node:fs";
import { unzipSync } from "fflate";
import * as assert from "uvu/assert";
import { type Tensor, tensor } from "../../src/infer.js";
import { root } from "../support.js";

export interface Plain {
  shape: number[];
  dtype: "float32" | "int32";
  data: number[];
}

interface Case {
  x: Plain[];
  y: Plain[];
  /** Three epochs more in Keras, without shuffling. */
  more?: { x: Plain; y: Plain; history: Record<string, number[]>; after: Plain[] };
}

export const entries = unzipSync(readFileSync(new URL("tests/formats/keras.zip", root)));
export const cases = JSON.parse(new TextDecoder().decode(entries["cases.json"])) as Record<string, Case>;

export function fixture(name: string): Uint8Array {
  assert.ok(entries[name], `${name} is one of ${Object.keys(entries)}`);
  return entries[name];
}

export const given = ({ data, shape, dtype }: Plain) => tensor(data, shape, dtype);

/** How far two lists of numbers are apart, in units of the larger number or 1. */
export function apart(found: ArrayLike<number>, expected: readonly number[]): number {
  assert.is(found.length, expected.length);
  return expected.reduce((most, value, i) => {
    const difference = Math.abs(value - found[i]) / Math.max(1, Math.abs(value));
    return Math.max(most, difference);
  }, 0);
}

interface Predicting {
  predict(x: Tensor | Tensor[], options: { verbose: 0 }): Promise<Tensor & Tensor[]>;
}

/** That a model predicts what Keras does. */
export async function check(
  model: Predicting,
  x: readonly Plain[],
  y: readonly Plain[],
  limit: number,
): Promise<void> {
  const inputs = x.map(given);
  const found: Tensor[] = [
    await model.predict(inputs.length === 1 ? inputs[0] : inputs, { verbose: 0 }),
  ].flat();
  assert.is(found.length, y.length);
  found.forEach(({ data, shape }, k) => {
    assert.equal([...shape], y[k].shape, "shape of the output");
    const far = apart(data, y[k].data);
    assert.ok(far <= limit, `output ${k} is ${far} apart`);
  });
}
