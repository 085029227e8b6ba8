// `npm run bench:frameworks`: unreel against PyTorch and Keras, each a process of its own with one thread; the processes are asked in
// turn for a round each. Options: --help. Peers in JavaScript: run.js.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { figures, interleave, median } from "../../build/bench/measure.js";
import { OPTIONS_HELP, options, report, run, settingIn } from "../../build/bench/sections.js";
import { machine } from "../../build/bench/setting.js";
import { nameOf } from "../../build/bench/shapes.js";
import { Lines } from "../lines.js";
import { CHECK_RATE, disagreement, drawModel, TOLERANCE } from "./work.js";

const HELP = `npm run bench:frameworks -- [options]
  --torch PYTHON        a Python with torch
  --keras-torch PYTHON  a Python with keras and torch
  --keras-tf PYTHON     a Python with keras and tensorflow
  --build NAME          unreel's kernels: simd or relaxed
  --wide                configure({ wide: true })
${OPTIONS_HELP}, as in "train lstm"`;

const EFFORT = { warmUp: 200, turn: 20, rounds: 5, budget: 1500, most: 21, now: () => performance.now() };
const SLOW = { above: 4000, rounds: 3 };

const { values } = parseArgs({
  options: {
    ...options,
    torch: { type: "string" },
    "keras-torch": { type: "string" },
    "keras-tf": { type: "string" },
    build: { type: "string" },
    wide: { type: "boolean", default: false },
  },
});

const beside = (file) => fileURLToPath(new URL(file, import.meta.url));

const frameworks = [
  { title: "torch", python: values.torch, file: "torch_bench.py", env: {} },
  {
    title: "keras-torch",
    python: values["keras-torch"],
    file: "keras_bench.py",
    env: { KERAS_BACKEND: "torch" },
  },
  {
    title: "keras-tf",
    python: values["keras-tf"],
    file: "keras_bench.py",
    env: { KERAS_BACKEND: "tensorflow" },
  },
];

const CELLS = ["simpleRNN", "lstm", "gru"];
const SIZES = [
  { batch: 1, steps: 100, inputs: 32, units: 64 },
  { batch: 1, steps: 100, inputs: 128, units: 256 },
  { batch: 8, steps: 20, inputs: 32, units: 64 },
  { batch: 32, steps: 100, inputs: 64, units: 64 },
  { batch: 32, steps: 100, inputs: 64, units: 128 },
  { batch: 128, steps: 100, inputs: 128, units: 256 },
];

if (values.help) {
  console.log(HELP);
} else if (values.report) {
  const titles = frameworks.map(({ title }) => title).filter((title) => settingIn(values.report)[title]);
  report(sectionsFor(titles), values.report);
} else {
  await compare();
}

async function compare() {
  const asked = frameworks.filter(({ python }) => python);
  if (asked.length === 0)
    throw new Error("frameworks.js: --torch, --keras-torch or --keras-tf with a Python");
  const folder = mkdtempSync(join(tmpdir(), "unreel-bench-"));
  const { build, wide } = values;
  const flags = build === "relaxed" ? ["--experimental-wasm-relaxed-simd"] : [];
  const processes = [
    { title: "unreel", lines: new Lines(process.execPath, [...flags, beside("unreelWorker.js")]) },
    ...asked.map(({ title, python, file, env }) => ({
      title,
      lines: new Lines(python, [beside(file)], { env: { ...process.env, ...env } }),
    })),
  ];
  try {
    const versions = {};
    for (const { title, lines } of processes) {
      versions[title] = (await lines.ask({ version: { build, wide, threads: 1 } })).version;
    }
    const sections = sectionsFor(
      asked.map(({ title }) => title),
      (shape, training, chunk) => measureShape(processes, folder, shape, training, chunk),
    );
    await run(sections, values, machine({ ...versions, node: process.versions.node, wide }));
  } finally {
    for (const { lines } of processes) await lines.end();
    rmSync(folder, { recursive: true });
  }
}

function sectionsFor(titles, measure) {
  const section = (title, kind, training) => ({
    title,
    columns: ["", "unreel", ...titles.flatMap((each) => [each, "x"]), "differ"],
    rows: CELLS.flatMap((cell) => SIZES.map((size) => ({ cell, ...size }))).map((shape) => ({
      name: `${kind} ${nameOf(shape)}`,
      cost: 3000,
      measure: (chunk) => measure(shape, training, chunk),
    })),
    lines: (name, { times, cannot, differ }) => [
      [
        name,
        figures(times.unreel),
        ...titles.flatMap((each) =>
          times[each] === undefined
            ? ["cannot", ""]
            : [figures(times[each]), figures(times[each] / times.unreel)],
        ),
        differ.toExponential(0),
      ],
      ...Object.entries(cannot).map(([title, why]) => [`    ${title} cannot: ${why}`]),
      ...(differ <= TOLERANCE ? [] : [[`    NOT THE SAME WORK: results differ by ${differ}`]]),
    ],
  });
  return [
    section("Inference, ms", "predict", false),
    section("Training step (adam, mse), ms", "train", true),
  ];
}

async function measureShape(processes, folder, shape, training, { earlier, spare }) {
  const open = {
    open: { shape: { ...shape, checkRate: CHECK_RATE }, training, ...writeWork(folder, shape) },
  };
  const checks = [];
  const cannot = {};
  const ready = [];
  for (const { title, lines } of processes) {
    try {
      checks.push((await lines.ask(open)).check);
      ready.push({ title, lines });
    } catch (error) {
      if (title === "unreel") throw error;
      cannot[title] = error.message;
    }
  }
  const differ = disagreement(checks);
  if (!(differ <= TOLERANCE)) process.exitCode = 1;
  const { times, finished } = await interleave(
    ready.map(({ lines }) => ({ slow: SLOW, turn: async (calls) => (await lines.ask({ turn: calls })).ms })),
    EFFORT,
    { spare, earlier: earlier && ready.map(({ title }) => earlier.rounds[title] ?? []) },
  );
  const byTitle = (list) => Object.fromEntries(ready.map(({ title }, index) => [title, list[index]]));
  if (!finished) return { unfinished: true, rounds: byTitle(times) };
  return { times: byTitle(times.map(median)), cannot, differ };
}

/** Weights and data as one file of 32-bit floats, and the shapes in it. */
function writeWork(folder, shape) {
  const { batch, steps, inputs } = shape;
  const { recurrent, dense, x, y } = drawModel(shape);
  const [kernel, recurrentKernel, bias] = recurrent;
  const blocks = {
    kernel,
    recurrent: recurrentKernel,
    bias,
    dense: dense[0],
    denseBias: dense[1],
    x: { shape: [batch, steps, inputs], data: x },
    y: { shape: [batch, 1], data: y },
  };
  const file = join(folder, "work.f32");
  writeFileSync(file, Buffer.concat(Object.values(blocks).map(({ data }) => Buffer.from(data.buffer))));
  return {
    file,
    arrays: Object.fromEntries(Object.entries(blocks).map(([name, each]) => [name, each.shape])),
  };
}
