// Where the time of a training step goes: by kernel, and call by call.
import { callsOf, isPointer, type Step } from "../src/program/program.js";
import { type Effort, figures, job, measure, median } from "./measure.js";
import { trainingSteps } from "./models.js";
import type { Found, Section } from "./sections.js";
import { shapes } from "./shapeList.js";
import { nameOf, tokensOf } from "./shapes.js";

interface Profile extends Found {
  /** Milliseconds of the whole step. */
  ms: number;
  calls: { kernel: string; target: string; ms: number }[];
}

/** Calls below this share are left out of the table. */
const LEAST = 0.001;

export function profileSections(start: () => Promise<unknown>, effort: Effort): Section<Profile>[] {
  return shapes.training.map((shape): Section<Profile> => {
    const name = `profile train ${nameOf(shape)}`;
    return {
      title: `Where a step goes: ${nameOf(shape)}`,
      columns: ["kernel; call and what it writes", "calls", "ms", "share"],
      rows: [
        {
          name,
          async measure() {
            await start();
            const { steps, end } = await trainingSteps(shape);
            const {
              bound: [bound],
              program,
            } = steps.prepared;
            const { median: about } = await measure(
              job(() => bound.run(), effort.now),
              { ...effort, budget: effort.budget / 4 },
            );
            const repeats = Math.max(effort.rounds, Math.min(effort.most, Math.ceil(effort.budget / about)));
            const whole: number[] = [];
            const times = program.steps.map(() => [] as number[]);
            const time = (from: number, to: number) => {
              const start = effort.now();
              bound.run(from, to);
              return effort.now() - start;
            };
            for (let repeat = 0; repeat < repeats; repeat++) {
              whole.push(time(0, times.length));
              for (const [index, list] of times.entries()) list.push(time(index, index + 1));
            }
            end();
            return {
              ms: median(whole),
              calls: program.steps.map((step, index) => ({ ...namesOf(step), ms: median(times[index]) })),
            };
          },
        },
      ],
      lines(_, { ms, calls }) {
        const total = calls.reduce((sum, call) => sum + call.ms, 0);
        const line = (label: string, count: number, time: number) => [
          label,
          `${count}`,
          time.toFixed(3),
          `${((100 * time) / total).toFixed(1)} %`,
        ];
        const kernels = [...new Set(calls.map(({ kernel }) => kernel))].map((kernel) => {
          const group = calls.filter((call) => call.kernel === kernel).sort((a, b) => b.ms - a.ms);
          return { kernel, group, time: group.reduce((sum, call) => sum + call.ms, 0) };
        });
        return [
          [`a step: ${figures(ms)} ms${shape.vocabulary ? `, ${tokensOf(shape, ms)} tokens a second` : ""}`],
          ...kernels
            .filter(({ time }) => time >= LEAST * total)
            .sort((a, b) => b.time - a.time)
            .flatMap(({ kernel, group, time }) => [
              line(kernel, group.length, time),
              ...group
                .filter((call) => call.ms >= LEAST * total)
                .map((call) => line(`    → ${call.target}`, 1, call.ms)),
            ]),
        ];
      },
    };
  });
}

/** A loop stands under the names of all kernels in it. */
function namesOf(step: Step): { kernel: string; target: string } {
  const calls = callsOf(step);
  const kernel = [...new Set(calls.map((call) => call.kernel))].join(" ");
  return { kernel, target: calls[0].args.find(isPointer)?.storage.name ?? "" };
}
