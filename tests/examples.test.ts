// The examples: options, figures and reports of their frame, and the quick form of every one, run as its README says.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { lineChart, ticks } from "../examples/shared/chart.js";
import {
  choice,
  integer,
  isSwitch,
  parseOptions,
  path,
  positive,
  seed,
  usage,
} from "../examples/shared/options.js";
import { confusionOf, isMissed, page, type Report, showFigure, showGoal } from "../examples/shared/report.js";
import { dataFolder, fileIn, missingFiles, runTask, type Task } from "../examples/shared/task.js";
import { data, layers, sequential, tensor } from "../src/index.js";
import { root } from "./support.js";

const folder = mkdtempSync(join(tmpdir(), "examples-"));
test.after(() => rmSync(folder, { recursive: true }));

// ----------------------------------------------------------------------------------------------------------- options

const declared = {
  cell: choice("a recurrent layer", ["simpleRNN", "lstm", "gru"], "gru", "recurrent layer"),
  units: integer(32, "units of the recurrent layer"),
  epochs: integer(2, "passes over the data"),
  batch: integer(64, "samples for each training step"),
  learningRate: positive(0.001, "step size of the optimizer"),
  seed: seed(1, "same seed, same result"),
  quick: isSwitch("a small form"),
  report: path("file to write"),
};
const defaults = {
  cell: "gru",
  units: 32,
  epochs: 2,
  batch: 64,
  learningRate: 0.001,
  seed: 1,
  quick: false,
  report: undefined,
};

test("options", () => {
  assert.equal(parseOptions("task", [], declared), defaults);
  const given = "--cell SimpleRNN --units=8 --learning-rate 1e-2 --seed 0 --quick --report a.html".split(" ");
  const changed = { cell: "simpleRNN", units: 8, learningRate: 0.01, seed: 0, quick: true, report: "a.html" };
  assert.equal(parseOptions("task", given, declared), { ...defaults, ...changed });
  assert.is(parseOptions("task", ["-h"], declared), null);
  const text = usage("A task.", declared);
  assert.match(text, /--learning-rate <x> {2}step size of the optimizer \(0\.001\)/);
  assert.match(text, /--cell <name> +recurrent layer: simpleRNN, lstm, gru \(gru\)/);
  assert.match(text, /--quick +a small form\n {2}--report <path> +file to write\n/);
});

const refusals: [string, RegExp][] = [
  ["--unit 8", /task: expected a known option, got '--unit'\. Did you mean '--units'\?/],
  ["--cell lstn", /--cell: expected a recurrent layer, got 'lstn'\. Did you mean 'lstm'\?/],
  ["--epochs", /--epochs: expected a value, --epochs <n>, got none/],
  ["--epochs --batch 3", /--epochs: expected a value, --epochs <n>, got '--batch'/],
  ["--units 1.5", /--units: expected a positive integer, got 1\.5/],
  ["--batch=", /--batch: expected a positive integer, got ''/],
  ["--learning-rate -1", /--learning-rate: expected a positive number, got -1/],
  ["--seed -1", /--seed: expected an integer from 0, got -1/],
  ["--quick=yes", /--quick: expected --quick alone, got 'yes'/],
  ["--report=", /--report: expected a path, got ''/],
  ["units=3", /options only, got 'units=3'\. Did you mean '--units=3'\?/],
];
for (const [line, message] of refusals) {
  test(`refuses ${line}`, () =>
    assert.throws(() => parseOptions("task", line.split(" "), declared), message));
}

// ------------------------------------------------------------------------------------------------ figures and reports

test("figures, their goals, and which are missed", () => {
  assert.is(showFigure({ value: 0.99321 }), "0.9932");
  assert.is(showFigure({ value: 3.14e-7 }), "3.1e-7");
  assert.is(showFigure({ value: 1234.5, unit: "us" }), "1235 us");
  assert.is(showFigure({ value: 5.6789, unit: "us" }), "5.68 us");
  assert.is(showFigure({ value: 0 }), "0");
  assert.is(showGoal({ name: "", value: 0, atLeast: 0.99 }), "at least 0.9900");
  assert.is(showGoal({ name: "", value: 0, atLeast: 1, atMost: 2, unit: "s" }), "at least 1 s, at most 2 s");
  assert.is(showGoal({ name: "", value: 0 }), "");
  const missed = (value: number, goal: object) => isMissed({ name: "", value, ...goal });
  assert.equal(
    [missed(0.9, { atLeast: 0.9 }), missed(0.89, { atLeast: 0.9 }), missed(Number.NaN, { atLeast: 0.9 })],
    [false, true, true],
  );
  assert.equal([missed(2, { atMost: 2 }), missed(2.1, { atMost: 2 }), missed(5, {})], [false, true, false]);
  assert.equal(confusionOf(["a", "b"], [0, 0, 1, 0], [0, 1, 1, 0]).counts, [
    [2, 1],
    [0, 1],
  ]);
});

