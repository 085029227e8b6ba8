// The model as users hold it: compile, fit, evaluate, predict, weights, summary. It owns a graph and, from the first call that
// computes, a place in the engine. The work itself is done on the floors below.
import type { Asset } from "../data/revive.js";
import { positiveInteger, show, suggestion, UnreelError } from "../errors.js";
import type { FormatName, ModelDescription, TrainingState } from "../formats/description.js";
import { Executor } from "../graph/executor.js";
import { type Graph, makeGraph } from "../layers/graph.js";
import { type ApplyOptions, Layer, uniqueName } from "../layers/layer.js";
import { readOptions } from "../layers/options.js";
import type { Applied, SymbolicTensor } from "../layers/symbolic.js";
import { assignWeights } from "../layers/weight.js";
import { graphKind } from "../layers/wire.js";
import type { Tensor, TensorLike } from "../tensor.js";
import { type InputLike, readInputs } from "../training/arrays.js";
import { progressBar, report } from "../training/callbacks/progressBar.js";
import type { CompileOptions } from "../training/compileOptions.js";
import { arrayFeed, type Batches, BatchStream, checkEnds, type Feed, isStream } from "../training/feed.js";
import { evaluate, fit, type History, predict, type Trainee, trainOnBatch } from "../training/fit.js";
import { resolveOptimizer } from "../training/optimizers.js";
import type { ClassWeight, WeightLike } from "../training/weights.js";
import { readCompileOptions, resolveCompiled } from "./compile.js";
import {
  arrayFeeds,
  type DatasetFitOptions,
  dataSet,
  type FitOptions,
  isDue,
  readFitOptions,
  refuseOfArrays,
  requireBatch,
  streamFeed,
  type Verbose,
  validationFeed,
} from "./data.js";
import { type BytesOptions, modelBytes, type SaveOptions, saveModel } from "./save.js";
import { Stream } from "./stream.js";
import { summarize } from "./summary.js";
import { loadWeights, type ModelSource, saveWeights } from "./weights.js";

/** One tensor, or a list of them where the model has several outputs. Typed as both, so that neither use needs a cast. */
export type Predicted = Tensor & Tensor[];

/** What the model was compiled with, and what becomes of it. */
interface Compiling {
  readonly options: CompileOptions;
  trainee?: Omit<Trainee, "executor">;
  /** Which layers were frozen when it was last trained. */
  trainable?: string;
  /** The optimizer's state from a file, until the training takes it over. */
  restored?: TrainingState;
}

/** Vectorizers, lookups and scalers by the names that they were saved under. */
export type Assets = Readonly<Record<string, Asset>>;

export class Model<A extends Assets = Assets> {
  readonly name: string;
  #graph: Graph | undefined;
  #executor: Promise<Executor> | undefined;
  /** The same once it is there: for what is synchronous. */
  #resident: Executor | undefined;
  /** Calls that are under way, and the one that trains. */
  #running = 0;
  #trains = false;
  #layer: Layer | undefined;
  readonly #streams = new Set<Stream>();
  #compiled: Compiling | undefined;
  #assets = {} as A;

  /** Use `model({ inputs, outputs })` or `sequential()`. */
  constructor(name: string, graph?: Graph) {
    if (typeof name !== "string") {
      const hint = "Write model({ inputs, outputs }) or sequential([ … ]), without new.";
      throw new UnreelError({ operation: "new Model", expected: "a name", got: show(name), hint });
    }
    this.name = name;
    this.#graph = graph;
  }

  /** Layers in Keras' order. */
  get layers(): readonly Layer[] {
    return this.graph("layers").layers;
  }

  get inputs(): readonly SymbolicTensor[] {
    return this.graph("inputs").inputs;
  }

  get outputs(): readonly SymbolicTensor[] {
    return this.graph("outputs").outputs;
  }

