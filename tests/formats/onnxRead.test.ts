// ONNX graphs of PyTorch, and by hand, against onnxruntime or PyTorch itself: the same numbers here. The fixtures: make_onnx.py.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { complainOf } from "../../src/formats/complain.js";
import { OPERATORS } from "../../src/formats/onnx/operators/index.js";
import { decodeModel, type GraphProto } from "../../src/formats/onnx/proto.js";
import { reshapedView, View } from "../../src/formats/onnx/view.js";
import { input, loadModel, model, type Tensor, tensor, UnreelError } from "../../src/index.js";
import { assertNear, bytesOf, type Packed, readFixture, unpack } from "./fixtures.js";

interface GraphCase {
  name: string;
  model: string;
  inputs: Packed[];
  outputs: Packed[];
  refused?: string;
}

const casesOf = (name: string) => readFixture<{ cases: GraphCase[] }>(name).cases;
const byOnnxruntime = ["onnx_hand.json", "onnx_node.json", "onnx_torch.json"].flatMap(casesOf);
// Files for 1 or 2 samples with the numbers of 3, by PyTorch.
const cases = [...byOnnxruntime, ...casesOf("onnx_samples.json")];

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
  test(`the same numbers: ${name}`, async () => {
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

test("a view of a known number of samples is cut anew without losing them, and says what else to do", async () => {
  const start = input({ shape: [3, 2], batchSize: 2 });
  const flat = reshapedView(View.of(start, [2, 3, 2], [0, 1, 2]), [2, 6])!.arranged([[0], [1, 2]]);
  const made = model({ inputs: start, outputs: flat.tensor });
  const x = tensor(Float32Array.from({ length: 12 }, (_, i) => i));
  const y = (await made.predict(tensor(x, [2, 3, 2]))) as Tensor;
  assert.equal([y.shape, y.data], [[2, 6], x.data]);
  await made.predict(tensor(x.data.slice(0, 6), [1, 3, 2])).then(
    () => assert.unreachable(),
    ({ message }) => assert.match(message, /2 samples, .*got 1\. .*torch\.onnx\.export with dynamic_axes/),
  );
  made.dispose();
});

/** Operators of a graph and of graphs inside its nodes. */
function operatorsOf({ node }: GraphProto): string[] {
  return node.flatMap(({ opType, attribute }) => [
    opType,
    ...attribute.flatMap(({ g }) => (g ? operatorsOf(g) : [])),
  ]);
}

test("every operator that is read stands in a graph that onnxruntime ran", async () => {
  const ran = new Set<string>();
  for (const { model, refused } of byOnnxruntime) {
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
