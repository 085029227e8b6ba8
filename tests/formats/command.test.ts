// The command `unreel`: inspect and convert.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unzipSync } from "fflate";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { run } from "../../src/command/run.js";
import { layers, loadModel, sequential } from "../../src/index.js";
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
  assert.is((await said("--help")).code, 0);
  const missing = await said("inspect", join(folder, "missing.keras"));
  assert.is(missing.code, 1);
  assert.match(missing.text, /missing\.keras.*there is no such file/);
  assert.match(
    (await said("convert", place("lstm.keras"), join(folder, "x.wasm"), "--max-batch", "none")).text,
    /--max-batch: expected/,
  );
});

test("help tells every option, version the package's", async () => {
  const { text } = await said("-h");
  for (const name of ["--weights", "--format", "--no-optimizer", "--max-batch", "--max-steps", "--version"])
    assert.match(text, new RegExp(`^  ${name}\\b.{10}`, "m"));
  const { version } = JSON.parse(readFileSync(new URL("package.json", root), "utf8"));
  assert.equal(await said("--version"), { code: 0, text: version });
  assert.equal(await said("-v"), { code: 0, text: version });
});

test("what is mistyped on the command line gets a suggestion, before a file is read", async () => {
  const wrong: [string[], RegExp][] = [
    [["inspct", "x.keras"], /^unreel: expected inspect or convert, got 'inspct'\. Did you mean 'inspect'\?/],
    [["x.keras"], /Write unreel inspect x\.keras/],
    [["inspect"], /^unreel inspect: expected MODEL, got nothing/],
    [["convert", "a.keras"], /^unreel convert: expected MODEL and OTHER, got 'a\.keras'/],
    [["inspect", "a", "b"], /expected MODEL, got 'a' 'b'/],
    [["convert", "a.keras", "b.wasm", "--max-step=2"], /got '--max-step'\. Did you mean '--max-steps'\?/],
    [["convert", "a.keras", "b.keras", "--max-steps", "2"], /expected --max-steps with a \.wasm only/],
    [["inspect", "a.keras", "--no-optimizer"], /^unreel inspect: expected no --no-optimizer/],
    [["inspect", "a.keras", "--weights"], /^unreel: --weights: expected a value/],
    [["inspect", "a.keras", "--help=1"], /expected no value/],
  ];
  for (const [args, message] of wrong) {
    const { code, text } = await said(...args);
    assert.is(code, 2, args.join(" "));
    assert.match(text, message);
    assert.match(text, /\nunreel --help tells what there is\.$/);
  }
  assert.is((await said()).code, 2, "the usage");
});

test("a module of a model for any length needs --max-steps, and its error says so", async () => {
  const made = sequential([layers.lstm({ units: 2, inputShape: [null, 1] })]);
  const from = join(folder, "any.keras");
  await made.save(from);
  const { code, text } = await said("convert", from, join(folder, "any.wasm"));
  assert.is(code, 1);
  assert.match(text, /--max-steps: expected/);
  assert.is((await said("convert", from, join(folder, "any.wasm"), "--max-steps", "9")).code, 0);
});

test.run();
