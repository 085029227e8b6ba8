// The one class of layers. What a kind of layer does (its weights, its shapes, its ops) is a plain `LayerKind` (kind.ts), one file
// a family; `Layer` gives it a name, weights that live as long as the layer, and its place in graphs.
import { show, UnreelError } from "../errors.js";
import type { Tensor, TensorLike } from "../tensor.js";
import { attendingDefaults, checkMask, readAttending } from "./attending.js";
import type { Initializer } from "./initializers.js";
import type { LayerKind } from "./kind.js";
import { readOptions, snakeCase } from "./options.js";
import type { Regularizer } from "./regularizers.js";
import {
  type Applied,
  type CallOptions,
  type LayerCall,
  type Shape,
  SymbolicTensor,
  showShape,
} from "./symbolic.js";
import { assignWeights, Weight } from "./weight.js";

export interface CommonOptions {
  name?: string;
  /** Shape of one sample, for the first layer of a sequential model; null for any length. */
  inputShape?: Shape;
  trainable?: boolean;
}

export interface ApplyOptions {
  initialState?: SymbolicTensor | readonly SymbolicTensor[];
  /** For `rnn` over a cell of one's own: what its `call` gets besides x and the states, the same at every step. */
  constants?: SymbolicTensor | readonly SymbolicTensor[];
  /** Which steps to keep, (batch, time), non-zero = keep. For `attention` and `additiveAttention` a list, [queryMask, valueMask], in which
   * null is none: it takes the place of the masks that come with the inputs. */
  mask?: SymbolicTensor | readonly (SymbolicTensor | null)[];
  training?: boolean;
  /** For attention layers: query i sees no key j > i. Default false. */
  useCausalMask?: boolean;
  /** For attention layers: gives [output, scores]. Default false. */
  returnAttentionScores?: boolean;
  /** For `multiHeadAttention`: which query may see which key, (batch, queries, keys), also with axes of size 1, or (batch, heads, queries,
   * keys), non-zero = may. */
  attentionMask?: SymbolicTensor;
  /** For `multiHeadAttention`: a mask (batch, keys) in place of that which comes with the value. */
  valueMask?: SymbolicTensor;
  /** For `multiHeadAttention`: a mask (batch, keys) in place of that which comes with the key. */
  keyMask?: SymbolicTensor;
}

// Only names of the layers that users do not name depend on this.
const counters = new Map<string, number>();

/** Keras' automatic names: `dense`, `dense_1`, … */
export function uniqueName(base: string): string {
  const count = counters.get(base) ?? 0;
  counters.set(base, count + 1);
  return count === 0 ? base : `${base}_${count}`;
}

/** What a build leaves behind. */
interface Built {
  undo(): void;
  /** How often it was used so far. */
  uses(): number;
}

/** What is built at the moment, where somebody may have to undo it. */
let underWay: Built[] | undefined;

/** To be called by whoever keeps something of what it was built for. */
export function undoneBy(undo: () => void, uses = () => 0): void {
  underWay?.push({ undo, uses });
}

/** Calls `build` and gives what undoes it, for all layers that it built, those inside others too: false where one of them was used
 * elsewhere since, and all stay as they are. When `build` throws, it is undone. */
export function undoable(build: () => void): () => boolean {
  const around = underWay;
  const own: Built[] = [];
  const undo = () => {
    for (const each of own) each.undo();
  };
  const uses = () => own.reduce((sum, each) => sum + each.uses(), 0);
  underWay = own;
  try {
    build();
  } catch (error) {
    undo();
    throw error;
  } finally {
    underWay = around;
  }
  around?.push({ undo, uses });
  const before = uses();
  return () => {
    if (uses() !== before) return false;
    undo();
    return true;
  };
}

export class Layer<C extends object = object> {
  readonly kind: LayerKind<C>;
  readonly config: Readonly<C>;
  readonly name: string;
  readonly inputShape: Shape | undefined;
  trainable: boolean;
  /** In Keras' order; empty until the layer is built. */
  weights: readonly Weight[] = [];
  #builtFor: readonly Shape[] | undefined;
  #children: readonly Layer[] = [];
  #applied = 0;
  #built = 0;

  constructor(kind: LayerKind<C>, config: C, { name, inputShape, trainable = true }: CommonOptions = {}) {
    this.kind = kind;
    this.config = Object.freeze({ ...config });
    this.name = name ?? uniqueName(snakeCase(kind.className));
    this.trainable = trainable;
    this.inputShape = inputShape;
  }

