// A model from a file of any kind that formats/ reads. Not here: what is made of it (loadModel.ts, savedModel.ts).
import { readBytes } from "../data/source.js";
import { UnreelError } from "../errors.js";
import type { FormatName, ModelDescription } from "../formats/description.js";
import { checkFormat, loadFormat } from "../formats/index.js";
import { at, atAsync, inFile, ofTraining } from "../formats/place.js";
import { later } from "../later.js";
import { readOptions } from "../layers/options.js";
import type { Assets, Predictor } from "./predictor.js";
import { beside } from "./save.js";
import { formatOf, type ModelSource, nameOf, readModelFile } from "./weights.js";

export type { ModelSource } from "./weights.js";

export interface LoadOptions {
  /** Default: told by the first bytes, else by the ending of the name. */
  format?: FormatName;
  /** Another file, from which the weights are taken, as `model.loadWeights` takes them. */
  weights?: ModelSource;
  /** The files that the first one names (shards of TensorFlow.js, outside data of ONNX), by these names. Default: those beside it. */
  files?: Readonly<Record<string, ModelSource>>;
  /** Takes over what the file says of training: optimizer and its state, loss, metrics. Default true. With false, files open whose
   * optimizer, loss or metrics are not here. Keras: load_model(compile=False). */
  compile?: boolean;
}

/** What a file is read as: `make` gives the model, without weights of another file. */
export async function loadAs<M extends Predictor>(
  source: ModelSource,
  options: LoadOptions,
  make: (found: ModelDescription) => M,
): Promise<M> {
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
  const format = await formatOf(`${operation}: ${name}`, bytes, name, given);
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
      const found = await readBytes(`${name}: ${path}`, place);
      const { placeholder } = await import("../formats/foreign.js");
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
      operation: `${name}: files`,
      expected: `a file '${path}'`,
      got: "none",
      hint,
    });
  };
  const model = await atAsync(operation, () =>
    inFile(name, async () => made(name, await read(bytes, { file: name, compile }, near), make)),
  );
  if (weights !== undefined) await model.loadWeights(weights);
  return model;
}

async function made<M extends Predictor>(
  file: string,
  found: ModelDescription,
  make: (found: ModelDescription) => M,
): Promise<M> {
  const model = make(found);
  const assets = found.assets && (await revived(file, found.assets));
  at(file, () => ofTraining(() => model.restore({ ...found, assets })));
  return model;
}

/** Vectorizers and the like from their JSON. */
async function revived(file: string, assets: Readonly<Record<string, unknown>>): Promise<Assets> {
  const { reviveSaved } = await later(import("../data/revive.js"));
  return Object.fromEntries(
    Object.entries(assets).map(([name, json]) => [
      name,
      at(`${file}: assets: ${name}`, () => reviveSaved("className", json)),
    ]),
  );
}
