// Writes the logs of each epoch to a CSV file, as Keras and Python's csv module do. The writing itself is d3-dsv's.
import { show, UnreelError } from "../../errors.js";
import { type Files, fileSystem, withFile } from "../../files.js";
import { readOptions } from "../../layers/options.js";
import type { Callback } from "./callback.js";

export interface CsvLoggerOptions {
  filename: string;
  /** One character. Default ','. */
  separator?: string;
  /** Goes on with a file that exists instead of beginning it anew. Default false. */
  append?: boolean;
}

/** A line an epoch: `epoch` (from 0), then the logs of the first epoch in alphabetical order; without validation their `val_`
 * twins follow as `NA`, so that all files have the same columns. Keras: callbacks.CSVLogger. */
export function csvLogger(options: CsvLoggerOptions): Callback {
  const operation = "callbacks.csvLogger";
  const { filename, separator, append } = readOptions(operation, options, {
    filename: "",
    separator: ",",
    append: false,
  });
  if (typeof filename !== "string" || filename === "") {
    const expected = "the path of a file";
    throw new UnreelError({ operation: `${operation}: filename`, expected, got: show(filename) });
  }
  if (typeof separator !== "string" || !/^[^"\r\n\\\]^-]$/.test(separator)) {
    const expected = "one character, such as ',' or ';'";
    throw new UnreelError({ operation: `${operation}: separator`, expected, got: show(separator) });
  }
  let files: Files;
  let line: (values: readonly unknown[]) => string;
  let columns: string[] | undefined;
  let needsHeader = true;

  return {
    async onTrainBegin() {
      files = await fileSystem(operation);
      const { formatRow } = (await import("d3-dsv")).dsvFormat(separator);
      line = (values) => `${formatRow(values.map(String))}\r\n`;
      columns = undefined;
      await withFile(`${operation}: filename`, filename, async () => {
        await files.writeFile(filename, "", { flag: append ? "a" : "w" });
        needsHeader = (await files.stat(filename)).size === 0;
      });
    },

    async onEpochEnd(epoch, logs) {
      let text = "";
      if (!columns) {
        columns = Object.keys(logs).sort();
        if (!columns.some((name) => name.startsWith("val_")))
          columns.push(...columns.map((name) => `val_${name}`));
        if (needsHeader) text = line(["epoch", ...columns]);
      }
      text += line([epoch, ...columns.map((name) => logs[name] ?? "NA")]);
      await withFile(`${operation}: filename`, filename, () => files.appendFile(filename, text));
    },
  };
}
