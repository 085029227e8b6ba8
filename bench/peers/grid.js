// Every cell, batch, length and size against the peers: how many of all shapes reach their targets, and the worst of each class.
import { figures, median } from "../../build/bench/measure.js";
import { finished, settingIn } from "../../build/bench/sections.js";
import { gatesOf, nameOf } from "../../build/bench/shapes.js";
import { makeJob, measureShape, remarks } from "./contenders.js";
import { drawModel } from "./work.js";

const CELLS = ["simpleRNN", "lstm", "gru"];
const SIZES = [32, 64, 128, 256];

const inference = CELLS.flatMap((cell) =>
  [1, 8, 32, 128].flatMap((batch) =>
    [20, 100, 500].flatMap((steps) =>
      SIZES.flatMap((inputs) => SIZES.map((units) => ({ cell, batch, steps, inputs, units }))),
    ),
  ),
);

/** tfjs has only the older GRU: so training is measured with that. */
const training = CELLS.flatMap((cell) =>
  [8, 32, 128].flatMap((batch) =>
    [20, 100].flatMap((steps) =>
      SIZES.map((size) => ({
        cell,
        batch,
        steps,
        inputs: size,
        units: size,
        ...(cell === "gru" ? { resetAfter: false } : {}),
      })),
    ),
  ),
);

/** Peers' times over ours that are asked for; `median`: of all shapes of the class. */
const CLASSES = [
  {
    title: "inference, batch 1",
    kind: "predict",
    has: ({ batch }) => batch === 1,
    targets: { "ort-web": 4, "ort-node": 1.5, "tfjs-wasm": 100 },
  },
  {
    title: "inference, batch 8 to 128, H below 128",
    kind: "predict",
    has: ({ batch, units }) => batch > 1 && units < 128,
    targets: { "ort-web": 2.2, "ort-node": 0.8, "tfjs-wasm": 5 },
    wide: { "ort-web": 2.5, "ort-node": 1 },
  },
  {
    title: "inference, batch 8 to 128, H 128 to 256",
    kind: "predict",
    has: ({ batch, units }) => batch > 1 && units >= 128,
    targets: { "ort-web": 2.2, "ort-node": 0.65, "tfjs-wasm": 3.5 },
    wide: { "ort-web": 2.5, "ort-node": 1 },
  },
  {
    title: "training step",
    kind: "train",
    has: () => true,
    targets: { "tfjs-wasm": 20 },
    medians: { "tfjs-wasm": 25 },
  },
];

/** Milliseconds of a tfjs call that are worth waiting for, and above which it gets fewer rounds. */
const MOST = { inference: 4000, training: 6000 };
const SLOW = { above: 1000, rounds: 3 };

const nameFor = (kind, shape) => `${kind} ${nameOf(shape)}`;

export function gridSections(now) {
  const effort = { warmUp: 120, turn: 10, rounds: 5, budget: 400, most: 21, now };
  const section = (title, kind, what, list, peers, takesTfjs) => ({
    title,
    columns: ["", "unreel", ...peers.flatMap((peer) => [peer, "x"]), "differ"],
    rows: list.map((shape) => ({
      name: nameFor(kind, shape),
      cost: leastCost(what, shape, takesTfjs(shape)),
      async measure(chunk) {
        const leaveOut = async ({ title, [what]: make }) => {
          if (title !== "tfjs-wasm") return undefined;
          if (!takesTfjs(shape)) return "-";
          const estimate = await estimateCall(make, shape, MOST[what]);
          return estimate > MOST[what] ? `skipped (${Math.round(estimate / 1000)} s)` : undefined;
        };
        const slow = (title) => (title === "tfjs-wasm" ? SLOW : undefined);
        return { shape, ...(await measureShape(what, shape, effort, chunk, { leaveOut, slow })) };
      },
    })),
    lines: (name, found) => [
      [
        name,
        figures(found.times.unreel),
        ...peers.flatMap((peer) => {
          const ms = found.times[peer];
          return ms === undefined
            ? [found.cannot[peer].replace(/^cannot.*/, "cannot"), ""]
            : [figures(ms), figures(ms / found.times.unreel)];
        }),
        Object.keys(found.times).length > 1 ? found.differ.toExponential(0) : "-",
      ],
      ...remarks(found).map((remark) => [remark]),
    ],
  });
  return [
    section(
      "Inference, ms",
      "predict",
      "inference",
      inference,
      ["ort-web", "ort-node", "tfjs-wasm"],
      // Its GRU is the older one: not the same work.
      ({ cell, inputs, units }) => inputs === units && cell !== "gru",
    ),
    section("Training step (adam), ms", "train", "training", training, ["tfjs-wasm"], () => true),
  ];
}

/** Milliseconds of a check, a warm-up and one round, roughly: for the parts of a run. */
function leastCost(what, { cell, batch, steps, inputs, units }, withTfjs) {
  const forward = 2 * batch * steps * gatesOf[cell] * units * (inputs + units);
  const training = what === "training";
  const gflop = (training ? 3 * forward : forward) / 1e9;
  const fast = gflop * (training ? 60 : 180);
  const tfjs = Math.min(MOST[what], gflop * (training ? 700 : 200) + steps * (training ? 3 : 0.3));
  return (training ? 5 : 3) * (fast + (withTfjs ? tfjs : 0)) + 1000;
}

