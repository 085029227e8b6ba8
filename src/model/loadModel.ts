// loadModel: a model that can be trained on, from a file. What reads files is loaded with the first one.
import { later } from "../later.js";
import type { LoadOptions, ModelSource } from "./load.js";
import { Model } from "./model.js";
import type { Assets } from "./predictor.js";
import { Sequential } from "./sequential.js";

/**
 * A model from a file: `.keras` (Keras 3), `.h5` (Keras 2 and 3), `model.json` (TensorFlow.js layers models; the shards lie beside it),
 * `.onnx`. A string is a path or a URL. Nothing in a file is run: Lambda layers, custom objects and pickles are refused by name.
 * Numbers are checked to be there in the shapes that the layers need before any is taken over. What stands beside the model has its type from here:
 * `loadModel<{ vectorizer: text.TextVectorization }>(…)`.
 * What would cost far more than it is long is refused with the limit: more than 32 MB, or 20 times its size, out of a file; 5000 layers
 * and calls of layers; 8000 nodes of ONNX; 400,000 objects, 2,000,000 values or 256 levels of JSON.
 */
export async function loadModel<A extends Assets = Assets>(
  source: ModelSource,
  options: LoadOptions = {},
): Promise<Model<A>> {
  const { loadAs } = await later(import("./load.js"));
  return loadAs(source, options, ({ name, graph, sequence }) => {
    const model: Model = sequence
      ? new Sequential([graph.inputs[0], ...sequence], name)
      : new Model(name, graph);
    return model as Model<A>;
  });
}
