// One node of an ONNX graph while it is read: its inputs as far as they are known, its attributes, and how it is refused.

import { show } from "../../errors.js";
import { type Complain, countOf } from "../complain.js";
import { type Known, readTensor, size } from "./arrays.js";
import type { Dim } from "./dims.js";
import type { AttributeProto, GraphProto, NodeProto } from "./proto.js";
import { Misfit, View } from "./view.js";

/** Whole numbers in a row (or one alone), some of them sizes that are known at run time only. */
export class Sizes {
  readonly elements: readonly Dim[];
  readonly isScalar: boolean;

  constructor(elements: readonly Dim[], isScalar = false) {
    this.elements = elements;
    this.isScalar = isScalar;
  }
}

/** A known array, or one size, repeated along axes of sizes that are known at run time only. */
export class Spread {
  readonly of: Known | Dim;
  readonly dims: readonly Dim[];

  constructor(of: Known | Dim, dims: readonly Dim[]) {
    this.of = of;
    this.dims = dims;
  }
}

/** A list of tensors, which only operators of lists take. */
export class Several {
  readonly values: readonly Value[];

  constructor(values: readonly Value[]) {
    this.values = values;
  }
}

export type Value = View | Known | Sizes | Spread;
export type Given = Value | Several;

export function isKnown(value: Given | undefined): value is Known {
  return (
    value !== undefined &&
    !(value instanceof View || value instanceof Sizes || value instanceof Spread || value instanceof Several)
  );
}

/** What all nodes of a graph share. */
export interface Reading {
  readonly opset: number;
  readonly complain: Complain;
  /** How many samples the exporter saw, where the inputs say so: then constants may have this number in the place of any. */
  readonly samples: number | undefined;
  value(name: string): Given;
  /** Whether a value is known by now. */
  isReady(name: string): boolean;
  /** Whether anything reads a value. */
  isUsed(name: string): boolean;
  /** The nodes that read a value; none where it is an output of the graph. */
  usersOf(name: string): readonly NodeProto[];
  /** The only node that reads a value, if there is one and the value is no output of the graph. */
  onlyUser(name: string): NodeProto | undefined;
  /** A layer's name that no other layer of the graph has. */
  unique(base: string): string;
  /** The same thing for the same key: layers of nodes that read the same weights. */
  shared<T>(key: string, make: () => T): T;
  /** Does something when the whole graph could be read. */
  later(act: () => void): void;
  /** Begins anew with the samples of the inputs behind a value on another axis. */
  turnSamples(name: string): void;
  /** A node that was read together with one before it. */
  skip(node: NodeProto, outputs: readonly Given[]): void;
  /** What a graph inside a node gives, of values by the names of its inputs; it sees the values around it. */
  inside(place: string, graph: GraphProto, values: ReadonlyMap<string, Given>): Given[];
}

const decoder = new TextDecoder();

export class Call {
  readonly node: NodeProto;
  readonly reading: Reading;
  readonly place: string;

  constructor(node: NodeProto, reading: Reading) {
    this.node = node;
    this.reading = reading;
    this.place = `node '${node.name || (node.output[0] ?? "")}' (${node.opType})`;
  }

  get op(): string {
    return this.node.opType;
  }

  get opset(): number {
    return this.reading.opset;
  }

  refuse(expected: string, got: string, hint?: string): never {
    return this.reading.complain(this.place, expected, got, hint);
  }

  // ----------------------------------------------------------------------------------------------------------- inputs

  has(index: number): boolean {
    return this.node.input[index] !== undefined && this.node.input[index] !== "";
  }

  given(index: number): Given {
    if (!this.has(index)) this.refuse(`an input ${index}`, `${this.node.input.length} inputs`);
    return this.reading.value(this.node.input[index]);
  }

  value(index: number): Value {
    const given = this.given(index);
    return given instanceof Several ? this.refuse(`input ${index} to be a tensor`, showValue(given)) : given;
  }

  view(index: number): View {
    const value = this.value(index);
    if (value instanceof View) return value;
    return this.refuse(`input ${index} to depend on an input of the model`, "a constant");
  }

  known(index: number, what = `input ${index}`): Known {
    const value = this.value(index);
    if (isKnown(value)) return value;
    if (value instanceof Sizes && value.elements.every((each) => typeof each === "number")) {
      const data = Float64Array.from(value.elements as number[]);
      return { type: "int", shape: value.isScalar ? [] : [data.length], data };
    }
    return this.refuse(`${what} to be a constant`, `'${this.node.input[index]}', known at run time only`);
  }

  /** Whole numbers in a row; some may be sizes known at run time. */
  sizes(index: number): readonly Dim[] {
    const value = this.value(index);
    if (value instanceof Sizes) return value.elements;
    if (isKnown(value) && value.type !== "float" && value.shape.length < 2) return Array.from(value.data);
    return this.refuse(`input ${index} to be whole numbers, or sizes`, `'${this.node.input[index]}'`);
  }

