// The model as users hold it: compile, fit, evaluate, predict, weights, summary. It owns a graph and, from the first call that
// computes, a place in the engine. The work itself is done on the floors below.
import { positiveInteger, show, suggestion, UnreelError } from "../errors.js";
import { Executor } from "../graph/executor.js";
import { type Graph, makeGraph } from "../layers/graph.js";
import { type ApplyOptions, assignWeights, Layer, uniqueName } from "../layers/layer.js";
import { readOptions } from "../layers/options.js";
import type { SymbolicTensor } from "../layers/symbolic.js";
import { graphKind } from "../layers/wire.js";
import type { Tensor, TensorLike } from "../tensor.js";
import {
  type ClassWeight,
  type InputLike,
  readInputs,
  readTargets,
  readWeights,
} from "../training/arrays.js";
import type { Callback } from "../training/callbacks/callback.js";
import { progressBar } from "../training/callbacks/progressBar.js";
import {
  evaluate,
  fit,
  type History,
  predict,
  splitValidation,
  type Trainee,
  trainOnBatch,
} from "../training/fit.js";
import { type LossLike, resolveLoss } from "../training/losses.js";
import { Metric, resolveMetric } from "../training/metrics.js";
import { type OptimizerLike, resolveOptimizer } from "../training/optimizers.js";
import type { Compiled, DataSet } from "../training/step.js";
import { Stream } from "./stream.js";
import { summarize } from "./summary.js";

type MetricLike = Metric | string;

export interface CompileOptions {
  /** Default 'rmsprop', as in Keras. */
  optimizer?: OptimizerLike;
  /** One for all outputs, a list in their order, or a record by output name. */
  loss: LossLike | readonly LossLike[] | Readonly<Record<string, LossLike>>;
  /** Names or objects; for several outputs a list of lists or a record by output name. */
  metrics?:
    | readonly (MetricLike | readonly MetricLike[])[]
    | Readonly<Record<string, MetricLike | readonly MetricLike[]>>;
  lossWeights?: readonly number[] | Readonly<Record<string, number>>;
}

type OptionalFit = "validationData" | "classWeight" | "sampleWeight";

export type Verbose = 0 | 1 | 2 | "auto";

export interface FitOptions {
  batchSize?: number;
  epochs?: number;
  /** Share of the data, from its end, kept for validation: in [0, 1). */
  validationSplit?: number;
  /** [x, y] or [x, y, sampleWeight]. */
  validationData?: readonly [InputLike, InputLike] | readonly [InputLike, InputLike, TensorLike];
  /** New order of the samples in each epoch. Default true. */
  shuffle?: boolean;
  classWeight?: ClassWeight;
  sampleWeight?: TensorLike;
  initialEpoch?: number;
  callbacks?: readonly Callback[];
  /** 0 silent, 1 progress bar (default), 2 a line for each epoch. */
  verbose?: Verbose;
}

export class Model {
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
  #compiled: { options: CompileOptions; trainee?: Omit<Trainee, "executor">; trainable?: string } | undefined;

  /** Use `model({ inputs, outputs })` or `sequential()`. */
  constructor(name: string, graph?: Graph) {
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
    const read = readOptions("compile", options, {
      optimizer: "rmsprop" as OptimizerLike,
      loss: undefined as unknown as CompileOptions["loss"],
      metrics: undefined as CompileOptions["metrics"],
      lossWeights: undefined as CompileOptions["lossWeights"],
    });
    if (read.loss === undefined) {
      throw new UnreelError({
        operation: "compile: loss",
        expected: "a loss",
        got: "none",
        hint: "compile({ loss: 'meanSquaredError', … })",
      });
    }
    const optimizer = resolveOptimizer("compile: optimizer", read.optimizer);
    this.#compiled = { options: { ...read, optimizer } };
    if (this.#graph) this.#resolveCompiled(this.#graph);
    else checkNames(read);
  }

  /** Trains for a number of epochs. Resolves to the history of the loss and the metrics. */
  async fit(x: InputLike, y: InputLike, options: FitOptions = {}): Promise<History> {
    const read = readOptions("fit", options, {
      batchSize: 32,
      epochs: 1,
      validationSplit: 0,
      validationData: undefined as FitOptions["validationData"],
      shuffle: true,
      classWeight: undefined as ClassWeight | undefined,
      sampleWeight: undefined as TensorLike | undefined,
      initialEpoch: 0,
      callbacks: [] as readonly Callback[],
      verbose: "auto" as Verbose,
    });
    positiveInteger("fit: batchSize", read.batchSize);
    positiveInteger("fit: epochs", read.epochs);
    if (!Number.isSafeInteger(read.initialEpoch) || read.initialEpoch < 0) {
      const got = show(read.initialEpoch);
      throw new UnreelError({ operation: "fit: initialEpoch", expected: "an integer from 0", got });
    }
    if (!Array.isArray(read.callbacks)) {
      throw new UnreelError({
        operation: "fit: callbacks",
        expected: "a list",
        got: show(read.callbacks),
        hint: "Write [callback].",
      });
    }
    if (read.validationData !== undefined && !Array.isArray(read.validationData)) {
      const got = show(read.validationData);
      throw new UnreelError({
        operation: "fit: validationData",
        expected: "[x, y] or [x, y, sampleWeight]",
        got,
      });
    }
    this.#requireRest("fit", this.#trains);
    this.#trains = true;
    try {
      return await this.#whileRunning(() => this.#fit(x, y, read));
    } finally {
      this.#trains = false;
    }
  }

  async #fit(
    x: InputLike,
    y: InputLike,
    read: Required<Omit<FitOptions, OptionalFit>> & Pick<FitOptions, OptionalFit>,
  ): Promise<History> {
    const trainee = await this.#trainee("fit", x);
    // Classes weigh what is trained on, not what it is validated with.
    const { sampleWeight: given, classWeight } = read;
    let data = this.#dataSet("fit", trainee, x, y, { sampleWeight: given, classWeight });
    let validation: DataSet | undefined;
    if (read.validationData) {
      const [validX, validY, sampleWeight] = read.validationData;
      validation = this.#dataSet("fit: validationData", trainee, validX, validY, { sampleWeight });
    } else if (read.validationSplit !== 0) {
      ({ data } = splitValidation(data, read.validationSplit));
      const unweighted = this.#dataSet("fit", trainee, x, y, { sampleWeight: given });
      ({ validation } = splitValidation(unweighted, read.validationSplit));
    }
    const verbose = read.verbose === "auto" ? 1 : read.verbose;
    // Last, as in Keras: it shows what the others add to the logs.
    const callbacks = verbose === 0 ? read.callbacks : [...read.callbacks, progressBar({ verbose })];
    const { batchSize, epochs, initialEpoch, shuffle } = read;
    return fit(trainee, {
      data,
      validation,
      batchSize,
      epochs,
      initialEpoch,
      shuffle,
      callbacks,
      model: this,
    });
  }

