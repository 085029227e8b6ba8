// gemm.ts against a plain loop in f64: every form, odd sizes, bias, accumulate, rows longer than the matrix is wide.

import {
  GEMM_PACKED_SCRATCH_BYTES,
  GEMM_SCRATCH_BYTES,
  gemmNN,
  gemmNT,
  gemmPacked,
  gemmTN,
  packB,
  packBT,
  packedBytes,
} from "../../assembly/gemm";
import { Block, noise } from "./blocks";

const NN = 0;
const NT = 1;
const TN = 2;
const PACKED = 3; // by packB
const PACKED_T = 4; // by packBT
const MARK: f32 = 12345; // lies beside C's rows
const POISON: f32 = NaN; // lies beside the rows of A and B, and in C where it must not be read

function matrix(rows: i32, columns: i32, ld: i32): Block {
  const x = new Block(rows * ld);
  for (let r = 0; r < rows; r++) {
    for (let j = 0; j < ld; j++) x.set(r * ld + j, j < columns ? <f32>noise() : POISON);
  }
  return x;
}

/** Largest error relative to the sum of the magnitudes; 1e9 if a write went astray. */
function check(form: i32, M: i32, N: i32, K: i32, withBias: bool, accumulate: bool, extra: i32): f64 {
  const lda = (form === TN ? M : K) + extra;
  const turned = form === NT || form === PACKED_T;
  const ldb = (turned ? K : N) + extra;
  const ldc = N + extra;
  const a = form === TN ? matrix(K, M, lda) : matrix(M, K, lda);
  const b = turned ? matrix(N, K, ldb) : matrix(K, N, ldb);
  const bias = matrix(1, N, N);
  const c = new Block(M * ldc);
  const before = new Block(M * ldc);
  for (let i = 0; i < M * ldc; i++) {
    const x: f32 = i % ldc >= N ? MARK : accumulate ? <f32>noise() : POISON;
    c.set(i, x);
    before.set(i, x);
  }
  const scratch = new Block((form >= PACKED ? GEMM_PACKED_SCRATCH_BYTES : GEMM_SCRATCH_BYTES) / 4);
  const packed = new Block(packedBytes(K, N) / 4);
  const biasAt: usize = withBias ? bias.at : 0;
  if (form === NN) gemmNN(c.at, ldc, a.at, lda, b.at, ldb, biasAt, M, N, K, i32(accumulate), scratch.at);
  else if (form === NT) gemmNT(c.at, ldc, a.at, lda, b.at, ldb, biasAt, M, N, K, i32(accumulate), scratch.at);
  else if (form === TN) gemmTN(c.at, ldc, a.at, lda, b.at, ldb, biasAt, M, N, K, i32(accumulate), scratch.at);
  else {
    if (form === PACKED) packB(packed.at, b.at, ldb, K, N);
    else packBT(packed.at, b.at, ldb, K, N);
    gemmPacked(c.at, ldc, a.at, lda, packed.at, biasAt, M, N, K, i32(accumulate), scratch.at);
  }

  let worst: f64 = c.intact() && scratch.intact() && packed.intact() ? 0 : 1e9;
  for (let i = 0; i < M * ldc; i++) {
    const m = i / ldc;
    const n = i % ldc;
    if (n >= N) {
      if (c.get(i) !== MARK) worst = 1e9;
      continue;
    }
    let sum: f64 = 0;
    let magnitude: f64 = 1e-30;
    if (accumulate) {
      sum += before.get(i);
      magnitude += abs<f64>(before.get(i));
    }
    if (withBias) {
      sum += bias.get(n);
      magnitude += abs<f64>(bias.get(n));
    }
    for (let k = 0; k < K; k++) {
      const x: f64 = form === TN ? a.get(k * lda + m) : a.get(m * lda + k);
      const y: f64 = turned ? b.get(n * ldb + k) : b.get(k * ldb + n);
      sum += x * y;
      magnitude += abs<f64>(x * y);
    }
    const error = abs<f64>(<f64>c.get(i) - sum) / magnitude;
    if (!(error <= worst)) worst = F64.isNaN(error) ? 1e9 : error;
  }
  a.free();
  b.free();
  bias.free();
  c.free();
  before.free();
  scratch.free();
  packed.free();
  return worst;
}

