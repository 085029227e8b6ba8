// `torch.*`: weights to and from PyTorch, as safetensors files of state dicts. Not here: the reading, which is loaded when something
// is read (torchRead.ts).
import { isPlain, show, UnreelError } from "../errors.js";
import { replaceFile } from "../files.js";
import { type Mapping, writeStateDict } from "../formats/safetensors/stateDict.js";
import { writeSafetensors } from "../formats/safetensors/writeFile.js";
import { later } from "../later.js";
import type { Graph } from "../layers/graph.js";
import { readOptions } from "../layers/options.js";
import { type Tensor, type TensorLike, tensorsOf } from "../tensor.js";
import type { Model } from "./model.js";
import type { ModelSource } from "./weights.js";

export type { Mapping } from "../formats/safetensors/stateDict.js";

const reading = () => later(import("./torchRead.js"));

export interface StateDictOptions {
  /**
   * PyTorch's modules and the layers that they are: `{ 'encoder.rnn': 'lstm', fc: 'dense' }`. A module with `num_layers` is several
   * layers: `{ rnn: ['lstm', 'lstm_1'] }`; with `bidirectional` each is a `layers.bidirectional`. '' is a state dict of one module.
   * Default: modules are called as the layers; when reading, also those that fit one layer only.
   */
  mapping?: Mapping;
}

/** A model's weights by PyTorch's names, in PyTorch's layout: `module.load_state_dict` takes them. What PyTorch has no module for
 * (a GRU with resetAfter: false, other activations in a cell) is refused. */
export function stateDict(model: Model, options: StateDictOptions = {}): Record<string, Tensor> {
  const { mapping } = readOptions("torch.stateDict", options, { mapping: undefined as Mapping | undefined });
  const graph = graphOf("torch.stateDict", model);
  return Object.fromEntries(writeStateDict("torch.stateDict", graph, mapping));
}

/** Takes the weights of a safetensors file with a state dict (or of tensors by name) over into a model. All is checked before any
 * weight changes. `strict` (default true): the file has a tensor for every weight, and no others. */
export async function loadStateDict(
  model: Model,
  source: string | URL | Uint8Array | Response | Readonly<Record<string, TensorLike>>,
  options: StateDictOptions & { strict?: boolean } = {},
): Promise<void> {
  const operation = "torch.loadStateDict";
  const { mapping, strict } = readOptions(operation, options, {
    mapping: undefined as Mapping | undefined,
    strict: true,
  });
  const graph = graphOf(operation, model);
  const { readFile, readStateDict } = await reading();
  const tensors = isPlain(source)
    ? new Map(tensorsOf(operation, source))
    : await readFile(operation, source as ModelSource);
  readStateDict(operation, graph, tensors, { mapping, strict });
}

function graphOf(operation: string, model: Model): Graph {
  if (typeof model?.describe === "function") return model.describe(operation).graph;
  throw new UnreelError({ operation, expected: "a model", got: show(model) });
}

/** Writes a model's state dict as a safetensors file, which `safetensors.torch.load_file` reads. A file that is there is replaced at
 * once, when the new one is whole. */
export async function saveStateDict(
  model: Model,
  path: string | URL,
  options: StateDictOptions = {},
): Promise<void> {
  await replaceFile("torch.saveStateDict", path, safetensorsOf(stateDict(model, options)));
}

/** The tensors of a safetensors file by name: float32, and int32 where they are whole numbers. */
export async function readSafetensors(
  source: string | URL | Uint8Array | Response,
): Promise<Record<string, Tensor>> {
  const { readFile } = await reading();
  return Object.fromEntries(await readFile("torch.readSafetensors", source));
}

/** The bytes of a safetensors file of some tensors. */
export function safetensorsOf(tensors: Readonly<Record<string, TensorLike>>): Uint8Array {
  const operation = "torch.safetensorsOf";
  const made = new Map(tensorsOf(operation, tensors));
  if (made.has("__metadata__")) {
    throw new UnreelError({ operation, expected: "another name", got: "'__metadata__'" });
  }
  return writeSafetensors(made, { format: "pt" });
}
