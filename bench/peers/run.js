// `npm run bench:peers`: unreel against its peers, same work, same process, one thread each. Options: --help.
// The peers are installed here, on first use, and nowhere else. Frameworks in Python: frameworks.js.
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { clocks } from "../../build/bench/measure.js";
import { OPTIONS_HELP, options, printSetting, report, run, settingIn } from "../../build/bench/sections.js";
import { settingOf } from "../../build/bench/setting.js";
import { installBeside } from "../../scripts/install.js";

const HELP = `npm run bench:peers -- [options]
  --full           all shapes and more rounds; the default is a selection
  --grid           instead: inference over cells, B, T, I and H, and training steps against tfjs; --report says how many of the
                   shapes reach their targets
  --clock cpu      processor time of this process instead of time on the wall: for a machine that is busy
  --build NAME     unreel's kernels: simd or relaxed; the default is what a user of this Node gets
  --wide           configure({ wide: true })
  --threads N      for unreel and onnxruntime-node; tfjs and onnxruntime-web have one in Node
${OPTIONS_HELP}, as in "train lstm", "B1 ", gemm`;

const { values } = parseArgs({
  options: {
    ...options,
    full: { type: "boolean", default: false },
    grid: { type: "boolean", default: false },
    clock: { type: "string", default: "wall" },
    build: { type: "string" },
    wide: { type: "boolean", default: false },
    threads: { type: "string", default: "1" },
  },
});

if (values.help) console.log(HELP);
else await main();

async function main() {
  const { full, clock, build, wide } = values;
  const threads = Number(values.threads);
  if (!clocks[clock]) throw new Error(`--clock: wall or cpu, got ${clock}`);
  if (![undefined, "simd", "relaxed"].includes(build)) {
    throw new Error(`--build: simd or relaxed, got ${build}`);
  }
  if (!(Number.isInteger(threads) && threads > 0))
    throw new Error(`--threads: a number, got ${values.threads}`);
  if (threads > 1 && clock === "cpu") throw new Error("--threads: only on the clock of the wall");
  installBeside(import.meta.url, "the peers into bench/peers/node_modules, about a minute and 760 MB");
  if (build === "relaxed") setFlagsFromString("--experimental-wasm-relaxed-simd");
  const { compareSections } = await import("./compare.js");
  const { gridSections, printGrid } = await import("./grid.js");
  const { start } = await import("./contenders.js");
  const now = clocks[clock];
  const sections = values.grid ? gridSections(now) : compareSections({ full, now });
  if (values.report) {
    if (!values.grid) return report(sections, values.report);
    printSetting(settingIn(values.report));
    return printGrid(values.report);
  }
  const setting = settingOf({ ...(await start({ build, wide, threads })), threads, wide, clock });
  console.log("x: the peer's time over ours; above 1 unreel is faster.");
  await run(sections, values, setting);
}
