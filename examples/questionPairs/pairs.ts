// Pairs of Korean sentences with what people say of them, and how rankings are compared. Not here: the model (main.ts).
import { join } from "node:path";
import { data } from "../../src/index.js";

export interface Pair {
  readonly first: string;
  readonly second: string;
  /** Question pairs: 1 for the same question, else 0. KorSTS: how alike, from 0 to 5. */
  readonly label: number;
}

export interface Pairs {
  readonly train: Pair[];
  readonly validation: Pair[];
  readonly test: Pair[];
}

/** Below the data folder: tab-separated tables with a column `split`. */
export const FILES = {
  questions: { file: "pairs-ko/question-pair.tsv.gz", columns: ["question1", "question2"], label: "same" },
  korsts: { file: "pairs-ko/korsts.tsv.gz", columns: ["sentence1", "sentence2"], label: "score" },
} as const;

export async function readPairs(folder: string, name: keyof typeof FILES): Promise<Pairs> {
  const { file, columns, label } = FILES[name];
  const pairs: Pairs = { train: [], validation: [], test: [] };
  // In such files a quote is a character: sentences begin with what somebody said.
  const records = data.Dataset.fromCsv<[Record<string, string>, number]>(join(folder, file), {
    delimiter: "\t",
    useQuoteDelim: false,
    columns: ["split", ...columns],
    types: { [columns[0]]: "string", [columns[1]]: "string" },
    label,
  });
  for await (const [record, value] of records) {
    // One sentence of KorSTS is a row of dashes. Without punctuation nothing is left of it, and a mean of nothing is no number.
    if (!columns.every((column) => /[\p{L}\p{N}]/u.test(record[column]))) continue;
    const part = pairs[record.split as keyof Pairs];
    part.push({ first: record[columns[0]], second: record[columns[1]], label: value });
  }
  return pairs;
}

/** Spearman's rank correlation: Pearson's of the ranks, where equal values share the mean of theirs. */
export function spearman(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const [x, y] = [ranks(a), ranks(b)];
  const mean = (x.length - 1) / 2;
  let [xy, xx, yy] = [0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    xy += (x[i] - mean) * (y[i] - mean);
    xx += (x[i] - mean) ** 2;
    yy += (y[i] - mean) ** 2;
  }
  return xy / Math.sqrt(xx * yy);
}

function ranks(values: ArrayLike<number>): Float64Array {
  const order = Array.from(values, (_, i) => i).sort((i, j) => values[i] - values[j]);
  const out = new Float64Array(values.length);
  for (let from = 0; from < order.length; ) {
    let end = from;
    while (end < order.length && values[order[end]] === values[order[from]]) end++;
    for (let k = from; k < end; k++) out[order[k]] = (from + end - 1) / 2;
    from = end;
  }
  return out;
}
