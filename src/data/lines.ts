// Lines of a text that streams by.
import { readOptions } from "../layers/options.js";
import { type Source, textOf } from "./source.js";

export interface LinesOptions {
  /** As TextDecoder names them. Default 'utf-8'. */
  encoding?: string;
}

/** Without their line breaks (\n or \r\n). Empty lines are kept; there is none behind the last line break. */
export async function* linesOf(source: Source, options: LinesOptions = {}): AsyncGenerator<string> {
  const operation = "Dataset.fromLines";
  const { encoding } = readOptions(operation, options, { encoding: "utf-8" });
  let rest = "";
  for await (const chunk of textOf(operation, source, encoding)) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop()!;
    for (const line of lines) yield line.endsWith("\r") ? line.slice(0, -1) : line;
  }
  if (rest !== "") yield rest.endsWith("\r") ? rest.slice(0, -1) : rest;
}
