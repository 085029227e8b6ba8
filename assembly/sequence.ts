// The one loop over time, for every built-in cell: forward and, under it, backward. Time-major.
// Not here: what a cell computes (cells/), x·W + b before the loop, dW, dR, dx and db after it (GEMMs and column sums).
//
// Legend: T time, B batch, H units, G gates side by side in a row (simple 1; LSTM i f c o; GRU z r h).
//   hidden, cell     [T+1,B,H]  block 0 is the initial state, written by the caller; block t+1 is the state after step t
//   gates            [T,B,G·H]  forward in: x·W + b, out: activated (simple: undefined); backward out: dL/d(x·W + b)
//   inner            [T,B,H]    GRU only, see cells/gru.ts
//   packed           [H,G·H]    the recurrent kernel R by packB, on the way back by packBT; GRU: its first 2·H columns, then the others
//   rows, starts                the rows that a mask keeps (kept.ts), or 0: the others carry their states on unchanged. With
//                               them gates and inner hold the kept rows only, side by side
//   dhidden, dcell   [B,H]      in: gradient of the last state, out: of the initial one (overwritten, not accumulated)
//   doutputs         [T,B,H]    gradient that reaches each step's state from outside, or 0
//   scratch                     5·roundUp(B·H,4)·4 + GEMM_PACKED_SCRATCH_BYTES bytes, for all six kernels
//
// The kind of cell is a constant in each exported function, so the drivers below shrink to that cell's own calls.

import { gruStep, gruStepBackward } from "./cells/gru";
import { lstmStep, lstmStepBackward } from "./cells/lstm";
import { simpleStep, simpleStepBackward } from "./cells/simple";
import { gather, scatter } from "./kept";
import { accumulate } from "./vector";

const SIMPLE: i32 = 1;
const GRU: i32 = 3;
const LSTM: i32 = 4;

// `kind` is also the number of gates.
// @ts-expect-error: decorator
@inline
function forward(
  kind: i32, hidden: usize, cell: usize, gates: usize, inner: usize, packed: usize, recurrentBias: usize,
  rows: usize, starts: usize, T: i32, B: i32, H: i32, resetAfter: i32, scratch: usize,
): void {
  const width = <usize>H << 2;
  const block = <usize>B * width;
  const room = (block + 15) & ~15;
  const before = scratch;
  const work = before + 4 * room;
  for (let t = 0; t < T; ++t) {
    const at = <usize>t * block;
    let n = B;
    let h = hidden + at;
    let c = cell + at;
    let next = h + block;
    let nextCell = c + block;
    if (rows) {
      n = load<i32>(starts, 4) - load<i32>(starts);
      starts += 4;
    }
    if (n < B) {
      memory.copy(next, h, block);
      if (kind == LSTM) memory.copy(nextCell, c, block);
      if (n == 0) continue;
      gather(before, hidden, rows, n, width);
      if (kind == LSTM) gather(before + room, cell, rows, n, width);
      h = before;
      c = before + room;
      next = c + room;
      nextCell = next + room;
    }
    if (kind == SIMPLE) simpleStep(next, gates, h, packed, n, H, work);
    else if (kind == LSTM) lstmStep(next, nextCell, gates, h, c, packed, n, H, work);
    else gruStep(next, gates, inner, h, recurrentBias, packed, n, H, resetAfter, work);
    if (n < B) {
      scatter(hidden + block, next, rows, n, width);
      if (kind == LSTM) scatter(cell + block, nextCell, rows, n, width);
    }
    if (rows) rows += <usize>n << 2;
    inner += <usize>n * width;
    gates += <usize>n * width * kind;
  }
}

