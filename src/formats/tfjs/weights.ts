// The numbers of a tfjs model: names as its layers give them, the manifest that lists them in order, and the bytes of the shards.
// tfjs-core/src/io/io_utils.ts (decodeWeights), tfjs-layers/src/engine/container.ts (loadWeights)
import { UnreelError } from "../../errors.js";
import type { Graph } from "../../layers/graph.js";
import type { Layer } from "../../layers/layer.js";
import type { Weight } from "../../layers/weight.js";
import { Tensor } from "../../tensor.js";
import { bytesOf, fromHalves, numbersOf } from "../numbers.js";
import {
  type Json,
  type JsonObject,
  requireCount,
  requireList,
  requireObject,
  requireString,
  shown,
} from "../place.js";
import { inner } from "./topology.js";
import type { OptimizerArray } from "./training.js";

// ---------------------------------------------------------------------------------------------------------------- names

const lastOf = (name: string) => name.slice(name.lastIndexOf("/") + 1);

/** The weights of a layer by tfjs' names. Layers of a model inside have their own. */
function named(layer: Layer, prefix: string): [string, Weight][] {
  const config = layer.config as Readonly<Record<string, Layer & readonly Layer[]>>;
  if (layer.kind.graph) return layer.kind.graph.layers.flatMap((each) => named(each, each.name));
  switch (layer.className) {
    case "TimeDistributed":
      return named(config.layer, prefix);
    case "Bidirectional": {
      const base = inner(config.forward.name);
      return [
        ...named(config.forward, `${prefix}/forward_${base}`),
        ...named(config.backward, `${prefix}/backward_${base}`),
      ];
    }
    case "RNN":
      return named(config.cell, prefix);
    case "StackedRNNCells":
      return config.cells.flatMap((cell: Layer, k: number) => named(cell, `${prefix}/RNNCell_${k}`));
    default:
      return layer.weights.map((weight) => [`${prefix}/${lastOf(weight.name)}`, weight]);
  }
}

function namesOf(operation: string, graph: Graph): Map<string, Weight> {
  const found = new Map<string, Weight>();
  for (const [name, weight] of graph.layers.flatMap((layer) => named(layer, layer.name))) {
    const other = found.get(name);
    if (other && other !== weight) {
      throw new UnreelError({
        operation,
        expected: "weights of different names",
        got: `'${name}' twice`,
        hint: "TensorFlow.js tells weights by their layers' names: give layers of models in each other different ones.",
      });
    }
    found.set(name, weight);
  }
  return found;
}

// -------------------------------------------------------------------------------------------------------------- reading

interface Entry {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: string;
  /** How the numbers lie in the shards, and what they are multiplied and moved by. */
  readonly stored: string;
  readonly scale: number;
  readonly min: number;
  readonly isOptimizer: boolean;
}

const SIZES: Readonly<Record<string, number>> = {
  float32: 4,
  int32: 4,
  bool: 1,
  uint8: 1,
  uint16: 2,
  float16: 2,
};

function requireOne(place: string, given: Json | undefined, values: readonly string[]): string {
  if (typeof given === "string" && values.includes(given)) return given;
  throw new UnreelError({ operation: place, expected: values.join(" or "), got: shown(given) });
}

function requireNumber(place: string, given: Json | undefined): number {
  if (typeof given === "number" && Number.isFinite(given)) return given;
  throw new UnreelError({ operation: place, expected: "a number", got: shown(given) });
}

function readEntry(at: string, value: Json): Entry {
  const entry = requireObject(at, value);
  const name = requireString(`${at}: name`, entry.name);
  const place = `${at} ('${name}')`;
  const shape = requireList(`${place}: shape`, entry.shape).map((size) =>
    requireCount(`${place}: shape`, size),
  );
  const dtype = requireOne(`${place}: dtype`, entry.dtype, ["float32", "int32", "bool"]);
  const common = { name: name.replace(/:\d+$/, ""), shape, dtype, isOptimizer: entry.group === "optimizer" };
  if (entry.quantization === undefined || entry.quantization === null) {
    return { ...common, stored: dtype, scale: 1, min: 0 };
  }
  const quantization = requireObject(`${place}: quantization`, entry.quantization);
  const kinds = dtype === "float32" ? ["uint8", "uint16", "float16"] : ["uint8", "uint16"];
  const stored = requireOne(`${place}: quantization: dtype`, quantization.dtype, kinds);
  if (stored === "float16") return { ...common, stored, scale: 1, min: 0 };
  return {
    ...common,
    stored,
    scale: requireNumber(`${place}: quantization: scale`, quantization.scale),
    min: requireNumber(`${place}: quantization: min`, quantization.min),
  };
}

function decode({ dtype, stored, scale, min }: Entry, bytes: Uint8Array): Float32Array {
  if (stored === "float32") return numbersOf(Float32Array, bytes);
  if (stored === "float16") return fromHalves(numbersOf(Uint16Array, bytes));
  if (stored === "int32") return Float32Array.from(numbersOf(Int32Array, bytes));
  const whole = stored === "uint16" ? numbersOf(Uint16Array, bytes) : bytes;
  if (stored === "bool") return Float32Array.from(whole);
  const out = Float32Array.from(whole, (each) => each * scale + min);
  return dtype === "int32" ? out.map(Math.round) : out;
}

/** A path in the manifest names a file beside model.json, or below it. */
function checkPath(place: string, path: string): string {
  if (!/^[a-z][a-z0-9+.-]*:|^[/\\]|(^|[/\\])\.\.([/\\]|$)/i.test(path)) return path;
  throw new UnreelError({ operation: place, expected: "a path of a file beside this one", got: shown(path) });
}

