// Tables whose rows are measured one by one: in one go, or in parts that a file keeps (--resume FILE --budget S), printed again
// from the file (--report FILE). Every program here is a list of such sections. Not here: timing (measure.ts).
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { loadavg } from "node:os";

/** What a row found, as it stands in the file: numbers, words, lists and objects of these. */
export interface Found {
  /** The row was begun but its time was up: the next part goes on with it. */
  unfinished?: boolean;
}

export interface Row<F extends Found = Found> {
  /** One of a kind in the program. */
  name: string;
  /** Milliseconds that it takes at the least, if they are many: it is not begun when fewer are left. */
  cost?: number;
  /** `earlier`: what an earlier part found. `spare`: milliseconds that are left; one more round may always be made. */
  measure(chunk: { earlier?: F; spare: () => number }): Promise<F>;
}

export interface Section<F extends Found = Found> {
  title: string;
  /** Of the table; the first is that of names. */
  columns: readonly string[];
  rows: readonly Row<F>[];
  /** A row's lines in the table, each as wide as `columns`; a line with one cell is a remark. */
  lines(name: string, found: F): string[][];
}

/** What the figures depend on: versions, machine, options. Parts of one file have all of it in common. */
export type Setting = Readonly<Record<string, string | number | boolean>>;

/** Options of every program, for util.parseArgs. */
export const options = {
  filter: { type: "string", default: "" },
  resume: { type: "string" },
  budget: { type: "string" },
  report: { type: "string" },
  help: { type: "boolean", default: false },
} as const;

export const OPTIONS_HELP = `  --filter NAME    only rows whose name contains NAME
  --resume FILE    keep what is measured in FILE, and leave out what stands there already
  --budget S       begin no new row after S seconds; the next run with the same --resume goes on
  --report FILE    measure nothing: print the tables of FILE`;

export interface Choice {
  filter: string;
  resume?: string;
  budget?: string;
}

interface File {
  setting: Setting;
  begun: string;
  rows: Record<string, Found>;
}

/** Measures what the filter leaves and no earlier part has, and prints it; says how many of all are done. */
export async function run(
  sections: readonly Section[],
  { filter, resume, budget }: Choice,
  setting: Setting,
): Promise<void> {
  const seconds = budget === undefined ? Number.POSITIVE_INFINITY : Number(budget);
  if (!(seconds > 0)) throw new Error(`--budget: a number of seconds, got ${budget}`);
  if (budget !== undefined && resume === undefined) throw new Error("--budget: only with --resume FILE");
  const file = open(resume, setting);
  const spare = () => seconds * 1000 - performance.now();
  const isDone = (name: string) => file.rows[name] !== undefined && !file.rows[name].unfinished;
  const wanted = filter.toLowerCase();
  const chosen = sections.map((section) => ({
    section,
    rows: section.rows.filter(({ name }) => name.toLowerCase().includes(wanted)),
  }));
  printSetting({ ...setting, load: loadavg()[0].toFixed(1) });
  let begun = false;
  for (const { section, rows } of chosen) {
    const missing = rows.filter(({ name }) => !isDone(name));
    if (missing.length === 0 || spare() <= 0) continue;
    const table = new Table(section.title, section.columns);
    for (const { name, measure, cost = 0 } of missing) {
      if (spare() <= 0) break;
      if (begun && cost > spare()) continue;
      begun = true;
      const found = await measure({ earlier: file.rows[name], spare });
      file.rows[name] = found;
      save(resume, file);
      if (!found.unfinished) for (const line of section.lines(name, found)) table.row(line);
    }
  }
  if (resume === undefined) return;
  const all = chosen.flatMap(({ rows }) => rows);
  console.log(`\n${all.filter(({ name }) => isDone(name)).length} of ${all.length} done`);
}

/** Prints the tables of a file. */
export function report(sections: readonly Section[], path: string): void {
  const { setting, rows } = read(path);
  printSetting(setting);
  for (const section of sections) {
    const done = section.rows.filter(({ name }) => rows[name] && !rows[name].unfinished);
    if (done.length === 0) continue;
    const table = new Table(section.title, section.columns);
    for (const { name } of done) for (const line of section.lines(name, rows[name])) table.row(line);
  }
}

/** What a file holds of finished rows, for reports of another form. */
export function finished<F extends Found>(path: string): Map<string, F> {
  return new Map(Object.entries(read(path).rows as Record<string, F>).filter(([, row]) => !row.unfinished));
}

export function settingIn(path: string): Setting {
  return read(path).setting;
}

export function printSetting(setting: Setting): void {
  console.log(
    Object.entries(setting)
      .map(([name, value]) => `${name} ${value}`)
      .join(", "),
  );
}

function open(path: string | undefined, setting: Setting): File {
  if (path === undefined || !existsSync(path)) return { setting, begun: new Date().toISOString(), rows: {} };
  const file = read(path);
  const [then, now] = [file.setting, setting].map((each) => JSON.stringify(each));
  if (then !== now) throw new Error(`--resume: ${path} was begun with ${then}, this is ${now}`);
  return file;
}

function read(path: string): File {
  return JSON.parse(readFileSync(path, "utf8"));
}

/** In one step, so that a run that is stopped leaves a whole file. */
function save(path: string | undefined, file: File): void {
  if (path === undefined) return;
  const { rows, ...head } = file;
  const lines = Object.entries(rows).map(
    ([name, found]) => `  ${JSON.stringify(name)}: ${JSON.stringify(found)}`,
  );
  const text = JSON.stringify({ ...head, rows: {} }, undefined, 1).replace(
    /\{\}\n\}$/,
    `{\n${lines.join(",\n")}\n }\n}\n`,
  );
  writeFileSync(`${path}.part`, text);
  renameSync(`${path}.part`, path);
}

/** Prints one row at a time, as they are measured: the first column to the left, the others to the right. */
class Table {
  readonly #widths: number[];

  constructor(title: string, columns: readonly string[], width = 46) {
    this.#widths = columns.map((name, index) => (index === 0 ? width : Math.max(10, name.length + 2)));
    console.log(`\n${title}`);
    this.row(columns);
  }

  row(cells: readonly string[]): void {
    const padded = cells.map((cell, index) =>
      index === 0 ? cell.padEnd(this.#widths[0]) : cell.padStart(this.#widths[index]),
    );
    console.log(padded.join("").trimEnd());
  }
}
