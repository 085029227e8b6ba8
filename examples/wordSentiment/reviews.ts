// Sentences of film reviews by their tone: B. Pang and L. Lee's sentence polarity data (2005), 10,662 of them, a tenth each for
// validation and for testing. Not here: the built-in sentences (sentences.ts).
import { UnreelError } from "../../src/errors.js";
import { data } from "../../src/index.js";
import { fileIn } from "../shared/task.js";
import type { Sentence } from "./sentences.js";

export interface Reviews {
  readonly training: readonly Sentence[];
  readonly validation: readonly Sentence[];
  readonly test: readonly Sentence[];
}

/** A table with columns split, label and text. */
export const TABLE = "sentiment-en/mr-sentence-polarity.tsv.gz";
/** As they are published: one sentence a line. */
const PUBLISHED = { liked: "rt-polarity.pos", disliked: "rt-polarity.neg" };

export const SOURCE =
  "rt-polarity.pos and rt-polarity.neg are in sentence_polarity.zip at github.com/nltk/nltk_data (packages/corpora).";

export async function reviews(folder: string): Promise<Reviews> {
  const table = fileIn(folder, TABLE);
  const rows = table ? await ofTable(table) : await asPublished(folder);
  const part = (name: string) => rows.filter(({ part }) => part === name);
  return { training: part("train"), validation: part("validation"), test: part("test") };
}

type Row = Sentence & { readonly part: string };

async function ofTable(file: string): Promise<Row[]> {
  const lines = await data.Dataset.fromLines(file).skip(1).toArray();
  return lines.map((line) => {
    const [part, label, text] = line.split("\t");
    return { part, liked: label === "1" ? 1 : 0, text };
  });
}

async function asPublished(folder: string): Promise<Row[]> {
  const read = async (name: string, liked: 0 | 1): Promise<Row[]> => {
    const file = fileIn(folder, name);
    if (file === undefined) {
      const expected = `a folder with ${name}`;
      throw new UnreelError({
        operation: "wordSentiment: --data",
        expected,
        got: `'${folder}'`,
        hint: SOURCE,
      });
    }
    const lines = await data.Dataset.fromLines(file, { encoding: "latin1" }).toArray();
    // Every tenth sentence is for testing, the one after it for validation.
    const part = (i: number) => ["test", "validation"][i % 10] ?? "train";
    return lines.map((text, i) => ({ part: part(i), liked, text }));
  };
  return [...(await read(PUBLISHED.liked, 1)), ...(await read(PUBLISHED.disliked, 0))];
}
