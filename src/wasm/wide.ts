// The wide build: tiles for V8's revectorization, which joins pairs of 128-bit operations into 256-bit ones. The flag is V8's own
// and experimental, so the kernels must first give the plain build's numbers and be faster than the relaxed build's.
// Not here: the tiles (assembly/gemm.ts, microWide.ts) and who asks for them (engine.ts).

import { addInlined, type Build, canRun, type Kernels, loadKernels } from "./kernels.js";

const FLAG = "--experimental-wasm-revectorize";

let prepared: Promise<string> | undefined;

/** Makes the wide build ready, once. Returns "" or one sentence that says why this engine cannot run it. */
export function prepareWide(): Promise<string> {
  prepared ??= prepare().catch((error: Error) => {
    prepared = undefined;
    return `It could not be compared with the other builds: ${error.message}`;
  });
  return prepared;
}

async function prepare(): Promise<string> {
  const { process } = globalThis as { process?: NodeJS.Process };
  const versions: Record<string, string | undefined> = process?.versions ?? {};
  if (!process || !versions.node || versions.bun || versions.deno)
    return "Only Node lets a program set V8's flag for 256-bit vectors.";
  if (process.arch !== "x64") return `V8 joins vectors on x64 only, not on ${process.arch}.`;
  if (!process.getBuiltinModule || !canRun("relaxed"))
    return "It needs relaxed SIMD: Node 22 or newer has it.";
  process.getBuiltinModule("node:v8").setFlagsFromString(FLAG);
  addInlined((await import("./inlinedWide.js")).inlined);
  const [wide, relaxed, plain] = await Promise.all(
    (["wide", "relaxed", "simd"] as Build[]).map((build) => loadKernels(build)),
  );
  const wrong = firstDifference(wide, plain);
  if (wrong) return `Its ${wrong} differs from the plain build's here.`;
  const times = await speed(wide, relaxed);
  return times > 1.15
    ? ""
    : `It is not faster on this processor (${times.toFixed(2)} times the relaxed build).`;
}

/** Numbers between -1 and 1 that look random and are the same everywhere. */
function fill(floats: Float32Array): void {
  let state = 1;
  for (let i = 0; i < floats.length; i++) {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    floats[i] = state / 0x40000000 - 1;
  }
}

/** Blocks of so many floats behind the kernels' own bytes, all filled. */
function blocks({ memory, heapBase }: Kernels, sizes: readonly number[]): number[] {
  let end = Math.ceil(heapBase / 64) * 64;
  const addresses = sizes.map((size) => {
    const address = end;
    end += Math.ceil(size / 16) * 64 + 64;
    return address;
  });
  const missing = Math.ceil((end - memory.buffer.byteLength) / 65536);
  if (missing > 0) memory.grow(missing);
  fill(new Float32Array(memory.buffer, addresses[0], (end - addresses[0]) / 4));
  return addresses;
}

const SCRATCH = 64 * 1024;

interface Trial {
  /** Floats of each block; the first is compared. */
  readonly sizes: readonly number[];
  /** Calls that pack blocks first, as programs make them. */
  readonly pack?: (at: readonly number[]) => [kernel: string, ...args: number[]][];
  readonly args: (at: readonly number[]) => number[];
}

const [T, B, H] = [5, 3, 21];

/** As in assembly/gemm.ts. */
function packedBytes(rows: number, columns: number): number {
  return rows * Math.ceil(columns / 16) * 64;
}

/** A recurrent kernel of so many gates, and the same packed. */
function recurrent(gates: number): number[] {
  return [H * gates * H, gates * H * 32];
}