test("ticks are round and lie inside", () => {
  assert.equal(ticks(0, 1, 5), [0, 0.2, 0.4, 0.6, 0.8, 1]);
  assert.equal(ticks(0.13, 0.31, 5), [0.15, 0.2, 0.25, 0.3]);
  assert.equal(ticks(1, 12, 8), [2, 4, 6, 8, 10, 12]);
  assert.equal(ticks(-3000, 1000, 4), [-3000, -2000, -1000, 0, 1000]);
});

test("a chart: one path a line, inside its frame; what is not finite is left out; many points are thinned", () => {
  const points = (svg: string, line: number) => {
    const [, path] = new RegExp(`class="line-${line}"><path d="([^"]*)"`).exec(svg)!;
    return [...path.matchAll(/[ML]([\d.-]+) ([\d.-]+)/g)].map(([, x, y]) => [Number(x), Number(y)]);
  };
  const svg = lineChart({
    title: "a < b",
    x: "epoch",
    firstX: 1,
    lines: [
      { name: "training", values: [4, 2, 1] },
      { name: "validation", values: [3, Number.NaN, 0] },
    ],
    bands: [[1, 2]],
  });
  assert.equal(points(svg, 0), [
    [56, 34],
    [300, 129],
    [544, 176.5],
  ]);
  assert.equal(points(svg, 1), [
    [56, 81.5],
    [544, 224],
  ]);
  assert.match(svg, /a &lt; b/);
  const labels = [...svg.matchAll(/<text x="552" y="([\d.]+)">/g)].map(([, y]) => Number(y));
  assert.equal(labels, [180.5, 228]);
  const same = lineChart({
    title: "",
    x: "",
    lines: ["a", "b", "c"].map((name) => ({ name, values: [1, 0] })),
  });
  const stacked = [...same.matchAll(/<text x="552" y="([\d.]+)">/g)].map(([, y]) => Number(y));
  assert.equal(stacked, [228, 214, 200]);
  assert.match(svg, /class="band" x="56.0" width="244.0"/);
  const many = Array.from({ length: 10_000 }, (_, i) => (i === 4321 ? 9 : i === 8765 ? -9 : 0));
  const thinned = points(lineChart({ title: "", x: "", lines: [{ name: "", values: many }] }), 0);
  assert.ok(thinned.length <= 1200, `${thinned.length}`);
  assert.ok(thinned.some(([, y]) => y === 34) && thinned.some(([, y]) => y === 224), "peaks stay");
  for (const values of [[], [1], [2, 2, 2]]) {
    assert.not.match(
      lineChart({ title: "", x: "", lines: [{ name: "n", values }] }),
      /NaN|Infinity|undefined/,
    );
  }
});

const report: Report = {
  task: "task",
  about: "What <it> does.",
  command: "node task --quick",
  facts: ["2026-01-02"],
  figures: [
    { name: "accuracy", value: 0.5, atLeast: 0.9 },
    { name: "recall", value: 0.95, atLeast: 0.9 },
  ],
  charts: [{ title: "loss", x: "epoch", lines: [{ name: "training", values: [2, 1] }] }],
  confusion: {
    labels: ["yes", "no"],
    counts: [
      [3, 1],
      [0, 0],
    ],
  },
  texts: [{ title: "Model", text: "a & b" }],
};

