// `npm run bench:engines`: the kernels in Node, Deno, Bun, Chromium and Firefox, both builds, against what arithmetic in registers
// reaches there at the same moment. Options: --help.
import { parseArgs } from "node:util";
import { kernelNames } from "../../build/bench/engineRows.js";
import { figures } from "../../build/bench/measure.js";
import { assemble, peakModule } from "../../build/bench/peak.js";
import { finished, OPTIONS_HELP, options, printSetting, run, settingIn } from "../../build/bench/sections.js";
import { machine } from "../../build/bench/setting.js";
import { findEngines } from "../../engines/find.js";
import { openEngine } from "./open.js";

const HELP = `npm run bench:engines -- [options]
  --quick          shorter, noisier
  --engine K=PATH  an engine of kind K (node, deno, bun, chromium, firefox); may be repeated. Else NODE, DENO, BUN, CHROMIUM,
                   FIREFOX, what is installed in engines/, and the PATH
${OPTIONS_HELP}, as in "Deno", "relaxed gemm"`;

const BUILDS = ["simd", "relaxed"];

const { values } = parseArgs({
  options: {
    ...options,
    quick: { type: "boolean", default: false },
    engine: { type: "string", multiple: true, default: [] },
  },
});

async function measureEngines() {
  const peaks = Object.fromEntries(
    await Promise.all(BUILDS.map(async (build) => [build, [...(await assemble(peakModule(build)))]])),
  );
  const host = new Host();
  const { found, missing } = findEngines(values.engine);
  for (const line of missing) console.log(line);
  const sections = found.flatMap((engine) =>
    BUILDS.map((build) => ({
      title: `${engine.name} (${engine.version}), ${build} build`,
      columns: ["kernel", "ms", "GFLOP/s", "of", "share"],
      rows: kernelNames.map((kernel) => ({
        name: `${engine.name} ${build} ${kernel}`,
        async measure() {
          const about = { engine: engine.name, version: engine.version, build, kernel };
          const { asked, flagged } = await host.open(engine, build);
          if (!asked) return { ...about, cannot: "no relaxed SIMD" };
          const question = { name: kernel, build, peak: peaks[build], quick: values.quick };
          return { ...about, flagged, ...(await asked.ask(question)) };
        },
      })),
      lines: (name, { cannot, ms, flops, peak, share }) => [
        cannot
          ? [name, cannot]
          : [name, figures(ms), figures(flops / ms / 1e6), figures(peak), `${(100 * share).toFixed(0)} %`],
      ],
    })),
  );
  try {
    await run(sections, values, machine({ quick: values.quick }));
  } finally {
    await host.close();
  }
}

/** Keeps one engine open at a time: one that is idle may still disturb. */
class Host {
  #key;
  #open;

  /** The engine ready for a build, with the flag that this may need; `asked` is undefined if it cannot. */
  async open(engine, build) {
    const key = `${engine.name} ${build}`;
    if (this.#key !== key) {
      await this.close();
      this.#key = key;
      this.#open = await this.#start(engine, build, false);
      if (!this.#open.asked && engine.canBeRelaxed) this.#open = await this.#start(engine, build, true);
    }
    return this.#open;
  }

  async #start(engine, build, flagged) {
    const asked = await openEngine(engine, flagged);
    if ((await asked.ask({}))[build]) return { asked, flagged };
    await asked.end();
    return {};
  }

  async close() {
    await this.#open?.asked?.end();
    this.#open = undefined;
    this.#key = undefined;
  }
}

/** A table for each build: a row a kernel, a column an engine, GFLOP/s and the share of what was possible. */
function printReport(path) {
  printSetting(settingIn(path));
  const rows = [...finished(path).values()];
  for (const build of BUILDS) {
    const own = rows.filter((row) => row.build === build);
    const engines = [...new Set(own.map(({ engine }) => engine))];
    const cell = (kernel, engine) => {
      const row = own.find((each) => each.kernel === kernel && each.engine === engine);
      if (!row) return "";
      if (row.cannot) return "-";
      return `${figures(row.flops / row.ms / 1e6)} (${(100 * row.share).toFixed(0)} %)`;
    };
    const head = engines.map((engine) => {
      const { version, flagged } = own.find((row) => row.engine === engine && !row.cannot) ?? {};
      return `${engine.split(" ")[0]} ${version ?? ""}${flagged ? " *" : ""}`;
    });
    console.log(`\n${build} build: GFLOP/s (share of what registers reach there)\n`);
    console.log(`| kernel | ${head.join(" | ")} |\n| --- |${engines.map(() => " --: |").join("")}`);
    for (const kernel of kernelNames) {
      console.log(`| ${kernel} | ${engines.map((engine) => cell(kernel, engine)).join(" | ")} |`);
    }
    const peaks = engines.map((engine) => own.filter((row) => row.engine === engine && row.peak));
    const range = (list) => (list.length ? list.map(({ peak }) => peak).sort((a, b) => a - b) : undefined);
    const peakCell = (sorted) => (sorted ? `${figures(sorted[0])} to ${figures(sorted.at(-1))}` : "-");
    console.log(`| registers, GFLOP/s | ${peaks.map(range).map(peakCell).join(" | ")} |`);
  }
  if (rows.some(({ flagged }) => flagged)) console.log("\n*: only with a flag of the engine");
}

if (values.help) console.log(HELP);
else if (values.report) printReport(values.report);
else await measureEngines();
