// `.h5`, the format of Keras 2 that Keras 3 still reads and writes: the config in attributes, weights under their layers' names.
// keras/src/legacy/saving/legacy_h5_format.py
import { UnreelError } from "../../errors.js";
import type { Layer } from "../../layers/layer.js";
import type { Weight } from "../../layers/weight.js";
import { Tensor } from "../../tensor.js";
import type { Format, ModelDescription, ReadOptions, WriteOptions } from "../description.js";
import { type Hdf5File, readHdf5 } from "../hdf5.js";
import { Hdf5Builder, writeHdf5 } from "../hdf5Write.js";
import { parseJson, pythonJson } from "../place.js";
import { readNames, writeNames } from "./legacyNames.js";
import { readModel } from "./readGraph.js";
import { KERAS_VERSION, readWeights as readKeras3, writeWeights as writeKeras3 } from "./weights.js";

/** What Keras calls the file it was made with; its own reader wants some backend. */
const BACKEND = "tensorflow";

// -------------------------------------------------------------------------------------------------------------- weights

/** Trained ones first, as old files have them. */
function legacyWeights(layer: Layer): Weight[] {
  return [...new Set([...layer.trainableWeights, ...layer.weights])];
}

function writeWeights(file: Hdf5Builder, layers: readonly Layer[]): void {
  const top = file.group("model_weights");
  top.attributes.set("backend", BACKEND);
  top.attributes.set("keras_version", KERAS_VERSION);
  writeNames(
    top,
    "layer_names",
    layers.map(({ name }) => name),
  );
  for (const layer of layers) {
    const path = `model_weights/${layer.name}`;
    const names = legacyWeights(layer).map((weight, k) => {
      // Weights of layers inside may have one name.
      const [, base] = /([^/]+)$/.exec(weight.name)!;
      const name = `${layer.name}/${k}/${base}:0`;
      const [, group, last] = /^(.*)\/([^/]+)$/.exec(`${path}/${name}`)!;
      file.group(group).datasets.set(last, { shape: weight.shape, data: weight.read().slice() });
      return name;
    });
    writeNames(file.group(path), "weight_names", names);
  }
  writeNames(file.group("model_weights/top_level_model_weights"), "weight_names", []);
}

/** Layers in the order of the file: those with weights follow each other as those of the model do. */
function readWeights(operation: string, file: Hdf5File, root: string, layers: readonly Layer[]): void {
  const wanted = layers.filter((layer) => layer.weights.length > 0);
  const saved = readNames(file, root, "layer_names")
    .map((name) => ({ name, weights: readNames(file, `${root}/${name}`, "weight_names") }))
    .filter(({ weights }) => weights.length > 0);
  if (saved.length !== wanted.length) {
    throw new UnreelError({
      operation: `${operation}: ${root || "/"}: layer_names`,
      expected: `${wanted.length} layers with weights`,
      got: `${saved.length}`,
    });
  }
  const found = saved.flatMap(({ name, weights }, k) => {
    const own = legacyWeights(wanted[k]);
    if (own.length !== weights.length) {
      throw new UnreelError({
        operation: `${operation}: ${root}/${name}: weight_names`,
        expected: `${own.length} weights of '${wanted[k].name}'`,
        got: `${weights.length}`,
      });
    }
    return own.map((weight, n) => ({
      weight,
      values: file.floats(`${root}/${name}/${weights[n]}`, weight.shape),
    }));
  });
  for (const { weight, values } of found) weight.assign(new Tensor(values, weight.shape), operation);
}

// ---------------------------------------------------------------------------------------------------------------- file

async function write(model: ModelDescription, { includeOptimizer }: WriteOptions): Promise<Uint8Array> {
  const { name, graph, sequence, compiled, training } = model;
  const { writeModel } = await import("./writeGraph.js");
  const file = new Hdf5Builder();
  const { attributes } = file.root;
  attributes.set("keras_version", KERAS_VERSION);
  attributes.set("backend", BACKEND);
  attributes.set("model_config", pythonJson("model_config", writeModel(name, graph, sequence)));
  writeWeights(file, sequence ?? graph.layers);
  if (includeOptimizer && compiled) {
    const { writeTraining } = await import("./legacyTraining.js");
    writeTraining(file, graph, compiled, training);
  }
  return writeHdf5(file.root);
}

async function read(bytes: Uint8Array, { file: name, compile }: ReadOptions): Promise<ModelDescription> {
  return readHdf5(name, bytes, async (file) => {
    const config = file.text("", "model_config");
    if (typeof config !== "string") {
      throw new UnreelError({
        operation: name,
        expected: "an attribute 'model_config'",
        got: "none",
        hint: "A file of weights alone goes into a model that is there: model.loadWeights(path).",
      });
    }
    const place = `${name}: model_config`;
    const model = await readModel(place, parseJson(place, config));
    readWeights(name, file, "model_weights", model.sequence ?? model.graph.layers);
    if (!compile) return model;
    const { readTraining } = await import("./legacyTraining.js");
    return { ...model, ...readTraining(name, file, model.graph) };
  });
}

// ------------------------------------------------------------------------------------------------- files of weights alone

async function readWeightsAlone(bytes: Uint8Array, file: string, model: ModelDescription): Promise<void> {
  await readHdf5(file, bytes, (content) => {
    const layers = model.sequence ?? model.graph.layers;
    // save_weights of Keras 2, a whole `.h5`, or save_weights of Keras 3.
    if (readNames(content, "", "layer_names").length > 0) readWeights(file, content, "", layers);
    else if (content.keys("model_weights")) readWeights(file, content, "model_weights", layers);
    else readKeras3(file, content, model);
  });
}

async function writeWeightsAlone(model: ModelDescription): Promise<Uint8Array> {
  const file = new Hdf5Builder();
  writeKeras3(file, model);
  return writeHdf5(file.root);
}

export const h5: Format = { read, write, readWeights: readWeightsAlone, writeWeights: writeWeightsAlone };
