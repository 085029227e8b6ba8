// ONNX's messages, as far as models need them, and how they are read and written. Field numbers: onnx/onnx.proto (IR version 10).
// Protocol buffers themselves: pbf, loaded when first needed. Nothing is read beyond the message that it belongs to.
import type { PbfReader, PbfWriter } from "pbf";
import type { Complain } from "../complain.js";
import { bytesOf, numbersOf } from "../numbers.js";

export interface TensorProto {
  dims: number[];
  dataType: number;
  floatData: Float32Array;
  int32Data: number[];
  int64Data: number[];
  doubleData: Float64Array;
  uint64Data: number[];
  rawData?: Uint8Array;
  name: string;
  /** Where numbers outside of the file lie: location, offset, length. */
  externalData: { key: string; value: string }[];
  dataLocation: number;
}

export interface AttributeProto {
  name: string;
  type: number;
  f: number;
  i: number;
  s: Uint8Array;
  t?: TensorProto;
  /** A graph inside a node. */
  g?: GraphProto;
  floats: Float32Array;
  ints: number[];
  strings: Uint8Array[];
}

export interface NodeProto {
  input: string[];
  output: string[];
  name: string;
  opType: string;
  attribute: AttributeProto[];
  domain: string;
  /** Of a recurrent node, in place of lengths: the value that says which steps are kept. In no file: masks.ts finds it. */
  mask?: string;
}

export interface ValueInfoProto {
  name: string;
  type?: {
    tensorType?: { elemType: number; shape?: { dim: { dimValue?: number; dimParam?: string }[] } };
    other?: Uint8Array;
  };
}

export interface GraphProto {
  node: NodeProto[];
  name: string;
  initializer: TensorProto[];
  sparseInitializer: Uint8Array[];
  input: ValueInfoProto[];
  output: ValueInfoProto[];
}

export interface ModelProto {
  irVersion: number;
  producerName: string;
  producerVersion: string;
  graph?: GraphProto;
  opsetImport: { domain: string; version: number }[];
  functions: Uint8Array[];
}

type Kind = "int" | "string" | "bytes" | "float" | "floats" | "doubles" | "ints";

interface Field {
  readonly name: string;
  readonly kind: Kind | Message | (() => Message);
  readonly isList?: boolean;
  /** What it is where it is absent; lists begin empty. */
  readonly absent?: unknown;
}

interface Message {
  readonly name: string;
  readonly fields: Readonly<Record<number, Field>>;
}

const messageOf = (kind: Field["kind"]): Message => (typeof kind === "function" ? kind() : (kind as Message));

const int = (name: string, absent: number | undefined = 0): Field => ({ name, kind: "int", absent });
const text = (name: string, absent: string | undefined = ""): Field => ({ name, kind: "string", absent });
const list = (name: string, kind: Field["kind"]): Field => ({ name, kind, isList: true });

