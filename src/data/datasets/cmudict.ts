// English words and how they are spoken.
import { show, UnreelError } from "../../errors.js";
import { readOptions } from "../../layers/options.js";
import { cmudict as about } from "./about.js";
import { FILE_OPTIONS, type FileOptions, loadText } from "./file.js";
import { tableOf } from "./table.js";

const FILE = {
  name: "cmudict.dict",
  url: about.urls[0],
};

export interface Pronunciation {
  readonly word: string;
  /** From 1: a word may be spoken in several ways. */
  readonly variant: number;
  /** ARPAbet, vowels with their stress: AH0. */
  readonly phones: string[];
  /** The part a record belongs to, where the file has such a column. */
  readonly split?: string;
}

export async function load(options: FileOptions): Promise<Pronunciation[]> {
  const operation = "datasets.cmudict.load";
  const text = await loadText(operation, FILE, readOptions(operation, options, FILE_OPTIONS));
  const out: Pronunciation[] = [];
  if (text.slice(0, Math.max(text.indexOf("\n"), 0)).includes("\t")) {
    const columns = { word: "word", variant: "variant", phones: "phones" };
    const known = [{ ...columns, split: "split" }, columns] as Record<string, string>[];
    for await (const { word, variant, phones, split } of tableOf(operation, FILE.name, text, "\t", known)) {
      const entry = { word, variant: Number(variant), phones: phones.split(" ") };
      out.push(split === undefined ? entry : { ...entry, split });
    }
    return out;
  }
  text.split(/\r?\n/).forEach((line, i) => {
    const plain = line.replace(/\s*#.*$/, "").trim();
    if (plain === "" || plain.startsWith(";;;")) return;
    const found = /^(\S+?)(?:\((\d+)\))?\s+(\S.*)$/.exec(plain);
    if (!found) {
      const expected = `${FILE.name}: a word and its phones`;
      throw new UnreelError({ operation, expected, got: `${show(line.slice(0, 40))} in line ${i + 1}` });
    }
    out.push({ word: found[1], variant: Number(found[2] ?? 1), phones: found[3].split(/\s+/) });
  });
  return out;
}
