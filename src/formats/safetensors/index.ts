// `.safetensors`: a model's weights under PyTorch's names, and in the header the layers, so that the file is a whole model here.
import { UnreelError } from "../../errors.js";
import type { Format, ModelDescription } from "../description.js";
import { readModel } from "../keras/readGraph.js";
import { writeModel } from "../keras/writeGraph.js";
import { isObject, parseJson } from "../place.js";
import { readSafetensors } from "./file.js";
import { readStateDict } from "./readStateDict.js";
import { writeStateDict } from "./stateDict.js";
import { writeSafetensors } from "./writeFile.js";

/** Where the layers stand in the header. */
const CONFIG = "unreel.config";

async function write({ name, graph, sequence }: ModelDescription): Promise<Uint8Array> {
  const operation = "safetensors";
  const config = JSON.stringify(writeModel(name, graph, sequence));
  return writeSafetensors(writeStateDict(operation, graph), { format: "pt", [CONFIG]: config });
}

async function read(bytes: Uint8Array, { file }: { file: string }): Promise<ModelDescription> {
  const { tensors, metadata } = readSafetensors(bytes, file);
  const text = Object.hasOwn(metadata, CONFIG) ? metadata[CONFIG] : undefined;
  if (text === undefined) {
    const hint = "Make the model, then torch.loadStateDict(model, source, { mapping }).";
    const expected = "layers in the header, as files written here have";
    throw new UnreelError({ operation: file, expected, got: "tensors only", hint });
  }
  const place = `${file}: header: __metadata__: ${CONFIG}`;
  const config = parseJson(place, text);
  if (!isObject(config))
    throw new UnreelError({ operation: place, expected: "an object", got: typeof config });
  const { name, graph, sequence } = await readModel(place, config);
  const names = layersIn(graph);
  readStateDict(file, graph, tensors, {
    mapping: Object.fromEntries(names.map((each) => [each, each])),
    strict: true,
  });
  return { name, graph, sequence };
}

function layersIn(graph: ModelDescription["graph"]): string[] {
  return graph.layers.flatMap(({ kind, name, weights }) =>
    kind.graph ? layersIn(kind.graph) : weights.length > 0 ? [name] : [],
  );
}

export const safetensors: Format = { read, write };
