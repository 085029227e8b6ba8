// Korean questions and answers of a chatbot.
import { readOptions } from "../../layers/options.js";
import { songysChatbot as about } from "./about.js";
import { FILE_OPTIONS, type FileOptions, loadText } from "./file.js";
import { labelOf, tableOf } from "./table.js";

const FILE = {
  name: "ChatbotData.csv",
  url: about.urls[0],
};

export interface Talk {
  readonly questions: string[];
  readonly answers: string[];
  /** 0 daily life, 1 a break-up, 2 love. */
  readonly labels: Int32Array;
  /** The part a record belongs to, where the file has such a column (`split`); else empty. */
  readonly splits: string[];
}

export async function load(options: FileOptions): Promise<Talk> {
  const operation = "datasets.songysChatbot.load";
  const text = await loadText(operation, FILE, readOptions(operation, options, FILE_OPTIONS));
  const line = text.slice(0, Math.max(text.indexOf("\n"), 0));
  const columns: Record<string, string>[] = [
    { question: "question", answer: "answer", label: "label", split: "split" },
    { question: "question", answer: "answer", label: "label" },
    { question: "Q", answer: "A", label: "label" },
  ];
  const found: { questions: string[]; answers: string[]; splits: string[] } = {
    questions: [],
    answers: [],
    splits: [],
  };
  const labels: number[] = [];
  const delimiter = line.includes("\t") ? "\t" : ",";
  for await (const record of tableOf(operation, FILE.name, text, delimiter, columns)) {
    labels.push(labelOf(operation, FILE.name, record.label, labels.length, 3));
    found.questions.push(record.question);
    found.answers.push(record.answer);
    if (record.split !== undefined) found.splits.push(record.split);
  }
  return { ...found, labels: Int32Array.from(labels) };
}