  /** Whole numbers in a row. */
  wholes(index: number): number[] {
    return this.sizes(index).map((each) =>
      typeof each === "number" ? each : this.refuse(`input ${index} to be a constant`, `the size ${each}`),
    );
  }

  /** One number that stands everywhere in a constant. */
  scalar(index: number): number {
    const { data } = this.known(index);
    if (data.length === 1) return data[0];
    return this.refuse(`input ${index} to be one number`, `${data.length}`);
  }

  // ------------------------------------------------------------------------------------------------------- attributes

  attribute(name: string): AttributeProto | undefined {
    return this.node.attribute.find((each) => each.name === name);
  }

  int(name: string, byDefault: number): number {
    return this.attribute(name)?.i ?? byDefault;
  }

  float(name: string, byDefault: number): number {
    return this.attribute(name)?.f ?? byDefault;
  }

  ints(name: string): number[] | undefined {
    return this.attribute(name)?.ints;
  }

  floats(name: string): Float32Array | undefined {
    return this.attribute(name)?.floats;
  }

  text(name: string, byDefault: string): string {
    const found = this.attribute(name);
    return found ? decoder.decode(found.s) : byDefault;
  }

  texts(name: string): string[] | undefined {
    return this.attribute(name)?.strings.map((each) => decoder.decode(each));
  }

  graph(name: string): GraphProto {
    return this.attribute(name)?.g ?? this.refuse(`a graph '${name}'`, "none");
  }

  tensor(name: string): Known | undefined {
    const found = this.attribute(name)?.t;
    return found && readTensor(found, `${this.place}: attribute '${name}'`, this.reading.complain);
  }

  /** Refuses an attribute that has another than its usual value. */
  only(name: string, value: number): void {
    const got = this.int(name, value);
    if (got !== value) this.refuse(`${name} ${value}`, `${got}`);
  }

  /** Axes: an attribute up to some opset, an input from then on. */
  axes(name: string, input: number, rank: number): number[] | undefined {
    const given = this.has(input) ? this.wholes(input) : this.ints(name);
    return given?.map((axis) => this.axis(axis, rank));
  }

  axis(given: number, rank: number): number {
    const axis = given < 0 ? given + rank : given;
    if (Number.isSafeInteger(axis) && axis >= 0 && axis < rank) return axis;
    return this.refuse(`an axis of ${rank}`, `${given}`);
  }

  // ------------------------------------------------------------------------------------------------------------- names

  /** What the layer of this node is called: the module's name where PyTorch wrote one (`/encoder/LSTM`). */
  layerName(): string {
    const parts = (this.node.name || this.op).split("/").filter(Boolean);
    if (parts.length > 1) parts.pop();
    const name = parts
      .join("_")
      .replace(/[^A-Za-z0-9_]+/g, "_")
      .replace(/^_+|_+$/g, "");
    return this.reading.unique(name || this.op.toLowerCase());
  }

  /** What Misfits say of a node. */
  guarded<T>(act: () => T): T {
    try {
      return act();
    } catch (error) {
      if (!(error instanceof Misfit)) throw error;
      return this.refuse(error.message, this.shapes());
    }
  }

  shapes(): string {
    return this.node.input
      .filter((name) => this.reading.isReady(name))
      .map((name) => showValue(this.reading.value(name)))
      .join(" and ");
  }
}

export function showValue(value: Given): string {
  if (value instanceof View) return `shape (${value.dims.join(", ")})`;
  if (value instanceof Several) return `a list of ${value.values.length} tensors`;
  if (value instanceof Sizes) return `sizes [${value.elements.join(", ")}]`;
  if (value instanceof Spread) return `a constant of shape (${value.dims.join(", ")})`;
  return `a constant of shape (${value.shape.join(", ")})`;
}

/** The sizes of any value's axes. */
export function dimsOf(value: Value): readonly Dim[] {
  if (value instanceof View || value instanceof Spread) return value.dims;
  if (value instanceof Sizes) return value.isScalar ? [] : [value.elements.length];
  return value.shape;
}

/** Sizes as they are, or as a constant where all are known. */
export function sizesValue(elements: readonly Dim[], isScalar = false): Value {
  if (!elements.every((each) => typeof each === "number")) return new Sizes(elements, isScalar);
  const data = Float64Array.from(elements as number[]);
  return { type: "int", shape: isScalar ? [] : [data.length], data };
}

/** Refuses what is too large to be made while reading. */
export function bounded(call: Call, shape: readonly number[], most: number): void {
  const count = countOf(shape);
  if (!(count <= most)) call.refuse(`at most ${most} numbers in a constant`, `shape [${shape}]`);
}

export { show, size };
