// Nodes of an ONNX graph while it is written: values by name, constants, attributes. What layers become is in writers/.
import { UnreelError } from "../../errors.js";
import type { Layer } from "../../layers/layer.js";
import type { Shape } from "../../layers/symbolic.js";
import type { Weight } from "../../layers/weight.js";
import { bytesOf } from "../numbers.js";
import type { AttributeProto, GraphProto, NodeProto, TensorProto, ValueInfoProto, Written } from "./proto.js";

export const FLOAT = 1;
export const INT32 = 6;
export const INT64 = 7;
export const BOOL = 9;

/** An end behind all places. */
export const FAR = 2 ** 31 - 1;

/** A value on its way through a graph. */
export interface Flow {
  readonly name: string;
  readonly shape: Shape;
  /** Truth values [samples, steps]: which are kept. */
  readonly mask?: string;
  /** Where it is another: the mask that the graph was drawn with (layers/takenMasks.ts). */
  readonly wholeMask?: string;
  /** Whole numbers, straight from an input. */
  readonly isInteger?: boolean;
}

/** Whole numbers alone and in lists, texts, and fractions as `{ f }`. */
export type Attribute =
  | number
  | readonly number[]
  | string
  | readonly string[]
  | { f: number }
  | { fs: readonly number[] }
  | { g: Written<GraphProto> };

const encode = (text: string) => new TextEncoder().encode(text);

function attributeOf(name: string, value: Attribute): Written<AttributeProto> {
  if (typeof value === "number") return { name, type: 2, i: value };
  if (typeof value === "string") return { name, type: 3, s: encode(value) };
  if (Array.isArray(value)) {
    if (typeof value[0] === "string") return { name, type: 8, strings: (value as string[]).map(encode) };
    return { name, type: 7, ints: [...(value as number[])] };
  }
  if ("f" in (value as object)) return { name, type: 1, f: (value as { f: number }).f };
  if ("fs" in (value as object))
    return { name, type: 6, floats: Float32Array.from((value as { fs: number[] }).fs) };
  return { name, type: 5, g: (value as { g: Written<GraphProto> }).g };
}

interface Shared {
  readonly initializers: Map<string, Written<TensorProto>>;
  readonly weights: Map<unknown, string>;
  readonly names: Set<string>;
  readonly ids: Map<Weight, number>;
}

export class Builder {
  readonly nodes: Written<NodeProto>[] = [];
  readonly #shared: Shared;
  /** What is being written, in front of names. */
  scope = "";

  constructor(
    shared: Shared = { initializers: new Map(), weights: new Map(), names: new Set(), ids: new Map() },
  ) {
    this.#shared = shared;
  }

  /** A builder of a graph inside a node: constants and names are the whole model's. */
  inside(): Builder {
    const inner = new Builder(this.#shared);
    inner.scope = this.scope;
    return inner;
  }

  get initializers(): Written<TensorProto>[] {
    return [...this.#shared.initializers.values()];
  }

  unique(base: string): string {
    let name = base;
    for (let k = 1; this.#shared.names.has(name); k++) name = `${base}_${k}`;
    this.#shared.names.add(name);
    return name;
  }

  refuse(layer: Layer, expected: string, got: string, hint?: string): never {
    throw new UnreelError({ operation: `onnx: ${layer.name} (${layer.className})`, expected, got, hint });
  }

  // ------------------------------------------------------------------------------------------------------------ nodes

  /** A node with one output. "" as an input is one that is left out. */
  op(opType: string, inputs: readonly string[], attributes: Record<string, Attribute> = {}): string {
    return this.ops(opType, inputs, 1, attributes)[0];
  }

  ops(
    opType: string,
    inputs: readonly string[],
    count: number,
    attributes: Record<string, Attribute> = {},
  ): string[] {
    const name = this.unique(this.scope ? `${this.scope}/${opType}` : opType);
    const output = Array.from({ length: count }, (_, k) => (count === 1 ? `${name}:0` : `${name}:${k}`));
    const list = [...inputs];
    while (list.at(-1) === "") list.pop();
    const attribute = Object.entries(attributes).map(([key, value]) => attributeOf(key, value));
    this.nodes.push({ input: list, output, name, opType, attribute });
    return output;
  }

  // -------------------------------------------------------------------------------------------------------- constants

  #constant(name: string, dataType: number, dims: readonly number[], rawData: Uint8Array): string {
    const key = this.unique(name);
    this.#shared.initializers.set(key, { name: key, dataType, dims: [...dims], rawData });
    return key;
  }

  floats(
    values: Float32Array | readonly number[],
    shape: readonly number[] = [values.length],
    name = "constant",
  ): string {
    const data = values instanceof Float32Array ? values.slice() : Float32Array.from(values);
    return this.#constant(this.scope ? `${this.scope}/${name}` : name, FLOAT, shape, bytesOf(data));
  }

  /** One number. */
  float(value: number): string {
    return this.#once(`f${value}`, () =>
      this.#constant(
        `number_${String(value).replace(/[^0-9a-zA-Z]/g, "_")}`,
        FLOAT,
        [],
        bytesOf(Float32Array.of(value)),
      ),
    );
  }

