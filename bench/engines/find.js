// Finds the engines: named by --engine KIND=PATH or a variable (NODE, DENO, BUN, CHROMIUM, FIREFOX), else installed beside this file,
// else on the PATH. Which is which is told by asking for the version.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Lines } from "../lines.js";

const worker = fileURLToPath(new URL("worker.js", import.meta.url));
const beside = fileURLToPath(new URL("node_modules/.bin", import.meta.url));

/** `relaxed`: what lets an engine take relaxed SIMD that does not do so by itself. */
const kinds = {
  node: { title: "Node", files: ["node"], relaxed: ["--experimental-wasm-relaxed-simd"] },
  deno: { title: "Deno", files: ["deno"], before: ["run", "--allow-all"] },
  bun: { title: "Bun", files: ["bun"], relaxedVariable: "BUN_JSC_useWasmRelaxedSIMD" },
  chromium: { title: "Chromium", files: ["chromium", "chromium-browser", "google-chrome"] },
  firefox: {
    title: "Firefox",
    files: ["firefox-esr", "firefox"],
    relaxed: ["javascript.options.wasm_relaxed_simd"],
  },
};

/** { name, version, canBeRelaxed, open(relaxed) } each; what is not there is said. */
export function findEngines(named) {
  const found = [];
  for (const [kind, { title, files }] of Object.entries(kinds)) {
    const wanted = named
      .filter((each) => each.startsWith(`${kind}=`))
      .map((each) => each.slice(kind.length + 1));
    const variable = process.env[kind.toUpperCase()];
    const paths = [...wanted, ...(variable ? [variable] : [])];
    if (kind === "node") paths.push(process.execPath, join(beside, "node"));
    else if (paths.length === 0) paths.push(...lookUp(files).slice(0, 1));
    const engines = paths.filter(existsSync).map((path) => describe(kind, path));
    if (engines.length === 0)
      console.log(`${title}: not found (${kind.toUpperCase()} or --engine ${kind}=PATH)`);
    for (const engine of engines) if (!found.some(({ name }) => name === engine.name)) found.push(engine);
  }
  return found;
}

function lookUp(files) {
  const folders = [beside, ...(process.env.PATH ?? "").split(delimiter)];
  return folders.flatMap((folder) => files.map((file) => join(folder, file))).filter(existsSync);
}

function describe(kind, path) {
  const { title, before = [], relaxed, relaxedVariable } = kinds[kind];
  const said = execFileSync(path, ["--version"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  const version = said.match(/\d+(\.\d+)+/)[0];
  return {
    name: `${title} ${version.split(".")[0]}`,
    version,
    canBeRelaxed: Boolean(relaxed || relaxedVariable),
    async open(asRelaxed) {
      const flags = asRelaxed && relaxed ? relaxed : [];
      if (kind === "chromium" || kind === "firefox") {
        const { openBrowser } = await import("./browsers.js");
        return openBrowser(kind, path, flags);
      }
      const env = { ...process.env, ...(asRelaxed && relaxedVariable ? { [relaxedVariable]: "1" } : {}) };
      return new Lines(path, [...flags, ...before, worker], { env });
    },
  };
}
