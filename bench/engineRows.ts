// What is measured inside an engine, whichever it is: products and two recurrences, each in turns with arithmetic in registers, which
// says what the engine could do at that moment. Runs in browsers too; engines/ starts the engines.
import { type Build, canRun } from "../src/wasm/kernels.js";
import { KernelMemory, type KernelRow } from "./kernelMemory.js";
import { FULL, interleave, job, median, QUICK } from "./measure.js";
import { Peak } from "./peak.js";
import { product } from "./products.js";
import { sequence } from "./sequences.js";
import type { GemmShape } from "./shapes.js";

export interface EngineSpeed {
  ms: number;
  flops: number;
  /** GFLOP/s of sums of products in registers. */
  peak: number;
  /** Of that: the median over rounds. */
  share: number;
}

const square = (n: number): GemmShape => ({ m: n, n, k: n });

const rows: KernelRow[] = [
  ...[64, 128, 256, 512].map((n) => product("gemmNN", square(n))),
  product("gemmPacked", { m: 1, n: 256, k: 64 }),
  product("gemmPacked", { m: 1, n: 1024, k: 256 }),
  product("gemmNN", { m: 8, n: 256, k: 64 }),
  product("gemmNN", { m: 3200, n: 256, k: 64 }),
  product("gemmTN", { m: 64, n: 256, k: 3200 }),
  sequence({ cell: "lstm", batch: 1, steps: 100, inputs: 0, units: 64 }),
  sequence({ cell: "lstm", batch: 32, steps: 100, inputs: 0, units: 128 }),
];

export const kernelNames: readonly string[] = rows.map(({ name }) => name);

/** Whether this engine takes a build of the kernels. */
export { canRun };

const memories = new Map<Build, Promise<KernelMemory>>();
const peaks = new Map<Build, Promise<Peak>>();

/** `peakBytes`: the module of peak.ts for this build. */
export async function measureKernel(
  name: string,
  build: Build,
  peakBytes: readonly number[],
  quick: boolean,
): Promise<EngineSpeed> {
  if (!memories.has(build)) {
    memories.set(build, KernelMemory.load(build));
    peaks.set(build, Peak.load(new Uint8Array(peakBytes)));
  }
  const memory = await memories.get(build)!;
  const most = (await peaks.get(build)!).arithmetic();
  const now = () => performance.now();
  // The clocks of browsers are coarse: turns are longer than in Node alone.
  const effort = { ...(quick ? QUICK : FULL), turn: 5, now };
  memory.reset();
  const { run, before, flops } = rows.find((row) => row.name === name)!.make(memory);
  const { times } = await interleave([job(run, now, before), job(most.run, now)], effort);
  const peak = (round: number) => most.amount / times[1][round] / 1e6;
  return {
    ms: median(times[0]),
    flops,
    peak: median(times[1].map((_, round) => peak(round))),
    share: median(times[0].map((ms, round) => flops / ms / 1e6 / peak(round))),
  };
}
