// Records of a CSV text that streams by, as elements of a dataset. Where there are quotes, fields are cut by d3-dsv; here whole records
// are found in the stream, quotes are checked, columns named and values read.
import { show, suggestion, UnreelError } from "../errors.js";
import { readOptions } from "../layers/options.js";
import type { ColumnType, CsvElement, CsvFeatures, CsvOptions, CsvRecord, CsvValue } from "./csvTypes.js";
import { type Source, textOf } from "./source.js";

const OPERATION = "Dataset.fromCsv";
/** Records that decide about types. */
const SAMPLE = 100;
/** Characters of one record, at most: a quote that never closes is not to read the whole file into memory. */
const LONGEST = 1 << 24;

interface Block {
  readonly rows: string[][];
  /** Where the block begins, from 1. */
  readonly line: number;
}

export async function* csvElements(source: Source, given: CsvOptions = {}): AsyncGenerator<CsvElement> {
  const options = readCsvOptions(given);
  const { delimiter, useQuoteDelim } = options;
  const { dsvFormat } = await import("d3-dsv");
  const { parseRows } = dsvFormat(delimiter);
  const blocks = blocksOf(source, options, (text) =>
    useQuoteDelim && text.includes('"') ? parseRows(text) : plainRows(text, delimiter),
  );
  let names: readonly string[] | undefined = Array.isArray(options.header) ? options.header : undefined;
  let reader: Reader | undefined;
  /** Blocks that wait for types. */
  let ready: Block[] = [];
  let count = 0;
  try {
    for (;;) {
      const { done, value } = await blocks.next();
      if (!done) {
        let { rows, line } = value;
        if (!names) {
          const first = rows.findIndex((row) => !isBlank(row));
          if (first < 0) continue;
          names = options.header ? rows[first] : rows[first].map((_, i) => String(i));
          if (options.header) {
            line += linesOf(rows, first + 1);
            rows = rows.slice(first + 1);
          }
        }
        ready.push({ rows, line });
        count += rows.length;
        if (!reader && count < SAMPLE) continue;
      }
      if (!names) throw new UnreelError({ operation: OPERATION, expected: "records", got: "an empty text" });
      reader ??= new Reader(names, options, ready);
      // Every stage between a record and who asked for it costs a turn of promises: there is none here.
      for (const { rows, line } of ready) {
        for (let i = 0; i < rows.length; i++) {
          if (isBlank(rows[i])) continue;
          const element = reader.read(rows[i], () => line + linesOf(rows, i));
          if (element !== undefined) yield element;
        }
      }
      ready = [];
      if (done) return;
    }
  } finally {
    await blocks.return(undefined);
  }
}

/** What d3-dsv makes of a text in which no quote counts: it reads character by character, three times as slowly. */
function plainRows(text: string, delimiter: string): string[][] {
  if (text === "") return [];
  const lines = text.includes("\r") ? text.split(/\r\n|\n|\r/) : text.split("\n");
  // The last line break ends a record and begins none.
  if (/[\n\r]$/.test(text)) lines.pop();
  return lines.map((line) => line.split(delimiter));
}

const isBlank = (row: readonly string[]) => row.length === 1 && row[0] === "";

/** Lines that the first `count` records take: a quoted field may have several. */
function linesOf(rows: readonly string[][], count: number): number {
  let lines = count;
  for (let i = 0; i < count; i++) for (const field of rows[i]) lines += newlines(field);
  return lines;
}

function newlines(text: string): number {
  let count = 0;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) count++;
  return count;
}

type Read = Required<CsvOptions>;

