// loadModel: a model from a file of any kind that formats/ reads.
import { readBytes, type Source } from "../data/source.js";
import { UnreelError } from "../errors.js";
import type { FormatName, ModelDescription } from "../formats/description.js";
import { checkFormat, loadFormat } from "../formats/index.js";
import { at, atAsync, inFile } from "../formats/place.js";
import { readOptions } from "../layers/options.js";
import { Model } from "./model.js";
import { beside } from "./save.js";
import { Sequential } from "./sequential.js";
import { formatOf, nameOf } from "./weights.js";

export type ModelSource = string | URL | Uint8Array | Response;

export interface LoadOptions {
  /** Default: told by the first bytes, else by the ending of the name. */
  format?: FormatName;
  /** Another file, from which the weights are taken, as `model.loadWeights` takes them. */
  weights?: ModelSource;
  /** The files that the first one names (shards of TensorFlow.js, outside data of ONNX), by these names. Default: those beside it. */
  files?: Readonly<Record<string, ModelSource>>;
  /** Takes over what the file says of training: optimizer and its state, loss, metrics. Default true. */
  compile?: boolean;
}

/**
 * A model from a file: `.keras` (Keras 3), `.h5` (Keras 2 and 3), `model.json` (TensorFlow.js layers models; the shards lie beside it),
 * `.onnx`. A string is a path or a URL. Nothing in a file is run: Lambda
 * layers, custom objects and pickles are refused by name. Numbers are checked to be there in the shapes that the layers need before any
 * is taken over. What would cost far more than it is long is refused with the limit: more than 32 MB, or 20 times its size, out of a file;
 * 5000 layers and calls of layers; 8000 nodes of ONNX; 400,000 objects, 2,000,000 values or 256 levels of JSON.
 */
export async function loadModel(source: ModelSource, options: LoadOptions = {}): Promise<Model> {
  const operation = "loadModel";
  const {
    format: given,
    weights,
    files,
    compile,
  } = readOptions(operation, options, {
    format: undefined as FormatName | undefined,
    weights: undefined as ModelSource | undefined,
    files: undefined as LoadOptions["files"],
    compile: true,
  });
  if (given !== undefined) checkFormat(`${operation}: format`, given);
  const name = nameOf(source);
  const bytes = await readBytes(operation, source as Source);
  const format = formatOf(`${operation}: ${name}`, bytes, name, given);
  const { read } = await loadFormat(format);
  if (!read) {
    const expected = "a format that can be read";
    throw new UnreelError({ operation: `${operation}: ${name}`, expected, got: `'${format}'` });
  }
  const near = (path: string) => {
    const place = `${name}: ${path}`;
    if (files && Object.hasOwn(files, path)) return readBytes(place, files[path] as Source);
    if (!(source instanceof Uint8Array)) {
      return readBytes(place, beside(source instanceof URL ? source : name, path) as Source);
    }
    const hint = "Bytes lie beside nothing: give a path or a URL, or the file in the option files.";
    throw new UnreelError({
      operation: `${name}: files`,
      expected: `a file '${path}'`,
      got: "none",
      hint,
    });
  };
  const model = await atAsync(operation, () =>
    inFile(name, async () => made(name, await read(bytes, { file: name, compile }, near))),
  );
  if (weights !== undefined) await model.loadWeights(weights);
  return model;
}

async function made(file: string, found: ModelDescription): Promise<Model> {
  const { name, graph, sequence, assets } = found;
  const model = sequence ? new Sequential([graph.inputs[0], ...sequence], name) : new Model(name, graph);
  const state = { ...found, assets: assets && (await revived(file, assets)) };
  at(file, () => model.restore(state));
  return model;
}

/** Vectorizers and the like from their JSON. */
async function revived(
  file: string,
  assets: Readonly<Record<string, unknown>>,
): Promise<Record<string, unknown>> {
  const { reviveSaved } = await import("../data/revive.js");
  return Object.fromEntries(
    Object.entries(assets).map(([name, json]) => [
      name,
      at(`${file}: assets: ${name}`, () => reviveSaved("className", json)),
    ]),
  );
}
