// The names that the package gives, whole: one that is internal and comes along with a file is seen here, and so is one that is missing.
import { test } from "uvu";
import * as assert from "uvu/assert";
import * as unreel from "../src/index.js";
import * as infer from "../src/infer.js";

const TOP =
  "Model OutOfMemoryError Sequential Tensor UnreelError callbacks configure constraints data datasets decode engineInfo initializers input layers loadModel losses metrics model ops optimizers regularizers schedules sequence sequential setRandomSeed tensor text torch";

const NAMESPACES: Readonly<Record<string, string>> = {
  callbacks:
    "backupAndRestore csvLogger earlyStopping lambda learningRateScheduler modelCheckpoint progressBar reduceLROnPlateau tensorBoard terminateOnNaN",
  constraints: "maxNorm minMaxNorm nonNeg unitNorm",
  data: "CategoryEncoding Dataset Discretization IntegerLookup MinMaxScaler Normalization Rescaling StringLookup npyBytes npzBytes readNpy readNpz",
  datasets: "cmudict imdb jena nsmc reuters songysChatbot tinyShakespeare",
  decode: "beamSearch greedy sample",
  initializers:
    "constant glorotNormal glorotUniform heNormal heUniform identity lecunNormal lecunUniform ones orthogonal randomNormal randomUniform truncatedNormal varianceScaling zeros",
  layers:
    "activation activityRegularization add additiveAttention attention average averagePooling1D batchNormalization bidirectional concatenate conv1D conv1DTranspose cropping1D dense depthwiseConv1D dot dropout embedding flatten gaussianNoise globalAveragePooling1D globalMaxPooling1D gru gruCell layerNormalization lstm lstmCell masking maxPooling1D maximum minimum multiHeadAttention multiply permute repeatVector reshape rnn separableConv1D simpleRNN simpleRNNCell spatialDropout1D stackedRNNCells subtract timeDistributed upSampling1D zeroPadding1D",
  losses:
    "Loss binaryCrossentropy binaryFocalCrossentropy categoricalCrossentropy categoricalFocalCrossentropy categoricalHinge cosineSimilarity dice hinge huber kullbackLeiblerDivergence logCosh meanAbsoluteError meanAbsolutePercentageError meanSquaredError meanSquaredLogarithmicError poisson sparseCategoricalCrossentropy squaredHinge tversky",
  metrics:
    "Metric accuracy auc binaryAccuracy binaryCrossentropy categoricalAccuracy categoricalCrossentropy categoricalHinge cosineSimilarity f1Score fBetaScore falseNegatives falsePositives hinge klDivergence logCoshError mean meanAbsoluteError meanAbsolutePercentageError meanMetricWrapper meanSquaredError meanSquaredLogarithmicError poisson precision precisionAtRecall r2Score recall recallAtPrecision rootMeanSquaredError sensitivityAtSpecificity sparseCategoricalAccuracy sparseCategoricalCrossentropy sparseTopKCategoricalAccuracy specificityAtSensitivity squaredHinge sum topKCategoricalAccuracy trueNegatives truePositives",
  ops: "abs add celu clip concatenate divide elu equal erf exp expandDims exponential flip gelu glu greater greaterEqual hardShrink hardSigmoid hardSwish hardTanh keras2HardSigmoid leakyRelu less lessEqual log log1p logSigmoid logSoftmax matmul max maximum mean min minimum mish multiply negative notEqual onesLike power reciprocal relu relu6 reshape rsqrt selu sigmoid sign slice softShrink softmax softplus softsign sparsePlus sparseSigmoid sparsemax split sqrt square squareplus squeeze stack stopGradient subtract sum swish tanh tanhShrink transpose where zerosLike",
  optimizers: "Optimizer adadelta adagrad adam adamax adamw lion nadam rmsprop sgd",
  regularizers: "l1 l1l2 l2 orthogonalRegularizer",
  schedules:
    "cosineDecay cosineDecayRestarts exponentialDecay inverseTimeDecay piecewiseConstantDecay polynomialDecay",
  sequence: "makeSamplingTable padSequences skipgrams timeseriesDatasetFromArray",
  text: "TextVectorization Tokenizer hashingTrick korean ngrams oneHot textToWordSequence tokenizerFromJson",
  torch: "loadStateDict readSafetensors safetensorsOf saveStateDict stateDict",
};

test("unreel gives these names", () => {
  assert.is(Object.keys(unreel).sort().join(" "), TOP);
});

const given = new Map<string, object>(Object.entries(unreel));

for (const [name, members] of Object.entries(NAMESPACES)) {
  test(`${name}.* has these names`, () => {
    assert.is(Object.keys(given.get(name)!).sort().join(" "), members);
  });
}

test("every other name is a class or a function", () => {
  const others = [...given].filter(([name]) => !Object.hasOwn(NAMESPACES, name));
  assert.equal(
    others.filter(([, each]) => typeof each !== "function").map(([name]) => name),
    [],
  );
});

test("unreel/infer gives these names", () => {
  const names =
    "OutOfMemoryError SavedModel Tensor UnreelError configure engineInfo loadModel sequence tensor";
  assert.is(Object.keys(infer).sort().join(" "), names);
  assert.equal(Object.keys(infer.sequence), ["padSequences"]);
});

test.run();
