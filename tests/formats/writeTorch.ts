// Writes every model of torchModels.ts, with weights drawn here, as a state dict with its input and output, for make_torch.py check:
//   node build/tests/formats/writeTorch.js DIRECTORY
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Tensor, torch } from "../../src/index.js";
import { type Packed, readFixture, unpack } from "./fixtures.js";
import { outputOf, TORCH } from "./torchModels.js";

const [, , directory] = process.argv;
if (!directory) throw new Error("node build/tests/formats/writeTorch.js DIRECTORY");
mkdirSync(directory, { recursive: true });
const told = ({ shape, dtype, data }: Tensor) => ({ shape, dtype, data: Array.from(data) });
const fixtures = readFixture<{ cases: { name: string; input: Packed }[] }>("torch_modules.json").cases;
const cases = [];
for (const [k, { name, input }] of fixtures.entries()) {
  // A module with a projection has no layer here.
  if (name === "lstm, projection") continue;
  const { make, mapping } = TORCH[name];
  const model = make();
  const feed = unpack(input);
  await torch.saveStateDict(model, join(directory, `${k}.safetensors`), { mapping });
  cases.push({
    name,
    file: `${k}.safetensors`,
    input: told(feed),
    output: told(await outputOf(model, feed)),
  });
  model.dispose();
}
writeFileSync(join(directory, "cases.json"), JSON.stringify(cases));
console.log(`${cases.length} state dicts written`);
