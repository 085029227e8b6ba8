// The model as users hold it: a predictor that is compiled, trained, evaluated and saved. The work itself is done on the floors below.
import { UnreelError } from "../errors.js";
import type { FormatName, ModelDescription, TrainingState } from "../formats/description.js";
import { later } from "../later.js";
import { type Graph, makeGraph } from "../layers/graph.js";
import { type ApplyOptions, Layer, uniqueName } from "../layers/layer.js";
import { readOptions } from "../layers/options.js";
import type { Applied, SymbolicTensor } from "../layers/symbolic.js";
import { graphKind } from "../layers/wire.js";
import type { InputLike } from "../training/arrays.js";
import type { CompileOptions } from "../training/compileOptions.js";
import type { Batches } from "../training/feed.js";
import type { History, Trainee } from "../training/fit.js";
import { resolveOptimizer } from "../training/resolveOptimizer.js";
import type { ClassWeight, WeightLike } from "../training/weights.js";
import { readCompileOptions, resolveCompiled } from "./compile.js";
import type { Verbose } from "./data.js";
import { type Assets, Predictor } from "./predictor.js";
import type { BytesOptions, SaveOptions } from "./save.js";
import type { DatasetFitOptions, FitOptions } from "./trainingData.js";

/** What the model was compiled with, and what becomes of it. */
interface Compiling {
  readonly options: CompileOptions;
  trainee?: Omit<Trainee, "executor">;
  /** Which layers were frozen when it was last trained. */
  trainable?: string;
  /** The optimizer's state from a file, until the training takes it over. */
  restored?: TrainingState;
}

export class Model<A extends Assets = Assets> extends Predictor<A> {
  #trains = false;
  #layer: Layer | undefined;
  #compiled: Compiling | undefined;

  /** Sets how the model is trained. Calling it again starts over with the optimizer's state, not with the weights. */
  compile(options: CompileOptions): void {
    this.requireRest("compile", this.runs);
    const read = readCompileOptions(options);
    // What is refused leaves the model as it was compiled before.
    this.#compiled = { options: read, trainee: this.built && resolveCompiled(this.built, read) };
  }

