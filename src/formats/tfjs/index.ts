// TensorFlow.js' LayersModel: model.json with the layers, and the numbers in files beside it. A graph model is not read, nor what an
// optimizer has come to; what a model is compiled with is read and not written, as that library's own `save` leaves it out.
// tfjs-layers/src/models.ts
import { UnreelError } from "../../errors.js";
import type { CompileOptions } from "../../training/compileOptions.js";
import type { Format, ModelDescription, ReadOptions } from "../description.js";
import { readCompile } from "../keras/compile.js";
import { isObject, type Json, type JsonObject, parseJson, requireObject, shown } from "../place.js";
import { readTopology, writeTopology } from "./topology.js";
import { readWeights, writeWeights } from "./weights.js";

/** The version whose layout this is. */
const VERSION = "4.22.0";

async function write({ name, graph, sequence }: ModelDescription): Promise<ReadonlyMap<string, Uint8Array>> {
  const topology = writeTopology(name, graph, sequence);
  const { manifest, shards } = writeWeights(name, graph);
  const model = {
    format: "layers-model",
    generatedBy: "unreel",
    convertedBy: null,
    modelTopology: { ...topology, keras_version: `tfjs-layers ${VERSION}`, backend: "tensor_flow.js" },
    weightsManifest: manifest,
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
  const model = readTopology(
    `${file}: modelTopology`,
    isObject(topology.model_config) ? topology.model_config : topology,
  );
  await readWeights(file, content.weightsManifest, model.graph, beside);
  const training = content.trainingConfig ?? topology.training_config;
  return { ...model, compiled: compile ? readTraining(`${file}: training_config`, training) : undefined };
}

function readTraining(place: string, value: Json | undefined): CompileOptions | undefined {
  if (value === undefined || value === null) return undefined;
  const { optimizer_config: optimizer, ...rest }: JsonObject = requireObject(place, value);
  return readCompile(place, { ...rest, optimizer: optimizer ?? null });
}

export const tfjs: Format = { read, write };
