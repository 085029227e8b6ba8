// 'wasm': the forward program of a model as one WebAssembly module without imports, its weights in it. Written only.
// Exports: memory; predict(dims…); input0, output0 and so on (dims…), which give the addresses of numbers; which dims, which numbers and of
// what shape stands as JSON in the custom section 'unreel'. An input that is read as ids and as numbers has two addresses.
import { positiveInteger, UnreelError } from "../errors.js";
import { layOut, lower } from "../graph/lower.js";
import type { StateLayout } from "../layers/wire.js";
import type { PackedLayout } from "../ops/builder.js";
import { emit } from "../program/emit.js";
import { type Pointer, runtimeDims } from "../program/program.js";
import type { Dim } from "../program/size.js";
import { kernelBytes, loadKernels } from "../wasm/kernels.js";
import type { Format, ModelDescription, WriteOptions } from "./description.js";

/** What the section tells of an input or an output. */
interface Told {
  readonly export: string;
  readonly name: string;
  readonly dtype: "float32" | "int32";
  /** Numbers, or dimensions of the function by name. */
  readonly shape: readonly (number | string)[];
  /** Ids must be below this: they are not checked. */
  readonly idLimit?: number;
}

async function write({ name, graph }: ModelDescription, options: WriteOptions): Promise<Uint8Array> {
  const operation = `${name}: wasm`;
  const layout = layOut(graph.weights);
  const weights = new Float32Array(layout.bytes / 4);
  for (const weight of graph.weights) weights.set(weight.read(), layout.addresses.get(weight)! / 4);
  const states: StateLayout = { addresses: new Map(), sizes: new Map(), bytes: 0, owners: new Map() };
  const packed: PackedLayout = { addresses: new Map(), bytes: 0 };
  const { program, packing, work, inputs, outputs, equal, least } = lower(graph, "predict", {
    layout,
    states,
    packed,
  });
  if (states.bytes > 0) {
    throw new UnreelError({
      operation,
      expected: "layers that keep nothing from batch to batch",
      got: `stateful: ${[...states.addresses.keys()].join(", ")}`,
    });
  }
  const dims = runtimeDims(program);
  const fixed = inputs.find(({ batch }) => batch !== undefined)?.batch;
  const largest = largestOf(operation, dims, fixed, options);
  const addresses: Record<string, Pointer> = {};
  const plain = (shape: readonly Dim[]) => shape.map((d) => (typeof d === "number" ? d : String(d)));
  const told = { inputs: [] as Told[], outputs: [] as Told[] };
  inputs.forEach(({ name, shape, values, idLimit }, k) => {
    for (const [dtype, { pointer }] of Object.entries(values)) {
      const both = Object.keys(values).length > 1 && dtype === "int32";
      const place = both ? `ids${k}` : `input${k}`;
      addresses[place] = pointer;
      told.inputs.push({
        export: place,
        name,
        dtype: dtype as Told["dtype"],
        shape: plain(shape),
        ...(dtype === "int32" && { idLimit }),
      });
    }
  });
  outputs.forEach(({ value }, k) => {
    addresses[`output${k}`] = value.pointer;
    told.outputs.push({
      export: `output${k}`,
      name: graph.outputs[k].name,
      dtype: "float32",
      shape: plain(value.shape),
    });
  });
  // The build without relaxed instructions runs everywhere, with the same bits.
  const kernels = await loadKernels("simd");
  const { bytes } = await emit(program, {
    kernels: kernelBytes("simd"),
    constants: new Uint8Array(kernels.memory.buffer, 0, kernels.heapBase).slice(),
    weights: new Uint8Array(weights.buffer),
    packing,
    packedBytes: packed.bytes,
    work,
    largest,
    interface: {
      addresses,
      equal,
      least,
      section: ["unreel", JSON.stringify({ model: name, dims, largest, ...told })],
    },
  });
  return bytes;
}

/** The largest value of each dimension. */
function largestOf(
  operation: string,
  dims: readonly string[],
  fixed: number | undefined,
  { maxBatch = fixed ?? 1, maxSteps }: WriteOptions,
): Record<string, number> {
  positiveInteger(`${operation}: maxBatch`, maxBatch);
  if (fixed !== undefined && maxBatch !== fixed) {
    throw new UnreelError({
      operation: `${operation}: maxBatch`,
      expected: `${fixed}, the batch size of the model's input`,
      got: `${maxBatch}`,
    });
  }
  const open = dims.filter((name) => name !== "B");
  if (open.length > 0)
    positiveInteger(
      `${operation}: maxSteps`,
      maxSteps,
      "The model takes sequences of any length: say how long the longest is.",
    );
  return Object.fromEntries(dims.map((name) => [name, name === "B" ? maxBatch : maxSteps!]));
}

export const wasm: Format = { write };
