// Runs all tests: the kernels' own (as-pect) and the host's (uvu) side by side, and ends with their sum.
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

process.chdir(new URL("..", import.meta.url).pathname);

/** Runs a test command, shows what it has printed when it ends, and returns it without colours. */
async function run(command, args) {
  const child = spawn(join("node_modules", ".bin", command), args, { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8");
    stream.on("data", (some) => {
      said += some;
    });
  }
  const status = await new Promise((resolve, reject) => child.on("error", reject).on("close", resolve));
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with an escape character
  const text = said.replace(/\u001b\[[0-9;]*m/g, "");
  process.stdout.write(text);
  return { text, failed: status !== 0 };
}

function number(text, pattern) {
  const found = [...text.matchAll(pattern)].at(-1);
  return found ? Number(found[1]) : undefined;
}

let passed = 0;
let failed = 0;

const [kernels, host] = await Promise.all([
  run("asp", ["--summary"]),
  run("uvu", ["build/tests", "\\.test\\.js$"]),
]);
const [, kernelPassed = 0, kernelTotal = 0] = (/\[Tests\]:\s+(\d+) \/ (\d+)/.exec(kernels.text) ?? []).map(
  Number,
);
passed += kernelPassed;
failed += kernelTotal - kernelPassed;
// A run that broke off, or ran nothing, has failed whatever it counted.
if (kernelTotal === 0 || (kernels.failed && kernelTotal === kernelPassed)) failed++;

const total = number(host.text, /Total:\s+(\d+)/g);
const hostPassed = number(host.text, /Passed:\s+(\d+)/g) ?? 0;
const skipped = number(host.text, /Skipped:\s+(\d+)/g) ?? 0;
passed += hostPassed;
failed += total === undefined ? 1 : total - hostPassed;
if (host.failed && total === hostPassed) failed++;

/** Cases whose numbers others have computed: how many by which library. */
const golden = { keras: 0, torch: 0 };
for (const file of readdirSync("tests/golden").filter((name) => name.endsWith(".json"))) {
  const lists = Object.values(JSON.parse(readFileSync(join("tests/golden", file), "utf8")));
  golden[file.split("_")[0]] += lists.filter(Array.isArray).reduce((sum, list) => sum + list.length, 0);
}
console.log(`\ngolden cases: ${golden.keras} of Keras 3, ${golden.torch} of PyTorch`);

console.log(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
process.exitCode = failed === 0 ? 0 : 1;
