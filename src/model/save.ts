// Models to bytes and to files. Not here: what a format writes (formats/), and reading (load.ts).
import type { Asset } from "../data/revive.js";
import { show, UnreelError } from "../errors.js";
import { checkPath, replaceFile } from "../files.js";
import type { FormatName, ModelDescription } from "../formats/description.js";
import { checkFormat, formatOfName, loadFormat } from "../formats/index.js";
import { at } from "../formats/place.js";
import { later } from "../later.js";
import { readOptions } from "../layers/options.js";

export interface BytesOptions {
  /** What the model is compiled with, and the optimizer's state. Default true. */
  includeOptimizer?: boolean;
  /** What is to be kept beside the model, by name: vectorizers, lookups and scalers, and whatever JSON holds, as names of classes. What was
   * loaded with the model is kept unless others are given. Only in `.keras`. */
  assets?: Readonly<Record<string, Asset>>;
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
  const given = Object.entries(assets ?? model_.assets ?? {});
  const kept = given.map(async ([name, each]) => [name, await jsonOf(`${operation}: assets: ${name}`, each)]);
  const json = Object.fromEntries(await Promise.all(kept));
  return write({ ...model_, assets: json }, { includeOptimizer, maxBatch, maxSteps });
}

async function jsonOf(place: string, asset: unknown): Promise<unknown> {
  const { toJSON } = (asset ?? {}) as { toJSON?: unknown };
  const isMade = typeof toJSON === "function";
  const json = isMade ? toJSON.call(asset) : asset;
  if (!isMade && !isPlain(json)) {
    throw new UnreelError({
      operation: place,
      expected: "a vectorizer, a lookup, a scaler, or texts, numbers, lists and records",
      got: show(asset),
      hint: "Array.from(values) makes a list of an array of numbers.",
    });
  }
  // What could not be read again is not written.
  const { reviveSaved } = await later(import("../data/revive.js"));
  at(place, () => reviveSaved("className", json));
  return json;
}

/** Whether JSON holds it as it is. */
function isPlain(value: unknown, depth = 0): boolean {
  if (value === null || typeof value === "string" || typeof value === "boolean") return true;
  if (typeof value === "number") return Number.isFinite(value);
  if (depth > DEEPEST || typeof value !== "object") return false;
  const isRecord = Object.getPrototypeOf(value) === Object.prototype;
  return (isRecord || Array.isArray(value)) && Object.values(value).every((each) => isPlain(each, depth + 1));
}
const DEEPEST = 100;

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
