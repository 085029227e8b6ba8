// More threads over one: the same model twice, its rounds in turn.
import { configure, engineInfo } from "../src/wasm/engine.js";
import { awaited, type Effort, figures, interleave, median } from "./measure.js";
import { type Whole, wholeInference, wholeTraining } from "./models.js";
import type { Found, Section } from "./sections.js";
import { type ModelShape, nameOf } from "./shapes.js";

interface Speedup extends Found {
  one: number;
  many: number;
}

/** Threads share a batch: below this many rows there is little to share. */
const LEAST_BATCH = 16;

export function scalingSections(
  threads: number,
  start: () => Promise<unknown>,
  effort: Effort,
): Section<Speedup>[] {
  const section = (title: string, kind: string, list: ModelShape[], make: (shape: ModelShape) => Whole) => ({
    title,
    columns: ["shape", "1, ms", `${threads}, ms`, "x"],
    rows: list.map((shape) => ({
      name: `${kind} ${nameOf(shape)}`,
      async measure() {
        await start();
        // A model keeps the engine of its first run.
        const models: Whole[] = [];
        for (const each of [1, threads]) {
          configure({ threads: each });
          const { threads: found, threadsReason } = await engineInfo();
          if (found !== each) throw new Error(`--scaling: ${found} threads of ${each}. ${threadsReason}`);
          const model = make(shape);
          await model.run();
          models.push(model);
        }
        const { times } = await interleave(
          models.map(({ run }) => awaited(run, effort.now)),
          effort,
        );
        for (const { end } of models) end();
        return { one: median(times[0]), many: median(times[1]) };
      },
    })),
    lines: (name: string, { one, many }: Speedup) => [[name, ...[one, many, one / many].map(figures)]],
  });
  const list = grid();
  return [
    section(`Inference, ${threads} threads over one`, "predict", list, wholeInference),
    section(`Training step, ${threads} threads over one`, "train", list, wholeTraining),
  ];
}

function grid(): ModelShape[] {
  const cells = ["simpleRNN", "gru", "lstm"] as const;
  const batches = [LEAST_BATCH, 32, 64, 128];
  const sizes = [
    { inputs: 32, units: 64 },
    { inputs: 64, units: 128 },
    { inputs: 128, units: 256 },
  ];
  return cells.flatMap((cell) =>
    batches.flatMap((batch) => sizes.map((size) => ({ cell, batch, steps: 100, ...size }))),
  );
}
