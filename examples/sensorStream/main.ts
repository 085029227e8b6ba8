// Alarms on a sensor stream: a GRU learns from windows of a healthy machine what comes next; then it follows a long series one step at a
// time, and where it is surprised for a while there is an alarm. It has seen no fault before.
import { layers, optimizers, sequential, type Tensor, tensor } from "../../src/index.js";
import { integer } from "../shared/options.js";
import { start } from "../shared/task.js";
import { AXES, type Fault, makeSeries } from "./machine.js";

/** Steps over which surprise is averaged, and that an alarm goes on after the last surprise. */
const MEMORY = 10;
const HOLD = 40;

/** Pairs of windows: what was measured, and the same one step later. */
function windows(steps: readonly (readonly number[])[], length: number): { x: Tensor; y: Tensor } {
  const starts = Array.from({ length: Math.floor((steps.length - 1) / length) }, (_, i) => i * length);
  return {
    x: tensor(starts.map((from) => steps.slice(from, from + length))),
    y: tensor(starts.map((from) => steps.slice(from + 1, from + length + 1))),
  };
}

/** Stretches in which the surprise passes the threshold, each held for a while. */
function alarmsOf(surprise: readonly number[], threshold: number): { from: number; to: number }[] {
  const alarms: { from: number; to: number }[] = [];
  for (const [t, value] of surprise.entries()) {
    if (value <= threshold) continue;
    const last = alarms.at(-1);
    if (last && t <= last.to) last.to = t + HOLD;
    else alarms.push({ from: t, to: t + HOLD });
  }
  return alarms;
}

/** Whether an alarm begins during a fault, or in the moment after in which the average still holds it. */
const meets = (alarm: { from: number }, fault: Fault) =>
  alarm.from >= fault.from && alarm.from < fault.to + MEMORY;

export const task = await start(import.meta.url, {
  about:
    "Alarms on a sensor stream: a GRU that foretells the next step, run step by step over a long series.",
  epochs: { full: 20, quick: 20 },
  options: {
    units: integer(32, "units of the recurrent layer"),
    window: integer(64, "steps of a training window"),
  },

  async run({ options, fit, part }) {
    const { quick, seed } = options;
    const healthy = makeSeries(quick ? 20_000 : 60_000, seed, { withFaults: false }).steps;
    const cut = Math.floor(healthy.length * 0.8);
    const [training, validation] = [healthy.slice(0, cut), healthy.slice(cut)];

    const model = sequential([
      layers.gru({ units: options.units, returnSequences: true, inputShape: [null, AXES] }),
      layers.dense({ units: AXES }),
    ]);
    model.compile({ optimizer: optimizers.adam({ learningRate: 0.005 }), loss: "mse" });
    const learned = windows(training, options.window);
    const checked = windows(validation, options.window);
    await fit(model, learned.x, learned.y, { validationData: [checked.x, checked.y] });

    const stream = await model.stream();
    const latencies: number[] = [];
    /** Follows a series: at each step, the mean squared error of what was foretold, averaged over the last steps. */
    const follow = (steps: readonly (readonly number[])[]): number[] => {
      stream.reset();
      let foretold: ArrayLike<number> = steps[0];
      let surprise = 0;
      return steps.map((step) => {
        const error = step.reduce((sum, value, axis) => sum + (value - foretold[axis]) ** 2, 0) / AXES;
        surprise += (error - surprise) / MEMORY;
        const before = performance.now();
        foretold = stream.step([step]).data;
        latencies.push(performance.now() - before);
        return surprise;
      });
    };

    // The machine as it is when healthy sets the threshold; its first steps, when the stream knows nothing yet, do not count.
    const settled = follow(validation).slice(options.window);
    const threshold = 2 * settled.reduce((a, b) => Math.max(a, b));
    const { steps, faults } = makeSeries(quick ? 20_000 : 100_000, seed + 1, { withFaults: true });
    const surprise = await part(`following ${steps.length} steps`, () => follow(steps));
    model.dispose();

    const alarms = alarmsOf(surprise, threshold).filter(({ from }) => from >= options.window);
    const found = faults.filter((fault) => alarms.some((alarm) => meets(alarm, fault)));
    const right = alarms.filter((alarm) => faults.some((fault) => meets(alarm, fault)));
    const delays = found.map((fault) => alarms.find((alarm) => meets(alarm, fault))!.from - fault.from);
    const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1];
    const kinds = [...new Set(faults.map(({ kind }) => kind))];
    const shown = 3000;
    return {
      figures: [
        { name: "precision of alarms", value: right.length / alarms.length, atLeast: 0.95 },
        { name: "recall of faults", value: found.length / faults.length, atLeast: 0.95 },
        { name: "delay of an alarm, median", value: median(delays), unit: "steps" },
        { name: "one step of the stream, median", value: 1000 * median(latencies), unit: "us" },
      ],
      charts: [
        {
          title: "Decimal logarithm of surprise over its threshold, and the faults",
          x: "step",
          lines: [
            {
              name: "surprise",
              values: surprise.slice(0, shown).map((value) => Math.log10(value / threshold)),
            },
            { name: "alarm", values: new Array(shown).fill(0) },
          ],
          bands: faults.filter(({ to }) => to < shown).map(({ from, to }) => [from, to] as const),
        },
      ],
      says: [
        `${faults.length} faults, ${alarms.length} alarms of which ${right.length} are right`,
        ...kinds.map((kind) => {
          const of = (some: readonly Fault[]) => some.filter((fault) => fault.kind === kind).length;
          return `${kind}: ${of(found)} of ${of(faults)} found`;
        }),
      ].join("\n"),
    };
  },
});
