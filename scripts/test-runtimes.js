// `npm run test:runtimes`: the tests of tests/portable.ts in Node 20, Node 24, Deno, Bun, Chromium and Firefox, in each on both builds of
// the kernels, and a table of what passed. An engine that is missing is a failure. Options: --engine KIND=PATH, --filter NAME (of an
// engine), --tests NAME (of a test file), --second NAME (of a test file: all that the second build runs), --jobs N (engines at a time),
// --without KIND (an engine that cannot be had here; the table tells).
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { bundle, openPage, serve } from "../engines/browsers.js";
import { commandFor, findEngines, isBrowser } from "../engines/find.js";

const { values } = parseArgs({
  options: {
    engine: { type: "string", multiple: true, default: [] },
    filter: { type: "string", default: "" },
    tests: { type: "string" },
    second: { type: "string" },
    jobs: { type: "string", default: "1" },
    without: { type: "string", multiple: true, default: [] },
  },
});
const root = new URL("../", import.meta.url);
const main = fileURLToPath(new URL("build/tests/portableMain.js", root));
const portable = fileURLToPath(new URL("build/tests/portable.js", root));
/** Milliseconds after which a run that has not ended has failed. */
const PATIENCE = 480_000;

/** What an engine printed. */
function runProcess(engine, { build, flagged, tests }) {
  const given = [...(build ? ["--build", build] : []), ...(tests ? ["--filter", tests] : [])];
  const { command, args, env } = commandFor(engine, main, { flagged, args: given });
  return new Promise((resolve) => {
    const child = spawn(command, args, { env, cwd: fileURLToPath(root), timeout: PATIENCE });
    let text = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8");
      stream.on("data", (data) => {
        text += data;
      });
    }
    child.on("close", () => resolve(text));
    child.on("error", (error) => resolve(`${text}\n${error}`));
  });
}

/** Only emitting modules needs a package of its own. */
const PAGE =
  '<!doctype html><title>tests</title><script type="importmap">{ "imports": { "binaryen": "/node_modules/binaryen/index.js" } }</script>';
let pageBundle;
async function runPage(engine, { build, flagged, tests }) {
  pageBundle ??= bundle(portable, "tests.js");
  const files = { "/": PAGE, ...(await pageBundle) };
  const server = await serve(files, { root });
  const { page, close } = await openPage(engine, server, { flagged });
  let text = "";
  page.on("console", (message) => {
    text += `${message.text()}\n`;
  });
  try {
    const ended = page.evaluate(
      async (options) => {
        const { run } = await import("/tests.js");
        await run(options);
      },
      { build, filter: tests },
    );
    await Promise.race([
      ended,
      new Promise((_, reject) => setTimeout(reject, PATIENCE, new Error("too long")).unref()),
    ]);
  } catch (error) {
    text += `\n${error}`;
  } finally {
    await close();
    server.close();
  }
  return text;
}

function read(text) {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with an escape character
  const plain = text.replace(/\u001b\[[0-9;]*m/g, "");
  const number = (pattern) => Number(pattern.exec(plain)?.[1] ?? Number.NaN);
  return {
    build: /build: (\w+)/.exec(plain)?.[1],
    total: number(/Total:\s+(\d+)/),
    passed: number(/Passed:\s+(\d+)/),
    skipped: number(/Skipped:\s+(\d+)/),
    plain,
  };
}

/** What failed, or how the run ended. */
function failures(plain) {
  const lines = plain
    .replaceAll("•", "")
    .split("\n")
    .filter((line) => line.trim() && !/^ +at /.test(line));
  const told = lines.flatMap((line, at) => (line.includes("FAIL ") ? lines.slice(at, at + 8) : []));
  return (told.length > 0 ? told : lines.slice(-30)).join("\n").slice(0, 20_000);
}

const { found, missing } = findEngines(values.engine, values.without);
for (const line of missing) console.log(line);
const engines = found.filter(({ name }) => name.includes(values.filter));
/** For each engine its runs. */
const runs = new Map(engines.map((engine) => [engine, []]));

/** What an engine takes by itself first; then the other build, by refusing relaxed SIMD or by the flag that some need. */
async function runEngine(engine) {
  const results = runs.get(engine);
  for (const [build, flagged] of [
    [undefined, false],
    ["simd", false],
    [undefined, true],
  ]) {
    if (build && results[0].build !== "relaxed") continue;
    if (flagged && (results.some((each) => each.build === "relaxed") || !engine.canBeRelaxed)) continue;
    const tests = results.length > 0 ? (values.second ?? values.tests) : values.tests;
    const start = performance.now();
    const result = read(await (isBrowser(engine) ? runPage : runProcess)(engine, { build, flagged, tests }));
    if (!(result.passed === result.total && result.total > 0)) {
      console.log(`\n${engine.name}:\n${failures(result.plain)}`);
    }
    const seconds = ((performance.now() - start) / 1000).toFixed(0);
    results.push({ engine, flagged, ...result });
    console.log(
      `${engine.name} ${result.build}${flagged ? " (flag)" : ""}: ${result.passed} of ${result.total}, ${result.skipped} skipped, ${seconds} s`,
    );
  }
}
const waiting = [...engines];
await Promise.all(
  Array.from({ length: Number(values.jobs) }, async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) await runEngine(next);
  }),
);
const rows = [...runs.values()].flat();

console.log("\n| runtime | build | tests | passed | skipped |\n| --- | --- | --: | --: | --: |");
for (const { engine, flagged, build, total, passed, skipped } of rows) {
  console.log(
    `| ${engine.name} (${engine.version}) | ${build}${flagged ? " *" : ""} | ${total} | ${passed} | ${skipped} |`,
  );
}
for (const kind of values.without) console.log(`| ${kind} | not to be had here | | | |`);
if (rows.some(({ flagged }) => flagged)) console.log("\n*: only with a flag of the engine");
const sum = (name) => rows.reduce((total, row) => total + (row[name] || 0), 0);
const broken = rows.filter(({ total }) => !(total > 0)).length;
const failed = sum("total") - sum("passed") + broken + missing.length;
console.log(`\n${sum("passed")} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
