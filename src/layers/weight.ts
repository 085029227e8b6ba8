// A weight: a named array that belongs to a layer. Its newest values are on the host or with the model that trained it last;
// several models may share it, and each takes over what is newer than its own copy.
import { show, UnreelError } from "../errors.js";
import { Tensor, type TensorLike, tensor } from "../tensor.js";
import type { Constraint } from "./constraints.js";
import type { Initializer } from "./initializers.js";
import type { Regularizer } from "./regularizers.js";

/** Whoever keeps newer values than the host: a model's place in the engine. */
export interface Holder {
  read(weight: Weight): Float32Array;
}

/** What keeps a weight small while it is trained. */
export interface Limits {
  readonly regularizer?: Regularizer | null;
  readonly constraint?: Constraint | null;
}

/** What an initializer draws, which may be a user's own. */
export function drawn(name: string, initializer: Initializer, shape: readonly number[]): Float32Array {
  const values: unknown = initializer.draw(shape);
  const size = shape.reduce((a, b) => a * b, 1);
  if (values instanceof Float32Array && values.length === size) return values;
  const got = values instanceof Float32Array ? `${values.length}` : show(values);
  const expected = `a Float32Array of ${size} numbers`;
  throw new UnreelError({ operation: `${name}: initializer: draw`, expected, got });
}

export class Weight {
  /** Keras' path: `lstm/lstm_cell/kernel`. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly initializer: Initializer;
  /** Whether an optimizer may change it. */
  readonly trainable: boolean;
  readonly regularizer: Regularizer | null;
  readonly constraint: Constraint | null;
  #values: Float32Array | undefined;
  #holder: Holder | undefined;
  /** Grows with every change, so that copies know whether they are stale; 0 until there are values. */
  version = 0;

  constructor(
    name: string,
    shape: readonly number[],
    initializer: Initializer,
    { regularizer = null, constraint = null, trainable = true }: Limits & { trainable?: boolean } = {},
  ) {
    regularizer?.check?.(name, shape);
    constraint?.check?.(name, shape);
    this.name = name;
    this.shape = shape;
    this.initializer = initializer;
    this.regularizer = regularizer;
    this.constraint = constraint;
    this.trainable = trainable;
  }

  get size(): number {
    return this.shape.reduce((a, b) => a * b, 1);
  }

  /** The newest values; drawn from the initializer when first asked for. Not a copy: do not write to it. */
  read(): Float32Array {
    if (this.#holder) return this.#holder.read(this);
    if (!this.#values) {
      this.#values = drawn(this.name, this.initializer, this.shape);
      this.version++;
    }
    return this.#values;
  }

  /** A copy of the newest values. */
  toTensor(): Tensor {
    return new Tensor(this.read().slice(), this.shape);
  }

  assign(values: Tensor, operation: string): void {
    if (values.shape.length !== this.shape.length || values.shape.some((d, axis) => d !== this.shape[axis])) {
      const got = `shape [${values.shape}]`;
      throw new UnreelError({ operation, expected: `shape [${this.shape}] for weight ${this.name}`, got });
    }
    this.#values = new Float32Array(values.data);
    this.#holder = undefined;
    this.version++;
  }

  /** From now on `holder` has the newest values. */
  heldBy(holder: Holder): void {
    this.#holder = holder;
    this.version++;
  }

  /** Takes the values back to the host if `holder` keeps them: it is about to go. */
  release(holder: Holder): void {
    if (this.#holder !== holder) return;
    this.#values = holder.read(this).slice();
    this.#holder = undefined;
  }
}

/** Assigns a list of weights, in order, after checking all of them. */
export function assignWeights(
  weights: readonly Weight[],
  values: readonly TensorLike[],
  operation: string,
): void {
  if (!Array.isArray(values) || values.length !== weights.length) {
    const got = Array.isArray(values) ? `${values.length}` : show(values);
    throw new UnreelError({ operation, expected: `${weights.length} weights`, got });
  }
  const tensors = values.map((value, index) => {
    const given = tensor(value);
    const { shape, name } = weights[index];
    if (given.shape.length !== shape.length || given.shape.some((d, axis) => d !== shape[axis])) {
      const expected = `shape [${shape}] for weight ${index} (${name})`;
      throw new UnreelError({ operation, expected, got: `shape [${given.shape}]` });
    }
    return given;
  });
  tensors.forEach((given, index) => {
    weights[index].assign(given, operation);
  });
}