test("a report is one page that loads nothing and knows light and dark", () => {
  const html = page(report);
  assert.match(
    html,
    /<td>accuracy<\/td><td class="missed">0\.5000 \(missed\)<\/td><td>at least 0\.9000<\/td>/,
  );
  assert.match(html, /<td>recall<\/td><td>0\.9500<\/td>/);
  assert.match(html, /What &lt;it&gt; does\./);
  assert.match(html, /<th>yes<\/th><td style="background: rgba\(var\(--cell\), 0\.525\)">3<\/td>/);
  assert.match(html, /<pre>a &amp; b<\/pre>/);
  assert.match(html, /prefers-color-scheme: dark/);
  assert.not.match(html, /NaN|undefined|src=|href=|url\(|@import/);
});

// ------------------------------------------------------------------------------------------------------------ the frame

/** Runs a task with what it prints kept. */
async function run(task: Task, ...args: string[]): Promise<{ reached: boolean; printed: string }> {
  const { log } = console;
  const lines: string[] = [];
  console.log = (...parts: unknown[]) => lines.push(parts.join(" "));
  try {
    return { reached: await runTask("made-up", task, args), printed: lines.join("\n") };
  } finally {
    console.log = log;
  }
}

const learning: Task = {
  about: "Learns that y is x.",
  epochs: { full: 3, quick: 2 },
  async run({ options, fit }) {
    const model = sequential([layers.dense({ units: 1, inputShape: [1] })]);
    model.compile({ optimizer: "sgd", loss: "mse" });
    const data: [number[][], number[][]] = [
      [[1], [2]],
      [[1], [2]],
    ];
    const { history } = await fit(model, ...data, { name: "line", validationData: data, verbose: 0 });
    const weights = model.getWeights()[0].data[0];
    model.dispose();
    return {
      figures: [
        { name: "epochs", value: history.loss.length, atMost: 2 },
        { name: "weight", value: weights },
        { name: "quick", value: Number(options.quick) },
      ],
    };
  },
};

test("a task: options, seed, goals, and the curves of its report", async () => {
  const file = join(folder, "made-up.html");
  const quick = await run(learning, "--quick", "--report", file, "--seed", "3");
  assert.ok(quick.reached);
  assert.match(quick.printed, /epochs: 2 {2}\(must reach: at most 2\)\n/);
  assert.match(quick.printed, /quick: 1\n/);
  const html = readFileSync(file, "utf8");
  assert.match(html, /aria-label="line: loss"/);
  assert.match(html, />training<.*>validation</s);
  assert.match(html, /made-up\/main\.js --quick --report .*--seed 3/);
  const weight = (printed: string) => /weight: (\S+)/.exec(printed)![1];
  assert.is(weight((await run(learning, "--quick", "--seed", "3")).printed), weight(quick.printed));
  assert.is.not(weight((await run(learning, "--quick", "--seed", "4")).printed), weight(quick.printed));

  const whole = await run(learning);
  assert.is(whole.reached, false);
  assert.match(whole.printed, /epochs: 3 {2}\(must reach: at most 2; MISSED\)/);
  assert.ok((await run(learning, "--epochs", "1")).reached);
  assert.match(
    (await run(learning, "--help")).printed,
    /--epochs <n> +passes over the training data \(3; quick: 2\)/,
  );
});

test("a task that reads data says where to get what is missing", async () => {
  const data = { files: ["lines.txt"], source: "Lines are at lines.example." };
  const reading: Task = {
    about: "Counts lines.",
    data,
    async run({ data }) {
      const lines = readFileSync(join(data, "lines.txt"), "utf8").split("\n");
      return { figures: [{ name: "lines", value: lines.length, atLeast: 3 }] };
    },
  };
  assert.equal(missingFiles(data, folder), ["lines.txt"]);
  assert.equal(missingFiles(undefined), []);
  let message = "";
  await run(reading, "--data", folder).catch((error: Error) => {
    message = error.message;
  });
  assert.match(
    message,
    /made-up: --data: expected a folder with lines\.txt, got '.*'\. Lines are at lines\.example\./,
  );
  writeFileSync(join(folder, "lines.txt"), "a\nb\nc");
  assert.ok((await run(reading, "--data", folder)).reached);
  assert.match((await run(reading, "--help")).printed, /--data <path>/);
  assert.not.match((await run(reading, "--help")).printed, /--epochs/);
});

test("a task may do without its data, or its quick form may", async () => {
  const looking = (more: object): Task => ({
    about: "Looks for lines.",
    data: { files: ["none.txt"], source: "There are none.", ...more },
    async run({ data }) {
      return {
        figures: [{ name: "found", value: fileIn(data, "none.txt") === undefined ? 0 : 1, atMost: 0 }],
      };
    },
  });
  const message = (task: Task, ...args: string[]) =>
    run(task, ...args, "--data", folder).then(
      ({ printed }) => printed,
      (error: Error) => error.message,
    );
  assert.match(await message(looking({ isOptional: true })), /found: 0/);
  assert.match(await message(looking({ isForQuick: false }), "--quick"), /found: 0/);
  assert.match(await message(looking({ isForQuick: false })), /expected a folder with none\.txt/);
  writeFileSync(join(folder, "none.txt"), "");
  assert.match(await message(looking({})), /found: 1/);
});

test("a task may train on a dataset", async () => {
  const streaming: Task = {
    about: "Learns that y is x.",
    epochs: { full: 2, quick: 2 },
    async run({ fit }) {
      const model = sequential([layers.dense({ units: 1, inputShape: [1] })]);
      model.compile({ optimizer: "sgd", loss: "mse" });
      const batches = data.Dataset.fromTensors([tensor([[1], [2]]), tensor([[1], [2]])]).batch(1);
      const { history } = await fit(model, batches, { name: "line", validationData: batches, verbose: 0 });
      model.dispose();
      return { figures: [{ name: "epochs", value: history.val_loss.length, atLeast: 2 }] };
    },
  };
  const file = join(folder, "streaming.html");
  assert.ok((await run(streaming, "--report", file)).reached);
  assert.match(readFileSync(file, "utf8"), /aria-label="line: loss"/);
});

// ------------------------------------------------------------------------------------------------- every one of them

const read = (file: string) => readFileSync(new URL(`examples/${file}`, root), "utf8");
const names = readdirSync(new URL("examples/", root), { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== "shared")
  .map(({ name }) => name);

/** The program, run as a user does; what this process was started with (red zones, another build) counts there too. */
function runMain(name: string, ...args: string[]) {
  const main = fileURLToPath(new URL(`build/examples/${name}/main.js`, root));
  const options = { encoding: "utf8" as const, cwd: fileURLToPath(root), timeout: 120_000 };
  return spawnSync(process.execPath, [...process.execArgv, main, ...args], options);
}

test("there are examples", () => assert.ok(names.length >= 7, `${names}`));

for (const name of names) {
  test(`${name}: a README of one screen, a row in RESULTS.md`, () => {
    const text = read(`${name}/README.md`);
    assert.ok(text.split("\n").length <= 45, "one screen");
    assert.match(text, `build/examples/${name}/main.js`);
    assert.match(read("RESULTS.md"), new RegExp(`\\| \\[${name}\\]\\(${name}/\\)`));
    assert.match(read("README.md"), `(${name}/)`);
  });

  const { task } = (await import(new URL(`build/examples/${name}/main.js`, root).href)) as { task: Task };
  const missing = task.data?.isForQuick === false ? [] : missingFiles(task.data);
  const check = missing.length > 0 ? test.skip : test;
  if (missing.length > 0) console.log(`examples: skipped ${name}: no ${missing} in ${dataFolder()}`);
  check(`${name} --quick reaches its figures`, () => {
    const file = join(folder, `${name}.html`);
    const { status, stdout, stderr } = runMain(name, "--quick", "--report", file);
    assert.is(status, 0, `${stdout}${stderr}`);
    assert.match(stdout, /must reach/);
    assert.ok(existsSync(file));
    const html = readFileSync(file, "utf8");
    assert.is(/aria-label="(.*: )?loss"/.test(html), task.epochs !== undefined, "learning curves");
    assert.not.match(html, /NaN|undefined/);
  });
}

test("a goal that is missed, and an option that is wrong, end with exit code 1", () => {
  const missed = runMain("wordSentiment", "--epochs", "1");
  assert.is(missed.status, 1);
  assert.match(missed.stdout, /MISSED/);
  const wrong = runMain("hello", "--epoch", "1");
  assert.is(wrong.status, 1);
  assert.match(wrong.stderr, /^hello: expected a known option, got '--epoch'\. Did you mean '--epochs'\?\n$/);
});

test.run();