/** What a file holds beside the weights that were assigned: their order there, and the optimizer's arrays. */
export interface Found {
  readonly weights: readonly Weight[];
  readonly arrays: readonly OptimizerArray[];
}

/** Assigns every weight, after all were found, each once and in its shape, in shards of the length that the manifest tells. */
export async function readWeights(
  file: string,
  manifest: Json | undefined,
  graph: Graph,
  beside: (path: string) => Promise<Uint8Array>,
): Promise<Found> {
  const arrays: OptimizerArray[] = [];
  const wanted = namesOf(file, graph);
  const found = new Map<Weight, Float32Array>();
  const shards = new Set<string>();
  const groups = requireList(`${file}: weightsManifest`, manifest);
  for (const [k, group] of groups.entries()) {
    const place = `${file}: weightsManifest[${k}]`;
    const { paths, weights } = requireObject(place, group);
    const entries = requireList(`${place}: weights`, weights).map((each, n) =>
      readEntry(`${place}: weights[${n}]`, each),
    );
    const files = requireList(`${place}: paths`, paths).map((path) =>
      checkPath(`${place}: paths`, requireString(`${place}: paths`, path)),
    );
    for (const path of files) {
      if (!shards.has(path)) shards.add(path);
      else
        throw new UnreelError({
          operation: `${place}: paths`,
          expected: "every file once",
          got: `'${path}' twice`,
        });
    }
    const lengths = entries.map(({ shape, stored }) => shape.reduce((n, size) => n * size, SIZES[stored]));
    const expected = lengths.reduce((sum, length) => sum + length, 0);
    const bytes = await joined(place, files, expected, beside);
    let start = 0;
    entries.forEach((entry, n) => {
      const part = bytes.subarray(start, start + lengths[n]);
      start += lengths[n];
      if (entry.isOptimizer) {
        arrays.push({ name: entry.name, shape: entry.shape, data: decode(entry, part) });
        return;
      }
      const weight = weightOf(place, entry, wanted);
      if (found.has(weight)) {
        throw new UnreelError({
          operation: place,
          expected: "every weight once",
          got: `'${entry.name}' twice`,
        });
      }
      found.set(weight, decode(entry, part));
    });
  }
  const missing = [...wanted].filter(([, weight]) => !found.has(weight)).map(([name]) => name);
  if (missing.length > 0) {
    const others = missing.length > 1 ? ` and ${missing.length - 1} more` : "";
    throw new UnreelError({
      operation: `${file}: weightsManifest`,
      expected: `a weight '${missing[0]}'${others}`,
      got: "none",
    });
  }
  for (const [weight, values] of found) weight.assign(new Tensor(values, weight.shape), file);
  return { weights: [...found.keys()], arrays };
}

async function joined(
  place: string,
  paths: readonly string[],
  expected: number,
  beside: (path: string) => Promise<Uint8Array>,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (const path of paths) parts.push(await beside(path));
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  if (length !== expected) {
    throw new UnreelError({
      operation: `${place}: ${paths.join(", ")}`,
      expected: `${expected} bytes, as the manifest tells`,
      got: `${length}`,
    });
  }
  if (parts.length === 1) return parts[0];
  const bytes = new Uint8Array(length);
  let start = 0;
  for (const part of parts) {
    bytes.set(part, start);
    start += part.length;
  }
  return bytes;
}

/** By its name, or by that without the cell's, which newer converters put in: `lstm/lstm_cell/kernel`. */
function weightOf(place: string, { name, shape }: Entry, wanted: ReadonlyMap<string, Weight>): Weight {
  const weight = wanted.get(name) ?? wanted.get(name.replace(/[^/]+\/([^/]+)$/, "$1"));
  if (!weight) {
    throw new UnreelError({ operation: place, expected: "weights of the model's layers", got: `'${name}'` });
  }
  if (shape.length === weight.shape.length && shape.every((size, k) => size === weight.shape[k]))
    return weight;
  throw new UnreelError({
    operation: `${place}: '${name}'`,
    expected: `shape [${weight.shape.join(", ")}]`,
    got: `[${shape.join(", ")}]`,
  });
}

// -------------------------------------------------------------------------------------------------------------- writing

/** What a browser keeps of one file: converters cut at the same length. */
const LARGEST = 4 * 2 ** 20;

/** The manifest, and the shards by their names; the arrays of an optimizer stand behind the weights. */
export function writeWeights(
  operation: string,
  graph: Graph,
  optimizer: (nameOf: (weight: Weight) => string) => readonly OptimizerArray[] = () => [],
): { manifest: Json; shards: ReadonlyMap<string, Uint8Array> } {
  const named = namesOf(operation, graph);
  const names = new Map([...named].map(([name, weight]) => [weight, name]));
  const weights = [...named].map(([name, weight]) => ({ name, shape: weight.shape, data: weight.read() }));
  const arrays = optimizer((weight) => names.get(weight)!);
  const all = [...weights, ...arrays];
  const bytes = new Uint8Array(all.reduce((sum, { data }) => sum + data.byteLength, 0));
  let start = 0;
  for (const { data } of all) {
    bytes.set(bytesOf(data), start);
    start += data.byteLength;
  }
  const count = Math.ceil(bytes.length / LARGEST);
  const shards = new Map(
    Array.from({ length: count }, (_, k) => [
      `group1-shard${k + 1}of${count}.bin`,
      bytes.slice(k * LARGEST, (k + 1) * LARGEST),
    ]),
  );
  const entries = all.map(
    ({ name, shape, data }, k): JsonObject => ({
      name,
      shape: [...shape],
      dtype: data instanceof Int32Array ? "int32" : "float32",
      ...(k >= weights.length && { group: "optimizer" }),
    }),
  );
  return { manifest: [{ paths: [...shards.keys()], weights: entries }], shards };
}
