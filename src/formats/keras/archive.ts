// `.keras`, the format of Keras 3: a zip of metadata.json, config.json and model.weights.h5; assets stand beside them.
import { UnreelError } from "../../errors.js";
import { readZip, writeZip } from "../../zip.js";
import type { Format, ModelDescription, ReadOptions, WriteOptions } from "../description.js";
import { readHdf5 } from "../hdf5.js";
import { Hdf5Builder, writeHdf5 } from "../hdf5Write.js";
import {
  isObject,
  type Json,
  type JsonObject,
  parseJson,
  pythonJson,
  requireList,
  requireObject,
} from "../place.js";
import { readModel } from "./readGraph.js";
import { KERAS_VERSION, readWeights, writeWeights } from "./weights.js";

const METADATA = "metadata.json";
const CONFIG = "config.json";
const WEIGHTS = "model.weights.h5";
/** What Keras has no place for: vectorizers and the like, and seeds that it could not hold. Keras leaves it alone. */
const OWN = "unreel.json";

const utf8 = (place: string, value: Json) => new TextEncoder().encode(pythonJson(place, value));

/** What reads and writes what a model is compiled with: models that are only run do without. */
async function ofTraining() {
  const [compile, state] = await Promise.all([import("./compile.js"), import("./optimizerState.js")]);
  return { ...compile, ...state };
}

async function write(model: ModelDescription, { includeOptimizer }: WriteOptions): Promise<Uint8Array> {
  const { name, graph, sequence, compiled, training, assets } = model;
  const { writeModel } = await import("./writeGraph.js");
  const trained = includeOptimizer && compiled !== undefined ? await ofTraining() : undefined;
  const seeds: number[] = [];
  const config = {
    ...writeModel(name, graph, sequence, seeds),
    ...(trained && { compile_config: trained.writeCompile(compiled!) }),
  };
  const file = new Hdf5Builder();
  writeWeights(file, model);
  if (trained && training) trained.writeOptimizerState(file, graph, compiled!, training);
  const entries = new Map([
    [METADATA, utf8(METADATA, { keras_version: KERAS_VERSION, date_saved: date() })],
    [CONFIG, utf8(CONFIG, config)],
    [WEIGHTS, await writeHdf5(file.root)],
  ]);
  const own = {
    ...(seeds.length > 0 && { seeds }),
    ...(assets && Object.keys(assets).length > 0 && { assets }),
  };
  if (Object.keys(own).length > 0) entries.set(OWN, utf8(OWN, own as JsonObject));
  return writeZip(entries);
}

function date(): string {
  return new Date().toISOString().replace("T", "@").slice(0, 19);
}

async function read(bytes: Uint8Array, { file, compile }: ReadOptions): Promise<ModelDescription> {
  const entries = await readZip(file, bytes, (name) => [METADATA, CONFIG, WEIGHTS, OWN].includes(name));
  const entry = (name: string) => {
    const found = entries.get(name);
    if (found) return found;
    const hint =
      name === WEIGHTS
        ? "A file of sharded weights, or of weights in another format, is not read."
        : undefined;
    throw new UnreelError({ operation: file, expected: `an entry '${name}'`, got: "none", hint });
  };
  const json = (name: string) =>
    requireObject(`${file}: ${name}`, parseJson(`${file}: ${name}`, new TextDecoder().decode(entry(name))));
  const config = json(CONFIG);
  const own = entries.has(OWN) ? json(OWN) : {};
  const seeds = requireList(`${file}: ${OWN}: seeds`, own.seeds ?? []).values();
  const seed = () => seeds.next().value as number | undefined;
  const { name, graph, sequence } = await readModel(`${file}: ${CONFIG}`, config, { seed });
  const trained = compile ? await ofTraining() : undefined;
  const compiled = trained?.readCompile(`${file}: ${CONFIG}: compile_config`, config.compile_config);
  const training = await readHdf5(`${file}: ${WEIGHTS}`, entry(WEIGHTS), (weights) => {
    const operation = `${file}: ${WEIGHTS}`;
    readWeights(operation, weights, { name, graph, sequence });
    return compiled && trained!.readOptimizerState(operation, weights, graph, compiled);
  });
  const { assets } = own;
  return { name, graph, sequence, compiled, training, ...(isObject(assets) && { assets }) };
}

/** The weights of a file for a model that is there. */
async function readWeightsAlone(bytes: Uint8Array, file: string, model: ModelDescription): Promise<void> {
  const entry = (await readZip(file, bytes, (name) => name === WEIGHTS)).get(WEIGHTS);
  if (!entry) throw new UnreelError({ operation: file, expected: `an entry '${WEIGHTS}'`, got: "none" });
  const operation = `${file}: ${WEIGHTS}`;
  await readHdf5(operation, entry, (weights) => readWeights(operation, weights, model));
}

export const keras: Format = { read, write, readWeights: readWeightsAlone };
