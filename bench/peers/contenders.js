// Who takes part, and one shape on all of them: the same weights and data; results must agree before anything is timed; then rounds
// in turn.
import { awaited, interleave, median } from "../../build/bench/measure.js";
import * as ort from "./ort.js";
import * as tfjs from "./tfjs.js";
import * as ours from "./unreel.js";
import { disagreement, drawGemm, drawModel, TOLERANCE } from "./work.js";

/** Unreel comes first. */
export const contenders = [
  { title: "unreel", ...ours },
  { title: "tfjs-wasm", ...tfjs },
  { title: "ort-web", ...ort.web },
  { title: "ort-node", ...ort.native },
];

/** Of a process that has just begun: milliseconds of small work for each contender before the first shape of a kind. */
const FIRST_WARM_UP = 150;

/** Makes everybody ready and says their versions. */
export async function start(settings) {
  const versions = {};
  for (const { title, start } of contenders) versions[title] = await start(settings);
  return versions;
}

/**
 * Milliseconds of each contender's call for a shape: { times: { title: median }, cannot: { title: why }, differ }. `kind` names the
 * function of a contender that makes its job; `leaveOut` says why a contender does not take part, `slow` when it gets fewer rounds.
 * Unfinished: `rounds` holds what there is, for the next part of the run.
 */
export async function measureShape(kind, shape, effort, { earlier, spare }, { leaveOut, slow } = {}) {
  await warmUp(kind, shape);
  const work = drawWork(kind, shape);
  const cannot = {};
  const jobs = [];
  for (const contender of contenders) {
    const why = earlier ? earlier.cannot[contender.title] : await leaveOut?.(contender);
    const job = why ? { cannot: why } : await makeJob(contender[kind], shape, work, !earlier);
    if (job.run) jobs.push({ title: contender.title, ...job });
    else cannot[contender.title] = job.cannot;
  }
  if (jobs[0]?.title !== "unreel") throw new Error(`unreel: ${cannot.unreel}`);
  const differ = earlier?.differ ?? disagreement(jobs.map(({ result }) => result));
  const { times, finished } = await interleave(
    jobs.map(({ title, run }) => awaited(run, effort.now, slow?.(title))),
    effort,
    { spare, earlier: earlier && jobs.map(({ title }) => earlier.rounds[title] ?? []) },
  );
  for (const { end } of jobs) end?.();
  if (!(differ <= TOLERANCE)) process.exitCode = 1;
  const byTitle = (values) => Object.fromEntries(jobs.map(({ title }, index) => [title, values[index]]));
  if (!finished) return { unfinished: true, rounds: byTitle(times), cannot, differ };
  return { times: byTitle(times.map(median)), cannot, differ };
}

/** A remark under a row whose results differ. */
export function remarks({ cannot, differ }) {
  return [
    ...Object.entries(cannot)
      .filter(([, why]) => why.startsWith("cannot"))
      .map(([title, why]) => `    ${title} ${why}`),
    ...(differ <= TOLERANCE ? [] : [`    NOT THE SAME WORK: results differ by ${differ}`]),
  ];
}

const drawWork = (kind, shape) => (kind === "gemm" ? drawGemm(shape) : drawModel(shape));

const warm = new Set();

/** Short calls of a small shape of the same kind: a long call would run to its end in code that is not optimized. */
async function warmUp(kind, shape) {
  const { cell, resetAfter } = shape;
  const key = `${kind} ${cell} ${resetAfter}`;
  if (kind === "gemm" || warm.has(key)) return;
  warm.add(key);
  const small = { cell, resetAfter, batch: 8, steps: 4, inputs: 16, units: 24 };
  const work = drawWork(kind, small);
  for (const contender of contenders) {
    const job = await makeJob(contender[kind], small, work, true);
    const until = performance.now() + FIRST_WARM_UP;
    while (job.run && performance.now() < until) await job.run();
    job.end?.();
  }
}

/** A contender's job for a shape, with its result if that is to be checked; or why it has none. */
export async function makeJob(make, shape, work, checked = false) {
  if (!make) return { cannot: "-" };
  try {
    const job = await make(shape, work);
    return checked ? { ...job, result: await job.check() } : job;
  } catch (error) {
    return { cannot: `cannot: ${String(error.message).split("\n")[0]}` };
  }
}
