// `npm run bench`: how fast the kernels, inference and training are, without any peer. Options: --help. Peers: peers/run.js.
import { parseArgs } from "node:util";
import { networkSections } from "./convolutions.js";
import { KernelMemory } from "./kernelMemory.js";
import { kernelSections } from "./kernels.js";
import { clocks, FULL, QUICK } from "./measure.js";
import { modelSections, warmUp } from "./models.js";
import { profileSections } from "./profile.js";
import { rooflineSections } from "./roofline.js";
import { scalingSections } from "./scaling.js";
import { OPTIONS_HELP, options, report, run, type Section } from "./sections.js";
import { chooseBuild, settingOf } from "./setting.js";

const HELP = `npm run bench -- [options]
  --quick          shorter, noisier
  --clock cpu      processor time of this process instead of time on the wall: for a machine that is busy
  --build NAME     simd or relaxed; the default is what a user of this Node gets
  --wide           configure({ wide: true })
Instead of kernels, inference and training:
  --profile        where the time of a training step goes, as in --profile --filter V10000
  --roofline       each kernel against what the machine can do
  --scaling N      N threads over one
${OPTIONS_HELP}, as in gemmNN, backward, predict, conv1D, "train lstm"`;

const { values } = parseArgs({
  options: {
    ...options,
    quick: { type: "boolean", default: false },
    build: { type: "string" },
    clock: { type: "string", default: "wall" },
    wide: { type: "boolean", default: false },
    profile: { type: "boolean", default: false },
    roofline: { type: "boolean", default: false },
    scaling: { type: "string" },
  },
});

if (values.help) {
  console.log(HELP);
} else {
  const { clock } = values;
  if (clock !== "wall" && clock !== "cpu") throw new Error(`--clock: wall or cpu, got ${clock}`);
  const effort = { ...(values.quick ? QUICK : FULL), now: clocks[clock] };
  const build = once(() => chooseBuild(values));
  const memory = once(async () => KernelMemory.load(await build()));
  const start = once(async () => {
    await build();
    await warmUp();
  });
  const sections = chooseSections();
  if (values.report) report(sections, values.report);
  else
    await run(
      sections,
      values,
      settingOf({ build: await build(), clock, quick: values.quick, wide: values.wide }),
    );

  function chooseSections(): Section[] {
    if (values.roofline) return rooflineSections(memory, build, effort);
    if (values.profile) return profileSections(start, effort);
    if (values.scaling !== undefined) {
      const threads = Number(values.scaling);
      if (!Number.isInteger(threads) || threads < 1)
        throw new Error(`--scaling: threads, got ${values.scaling}`);
      if (clock === "cpu") throw new Error("--scaling: only on the clock of the wall");
      return scalingSections(threads, start, effort);
    }
    return [
      ...kernelSections(memory, effort),
      ...modelSections(start, effort),
      ...networkSections(start, effort),
    ];
  }
}

/** Made when first asked for. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
