// The three cells over time in float64, slow and obvious, and a loss whose gradient central differences can find; then the
// same problem through the kernels, compared number by number. Not a test itself.
// Legend: T time, B batch, H units, G gates. Everything is an argument of loss(): gates are x·W + b, `bump` is added to what
// the candidate of a GRU that resets after the product takes from the state, so that dL/dbump is the gradient of inner.

import { GEMM_PACKED_SCRATCH_BYTES, packB, packBT, packedBytes } from "../../assembly/gemm";
import { keptRows } from "../../assembly/kept";
import {
  gruSequence, gruSequenceBackward, lstmSequence, lstmSequenceBackward, simpleSequence, simpleSequenceBackward,
} from "../../assembly/sequence";
import { Block, difference, noise, reseed } from "./blocks";

export const SIMPLE: i32 = 0;
export const LSTM: i32 = 1;
export const GRU_AFTER: i32 = 2;
export const GRU_AFTER_NO_BIAS: i32 = 3;
export const GRU_BEFORE: i32 = 4;

function random(n: i32, scale: f64): StaticArray<f64> {
  const a = new StaticArray<f64>(n);
  for (let i = 0; i < n; ++i) a[i] = <f64>(<f32>(noise() * scale));
  return a;
}

function sigmoid(x: f64): f64 {
  return 1 / (1 + Math.exp(-x));
}

export class Problem {
  G: i32;
  hidden0: StaticArray<f64>;
  cell0: StaticArray<f64>;
  gates: StaticArray<f64>;
  recurrent: StaticArray<f64>;
  recurrentBias: StaticArray<f64>;
  bump: StaticArray<f64>;
  mask: StaticArray<i32>;
  doutputs: StaticArray<f64>;
  dhidden: StaticArray<f64>;
  dcell: StaticArray<f64>;
  // Left behind by loss():
  hidden: StaticArray<f64>;
  cell: StaticArray<f64>;
  activated: StaticArray<f64>;
  inner: StaticArray<f64>;

  constructor(public kind: i32, public T: i32, public B: i32, public H: i32) {
    reseed(<u32>(kind * 7919 + T * 101 + B * 17 + H));
    const G = kind == SIMPLE ? 1 : kind == LSTM ? 4 : 3;
    this.G = G;
    this.hidden0 = random(B * H, 1);
    this.cell0 = random(B * H, 1);
    this.gates = random(T * B * G * H, 2);
    this.recurrent = random(H * G * H, 2 / Math.sqrt(<f64>H));
    this.recurrentBias = random(G * H, kind == GRU_AFTER ? 1 : 0);
    this.bump = new StaticArray<f64>(T * B * H);
    this.mask = new StaticArray<i32>(T * B);
    this.doutputs = random(T * B * H, 1);
    this.dhidden = random(B * H, 1);
    this.dcell = random(B * H, 1);
    this.hidden = new StaticArray<f64>((T + 1) * B * H);
    this.cell = new StaticArray<f64>((T + 1) * B * H);
    this.activated = new StaticArray<f64>(T * B * G * H);
    this.inner = new StaticArray<f64>(T * B * H);
    this.mask.fill(1);
  }

  /** (h R)[column], h the first state of a row. */
  product(h: i32, column: i32): f64 {
    let sum = 0.0;
    for (let k = 0; k < this.H; ++k) sum += this.hidden[h + k] * this.recurrent[k * this.G * this.H + column];
    return sum;
  }

  loss(): f64 {
    const T = this.T, B = this.B, H = this.H;
    for (let i = 0; i < B * H; ++i) {
      this.hidden[i] = this.hidden0[i];
      this.cell[i] = this.cell0[i];
    }
    for (let t = 0; t < T; ++t) {
      for (let b = 0; b < B; ++b) {
        for (let j = 0; j < H; ++j) this.unit(t, b, j);
        for (let j = 0; j < H && this.G == 3 && this.mask[t * B + b]; ++j) this.candidate(t, b, j);
      }
    }
    let loss = 0.0;
    for (let i = 0; i < T * B * H; ++i) loss += this.doutputs[i] * this.hidden[B * H + i];
    for (let i = 0; i < B * H; ++i) {
      loss += this.dhidden[i] * this.hidden[T * B * H + i];
      if (this.kind == LSTM) loss += this.dcell[i] * this.cell[T * B * H + i];
    }
    return loss;
  }

