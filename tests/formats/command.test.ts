// The command `unreel`: inspect and convert.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unzipSync } from "fflate";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { run } from "../../src/command/run.js";
import { loadModel } from "../../src/index.js";
import { root } from "../support.js";

const folder = mkdtempSync(join(tmpdir(), "unreel-command-"));
test.after(() => rmSync(folder, { recursive: true }));
const entries = unzipSync(readFileSync(new URL("tests/formats/keras.zip", root)));
const place = (name: string) => {
  const path = join(folder, name);
  if (entries[name]) writeFileSync(path, entries[name]);
  return path;
};

async function said(...args: string[]): Promise<{ code: number; text: string }> {
  const lines: string[] = [];
  const code = await run(args, (line) => lines.push(line));
  return { code, text: lines.join("\n") };
}

test("inspect tells layers, inputs, training, and what a model cannot be converted to and why", async () => {
  const { code, text } = await said("inspect", place("with_adam.keras"));
  assert.is(code, 0);
  assert.match(text, /gru \(GRU\)/);
  assert.match(text, /inputs: input_layer\S* \(any, 5, 3\) float32\noutputs: dense/);
  assert.match(text, /compiled; 9 steps taken/);
  for (const format of ["keras", "h5", "wasm"]) assert.match(text, new RegExp(`^${format}: yes$`, "m"));
  const stateful = await said("inspect", place("stateful.keras"));
  assert.match(stateful.text, /^wasm: no\. .*stateful/m);
});

test("convert writes another format, with the same weights", async () => {
  const [from, to] = [place("lstm.h5"), join(folder, "lstm.keras")];
  assert.is((await said("convert", from, to)).code, 0);
  assert.equal((await loadModel(to)).getWeights(), (await loadModel(from)).getWeights());
  const module = join(folder, "lstm.wasm");
  assert.is((await said("convert", to, module, "--max-batch", "2")).code, 0);
  assert.ok(WebAssembly.validate(readFileSync(module)));
});

test("mistakes end with a message and a code", async () => {
  assert.is((await said("look", "x")).code, 2);
  assert.is((await said("--help")).code, 0);
  const missing = await said("inspect", join(folder, "missing.keras"));
  assert.is(missing.code, 1);
  assert.match(missing.text, /missing\.keras/);
  assert.is(
    (await said("convert", place("lstm.keras"), join(folder, "x.keras"), "--max-batches", "2")).code,
    1,
  );
  assert.match(
    (await said("convert", place("lstm.keras"), join(folder, "x.wasm"), "--max-batch", "none")).text,
    /maxBatch: expected/,
  );
});

test.run();
