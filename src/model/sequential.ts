// A stack of layers, one after the other. Built when the shape of its input is known: from the first layer's `inputShape`,
// or from the first data.
import { show, UnreelError } from "../errors.js";
import { input } from "../layers/core.js";
import { type Graph, makeGraph } from "../layers/graph.js";
import { Layer, undoable, uniqueName } from "../layers/layer.js";
import { readOptions } from "../layers/options.js";
import { type Shape, SymbolicTensor } from "../layers/symbolic.js";
import type { Weight } from "../layers/weight.js";
import { type TensorLike, tensorOf } from "../tensor.js";
import type { InputLike } from "../training/arrays.js";
import { Model } from "./model.js";

/** What the first data made of a model, until the call that brought them has succeeded. */
interface FromData {
  /** Leaves the layers as they were before; false where they are used elsewhere since. */
  readonly undo: () => boolean;
  /** Weights as they were before the call. */
  readonly versions: ReadonlyMap<Weight, number>;
}

export class Sequential extends Model {
  readonly #stack: Layer[] = [];
  #inputShape: Shape | undefined;
  /** Where the user gives one, in the place of a shape. */
  #start: SymbolicTensor | undefined;
  #fromData: FromData | undefined;

  constructor(layers: readonly (SymbolicTensor | Layer | Model)[], name: string) {
    super(name);
    for (const layer of layers) this.#push(layer);
    this.#rebuild();
  }

  /** Puts a layer on top. */
  add(layer: Layer | Model): void {
    this.requireRest("add", this.runs);
    const shape = this.#inputShape;
    this.#push(layer);
    try {
      this.#rebuild();
    } catch (error) {
      this.#stack.pop();
      this.#inputShape = shape;
      throw error;
    }
  }

  /** The layers, without the input. */
  override get layers(): readonly Layer[] {
    return this.#stack;
  }

  protected override get isSequential(): boolean {
    return true;
  }

  protected override graph(operation: string, data?: InputLike): Graph {
    if (this.#inputShape === undefined && data !== undefined && this.#stack.length > 0) {
      const [values] = Array.isArray(data) || !isRecord(data) ? [data] : Object.values(data);
      const { shape } = tensorOf(`${operation}: x`, values);
      this.#inputShape = shape.length === 1 ? [1] : shape.slice(1);
      try {
        const undo = this.#rebuild();
        const { weights } = super.graph(operation);
        this.#fromData = { undo, versions: new Map(weights.map((weight) => [weight, weight.version])) };
      } catch (error) {
        // The next data may have the shape that was meant.
        this.#inputShape = undefined;
        throw error;
      }
    }
    if (this.#inputShape !== undefined && this.#stack.length > 0) return super.graph(operation, data);
    const hint =
      "Give the first layer an inputShape (without the batch), or call fit or predict with data first.";
    const got = this.#stack.length === 0 ? "a model without layers" : "one whose input shape is unknown";
    throw new UnreelError({
      operation: `${this.name}: ${operation}`,
      expected: "a model that was built",
      got,
      hint,
    });
  }

  /** A call that is refused, before anything was computed, leaves no shape behind: the next data may have the one that was meant. */
  protected override async whileRunning<R>(call: () => Promise<R>): Promise<R> {
    try {
      const result = await super.whileRunning(call);
      this.#fromData = undefined;
      return result;
    } catch (error) {
      // Another call may work with the same shape: then it decides.
      if (this.#fromData && !this.runs) this.#forget(this.#fromData);
      throw error;
    }
  }

  #forget({ undo, versions }: FromData): void {
    this.#fromData = undefined;
    for (const [weight, version] of versions) if (weight.version !== version) return;
    if (!undo()) return;
    this.#inputShape = undefined;
    this.regraph(undefined);
  }

  #push(given: unknown): void {
    if (given instanceof SymbolicTensor && this.#stack.length === 0 && given.source.inputs.length === 0) {
      this.#start = given;
      return;
    }
    const layer = given instanceof Model ? given.asLayer() : given;
    if (!(layer instanceof Layer)) {
      throw new UnreelError({
        operation: `${this.name}: add`,
        expected: "a layer, as layers.dense({ … }) makes",
        got: show(layer),
        hint: layerHint(layer),
      });
    }
    if (this.#stack.includes(layer)) {
      throw new UnreelError({
        operation: `${this.name}: add`,
        expected: "a layer that is not in the model yet",
        got: show(layer.name),
        hint: "Make another one, with weights of its own; one layer in two places is for the functional API: layer.apply(x) twice.",
      });
    }
    if (this.#stack.length === 0) {
      const inside =
        given instanceof Model && given.inputs.length === 1 ? given.inputs[0].shape.slice(1) : undefined;
      this.#inputShape = this.#start?.shape.slice(1) ?? layer.inputShape ?? inside;
    }
    this.#stack.push(layer);
  }

  /** Gives what leaves its layers as they were before. */
  #rebuild(): () => boolean {
    const [first] = this.#stack;
    const shape = this.#inputShape;
    if (!first || shape === undefined) return () => true;
    return undoable(() => {
      const start = this.#start ?? input({ shape, dtype: first.kind.inputDtype });
      const end = this.#stack.reduce((x, layer) => this.#stackOn(x, layer), start);
      this.regraph(makeGraph(this.name, [start], [end]));
    });
  }

  #stackOn(x: SymbolicTensor, layer: Layer): SymbolicTensor {
    const out: SymbolicTensor | SymbolicTensor[] = layer.apply(x);
    if (out instanceof SymbolicTensor) return out;
    const hint = "Use the functional API: input(), layer.apply() and model().";
    throw new UnreelError({
      operation: `${this.name}: ${layer.name}`,
      expected: "a layer with one output",
      got: `${out.length}`,
      hint,
    });
  }
}

/** What stands in the place of a layer, and where it belongs. */
function layerHint(given: unknown): string | undefined {
  if (typeof given === "function") return "Call it: layers.dense({ … }).";
  if (given instanceof SymbolicTensor)
    return "An input stands before all layers, and is not needed: inputShape of the first layer says as much.";
  const prepares = typeof given === "object" && given !== null && "adapt" in given && "apply" in given;
  return prepares
    ? "It prepares data before they go into a model: adapt(data) once, then fit(it.apply(x), y). save(path, { assets }) keeps it beside the model."
    : undefined;
}

function isRecord(data: unknown): data is Record<string, TensorLike> {
  return typeof data === "object" && data !== null && Object.getPrototypeOf(data) === Object.prototype;
}

/** A model of layers in a row; an `input(…)` may stand before them. Keras: Sequential. */
export function sequential(
  layers: readonly (SymbolicTensor | Layer | Model)[] = [],
  options: { name?: string } = {},
): Sequential {
  if (!Array.isArray(layers)) {
    const hint = "Write sequential([layers.lstm({ … }), layers.dense({ … })]).";
    throw new UnreelError({
      operation: "sequential",
      expected: "an array of layers",
      got: show(layers),
      hint,
    });
  }
  const { name } = readOptions("sequential", options, { name: undefined as string | undefined });
  return new Sequential(layers, name ?? uniqueName("sequential"));
}