function readCsvOptions(given: CsvOptions): Read {
  const options = readOptions<Read>(OPERATION, given, {
    delimiter: ",",
    useQuoteDelim: true,
    header: undefined as never,
    columns: null,
    label: null,
    types: {},
    naValues: [""],
    onMissing: "error",
    vector: false,
    encoding: "utf-8",
  });
  options.header ??= true;
  const { delimiter, header, columns, naValues, onMissing, useQuoteDelim } = options;
  if (typeof delimiter !== "string" || delimiter.length !== 1 || /["\r\n]/.test(delimiter)) {
    const expected = "one character, such as ',' or ';'";
    throw new UnreelError({ operation: `${OPERATION}: delimiter`, expected, got: show(delimiter) });
  }
  if (typeof useQuoteDelim !== "boolean") {
    const operation = `${OPERATION}: useQuoteDelim`;
    throw new UnreelError({ operation, expected: "true or false", got: show(useQuoteDelim) });
  }
  const isNames = (value: unknown) => Array.isArray(value) && value.every((name) => typeof name === "string");
  if (typeof header !== "boolean" && !isNames(header)) {
    const expected = "true, false or a list of names";
    throw new UnreelError({ operation: `${OPERATION}: header`, expected, got: show(header) });
  }
  for (const [name, value] of Object.entries({ columns, naValues })) {
    if (value === null || isNames(value)) continue;
    throw new UnreelError({
      operation: `${OPERATION}: ${name}`,
      expected: "a list of texts",
      got: show(value),
    });
  }
  const isRecord = typeof onMissing === "object" && onMissing !== null;
  if (onMissing !== "error" && onMissing !== "skip" && typeof onMissing !== "number" && !isRecord) {
    const expected = "'error', 'skip', a number or values by column";
    throw new UnreelError({ operation: `${OPERATION}: onMissing`, expected, got: show(onMissing) });
  }
  return options;
}

/** Whole records as they come. */
async function* blocksOf(
  source: Source,
  { delimiter, useQuoteDelim, encoding }: Read,
  parse: (text: string) => string[][],
): AsyncGenerator<Block> {
  let rest = "";
  let line = 1;
  for await (const chunk of textOf(OPERATION, source, encoding)) {
    rest += chunk;
    const end = wholeRecords(rest, useQuoteDelim ? delimiter : undefined, line, false);
    if (end > 0) {
      const text = rest.slice(0, end);
      rest = rest.slice(end);
      yield { rows: parse(text), line };
      line += newlines(text);
    } else if (rest.length > LONGEST) {
      throw new UnreelError({
        operation: OPERATION,
        expected: `records of at most ${LONGEST} characters`,
        got: `a longer one from line ${line} on`,
        hint: "Is a quote missing there, or is it no CSV?",
      });
    }
  }
  wholeRecords(rest, useQuoteDelim ? delimiter : undefined, line, true);
  if (rest !== "") yield { rows: parse(rest), line };
}

/** How far the text goes in whole records. A quote counts where a field begins, as in RFC 4180; elsewhere, and everywhere when no
 * delimiter is given, it is a character. */
function wholeRecords(text: string, delimiter: string | undefined, line: number, isLast: boolean): number {
  /** Behind the last line break from one place to another. */
  const lastEnd = (from: number, to: number) => {
    const part = text.slice(from, to);
    // Lines of old files end with \r; before \n, which may come with the next chunk, it ends nothing.
    const old = part.lastIndexOf("\r", to === text.length ? part.length - 2 : undefined);
    return from + Math.max(part.lastIndexOf("\n"), part.length > 1 || to < text.length ? old : -1) + 1;
  };
  const separates = (character: string | undefined) =>
    character === undefined || character === delimiter || character === "\n" || character === "\r";
  const where = (at: number) => line + newlines(text.slice(0, at));

  let end = 0;
  let at = 0;
  for (;;) {
    const quote = delimiter === undefined ? -1 : text.indexOf('"', at);
    const until = quote < 0 ? text.length : quote;
    if (until > at) {
      const found = lastEnd(at, until);
      if (found > at) end = found;
    }
    if (quote < 0) return isLast ? text.length : end;
    if (!separates(text[quote - 1])) {
      at = quote + 1;
      continue;
    }
    let close = quote;
    do {
      close = text.indexOf('"', close + 1);
      // A quote at the very end may be the first of two.
      if (close < 0 || (!isLast && close === text.length - 1)) break;
    } while (text[close + 1] === '"' && close++ >= 0);
    if (close < 0 && isLast) {
      throw new UnreelError({
        operation: OPERATION,
        expected: "quotes that close",
        got: `one that never does, in line ${where(quote)}`,
        hint: 'A quote inside a quoted field is written twice: "".',
      });
    }
    if (close < 0 || (!isLast && close === text.length - 1)) return end;
    if (!separates(text[close + 1])) {
      throw new UnreelError({
        operation: OPERATION,
        expected: `${show(delimiter)} or a line break behind a quoted field`,
        got: `${show(text[close + 1])} in line ${where(close)}`,
        hint: 'A quote inside a quoted field is written twice: "".',
      });
    }
    at = close + 1;
  }
}

interface Column {
  readonly name: string;
  /** Its place in a record. */
  readonly place: number;
  readonly type: ColumnType;
  /** In the place of a missing value. */
  readonly filler: CsvValue | undefined;
}

/** One record's fields to one element. */
class Reader {
  readonly #names: readonly string[];
  readonly #features: readonly Column[];
  readonly #labels: readonly Column[];
  readonly #options: Read;
  readonly #missing: ReadonlySet<string>;
  /** No missing value is spelled as a number. */
  readonly #hasPlainMissing: boolean;

  constructor(names: readonly string[], options: Read, sample: readonly Block[]) {
    this.#names = names;
    this.#options = options;
    this.#missing = new Set(options.naValues);
    this.#hasPlainMissing = options.naValues.every(
      (text) => text.trim() === "" || Number.isNaN(Number(text)),
    );
    const twice = names.find((name, i) => names.indexOf(name) < i);
    if (twice !== undefined) {
      const expected = "a name of its own for each column";
      throw new UnreelError({ operation: OPERATION, expected, got: `${show(twice)} twice in line 1` });
    }
    const label =
      options.label === null ? [] : typeof options.label === "string" ? [options.label] : options.label;
    const wanted = options.columns ?? names;
    const { onMissing } = options;
    const byColumn = typeof onMissing === "object" ? Object.keys(onMissing) : [];
    for (const name of [...wanted, ...label, ...Object.keys(options.types), ...byColumn]) {
      if (names.includes(name)) continue;
      const hint = headerHint(names) ?? suggestion(name, names);
      const got = names.length > 12 ? `${names.length} others` : `the columns ${names.map(show).join(", ")}`;
      throw new UnreelError({ operation: OPERATION, expected: `a column ${show(name)}`, got, hint });
    }
    const column = (name: string): Column => {
      const place = names.indexOf(name);
      const type =
        (Object.hasOwn(options.types, name) ? options.types[name] : undefined) ??
        this.#inferred(place, sample);
      return { name, place, type: checkedType(name, type), filler: fillerOf(name, type, onMissing) };
    };
    this.#features = wanted.filter((name) => !label.includes(name)).map(column);
    this.#labels = label.map(column);
    const text = this.#features.find(({ type }) => type === "string");
    if (options.vector && text) {
      const found = this.#firstText(text.place, sample);
      const isMark = /^(n\/?a|nan|null|none|nil|-|\?|\.)$/i.test(found?.value.trim() ?? "");
      throw new UnreelError({
        operation: `${OPERATION}: vector`,
        expected: "columns of numbers",
        got: found
          ? `${show(found.value)} in line ${found.line}, column ${show(text.name)}`
          : `type 'string' for column ${show(text.name)}`,
        hint: isMark
          ? `If it marks missing values: naValues: ['', ${show(found!.value.trim())}], and onMissing for what is done about them.`
          : `Leave the column out with columns, or make numbers of it: types: { ${key(text.name)}: (text) => … }.`,
      });
    }
  }

  #inferred(place: number, sample: readonly Block[]): ColumnType {
    let seen = 0;
    for (const { rows } of sample) {
      for (const row of rows) {
        if (isBlank(row)) continue;
        if (seen++ === SAMPLE) return "number";
        const text = row[place]?.trim() ?? "";
        if (text !== "" && !this.#missing.has(text) && !Number.isFinite(Number(text))) return "string";
      }
    }
    return "number";
  }

  /** What makes a column one of texts. */
  #firstText(place: number, sample: readonly Block[]): { value: string; line: number } | undefined {
    for (const { rows, line } of sample) {
      for (let i = 0; i < rows.length; i++) {
        const value = rows[i][place] ?? "";
        const isNumber = value.trim() !== "" && Number.isFinite(Number(value));
        if (!isBlank(rows[i]) && !isNumber && !this.#missing.has(value.trim())) {
          return { value, line: line + linesOf(rows, i) };
        }
      }
    }
    return undefined;
  }

  /** Undefined for a record that is skipped. */
  read(fields: readonly string[], line: () => number): CsvElement | undefined {
    const names = this.#names;
    if (fields.length !== names.length) {
      const lacking = names[fields.length];
      const got =
        lacking === undefined
          ? `${fields.length} in line ${line()}`
          : `${fields.length} in line ${line()}: column ${show(lacking)} is missing`;
      throw new UnreelError({ operation: OPERATION, expected: `${names.length} fields`, got });
    }
    const features = this.#part(this.#features, fields, line);
    if (features === undefined) return undefined;
    if (this.#labels.length === 0) return features;
    if (typeof this.#options.label !== "string") {
      const labels = this.#part(this.#labels, fields, line);
      return labels && [features, labels];
    }
    const value = this.#value(this.#labels[0], fields, line);
    return value === undefined ? undefined : [features, value];
  }

  #part(columns: readonly Column[], fields: readonly string[], line: () => number): CsvFeatures | undefined {
    if (this.#options.vector) {
      const numbers = new Float32Array(columns.length);
      for (let i = 0; i < columns.length; i++) {
        const value = this.#value(columns[i], fields, line);
        if (value === undefined) return undefined;
        if (typeof value === "string") throw wrongValue(columns[i], "a number", value, line());
        numbers[i] = value;
      }
      return numbers;
    }
    const record: CsvRecord = {};
    for (const column of columns) {
      const value = this.#value(column, fields, line);
      if (value === undefined) return undefined;
      record[column.name] = value;
    }
    return record;
  }

  #value(column: Column, fields: readonly string[], line: () => number): CsvValue | undefined {
    const { type, place, filler } = column;
    const text = fields[place];
    if (type === "string" && (filler === undefined || !this.#missing.has(text))) {
      if (text === "" || !this.#missing.has(text) || this.#options.onMissing !== "skip") return text;
      return undefined;
    }
    if (type === "number" && this.#hasPlainMissing) {
      const number = Number(text);
      if (Number.isFinite(number) && (number !== 0 || text.trim() !== "")) return number;
    }
    const trimmed = typeof type === "function" ? text : text.trim();
    if (this.#missing.has(trimmed)) {
      if (filler !== undefined) return filler;
      if (this.#options.onMissing === "skip") return undefined;
      const hint = "The option onMissing skips such records, or puts a value in.";
      throw wrongValue(column, "a value", "a missing one", line(), hint);
    }
    if (type === "boolean") {
      const lower = trimmed.toLowerCase();
      if (lower === "true" || lower === "1") return 1;
      if (lower === "false" || lower === "0") return 0;
      throw wrongValue(column, "true, false, 1 or 0", text, line());
    }
    if (typeof type === "function") {
      const made = type(text);
      if (typeof made === "number" || typeof made === "string") return made;
      const expected = "the function to return a number or a text";
      throw wrongValue(column, expected, made, line());
    }
    const number = trimmed === "" ? Number.NaN : Number(trimmed);
    if (!Number.isFinite(number)) {
      const given = Object.hasOwn(this.#options.types, column.name);
      const hint = given
        ? `types: { ${key(column.name)}: 'string' } reads texts, a function in its place makes numbers of them.`
        : `The first records have numbers there: types: { ${key(column.name)}: 'string' } reads texts; naValues names missing values.`;
      throw wrongValue(column, "a number", text, line(), hint);
    }
    if (type === "integer" && !Number.isSafeInteger(number))
      throw wrongValue(column, "an integer", text, line());
    return number;
  }
}

/** A name as a key of an object. */
const key = (name: string) => (/^[a-z_$][\w$]*$/i.test(name) ? name : show(name));

/** Of a first line that names no columns. */
function headerHint(names: readonly string[]): string | undefined {
  const [first] = names;
  if (/^\s*<(!doctype|html|\?xml)/i.test(first)) return "It is a page: is the address right?";
  const delimiter = names.length === 1 ? [";", "\t", "|"].find((each) => first.includes(each)) : undefined;
  if (delimiter) return `Is the delimiter another one: { delimiter: ${JSON.stringify(delimiter)} }?`;
  return names.every((name) => name.trim() !== "" && Number.isFinite(Number(name)))
    ? "The first line has numbers: header: false calls the columns '0', '1' and so on, a list gives them names."
    : undefined;
}

function wrongValue(
  { name }: Column,
  expected: string,
  value: unknown,
  line: number,
  hint?: string,
): UnreelError {
  const shown = value === "a missing one" ? value : show(value);
  const got = `${shown} in line ${line}, column ${show(name)}`;
  return new UnreelError({ operation: OPERATION, expected, got, hint });
}

const TYPES = ["number", "integer", "string", "boolean"];

function checkedType(name: string, type: unknown): ColumnType {
  if (typeof type === "function" || (typeof type === "string" && TYPES.includes(type)))
    return type as ColumnType;
  throw new UnreelError({
    operation: `${OPERATION}: types.${name}`,
    expected: `${TYPES.map(show).join(", ")} or a function`,
    got: show(type),
    hint: typeof type === "string" ? suggestion(type, TYPES) : undefined,
  });
}

function fillerOf(name: string, type: ColumnType, onMissing: Read["onMissing"]): CsvValue | undefined {
  if (typeof onMissing === "object") return Object.hasOwn(onMissing, name) ? onMissing[name] : undefined;
  return typeof onMissing === "number" && type !== "string" ? onMissing : undefined;
}