const ENTRY: Message = { name: "entry", fields: { 1: text("key"), 2: text("value") } };
const TENSOR: Message = {
  name: "tensor",
  fields: {
    1: { name: "dims", kind: "ints" },
    2: int("dataType"),
    4: { name: "floatData", kind: "floats" },
    5: { name: "int32Data", kind: "ints" },
    7: { name: "int64Data", kind: "ints" },
    8: text("name"),
    9: { name: "rawData", kind: "bytes" },
    10: { name: "doubleData", kind: "doubles" },
    11: { name: "uint64Data", kind: "ints" },
    13: list("externalData", ENTRY),
    14: int("dataLocation"),
  },
};
const ATTRIBUTE: Message = {
  name: "attribute",
  fields: {
    1: text("name"),
    2: { name: "f", kind: "float", absent: 0 },
    3: int("i"),
    4: { name: "s", kind: "bytes", absent: new Uint8Array() },
    5: { name: "t", kind: TENSOR },
    6: { name: "g", kind: () => GRAPH },
    7: { name: "floats", kind: "floats" },
    8: { name: "ints", kind: "ints" },
    9: list("strings", "bytes"),
    20: int("type"),
  },
};
const NODE: Message = {
  name: "node",
  fields: {
    1: list("input", "string"),
    2: list("output", "string"),
    3: text("name"),
    4: text("opType"),
    5: list("attribute", ATTRIBUTE),
    7: text("domain"),
  },
};
const DIMENSION: Message = {
  name: "dimension",
  fields: { 1: { name: "dimValue", kind: "int" }, 2: { name: "dimParam", kind: "string" } },
};
const SHAPE: Message = { name: "shape", fields: { 1: list("dim", DIMENSION) } };
const TENSOR_TYPE: Message = {
  name: "tensor type",
  fields: { 1: int("elemType"), 2: { name: "shape", kind: SHAPE } },
};
const TYPE: Message = {
  name: "type",
  fields: {
    1: { name: "tensorType", kind: TENSOR_TYPE },
    4: { name: "other", kind: "bytes" },
    5: { name: "other", kind: "bytes" },
    8: { name: "other", kind: "bytes" },
    9: { name: "other", kind: "bytes" },
  },
};
const VALUE_INFO: Message = { name: "value", fields: { 1: text("name"), 2: { name: "type", kind: TYPE } } };
const GRAPH: Message = {
  name: "graph",
  fields: {
    1: list("node", NODE),
    2: text("name"),
    5: list("initializer", TENSOR),
    11: list("input", VALUE_INFO),
    12: list("output", VALUE_INFO),
    15: list("sparseInitializer", "bytes"),
  },
};
const OPSET: Message = { name: "opset", fields: { 1: text("domain"), 2: int("version") } };
const MODEL: Message = {
  name: "model",
  fields: {
    1: int("irVersion"),
    2: text("producerName"),
    3: text("producerVersion"),
    7: { name: "graph", kind: GRAPH },
    8: list("opsetImport", OPSET),
    25: list("functions", "bytes"),
  },
};

/** Messages in each other, at most: graphs in nodes of graphs. */
const DEEPEST = 32;
/** Messages of one list that a file may have: each costs more memory than its bytes. */
const MOST = 1 << 16;
const WIRE = ["a varint", "64 bits", "bytes", "the begin of a group", "the end of a group", "32 bits"];