// @ts-expect-error: decorator
@inline
function backward(
  kind: i32, gates: usize, inner: usize, dhidden: usize, dcell: usize, doutputs: usize, hidden: usize, cell: usize,
  packed: usize, rows: usize, starts: usize, T: i32, B: i32, H: i32, resetAfter: i32, scratch: usize,
): void {
  const width = <usize>H << 2;
  const block = <usize>B * width;
  const room = (block + 15) & ~15;
  const temporary = scratch;
  const kept = temporary + room;
  const work = kept + 4 * room;
  for (let t = T - 1; t >= 0; --t) {
    const at = <usize>t * block;
    // Masked rows too: their output is the state they carry on.
    if (doutputs) accumulate(dhidden, doutputs + at, B * H);
    let n = B;
    let first = t * B;
    if (rows) {
      first = load<i32>(starts + (<usize>t << 2));
      n = load<i32>(starts + (<usize>t << 2), 4) - first;
      if (n == 0) continue;
    }
    const g = gates + <usize>first * width * kind;
    const s = inner + <usize>first * width;
    const numbers = rows + (<usize>first << 2);
    let h = hidden + at;
    let c = cell + at;
    let nextCell = c + block;
    let dh = dhidden;
    let dc = dcell;
    if (n < B) {
      // Row numbers count from the first step on.
      dh = kept;
      gather(dh, dhidden - at, numbers, n, width);
      if (kind == LSTM) {
        dc = dh + room;
        c = dc + room;
        nextCell = c + room;
        gather(dc, dcell - at, numbers, n, width);
        gather(c, cell, numbers, n, width);
        gather(nextCell, cell + block, numbers, n, width);
      } else {
        h = dh + room;
        gather(h, kind == SIMPLE ? hidden + block : hidden, numbers, n, width);
      }
    } else if (kind == SIMPLE) h += block;
    if (kind == SIMPLE) simpleStepBackward(g, dh, h, packed, n, H, work);
    else if (kind == LSTM) lstmStepBackward(g, dh, dc, nextCell, c, packed, n, H, work);
    else gruStepBackward(g, s, dh, h, packed, n, H, resetAfter, temporary, work);
    if (n < B) {
      scatter(dhidden - at, dh, numbers, n, width);
      if (kind == LSTM) scatter(dcell - at, dc, numbers, n, width);
    }
  }
}

/** hidden out; gates destroyed. */
export function simpleSequence(
  hidden: usize, gates: usize, packed: usize, rows: usize, starts: usize, T: i32, B: i32, H: i32, scratch: usize,
): void {
  forward(SIMPLE, hidden, 0, gates, 0, packed, 0, rows, starts, T, B, H, 0, scratch);
}

/** gates, dhidden out. */
export function simpleSequenceBackward(
  gates: usize, dhidden: usize, doutputs: usize, hidden: usize, packed: usize, rows: usize, starts: usize,
  T: i32, B: i32, H: i32, scratch: usize,
): void {
  backward(SIMPLE, gates, 0, dhidden, 0, doutputs, hidden, 0, packed, rows, starts, T, B, H, 0, scratch);
}

/** hidden, cell, gates out. */
export function lstmSequence(
  hidden: usize, cell: usize, gates: usize, packed: usize, rows: usize, starts: usize, T: i32, B: i32, H: i32, scratch: usize,
): void {
  forward(LSTM, hidden, cell, gates, 0, packed, 0, rows, starts, T, B, H, 0, scratch);
}

/** gates, dhidden, dcell out. */
export function lstmSequenceBackward(
  gates: usize, dhidden: usize, dcell: usize, doutputs: usize, cell: usize, packed: usize, rows: usize, starts: usize,
  T: i32, B: i32, H: i32, scratch: usize,
): void {
  backward(LSTM, gates, 0, dhidden, dcell, doutputs, 0, cell, packed, rows, starts, T, B, H, 0, scratch);
}

/** hidden, gates, inner out; recurrentBias [3H] or 0. */
export function gruSequence(
  hidden: usize, gates: usize, inner: usize, packed: usize, recurrentBias: usize, rows: usize, starts: usize,
  T: i32, B: i32, H: i32, resetAfter: i32, scratch: usize,
): void {
  forward(GRU, hidden, 0, gates, inner, packed, recurrentBias, rows, starts, T, B, H, resetAfter, scratch);
}

/** gates, inner, dhidden out. */
export function gruSequenceBackward(
  gates: usize, inner: usize, dhidden: usize, doutputs: usize, hidden: usize, packed: usize, rows: usize, starts: usize,
  T: i32, B: i32, H: i32, resetAfter: i32, scratch: usize,
): void {
  backward(GRU, gates, inner, dhidden, 0, doutputs, hidden, 0, packed, rows, starts, T, B, H, resetAfter, scratch);
}
