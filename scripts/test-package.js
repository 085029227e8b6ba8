// `npm run test:package`: the package as npm and JSR would get it, looked at by publint, are-the-types-wrong and Deno, and what a page
// downloads of it (tests/packaging/budgets.js).
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import resolve from "@rollup/plugin-node-resolve";
import { rollup } from "rollup";
import { minify } from "terser";
import { findEngines } from "../engines/find.js";
import { budgets } from "../tests/packaging/budgets.js";
import { installBeside } from "./install.js";
import { folder as jsr, makeJsr } from "./jsr.js";
import { npm } from "./npm.js";
import { pack } from "./pack.js";

const root = fileURLToPath(new URL("../", import.meta.url));
const beside = new URL("../tests/packaging/package.json", import.meta.url).href;
installBeside(beside, "publint and are-the-types-wrong into tests/packaging/");
const tools = join(root, "tests/packaging/node_modules");

const folder = mkdtempSync(join(tmpdir(), "unreel-package-"));
const { tarball, size } = pack(folder);
let [passed, failed] = [0, 0];

function check(name, fine, said) {
  if (fine) passed++;
  else failed++;
  console.log(`${name}: ${fine ? "passed" : `FAILED\n${said}`}`);
}

function tool(name, args) {
  const { status, stdout, stderr } = spawnSync(join(tools, ".bin", name), args, { encoding: "utf8" });
  check(name, status === 0, `${stdout}${stderr}`);
}

tool("publint", ["run", tarball]);
const wasm = ["simd", "relaxed", "wide"].map((kind) => `./kernels.${kind}.wasm`);
tool("attw", [tarball, "--profile", "esm-only", "--exclude-entrypoints", ...wasm]);

makeJsr();
const deno = findEngines().found.find(({ kind }) => kind === "deno");
if (deno) {
  const { status, stdout, stderr } = spawnSync(deno.path, ["publish", "--dry-run", "--allow-dirty"], {
    cwd: jsr,
    encoding: "utf8",
  });
  check("deno publish --dry-run", status === 0 && !/slow-types/.test(stderr), `${stdout}${stderr}`);
} else check("deno publish --dry-run", false, "Deno was not found.");

const project = join(folder, "project");
mkdirSync(project);
writeFileSync(join(project, "package.json"), '{ "private": true, "type": "module" }');
npm(["install", "--no-audit", "--no-fund", "--no-package-lock", tarball], {
  cwd: project,
  stdio: ["ignore", "ignore", "inherit"],
});

/** KB of the modules that are loaded at once, and with those that its calls load: as Rollup cuts and terser shortens them. */
async function sizes(code, calls = []) {
  const entry = join(project, "entry.js");
  writeFileSync(entry, code);
  const bundle = await rollup({ input: entry, plugins: [resolve({ browser: true })], onwarn() {} });
  const { output } = await bundle.generate({ format: "es" });
  const atOnce = new Set();
  const follow = (file) => {
    const chunk = output.find(({ fileName }) => fileName === file);
    if (!chunk || atOnce.has(chunk)) return;
    atOnce.add(chunk);
    chunk.imports.forEach(follow);
  };
  follow(output.find(({ isEntry }) => isEntry).fileName);
  const sum = async (chunks) => {
    const small = await Promise.all(
      [...chunks].map((chunk) => minify(chunk.code, { module: true, compress: { passes: 2 } })),
    );
    return small.reduce((total, each) => total + gzipSync(each.code, { level: 9 }).length, 0) / 1024;
  };
  const now = await sum(atOnce);
  const isCalled = (chunk) =>
    Object.keys(chunk.modules).some((path) => calls.some((called) => path.includes(`/${called}`)));
  for (const { fileName } of output.filter((chunk) => chunk.type === "chunk" && isCalled(chunk)))
    follow(fileName);
  return { now, called: await sum(atOnce) };
}

const rows = [];
for (const { name, code, calls, wanted, limit, limitCalled } of budgets) {
  const { now, called } = await sizes(code, calls);
  check(
    `size of ${name}`,
    now <= limit && called <= limitCalled,
    `${now.toFixed(1)} KB, at most ${limit}; ${called.toFixed(1)}, at most ${limitCalled}`,
  );
  rows.push(`| ${name} | ${now.toFixed(1)} | ${wanted} | ${called.toFixed(1)} |`);
}
console.log(
  "\n| a page that imports | KB gzipped at once | wanted | with what its calls load |\n| --- | --: | --: | --: |",
);
console.log(rows.join("\n"));

console.log(`\nthe package: ${(size / 1024).toFixed(0)} KB packed\n\n${passed} passed, ${failed} failed`);
rmSync(folder, { recursive: true, force: true });
process.exitCode = failed === 0 ? 0 : 1;
