// The registry of ops. Tests walk it: an op without a case for its gradient fails them.
import { activation } from "./activation.js";
import { arithmetic } from "./arithmetic.js";
import { sliceColumns } from "./columns.js";
import { concatenate } from "./concatenate.js";
import { dense } from "./dense.js";
import { differs } from "./differs.js";
import { dropout } from "./dropout.js";
import { embedding } from "./embedding.js";
import { everKept } from "./everKept.js";
import { gruSequence } from "./gruSequence.js";
import { keep } from "./keep.js";
import { loss } from "./loss.js";
import { lstmSequence } from "./lstmSequence.js";
import { maskedWeights } from "./maskedWeights.js";
import { ones } from "./ones.js";
import { orthogonality } from "./orthogonality.js";
import { penalty } from "./penalty.js";
import { repeat } from "./repeat.js";
import { reshape } from "./reshape.js";
import { reverse } from "./reverse.js";
import { scaled } from "./scaled.js";
import { scan } from "./scan.js";
import { selectRows } from "./selectRows.js";
import { simpleSequence } from "./simpleSequence.js";
import { softmax } from "./softmax.js";
import { transpose } from "./transpose.js";
import { weightedSum } from "./weightedSum.js";

export type { Arithmetic } from "./arithmetic.js";
export {
  activation,
  arithmetic,
  concatenate,
  dense,
  differs,
  dropout,
  embedding,
  everKept,
  gruSequence,
  keep,
  loss,
  lstmSequence,
  maskedWeights,
  ones,
  orthogonality,
  penalty,
  repeat,
  reshape,
  reverse,
  scaled,
  scan,
  selectRows,
  simpleSequence,
  sliceColumns,
  softmax,
  transpose,
  weightedSum,
};
