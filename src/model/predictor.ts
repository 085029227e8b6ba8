// A model that computes: its graph, its place in the engine, predictions, streams, weights. Model adds training and files; this is all
// of a model that `unreel/infer` has.
import type { Asset } from "../data/revive.js";
import { show, suggestion, UnreelError } from "../errors.js";
import type { ModelDescription } from "../formats/description.js";
import type { Executor } from "../graph/executor.js";
import { later } from "../later.js";
import type { Graph } from "../layers/graph.js";
import type { Layer } from "../layers/layer.js";
import { readOptions } from "../layers/options.js";
import type { SymbolicTensor } from "../layers/symbolic.js";
import { assignWeights } from "../layers/weight.js";
import type { Tensor, TensorLike } from "../tensor.js";
import type { InputLike } from "../training/arrays.js";
import type { Batches } from "../training/feed.js";
import type { PredictOptions } from "./predict.js";
import type { Stream } from "./stream.js";
import { summarize } from "./summary.js";
import type { ModelSource } from "./weights.js";

/** One tensor, or a list of them where the model has several outputs. Typed as both, so that neither use needs a cast. */
export type Predicted = Tensor & Tensor[];

/** What stands beside a model by the names that it was saved under: vectorizers, lookups, scalers, plain values. */
export type Assets = Readonly<Record<string, Asset>>;

/** Loaded with the first call that computes. */
export const computing = () => later(import("./computing.js"));
type Computing = Awaited<ReturnType<typeof computing>>;

export class Predictor<A extends Assets = Assets> {
  readonly name: string;
  #graph: Graph | undefined;
  #executor: Promise<Executor> | undefined;
  /** The same once it is there: for what is synchronous. */
  #resident: Executor | undefined;
  #computing: Computing | undefined;
  /** Calls that are under way. */
  #running = 0;
  readonly #streams = new Set<Stream>();
  #assets = {} as A;

  /** Use `model({ inputs, outputs })` or `sequential()`, or `loadModel`. */
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

  /** Outputs for inputs: one tensor, or one for each output. Of a dataset of batches, x or [x, y] and their like, the x count, and
   * all outputs must have one shape; `steps`: how many batches (default: all). */
  async predict(data: InputLike | Batches, options: PredictOptions = {}): Promise<Predicted> {
    return this.whileRunning(async () => {
      const { predict } = await this.computing();
      const results = await predict((x) => this.executor("predict", x), data, options);
      return (results.length === 1 ? results[0] : results) as Predicted;
    });
  }

  /** Inference one time step at a time, with states of its own: `stream.step(x)` is synchronous. */
  async stream(options: { batchSize?: number } = {}): Promise<Stream> {
    const { batchSize } = readOptions("stream", options, { batchSize: 1 }, "stream({ batchSize: 4 })");
    return this.whileRunning(async () => {
      const { Stream } = await this.computing();
      const stream = new Stream(await this.executor("stream"), batchSize, () => this.#streams.delete(stream));
      this.#streams.add(stream);
      return stream;
    });
  }

  /** Sets the states that stateful layers keep from batch to batch to zero. */
  resetStates(): void {
    this.resident?.resetStates();
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

  /** What the file had beside the model, as `save(path, { assets })` was given them. */
  get assets(): A {
    return this.#assets;
  }

  /** Takes the weights of a file over: `.weights.h5` and `.h5` of Keras 2 and 3, `.keras`. All are checked before any is changed. */
  async loadWeights(source: ModelSource): Promise<void> {
    const { loadWeights } = await later(import("./weights.js"));
    return loadWeights(this, source);
  }

  /** For the formats: the model as it stands, in plain form. Weights are views, to be read at once. */
  describe(operation: string): ModelDescription {
    const sequence = this.isSequential ? this.layers : undefined;
    return { name: this.name, graph: this.graph(operation), sequence, assets: this.assets };
  }

  /** For the formats: takes over what a file has beside layers and weights. */
  restore({ assets = {} }: ModelDescription): void {
    this.#assets = assets as A;
  }

  /** Gives the engine's memory back. The weights stay readable; a later call takes memory again. */
  dispose(): void {
    this.requireRest("dispose", this.runs);
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

  /** Whether a call is under way. */
  protected get runs(): boolean {
    return this.#running > 0;
  }

  /** What a model that is not at rest does. */
  protected get occupation(): string {
    return "one that is computing";
  }

  /** Its place in the engine, once it has one. */
  protected get resident(): Executor | undefined {
    return this.#resident;
  }

  /** Whether it was built: a sequential model may wait for its first data. */
  protected get built(): Graph | undefined {
    return this.#graph;
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
    this.#graph = graph;
  }

  /** The model's place in the engine. */
  protected async executor(operation: string, data?: InputLike): Promise<Executor> {
    if (this.#executor && this.#resident) return this.#resident;
    const graph = this.graph(operation, data);
    this.#executor ??= this.#load(graph);
    this.#resident = await this.#executor.catch((error) => {
      this.#executor = undefined;
      throw error;
    });
    return this.#resident;
  }

  async #load(graph: Graph): Promise<Executor> {
    const { Executor } = await this.computing();
    return Executor.create(graph, this.name);
  }

  protected async computing(): Promise<Computing> {
    this.#computing ??= await computing();
    return this.#computing;
  }

  /** Runs an async call: until it is done, the model keeps its memory. */
  protected async whileRunning<R>(call: () => Promise<R>): Promise<R> {
    this.#running++;
    try {
      return await call();
    } finally {
      this.#running--;
    }
  }

  protected requireRest(operation: string, busy: boolean): void {
    if (!busy) return;
    throw new UnreelError({
      operation: `${this.name}: ${operation}`,
      expected: "a model at rest",
      got: this.occupation,
      hint: "Await the call before.",
    });
  }
}
