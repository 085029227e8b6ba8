// News by topic, as Keras has them: keras.datasets.reuters.
import { inRange } from "../../errors.js";
import { readOptions } from "../../layers/options.js";
import { MersenneTwister } from "../mersenneTwister.js";
import { readNpz } from "../npz.js";
import { reuters as about } from "./about.js";
import { FILE_OPTIONS, type FileOptions, loadFile, loadText } from "./file.js";
import {
  begun,
  checkWordIdOptions,
  known,
  type Labelled,
  labelled,
  reordered,
  WORD_ID_OPTIONS,
  type WordIdOptions,
  wordIndexOf,
} from "./words.js";

const FILE = {
  name: "reuters.npz",
  url: about.urls[0],
  sha256: "d6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916",
};
const INDEX = {
  name: "reuters_word_index.json",
  url: about.urls[1],
  md5: "4d44cc38712099c9e383dc6e5f11a921",
};

export interface ReutersOptions extends WordIdOptions {
  /** Share of the texts that are for testing. Default 0.2. */
  testSplit?: number;
}

export async function load(options: ReutersOptions): Promise<{ train: Labelled; test: Labelled }> {
  const operation = "datasets.reuters.load";
  const read = readOptions(operation, options, { ...FILE_OPTIONS, ...WORD_ID_OPTIONS, testSplit: 0.2 });
  checkWordIdOptions(operation, read);
  inRange(`${operation}: testSplit`, read.testSplit, 0, 1, true);
  const bytes = await loadFile(operation, FILE, read);
  const [x, y] = await readNpz(operation, FILE.name, bytes, ["x", "y"]);
  const all = reordered(new MersenneTwister(read.seed), labelled(operation, FILE.name, x, y));
  const [whole] = known([begun(operation, all, read)], read);
  const end = Math.trunc(whole.x.length * (1 - read.testSplit));
  return {
    train: { x: whole.x.slice(0, end), y: whole.y.slice(0, end) },
    test: { x: whole.x.slice(end), y: whole.y.slice(end) },
  };
}

export async function getWordIndex(options: FileOptions): Promise<Map<string, number>> {
  const operation = "datasets.reuters.getWordIndex";
  const read = readOptions(operation, options, FILE_OPTIONS);
  return wordIndexOf(operation, INDEX.name, await loadText(operation, INDEX, read));
}
