// Runs a few ops forward and backward on given numbers, outside of any model: the ground on which ops are tested.
import { Builder } from "../src/ops/builder.js";
import type { Value } from "../src/ops/op.js";
import { plan } from "../src/program/plan.js";
import type { Program } from "../src/program/program.js";
import { BoundProgram } from "../src/program/run.js";
import { loadEngine } from "../src/wasm/engine.js";

export interface Given {
  shape: number[];
  data: ArrayLike<number>;
  /** Default float32. Only float32 values get gradients. */
  dtype?: "float32" | "int32";
  /** Default true for float32. */
  wantsGradient?: boolean;
}

export interface Differentiated {
  outputs: Float32Array[];
  /** Gradient of Σ outputGradient · output for each given value; undefined where none is wanted or none arrives. */
  gradients: (Float32Array | undefined)[];
}

/** Builds a program from values and runs it. Outputs come back batch-major. `outputGradients` default to ones. */
export async function differentiate(
  given: readonly Given[],
  build: (builder: Builder, values: Value[]) => Value[],
  outputGradients: readonly (ArrayLike<number> | undefined)[] = [],
): Promise<Differentiated> {
  const { memory, kernels } = await loadEngine();
  const builder = new Builder();
  const values = given.map(({ shape, dtype = "float32", wantsGradient = dtype === "float32" }, index) =>
    builder.source(`given${index}`, shape, "work", { dtype, wantsGradient }),
  );
  const outputs = build(builder, values).map((value) => builder.batchMajor(value));
  const seeds = outputs.map((output, index) => builder.source(`doutput${index}`, output.shape, "work"));
  builder.forward();
  // Copies, because the way back may overwrite what it was given.
  outputs.forEach((output, index) => {
    const size = sizeOf(output);
    if (output.wantsGradient)
      builder.call("accumulate", builder.gradient(output), seeds[index].pointer, size);
  });
  builder.backward();
  const found = values.map((value) => (value.wantsGradient ? builder.gradientOf(value) : undefined));
  const kept = [...values, ...outputs, ...seeds].map((value) => value.pointer.storage);
  const program: Program = {
    name: "test",
    steps: builder.steps,
    interface: [...new Set([...kept, ...found.flatMap((pointer) => (pointer ? [pointer.storage] : []))])],
  };
  const work = memory.allocate(plan(program).evaluate({}), "differentiate");
  const place = ({ storage, offset }: Value["pointer"]) =>
    (work + storage.address!.evaluate({}) + offset.evaluate({})) / 4;
  try {
    const bound = new BoundProgram(program, kernels);
    bound.prepare({ weights: 0, training: 0, state: 0, packed: 0, work }, {});
    values.forEach((value, index) => {
      const words = value.dtype === "int32" ? memory.integers : memory.floats;
      words.set(Array.from(given[index].data), place(value.pointer));
    });
    seeds.forEach((seed, index) => {
      const numbers = outputGradients[index];
      const at = place(seed.pointer);
      if (numbers) memory.floats.set(Array.from(numbers), at);
      else memory.floats.fill(1, at, at + sizeOf(seed));
    });
    bound.run();
    const read = (at: number, size: number, dtype = "float32") =>
      Float32Array.from((dtype === "int32" ? memory.integers : memory.floats).subarray(at, at + size));
    return {
      outputs: outputs.map((output) => read(place(output.pointer), sizeOf(output), output.dtype)),
      gradients: found.map((pointer, index) => pointer && read(place(pointer), sizeOf(values[index]))),
    };
  } finally {
    memory.free(work);
  }
}

function sizeOf({ shape }: Value): number {
  return shape.reduce<number>((a, b) => a * (b as number), 1);
}
