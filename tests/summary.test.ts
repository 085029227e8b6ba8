// Parameter counts and tables as Keras prints them (golden/keras_counts.json).
import { test } from "uvu";
import * as assert from "uvu/assert";
import { type Layer, layers, sequential } from "../src/index.js";
import { buildGraph, type DescribedGraph } from "./described.js";
import { nameOf, readGolden } from "./support.js";

interface Case {
  name: string;
  layers: { className: string; config: Record<string, unknown> }[];
  params: number;
  rows: { layer: string; outputShape: string; params: number }[];
  totals: string[];
  weightShapes: number[][];
}

const factories = layers as unknown as Record<string, (config: object) => Layer>;

/** A layer from its description; a layer inside it is described likewise. */
function make({ className, config }: Case["layers"][number]): Layer {
  const inner = config.layer as Case["layers"][number] | undefined;
  return factories[nameOf(className)](inner ? { ...config, layer: make(inner) } : config);
}

for (const each of readGolden<{ cases: Case[] }>("keras_counts.json").cases) {
  const names = each.layers.map(({ className }) => nameOf(className));
  const offered = names.every((name) => name in factories);
  (offered ? test : test.skip)(`Keras' summary: ${each.name}`, () => {
    const model = sequential(each.layers.map(make));
    const text = model.summary({ print: () => {} });
    assert.is(model.countParams(), each.params);
    assert.equal(
      model.getWeights().map(({ shape }) => [...shape]),
      each.weightShapes,
    );
    for (const total of each.totals) assert.match(text, total);
    const rows = text.split("\n").filter((line) => line.startsWith("│"));
    assert.is(rows.length, each.rows.length);
    each.rows.forEach(({ layer, outputShape, params }, index) => {
      const cells = rows[index].split("│").map((cell) => cell.trim());
      assert.is(cells[1].replace(/^.* /, ""), layer.replace(/^.* /, ""), "type");
      assert.is(cells[2], outputShape);
      assert.is(cells[3], params.toLocaleString("en-US"));
    });
    assert.match(text, "Layer (type)");
    assert.match(text, "Output Shape");
    assert.match(text, "Param #");
  });
}

interface GraphCase extends DescribedGraph {
  name: string;
  params: number;
  lines: string[];
}

for (const each of readGolden<{ graphs: GraphCase[] }>("keras_counts.json").graphs) {
  test(`Keras' summary, line by line: ${each.name}`, () => {
    const made = buildGraph(each, each.name);
    assert.is(made.countParams(), each.params);
    assert.equal(made.summary({ print: () => {} }).split("\n"), each.lines);
  });
}

test.run();
