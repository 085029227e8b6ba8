// Runs all tests: the kernels' own (as-pect), then the host's (uvu), and ends with their sum.
import { spawnSync } from "node:child_process";
import { join } from "node:path";

process.chdir(new URL("..", import.meta.url).pathname);

/** Runs a test command, shows what it prints, and returns it without colours. */
function run(command, args) {
  const { stdout, stderr, status } = spawnSync(join("node_modules", ".bin", command), args, {
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  const output = `${stdout}${stderr}`;
  process.stdout.write(output);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with an escape character
  return { text: output.replace(/\u001b\[[0-9;]*m/g, ""), failed: status !== 0 };
}

function number(text, pattern) {
  const found = [...text.matchAll(pattern)].at(-1);
  return found ? Number(found[1]) : undefined;
}

let passed = 0;
let failed = 0;

const kernels = run("asp", ["--summary"]);
const kernelPassed = number(kernels.text, /(\d+) pass/g) ?? 0;
const kernelFailed = number(kernels.text, /(\d+) fail/g) ?? 0;
passed += kernelPassed;
failed += kernelFailed;
// A run that broke off, or ran nothing, has failed whatever it counted.
if (kernelPassed === 0 || (kernels.failed && kernelFailed === 0)) failed++;

const host = run("uvu", ["build/tests", "\\.test\\.js$"]);
const total = number(host.text, /Total:\s+(\d+)/g);
const hostPassed = number(host.text, /Passed:\s+(\d+)/g) ?? 0;
const skipped = number(host.text, /Skipped:\s+(\d+)/g) ?? 0;
passed += hostPassed;
failed += total === undefined ? 1 : total - hostPassed;
if (host.failed && total === hostPassed) failed++;

console.log(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
process.exitCode = failed === 0 ? 0 : 1;
