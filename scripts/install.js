// Installs what a part of the benches needs into that part's own node_modules, on first use; never into the project's. The versions are
// those that its package.json names: a lock file would list the packages of other systems, which not every registry mirrors.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { npm } from "./npm.js";

/** `here`: import.meta.url of a file beside the part's package.json. `what` is said before. */
export function installBeside(here, what, { scripts = false } = {}) {
  const folder = fileURLToPath(new URL(".", here));
  if (existsSync(`${folder}node_modules`)) return;
  console.log(`Installing ${what}: once.`);
  const options = ["--no-package-lock", "--no-audit", "--no-fund", ...(scripts ? [] : ["--ignore-scripts"])];
  npm(["install", ...options], { cwd: folder, stdio: "inherit" });
}