  getLayer(name: string): Layer {
    if (typeof name !== "string") {
      throw new UnreelError({
        operation: `${this.name}: getLayer`,
        expected: "the name of a layer",
        got: show(name),
      });
    }
    const found = this.layers.find((layer) => layer.name === name);
    if (found) return found;
    const hint = suggestion(
      name,
      this.layers.map((layer) => layer.name),
    );
    throw new UnreelError({
      operation: `${this.name}: getLayer`,
      expected: "the name of a layer",
      got: show(name),
      hint,
    });
  }

  /** Sets how the model is trained. Calling it again starts over with the optimizer's state, not with the weights. */
  compile(options: CompileOptions): void {
    this.#requireRest("compile", this.#trains);
    const read = readCompileOptions(options);
    // What is refused leaves the model as it was compiled before.
    this.#compiled = { options: read, trainee: this.#graph && resolveCompiled(this.#graph, read) };
  }

  /** Trains for a number of epochs, on arrays or on a dataset whose elements are batches: [x, y], [x, y, sampleWeight] or records
   * { x, y, sampleWeight }. Batches of sequences may have different lengths. Resolves to the history of the loss and the metrics.
   * With `initialEpoch`, a dataset begins with the epoch of that number. */
  fit(dataset: Batches, options?: DatasetFitOptions): Promise<History>;
  fit(x: InputLike, y: InputLike, options?: FitOptions): Promise<History>;
  async fit(
    data: InputLike | Batches,
    yOrOptions?: InputLike | DatasetFitOptions,
    options?: FitOptions,
  ): Promise<History> {
    const isDataset = isStream(data);
    if (isDataset) refuseTargets("fit", yOrOptions, options);
    else requireTargets("fit", data, yOrOptions, "{ epochs: 10 }");
    const read = readFitOptions(((isDataset ? yOrOptions : options) ?? {}) as FitOptions, isDataset);
    this.#requireRest("fit", this.#trains);
    this.#trains = true;
    try {
      return await this.#whileRunning(async () => {
        if (!isDataset) {
          const trainee = await this.#trainee("fit", data);
          const { feed, validation } = arrayFeeds(trainee, data, yOrOptions as InputLike, read);
          return this.#fit(trainee, feed, validation, read);
        }
        const epoch = read.initialEpoch === 0 ? undefined : read.initialEpoch;
        return this.#streaming("fit", data, epoch, async (stream, x) => {
          const trainee = await this.#trainee("fit", x);
          return this.#fit(trainee, streamFeed("fit", trainee, stream, read.classWeight), undefined, read);
        });
      });
    } finally {
      this.#trains = false;
    }
  }

  async #fit(
    trainee: Trainee,
    feed: Feed,
    split: Feed | undefined,
    read: ReturnType<typeof readFitOptions>,
  ): Promise<History> {
    const { stepsPerEpoch, epochs, initialEpoch, shuffle, validationData, validationSteps } = read;
    const validation =
      validationData === undefined
        ? split
        : validationFeed(trainee, validationData, read.validationBatchSize ?? read.batchSize);
    checkEnds("fit", "stepsPerEpoch", feed, stepsPerEpoch);
    if (validation) checkEnds("fit: validationData", "validationSteps", validation, validationSteps);
    const verbose = read.verbose === "auto" ? 1 : read.verbose;
    return fit(trainee, {
      feed,
      stepsPerEpoch,
      validation: validation && {
        feed: validation,
        steps: validationSteps,
        isDue: isDue(read.validationFreq),
      },
      epochs,
      initialEpoch,
      shuffle,
      // The bar last, as in Keras: it shows what the others add to the logs.
      callbacks: verbose === 0 ? read.callbacks : [...read.callbacks, progressBar({ verbose })],
      model: this,
    });
  }

  /** Calls `work` with a stream of batches and the x of the first. */
  async #streaming<R>(
    operation: string,
    data: Batches,
    epoch: number | undefined,
    work: (stream: BatchStream, x: InputLike) => Promise<R>,
  ): Promise<R> {
    const stream = new BatchStream(operation, data);
    try {
      const first = await stream.peek(epoch);
      // Before a model takes its shape from it.
      requireBatch(operation, first);
      const { x } = first;
      return await work(stream, x as InputLike);
    } finally {
      await stream.close();
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
  async evaluate(
    data: InputLike | Batches,
    yOrOptions?: InputLike | object,
    options?: object,
  ): Promise<Record<string, number>> {
    const isDataset = isStream(data);
    if (isDataset) refuseTargets("evaluate", yOrOptions, options);
    else requireTargets("evaluate", data, yOrOptions, "{ batchSize: 128 }");
    const given = isDataset ? yOrOptions : options;
    if (isDataset) refuseOfArrays("evaluate", given, ["batchSize", "sampleWeight"]);
    const defaults = {
      batchSize: 32,
      sampleWeight: undefined as WeightLike | undefined,
      steps: undefined as number | undefined,
      verbose: "auto" as Verbose,
    };
    const call = isDataset ? "evaluate(dataset, { steps: 10 })" : "evaluate(x, y, { batchSize: 128 })";
    const { batchSize, sampleWeight, steps, verbose } = readOptions(
      "evaluate",
      given as object,
      defaults,
      call,
    );
    positiveInteger("evaluate: batchSize", batchSize);
    if (steps !== undefined) positiveInteger("evaluate: steps", steps);
    const run = async (trainee: Trainee, feed: Feed) => {
      checkEnds("evaluate", "steps", feed, steps);
      const start = performance.now();
      const logs = await evaluate(trainee, feed, steps);
      if (verbose === 1 || verbose === 2) report(start, logs);
      return logs;
    };
    return this.#whileRunning(async () => {
      if (isDataset) {
        return this.#streaming("evaluate", data, undefined, async (stream, x) => {
          const trainee = await this.#trainee("evaluate", x);
          return run(trainee, streamFeed("evaluate", trainee, stream));
        });
      }
      const trainee = await this.#trainee("evaluate", data);
      const arrays = dataSet("evaluate", trainee, data, yOrOptions as InputLike, { sampleWeight });
      return run(trainee, arrayFeed(arrays, batchSize));
    });
  }

  /** Outputs for inputs: one tensor, or one for each output. Of a dataset of batches, x or [x, y] and their like, the x count, and
   * all outputs must have one shape; `steps`: how many batches (default: all). */
  async predict(
    data: InputLike | Batches,
    options: { batchSize?: number; steps?: number; verbose?: Verbose } = {},
  ): Promise<Predicted> {
    const isDataset = isStream(data);
    if (isDataset) refuseOfArrays("predict", options, ["batchSize"]);
    const defaults = {
      batchSize: 32,
      steps: undefined as number | undefined,
      verbose: "auto" as Verbose,
    };
    const { batchSize, steps, verbose } = readOptions(
      "predict",
      options,
      defaults,
      "predict(x, { batchSize: 128 })",
    );
    positiveInteger("predict: batchSize", batchSize);
    if (steps !== undefined) positiveInteger("predict: steps", steps);
    const run = async (executor: Executor, feed: Feed) => {
      checkEnds("predict", "steps", feed, steps);
      const start = performance.now();
      const results = await predict(executor, feed, steps);
      if (verbose === 1 || verbose === 2) report(start, {});
      return (results.length === 1 ? results[0] : results) as Predicted;
    };
    const read = (executor: Executor, x: InputLike) => {
      const inputs = readInputs("predict", executor.graph, x);
      return { inputs, samples: inputs[0].shape[0] };
    };
    return this.#whileRunning(async () => {
      if (isDataset) {
        return this.#streaming("predict", data, undefined, async (stream, x) => {
          const executor = await this.executor("predict", x);
          return run(
            executor,
            stream.feed((batch) => {
              requireBatch("predict", batch, executor.graph);
              return read(executor, batch.x as InputLike);
            }),
          );
        });
      }
      const executor = await this.executor("predict", data);
      return run(executor, arrayFeed(read(executor, data), batchSize));
    });
  }

  /** One training step on all of the given samples. */
  async trainOnBatch(
    x: InputLike,
    y: InputLike,
    options: { sampleWeight?: WeightLike; classWeight?: ClassWeight } = {},
  ): Promise<Record<string, number>> {
    requireTargets("trainOnBatch", x, y, "{ sampleWeight }");
    const defaults = {
      sampleWeight: undefined as WeightLike | undefined,
      classWeight: undefined as ClassWeight | undefined,
    };
    const read = readOptions("trainOnBatch", options, defaults, "trainOnBatch(x, y, { sampleWeight })");
    return this.#whileRunning(async () => {
      const trainee = await this.#trainee("trainOnBatch", x);
      return trainOnBatch(trainee, dataSet("trainOnBatch", trainee, x, y, read));
    });
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

  /** Inference one time step at a time, with states of its own: `stream.step(x)` is synchronous. */
  async stream({ batchSize = 1 }: { batchSize?: number } = {}): Promise<Stream> {
    const stream: Stream = new Stream(await this.executor("stream"), batchSize, () =>
      this.#streams.delete(stream),
    );
    this.#streams.add(stream);
    return stream;
  }

  /** Sets the states that stateful layers keep from batch to batch to zero. */
  resetStates(): void {
    this.#resident?.resetStates();
  }

  /** Keras' table of layers, output shapes and parameters; printed to the console unless `print` is given. */
  summary(options: { print?: (text: string) => void } = {}): string {
    const { print } = readOptions("summary", options, { print: console.log as (text: string) => void });
    const text = summarize(this.name, this.graph("summary"), { sequential: this.isSequential });
    print(text);
    return text;
  }

  /** Copies of all weights, in Keras' order and layout. */
  getWeights(): Tensor[] {
    return this.graph("getWeights").weights.map((weight) => weight.toTensor());
  }

  /** Replaces all weights; every shape is checked before any is changed. */
  setWeights(values: readonly TensorLike[]): void {
    assignWeights(this.graph("setWeights").weights, values, `${this.name}: setWeights`);
  }

  countParams(): number {
    return this.graph("countParams").weights.reduce((sum, weight) => sum + weight.size, 0);
  }

  /** Vectorizers, lookups and scalers that the file had beside the model, as `save(path, { assets })` was given them. */
  get assets(): A {
    return this.#assets;
  }

  /**
   * Writes the model to a file: layers, weights, what it is compiled with and the optimizer's state. The format is that of the ending:
   * `.keras`, `.h5`, `.onnx`, `.safetensors`, `.json` (TensorFlow.js) or `.wasm`; another ending needs `format`. A file that is there is
   * replaced at once, when the new one is whole.
   */
  save(path: string | URL, options: SaveOptions = {}): Promise<void> {
    return saveModel(this, path, options);
  }

  /** The bytes that `save` would write. A 'wasm' module takes batches up to `maxBatch` and sequences up to `maxSteps`. */
  toBytes(format: FormatName, options: BytesOptions = {}): Promise<Uint8Array> {
    return modelBytes(this, format, options);
  }

  /** Writes the weights alone, as Keras 3's save_weights: `path` ends in `.weights.h5`. */
  saveWeights(path: string | URL): Promise<void> {
    return saveWeights(this, path);
  }

  /** Takes the weights of a file over: `.weights.h5` and `.h5` of Keras 2 and 3, `.keras`. All are checked before any is changed. */
  loadWeights(source: ModelSource): Promise<void> {
    return loadWeights(this, source);
  }

  /** For the formats: the model as it stands, in plain form. Weights are views, to be read at once. */
  describe(operation: string): ModelDescription {
    const graph = this.graph(operation);
    const { options, trainee, restored } = this.#compiled ?? {};
    const sequence = this.isSequential ? this.layers : undefined;
    const model = { name: this.name, graph, sequence, compiled: options, assets: this.#assets };
    const optimizer = options && resolveOptimizer("compile: optimizer", options.optimizer);
    const slots = trainee && this.#resident?.slots(trainee.compiled);
    const training = slots && { iterations: optimizer!.iterations, slots };
    return { ...model, training: training ?? restored };
  }

  /** For the formats: takes over what a file has beside layers and weights. */
  restore({ compiled, training, assets = {} }: ModelDescription): void {
    this.#assets = assets as A;
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

  /** Gives the engine's memory back. The weights stay readable; a later call takes memory again. */
  dispose(): void {
    this.#requireRest("dispose", this.#running > 0);
    for (const stream of this.#streams) stream.dispose();
    this.#streams.clear();
    this.#resident?.dispose();
    this.#resident = undefined;
    this.#executor = undefined;
  }

  /** A list of layers, which `summary` shows without its input. */
  protected get isSequential(): boolean {
    return false;
  }

  /** The graph; for a sequential model it may have to be built from the first data first. */
  protected graph(operation: string, _data?: InputLike): Graph {
    if (this.#graph) return this.#graph;
    throw new UnreelError({
      operation: `${this.name}: ${operation}`,
      expected: "a model that was built",
      got: "one without inputs",
    });
  }

  /** Another graph, as when a layer was added. */
  protected regraph(graph: Graph | undefined): void {
    // A model that is built by its first call has nothing to give back yet.
    if (this.#executor) this.dispose();
    this.#layer = undefined;
    this.#graph = graph;
    if (graph && this.#compiled) this.#compiled.trainee = resolveCompiled(graph, this.#compiled.options);
  }

  /** The model's place in the engine. */
  protected async executor(operation: string, data?: InputLike): Promise<Executor> {
    if (this.#executor && this.#resident) return this.#resident;
    const graph = this.graph(operation, data);
    this.#executor ??= Executor.create(graph, this.name);
    this.#resident = await this.#executor.catch((error) => {
      this.#executor = undefined;
      throw error;
    });
    return this.#resident;
  }

  /** Runs an async call: until it is done, the model keeps its memory. */
  async #whileRunning<R>(call: () => Promise<R>): Promise<R> {
    this.#running++;
    try {
      return await call();
    } finally {
      this.#running--;
    }
  }

  #requireRest(operation: string, busy: boolean): void {
    if (!busy) return;
    throw new UnreelError({
      operation: `${this.name}: ${operation}`,
      expected: "a model at rest",
      got: this.#trains ? "one that fit is training" : "one that is computing",
      hint: "Await the call before.",
    });
  }

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

/** Options of fit and evaluate: what has one was meant as such. */
const OPTIONS =
  /^(epochs|batchSize|batch_size|verbose|callbacks|validationData|validationSplit|shuffle|steps)$/;

/** Arrays have their targets beside them. */
function requireTargets(operation: string, x: unknown, y: unknown, options: string): void {
  const isOptions =
    typeof y === "object" &&
    y !== null &&
    Object.getPrototypeOf(y) === Object.prototype &&
    Object.keys(y).some((name) => OPTIONS.test(name));
  if (y !== undefined && y !== null && !isOptions) return;
  const isBoth =
    typeof x === "object" &&
    x !== null &&
    Object.getPrototypeOf(x) === Object.prototype &&
    "x" in x &&
    "y" in x;
  const hint = `Write ${operation}(x, y, ${options}): targets stand behind the inputs, options behind both. Batches of both are a dataset: data.Dataset.fromGenerator(() => batches), or fromTensors([x, y]).batch(32).`;
  throw new UnreelError({
    operation: `${operation}: y`,
    expected: "targets, an array with one entry for each sample of x",
    got: isOptions ? "options" : isBoth ? "{ x, y } as one argument" : y === null ? "null" : "none",
    hint,
  });
}

/** A dataset's batches have their targets: what stands behind it are options. */
function refuseTargets(operation: string, given: unknown, more: unknown): void {
  const isOptions =
    given === undefined ||
    (typeof given === "object" && given !== null && Object.getPrototypeOf(given) === Object.prototype);
  if (isOptions && more === undefined) return;
  const hint = `Write ${operation}(dataset, { … }).`;
  throw new UnreelError({
    operation: `${operation}: y`,
    expected: "a dataset whose batches are [x, y]",
    got: "targets beside it",
    hint,
  });
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