  /** Trains for a number of epochs, on arrays or on a dataset whose elements are batches: [x, y], [x, y, sampleWeight] or records
   * { x, y, sampleWeight }. Batches of sequences may have different lengths. Resolves to the history of the loss and the metrics.
   * With `initialEpoch`, a dataset begins with the epoch of that number. */
  fit(dataset: Batches, options?: DatasetFitOptions): Promise<History>;
  fit(x: InputLike, y: InputLike, options?: FitOptions): Promise<History>;
  async fit(data: InputLike | Batches, ...rest: readonly unknown[]): Promise<History> {
    this.requireRest("fit", this.#trains);
    this.#trains = true;
    try {
      return await this.whileRunning(async () => (await this.#training()).fit(this, this.#place, data, rest));
    } finally {
      this.#trains = false;
    }
  }

  /** Loss and metrics on data that it does not train on: arrays, or a dataset whose elements are batches, as in `fit`. `steps`: how
   * many batches (default: all). */
  evaluate(
    dataset: Batches,
    options?: { steps?: number; verbose?: Verbose },
  ): Promise<Record<string, number>>;
  evaluate(
    x: InputLike,
    y: InputLike,
    options?: { batchSize?: number; sampleWeight?: WeightLike; steps?: number; verbose?: Verbose },
  ): Promise<Record<string, number>>;
  evaluate(data: InputLike | Batches, ...rest: readonly unknown[]): Promise<Record<string, number>> {
    return this.whileRunning(async () => (await this.#training()).evaluate(this.#place, data, rest));
  }

  /** One training step on all of the given samples. */
  trainOnBatch(
    x: InputLike,
    y: InputLike,
    options: { sampleWeight?: WeightLike; classWeight?: ClassWeight } = {},
  ): Promise<Record<string, number>> {
    return this.whileRunning(async () => (await this.#training()).trainOnBatch(this.#place, x, y, options));
  }

  /** The model as a layer of another one: weights are shared, `trainable` is the layer's own. */
  asLayer(): Layer {
    this.#layer ??= new Layer(
      graphKind(this.isSequential ? "Sequential" : "Functional", this.graph("asLayer")),
      {},
      { name: this.name },
    );
    return this.#layer;
  }

  /** Applies the model in a graph, as a layer. Its weights are shared. */
  apply(x: SymbolicTensor | readonly SymbolicTensor[], options: ApplyOptions = {}): Applied {
    return this.asLayer().apply(x, options);
  }

  /**
   * Writes the model to a file: layers, weights, what it is compiled with and the optimizer's state. The format is that of the ending:
   * `.keras`, `.h5`, `.onnx`, `.safetensors`, `.json` (TensorFlow.js) or `.wasm`; another ending needs `format`. A file that is there is
   * replaced at once, when the new one is whole.
   */
  async save(path: string | URL, options: SaveOptions = {}): Promise<void> {
    const { saveModel } = await later(import("./save.js"));
    return saveModel(this, path, options);
  }

  /** The bytes that `save` would write. A 'wasm' module takes batches up to `maxBatch` and sequences up to `maxSteps`. */
  async toBytes(format: FormatName, options: BytesOptions = {}): Promise<Uint8Array> {
    const { modelBytes } = await later(import("./save.js"));
    return modelBytes(this, format, options);
  }

  /** Writes the weights alone, as Keras 3's save_weights: `path` ends in `.weights.h5`. */
  async saveWeights(path: string | URL): Promise<void> {
    const { saveWeights } = await later(import("./weights.js"));
    return saveWeights(this, path);
  }

  override describe(operation: string): ModelDescription {
    const { options, trainee, restored } = this.#compiled ?? {};
    const model = { ...super.describe(operation), compiled: options };
    const optimizer = options && resolveOptimizer("compile: optimizer", options.optimizer);
    const slots = trainee && this.resident?.slots(trainee.compiled);
    const training = slots && { iterations: optimizer!.iterations, slots };
    return { ...model, training: training ?? restored };
  }

  /** For the formats: takes over what a file has beside layers and weights, what it was compiled with too. */
  override restore(found: ModelDescription): void {
    super.restore(found);
    const { compiled, training } = found;
    if (!compiled) return;
    this.compile(compiled);
    const optimizer = resolveOptimizer("compile: optimizer", this.#compiled!.options.optimizer);
    if (!training) return;
    this.#compiled!.restored = training;
    optimizer.iterations = training.iterations;
    const { learningRate } = training;
    // The same number with the digits of float32 is the same number.
    if (learningRate !== undefined && Math.fround(optimizer.learningRate) !== learningRate) {
      optimizer.learningRate = learningRate;
    }
  }

  protected override get occupation(): string {
    return this.#trains ? "one that fit is training" : super.occupation;
  }

  protected override regraph(graph: Graph | undefined): void {
    // What is refused leaves the model with the graph that it had.
    const trainee = graph && this.#compiled && resolveCompiled(graph, this.#compiled.options);
    super.regraph(graph);
    this.#layer = undefined;
    if (this.#compiled) this.#compiled.trainee = trainee;
  }

  async #training() {
    const { training } = await this.computing();
    return later(training());
  }

  /** The model compiled and in the engine; data tell one without a shape its own. */
  readonly #place = (operation: string, data: InputLike) => this.#trainee(operation, data);

  async #trainee(operation: string, data: InputLike): Promise<Trainee> {
    if (!this.#compiled) {
      throw new UnreelError({
        operation,
        expected: "a compiled model",
        got: "one without a loss",
        hint: "Call compile({ optimizer, loss }) first.",
      });
    }
    const executor = await this.executor(operation, data);
    const compiled = this.#compiled;
    compiled.trainee ??= resolveCompiled(executor.graph, compiled.options);
    // Weights that are trained or not since the last call: the training program is another one.
    const trainable = executor.graph.layers.map((layer) => layer.frozenPattern).join("");
    if (compiled.trainable !== undefined && compiled.trainable !== trainable) executor.forgetTraining();
    compiled.trainable = trainable;
    if (compiled.restored) {
      const { slots: kept, iterations } = compiled.restored;
      executor.restoreSlots(compiled.trainee.compiled, { kept, iterations });
      compiled.restored = undefined;
    }
    return { executor, ...compiled.trainee! };
  }
}

/** A model from any acyclic graph of layers. Keras: the functional API. */
export function model(options: {
  inputs: SymbolicTensor | readonly SymbolicTensor[];
  outputs: SymbolicTensor | readonly SymbolicTensor[];
  name?: string;
}): Model {
  const read = readOptions("model", options, {
    inputs: [] as SymbolicTensor | readonly SymbolicTensor[],
    outputs: [] as SymbolicTensor | readonly SymbolicTensor[],
    name: undefined as string | undefined,
  });
  const inputs = [read.inputs].flat() as SymbolicTensor[];
  const outputs = [read.outputs].flat() as SymbolicTensor[];
  return new Model(read.name ?? uniqueName("functional"), makeGraph("model", inputs, outputs));
}
