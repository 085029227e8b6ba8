// Models to bytes and to files. Not here: what a format writes (formats/), and reading (load.ts).
import { show, UnreelError } from "../errors.js";
import { checkPath, replaceFile } from "../files.js";
import type { FormatName, ModelDescription } from "../formats/description.js";
import { checkFormat, formatOfName, loadFormat } from "../formats/index.js";
import { readOptions } from "../layers/options.js";

export interface BytesOptions {
  /** What the model is compiled with, and the optimizer's state. Default true. */
  includeOptimizer?: boolean;
  /** Vectorizers, lookups and scalers to be kept beside the model, by name: whatever has a `toJSON` here. Those that were loaded
   * with the model are kept unless others are given. Only in `.keras`. */
  assets?: Readonly<Record<string, { toJSON(): unknown }>>;
  /** Of a 'wasm' module: the largest batch. Default 1. */
  maxBatch?: number;
  /** Of a 'wasm' module: the longest sequence, where the model takes any length. */
  maxSteps?: number;
}

export interface SaveOptions extends BytesOptions {
  /** Default: told by the ending of the path. */
  format?: FormatName;
}

/** A model as this file needs it. */
interface Saved {
  readonly name: string;
  describe(operation: string): ModelDescription;
}

const BYTES = {
  includeOptimizer: true,
  assets: undefined as BytesOptions["assets"],
  maxBatch: undefined as number | undefined,
  maxSteps: undefined as number | undefined,
};

async function written(method: "save" | "toBytes", model: Saved, format: FormatName, options: BytesOptions) {
  const operation = `${model.name}: ${method}`;
  const { includeOptimizer, assets, maxBatch, maxSteps } = readOptions(operation, options, BYTES);
  if (assets !== undefined && format !== "keras") {
    throw new UnreelError({
      operation: `${operation}: assets`,
      expected: "format 'keras'",
      got: `'${format}'`,
    });
  }
  const { write } = await loadFormat(format);
  if (!write) {
    throw new UnreelError({ operation, expected: "a format that can be written", got: `'${format}'` });
  }
  const model_ = model.describe(method);
  const kept = Object.entries(assets ?? model_.assets ?? {}).map(([name, each]) => [
    name,
    jsonOf(operation, name, each),
  ]);
  return write({ ...model_, assets: Object.fromEntries(kept) }, { includeOptimizer, maxBatch, maxSteps });
}

function jsonOf(operation: string, name: string, asset: unknown): unknown {
  if (typeof (asset as { toJSON?: unknown } | null)?.toJSON !== "function") {
    const expected = "an object with toJSON(), as vectorizers, lookups and scalers are";
    throw new UnreelError({ operation: `${operation}: assets: ${name}`, expected, got: typeof asset });
  }
  return (asset as { toJSON(): unknown }).toJSON();
}

export async function modelBytes(
  model: Saved,
  given: FormatName,
  options: BytesOptions,
): Promise<Uint8Array> {
  const operation = `${model.name}: toBytes`;
  const format = checkFormat(operation, given);
  const found = await written("toBytes", model, format, options);
  if (found instanceof Uint8Array) return found;
  throw new UnreelError({
    operation,
    expected: "a format of one file",
    got: `'${format}', which has ${found.size}`,
    hint: "Use save(path).",
  });
}

export async function saveModel(model: Saved, path: string | URL, options: SaveOptions): Promise<void> {
  const operation = `${model.name}: save`;
  checkPath(operation, path);
  const { format: given, ...rest } = readOptions(operation, options, {
    ...BYTES,
    format: undefined as FormatName | undefined,
  });
  const format = given ?? formatOfPath(operation, String(path));
  const found = await written("save", model, checkFormat(`${operation}: format`, format), rest);
  if (found instanceof Uint8Array) return replaceFile(operation, path, found);
  const [[, first], ...others] = found;
  // The main file names the others: it comes last.
  for (const [name, bytes] of others) await replaceFile(operation, beside(path, name), bytes);
  await replaceFile(operation, path, first);
}

/** The format that a file's name asks for. */
function formatOfPath(operation: string, path: string): FormatName {
  if (/\.weights\.h5$/i.test(path)) {
    const hint = "saveWeights(path) writes weights alone; a whole model ends in .keras or .h5.";
    throw new UnreelError({ operation, expected: "the name of a model's file", got: show(path), hint });
  }
  const format = formatOfName(path);
  if (format) return format;
  const hint = "Or say which: save(path, { format: 'keras' }).";
  const expected = "a name that ends in .keras, .h5, .onnx, .safetensors, .json or .wasm";
  throw new UnreelError({ operation, expected, got: show(path), hint });
}

/** A file in the directory of another one. */
export function beside(path: string | URL, name: string): string | URL {
  if (path instanceof URL) return new URL(name, path);
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(path)) return new URL(name, path).href;
  return path.replace(/[^/\\]*$/, () => name);
}
