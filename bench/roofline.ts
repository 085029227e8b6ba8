// How near each kernel of a step comes to what the machine can do: to its arithmetic, or to the bytes it gets from memory. The
// limits are measured in the same rounds, the bytes on a block as large as what the kernel touches.
import type { Build } from "../src/wasm/kernels.js";
import { elements, embedding, sumColumns, transpose } from "./elements.js";
import type { KernelMemory, KernelRow } from "./kernelMemory.js";
import { type Effort, figures, interleave, job, median } from "./measure.js";
import { assemble, Peak, peakModule } from "./peak.js";
import { product } from "./products.js";
import type { Found, Section } from "./sections.js";
import { sequence } from "./sequences.js";
import { gatesOf, type ModelShape } from "./shapes.js";

interface Roof extends Found {
  ms: number;
  flops: number;
  bytes: number;
  /** GFLOP/s and GB/s that were possible. */
  peak: number;
  bandwidth: number;
  /** Of the time that the slower of both would take, in the time that it took: the median over rounds. */
  share: number;
}

/** The steps whose kernels are looked at: a small one for one row, one of many rows, and one over words. */
const STEPS: ModelShape[] = [
  { cell: "lstm", batch: 1, steps: 100, inputs: 32, units: 64 },
  { cell: "lstm", batch: 32, steps: 100, inputs: 64, units: 128 },
  { cell: "lstm", batch: 128, steps: 500, inputs: 32, units: 32 },
];

export function rooflineSections(
  memory: () => Promise<KernelMemory>,
  build: () => Promise<Build>,
  effort: Effort,
): Section<Roof>[] {
  let loaded: Promise<Peak> | undefined;
  const peak = async () => {
    loaded ??= assemble(peakModule(await build())).then((bytes) => Peak.load(bytes));
    return loaded;
  };
  const section = (title: string, rows: KernelRow[]): Section<Roof> => ({
    title,
    columns: ["kernel", "ms", "GFLOP/s", "of", "GB/s", "of", "limit", "share"],
    rows: rows.map((row) => ({
      name: row.name,
      measure: async () => measureRoof(row, await memory(), await peak(), effort),
    })),
    lines: (name, { ms, flops, bytes, peak, bandwidth, share }) => [
      [
        name,
        figures(ms),
        flops ? figures(flops / ms / 1e6) : "-",
        figures(peak),
        figures(bytes / ms / 1e6),
        figures(bandwidth),
        flops / peak > bytes / bandwidth ? "flops" : "bytes",
        `${(100 * share).toFixed(0)} %`,
      ],
    ],
  });
  return [
    section("Products of a step, M x N x K", STEPS.flatMap(productsOf)),
    section("Recurrences", STEPS.flatMap(recurrencesOf)),
    section("The rest of a step", [
      ...embedding(64000, 32, 10000),
      ...elements(3200, 128),
      ...elements(128, 32),
      transpose(32, 100, 64),
      sumColumns(3200, 512),
    ]),
  ];
}

/** x·W, dW, dR, dx. */
function productsOf({ cell, batch, steps, inputs, units }: ModelShape): KernelRow[] {
  const [rows, width] = [batch * steps, gatesOf[cell] * units];
  return [
    product("gemmNN", { m: rows, n: width, k: inputs }),
    product("gemmTN", { m: inputs, n: width, k: rows }),
    ...(units === inputs ? [] : [product("gemmTN", { m: units, n: width, k: rows })]),
    product("gemmNT", { m: rows, n: inputs, k: width }),
  ];
}

function recurrencesOf(step: ModelShape): KernelRow[] {
  return (["simpleRNN", "gru", "lstm"] as const).flatMap((cell) => [
    sequence({ ...step, cell }),
    sequence({ ...step, cell }, true),
  ]);
}

async function measureRoof(
  { make }: KernelRow,
  memory: KernelMemory,
  peak: Peak,
  effort: Effort,
): Promise<Roof> {
  memory.reset();
  const { run, before, flops, bytes, footprint = bytes } = make(memory);
  const most = [peak.arithmetic(), ...peak.streams(footprint)];
  const { times } = await interleave(
    [job(run, effort.now, before), ...most.map((each) => job(each.run, effort.now))],
    effort,
  );
  const [own, arithmetic, ...streams] = times;
  const rate = (index: number, round: number) =>
    most[index].amount / [arithmetic, ...streams][index][round] / 1e6;
  const widest = (round: number) => Math.max(...streams.map((_, index) => rate(index + 1, round)));
  const rounds = own.map((ms, round) => ({
    peak: rate(0, round),
    bandwidth: widest(round),
    share: Math.max(flops / rate(0, round), bytes / widest(round)) / 1e6 / ms,
  }));
  return {
    ms: median(own),
    flops,
    bytes,
    peak: median(rounds.map((round) => round.peak)),
    bandwidth: median(rounds.map((round) => round.bandwidth)),
    share: median(rounds.map((round) => round.share)),
  };
}
