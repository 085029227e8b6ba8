// ONNX graphs of PyTorch, and by hand, against onnxruntime: the same numbers here. The fixtures: make_onnx.py.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { readOnnx } from "../../src/formats/onnx/read.js";
import { UnreelError } from "../../src/index.js";
import { assertNear, bytesOf, type Packed, readFixture, unpack } from "./fixtures.js";

interface GraphCase {
  name: string;
  model: string;
  inputs: Packed[];
  outputs: Packed[];
  refused?: string;
}

const { cases } = readFixture<{ cases: GraphCase[] }>("onnx_graphs.json");

for (const { name, model, inputs, outputs, refused } of cases) {
  if (refused !== undefined) {
    test(`refused: ${name}`, async () => {
      try {
        await readOnnx(bytesOf(model), `${name}.onnx`);
      } catch (error) {
        assert.instance(error, UnreelError);
        assert.match((error as UnreelError).message, refused);
        assert.match((error as UnreelError).message, `${name}.onnx`);
        return;
      }
      assert.unreachable();
    });
    continue;
  }
  test(`onnxruntime's numbers: ${name}`, async () => {
    const read = await readOnnx(bytesOf(model), `${name}.onnx`);
    const feeds = inputs.map(unpack);
    const got: unknown = await read.predict(feeds.length === 1 ? feeds[0] : feeds, { verbose: 0 });
    const all = (Array.isArray(got) ? got : [got]) as Parameters<typeof assertNear>[0][];
    assert.is(all.length, outputs.length);
    all.forEach((each, k) => {
      assertNear(each, unpack(outputs[k]), `output ${k}`);
    });
    read.dispose();
  });
}

test.run();
