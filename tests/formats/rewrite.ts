// Writes every model of keras.zip once more into a folder, as .keras, .h5 and .weights.h5, for open_in_keras.py:
// node build/tests/formats/rewrite.js FOLDER
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { unzipSync } from "fflate";
import { loadModel } from "../../src/index.js";
import { root } from "../support.js";

const [, , folder] = process.argv;
mkdirSync(folder, { recursive: true });
const entries = unzipSync(readFileSync(new URL("tests/formats/keras.zip", root)));
for (const [file, bytes] of Object.entries(entries)) {
  if (!file.endsWith(".keras")) continue;
  const name = file.replace(/\.keras$/, "");
  const model = await loadModel(bytes);
  await model.save(`${folder}/${file}`);
  await model.save(`${folder}/${name}.h5`);
  await model.saveWeights(`${folder}/${name}.weights.h5`);
}
writeFileSync(`${folder}/cases.json`, entries["cases.json"]);
