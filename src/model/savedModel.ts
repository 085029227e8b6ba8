// A model from a file that is only run: what `unreel/infer` gives.
import type { ModelDescription } from "../formats/description.js";
import type { Layer } from "../layers/layer.js";
import { type LoadOptions, loadAs, type ModelSource } from "./load.js";
import { type Assets, computing, Predictor } from "./predictor.js";

export class SavedModel<A extends Assets = Assets> extends Predictor<A> {
  readonly #sequence: readonly Layer[] | undefined;

  /** Use `loadModel`. */
  constructor({ name, graph, sequence }: ModelDescription) {
    super(name, graph);
    this.#sequence = sequence;
  }

  /** Layers in Keras' order; of a sequential model without the input. */
  override get layers(): readonly Layer[] {
    return this.#sequence ?? super.layers;
  }

  protected override get isSequential(): boolean {
    return this.#sequence !== undefined;
  }
}

/**
 * A model from a file, to be run: `.keras`, `.h5`, `model.json` (TensorFlow.js layers models; the shards lie beside it), `.onnx`. What it
 * was compiled with is passed over. A string is a path or a URL. Nothing in a file is run: Lambda layers, custom objects and pickles
 * are refused by name.
 */
export async function loadModel<A extends Assets = Assets>(
  source: ModelSource,
  options: Omit<LoadOptions, "compile"> = {},
): Promise<SavedModel<A>> {
  const model = loadAs(source, { ...options, compile: false }, (found) => new SavedModel<A>(found));
  // A saved model is there to be run: what runs it is on its way beside the file.
  return (await Promise.all([model, computing()]))[0];
}
