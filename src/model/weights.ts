// Weights of a model to files and back, without the model.
import { readBytes, type Source } from "../data/source.js";
import { UnreelError } from "../errors.js";
import { replaceFile } from "../files.js";
import type { FormatName, ModelDescription } from "../formats/description.js";
import { checkFormat, formatOfName, loadFormat } from "../formats/index.js";
import { atAsync, inFile } from "../formats/place.js";
import { formatOfBytes } from "../formats/signatures.js";

interface Weighted {
  readonly name: string;
  describe(operation: string): ModelDescription;
}

/** What messages call a source. */
export function nameOf(source: unknown): string {
  if (source instanceof Uint8Array) return "bytes";
  return source instanceof Response ? source.url || "response" : String(source);
}

/** The format of a file, by its first bytes, else by its name. */
export function formatOf(operation: string, bytes: Uint8Array, name: string, given?: FormatName): FormatName {
  const format = given ?? formatOfBytes(bytes) ?? formatOfName(name);
  if (format !== undefined) return checkFormat(operation, format);
  const expected = "a model file of a known kind";
  throw new UnreelError({ operation, expected, got: "other bytes", hint: "Give the option format." });
}

export async function loadWeights(model: Weighted, source: Source): Promise<void> {
  const operation = `${model.name}: loadWeights`;
  const file = nameOf(source);
  const bytes = await readBytes(operation, source);
  const format = formatOf(`${operation}: ${file}`, bytes, file);
  const { readWeights } = await loadFormat(format);
  if (!readWeights) {
    const expected = "a format that keeps weights apart";
    throw new UnreelError({ operation: `${operation}: ${file}`, expected, got: `'${format}'` });
  }
  await atAsync(operation, () => inFile(file, () => readWeights(bytes, file, model.describe(operation))));
}

export async function saveWeights(model: Weighted, path: string | URL): Promise<void> {
  const operation = `${model.name}: saveWeights`;
  const format = formatOfName(String(path)) ?? "h5";
  const { writeWeights } = await loadFormat(checkFormat(operation, format));
  if (!writeWeights) {
    throw new UnreelError({
      operation,
      expected: "a path that ends in .weights.h5",
      got: `'${String(path)}'`,
    });
  }
  await replaceFile(operation, path, await writeWeights(model.describe(operation)));
}
