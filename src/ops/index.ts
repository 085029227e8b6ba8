// The registry of ops. Tests walk it: an op without a case for its gradient fails them.
import { activation } from "./activation.js";
import { additiveScores } from "./additiveScores.js";
import { arithmetic } from "./arithmetic.js";
import { band } from "./band.js";
import { bothKept } from "./bothKept.js";
import { choose } from "./choose.js";
import { columnMoments } from "./columnMoments.js";
import { compare } from "./compare.js";
import { concatenate } from "./concatenate.js";
import { conv1D } from "./conv1D.js";
import { conv1DTranspose } from "./conv1DTranspose.js";
import { dense } from "./dense.js";
import { depthwiseConv1D } from "./depthwiseConv1D.js";
import { differs } from "./differs.js";
import { dropout } from "./dropout.js";
import { eitherKept } from "./eitherKept.js";
import { elementwise } from "./elementwise.js";
import { embedding } from "./embedding.js";
import { everKept } from "./everKept.js";
import { expand } from "./expand.js";
import { gatherRows } from "./gatherRows.js";
import { gaussianNoise } from "./gaussianNoise.js";
import { gruSequence } from "./gruSequence.js";
import { keep } from "./keep.js";
import { keepScores } from "./keepScores.js";
import { keptRows } from "./keptRows.js";
import { layerNormalization } from "./layerNormalization.js";
import { loss } from "./loss.js";
import { lstmSequence } from "./lstmSequence.js";
import { maskedWeights } from "./maskedWeights.js";
import { matmul } from "./matmul.js";
import { movingAverage } from "./movingAverage.js";
import { normalizeColumns } from "./normalizeColumns.js";
import { ones } from "./ones.js";
import { orthogonality } from "./orthogonality.js";
import { pad } from "./pad.js";
import { penalty } from "./penalty.js";
import { pool } from "./pool.js";
import { reduce } from "./reduce.js";
import { repeat } from "./repeat.js";
import { reshape } from "./reshape.js";
import { reverse } from "./reverse.js";
import { scaled } from "./scaled.js";
import { scan } from "./scan.js";
import { selectRows } from "./selectRows.js";
import { simpleSequence } from "./simpleSequence.js";
import { slice } from "./slice.js";
import { softmax } from "./softmax.js";
import { sparsemax } from "./sparsemax.js";
import { stopGradient } from "./stopGradient.js";
import { swapBlocks } from "./swapBlocks.js";
import { transpose } from "./transpose.js";
import { upSample } from "./upSample.js";
import { weightedSum } from "./weightedSum.js";

export type { Arithmetic } from "./arithmetic.js";
export type { Comparison } from "./compare.js";
export type { Elementwise } from "./elementwise.js";
export type { Turned } from "./matmul.js";
export type { Reduction } from "./reduce.js";
export {
  activation,
  additiveScores,
  arithmetic,
  band,
  bothKept,
  choose,
  columnMoments,
  compare,
  concatenate,
  conv1D,
  conv1DTranspose,
  dense,
  depthwiseConv1D,
  differs,
  dropout,
  eitherKept,
  elementwise,
  embedding,
  everKept,
  expand,
  gatherRows,
  gaussianNoise,
  gruSequence,
  keep,
  keepScores,
  keptRows,
  layerNormalization,
  loss,
  lstmSequence,
  maskedWeights,
  matmul,
  movingAverage,
  normalizeColumns,
  ones,
  orthogonality,
  pad,
  penalty,
  pool,
  reduce,
  repeat,
  reshape,
  reverse,
  scaled,
  scan,
  selectRows,
  simpleSequence,
  slice,
  softmax,
  sparsemax,
  stopGradient,
  swapBlocks,
  transpose,
  upSample,
  weightedSum,
};