  ints(values: readonly number[], isScalar = false): string {
    return this.#once(`i${isScalar}${values}`, () => {
      const data = BigInt64Array.from(values, (value) => BigInt(value));
      return this.#constant(
        `ints_${values.join("_").replaceAll("-", "m")}`,
        INT64,
        isScalar ? [] : [data.length],
        bytesOf(data),
      );
    });
  }

  /** A weight as it stands, or as `change` makes it; once, however often it is read. */
  weight(
    weight: Weight,
    variant = "",
    change?: (values: Float32Array) => { data: Float32Array; shape: readonly number[] },
  ): string {
    const key = variant ? `${variant} ${this.#idOf(weight)}` : weight;
    return this.#once(key, () => {
      const { data, shape } = change?.(weight.read()) ?? { data: weight.read().slice(), shape: weight.shape };
      return this.#constant(weight.name, FLOAT, shape, bytesOf(data));
    });
  }

  /** Something made of several weights, once. */
  made(
    key: string,
    weights: readonly Weight[],
    make: () => { data: Float32Array; shape: readonly number[] },
  ): string {
    return this.#once(`${key} ${weights.map((weight) => this.#idOf(weight))}`, () => {
      const { data, shape } = make();
      return this.#constant(weights[0].name.replace(/[^/]*$/, key), FLOAT, shape, bytesOf(data));
    });
  }

  #idOf(weight: Weight): number {
    const { ids } = this.#shared;
    if (!ids.has(weight)) ids.set(weight, ids.size);
    return ids.get(weight)!;
  }

  #once(key: unknown, make: () => string): string {
    const found = this.#shared.weights.get(key);
    if (found !== undefined) return found;
    const name = make();
    this.#shared.weights.set(key, name);
    return name;
  }

  // ---------------------------------------------------------------------------------------------------- what is common

  transpose(x: string, perm: readonly number[]): string {
    return perm.every((axis, k) => axis === k) ? x : this.op("Transpose", [x], { perm: [...perm] });
  }

  /** Samples and steps exchanged. */
  stepsFirst(x: string): string {
    return this.transpose(x, [1, 0, 2]);
  }

  squeeze(x: string, ...axes: number[]): string {
    return axes.length === 0 ? x : this.op("Squeeze", [x, this.ints(axes)]);
  }

  unsqueeze(x: string, ...axes: number[]): string {
    return axes.length === 0 ? x : this.op("Unsqueeze", [x, this.ints(axes)]);
  }

  slice(x: string, axis: number, from: number, to = FAR, step = 1): string {
    return this.op("Slice", [x, this.ints([from]), this.ints([to]), this.ints([axis]), this.ints([step])]);
  }

  flip(x: string, axis: number): string {
    return this.slice(x, axis, -1, -FAR, -1);
  }

  reshape(x: string, shape: readonly number[]): string {
    return this.op("Reshape", [x, this.ints(shape)]);
  }

  /** Sizes of some axes, as a row of whole numbers. */
  sizes(x: string, from: number, to?: number): string {
    return this.op("Shape", [x], { start: from, ...(to !== undefined && { end: to }) });
  }

  concat(parts: readonly string[], axis: number): string {
    return parts.length === 1 ? parts[0] : this.op("Concat", parts, { axis });
  }

  cast(x: string, to: number): string {
    return this.op("Cast", [x], { to });
  }

  binary(op: string, a: string, b: string): string {
    return this.op(op, [a, b]);
  }

  scaled(x: string, factor: number): string {
    return this.binary("Mul", x, this.float(factor));
  }

  /** The numbers of a flow as floats. */
  numbers({ name, isInteger }: Flow): string {
    return isInteger ? this.cast(name, FLOAT) : name;
  }

  /** Whether numbers differ from zero. */
  isTrue({ name, isInteger }: Flow): string {
    const zero = isInteger ? this.cast(this.ints([0], true), INT32) : this.float(0);
    return this.op("Not", [this.binary("Equal", name, zero)]);
  }

  /** A mask [samples, steps] for something of more axes. */
  wide(mask: string, rank: number): string {
    return this.unsqueeze(mask, ...Array.from({ length: Math.max(rank - 2, 0) }, (_, k) => k + 2));
  }

  where(mask: string, a: string, b: string): string {
    return this.op("Where", [mask, a, b]);
  }

  reduce(op: string, x: string, axes: readonly number[], keepdims: boolean): string {
    if (axes.length === 0) return x;
    if (op === "ReduceSum") return this.op(op, [x, this.ints(axes)], { keepdims: keepdims ? 1 : 0 });
    return this.op(op, [x], { axes: [...axes], keepdims: keepdims ? 1 : 0 });
  }
}

/** A value of a graph with its type. */
export function valueInfo(
  name: string,
  elemType: number,
  dims?: readonly (number | string | null)[],
): Written<ValueInfoProto> {
  const dim = dims?.map((d) => (typeof d === "number" ? { dimValue: d } : d === null ? {} : { dimParam: d }));
  return { name, type: { tensorType: { elemType, ...(dim && { shape: { dim } }) } } };
}
