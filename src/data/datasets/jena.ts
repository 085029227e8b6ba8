// Eight years of weather, every ten minutes.
import { UnreelError } from "../../errors.js";
import { readOptions } from "../../layers/options.js";
import { Tensor } from "../../tensor.js";
import { readZip } from "../../zip.js";
import { csvElements } from "../csv.js";
import { jena as about } from "./about.js";
import { FILE_OPTIONS, type FileOptions, loadFile } from "./file.js";

const FILE = {
  name: "jena_climate_2009_2016.csv.zip",
  url: about.urls[0],
};
const TIME = "Date Time";

export interface Weather {
  /** Names and units of the columns of `data`: 'T (degC)'. */
  readonly columns: string[];
  /** When each row was measured: '01.01.2009 00:10:00'. */
  readonly time: string[];
  /** Float32 [rows, columns]. */
  readonly data: Tensor;
}

export async function load(options: FileOptions): Promise<Weather> {
  const operation = "datasets.jena.load";
  const bytes = await loadFile(operation, FILE, readOptions(operation, options, FILE_OPTIONS));
  const csv = bytes[0] === 0x50 && bytes[1] === 0x4b ? await onlyCsv(operation, bytes) : bytes;
  const time: string[] = [];
  const rows: Float32Array[] = [];
  let columns: string[] = [];
  for await (const record of csvElements(csv, { types: { [TIME]: "string" } })) {
    const { [TIME]: when, ...values } = record as Record<string, number | string>;
    if (rows.length === 0) columns = Object.keys(values);
    const row = new Float32Array(columns.length);
    columns.forEach((name, i) => {
      if (typeof values[name] === "string") {
        const got = `'${values[name]}' in record ${rows.length + 1}, column '${name}'`;
        throw new UnreelError({ operation, expected: "numbers", got });
      }
      row[i] = values[name];
    });
    time.push(String(when));
    rows.push(row);
  }
  const data = new Float32Array(rows.length * columns.length);
  rows.forEach((row, i) => {
    data.set(row, i * columns.length);
  });
  return { columns, time, data: new Tensor(data, [rows.length, columns.length]) };
}

async function onlyCsv(operation: string, bytes: Uint8Array): Promise<Uint8Array> {
  const isCsv = (name: string) => /^[^_/][^/]*\.csv$/.test(name);
  const members = [...(await readZip(`${operation}: ${FILE.name}`, bytes, isCsv))];
  if (members.length === 1) return members[0][1];
  const got = `${members.length}: ${members.map(([name]) => name).join(", ")}`;
  throw new UnreelError({ operation, expected: `${FILE.name}: one CSV file`, got });
}
