// Compares: each shape on each contender with the same weights and data; outputs must agree before anything is timed; rounds
// are interleaved (A B C A B C …), so that what disturbs the machine disturbs all alike.
import { readFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import * as ort from "./ort.js";
import * as tfjs from "./tfjs.js";
import * as ours from "./unreel.js";
import { drawGemm, drawModel, nameOf, PRODUCTS } from "./work.js";

const HELP = `npm run bench:peers -- [options]
  --full           all shapes and more rounds (about 15 minutes); the default is a selection (below 4)
  --filter NAME    only rows whose name contains NAME, as in "train lstm", "B1 ", gemm
  --clock cpu      processor time of this process instead of time on the wall: for a machine that is busy
  --build NAME     unreel's kernels: simd or relaxed; the default is what a user of this Node gets`;

const shapes = JSON.parse(readFileSync(new URL("../shapes.json", import.meta.url), "utf8"));

/** Outputs and losses may differ by this much. */
const TOLERANCE = 1e-4;
/** Calls are joined until a contender's turn lasts this long, in milliseconds. */
const TURN = 10;
/** Milliseconds of warm-up, twice. */
const WARM_UPS = [200, 50];

const contenders = [
  { title: "unreel", ...ours },
  { title: "tfjs-wasm", ...tfjs },
  { title: "ort-web", ...ort.web },
  { title: "ort-node", ...ort.native },
];

const clocks = {
  wall: () => performance.now(),
  cpu() {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  },
};

export async function main() {
  const { values } = parseArgs({
    options: {
      full: { type: "boolean", default: false },
      quick: { type: "boolean", default: false },
      filter: { type: "string", default: "" },
      clock: { type: "string", default: "wall" },
      build: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return;
  }
  const now = clocks[values.clock];
  if (!now) throw new Error(`--clock: wall or cpu, got ${values.clock}`);
  if (![undefined, "simd", "relaxed"].includes(values.build)) {
    throw new Error(`--build: simd or relaxed, got ${values.build}`);
  }
  if (values.build === "relaxed") setFlagsFromString("--experimental-wasm-relaxed-simd");
  const versions = [];
  for (const { title, start } of contenders) versions.push(`${title} ${await start(values.build)}`);
  console.log(`${versions.join(", ")}; one thread each.`);
  console.log(
    `Node ${process.versions.node}, ${cpus()[0].model}, ${cpus().length} cores, load ${loadavg()[0].toFixed(1)}, ${values.clock} clock.`,
  );
  console.log("x: the peer's time over ours; above 1 unreel is faster.");

  const filter = values.filter.toLowerCase();
  const select = (list, nameFor) =>
    list
      .filter((shape) => values.full || shape.quick)
      .map((shape) => ({ ...shape, name: nameFor(shape) }))
      .filter(({ name }) => name.toLowerCase().includes(filter));
  const budget = values.full ? 4000 : 1500;
  const options = { now, budget };

  const gemms = select(shapes.gemm, ({ m, n, k }) => `gemm ${m}x${n}x${k}`);
  const flops = ({ m, n, k }) => 2 * m * n * k * PRODUCTS;
  await section(
    `GFLOP/s, a chain of ${PRODUCTS} products M x N x K`,
    gemms,
    "gemm",
    drawGemm,
    options,
    (ms, shape) => figures(flops(shape) / ms / 1e6),
  );
  const predictions = select(shapes.inference, (shape) => `predict ${nameOf(shape)}`);
  await section("Inference, ms", predictions, "inference", drawModel, options, figures);
  const trainings = select(shapes.training, (shape) => `train ${nameOf(shape)}`);
  await section("Training step (adam), ms", trainings, "training", drawModel, options, figures);
}

/** One table. `kind` names the function of a contender that makes its job for a shape. */
async function section(title, list, kind, draw, options, show) {
  if (list.length === 0) return;
  const columns = contenders.flatMap(({ title }, index) => (index === 0 ? [title] : [title, "x"]));
  console.log(`\n${title}`);
  printRow(["", ...columns, "differ"]);
  for (const shape of list) {
    const work = draw(shape);
    const jobs = [];
    for (const contender of contenders) jobs.push(await makeJob(contender[kind], shape, work));
    const worst = disagreement(jobs);
    const entries = await interleave(
      jobs.filter((job) => job.run),
      options,
    );
    const cells = jobs.flatMap((job, index) => {
      const found = entries.get(job);
      const cell = found === undefined ? job.cannot : show(found, shape);
      return index === 0 ? [cell] : [cell, found === undefined ? "" : figures(found / entries.get(jobs[0]))];
    });
    printRow([
      shape.name,
      ...cells.map((cell) => (cell.length > 9 ? "cannot" : cell)),
      jobs.some((job, index) => index > 0 && job.run) ? worst.toExponential(0) : "-",
    ]);
    for (const [index, job] of jobs.entries()) {
      if (job.cannot?.length > 9) console.log(`    ${contenders[index].title} ${job.cannot}`);
      job.end?.();
    }
    if (!(worst <= TOLERANCE)) {
      console.log(`    NOT THE SAME WORK: results differ by ${worst}`);
      process.exitCode = 1;
    }
  }
}

/** A contender's job for a shape, with the result of its first run; or why it has none. */
async function makeJob(make, shape, work) {
  if (!make) return { cannot: "-" };
  try {
    const job = await make(shape, work);
    return { ...job, result: await job.check() };
  } catch (error) {
    return { cannot: `cannot: ${String(error.message).split("\n")[0]}` };
  }
}

/** The largest difference from unreel's result, relative to the largest number in it where that is above 1. */
function disagreement([first, ...others]) {
  if (!first.run) throw new Error(first.cannot);
  let worst = 0;
  for (const { result } of others) {
    if (!result) continue;
    const scale = first.result.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
    if (result.length !== first.result.length) return Number.POSITIVE_INFINITY;
    for (let i = 0; i < result.length; i++) {
      const difference = Math.abs(result[i] - first.result[i]) / scale;
      if (!(difference <= worst)) worst = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
    }
  }
  return worst;
}

/** Milliseconds of one run of each job: medians over interleaved rounds. */
async function interleave(jobs, { now, budget }) {
  const states = jobs.map((job) => ({ job, calls: 1, each: 0, times: [] }));
  const turn = async ({ job, calls }) => {
    const start = now();
    for (let call = 0; call < calls; call++) await job.run();
    return (now() - start) / calls;
  };
  // Warm-up: turns of the final length, a pause in which the engine finishes its optimized code, and turns again.
  for (const state of states) {
    for (const length of WARM_UPS) {
      for (let spent = 0; spent < length; ) {
        const each = await turn(state);
        spent += each * state.calls;
        state.each = each;
        state.calls = Math.max(1, Math.ceil(TURN / Math.max(each, 1e-3)));
      }
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  }
  const slowest = Math.max(...states.map(({ each }) => each));
  const round = states.reduce((sum, { each, calls }) => sum + each * calls, 0);
  const least = slowest > 4000 ? 3 : 5;
  const rounds = Math.max(least, Math.min(41, Math.ceil(budget / round)));
  for (let index = 0; index < rounds; index++) {
    for (const state of states) state.times.push(await turn(state));
  }
  return new Map(states.map(({ job, times }) => [job, times.toSorted((a, b) => a - b)[times.length >> 1]]));
}

function printRow([name, ...cells]) {
  console.log((name.padEnd(46) + cells.map((cell) => cell.padStart(10)).join("")).trimEnd());
}

/** Three figures, or all before the point: 0.123, 12.3, 1234. */
function figures(value) {
  if (value >= 100) return value.toFixed(0);
  if (value >= 10) return value.toFixed(1);
  return value >= 1 ? value.toFixed(2) : value.toFixed(3);
}
