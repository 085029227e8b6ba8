// An input of a model in a program, as the layers ask for it: numbers for most, ids for embeddings, or both.
import type { Flow } from "../layers/kind.js";
import type { SymbolicTensor } from "../layers/symbolic.js";
import type { Builder } from "../ops/builder.js";
import type { Value } from "../ops/op.js";
import { SAMPLES } from "../ops/samples.js";
import type { Dim } from "../program/size.js";
import type { DType } from "../tensor.js";

/** What the host has to write of an input, in each type that the program reads. */
export interface InputPort {
  readonly name: string;
  readonly shape: readonly Dim[];
  /** How many samples a batch must have, where the model says so. */
  readonly batch: number | undefined;
  readonly values: Partial<Record<DType, Value>>;
  /** Ids must be below this: the smallest table that they index. */
  readonly idLimit: number | undefined;
}

export class Port implements InputPort, Flow {
  readonly name: string;
  readonly shape: readonly Dim[];
  readonly batch: number | undefined;
  readonly values: Partial<Record<DType, Value>> = {};
  idLimit: number | undefined;
  readonly #builder: Builder;
  readonly #dtype: DType;

  /** With a `stream` of so many sequences: one time step of a fixed batch. */
  constructor(builder: Builder, { name, shape, dtype }: SymbolicTensor, index: number, stream?: number) {
    this.#builder = builder;
    this.#dtype = dtype;
    this.name = name;
    const symbol = (axis: number) => `T${index || ""}${axis === 1 ? "" : `_${axis}`}`;
    const [batch, ...rest] = shape;
    this.batch = batch ?? undefined;
    // Also a fixed number of samples may be computed in parts: in a program they are always B.
    this.shape = stream
      ? [stream, ...rest.map((d, axis) => (axis === 0 ? 1 : d!))]
      : [SAMPLES, ...rest.map((d, axis) => d ?? symbol(axis + 1))];
  }

  /** As numbers, also where the input is declared as whole ones. */
  get value(): Value {
    return this.#as("float32");
  }

  get isInteger(): boolean {
    return this.#dtype === "int32";
  }

  integers(limit?: number): Value {
    if (limit !== undefined) this.idLimit = Math.min(limit, this.idLimit ?? limit);
    return this.#as("int32");
  }

  #as(dtype: DType): Value {
    this.values[dtype] ??= this.#builder.source(`${this.name}.${dtype}`, this.shape, "work", { dtype });
    return this.values[dtype]!;
  }
}
