// Safetensors: the length of a header in eight bytes, the header in JSON, then the numbers of all tensors one behind the other.
// https://github.com/huggingface/safetensors#format. Read without a copy where numbers lie aligned; every offset is checked first.
// Not here: writing them (writeFile.ts).
import { show } from "../../errors.js";
import { Tensor } from "../../tensor.js";
import { type Complain, complainOf, countOf } from "../complain.js";
import { fromBrain, fromHalves, numbersOf } from "../numbers.js";
import { isObject, parseJson, requireObject, shown } from "../place.js";

/** As the library has it: a header of more bytes is refused. */
const LARGEST_HEADER = 100_000_000;

export interface Safetensors {
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

interface Entry {
  readonly name: string;
  readonly place: string;
  readonly type: DataType;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

interface DataType {
  readonly bytes: number;
  read(bytes: Uint8Array, complain: Complain, place: string): Float32Array | Int32Array;
}

/** Whole numbers of 64 bits, as far as they fit into 32. */
function narrowed(bytes: Uint8Array, complain: Complain, place: string): Int32Array {
  const words = numbersOf(Int32Array, bytes.byteOffset % 4 === 0 ? bytes : bytes.slice());
  const out = new Int32Array(bytes.length / 8);
  for (let i = 0; i < out.length; i++) {
    out[i] = words[2 * i];
    if (words[2 * i + 1] !== out[i] >> 31) {
      const value = BigInt.asIntN(64, (BigInt(words[2 * i + 1]) << 32n) | BigInt(out[i] >>> 0));
      complain(place, "whole numbers of 32 bits", `${value} at place ${i}`);
    }
  }
  return out;
}

const TYPES: Readonly<Record<string, DataType>> = {
  F32: { bytes: 4, read: (bytes) => numbersOf(Float32Array, bytes) },
  F64: { bytes: 8, read: (bytes) => new Float32Array(numbersOf(Float64Array, bytes)) },
  F16: { bytes: 2, read: (bytes) => fromHalves(numbersOf(Uint16Array, bytes)) },
  BF16: { bytes: 2, read: (bytes) => fromBrain(numbersOf(Uint16Array, bytes)) },
  I64: { bytes: 8, read: narrowed },
  I32: { bytes: 4, read: (bytes) => numbersOf(Int32Array, bytes) },
  I16: { bytes: 2, read: (bytes) => Int32Array.from(numbersOf(Int16Array, bytes)) },
  I8: { bytes: 1, read: (bytes) => Int32Array.from(bytes, (n) => (n << 24) >> 24) },
  U8: { bytes: 1, read: (bytes) => Int32Array.from(bytes) },
  BOOL: { bytes: 1, read: (bytes) => Int32Array.from(bytes) },
};

const isWhole = (n: unknown): n is number => typeof n === "number" && Number.isSafeInteger(n) && n >= 0;

/** The tensors of a file by name. Numbers become float32, whole numbers int32. `file` is what errors call it. */
export function readSafetensors(bytes: Uint8Array, file: string): Safetensors {
  const complain = complainOf(file);
  if (bytes.length < 8) complain("header", "8 bytes that tell its length", `${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getUint32(0, true) + 2 ** 32 * view.getUint32(4, true);
  const most = Math.min(bytes.length - 8, LARGEST_HEADER);
  if (length > most) complain("header", `a length of at most ${most} bytes`, `${length}`);
  const header = parsed(file, bytes.subarray(8, 8 + length), complain);
  const data = bytes.subarray(8 + length);
  const entries: Entry[] = [];
  for (const [name, entry] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    const place = `tensor ${show(name)}`;
    if (!isObject(entry)) {
      complain(place, "an object with dtype, shape and data_offsets", shown(entry));
      continue;
    }
    const { dtype, shape, data_offsets: offsets } = entry;
    const type = typeof dtype === "string" && Object.hasOwn(TYPES, dtype) ? TYPES[dtype] : undefined;
    if (!type) complain(`${place}: dtype`, `one of ${Object.keys(TYPES).join(", ")}`, shown(dtype));
    if (!Array.isArray(shape) || shape.length > 32 || !shape.every(isWhole))
      complain(`${place}: shape`, "a list of sizes, 0 or more", shown(shape));
    if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isWhole))
      complain(`${place}: data_offsets`, "a begin and an end", shown(offsets));
    const [begin, end] = offsets as number[];
    if (begin > end || end > data.length)
      complain(`${place}: data_offsets`, `a span inside ${data.length} bytes`, `[${begin}, ${end}]`);
    const count = countOf(shape as number[]);
    if (Number.isNaN(count) || count * type!.bytes !== end - begin)
      complain(
        `${place}: data_offsets`,
        `${count * type!.bytes} bytes for ${dtype} of shape [${shape}]`,
        `${end - begin}`,
      );
    entries.push({ name, place, type: type!, shape: shape as number[], begin, end });
  }
  // Spans fill the data without holes and overlap nowhere: so the format says.
  let at = 0;
  for (const { place, begin, end } of entries.toSorted((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== at)
      complain(`${place}: data_offsets`, `a begin at ${at}, where the one before ends`, `${begin}`);
    at = end;
  }
  if (at !== data.length) complain("data", `${at} bytes, as its tensors have`, `${data.length}`);
  const tensors = new Map<string, Tensor>();
  for (const { name, place, type, shape, begin, end } of entries)
    tensors.set(name, new Tensor(type.read(data.subarray(begin, end), complain, place), shape));
  return { tensors, metadata: metadataOf(header.__metadata__, complain) };
}

function parsed(file: string, bytes: Uint8Array, complain: Complain): Record<string, unknown> {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return complain("header", "JSON in UTF-8", "other bytes");
  }
  return requireObject(`${file}: header`, parseJson(`${file}: header`, text));
}

function metadataOf(value: unknown, complain: Complain): Record<string, string> {
  if (value === undefined) return {};
  if (isObject(value) && Object.values(value).every((each) => typeof each === "string"))
    return value as Record<string, string>;
  return complain("header: __metadata__", "an object of texts", shown(value));
}
