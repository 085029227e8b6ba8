// npm itself. Under `npm run` the PATH begins with node_modules/.bin, where packages may have put another npm.
import { execFileSync } from "node:child_process";

/** Runs npm with such arguments; what execFileSync gives. */
export function npm(args, options) {
  const { npm_execpath: path } = process.env;
  if (path?.endsWith(".js")) return execFileSync(process.execPath, [path, ...args], options);
  const windows = process.platform === "win32";
  return execFileSync(windows ? "npm.cmd" : "npm", args, { ...options, shell: windows });
}