function sweep(form: i32): f64 {
  const sizes: StaticArray<i32> = [1, 3, 5, 17];
  let worst: f64 = 0;
  for (let i = 0; i < 4; i++) {
    for (let j = 0; j < 4; j++) {
      for (let l = 0; l < 4; l++) {
        for (let variant = 0; variant < 4; variant++) {
          const bias = (variant & 1) !== 0;
          const extra = (i + j + l) % 3;
          const error = check(form, sizes[i], sizes[j], sizes[l], bias, variant > 1, extra);
          worst = max(worst, error);
        }
      }
    }
  }
  return worst;
}

/** Every number of rows that a tile can leave over, at widths around the panels. */
function rows(form: i32): f64 {
  let worst: f64 = 0;
  for (let M = 1; M <= 25; M++) {
    worst = max(worst, check(form, M, 37, 6, true, false, 0));
    worst = max(worst, check(form, M, 16, 9, false, true, 1));
  }
  return worst;
}

/** Sizes beyond every block. */
function large(form: i32): f64 {
  let worst = check(form, 1, 100, 300, true, true, 3);
  worst = max(worst, check(form, 2, 43, 515, true, false, 0));
  worst = max(worst, check(form, 6, 520, 700, false, false, 3));
  worst = max(worst, check(form, 53, 270, 257, true, true, 1));
  worst = max(worst, check(form, 64, 64, 64, false, false, 0));
  return max(worst, check(form, 7, 3, 5000, true, true, 1));
}

/** K = 0 leaves bias and the old C; no rows or no columns touch nothing. */
function empty(form: i32): f64 {
  let worst = check(form, 5, 11, 0, false, false, 1);
  worst = max(worst, check(form, 1, 33, 0, true, true, 0));
  worst = max(worst, check(form, 5, 11, 0, true, false, 0));
  worst = max(worst, check(form, 0, 11, 3, true, false, 0));
  return max(worst, check(form, 3, 0, 3, true, false, 1));
}

const LIMIT: f64 = 1e-6;

describe("gemm: odd sizes, bias, accumulate, longer rows", () => {
  it("NN", () => expect<f64>(sweep(NN)).toBeLessThan(LIMIT));
  it("NT", () => expect<f64>(sweep(NT)).toBeLessThan(LIMIT));
  it("TN", () => expect<f64>(sweep(TN)).toBeLessThan(LIMIT));
  it("packed", () => expect<f64>(sweep(PACKED)).toBeLessThan(LIMIT));
  it("packed transpose", () => expect<f64>(sweep(PACKED_T)).toBeLessThan(LIMIT));
});

describe("gemm: every rest of rows", () => {
  it("NN", () => expect<f64>(rows(NN)).toBeLessThan(LIMIT));
  it("NT", () => expect<f64>(rows(NT)).toBeLessThan(LIMIT));
  it("TN", () => expect<f64>(rows(TN)).toBeLessThan(LIMIT));
  it("packed", () => expect<f64>(rows(PACKED)).toBeLessThan(LIMIT));
});

describe("gemm: larger than the blocks", () => {
  it("NN", () => expect<f64>(large(NN)).toBeLessThan(LIMIT));
  it("NT", () => expect<f64>(large(NT)).toBeLessThan(LIMIT));
  it("TN", () => expect<f64>(large(TN)).toBeLessThan(LIMIT));
  it("packed", () => expect<f64>(large(PACKED)).toBeLessThan(LIMIT));
  it("packed transpose", () => expect<f64>(large(PACKED_T)).toBeLessThan(LIMIT));
});

describe("gemm: empty sizes", () => {
  it("NN", () => expect<f64>(empty(NN)).toBeLessThan(LIMIT));
  it("NT", () => expect<f64>(empty(NT)).toBeLessThan(LIMIT));
  it("TN", () => expect<f64>(empty(TN)).toBeLessThan(LIMIT));
  it("packed", () => expect<f64>(empty(PACKED)).toBeLessThan(LIMIT));
});