/** Reads a model from its bytes; arrays of numbers are views of them where they are aligned. */
export async function decodeModel(bytes: Uint8Array, complain: Complain): Promise<ModelProto> {
  const { PbfReader } = await import("pbf");
  const utf8 = new TextDecoder("utf-8", { fatal: true });

  function read(message: Message, part: Uint8Array, path: string, depth = 0): Record<string, unknown> {
    if (depth > DEEPEST) complain(path.slice(0, 80), `messages at most ${DEEPEST} deep`, "deeper ones");
    const result: Record<string, unknown> = {};
    for (const { name, kind, isList, absent } of Object.values(message.fields)) {
      if (isList || kind === "ints") result[name] = [];
      else if (kind === "floats") result[name] = new Float32Array();
      else if (kind === "doubles") result[name] = new Float64Array();
      else if (absent !== undefined) result[name] = absent;
    }
    const pbf = new PbfReader(part);
    try {
      for (let number = pbf.nextField(); number !== 0; number = pbf.nextField()) {
        const field = message.fields[number];
        if (field) readField(pbf, part, field, result, `${path}.${field.name}`, depth);
        else pbf.skip(pbf.type);
        if (pbf.pos > part.length) complain(path, `${part.length} bytes`, `a field that ends at ${pbf.pos}`);
      }
    } catch (error) {
      // A number that begins behind the last byte.
      if (error instanceof RangeError)
        complain(path, "a protocol buffer message", `one that breaks off after ${part.length} bytes`);
      if (error instanceof Error && error.constructor === Error)
        complain(path, "a protocol buffer message", error.message);
      throw error;
    }
    return result;
  }

  function readField(
    pbf: PbfReader,
    part: Uint8Array,
    { name, kind, isList }: Field,
    result: Record<string, unknown>,
    path: string,
    depth: number,
  ): void {
    const { type } = pbf;
    const span = (): Uint8Array => {
      const size = pbf.readVarint();
      const begin = pbf.pos;
      if (!(size <= part.length - begin))
        complain(path, `at most ${part.length - begin} bytes`, `a length of ${size}`);
      pbf.pos = begin + size;
      return part.subarray(begin, begin + size);
    };
    const wanted = kind === "int" ? 0 : kind === "float" ? 5 : 2;
    const isPacked = kind === "ints" || kind === "floats" || kind === "doubles";
    const single = kind === "ints" ? 0 : kind === "floats" ? 5 : 1;
    if (type !== wanted && !(isPacked && type === single))
      complain(path, WIRE[wanted], WIRE[type] ?? `${type}`);
    if (kind === "ints") {
      const ints = result[name] as number[];
      if (type === 0) ints.push(pbf.readVarint(true));
      else {
        const inner = new PbfReader(span());
        while (inner.pos < inner.length) ints.push(inner.readVarint(true));
      }
      return;
    }
    if (kind === "floats" || kind === "doubles") {
      const Numbers = kind === "floats" ? Float32Array : Float64Array;
      const size = Numbers.BYTES_PER_ELEMENT;
      const begin = pbf.pos;
      if (type !== 2) pbf.pos += size;
      const here = type === 2 ? span() : part.subarray(begin, pbf.pos);
      if (here.length % size !== 0) complain(path, `a multiple of ${size} bytes`, `${here.length}`);
      const numbers = numbersOf(Numbers, here);
      const before = result[name] as Float32Array;
      if (before.length === 0) result[name] = numbers;
      else {
        const all = new Numbers(before.length + numbers.length);
        all.set(before);
        all.set(numbers, before.length);
        result[name] = all;
      }
      return;
    }
    const value = one();
    if (!isList) {
      result[name] = value;
      return;
    }
    const values = result[name] as unknown[];
    if (values.length === MOST) complain(path, `at most ${MOST} of them`, "more");
    values.push(value);

    function one(): unknown {
      if (kind === "int") return pbf.readVarint(true);
      if (kind === "float") return pbf.readFloat();
      const inside = span();
      if (kind === "bytes") return inside;
      if (kind === "string") {
        try {
          return utf8.decode(inside);
        } catch {
          return complain(path, "text in UTF-8", `other bytes`);
        }
      }
      const place = isList ? `${path}[${(result[name] as unknown[]).length}]` : path;
      return read(messageOf(kind), inside, place, depth + 1);
    }
  }

  return read(MODEL, bytes, "model") as unknown as ModelProto;
}

/** What a field is written from: parts of a message may be left out. */
export type Written<M> = M extends (infer E)[]
  ? Written<E>[]
  : M extends ArrayBufferView | string | number | undefined
    ? M
    : { [K in keyof M]?: Written<M[K]> };

/** The bytes of a model. */
export async function encodeModel(model: Written<ModelProto>): Promise<Uint8Array> {
  const { PbfWriter } = await import("pbf");

  const write = (message: Message, values: Record<string, unknown>, pbf: PbfWriter): void => {
    for (const [key, field] of Object.entries(message.fields)) {
      const given = values[field.name];
      if (given === undefined) continue;
      for (const value of field.isList ? (given as unknown[]) : [given])
        one(Number(key), field.kind, value, pbf);
    }
  };
  const one = (tag: number, kind: Field["kind"], value: unknown, pbf: PbfWriter): void => {
    if (kind === "int") pbf.writeVarintField(tag, value as number);
    else if (kind === "string") pbf.writeStringField(tag, value as string);
    else if (kind === "bytes") pbf.writeBytesField(tag, value as Uint8Array);
    else if (kind === "float") pbf.writeFloatField(tag, value as number);
    else if (kind === "ints") pbf.writePackedVarint(tag, value as number[]);
    else if (kind === "floats" || kind === "doubles")
      pbf.writeBytesField(tag, bytesOf(value as Float32Array));
    else
      pbf.writeMessage(
        tag,
        (inner: Record<string, unknown>, to) => write(messageOf(kind), inner, to),
        value as Record<string, unknown>,
      );
  };
  const pbf = new PbfWriter();
  write(MODEL, model as Record<string, unknown>, pbf);
  return pbf.finish();
}