/**
 * Milliseconds of a call, from two short ones: it grows with the steps, in training also with their square. Given up as soon as it is
 * sure to be above `most`.
 */
async function estimateCall(make, shape, most) {
  const lengths = [2, 4].map((parts) => Math.max(1, Math.round((parts * shape.steps) / 20)));
  const times = [];
  for (const steps of lengths) {
    const short = { ...shape, steps };
    const { run, end } = await makeJob(make, short, drawModel(short));
    if (!run) return 0;
    let least = Number.POSITIVE_INFINITY;
    for (let call = 0; call < 2; call++) {
      const from = performance.now();
      await run();
      least = Math.min(least, performance.now() - from);
    }
    end?.();
    times.push(least);
    if ((least * shape.steps) / steps > 2 * most) return (least * shape.steps) / steps;
  }
  const [[a, b], [m, n]] = [times, lengths];
  const square = Math.max(0, (b / n - a / m) / (n - m));
  const linear = Math.max(0, a / m - square * m);
  return linear * shape.steps + square * shape.steps ** 2;
}

/** The classes with their targets, then every shape, from the file of a run. */
export function printGrid(path) {
  const { wide } = settingIn(path);
  const rows = [...finished(path)].map(([name, found]) => ({ name, ...found }));
  const ratios = (list, peer) =>
    list
      .filter(({ times }) => times[peer] !== undefined)
      .map(({ name, times }) => ({ name, ratio: times[peer] / times.unreel }))
      .sort((a, b) => a.ratio - b.ratio);
  printMarkdown("Targets", [
    ["class", "against", "target", "worst", "at", "median", "reach it"],
    ...CLASSES.flatMap(({ title, kind, has, targets, wide: whenWide = {}, medians = {} }) =>
      Object.entries({ ...targets, ...(wide ? whenWide : {}) }).flatMap(([peer, target]) => {
        const own = rows.filter(({ name, shape }) => name.startsWith(kind) && has(shape));
        const list = ratios(own, peer);
        if (list.length === 0) return [];
        const reach = list.filter(({ ratio }) => ratio >= target).length;
        const skipped = own.filter(({ cannot }) => cannot[peer]?.startsWith("skipped")).length;
        const asked = medians[peer] ? `, median ${medians[peer]}` : "";
        return [
          [
            title,
            peer,
            `${target}${asked}`,
            figures(list[0].ratio),
            list[0].name.replace(`${kind} `, ""),
            figures(median(list.map(({ ratio }) => ratio))),
            `${reach} of ${list.length} (${((100 * reach) / list.length).toFixed(0)} %)${skipped ? `, ${skipped} skipped` : ""}`,
          ],
        ];
      }),
    ),
  ]);
  const pairs = SIZES.flatMap((inputs) => SIZES.map((units) => ({ inputs, units })));
  const squares = SIZES.map((size) => ({ inputs: size, units: size }));
  for (const peer of ["ort-web", "ort-node"]) printShapes(rows, "predict", peer, inference, pairs);
  printShapes(rows, "predict", "tfjs-wasm", inference, squares);
  printShapes(rows, "train", "tfjs-wasm", training, squares);
  for (const row of rows) for (const remark of remarks(row)) console.log(`${row.name}: ${remark.trim()}`);
}

/** A row for each cell, batch and length, a column for each (I, H): the peer's time over ours. */
function printShapes(rows, kind, peer, shapes, pairs) {
  const byName = new Map(rows.map((row) => [row.name, row]));
  const groups = new Map(shapes.map((shape) => [groupOf(shape), shape]));
  const entry = ({ times, cannot } = { times: {}, cannot: {} }) => {
    if (times[peer] !== undefined) return figures(times[peer] / times.unreel);
    return cannot[peer]?.startsWith("skipped") ? cannot[peer] : "";
  };
  const lines = [...groups]
    .map(([group, shape]) => [
      group,
      ...pairs.map((pair) => entry(byName.get(nameFor(kind, { ...shape, ...pair })))),
    ])
    .filter(([, ...cells]) => cells.some(Boolean));
  if (lines.length === 0) return;
  const columns = pairs.map(({ inputs, units }) => `${inputs},${units}`);
  printMarkdown(`${kind}: time of ${peer} over ours; columns: I,H`, [["", ...columns], ...lines]);
}

const groupOf = ({ cell, batch, steps }) => `${cell} B${batch} T${steps}`;

function printMarkdown(title, [head, ...lines]) {
  console.log(`\n${title}\n`);
  console.log(`| ${head.join(" | ")} |`);
  console.log(
    `| --- |${head
      .slice(1)
      .map(() => " --- |")
      .join("")}`,
  );
  for (const line of lines) console.log(`| ${line.join(" | ")} |`);
}
