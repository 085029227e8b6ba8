// What `datasets.*` offers: each has `load` and `about`, where its data and their licence come from. No data are part of the package, and
// what loads them is itself loaded by the call.
import { later } from "../../later.js";
import * as about from "./about.js";
import type { Pronunciation } from "./cmudict.js";
import type { FileOptions } from "./file.js";
import type { Weather } from "./jena.js";
import type { NsmcOptions, Reviews } from "./nsmc.js";
import type { ReutersOptions } from "./reuters.js";
import type { Talk } from "./songysChatbot.js";
import type { Labelled, WordIdOptions } from "./words.js";

export type { About } from "./about.js";
export type { Progress } from "./file.js";
export type {
  FileOptions,
  Labelled,
  NsmcOptions,
  Pronunciation,
  ReutersOptions,
  Reviews,
  Talk,
  Weather,
  WordIdOptions,
};

/** CMU Pronouncing Dictionary: about 135,000 pronunciations of 126,000 words. */
export const cmudict = {
  about: about.cmudict,

  /** The published file (`word(2) W ER1 D # comment`), or a tab-separated table with columns word, variant, phones. */
  async load(options: FileOptions = {}): Promise<Pronunciation[]> {
    return (await later(import("./cmudict.js"))).load(options);
  },
};

/** 50,000 reviews, half of them for training: 1 positive, 0 negative. Word ids by frequency. */
export const imdb = {
  about: about.imdb,

  /** The rows, order and options of `keras.datasets.imdb.load_data`. `maxlen` leaves long texts out, as Keras does. */
  async load(options: WordIdOptions = {}): Promise<{ train: Labelled; test: Labelled }> {
    return (await later(import("./imdb.js"))).load(options);
  },

  /** Words and their ids, before `indexFrom` is added. */
  async getWordIndex(options: FileOptions = {}): Promise<Map<string, number>> {
    return (await later(import("./imdb.js"))).getWordIndex(options);
  },
};

/** Jena Climate: 14 measurements every ten minutes from 2009 to 2016, 420,551 rows. */
export const jena = {
  about: about.jena,

  /** The published zip, or its CSV, gzipped or not: a column 'Date Time', the others numbers. */
  async load(options: FileOptions = {}): Promise<Weather> {
    return (await later(import("./jena.js"))).load(options);
  },
};

/** Naver sentiment movie corpus: 150,000 reviews for training, 50,000 for testing, half of each positive. */
export const nsmc = {
  about: about.nsmc,

  /** Tab-separated tables with columns document and label (or text and label). Without `path` and `url`: the published train and
   * test. */
  async load(options: NsmcOptions = {}): Promise<{ train: Reviews; validation: Reviews; test: Reviews }> {
    return (await later(import("./nsmc.js"))).load(options);
  },
};

/** 11,228 news of 46 topics. Word ids by frequency. */
export const reuters = {
  about: about.reuters,

  /** The rows, order and options of `keras.datasets.reuters.load_data`. `maxlen` leaves long texts out, as Keras does. */
  async load(options: ReutersOptions = {}): Promise<{ train: Labelled; test: Labelled }> {
    return (await later(import("./reuters.js"))).load(options);
  },

  /** Words and their ids, before `indexFrom` is added. */
  async getWordIndex(options: FileOptions = {}): Promise<Map<string, number>> {
    return (await later(import("./reuters.js"))).getWordIndex(options);
  },

  /** The names of the classes. */
  getLabelNames(): string[] {
    return [...about.TOPICS];
  },
};

/** 11,823 pairs of Korean questions and answers with three labels. */
export const songysChatbot = {
  about: about.songysChatbot,

  /** A table with columns Q, A, label (CSV) or question, answer, label (tab-separated). */
  async load(options: FileOptions = {}): Promise<Talk> {
    return (await later(import("./songysChatbot.js"))).load(options);
  },
};

/** 1,115,394 characters of Shakespeare's plays, 65 different ones. */
export const tinyShakespeare = {
  about: about.tinyShakespeare,

  /** The text; its first nine tenths are usually trained on, the rest validates. */
  async load(options: FileOptions = {}): Promise<{ text: string; train: string; validation: string }> {
    return (await later(import("./tinyShakespeare.js"))).load(options);
  },
};