  /** Loss and metrics on data that it does not train on. */
  async evaluate(
    x: InputLike,
    y: InputLike,
    options: { batchSize?: number; sampleWeight?: TensorLike; verbose?: Verbose } = {},
  ): Promise<Record<string, number>> {
    const { batchSize, sampleWeight } = readOptions("evaluate", options, {
      batchSize: 32,
      sampleWeight: undefined,
      verbose: undefined as Verbose | undefined,
    });
    positiveInteger("evaluate: batchSize", batchSize);
    return this.#whileRunning(async () => {
      const trainee = await this.#trainee("evaluate", x);
      return evaluate(trainee, this.#dataSet("evaluate", trainee, x, y, { sampleWeight }), batchSize);
    });
  }

  /** Outputs for inputs: one tensor, or one for each output. */
  async predict(
    x: InputLike,
    options: { batchSize?: number; verbose?: Verbose } = {},
  ): Promise<Tensor | Tensor[]> {
    const { batchSize } = readOptions("predict", options, {
      batchSize: 32,
      verbose: undefined as Verbose | undefined,
    });
    positiveInteger("predict: batchSize", batchSize);
    return this.#whileRunning(async () => {
      const executor = await this.executor("predict", x);
      const inputs = readInputs("predict", executor.graph, x);
      const results = await predict(executor, { inputs, samples: inputs[0].shape[0] }, batchSize);
      return results.length === 1 ? results[0] : results;
    });
  }

  /** One training step on all of the given samples. */
  async trainOnBatch(
    x: InputLike,
    y: InputLike,
    options: { sampleWeight?: TensorLike; classWeight?: ClassWeight } = {},
  ): Promise<Record<string, number>> {
    const read = readOptions("trainOnBatch", options, {
      sampleWeight: undefined as TensorLike | undefined,
      classWeight: undefined as ClassWeight | undefined,
    });
    return this.#whileRunning(async () => {
      const trainee = await this.#trainee("trainOnBatch", x);
      return trainOnBatch(trainee, this.#dataSet("trainOnBatch", trainee, x, y, read));
    });
  }

  /** The model as a layer of another one: weights are shared, `trainable` is the layer's own. */
  asLayer(): Layer {
    this.#layer ??= new Layer(graphKind("Functional", this.graph("asLayer")), {}, { name: this.name });
    return this.#layer;
  }

  /** Applies the model in a graph, as a layer. Its weights are shared. */
  apply(
    x: SymbolicTensor | readonly SymbolicTensor[],
    options: ApplyOptions = {},
  ): SymbolicTensor | SymbolicTensor[] {
    return this.asLayer().apply(x, options);
  }

  /** Inference one time step at a time, with states of its own: `stream.step(x)` is synchronous. */
  async stream({ batchSize = 1 }: { batchSize?: number } = {}): Promise<Stream> {
    const stream = new Stream(await this.executor("stream"), batchSize);
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
    const text = summarize(this.name, this.graph("summary"));
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

  /** Gives the engine's memory back. The weights stay readable; a later call takes memory again. */
  dispose(): void {
    this.#requireRest("dispose", this.#running > 0);
    for (const stream of this.#streams) stream.dispose();
    this.#streams.clear();
    this.#resident?.dispose();
    this.#resident = undefined;
    this.#executor = undefined;
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
    this.dispose();
    this.#layer = undefined;
    this.#graph = graph;
    if (graph && this.#compiled) this.#resolveCompiled(graph);
  }

  /** The model's place in the engine. */
  protected async executor(operation: string, data?: InputLike): Promise<Executor> {
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
    if (!compiled.trainee) this.#resolveCompiled(executor.graph);
    // Weights that are trained or not since the last call: the training program is another one.
    const trainable = executor.graph.layers.map((layer) => (layer.trainable ? "1" : "0")).join("");
    if (compiled.trainable !== undefined && compiled.trainable !== trainable) executor.forgetTraining();
    compiled.trainable = trainable;
    return { executor, ...compiled.trainee! };
  }

  #resolveCompiled(graph: Graph): void {
    const compiled = this.#compiled!;
    const { optimizer, loss, metrics, lossWeights } = compiled.options;
    const outputNames = distinct(graph.outputs.map((output) => output.name));
    const losses = forOutputs("compile: loss", loss, outputNames).map((each) =>
      resolveLoss("compile: loss", each),
    );
    const weights =
      lossWeights === undefined
        ? outputNames.map(() => 1)
        : forOutputs("compile: lossWeights", lossWeights, outputNames);
    const resolved = resolveOptimizer("compile: optimizer", optimizer);
    const made: Compiled = { optimizer: resolved, update: resolved, losses, lossWeights: weights };
    const resolvedMetrics = metricsForOutputs(metrics, outputNames).map((list) =>
      list.map((each) => resolveMetric("compile: metrics", each)),
    );
    compiled.trainee = { compiled: made, metrics: resolvedMetrics, outputNames };
  }

  #dataSet(
    operation: string,
    { executor, compiled }: Trainee,
    x: InputLike,
    y: InputLike,
    weighting: { sampleWeight?: TensorLike; classWeight?: ClassWeight },
  ): DataSet {
    const inputs = readInputs(operation, executor.graph, x);
    const samples = inputs[0].shape[0];
    const targets = readTargets(operation, executor.graph, compiled.losses, y, samples);
    if (weighting.classWeight && targets.length > 1) {
      const expected = "a model with one output";
      throw new UnreelError({
        operation: `${operation}: classWeight`,
        expected,
        got: `${targets.length} outputs`,
      });
    }
    const weights = targets.map((target, index) =>
      readWeights(operation, weighting, target, compiled.losses[index].sparse, samples),
    );
    return { inputs, targets, weights, samples };
  }
}

