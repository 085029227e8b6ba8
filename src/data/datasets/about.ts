// What is known of each data set before it is loaded. Not here: the loading (a file for each), and how it is called (index.ts).

/** Where the data come from, and on which terms. */
export interface About {
  readonly description: string;
  /** Who made them, and where it is written. */
  readonly source: string;
  readonly licence: string;
  readonly urls: readonly string[];
}

const KERAS = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/";
/** Where the parts of it lie. */
export const NSMC = "https://raw.githubusercontent.com/e9t/nsmc/master/";

export const cmudict = {
  description: "126,000 English words in ARPAbet with stress",
  source: "Carnegie Mellon University, https://github.com/cmusphinx/cmudict",
  licence: "2-clause BSD",
  urls: ["https://raw.githubusercontent.com/cmusphinx/cmudict/master/cmudict.dict"],
} satisfies About;

export const imdb = {
  description:
    "50,000 film reviews, positive (1) or negative (0), as word ids by frequency; half for training",
  source:
    "Maas et al., Learning word vectors for sentiment analysis (ACL 2011), https://ai.stanford.edu/~amaas/data/sentiment/; ids by Keras",
  licence: "none stated; the authors ask to cite their paper",
  urls: [`${KERAS}imdb.npz`, `${KERAS}imdb_word_index.json`],
} satisfies About;

export const jena = {
  description: "weather in Jena, Germany: 14 measurements every ten minutes from 2009 to 2016",
  source: "Max Planck Institute for Biogeochemistry, https://www.bgc-jena.mpg.de/wetter/; packed by Keras",
  licence: "none stated; free to use, the institute is to be named",
  urls: [`${KERAS}jena_climate_2009_2016.csv.zip`],
} satisfies About;

export const nsmc = {
  description:
    "200,000 short Korean film reviews, positive (1) or negative (0); some have none but blank text",
  source: "Lucy Park, Naver sentiment movie corpus v1.0, https://github.com/e9t/nsmc",
  licence: "CC0 1.0",
  urls: [`${NSMC}ratings_train.txt`, `${NSMC}ratings_test.txt`],
} satisfies About;

export const reuters = {
  description: "11,228 news of 1987 in 46 topics, as word ids by frequency",
  source: "Reuters-21578, https://archive.ics.uci.edu/dataset/137; chosen and numbered by Keras",
  licence: "Reuters Ltd. and Carnegie Group allow free distribution for research purposes only",
  urls: [`${KERAS}reuters.npz`, `${KERAS}reuters_word_index.json`],
} satisfies About;

export const songysChatbot = {
  description: "about 11,800 pairs of Korean questions and answers: daily life (0), break-up (1), love (2)",
  source: "Youngsook Song, Chatbot_data_for_Korean v1.0, https://github.com/songys/Chatbot_data",
  licence: "MIT",
  urls: ["https://raw.githubusercontent.com/songys/Chatbot_data/master/ChatbotData.csv"],
} satisfies About;

export const tinyShakespeare = {
  description: "1.1 million characters of Shakespeare's plays",
  source: "Andrej Karpathy, https://github.com/karpathy/char-rnn",
  licence: "the text is in the public domain, the repository under MIT",
  urls: ["https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt"],
} satisfies About;

/** Those of reuters, by class number. */
export const TOPICS =
  "cocoa grain veg-oil earn acq wheat copper housing money-supply coffee sugar trade reserves ship cotton carcass crude nat-gas cpi money-fx interest gnp meal-feed alum oilseed gold tin strategic-metal livestock retail ipi iron-steel rubber heat jobs lei bop zinc orange pet-chem dlr gas silver wpi hog lead".split(
    " ",
  );
