// Data sets that are tables of text: records by column, whatever the file's own columns are called.
import { UnreelError } from "../../errors.js";
import { csvElements } from "../csv.js";
import type { CsvRecord } from "../csvTypes.js";

/** Records of a table whose header has one of the known sets of columns; keys become those of that set. */
export async function* tableOf(
  operation: string,
  file: string,
  text: string,
  delimiter: string,
  known: readonly Readonly<Record<string, string>>[],
): AsyncGenerator<Record<string, string>> {
  const header = text
    .slice(0, Math.max(text.search(/[\r\n]/), 0))
    .replace(/^\ufeff/, "")
    .split(delimiter);
  const columns = known.find((names) => Object.values(names).every((name) => header.includes(name)));
  if (!columns) {
    const expected = `${file}: columns ${known.map((names) => Object.values(names).join(", ")).join(" or ")}`;
    throw new UnreelError({ operation, expected, got: header.slice(0, 8).join(", ") || "an empty file" });
  }
  const names = Object.values(columns);
  const types = Object.fromEntries(names.map((name) => [name, "string" as const]));
  // Texts of such files hold quotes as they are: in tab-separated ones they mean nothing.
  const useQuoteDelim = delimiter !== "\t";
  for await (const record of csvElements([text], { delimiter, useQuoteDelim, columns: names, types })) {
    const fields = record as CsvRecord;
    yield Object.fromEntries(Object.entries(columns).map(([key, name]) => [key, String(fields[name])]));
  }
}

/** A label of a record as an integer. */
export function labelOf(operation: string, file: string, text: string, row: number, classes: number): number {
  const label = Number(text);
  if (text !== "" && Number.isInteger(label) && label >= 0 && label < classes) return label;
  const expected = `${file}: labels from 0 to ${classes - 1}`;
  throw new UnreelError({ operation, expected, got: `'${text}' in record ${row + 1}` });
}
