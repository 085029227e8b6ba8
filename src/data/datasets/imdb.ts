// Film reviews with their sentiment, as Keras has them: keras.datasets.imdb.
import { readOptions } from "../../layers/options.js";
import { MersenneTwister } from "../mersenneTwister.js";
import { readNpz } from "../npz.js";
import { imdb as about } from "./about.js";
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
  name: "imdb.npz",
  url: about.urls[0],
  sha256: "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f",
};
const INDEX = {
  name: "imdb_word_index.json",
  url: about.urls[1],
  md5: "bfafd718b763782e994055a2d397834f",
};

export async function load(options: WordIdOptions): Promise<{ train: Labelled; test: Labelled }> {
  const operation = "datasets.imdb.load";
  const read = readOptions(operation, options, { ...FILE_OPTIONS, ...WORD_ID_OPTIONS });
  checkWordIdOptions(operation, read);
  const bytes = await loadFile(operation, FILE, read);
  const names = ["x_train", "y_train", "x_test", "y_test"];
  const [xTrain, yTrain, xTest, yTest] = await readNpz(operation, FILE.name, bytes, names);
  const random = new MersenneTwister(read.seed);
  const parts = [
    [xTrain, yTrain],
    [xTest, yTest],
  ].map(([x, y]) => begun(operation, reordered(random, labelled(operation, FILE.name, x, y)), read));
  const [train, test] = known(parts, read);
  return { train, test };
}

export async function getWordIndex(options: FileOptions): Promise<Map<string, number>> {
  const operation = "datasets.imdb.getWordIndex";
  const read = readOptions(operation, options, FILE_OPTIONS);
  return wordIndexOf(operation, INDEX.name, await loadText(operation, INDEX, read));
}
