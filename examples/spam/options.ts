// Command-line options of the spam example: their names, what they mean, and what is wrong with a value.
// Not here: the defaults' values and what is done with them (main.ts).
import { parseArgs } from "node:util";
import { positiveInteger, show, suggestion, UnreelError } from "../../src/errors.js";

export const CELLS = ["simpleRNN", "lstm", "gru"] as const;

export interface Options {
  cell: (typeof CELLS)[number];
  units: number;
  embedding: number;
  vocabulary: number;
  length: number;
  epochs: number;
  batch: number;
  learningRate: number;
  seed: number;
}

interface Option<T> {
  flag: string;
  value: string;
  help: string;
  read: (text: string, operation: string) => T;
}

const integer = (text: string, operation: string) => positiveInteger(operation, number(text));

/** In the order of the help text; the one place where an option is declared. */
const OPTIONS: { [Name in keyof Options]: Option<Options[Name]> } = {
  cell: { flag: "cell", value: "name", help: `recurrent layer: ${CELLS.join(", ")}`, read: cell },
  units: { flag: "units", value: "n", help: "units of the recurrent layer", read: integer },
  embedding: { flag: "embedding", value: "n", help: "numbers for each word", read: integer },
  vocabulary: { flag: "vocabulary", value: "n", help: "most frequent words kept", read: integer },
  length: { flag: "length", value: "n", help: "words read of each mail", read: integer },
  epochs: { flag: "epochs", value: "n", help: "passes over the training mails", read: integer },
  batch: { flag: "batch", value: "n", help: "mails for each training step", read: integer },
  learningRate: { flag: "learning-rate", value: "x", help: "step size of the optimizer", read: positive },
  seed: { flag: "seed", value: "n", help: "same seed, same result", read: seed },
};
const NAMES = Object.keys(OPTIONS) as (keyof Options)[];
const FLAGS = [...NAMES.map((name) => OPTIONS[name].flag), "help"];

/** Options from arguments (`process.argv.slice(2)`); null when help is asked for. */
export function parseOptions(args: readonly string[], defaults: Readonly<Options>): Options | null {
  const { tokens } = parseArgs({
    args: [...args],
    // Not strict: parseArgs' own errors neither suggest nor say what an option takes.
    strict: false,
    tokens: true,
    options: {
      ...Object.fromEntries(NAMES.map((name) => [OPTIONS[name].flag, { type: "string" as const }])),
      help: { type: "boolean", short: "h" },
    },
  });
  const options: Options = { ...defaults };
  for (const token of tokens) {
    if (token.kind === "option-terminator") continue;
    if (token.kind === "positional") {
      const name = token.value.replace(/=.*/, "");
      const hint = FLAGS.includes(name) ? `Did you mean '--${token.value}'?` : "See --help.";
      throw new UnreelError({ operation: "spam", expected: "options only", got: show(token.value), hint });
    }
    if (token.name === "help") return null;
    const name = NAMES.find((known) => OPTIONS[known].flag === token.name);
    if (!name) {
      const hint = suggestion(token.name, FLAGS).replace(/'(.*)'/, "'--$1'");
      throw new UnreelError({
        operation: "spam",
        expected: "a known option",
        got: show(token.rawName),
        hint,
      });
    }
    assign(options, name, token.value);
  }
  return options;
}

/** The help text. */
export function usage(defaults: Readonly<Options>): string {
  const rows = NAMES.map((name) => {
    const { flag, value, help } = OPTIONS[name];
    return [`--${flag} <${value}>`, `${help} (${defaults[name]})`];
  });
  rows.push(["-h, --help", "this text"]);
  const width = Math.max(...rows.map(([left]) => left.length));
  const lines = rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
  return [
    "Tells spam from wanted mail with a recurrent network.",
    "",
    "Options (default):",
    ...lines,
    "",
  ].join("\n");
}

function assign<Name extends keyof Options>(options: Options, name: Name, text: string | undefined): void {
  const { flag, value, read } = OPTIONS[name];
  const operation = `spam: --${flag}`;
  if (text === undefined || text.startsWith("--")) {
    throw new UnreelError({
      operation,
      expected: `a value, --${flag} <${value}>`,
      got: text === undefined ? "none" : show(text),
    });
  }
  options[name] = read(text, operation);
}

/** The number a text spells, or the text itself for the error message. */
function number(text: string): number | string {
  return text.trim() === "" || Number.isNaN(Number(text)) ? text : Number(text);
}

function positive(text: string, operation: string): number {
  const value = number(text);
  if (typeof value === "number" && value > 0 && Number.isFinite(value)) return value;
  throw new UnreelError({ operation, expected: "a positive number", got: show(value) });
}

function seed(text: string, operation: string): number {
  const value = number(text);
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw new UnreelError({ operation, expected: "an integer from 0", got: show(value) });
}

function cell(text: string, operation: string): Options["cell"] {
  const found = CELLS.find((known) => known.toLowerCase() === text.toLowerCase());
  if (found) return found;
  throw new UnreelError({
    operation,
    expected: "a recurrent layer",
    got: show(text),
    hint: suggestion(text, CELLS),
  });
}
