// A batch in parts: consecutive samples, each part computed by one thread in working memory of its own, with gradients of its own.
// Where there is one thread, or one would not pay, there is one part. Not here: the threads themselves (wasm/threads.ts).
import { FIRST_SAMPLE, SAMPLES } from "../ops/samples.js";
import type { Base, Pointer } from "../program/program.js";
import type { BoundProgram } from "../program/run.js";
import type { Dims } from "../program/size.js";
import type { Engine } from "../wasm/engine.js";
import type { Lowered } from "./lower.js";

export interface Part {
  readonly bound: BoundProgram;
  readonly bases: Readonly<Record<Base, number>>;
  readonly dims: Dims;
  /** Samples of the batch before it, and its own. */
  readonly first: number;
  readonly count: number;
  /** Of the samples of the batch. */
  readonly share: number;
}

/** What a part must have to do for a thread to be worth waking, in multiplications and additions. A variable for tests. */
export const worthwhile = { flops: 1e6 };

/** How many samples each part of a batch has. Depends on nothing but the program, the batch and the number of threads. */
export function partSizes({ mixing, flops }: Lowered, dims: Dims, threads: number): number[] {
  const samples = dims[SAMPLES];
  const paying = Math.floor(flops.evaluate(dims) / worthwhile.flops);
  const parts = mixing.size > 0 ? 1 : Math.max(1, Math.min(threads, samples, paying));
  const least = Math.floor(samples / parts);
  return Array.from({ length: parts }, (_, index) => least + (index < samples % parts ? 1 : 0));
}

export function partDims(dims: Dims, first: number, count: number): Dims {
  return { ...dims, [SAMPLES]: count, [FIRST_SAMPLE]: first };
}

/** Where a block of a part begins, as an index of 32-bit words. */
export function placeIn({ bases, dims }: Part, { storage, offset }: Pointer): number {
  return (bases[storage.base] + storage.address!.evaluate(dims) + offset.evaluate(dims)) / 4;
}

/** Runs all that changes no weight, on all parts. Afterwards the first part's gradients are those of the batch. One part is computed
 * when this returns. */
export function compute(
  engine: Engine,
  lowered: Lowered,
  parts: readonly Part[],
  gradientBytes: number,
): Promise<void> | undefined {
  if (parts.length > 1) return computeParts(engine, lowered, parts, gradientBytes);
  parts[0].bound.run(0, lowered.updateStart);
  return undefined;
}

async function computeParts(
  { memory, kernels, threads }: Engine,
  { meetings, updateStart, gradients }: Lowered,
  parts: readonly Part[],
  gradientBytes: number,
): Promise<void> {
  const [{ bases }, ...others] = parts;
  const jobs = parts.map((part) => part.bound);
  let from = 0;
  for (const { step, block, words } of meetings) {
    await threads!.run(jobs, from, step);
    const places = parts.map((part) => placeIn(part, block));
    for (let word = 0; word < words; word++) {
      const sum = places.reduce((total, at) => total + memory.floats[at + word], 0);
      for (const at of places) memory.floats[at + word] = sum;
    }
    from = step;
  }
  await threads!.run(jobs, from, updateStart);
  if (gradients.size === 0) return;
  for (const { bases: own } of others) kernels.accumulate(bases.training, own.training, gradientBytes / 4);
}
