// Runs all tests: the kernels' own (as-pect), then the host's (uvu), and ends with their sum.
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

process.chdir(new URL("..", import.meta.url).pathname);

/** Runs a test command, shows what it prints, and returns it without colours. */
function run(command, args) {
  const { stdout, stderr, status } = spawnSync(join("node_modules", ".bin", command), args, {
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with an escape character
  const text = `${stdout}${stderr}`.replace(/\u001b\[[0-9;]*m/g, "");
  process.stdout.write(text);
  return { text, failed: status !== 0 };
}

function number(text, pattern) {
  const found = [...text.matchAll(pattern)].at(-1);
  return found ? Number(found[1]) : undefined;
}

let passed = 0;
let failed = 0;

const kernels = run("asp", ["--summary"]);
const [, kernelPassed = 0, kernelTotal = 0] = (/\[Tests\]:\s+(\d+) \/ (\d+)/.exec(kernels.text) ?? []).map(
  Number,
);
passed += kernelPassed;
failed += kernelTotal - kernelPassed;
// A run that broke off, or ran nothing, has failed whatever it counted.
if (kernelTotal === 0 || (kernels.failed && kernelTotal === kernelPassed)) failed++;

const host = run("uvu", ["build/tests", "\\.test\\.js$"]);
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
