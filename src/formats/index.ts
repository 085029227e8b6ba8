// The kinds of model files: which one a file is, by its name or its first bytes; each is loaded when first used.
import { suggestion, UnreelError } from "../errors.js";
import { later } from "../later.js";
import { FORMATS, type Format, type FormatName } from "./description.js";
import { shown } from "./place.js";

export type {
  Format,
  FormatName,
  ModelDescription,
  ReadOptions,
  TrainingState,
  WriteOptions,
} from "./description.js";

type Loaders = Readonly<Record<FormatName, (() => Promise<Format>) | undefined>>;

const loaders: Loaders = {
  keras: async () => (await import("./keras/archive.js")).keras,
  h5: async () => (await import("./keras/legacy.js")).h5,
  tfjs: async () => (await import("./tfjs/index.js")).tfjs,
  onnx: async () => (await import("./onnx/index.js")).onnx,
  safetensors: async () => (await import("./safetensors/index.js")).safetensors,
  wasm: async () => (await import("./wasm.js")).wasm,
};

/** Endings of file names. */
const EXTENSIONS: Readonly<Record<string, FormatName>> = {
  keras: "keras",
  h5: "h5",
  hdf5: "h5",
  json: "tfjs",
  onnx: "onnx",
  safetensors: "safetensors",
  wasm: "wasm",
};

const known = () => FORMATS.filter((name) => loaders[name] !== undefined);

/** Formats that a model can be written in. */
export async function writableFormats(): Promise<FormatName[]> {
  const all = await Promise.all(known().map(async (name) => ({ name, format: await loadFormat(name) })));
  return all.flatMap(({ name, format }) => (format.write ? [name] : []));
}

export function checkFormat(operation: string, given: unknown): FormatName {
  const found = known().find((name) => name === given);
  if (found) return found;
  const hint = typeof given === "string" ? suggestion(given, known()) : undefined;
  throw new UnreelError({ operation, expected: `one of ${known().join(", ")}`, got: shown(given), hint });
}

/** The format that a file's name ends in. */
export function formatOfName(name: string): FormatName | undefined {
  const [, ending] = /\.([a-z0-9]+)$/i.exec(name.replace(/[?#].*$/, "")) ?? [];
  return ending === undefined ? undefined : EXTENSIONS[ending.toLowerCase()];
}

export async function loadFormat(name: FormatName): Promise<Format> {
  return later(loaders[name]!());
}