  unit(t: i32, b: i32, j: i32): void {
    const B = this.B, H = this.H, G = this.G;
    const row = (t * B + b) * H;
    const before = this.hidden[row + j];
    const after = row + B * H + j;
    if (!this.mask[t * B + b]) {
      this.hidden[after] = before;
      this.cell[after] = this.cell[row + j];
      return;
    }
    const g = (t * B + b) * G * H + j;
    const x = this.gates, a = this.activated, bias = this.recurrentBias;
    if (this.kind == SIMPLE) {
      this.hidden[after] = Math.tanh(x[g] + this.product(row, j));
    } else if (this.kind == LSTM) {
      a[g] = sigmoid(x[g] + this.product(row, j));
      a[g + H] = sigmoid(x[g + H] + this.product(row, H + j));
      a[g + 2 * H] = Math.tanh(x[g + 2 * H] + this.product(row, 2 * H + j));
      a[g + 3 * H] = sigmoid(x[g + 3 * H] + this.product(row, 3 * H + j));
      this.cell[after] = a[g + H] * this.cell[row + j] + a[g] * a[g + 2 * H];
      this.hidden[after] = a[g + 3 * H] * Math.tanh(this.cell[after]);
    } else {
      a[g] = sigmoid(x[g] + this.product(row, j) + bias[j]);
      a[g + H] = sigmoid(x[g + H] + this.product(row, H + j) + bias[H + j]);
      if (this.kind == GRU_BEFORE) this.inner[row + j] = a[g + H] * before;
      else this.inner[row + j] = this.product(row, 2 * H + j) + bias[2 * H + j] + this.bump[row + j];
    }
  }

  /** What a GRU can do only when the whole row's z, r and inner are known. */
  candidate(t: i32, b: i32, j: i32): void {
    const B = this.B, H = this.H;
    const row = (t * B + b) * H;
    const g = (t * B + b) * 3 * H + j;
    const a = this.activated;
    let sum = this.gates[g + 2 * H];
    if (this.kind == GRU_BEFORE) {
      for (let k = 0; k < H; ++k) sum += this.inner[row + k] * this.recurrent[k * 3 * H + 2 * H + j];
    } else {
      sum += a[g + H] * this.inner[row + j];
    }
    a[g + 2 * H] = Math.tanh(sum);
    this.hidden[row + B * H + j] = a[g] * this.hidden[row + j] + (1 - a[g]) * a[g + 2 * H];
  }

  /** dL/d(an argument at i). */
  slope(argument: StaticArray<f64>, i: i32): f64 {
    const step = 1e-5;
    const kept = argument[i];
    argument[i] = kept + step;
    const up = this.loss();
    argument[i] = kept - step;
    const down = this.loss();
    argument[i] = kept;
    return (up - down) / (2 * step);
  }
}

function upload(a: StaticArray<f64>): Block {
  const block = new Block(a.length);
  for (let i = 0; i < a.length; ++i) block.set(i, <f32>a[i]);
  return block;
}

/** Only the kept rows of a, each `width` long, side by side; the rest of the block is NaN. */
function uploadKept(a: StaticArray<f64>, p: Problem, width: i32): Block {
  const block = new Block(a.length);
  let next = 0;
  for (let i = 0; i < a.length; ++i) block.set(i, NaN);
  for (let i = 0; i < a.length; ++i) if (p.mask[i / width]) block.set(next++, <f32>a[i]);
  return block;
}

/** A block of kept rows with each row in its place again, and zeros where none is kept. */
function spread(kept: Block, p: Problem, width: i32): Block {
  const block = new Block(p.T * p.B * width);
  let next = 0;
  for (let i = 0; i < p.T * p.B * width; ++i) block.set(i, p.mask[i / width] ? kept.get(next++) : 0);
  return block;
}

/** The largest difference between block and a. */
function compare(block: Block, a: StaticArray<f64>): f64 {
  let worst = 0.0;
  for (let i = 0; i < a.length; ++i) worst = max(worst, difference(<f64>block.get(i), a[i]));
  return worst;
}

/** As compare, with the slopes of an argument: all of a small one, about twenty of a large one. */
function compareSlopes(block: Block, p: Problem, argument: StaticArray<f64>): f64 {
  const stride = argument.length <= 40 ? 1 : argument.length / 20 + 1;
  let worst = 0.0;
  for (let i = 0; i < argument.length; i += stride) worst = max(worst, difference(block.get(i), p.slope(argument, i)));
  return worst;
}

/** The bytes that sequence.ts asks for. */
export function scratchBytes(B: i32, H: i32): i32 {
  return 5 * ((B * H + 3) & ~3) * 4 + GEMM_PACKED_SCRATCH_BYTES;
}

/** R [H,G·H] as the kernels want it: the transpose on the way back; of a GRU the candidate's columns apart. */
export function packedRecurrent(recurrent: Block, kind: i32, H: i32, back: bool): Block {
  const G = recurrent.n / H / H;
  const first = G == 3 ? 2 * H : G * H;
  const rest = G * H - first;
  const bytes = back ? packedBytes(first, H) : packedBytes(H, first);
  const packed = new Block((bytes + (back ? packedBytes(rest, H) : packedBytes(H, rest))) / 4);
  if (back) {
    packBT(packed.at, recurrent.at, G * H, first, H);
    packBT(packed.at + bytes, recurrent.at + <usize>first * 4, G * H, rest, H);
  } else {
    packB(packed.at, recurrent.at, G * H, H, first);
    packB(packed.at + bytes, recurrent.at + <usize>first * 4, G * H, H, rest);
  }
  return packed;
}

