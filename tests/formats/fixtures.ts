// What tests of file formats share: fixtures, and comparing predictions with those of the library that wrote them.
import { readFileSync } from "node:fs";
import * as assert from "uvu/assert";
import { Tensor } from "../../src/index.js";
import { root } from "../support.js";

/** An array as make_onnx.py and make_torch.py write it. */
export interface Packed {
  shape: number[];
  dtype: "float32" | "int32";
  data: string;
}

export function readFixture<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`tests/formats/${name}`, root), "utf8")) as T;
}

export function bytesOf(base64: string): Uint8Array {
  return new Uint8Array(Buffer.from(base64, "base64"));
}

export function unpack({ shape, dtype, data }: Packed): Tensor {
  const { buffer } = bytesOf(data);
  return new Tensor(dtype === "int32" ? new Int32Array(buffer) : new Float32Array(buffer), shape);
}

/** Equal shapes, and numbers within 1e-5 of each other (of their size, above 1). */
export function assertNear(got: Tensor, want: Tensor, what: string, tolerance = 1e-5): void {
  assert.equal(got.shape, want.shape, `${what}: shape`);
  got.data.forEach((value, i) => {
    const wanted = want.data[i];
    const near =
      Math.abs(value - wanted) <= tolerance * Math.max(1, Math.abs(wanted)) || Object.is(value, wanted);
    assert.ok(near, `${what}: ${value} at ${i}, expected ${wanted}`);
  });
}
