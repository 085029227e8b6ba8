// Files of Keras 3 (make_keras.py, keras.zip): each opens here and predicts what Keras predicts; what was trained goes on as in Keras;
// and it is the same after it was written here.
import { readFileSync } from "node:fs";
import { unzipSync } from "fflate";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { loadModel, tensor } from "../../src/index.js";
import { root } from "../support.js";
import { apart, cases, check, entries, given } from "./kerasCases.js";

test("there are models enough", () => {
  assert.ok(Object.keys(cases).length >= 50, `${Object.keys(cases).length} models`);
});

for (const [name, { x, y, more }] of Object.entries(cases)) {
  test(`${name}.keras: opens, predicts as Keras, and once more when written here`, async () => {
    const model = await loadModel(entries[`${name}.keras`]);
    await check(model, x, y, 1e-5);
    const again = await loadModel(await model.toBytes("keras"));
    model.resetStates();
    await check(again, x, y, 1e-5);
    if (!more) return;
    for (const each of [model, again]) {
      const options = { epochs: 3, batchSize: 3, shuffle: false, verbose: 0 } as const;
      const { history } = await each.fit(given(more.x), given(more.y), options);
      assert.equal(Object.keys(history).sort(), Object.keys(more.history).sort());
      for (const [log, values] of Object.entries(more.history)) {
        const far = apart(history[log], values);
        assert.ok(far <= 1e-5, `${log} is ${far} apart`);
      }
      await check(each, x, more.after, 1e-4);
    }
  });
}

for (const file of Object.keys(entries)) {
  const [, name, ending] = /^(.*?)\.((?:weights\.)?h5)$/.exec(file) ?? [];
  if (name === undefined) continue;
  test(`${file}: opens, predicts as Keras, and once more when written here`, async () => {
    const { x, y, more } = cases[name];
    const isWhole = ending === "h5";
    const model = await loadModel(entries[isWhole ? file : `${name}.keras`]);
    if (!isWhole) {
      model.setWeights(
        model.getWeights().map(({ data, shape }) =>
          tensor(
            data.map(() => 9),
            [...shape],
          ),
        ),
      );
      await model.loadWeights(entries[file]);
    }
    await check(model, x, y, 1e-5);
    if (!isWhole) return;
    const again = await loadModel(await model.toBytes("h5"));
    await check(again, x, y, 1e-5);
    if (!more) return;
    for (const each of [model, again]) {
      await each.fit(given(more.x), given(more.y), { epochs: 3, batchSize: 3, shuffle: false, verbose: 0 });
      await check(each, x, more.after, 1e-4);
    }
  });
}

const old = unzipSync(readFileSync(new URL("tests/formats/keras2.zip", root)));
const told = JSON.parse(new TextDecoder().decode(old["cases.json"])) as { x: number[] } & Record<
  string,
  { y: number[] }
>;

for (const name of ["graph", "stack"]) {
  test(`Keras 2: ${name}.h5, and its weights alone`, async () => {
    const model = await loadModel(old[`${name}.h5`]);
    const x = tensor(Float32Array.from(told.x), [3, 5, 3]);
    assert.ok(apart((await model.predict(x, { verbose: 0 })).data, told[name].y) <= 1e-5);
    model.setWeights(model.getWeights().map(({ shape, size }) => tensor(new Float32Array(size), [...shape])));
    await model.loadWeights(old[`${name}.weights.h5`]);
    assert.ok(apart((await model.predict(x, { verbose: 0 })).data, told[name].y) <= 1e-5);
    if (name === "graph") {
      assert.is((await loadModel(old["graph.h5"])).describe("steps").training!.iterations, 1);
      return;
    }
    const y = tensor(new Float32Array(6), [3, 2]);
    assert.equal(Object.keys(await model.evaluate(x, y, { verbose: 0 })), ["far", "loss"]);
  });
}

test.run();
