// `npm run test:runtimes`: the tests of tests/portable.ts in Node 20, Node 24, Deno, Bun, Chromium and Firefox, in each on both builds of
// the kernels, and a table of what passed. An engine that is missing is a failure. Options: --engine KIND=PATH, --filter NAME (of an
// engine), --tests NAME (of a test file).
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
  },
});
const root = new URL("../", import.meta.url);
const main = fileURLToPath(new URL("build/tests/portableMain.js", root));
const portable = fileURLToPath(new URL("build/tests/portable.js", root));
/** Milliseconds after which a run that has not ended has failed. */
const PATIENCE = 900_000;

/** What an engine printed. */
function runProcess(engine, build, flagged) {
  const given = [...(build ? ["--build", build] : []), ...(values.tests ? ["--filter", values.tests] : [])];
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
async function runPage(engine, build, flagged) {
  pageBundle ??= await bundle(portable, "tests.js");
  const files = { "/": PAGE, ...pageBundle };
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
      { build, filter: values.tests },
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
    plain,
  };
}

const { found, missing } = findEngines(values.engine);
for (const line of missing) console.log(line);
const rows = [];
for (const engine of found.filter(({ name }) => name.includes(values.filter))) {
  const run = isBrowser(engine) ? runPage : runProcess;
  const results = [];
  for (const [build, flagged] of [
    [undefined, false],
    ["simd", false],
    [undefined, true],
  ]) {
    // What an engine takes by itself first; the other build by refusing relaxed SIMD, or by the flag that some need.
    if (build && results[0].build !== "relaxed") continue;
    if (flagged && (results.some((each) => each.build === "relaxed") || !engine.canBeRelaxed)) continue;
    const start = performance.now();
    const result = read(await run(engine, build, flagged));
    if (!(result.passed === result.total && result.total > 0)) {
      console.log(`\n${engine.name}:\n${result.plain.replaceAll("•", "").slice(-6000)}`);
    }
    const seconds = ((performance.now() - start) / 1000).toFixed(0);
    results.push(result);
    rows.push({ engine, flagged, seconds, ...result });
    console.log(
      `${engine.name} ${result.build}${flagged ? " (flag)" : ""}: ${result.passed} of ${result.total}, ${seconds} s`,
    );
  }
}

console.log("\n| runtime | build | tests | passed |\n| --- | --- | --: | --: |");
for (const { engine, flagged, build, total, passed } of rows) {
  console.log(
    `| ${engine.name} (${engine.version}) | ${build}${flagged ? " *" : ""} | ${total} | ${passed} |`,
  );
}
if (rows.some(({ flagged }) => flagged)) console.log("\n*: only with a flag of the engine");
const sum = (name) => rows.reduce((total, row) => total + (row[name] || 0), 0);
const broken = rows.filter(({ total }) => !(total > 0)).length;
const failed = sum("total") - sum("passed") + broken + missing.length;
console.log(`\n${sum("passed")} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
