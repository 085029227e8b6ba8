// A CSV file larger than memory should hold: made in the temporary folder, streamed through data.Dataset.fromCsv by a process of its
// own, which says how fast, and how much memory it had at its peak. node build/bench/csv.js --help
import { spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { data } from "../src/index.js";

/** The promise for files larger than memory: MB of resident memory at most, Node's own included. */
const MOST_MEMORY = 200;
const NUMBERS = 6;

/** Ways to read the same file. Each gives the sum of all numbers and the number of records. */
const WAYS = {
  /** Records as they are: { time, station, v0, … }. */
  async records(file: string) {
    let [sum, count] = [0, 0];
    for await (const record of data.Dataset.fromCsv<Record<string, number>>(file)) {
      for (let i = 0; i < NUMBERS; i++) sum += record[`v${i}`];
      count++;
    }
    return { sum, count };
  },
  /** Batches of 256 float32 vectors, as for training. */
  async batches(file: string) {
    const columns = Array.from({ length: NUMBERS }, (_, i) => `v${i}`);
    let [sum, count] = [0, 0];
    const vectors = data.Dataset.fromCsv<Float32Array>(file, { columns, vector: true });
    for await (const batch of vectors.batch(256)) {
      for (const value of batch.data) sum += value;
      count += batch.shape[0];
    }
    return { sum, count };
  },
};
type Way = keyof typeof WAYS;

interface Measured {
  readonly seconds: number;
  readonly processorSeconds: number;
  readonly peak: number;
  readonly sum: number;
  readonly count: number;
}

/** Writes about so many MB; numbers are multiples of a quarter, so that sums are exact. */
function makeFile(file: string, megabytes: number, isQuoted: boolean): { sum: number; count: number } {
  const out = openSync(file, "w");
  const text = (value: string) => (isQuoted ? `"${value}"` : value);
  let [written, sum, count, state] = [0, 0, 0, 1];
  let lines = `time,station,${Array.from({ length: NUMBERS }, (_, i) => `v${i}`).join(",")}\n`;
  while (written < megabytes * 1e6) {
    while (lines.length < 1 << 20) {
      const values = Array.from({ length: NUMBERS }, () => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        const value = ((state >>> 12) - (1 << 19)) / 4;
        sum += value;
        return value;
      });
      const moment = new Date(count * 60_000).toISOString();
      lines += `${text(moment)},${text(isQuoted ? "Jeju, airport" : "Jeju airport")},${values.join(",")}\n`;
      count++;
    }
    written += writeSync(out, lines);
    lines = "";
  }
  closeSync(out);
  return { sum, count };
}

async function read(way: Way, file: string): Promise<Measured> {
  const start = performance.now();
  const { sum, count } = await WAYS[way](file);
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage();
  return {
    seconds,
    processorSeconds: (user + system) / 1e6,
    peak: process.resourceUsage().maxRSS / 1024,
    sum,
    count,
  };
}

const { values: options } = parseArgs({
  options: {
    megabytes: { type: "string", default: "1000" },
    quoted: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
    // What the process that is measured is given.
    way: { type: "string" },
    file: { type: "string" },
  },
});

if (options.help) {
  console.log(`Streams a CSV file of --megabytes N (1000) through Dataset.fromCsv; --quoted: texts in quotes. Exit code 1: wrong sums, or
${MOST_MEMORY} MB or more of memory at the peak.`);
} else if (options.way !== undefined) {
  console.log(JSON.stringify(await read(options.way as Way, options.file!)));
} else {
  const folder = mkdtempSync(join(tmpdir(), "csv-"));
  const file = join(folder, "large.csv");
  try {
    const expected = makeFile(file, Number(options.megabytes), options.quoted);
    const megabytes = statSync(file).size / 1e6;
    console.log(
      `${megabytes.toFixed(0)} MB, ${expected.count} records${options.quoted ? ", texts in quotes" : ""}`,
    );
    console.log("way        MB/s   of processor time   peak MB");
    for (const way of Object.keys(WAYS) as Way[]) {
      const program = fileURLToPath(import.meta.url);
      const args = [...process.execArgv, program, "--way", way, "--file", file];
      const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
      if (status !== 0) throw new Error(stderr);
      const { seconds, processorSeconds, peak, sum, count } = JSON.parse(stdout) as Measured;
      const isRight = sum === expected.sum && count === expected.count;
      if (!isRight || peak >= MOST_MEMORY) process.exitCode = 1;
      const rates = [megabytes / seconds, megabytes / processorSeconds].map((rate) => rate.toFixed(1));
      console.log(
        `${way.padEnd(8)} ${rates[0].padStart(6)} ${rates[1].padStart(18)} ${peak.toFixed(0).padStart(12)}${isRight ? "" : `  WRONG: ${sum} of ${count} records`}`,
      );
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}
