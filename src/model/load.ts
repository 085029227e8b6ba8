// loadModel: a model from a file of any kind that formats/ reads.
import { readBytes } from "../data/source.js";
import { UnreelError } from "../errors.js";
import type { FormatName, ModelDescription } from "../formats/description.js";
import { placeholder } from "../formats/foreign.js";
import { checkFormat, loadFormat } from "../formats/index.js";
import { at, atAsync, inFile } from "../formats/place.js";
import { readOptions } from "../layers/options.js";
import { type Assets, Model } from "./model.js";
import { beside } from "./save.js";
import { Sequential } from "./sequential.js";
import { formatOf, type ModelSource, nameOf, readModelFile } from "./weights.js";

export type { ModelSource } from "./weights.js";

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
 * is taken over. What stands beside the model has its type from here: `loadModel<{ vectorizer: text.TextVectorization }>(…)`.
 */
export async function loadModel<A extends Assets = Assets>(
  source: ModelSource,
  options: LoadOptions = {},
): Promise<Model<A>> {
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
  const bytes = await readModelFile(operation, source);
  const format = formatOf(`${operation}: ${name}`, bytes, name, given);
  const { read } = await loadFormat(format);
  if (!read) {
    const expected = "a format that can be read";
    const hint =
      "A module is made of a model and has no layers any more: keep the .keras that it was made of.";
    throw new UnreelError({ operation: `${operation}: ${name}`, expected, got: `'${format}'`, hint });
  }
  const near = async (path: string) => {
    const isGiven = files && Object.hasOwn(files, path);
    if (isGiven || typeof source === "string" || source instanceof URL || source instanceof Response) {
      const place = isGiven ? files[path] : beside(source instanceof URL ? source : name, path);
      const found = await readBytes(name, place);
      const page = placeholder(found);
      if (!page) return found;
      throw new UnreelError({
        operation: name,
        expected: `the file '${path}' beside it`,
        got: page.what,
        hint: page.hint,
      });
    }
    const hint = "Bytes lie beside nothing: give a path or a URL, or the file in the option files.";
    throw new UnreelError({
      operation: "files",
      expected: `a file '${path}'`,
      got: "none",
      hint,
    });
  };
  const found = await atAsync(operation, () =>
    inFile(name, () => read(bytes, { file: name, compile }, near)),
  );
  const model = await made(`${operation}: ${name}`, found);
  if (weights !== undefined) await model.loadWeights(weights);
  return model as Model<A>;
}

async function made(operation: string, found: ModelDescription): Promise<Model> {
  const { name, graph, sequence, assets } = found;
  const model = sequence ? new Sequential([graph.inputs[0], ...sequence], name) : new Model(name, graph);
  const state = { ...found, assets: assets && (await revived(assets)) };
  at(operation, () => model.restore(state));
  return model;
}

/** Vectorizers and the like from their JSON. */
async function revived(assets: Readonly<Record<string, unknown>>): Promise<Assets> {
  const { reviveSaved } = await import("../data/revive.js");
  return Object.fromEntries(
    Object.entries(assets).map(([name, json]) => [name, reviveSaved(`loadModel: assets: ${name}`, json)]),
  );
}
