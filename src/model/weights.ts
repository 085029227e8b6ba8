// Weights of a model to files and back, without the model.
import { readBytes } from "../data/source.js";
import { show, UnreelError } from "../errors.js";
import { checkPath, replaceFile } from "../files.js";
import type { FormatName, ModelDescription } from "../formats/description.js";
import { checkFormat, formatOfName, loadFormat } from "../formats/index.js";
import { atAsync, inFile } from "../formats/place.js";
import { formatOfBytes } from "../formats/signatures.js";
import { namesIn } from "../unread.js";

interface Weighted {
  readonly name: string;
  describe(operation: string): ModelDescription;
}

/** A path, a URL, bytes, a file that was picked in a page, or what `fetch` resolved to. */
export type ModelSource = string | URL | Uint8Array | ArrayBuffer | Blob | Response;

/** The bytes of a source; of a folder, what it is. */
export async function readModelFile(operation: string, source: ModelSource): Promise<Uint8Array> {
  try {
    return await readBytes(operation, source);
  } catch (error) {
    const isPath = typeof source === "string" || source instanceof URL;
    const names = isPath ? await namesIn(source) : undefined;
    if (!names) throw error;
    const { foreignFolder } = await import("../formats/foreign.js");
    const { what, hint } = foreignFolder(String(source), names);
    throw new UnreelError({
      operation: `${operation}: ${nameOf(source)}`,
      expected: "a model file",
      got: what,
      hint,
    });
  }
}

/** What messages call a source. */
export function nameOf(source: unknown): string {
  if (source instanceof Uint8Array || source instanceof ArrayBuffer) return "bytes";
  if (source instanceof Blob) return source instanceof File ? source.name : "blob";
  if (source instanceof Response) return source.url || "response";
  return typeof source === "string" || source instanceof URL ? String(source) : show(source);
}

/** The format of a file, by its first bytes, else by its name. */
export async function formatOf(
  operation: string,
  bytes: Uint8Array,
  name: string,
  given?: FormatName,
): Promise<FormatName> {
  const { foreignFile } = await import("../formats/foreign.js");
  const expected = "a model file of a known kind";
  const foreign = foreignFile(bytes, name);
  if (foreign) throw new UnreelError({ operation, expected, got: foreign.what, hint: foreign.hint });
  const format = given ?? formatOfBytes(bytes) ?? formatOfName(name);
  if (format !== undefined) return checkFormat(operation, format);
  const hint =
    "Known are .keras, .h5, model.json, .onnx and .safetensors, by their first bytes or their names; the option format says which.";
  throw new UnreelError({ operation, expected, got: "other bytes", hint });
}

export async function loadWeights(model: Weighted, source: ModelSource): Promise<void> {
  const operation = `${model.name}: loadWeights`;
  const description = model.describe("loadWeights");
  const file = nameOf(source);
  const bytes = await readModelFile(operation, source);
  const format = await formatOf(`${operation}: ${file}`, bytes, file);
  const { readWeights } = await loadFormat(format);
  if (!readWeights) {
    const expected = "a format that keeps weights apart";
    throw new UnreelError({ operation: `${operation}: ${file}`, expected, got: `'${format}'` });
  }
  await atAsync(operation, () => inFile(file, () => readWeights(bytes, file, description)));
}

export async function saveWeights(model: Weighted, path: string | URL): Promise<void> {
  const operation = `${model.name}: saveWeights`;
  checkPath(operation, path);
  const format = formatOfName(String(path)) ?? "h5";
  const { writeWeights } = await loadFormat(checkFormat(operation, format));
  if (!writeWeights) {
    throw new UnreelError({
      operation,
      expected: "a path that ends in .weights.h5",
      got: `'${String(path)}'`,
    });
  }
  await replaceFile(operation, path, await writeWeights(model.describe("saveWeights")));
}
