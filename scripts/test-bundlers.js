// `npm run test:bundlers`: what npm pack makes, installed into fresh projects of bundlers (tests/bundlers/fixtures.js), built, and run in
// Chromium and Firefox; the same script, byte for byte, in Node, Deno and Bun; and in places that lack something (environments.js).
// Options: --only NAME, --keep, --without KIND (an engine that cannot be had here).
import { spawnSync } from "node:child_process";
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { openPage, serve } from "../engines/browsers.js";
import { commandFor, findEngines, isBrowser } from "../engines/find.js";
import { flags, pages } from "../tests/bundlers/environments.js";
import { fixtures } from "../tests/bundlers/fixtures.js";
import { npm } from "./npm.js";
import { pack } from "./pack.js";

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    keep: { type: "boolean", default: false },
    without: { type: "string", multiple: true, default: [] },
  },
});
const root = fileURLToPath(new URL("../", import.meta.url));
const app = join(root, "tests/bundlers/app.js");
/** Milliseconds for a page to train its model. */
const PATIENCE = 60_000;

const { found, missing } = findEngines([], values.without);
for (const line of missing) console.log(line);
const folder = mkdtempSync(join(tmpdir(), "unreel-bundlers-"));
const { tarball, size } = pack(folder);
console.log(`the package: ${(size / 1024).toFixed(0)} KB`);

/** A project beside nothing of ours: the packed package and what the bundler is. */
function install(name, { packages = [], files = {} }) {
  const project = join(folder, name);
  mkdirSync(project, { recursive: true });
  writeFileSync(join(project, "package.json"), JSON.stringify({ name, private: true, type: "module" }));
  copyFileSync(app, join(project, "app.js"));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(project, path)), { recursive: true });
    writeFileSync(join(project, path), text);
  }
  const options = { cwd: project, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] };
  npm(["install", "--no-audit", "--no-fund", tarball, ...packages], options);
  return project;
}

function build(project, { command, page, copies, env = {} }) {
  const out = join(project, "out");
  if (command) {
    const [program, ...args] = command;
    const { status, stdout, stderr } = spawnSync(program, args, {
      cwd: project,
      encoding: "utf8",
      env: { ...process.env, ...env },
    });
    if (status !== 0) throw new Error(`${command.join(" ")}: ${stdout}${stderr}`.slice(-3000));
  }
  mkdirSync(out, { recursive: true });
  if (copies) {
    copyFileSync(app, join(out, "app.js"));
    cpSync(join(project, "node_modules/unreel"), join(out, "node_modules/unreel"), { recursive: true });
  }
  if (page) writeFileSync(join(out, "index.html"), page);
  return pathToFileURL(`${out}/`);
}

const hasSpoken = (text) => /^unreel /m.test(text);

/** What was said on a page until it is `enough`. */
async function runPage(engine, out, { headers = {}, served = {}, enough = hasSpoken }) {
  const server = await serve(served, { root: out, headers });
  const { page, close } = await openPage(engine, server, { at: "/none" });
  try {
    return await new Promise((resolve, reject) => {
      const heard = [];
      page.on("console", (message) => {
        heard.push(message.text());
        if (enough(heard.join("\n"))) resolve(heard.join("\n"));
      });
      page.on("pageerror", (error) => heard.push(String(error)));
      setTimeout(() => reject(new Error(`nothing was said in time; ${heard.join(" | ")}`)), PATIENCE).unref();
      page.goto(`http://127.0.0.1:${server.address().port}/index.html`).catch(reject);
    });
  } finally {
    await close();
    server.close();
  }
}

const rows = [];
function report(name, where, said) {
  const result = /^unreel (\{.*\})$/m.exec(said)?.[1];
  const { accuracy, predicted, build: kernels } = result ? JSON.parse(result) : {};
  count(name, where, accuracy === 1 && predicted > 0.9, said, kernels);
}

/** In a place that lacks something: what it says, or that it does without. */
function reportAnswer(name, where, said, expects) {
  count(
    name,
    where,
    expects.every((each) => each.test(said)),
    said,
  );
}

function count(name, where, passed, said, kernels) {
  rows.push({ name, where, passed, kernels });
  const how = kernels ? ` (${kernels})` : "";
  console.log(`${name}, ${where}: ${passed ? `passed${how}` : `FAILED: ${said.slice(0, 2000)}`}`);
}

for (const [name, fixture] of Object.entries(fixtures)) {
  if (values.only && values.only !== name) continue;
  try {
    const out = build(install(name, fixture), fixture);
    for (const engine of found.filter(isBrowser)) {
      report(name, engine.name, await runPage(engine, out, fixture).catch(String));
    }
  } catch (error) {
    report(name, "build", String(error));
  }
}
if (!values.only || values.only === "plain") {
  const project = install("plain", {});
  for (const engine of found.filter((each) => !isBrowser(each))) {
    const { command, args, env } = commandFor(engine, join(project, "app.js"));
    const { stdout, stderr } = spawnSync(command, args, { cwd: project, env, encoding: "utf8" });
    report("app.js", engine.name, `${stdout}\n${stderr}`);
  }
}

if (!values.only || values.only === "environments") {
  const project = install("environments", { packages: ["esbuild"] });
  const out = build(project, {
    command: ["npx", "esbuild", "app.js", "--bundle", "--format=iife", "--outfile=bundle.js"],
  });
  for (const [name, { page, headers, files, expects }] of Object.entries(pages)) {
    const enough = (text) => expects.every((each) => each.test(text));
    for (const engine of found.filter(isBrowser)) {
      const served = { "/index.html": page, ...files };
      const said = await runPage(engine, new URL("../", out), { headers, served, enough }).catch(String);
      reportAnswer(name, engine.name, said, expects);
    }
  }
  for (const [name, { flag, expects }] of Object.entries(flags)) {
    for (const engine of found.filter(({ kind }) => kind === "node")) {
      const { stdout } = spawnSync(engine.path, [flag, "app.js"], { cwd: project, encoding: "utf8" });
      reportAnswer(name, engine.name, stdout, expects);
    }
  }
}

console.log("\n| project | where | result | kernels |\n| --- | --- | --- | --- |");
for (const { name, where, passed, kernels } of rows) {
  console.log(`| ${name} | ${where} | ${passed ? "passed" : "FAILED"} | ${kernels ?? ""} |`);
}
const failed = rows.filter(({ passed }) => !passed).length + missing.length;
console.log(`\n${rows.length - rows.filter(({ passed }) => !passed).length} passed, ${failed} failed`);
if (!values.keep) rmSync(folder, { recursive: true, force: true });
process.exitCode = failed === 0 ? 0 : 1;
