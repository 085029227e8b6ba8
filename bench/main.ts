// `npm run bench`: how fast the kernels, inference and training are, without any peer. Options: --help. Peers: peers/run.js.
import { cpus, loadavg } from "node:os";
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { configure, engineInfo } from "../src/wasm/engine.js";
import { kernelBytes } from "../src/wasm/kernels.js";
import { benchKernels } from "./kernels.js";
import { clocks, FULL, QUICK } from "./measure.js";
import { benchInference, benchTraining, profileTraining, warmUp } from "./models.js";

const HELP = `npm run bench -- [options]
  --quick          shorter, noisier
  --filter NAME    only rows whose name contains NAME, as in gemmNN, backward, predict, "train lstm"
  --clock cpu      processor time of this process instead of time on the wall: for a machine that is busy
  --build NAME     simd or relaxed; the default is what a user of this Node gets
  --profile        where the time of a training step goes, instead of everything else`;

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    filter: { type: "string", default: "" },
    build: { type: "string" },
    clock: { type: "string", default: "wall" },
    profile: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

if (values.help) {
  console.log(HELP);
} else {
  chooseBuild(values.build);
  const { build } = await engineInfo();
  const cores = cpus();
  console.log(
    `unreel, ${build} build, one thread. Node ${process.versions.node} (V8 ${process.versions.v8}).`,
  );
  console.log(
    `${cores[0].model}, ${cores.length} cores, load ${loadavg()[0].toFixed(1)}, ${values.clock} clock.`,
  );
  if (values.clock !== "wall" && values.clock !== "cpu")
    throw new Error(`--clock: wall or cpu, got ${values.clock}`);
  const effort = { ...(values.quick ? QUICK : FULL), now: clocks[values.clock] };
  const filter = values.filter.toLowerCase();
  const setting = { build, effort, wanted: (name: string) => name.toLowerCase().includes(filter) };
  await warmUp();
  if (values.profile) {
    await profileTraining(setting);
  } else {
    await benchKernels(setting);
    await benchInference(setting);
    await benchTraining(setting);
  }
}

function chooseBuild(wanted: string | undefined): void {
  if (wanted === undefined) return;
  if (wanted !== "simd" && wanted !== "relaxed") throw new Error(`--build: simd or relaxed, got ${wanted}`);
  configure({ deterministic: wanted === "simd" });
  if (wanted === "simd" || WebAssembly.validate(kernelBytes("relaxed"))) return;
  // Node 20 has it behind a flag.
  setFlagsFromString("--experimental-wasm-relaxed-simd");
  console.log(
    "This Node runs the relaxed build only with --experimental-wasm-relaxed-simd: set for this run.",
  );
}
