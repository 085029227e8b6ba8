// Writes every case of models.ts as an ONNX file with its inputs and outputs, for check_onnx.py:
//   node build/tests/formats/writeOnnx.js DIRECTORY
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Tensor } from "../../src/index.js";
import { CASES } from "./models.js";

const [, , directory] = process.argv;
if (!directory) throw new Error("node build/tests/formats/writeOnnx.js DIRECTORY");
mkdirSync(directory, { recursive: true });
const told = ({ shape, dtype, data }: Tensor) => ({ shape, dtype, data: Array.from(data) });
const cases = [];
for (const [k, { name, make }] of CASES.entries()) {
  const { model, feeds } = make();
  const got: unknown = await model.predict(feeds.length === 1 ? feeds[0] : feeds, { verbose: 0 });
  try {
    writeFileSync(join(directory, `${k}.onnx`), await model.toBytes("onnx"));
  } catch (error) {
    console.log(`${name}: ${(error as Error).stack}`);
    continue;
  }
  const outputs = (Array.isArray(got) ? got : [got]) as Tensor[];
  cases.push({ name, file: `${k}.onnx`, inputs: feeds.map(told), outputs: outputs.map(told) });
  model.dispose();
}
writeFileSync(
  join(directory, "cases.json"),
  JSON.stringify(cases, (_, value) => (typeof value === "number" && Number.isNaN(value) ? "nan" : value)),
);
console.log(`${cases.length} of ${CASES.length} models written`);