/** Names made different where one layer has several outputs: `lstm`, `lstm_1`. */
function distinct(names: readonly string[]): string[] {
  return names.map((name, index) => {
    const before = names.slice(0, index).filter((other) => other === name).length;
    return before === 0 ? name : `${name}_${before}`;
  });
}

/** One value for each output: the same for all, a list, or a record by name. */
function forOutputs<V>(
  operation: string,
  given: V | readonly V[] | Readonly<Record<string, V>>,
  names: readonly string[],
): V[] {
  if (Array.isArray(given)) {
    if (given.length === names.length) return [...given];
    throw new UnreelError({
      operation,
      expected: `${names.length} (for ${names.join(", ")})`,
      got: `${given.length}`,
    });
  }
  if (
    given !== null &&
    typeof given === "object" &&
    Object.getPrototypeOf(given) === Object.prototype &&
    !("kernel" in given)
  ) {
    const record = given as Record<string, V>;
    const missing = names.find((name) => !(name in record));
    if (missing === undefined) return names.map((name) => record[name]);
    throw new UnreelError({ operation, expected: `entries for ${names.join(", ")}`, got: `no '${missing}'` });
  }
  return names.map(() => given as V);
}

function metricsForOutputs(metrics: CompileOptions["metrics"], names: readonly string[]): MetricLike[][] {
  if (metrics === undefined) return names.map(() => []);
  if (metrics === null || typeof metrics !== "object" || metrics instanceof Metric) {
    const hint = "Write metrics: ['accuracy'].";
    throw new UnreelError({ operation: "compile: metrics", expected: "a list", got: show(metrics), hint });
  }
  if (!Array.isArray(metrics)) {
    const record = metrics as Record<string, MetricLike | readonly MetricLike[]>;
    const stranger = Object.keys(record).find((name) => !names.includes(name));
    if (stranger !== undefined) {
      throw new UnreelError({
        operation: "compile: metrics",
        expected: `entries for ${names.join(", ")}`,
        got: `'${stranger}'`,
      });
    }
    return names.map((name) => [record[name] ?? []].flat() as MetricLike[]);
  }
  if (names.length === 1) return [metrics.flat() as MetricLike[]];
  return (forOutputs("compile: metrics", metrics, names) as (MetricLike | MetricLike[])[]).map((each) =>
    [each].flat(),
  );
}

/** Names that can be checked before the outputs are known. */
function checkNames({ loss, metrics }: CompileOptions): void {
  if (typeof loss === "string") resolveLoss("compile: loss", loss);
  if (Array.isArray(metrics)) for (const metric of metrics.flat()) resolveMetric("compile: metrics", metric);
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
