// Do two questions ask the same, and how alike are two sentences? One encoder reads both (siamese): its weights are shared, so that equal
// texts have equal vectors from the start; what is learned is which differences matter.
import {
  callbacks,
  input,
  layers,
  type Model,
  model as modelOf,
  ops,
  optimizers,
  type Tensor,
  tensor,
  text,
} from "../../src/index.js";
import { choice, integer, positive } from "../shared/options.js";
import { confusionOf } from "../shared/report.js";
import { start } from "../shared/task.js";
import { FILES, type Pair, readPairs, spearman } from "./pairs.js";

const SETS = ["questions", "korsts"] as const;
const SPLITS = ["graphemes", "jamo", "words"] as const;

interface Sizes {
  readonly vocabulary: number;
  readonly embedding: number;
  readonly units: number;
  readonly dropout: number;
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Two texts to one number from 0 to 1. */
function siamese({ vocabulary, embedding, units, dropout }: Sizes): Model {
  const ids = input({ shape: [null], dtype: "int32" });
  const vectors = layers.embedding({ inputDim: vocabulary, outputDim: embedding, maskZero: true }).apply(ids);
  const dropped = layers.spatialDropout1D({ rate: dropout }).apply(vectors);
  const read = layers.bidirectional({ layer: layers.gru({ units, returnSequences: true }) }).apply(dropped);
  const encoder = modelOf({
    inputs: ids,
    outputs: [
      // What was read, the strongest of each unit; and which letters there are at all.
      layers.globalMaxPooling1D().apply(read),
      layers.globalAveragePooling1D().apply(vectors),
    ],
    name: "encoder",
  });

  const texts = ["first", "second"].map((name) => input({ shape: [null], dtype: "int32", name }));
  const [a, b] = texts.map((each) => encoder.apply(each));
  const cosines = a.map((vector, k) => layers.dot({ axes: 1, normalize: true }).apply([vector, b[k]]));
  const compared = layers
    .concatenate()
    .apply([...cosines, ops.abs(ops.subtract(a[0], b[0])), ops.multiply(a[0], b[0])]);
  const hidden = layers
    .dense({ units, activation: "relu" })
    .apply(layers.dropout({ rate: dropout }).apply(compared));
  const alike = layers
    .dense({ units: 1, activation: "sigmoid" })
    .apply(layers.dropout({ rate: dropout }).apply(hidden));
  return modelOf({ inputs: texts, outputs: alike });
}

export const task = await start(import.meta.url, {
  about: "Two sentences compared by one encoder: the same question or not, and how alike.",
  epochs: { full: 8, quick: 3 },
  data: {
    files: Object.values(FILES).map(({ file }) => file),
    source:
      "Question pairs: github.com/songys/Question_pair (MIT); KorSTS: github.com/kakaobrain/KorNLUDatasets (CC BY-SA 4.0); " +
      "as tab-separated tables with the columns split, same, question1, question2, and split, score, sentence1, sentence2.",
  },
  options: {
    pairs: choice("a data set", SETS, "questions", "pairs to learn"),
    split: choice("a way to cut text", SPLITS, "jamo", "what a text is cut into"),
    embedding: integer(64, "numbers for each letter"),
    units: integer(64, "units of the encoder, each way"),
    dropout: positive(0.3, "share that is dropped of letters' vectors and of what is compared"),
    batch: integer(32, "pairs for each training step"),
    learningRate: positive(0.002, "step size of the optimizer"),
  },

  async run({ options, data, fit, part }) {
    const isQuestions = options.pairs === "questions";
    const { train, validation, test } = await readPairs(data, options.pairs);
    const learned = options.quick ? train.slice(0, 2500) : train;
    const vectorize = new text.TextVectorization({ standardize: "stripPunctuation", split: options.split });
    vectorize.adapt(learned.flatMap(({ first, second }) => [first, second]));
    const x = (pairs: readonly Pair[]): Tensor[] => [
      vectorize.apply(pairs.map(({ first }) => first)),
      vectorize.apply(pairs.map(({ second }) => second)),
    ];
    const y = (pairs: readonly Pair[]) => tensor(pairs.map(({ label }) => [isQuestions ? label : label / 5]));

    const sizes = options.quick ? { ...options, embedding: 32, units: 32, learningRate: 0.004 } : options;
    const model = siamese({ ...sizes, vocabulary: vectorize.vocabularySize() });
    model.compile({
      optimizer: optimizers.adam({ learningRate: sizes.learningRate, globalClipnorm: 1 }),
      loss: isQuestions ? "binaryCrossentropy" : "mse",
      metrics: isQuestions ? ["accuracy"] : ["mae"],
    });
    const [monitor, mode] = isQuestions ? (["val_accuracy", "max"] as const) : (["val_loss", "min"] as const);
    await part("training", () =>
      fit(model, x(learned), y(learned), {
        batchSize: options.batch,
        validationData: [x(validation), y(validation)],
        callbacks: [callbacks.earlyStopping({ monitor, mode, patience: 3, restoreBestWeights: true })],
      }),
    );

    const found = (await model.predict(x(test))).data;
    const sure = await model.predict(x(test.map(({ first }) => ({ first, second: first, label: 1 }))));
    model.dispose();
    const shown = [...test.keys()]
      .sort((i, j) => found[j] - found[i])
      .filter((_, place) => place % Math.ceil(test.length / 8) === 0)
      .map((i) => `${found[i].toFixed(2)}  (${test[i].label})  ${test[i].first}  /  ${test[i].second}`);
    const says = `the test's pairs, from alike to different (what people said):\n${shown.join("\n")}`;
    const equal = { name: "a text and itself, mean", value: mean(Array.from(sure.data)) };
    if (!isQuestions) {
      const labels = test.map(({ label }) => label);
      return {
        figures: [{ name: "Spearman's rank correlation", value: spearman(found, labels) }, equal],
        says,
      };
    }
    const classes = Array.from(found, (probability) => (probability > 0.5 ? 1 : 0));
    const right = test.filter(({ label }, i) => label === classes[i]).length;
    return {
      figures: [
        { name: "accuracy", value: right / test.length, atLeast: options.quick ? 0.75 : 0.85 },
        {
          name: "always the same question",
          value: test.filter(({ label }) => label === 1).length / test.length,
        },
        equal,
      ],
      confusion: confusionOf(
        ["different", "same"],
        test.map(({ label }) => label),
        classes,
      ),
      says,
    };
  },
});
