// What `torch.*` reads with: safetensors files, and state dicts into layers.
import { readBytes } from "../data/source.js";
import { UnreelError } from "../errors.js";
import { foreignFile } from "../formats/foreign.js";
import { readSafetensors } from "../formats/safetensors/file.js";
import type { Tensor } from "../tensor.js";
import { type ModelSource, nameOf } from "./weights.js";

export { readStateDict } from "../formats/safetensors/readStateDict.js";

/** The tensors of a safetensors file by name. */
export async function readFile(operation: string, source: ModelSource): Promise<ReadonlyMap<string, Tensor>> {
  const place = `${operation}: ${nameOf(source)}`;
  const bytes = await readBytes(operation, source);
  const foreign = foreignFile(bytes, nameOf(source));
  if (!foreign) return readSafetensors(bytes, place).tensors;
  const expected = "a safetensors file";
  throw new UnreelError({ operation: place, expected, got: foreign.what, hint: foreign.hint });
}