  get className(): string {
    return this.kind.className;
  }

  /** What is made of each output and added to the loss, once for each call. */
  get activityRegularizer(): Regularizer | null {
    return (this.config as { activityRegularizer?: Regularizer | null }).activityRegularizer ?? null;
  }

  get built(): boolean {
    return this.#builtFor !== undefined;
  }

  /** Creates the weights for inputs of these shapes. A built layer only checks that its weights still fit. */
  build(inputs: readonly Shape[]): void {
    this.#checkRanks(this.kind.merges ? inputs : inputs.slice(0, 1));
    this.#built++;
    if (!this.#builtFor)
      undoneBy(
        () => this.#unbuild(),
        () => this.#built,
      );
    const children = this.kind.children?.(this.config, inputs) ?? [];
    for (const child of children) if (child.inputs) child.layer.build(child.inputs);
    const specs = this.kind.weights?.(this.config, inputs) ?? [];
    if (this.#builtFor) {
      specs.forEach(({ name, shape }, index) => {
        if (shape.some((d, axis) => d !== this.weights[index].shape[axis])) {
          throw new UnreelError({
            operation: `${this.name}: ${name}`,
            expected: `inputs like ${show(this.#builtFor![0])}, which it was built for`,
            got: `inputs like ${show(inputs[0])}`,
            hint: "A shared layer keeps its weights: every input needs the same last axis.",
          });
        }
      });
      return;
    }
    const own = specs.map(
      ({ name, shape, initializer, ...more }) => new Weight(`${this.name}/${name}`, shape, initializer, more),
    );
    this.#children = children.map(({ layer }) => layer);
    this.weights = [...new Set([...own, ...this.#children.flatMap((child) => child.weights)])];
    this.#builtFor = inputs;
  }

  /** As it was before it was built. */
  #unbuild(): void {
    this.#builtFor = undefined;
    this.#children = [];
    this.#applied = 0;
    this.weights = [];
  }

  /** The weights that training changes: none when this layer is frozen, and none of a frozen layer inside it. */
  get trainableWeights(): readonly Weight[] {
    if (!this.trainable) return [];
    const inside = new Set(this.#children.flatMap((child) => child.weights));
    const own = this.weights.filter((weight) => weight.trainable && !inside.has(weight));
    return [...own, ...this.#children.flatMap((child) => child.trainableWeights)];
  }

  /** Which layers are frozen, this one and those inside: another text whenever a `trainable` has changed. */
  get frozenPattern(): string {
    return [this.trainable ? "1" : "0", ...this.#children.map((child) => child.frozenPattern)].join("");
  }

  /** Applies the layer in a graph. Gives one symbolic tensor, or a list when the layer has several outputs. */
  apply(x: SymbolicTensor | readonly SymbolicTensor[], options: ApplyOptions = {}): Applied {
    const { outputs } = this.call(Array.isArray(x) ? x : [x as SymbolicTensor], options);
    return (outputs.length === 1 ? outputs[0] : [...outputs]) as Applied;
  }

  /** `apply` that tells the whole call. */
  call(inputs: readonly SymbolicTensor[], applyOptions: ApplyOptions = {}): LayerCall {
    const given = readOptions<ApplyOptions>(`${this.name}: apply`, applyOptions, {
      initialState: undefined,
      constants: undefined,
      mask: undefined,
      training: undefined,
      ...attendingDefaults(this.kind, applyOptions),
    });
    checkSymbolic(`${this.name}: apply`, inputs, "Begin with input({ shape }) and pass what layers return.");
    if (inputs.length === 0 || (inputs.length > 1 && !this.kind.merges)) {
      const expected = this.kind.merges ? "a list of inputs" : "one input";
      throw new UnreelError({ operation: `${this.name}: apply`, expected, got: `${inputs.length}` });
    }
    const initialState = given.initialState === undefined ? undefined : [given.initialState].flat();
    const constants = given.constants === undefined ? [] : [given.constants].flat();
    checkSymbolic(`${this.name}: apply: initialState`, initialState ?? []);
    checkSymbolic(`${this.name}: apply: constants`, constants);
    if (constants.length > 0 && !this.kind.takesConstants?.(this.config)) {
      throw new UnreelError({
        operation: `${this.name}: apply: constants`,
        expected: "rnn over a cell of your own, whose call(x, states, constants) takes them",
        got: this.className === "RNN" ? "rnn over built-in cells" : `a layer of class ${this.className}`,
      });
    }
    const shapes = [...inputs, ...constants].map((input) => input.shape);
    this.#checkRanks(shapes.slice(0, inputs.length));
    const attending = readAttending(this.name, this.kind, given, shapes);
    const mask = attending ? undefined : (given.mask as SymbolicTensor | undefined);
    if (mask) checkMask(this.name, mask, shapes[0]);
    const options: CallOptions = {
      initialState,
      constants: constants.length,
      mask,
      training: given.training,
      attending,
    };
    this.kind.check?.(this.config, shapes, options);
    this.build(shapes);
    const outputs = this.kind
      .outputs(this.config, shapes, options)
      .map((shape, index) => new SymbolicTensor(shape, "float32", index));
    for (const { shape } of outputs) this.activityRegularizer?.check?.(this.name, shape);
    const call = {
      index: this.#applied++,
      layer: this as unknown as Layer,
      inputs: [...inputs, ...constants],
      outputs,
      options,
    };
    for (const output of outputs) output.source = call;
    return call;
  }

  countParams(): number {
    return this.weights.reduce((sum, weight) => sum + weight.size, 0);
  }

  /** Copies of the weights, in Keras' order and layout. */
  getWeights(): Tensor[] {
    return this.weights.map((weight) => weight.toTensor());
  }

  /** Replaces the weights; all shapes are checked before any is changed. */
  setWeights(values: readonly TensorLike[]): void {
    if (!this.built) {
      const hint = "Apply it to something first, or give it an inputShape in a sequential model.";
      const operation = `${this.name}: setWeights`;
      throw new UnreelError({
        operation,
        expected: "a layer that knows its input",
        got: "one not built yet",
        hint,
      });
    }
    assignWeights(this.weights, values, `${this.name}: setWeights`);
  }

  #checkRanks(shapes: readonly Shape[]): void {
    if (!this.kind.ranks) return;
    const [least, most] = this.kind.ranks;
    for (const shape of shapes) {
      if (shape.length >= least && shape.length <= most) continue;
      const ranks =
        least === most
          ? `${least}`
          : most === Number.POSITIVE_INFINITY
            ? `${least} or more`
            : `${least} to ${most}`;
      throw new UnreelError({
        operation: this.name,
        expected: `input of rank ${ranks}, the batch included`,
        got: `shape ${showShape(shape)}`,
        hint: rankHint(this.className, shape.length),
      });
    }
  }
}

function checkSymbolic(operation: string, given: readonly unknown[], hint?: string): void {
  const stranger = given.find((each) => !(each instanceof SymbolicTensor));
  if (stranger === undefined && !given.includes(undefined)) return;
  throw new UnreelError({ operation, expected: "symbolic tensors", got: show(stranger), hint });
}

function rankHint(className: string, rank: number): string | undefined {
  if (!["SimpleRNN", "LSTM", "GRU", "RNN", "Bidirectional"].includes(className)) return undefined;
  return rank < 3
    ? "A recurrent layer reads (batch, time, features): set returnSequences: true on the recurrent layer before it, embed ids first, or give plain numbers an axis of their own, x.map((row) => row.map((value) => [value]))."
    : "A recurrent layer reads (batch, time, features): inputShape is without the batch, and an embedding takes one id a step.";
}

/** A copy of a layer, with weights of its own; layers in its config are copied with it. */
export function copyLayer<C extends object>(
  layer: Layer<C>,
  name = layer.name,
  changes: object = {},
): Layer<C> {
  const again = (value: unknown): unknown => {
    if (value instanceof Layer) return copyLayer(value);
    if (Array.isArray(value) && value.some((each) => each instanceof Layer)) return value.map(again);
    return (value as Initializer | null)?.again?.() ?? value;
  };
  const config = Object.entries({ ...layer.config, ...changes }).map(([key, value]) => [key, again(value)]);
  const kind = layer.kind.copy?.(copyLayer as (inner: Layer) => Layer) ?? layer.kind;
  const { inputShape, trainable } = layer;
  return new Layer(kind, Object.fromEntries(config) as C, { name, inputShape, trainable });
}
