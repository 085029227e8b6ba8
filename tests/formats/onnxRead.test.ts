// ONNX graphs of PyTorch, and by hand, against onnxruntime: the same numbers here. The fixtures: make_onnx.py.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { complainOf } from "../../src/formats/complain.js";
import { OPERATORS } from "../../src/formats/onnx/operators/index.js";
import { decodeModel, type GraphProto } from "../../src/formats/onnx/proto.js";
import { loadModel, UnreelError } from "../../src/index.js";
import { assertNear, bytesOf, type Packed, readFixture, unpack } from "./fixtures.js";

interface GraphCase {
  name: string;
  model: string;
  inputs: Packed[];
  outputs: Packed[];
  refused?: string;
}

const cases = ["onnx_hand.json", "onnx_node.json", "onnx_torch.json"].flatMap(
  (name) => readFixture<{ cases: GraphCase[] }>(name).cases,
);

for (const { name, model, inputs, outputs, refused } of cases) {
  if (refused !== undefined) {
    test(`refused: ${name}`, async () => {
      try {
        await loadModel(bytesOf(model), { format: "onnx" });
      } catch (error) {
        assert.instance(error, UnreelError);
        assert.match((error as UnreelError).message, refused);
        return;
      }
      assert.unreachable();
    });
    continue;
  }
  test(`onnxruntime's numbers: ${name}`, async () => {
    const read = await loadModel(bytesOf(model), { format: "onnx" });
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

/** Operators of a graph and of graphs inside its nodes. */
function operatorsOf({ node }: GraphProto): string[] {
  return node.flatMap(({ opType, attribute }) => [
    opType,
    ...attribute.flatMap(({ g }) => (g ? operatorsOf(g) : [])),
  ]);
}

test("every operator that is read stands in a graph that onnxruntime ran", async () => {
  const ran = new Set<string>();
  for (const { model, refused } of cases) {
    if (refused !== undefined) continue;
    const { graph } = await decodeModel(bytesOf(model), complainOf("fixture"));
    for (const operator of operatorsOf(graph!)) ran.add(operator);
  }
  // onnxruntime 1.31.1 has no Swish yet (opset 24).
  assert.equal(
    Object.keys(OPERATORS).filter((operator) => !ran.has(operator)),
    ["Swish"],
  );
});

test.run();