/** The kernels whose code differs, each with its arguments: sizes that leave remainders everywhere. */
const TRIALS: Record<string, Trial> = {
  ...Object.fromEntries(
    ["gemmNN", "gemmNT", "gemmTN"].map((name): [string, Trial] => [
      name,
      {
        sizes: [23 * 53, 23 * 37, 37 * 53, 53, SCRATCH],
        args: ([c, a, b, bias, scratch]) => {
          const lda = name === "gemmTN" ? 23 : 37;
          const ldb = name === "gemmNT" ? 37 : 53;
          return [c, 53, a, lda, b, ldb, bias, 23, 53, 37, 1, scratch];
        },
      },
    ]),
  ),
  simpleSequence: {
    sizes: [(T + 1) * B * H, T * B * H, SCRATCH, ...recurrent(1)],
    pack: ([, , , R, packed]) => [["packB", packed, R, H, H, H]],
    args: ([hidden, gates, scratch, , packed]) => [hidden, gates, packed, 0, 0, T, B, H, scratch],
  },
  lstmSequence: {
    sizes: [(T + 1) * B * H, (T + 1) * B * H, T * B * 4 * H, SCRATCH, ...recurrent(4)],
    pack: ([, , , , R, packed]) => [["packB", packed, R, 4 * H, H, 4 * H]],
    args: ([hidden, cell, gates, scratch, , packed]) => [
      ...[hidden, cell, gates, packed],
      ...[0, 0, T, B, H, scratch],
    ],
  },
  lstmSequenceBackward: {
    sizes: [T * B * 4 * H, B * H, B * H, T * B * H, (T + 1) * B * H, SCRATCH, ...recurrent(4)],
    pack: ([, , , , , , R, packed]) => [["packBT", packed, R, 4 * H, 4 * H, H]],
    args: ([gates, dhidden, dcell, doutputs, cell, scratch, , packed]) => [
      ...[gates, dhidden, dcell, doutputs, cell, packed],
      ...[0, 0, T, B, H, scratch],
    ],
  },
  gruSequence: {
    sizes: [(T + 1) * B * H, T * B * 3 * H, T * B * H, 3 * H, SCRATCH, ...recurrent(3)],
    pack: ([, , , , , R, packed]) => [
      ["packB", packed, R, 3 * H, H, 2 * H],
      ["packB", packed + packedBytes(H, 2 * H), R + 8 * H, 3 * H, H, H],
    ],
    args: ([hidden, gates, inner, bias, scratch, , packed]) => [
      ...[hidden, gates, inner, packed, bias],
      ...[0, 0, T, B, H, 1, scratch],
    ],
  },
  gruSequenceBackward: {
    sizes: [T * B * 3 * H, T * B * H, B * H, T * B * H, (T + 1) * B * H, SCRATCH, ...recurrent(3)],
    pack: ([, , , , , , R, packed]) => [
      ["packBT", packed, R, 3 * H, 2 * H, H],
      ["packBT", packed + packedBytes(2 * H, H), R + 8 * H, 3 * H, H, H],
    ],
    args: ([gates, inner, dhidden, doutputs, hidden, scratch, , packed]) => [
      ...[gates, inner, dhidden, doutputs, hidden, packed],
      ...[0, 0, T, B, H, 1, scratch],
    ],
  },
};

/** Calls until V8 has optimized a kernel, so that optimized code is what is compared. */
const WARMING = 600;

/** The first kernel whose numbers are not those of the other build, up to rounding. */
function firstDifference(a: Kernels, b: Kernels): string | undefined {
  return Object.keys(TRIALS).find((name) => {
    const { sizes, pack, args } = TRIALS[name];
    const [left, right] = [a, b].map((kernels) => {
      const fresh = () => {
        const at = blocks(kernels, sizes);
        for (const [kernel, ...packing] of pack?.(at) ?? []) kernels.functions[kernel](...packing);
        return args(at);
      };
      const call = fresh();
      for (let i = 0; i < WARMING; i++) kernels.functions[name](...call);
      kernels.functions[name](...fresh());
      return new Float32Array(kernels.memory.buffer, call[0], sizes[0]);
    });
    const largest = left.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    return !left.every((x, i) => Math.abs(x - right[i]) <= 1e-5 * largest);
  });
}

/** How many times as fast `a` multiplies as `b`: shortest times, in turn, until the difference shows or 200 ms are over. */
async function speed(a: Kernels, b: Kernels): Promise<number> {
  const N = 96;
  const calls = [a, b].map((kernels) => {
    const [c, x, y, scratch] = blocks(kernels, [N * N, N * N, N * N, SCRATCH]);
    return () => kernels.functions.gemmNN(c, N, x, N, y, N, 0, N, N, N, 0, scratch);
  });
  const best = calls.map(() => Number.POSITIVE_INFINITY);
  const end = performance.now() + 200;
  for (let round = 0; performance.now() < end; round++) {
    calls.forEach((call, i) => {
      const start = performance.now();
      for (let repeat = 0; repeat < 5; repeat++) call();
      best[i] = Math.min(best[i], performance.now() - start);
    });
    if (round > 60 && best[1] / best[0] > 1.3) break;
    // The optimizing compiler hands its code over between tasks.
    if (round % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return best[1] / best[0];
}
