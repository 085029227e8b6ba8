// `torch.*`: weights to and from PyTorch, as safetensors files of state dicts. Not here: the reading, which is loaded when something
// is read (torchRead.ts).
import { show, UnreelError } from "../errors.js";
import { replaceFile } from "../files.js";
import { type Mapping, writeStateDict } from "../formats/safetensors/stateDict.js";
import { writeSafetensors } from "../formats/safetensors/writeFile.js";
import { later } from "../later.js";
import { readOptions } from "../layers/options.js";
import { Tensor, type TensorLike, tensor } from "../tensor.js";
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
  const { graph } = model.describe("torch.stateDict");
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
  const { readFile, readStateDict } = await reading();
  const isRecord = typeof source === "object" && Object.getPrototypeOf(source) === Object.prototype;
  const tensors = isRecord
    ? new Map(
        Object.entries(source as Record<string, TensorLike>).map(([name, value]) => [name, tensor(value)]),
      )
    : await readFile(operation, source as ModelSource);
  const { graph } = model.describe(operation);
  readStateDict(operation, graph, tensors, { mapping, strict });
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
  const made = new Map(Object.entries(tensors).map(([name, value]) => [name, tensor(value)]));
  for (const [name, each] of made) {
    if (each instanceof Tensor && name !== "__metadata__") continue;
    throw new UnreelError({ operation: "torch.safetensorsOf", expected: "another name", got: show(name) });
  }
  return writeSafetensors(made, { format: "pt" });
}
