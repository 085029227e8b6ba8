// `npm run bench:peers`: unreel against its peers, same work, same process, one thread each. Options: --help.
// The peers are installed here, on first use, and nowhere else; compare.js does the rest.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
if (!existsSync(`${here}node_modules`)) {
  console.log("Installing the peers into bench/peers/node_modules: once, about a minute and 760 MB.");
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  execFileSync(npm, ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], {
    cwd: here,
    stdio: "inherit",
    shell: process.platform === "win32",
  });
}
const { main } = await import("./compare.js");
await main();
