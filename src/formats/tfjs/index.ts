// TensorFlow.js' LayersModel: model.json with the layers and what they are compiled with, and the numbers in files beside it, those of
// the optimizer among them. A graph model is not read. tfjs-layers/src/models.ts
import { UnreelError } from "../../errors.js";
import type { Format, ModelDescription, ReadOptions, WriteOptions } from "../description.js";
import { isObject, parseJson, requireObject, shown } from "../place.js";
import { readTopology, writeTopology } from "./topology.js";
import {
  readOptimizerState,
  readTrainingConfig,
  writeOptimizerState,
  writeTrainingConfig,
} from "./training.js";
import { readWeights, writeWeights } from "./weights.js";

/** The version whose layout this is. */
const VERSION = "4.22.0";

async function write(
  { name, graph, sequence, compiled, training }: ModelDescription,
  { includeOptimizer }: WriteOptions,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const topology = writeTopology(name, graph, sequence);
  const trainingConfig = includeOptimizer && compiled && writeTrainingConfig(compiled, training);
  const { manifest, shards } = writeWeights(name, graph, (nameOf) =>
    trainingConfig && training ? writeOptimizerState(graph, compiled, training, nameOf) : [],
  );
  const model = {
    format: "layers-model",
    generatedBy: "unreel",
    convertedBy: null,
    modelTopology: { ...topology, keras_version: `tfjs-layers ${VERSION}`, backend: "tensor_flow.js" },
    weightsManifest: manifest,
    ...(trainingConfig && { trainingConfig }),
  };
  return new Map([["model.json", new TextEncoder().encode(JSON.stringify(model))], ...shards]);
}

async function read(
  bytes: Uint8Array,
  { file, compile }: ReadOptions,
  beside: (path: string) => Promise<Uint8Array>,
): Promise<ModelDescription> {
  const content = requireObject(file, parseJson(file, new TextDecoder().decode(bytes)));
  // Files of the first versions name no format.
  const format = content.format ?? "layers-model";
  if (format !== "layers-model") {
    throw new UnreelError({
      operation: `${file}: format`,
      expected: "'layers-model'",
      got: shown(format),
      hint: "A graph model holds no layers any more: convert the Keras model, or export it as ONNX.",
    });
  }
  if (!isObject(content.modelTopology)) {
    throw new UnreelError({
      operation: `${file}: modelTopology`,
      expected: "an object",
      got: shown(content.modelTopology),
      hint:
        "class_name" in content
          ? "It is Keras' model.to_json(), layers without weights: model.save('model.keras') keeps both."
          : "Is it the model.json of a TensorFlow.js layers model?",
    });
  }
  const topology = content.modelTopology;
  const model = await readTopology(
    `${file}: modelTopology`,
    isObject(topology.model_config) ? topology.model_config : topology,
  );
  const found = await readWeights(file, content.weightsManifest, model.graph, beside);
  if (!compile) return model;
  // Converters keep Keras' own beside the layers.
  const isOwn = isObject(content.trainingConfig);
  const given = content.trainingConfig ?? topology.training_config;
  const compiled = readTrainingConfig(`${file}: training_config`, given, isOwn);
  const training = compiled && readOptimizerState(file, model.graph, compiled, found);
  return { ...model, compiled, training };
}

export const tfjs: Format = { read, write };
