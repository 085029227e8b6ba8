// `npm run test:package`: the package as npm and JSR would get it, looked at by publint, are-the-types-wrong and Deno, and what a page
// downloads of it (tests/packaging/budgets.js).
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { findEngines } from "../engines/find.js";
import { budgets } from "../tests/packaging/budgets.js";
import { installBeside } from "./install.js";
import { folder as jsr, makeJsr } from "./jsr.js";
import { pack } from "./pack.js";

const root = fileURLToPath(new URL("../", import.meta.url));
const beside = new URL("../tests/packaging/package.json", import.meta.url).href;
installBeside(beside, "publint, are-the-types-wrong and esbuild into tests/packaging/", { scripts: true });
const tools = join(root, "tests/packaging/node_modules");
const { build } = await import(join(tools, "esbuild/lib/main.js"));

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
execFileSync("npm", ["install", "--no-audit", "--no-fund", "--no-package-lock", tarball], {
  cwd: project,
  stdio: ["ignore", "ignore", "inherit"],
});

/** KB of the modules that are loaded at once, and of all that might be, HDF5's library aside. */
async function sizes(code) {
  const { outputFiles, metafile } = await build({
    stdin: { contents: code, resolveDir: project },
    bundle: true,
    format: "esm",
    splitting: true,
    minify: true,
    metafile: true,
    write: false,
    outdir: "out",
    absWorkingDir: project,
  });
  const bytes = new Map(
    outputFiles.map(({ path, contents }) => [
      path.slice(project.length + 1),
      gzipSync(contents, { level: 9 }).length,
    ]),
  );
  const atOnce = new Set();
  const follow = (file) => {
    if (atOnce.has(file)) return;
    atOnce.add(file);
    for (const { path, kind } of metafile.outputs[file].imports)
      if (kind === "import-statement" && metafile.outputs[path]) follow(path);
  };
  follow(Object.keys(metafile.outputs).find((file) => metafile.outputs[file].entryPoint === "<stdin>"));
  const later = Object.keys(metafile.outputs).filter(
    (file) =>
      !atOnce.has(file) &&
      !Object.keys(metafile.outputs[file].inputs).some((path) => path.includes("h5wasm/")),
  );
  const sum = (files) => [...files].reduce((total, file) => total + bytes.get(file), 0) / 1024;
  return { now: sum(atOnce), later: sum(later) };
}

const rows = [];
for (const { name, code, wanted, limit } of budgets) {
  const { now, later } = await sizes(code);
  check(`size of ${name}`, now <= limit, `${now.toFixed(1)} KB, at most ${limit}`);
  rows.push(`| ${name} | ${now.toFixed(1)} | ${wanted} | ${later.toFixed(1)} |`);
}
console.log(
  "\n| a page that imports | KB gzipped at once | wanted | more, where calls need it |\n| --- | --: | --: | --: |",
);
console.log(rows.join("\n"));

console.log(`\nthe package: ${(size / 1024).toFixed(0)} KB packed\n\n${passed} passed, ${failed} failed`);
rmSync(folder, { recursive: true, force: true });
process.exitCode = failed === 0 ? 0 : 1;
