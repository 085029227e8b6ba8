// Command-line options of the examples: how one is declared, read and explained. A mistake is answered with what was expected.
// Not here: which options there are (task.ts has those of all tasks, each task its own).
import { parseArgs } from "node:util";
import { positiveInteger, show, suggestion, UnreelError } from "../../src/errors.js";

export interface Option<T> {
  /** What stands behind it in the help text; a switch has none. */
  readonly value?: string;
  readonly help: string;
  readonly byDefault: T;
  /** Reads what was given; a mistake names `operation`. */
  readonly read: (text: string, operation: string) => T;
}

/** Options by name: `learningRate` is `--learning-rate`. */
export type Declared = Readonly<Record<string, Option<unknown>>>;

export type Values<D extends Declared> = { [Name in keyof D]: D[Name] extends Option<infer T> ? T : never };

export const integer = (byDefault: number, help: string): Option<number> => ({
  value: "n",
  help,
  byDefault,
  read: (text, operation) => positiveInteger(operation, number(text)),
});

export const positive = (byDefault: number, help: string): Option<number> => ({
  value: "x",
  help,
  byDefault,
  read(text, operation) {
    const value = number(text);
    if (typeof value === "number" && value > 0 && Number.isFinite(value)) return value;
    throw new UnreelError({ operation, expected: "a positive number", got: show(value) });
  },
});

export const seed = (byDefault: number, help: string): Option<number> => ({
  value: "n",
  help,
  byDefault,
  read(text, operation) {
    const value = number(text);
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
    throw new UnreelError({ operation, expected: "an integer from 0", got: show(value) });
  },
});

export const choice = <C extends string>(
  kind: string,
  choices: readonly C[],
  byDefault: C,
  help: string,
): Option<C> => ({
  value: "name",
  help: `${help}: ${choices.join(", ")}`,
  byDefault,
  read(text, operation) {
    const found = choices.find((known) => known.toLowerCase() === text.toLowerCase());
    if (found) return found;
    throw new UnreelError({ operation, expected: kind, got: show(text), hint: suggestion(text, choices) });
  },
});

export const path = (help: string): Option<string | undefined> => ({
  value: "path",
  help,
  byDefault: undefined,
  read(text, operation) {
    if (text !== "") return text;
    throw new UnreelError({ operation, expected: "a path", got: show(text) });
  },
});

export const isSwitch = (help: string): Option<boolean> => ({ help, byDefault: false, read: () => true });

/** The number a text spells, or the text itself for the error message. */
function number(text: string): number | string {
  return text.trim() === "" || Number.isNaN(Number(text)) ? text : Number(text);
}

const flagOf = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** Options from arguments (`process.argv.slice(2)`); null when help is asked for. */
export function parseOptions<D extends Declared>(
  task: string,
  args: readonly string[],
  declared: D,
): Values<D> | null {
  const names = Object.keys(declared);
  const flags = [...names.map(flagOf), "help"];
  const { tokens } = parseArgs({
    args: [...args],
    // Not strict: parseArgs' own errors neither suggest nor say what an option takes.
    strict: false,
    tokens: true,
    options: {
      ...Object.fromEntries(
        names.map((name) => [
          flagOf(name),
          { type: declared[name].value === undefined ? ("boolean" as const) : ("string" as const) },
        ]),
      ),
      help: { type: "boolean", short: "h" },
    },
  });
  const options = Object.fromEntries(names.map((name) => [name, declared[name].byDefault]));
  for (const token of tokens) {
    if (token.kind === "option-terminator") continue;
    if (token.kind === "positional") {
      const name = token.value.replace(/=.*/, "");
      const hint = flags.includes(name) ? `Did you mean '--${token.value}'?` : "See --help.";
      throw new UnreelError({ operation: task, expected: "options only", got: show(token.value), hint });
    }
    if (token.name === "help") return null;
    const name = names.find((known) => flagOf(known) === token.name);
    if (name === undefined) {
      const hint = suggestion(token.name, flags).replace(/'(.*)'/, "'--$1'");
      throw new UnreelError({ operation: task, expected: "a known option", got: show(token.rawName), hint });
    }
    options[name] = readValue(`${task}: --${token.name}`, token.name, declared[name], token.value);
  }
  return options as Values<D>;
}

function readValue(
  operation: string,
  flag: string,
  option: Option<unknown>,
  text: string | undefined,
): unknown {
  if (option.value === undefined) {
    if (text === undefined) return option.read("", operation);
    throw new UnreelError({ operation, expected: `--${flag} alone`, got: show(text) });
  }
  if (text !== undefined && !text.startsWith("--")) return option.read(text, operation);
  const got = text === undefined ? "none" : show(text);
  throw new UnreelError({ operation, expected: `a value, --${flag} <${option.value}>`, got });
}

/** The help text. */
export function usage(about: string, declared: Declared): string {
  const rows = Object.entries(declared).map(([name, { value, help, byDefault }]) => [
    `--${flagOf(name)}${value === undefined ? "" : ` <${value}>`}`,
    value === undefined || byDefault === undefined ? help : `${help} (${byDefault})`,
  ]);
  rows.push(["-h, --help", "this text"]);
  const width = Math.max(...rows.map(([left]) => left.length));
  const lines = rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
  return [about, "", "Options (default):", ...lines, ""].join("\n");
}
