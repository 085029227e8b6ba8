// Film reviews with their sentiment, as Keras has them: keras.datasets.imdb.
import { readOptions } from "../../layers/options.js";
import { MersenneTwister } from "../mersenneTwister.js";
import { readNpz } from "../npz.js";
import { type About, FILE_OPTIONS, type FileOptions, loadFile, loadText } from "./file.js";
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

const FOLDER = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/";
const FILE = {
  name: "imdb.npz",
  url: `${FOLDER}imdb.npz`,
  sha256: "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f",
};
const INDEX = {
  name: "imdb_word_index.json",
  url: `${FOLDER}imdb_word_index.json`,
  md5: "bfafd718b763782e994055a2d397834f",
};

/** 50,000 reviews, half of them for training: 1 positive, 0 negative. Word ids by frequency. */
export const imdb = {
  about: {
    description:
      "50,000 film reviews, positive (1) or negative (0), as word ids by frequency; half for training",
    source:
      "Maas et al., Learning word vectors for sentiment analysis (ACL 2011), https://ai.stanford.edu/~amaas/data/sentiment/; ids by Keras",
    licence: "none stated; the authors ask to cite their paper",
    urls: [FILE.url, INDEX.url],
  } satisfies About,

  /** The rows, order and options of `keras.datasets.imdb.load_data`. `maxlen` leaves long texts out, as Keras does. */
  async load(options: WordIdOptions = {}): Promise<{ train: Labelled; test: Labelled }> {
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
  },

  /** Words and their ids, before `indexFrom` is added. */
  async getWordIndex(options: FileOptions = {}): Promise<Map<string, number>> {
    const operation = "datasets.imdb.getWordIndex";
    const read = readOptions(operation, options, FILE_OPTIONS);
    return wordIndexOf(operation, INDEX.name, await loadText(operation, INDEX, read));
  },
};
