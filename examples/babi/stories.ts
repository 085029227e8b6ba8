// The bAbI tasks (Weston et al. 2015): files of stories with questions in between, as tensors. Not here: the model (main.ts).
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { show, UnreelError } from "../../src/errors.js";
import { data, sequence, type Tensor, text } from "../../src/index.js";

export interface Question {
  /** The sentences before it, the oldest first, without earlier questions. */
  readonly story: readonly string[];
  readonly question: string;
  readonly answer: string;
}

/** Below the data folder. */
export const FOLDER = "qa-babi-en10k";

/** Numbers of the tasks whose files are there. */
export function tasksIn(folder: string): number[] {
  const found = readdirSync(join(folder, FOLDER)).map(
    (name) => /^qa(\d+)_.*_train\.txt(\.gz)?$/.exec(name)?.[1],
  );
  return found
    .filter((number) => number !== undefined)
    .map(Number)
    .sort((a, b) => a - b);
}

/** The questions of a task, and what it is called: "single-supporting-fact". */
export async function readTask(
  folder: string,
  task: number,
  part: "train" | "test",
): Promise<{ name: string; questions: Question[] }> {
  const place = join(folder, FOLDER);
  const pattern = new RegExp(`^qa${task}_(.*)_${part}\\.txt(\\.gz)?$`);
  const file = readdirSync(place).find((name) => pattern.test(name));
  if (file === undefined) {
    const expected = `a file qa${task}_…_${part}.txt in ${show(place)}`;
    throw new UnreelError({ operation: "babi", expected, got: `tasks ${tasksIn(folder).join(", ")}` });
  }
  const questions: Question[] = [];
  let story: string[] = [];
  for await (const line of data.Dataset.fromLines(join(place, file))) {
    const [, number, rest] = /^(\d+) (.*)$/.exec(line) ?? [];
    if (number === undefined) continue;
    // Stories are numbered line by line: 1 begins another.
    if (number === "1") story = [];
    const [sentence, answer] = rest.split("\t");
    if (answer === undefined) story.push(sentence);
    else questions.push({ story: [...story], question: sentence, answer });
  }
  return { name: pattern.exec(file)![1], questions };
}

export interface Encoded {
  /** Ids [questions, sentences * words]: each sentence takes `words` places, 0 where it has fewer; sentences that lack are zeros. */
  readonly story: Tensor;
  /** Ids [questions, words of a question]. */
  readonly question: Tensor;
  /** Class numbers [questions]. */
  readonly answer: Tensor;
}

/** Words and answers to numbers. It learns them, and how long sentences and stories are, from the training's questions. */
export class Encoder {
  readonly words: number;
  readonly sentences: number;
  readonly answers = new data.StringLookup();
  readonly #vectorize = new text.TextVectorization();
  /** The same sentence stands in many stories. */
  readonly #known = new Map<string, Int32Array>();

  constructor(training: readonly Question[], mostSentences: number) {
    this.#vectorize.adapt(training.flatMap(({ story, question }) => [question, ...story]));
    this.answers.adapt(training.map(({ answer }) => answer));
    const most = (values: Iterable<number>) => {
      let largest = 0;
      for (const value of values) largest = Math.max(largest, value);
      return largest;
    };
    const sentences = new Set(training.flatMap(({ story }) => story));
    this.words = most([...sentences].map((sentence) => this.#ids(sentence).length));
    this.sentences = Math.min(mostSentences, most(training.map(({ story }) => story.length)));
  }

  get vocabulary(): number {
    return this.#vectorize.vocabularySize();
  }

  /** Of long stories the last sentences. */
  encode(questions: readonly Question[]): Encoded {
    const { words, sentences } = this;
    const stories = questions.map(({ story }) => {
      const row = new Int32Array(sentences * words);
      for (const [i, sentence] of story.slice(-sentences).entries()) {
        row.set(this.#ids(sentence).subarray(0, words), i * words);
      }
      return row;
    });
    return {
      story: sequence.padSequences(stories, { maxlen: sentences * words }),
      question: this.#vectorize.apply(questions.map(({ question }) => question)),
      answer: this.answers.apply(questions.map(({ answer }) => answer)),
    };
  }

  #ids(sentence: string): Int32Array {
    let ids = this.#known.get(sentence);
    if (!ids) {
      [ids] = this.#vectorize.sequences([sentence]);
      this.#known.set(sentence, ids);
    }
    return ids;
  }
}
