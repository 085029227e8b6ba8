// How the time of a step grows with the steps, the batch, the units and the vocabulary, each doubled four times while the others
// stay. `node build/bench/growth.js`; the picture of its file: bench/picture/draw.js.
import { parseArgs } from "node:util";
import { awaited, clocks, type Effort, FULL, figures, interleave, median, QUICK } from "./measure.js";
import { type Whole, warmUp, wholeInference, wholeTraining } from "./models.js";
import { type Found, OPTIONS_HELP, options, report, run, type Section } from "./sections.js";
import { chooseBuild, settingOf } from "./setting.js";
import type { ModelShape } from "./shapes.js";

const HELP = `npm run bench:growth -- [options]
  --quick          shorter, noisier
  --build NAME     simd or relaxed; the default is what a user of this Node gets
${OPTIONS_HELP}`;

interface Growth extends Found {
  /** What grows along the axis, and milliseconds of a step for each. */
  sizes: number[];
  ms: number[];
}

const BASE: ModelShape = { cell: "lstm", batch: 32, steps: 100, inputs: 64, units: 64 };
const WORDS: ModelShape = { ...BASE, inputs: 32, units: 32 };
const DOUBLINGS = 4;

interface Axis {
  name: string;
  base: ModelShape;
  key: "steps" | "batch" | "units" | "vocabulary";
  from: number;
}

const AXES: Axis[] = [
  { name: "T, steps", base: BASE, key: "steps", from: 25 },
  { name: "B, batch", base: BASE, key: "batch", from: 8 },
  { name: "H, units", base: BASE, key: "units", from: 32 },
  { name: "V, vocabulary", base: WORDS, key: "vocabulary", from: 5000 },
];

const { values } = parseArgs({
  options: { ...options, quick: { type: "boolean", default: false }, build: { type: "string" } },
});

if (values.help) {
  console.log(HELP);
} else {
  const effort = { ...(values.quick ? QUICK : FULL), now: clocks.wall };
  const sections = [
    growth("Inference", "predict", wholeInference, effort),
    growth("Training step", "train", wholeTraining, effort),
  ];
  if (values.report) {
    report(sections, values.report);
  } else {
    const build = await chooseBuild({ build: values.build, wide: false });
    await warmUp();
    await run(sections, values, settingOf({ build, quick: values.quick }));
  }
}

function growth(
  title: string,
  kind: string,
  make: (shape: ModelShape) => Whole,
  effort: Effort,
): Section<Growth> {
  return {
    title: `${title}, LSTM; exponent: how often the time doubles when the size does`,
    columns: ["axis", ...Array.from({ length: DOUBLINGS + 1 }, () => "")],
    rows: AXES.map(({ name, base, key, from }) => ({
      name: `${kind} ${name}`,
      async measure() {
        const sizes = Array.from({ length: DOUBLINGS + 1 }, (_, index) => from * 2 ** index);
        const models = sizes.map((size) => make({ ...base, [key]: size }));
        const { times } = await interleave(
          models.map((model) => awaited(model.run, effort.now)),
          effort,
        );
        for (const { end } of models) end();
        return { sizes, ms: times.map(median) };
      },
    })),
    lines: (name, { sizes, ms }) => [
      [name, ...sizes.map(String)],
      ["    ms", ...ms.map(figures)],
      ["    exponent", "", ...ms.slice(1).map((time, index) => Math.log2(time / ms[index]).toFixed(2))],
    ],
  };
}
