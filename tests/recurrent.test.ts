// Graphs of recurrent layers against Keras' own numbers: every output, the loss and every gradient. What the cases are is in
// golden/keras_recurrent.py: functional models, tensors by number, the inputs first and then what each call gives.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { checkGraph, type GraphCase } from "./described.js";
import { readGolden } from "./support.js";

const { cases } = readGolden<{ cases: GraphCase[] }>("keras_recurrent.json");
for (const each of cases) test(`Keras: ${each.name}`, () => checkGraph(each));

test("enough of them", () => {
  const layersAndStacks = readGolden<{ cases: unknown[] }>("keras_layers.json").cases.length;
  console.log(
    `${cases.length + layersAndStacks} golden cases: ${layersAndStacks} layers and stacks, ${cases.length} graphs`,
  );
  assert.ok(cases.length + layersAndStacks >= 400);
});

test.run();