/** Worst difference of a problem through the kernels, forward and backward; infinity if a guard was touched. */
export function worstDifference(p: Problem, withMask: bool, withOutputs: bool): f64 {
  const T = p.T, B = p.B, H = p.H, G = p.G, kind = p.kind;
  if (!withOutputs) p.doutputs.fill(0);
  p.loss();

  const hidden = new Block((T + 1) * B * H);
  const cell = new Block((T + 1) * B * H);
  for (let i = 0; i < B * H; ++i) {
    hidden.set(i, <f32>p.hidden0[i]);
    cell.set(i, <f32>p.cell0[i]);
  }
  const gates = uploadKept(p.gates, p, G * H);
  const inner = new Block(T * B * H);
  const recurrent = upload(p.recurrent);
  const packed = packedRecurrent(recurrent, kind, H, false);
  const packedBack = packedRecurrent(recurrent, kind, H, true);
  const bias = upload(p.recurrentBias);
  const mask = new Block(T * B);
  for (let i = 0; i < T * B; ++i) mask.setInt(i, p.mask[i] * (i + 1)); // any non-zero keeps
  const doutputs = upload(p.doutputs);
  const dhidden = upload(p.dhidden);
  const dcell = upload(p.dcell);
  const scratch = new Block(scratchBytes(B, H) / 4);
  const rows = new Block(T * B);
  const starts = new Block(T + 1);
  keptRows(rows.at, starts.at, mask.at, T, B);
  const rowsAt = withMask ? rows.at : 0;
  const startsAt = withMask ? starts.at : 0;
  const biasAt = kind == GRU_AFTER ? bias.at : 0;
  const outputsAt = withOutputs ? doutputs.at : 0;
  const after = i32(kind != GRU_BEFORE);

  if (kind == SIMPLE) simpleSequence(hidden.at, gates.at, packed.at, rowsAt, startsAt, T, B, H, scratch.at);
  else if (kind == LSTM) {
    lstmSequence(hidden.at, cell.at, gates.at, packed.at, rowsAt, startsAt, T, B, H, scratch.at);
  } else {
    gruSequence(hidden.at, gates.at, inner.at, packed.at, biasAt, rowsAt, startsAt, T, B, H, after, scratch.at);
  }
  let worst = compare(hidden, p.hidden);
  if (kind == LSTM) worst = max(worst, compare(cell, p.cell));
  const allGates = spread(gates, p, G * H);
  const allInner = spread(inner, p, H);
  for (let i = 0; i < T * B; ++i) {
    if (!p.mask[i]) continue;
    for (let j = 0; kind != SIMPLE && j < G * H; ++j) {
      worst = max(worst, difference(<f64>allGates.get(i * G * H + j), p.activated[i * G * H + j]));
    }
    for (let j = 0; G == 3 && j < H; ++j) {
      worst = max(worst, difference(<f64>allInner.get(i * H + j), p.inner[i * H + j]));
    }
  }

  if (kind == SIMPLE) {
    simpleSequenceBackward(gates.at, dhidden.at, outputsAt, hidden.at, packedBack.at, rowsAt, startsAt, T, B, H, scratch.at);
  } else if (kind == LSTM) {
    lstmSequenceBackward(
      gates.at, dhidden.at, dcell.at, outputsAt, cell.at, packedBack.at, rowsAt, startsAt, T, B, H, scratch.at,
    );
    worst = max(worst, compareSlopes(dcell, p, p.cell0));
  } else {
    gruSequenceBackward(
      gates.at, inner.at, dhidden.at, outputsAt, hidden.at, packedBack.at, rowsAt, startsAt, T, B, H, after, scratch.at,
    );
    const back = spread(inner, p, H);
    if (kind != GRU_BEFORE) worst = max(worst, compareSlopes(back, p, p.bump));
    // Reset before: inner stays for dR.
    for (let i = 0; i < T * B * H && kind == GRU_BEFORE; ++i) {
      worst = max(worst, difference(<f64>back.get(i), p.mask[i / H] ? p.inner[i] : 0));
    }
    back.free();
  }
  const dgates = spread(gates, p, G * H);
  worst = max(worst, compareSlopes(dgates, p, p.gates));
  worst = max(worst, compareSlopes(dhidden, p, p.hidden0));

  const all: Block[] = [
    hidden, cell, gates, inner, recurrent, packed, packedBack, bias, mask, rows, starts, doutputs, dhidden, dcell, scratch, allGates, allInner, dgates,
  ];
  for (let i = 0; i < all.length; ++i) {
    if (!all[i].intact()) worst = Infinity;
    all[i].free();
  }
  return worst;
}
