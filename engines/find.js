// Finds the engines: named by KIND=PATH or a variable (NODE, DENO, BUN, CHROMIUM, FIREFOX), else installed beside this file, else on
// the PATH. Which is which is told by asking for the version.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { installBeside } from "../scripts/install.js";

const beside = fileURLToPath(new URL("node_modules/.bin", import.meta.url));

/** `relaxed`: what lets an engine take relaxed SIMD that does not do so by itself. */
export const kinds = {
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

/** Those that are there, { kind, name, version, path, canBeRelaxed } each; and the kinds that are not, but for those that nobody asks
 * for. Installs what npm has. */
export function findEngines(named = [], without = []) {
  installBeside(import.meta.url, "Deno, Bun, another Node and puppeteer-core into engines/", {
    scripts: true,
  });
  const [found, missing] = [[], []];
  for (const [kind, { title, files, relaxed, relaxedVariable }] of Object.entries(kinds)) {
    if (without.includes(kind)) continue;
    const wanted = named
      .filter((each) => each.startsWith(`${kind}=`))
      .map((each) => each.slice(kind.length + 1));
    const variable = process.env[kind.toUpperCase()];
    const paths = [...wanted, ...(variable ? [variable] : [])];
    if (kind === "node") paths.push(process.execPath, join(beside, "node"));
    else if (paths.length === 0) paths.push(...lookUp(files).slice(0, 1));
    const there = paths.filter(existsSync);
    if (there.length === 0) missing.push(`${title}: not found (${kind.toUpperCase()} or ${kind}=PATH)`);
    for (const path of there) {
      const version = versionOf(path);
      const name = `${title} ${version.split(".")[0]}`;
      const canBeRelaxed = Boolean(relaxed || relaxedVariable);
      if (!found.some((each) => each.name === name)) found.push({ kind, name, version, path, canBeRelaxed });
    }
  }
  return { found, missing };
}

export const isBrowser = ({ kind }) => kind === "chromium" || kind === "firefox";

/** How an engine that is no browser runs a module: { command, args, env }. `flagged`: with relaxed SIMD, where that needs a word. */
export function commandFor({ kind, path }, module, { flagged = false, args = [] } = {}) {
  const { before = [], relaxed = [], relaxedVariable } = kinds[kind];
  const env = flagged && relaxedVariable ? { ...process.env, [relaxedVariable]: "1" } : process.env;
  return { command: path, args: [...(flagged ? relaxed : []), ...before, module, ...args], env };
}

function lookUp(files) {
  const folders = [beside, ...(process.env.PATH ?? "").split(delimiter)];
  return folders.flatMap((folder) => files.map((file) => join(folder, file))).filter(existsSync);
}

function versionOf(path) {
  const said = execFileSync(path, ["--version"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  return said.match(/\d+(\.\d+)+/)[0];
}
