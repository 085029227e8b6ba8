// Models as ONNX files: every layer and operation is written, and what can be read again gives the same numbers. That onnxruntime
// gives them too is shown by check_onnx.py, by hand.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { complainOf } from "../../src/formats/complain.js";
import { decodeModel } from "../../src/formats/onnx/proto.js";
import { WRITTEN_ACTIVATIONS } from "../../src/formats/onnx/writers/activations.js";
import {
  input,
  type Layer,
  layers,
  loadModel,
  type Model,
  model,
  ops,
  sequential,
  type Tensor,
  tensor,
  UnreelError,
} from "../../src/index.js";
import { ACTIVATIONS } from "../../src/layers/activations.js";
import { assertNear } from "./fixtures.js";
import { CASES, numbers } from "./models.js";

/** Operators of files written here that reading refuses: masks and loops inside nodes. */
const ONE_WAY = new Set(["Scan", "TopK", "CumSum", "GatherElements"]);

async function predicted(made: Model, feeds: readonly Tensor[]): Promise<Tensor[]> {
  const got: unknown = await made.predict(feeds.length === 1 ? feeds[0] : [...feeds], { verbose: 0 });
  return (Array.isArray(got) ? got : [got]) as Tensor[];
}

/** Classes of all layers of a model, those inside others too. */
function classesOf(all: readonly Layer[], found: Set<string>): void {
  for (const { kind, className, config } of all) {
    found.add(kind.isOperation ? `ops ${className}` : className);
    if (kind.graph) classesOf(kind.graph.layers, found);
    const inside = Object.values(config)
      .flat()
      .filter((each) => typeof each === "object" && each !== null && "kind" in each);
    classesOf(inside as Layer[], found);
  }
}

const seen = new Set<string>();
let read = 0;

for (const { name, make } of CASES) {
  test(`written: ${name}`, async () => {
    const { model: made, feeds } = make();
    classesOf(made.layers, seen);
    const bytes = await made.toBytes("onnx");
    const { graph, opsetImport } = await decodeModel(bytes, complainOf("written"));
    assert.equal(opsetImport, [{ domain: "", version: 17 }]);
    const names = graph!.node.flatMap(({ output }) => output);
    assert.is(new Set(names).size, names.length, "each value has one maker");
    if (!graph!.node.some(({ opType }) => ONE_WAY.has(opType))) {
      let again: Model;
      try {
        again = await loadModel(bytes);
      } catch (error) {
        // What is written of ops.* is wider than what is read; each such refusal names its node.
        assert.instance(error, UnreelError);
        assert.match((error as Error).message, /(node|input|output) '/);
        made.dispose();
        return;
      }
      read++;
      const [there, here] = [await predicted(again, feeds), await predicted(made, feeds)];
      here.forEach((each, k) => {
        assertNear(there[k], each, `output ${k}`);
      });
      again.dispose();
    }
    made.dispose();
  });
}

test("most of what is written can be read", () => {
  assert.ok(read >= 180, `${read} of ${CASES.length} were read again`);
});

test("every layer, operation and activation is written", () => {
  assert.equal([...WRITTEN_ACTIVATIONS].sort(), [...ACTIVATIONS].sort());
  const classes = new Set([...seen].map((each) => each.toLowerCase()));
  const missing = Object.keys(layers).filter((each) => !classes.has(each.toLowerCase()));
  assert.equal(missing, []);
  const kinds = [
    "Add",
    "Subtract",
    "Multiply",
    "Divide",
    "Maximum",
    "Minimum",
    "Compare",
    "Where",
    "Elementwise",
    "Like",
    "StopGradient",
    "Activation",
    "Reduce",
    "Matmul",
    "Reshape",
    "Axes",
    "Transpose",
    "Slice",
    "Split",
    "Flip",
  ];
  assert.equal(
    kinds.filter((each) => !seen.has(`ops ${each}`)),
    [],
  );
});

test("a model that was read trains on", async () => {
  const x = input({ shape: [null, 3] });
  const [y] = [layers.dense({ units: 1 }).apply(layers.lstm({ units: 4 }).apply(x))];
  const made = model({ inputs: x, outputs: y });
  const again = await loadModel(await made.toBytes("onnx"));
  assert.equal(
    again.layers.map(({ className }) => className).filter((each) => each !== "InputLayer"),
    ["LSTM", "Dense"],
  );
  const feed = numbers(16, 5, 3);
  const target = tensor(
    Float32Array.from({ length: 16 }, (_, k) => feed.data[15 * k] - feed.data[15 * k + 14]),
    [16, 1],
  );
  // Step for step like the model that it was written from.
  const losses: number[][] = [];
  for (const each of [made, again]) {
    each.compile({ optimizer: "sgd", loss: "meanSquaredError" });
    const { history } = await each.fit(feed, target, { epochs: 4, shuffle: false, verbose: 0 });
    losses.push(history.loss);
    each.dispose();
  }
  losses[0].forEach((loss, k) => {
    assert.ok(Math.abs(loss - losses[1][k]) < 1e-5, `${loss} and ${losses[1][k]}`);
  });
  assert.ok(losses[1][3] < losses[1][0]);
});

test("what ONNX cannot express is refused by name", async () => {
  const refused = async (made: Model, pattern: RegExp) => {
    try {
      await made.toBytes("onnx");
    } catch (error) {
      assert.instance(error, UnreelError);
      assert.match((error as Error).message, pattern);
      return;
    }
    assert.unreachable();
  };
  const x = input({ shape: [null, 3], batchSize: 2 });
  await refused(
    model({ inputs: x, outputs: layers.lstm({ units: 2, stateful: true, name: "keeps" }).apply(x) }),
    /keeps \(LSTM\).*stateful: true/,
  );
  const dropped = layers.dropout({ rate: 0.5, name: "drops" }).apply(x, { training: true });
  await refused(model({ inputs: x, outputs: dropped }), /drops \(Dropout\).*training: true/);
  const odd = sequential([layers.dense({ units: 2, inputShape: [3] })]);
  const unknown = { ...odd.layers[0].kind, className: "Odd" };
  Object.defineProperty(odd.layers[0], "kind", { value: unknown });
  await refused(odd, /\(Odd\).*class Odd/);
});

test("ops.flip turns any axis, and its gradient is turned back", async () => {
  const x = input({ shape: [2, 3] });
  const made = model({ inputs: x, outputs: [ops.flip(x, 1), ops.flip(x, -1)] });
  const [rows, columns] = await predicted(made, [
    tensor([
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
    ]),
  ]);
  assert.equal(rows.toArray(), [
    [
      [4, 5, 6],
      [1, 2, 3],
    ],
  ]);
  assert.equal(columns.toArray(), [
    [
      [3, 2, 1],
      [6, 5, 4],
    ],
  ]);
  made.dispose();
});

test.run();
