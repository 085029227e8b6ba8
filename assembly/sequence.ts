// The one loop over time, for every built-in cell: forward and, under it, backward. Time-major.
// Not here: what a cell computes (cells/), x·W + b before the loop, dW, dR, dx and db after it (GEMMs and column sums).
//
// Legend: T time, B batch, H units, G gates side by side in a row (simple 1; LSTM i f c o; GRU z r h).
//   hidden, cell     [T+1,B,H]  block 0 is the initial state, written by the caller; block t+1 is the state after step t
//   gates            [T,B,G·H]  forward in: x·W + b, out: activated (simple: undefined); backward out: dL/d(x·W + b)
//   inner            [T,B,H]    GRU only, see cells/gru.ts
//   recurrent        [H,G·H]    packed anew in each call
//   mask             [T,B] i32  non-zero = keep, or 0: a masked step carries the states on unchanged
//   dhidden, dcell   [B,H]      in: gradient of the last state, out: of the initial one (overwritten, not accumulated)
//   doutputs         [T,B,H]    gradient that reaches each step's state from outside, or 0
//   scratch          G·H·roundUp(H,16)·4 + roundUp(B·H,4)·4 + GEMM_PACKED_SCRATCH_BYTES bytes, for all six kernels
//
// The kind of cell is a constant in each exported function, so the drivers below shrink to that cell's own calls.

import { gruPack, gruPackBackward, gruStep, gruStepBackward } from "./cells/gru";
import { lstmPack, lstmPackBackward, lstmStep, lstmStepBackward } from "./cells/lstm";
import { simplePack, simplePackBackward, simpleStep, simpleStepBackward } from "./cells/simple";
import { accumulate } from "./vector";

const SIMPLE: i32 = 1;
const GRU: i32 = 3;
const LSTM: i32 = 4;

/** The end of the run of rows that are, like `row`, all kept or all masked. */
function runEnd(mask: usize, row: i32, B: i32): i32 {
  const masked = load<i32>(mask + (<usize>row << 2)) == 0;
  do ++row;
  while (row < B && (load<i32>(mask + (<usize>row << 2)) == 0) == masked);
  return row;
}

/** Bytes of R packed: a bound for both directions, each cell and each way to split R. */
// @ts-expect-error: decorator
@inline
function packedRecurrentBytes(gates: i32, H: i32): usize {
  return <usize>gates * <usize>H * <usize>((H + 15) & ~15) * 4;
}

// `kind` is also the number of gates.
// @ts-expect-error: decorator
@inline
function forward(
  kind: i32, hidden: usize, cell: usize, gates: usize, inner: usize, recurrent: usize, recurrentBias: usize,
  mask: usize, T: i32, B: i32, H: i32, resetAfter: i32, scratch: usize,
): void {
  const packed = scratch;
  const work = scratch + packedRecurrentBytes(kind, H);
  if (kind == SIMPLE) simplePack(packed, recurrent, H);
  else if (kind == LSTM) lstmPack(packed, recurrent, H);
  else gruPack(packed, recurrent, H);

  const width = <usize>H << 2;
  const block = <usize>B * width;
  for (let t = 0; t < T; ++t) {
    let row = 0;
    while (row < B) {
      const h = hidden + <usize>row * width;
      const c = cell + <usize>row * width;
      const g = gates + <usize>row * width * kind;
      let end = B;
      let keep = true;
      if (mask) {
        end = runEnd(mask, row, B);
        keep = load<i32>(mask + (<usize>row << 2)) != 0;
      }
      const n = end - row;
      if (!keep) {
        memory.copy(h + block, h, <usize>n * width);
        if (kind == LSTM) memory.copy(c + block, c, <usize>n * width);
      } else if (kind == SIMPLE) {
        simpleStep(h + block, g, h, packed, n, H, work);
      } else if (kind == LSTM) {
        lstmStep(h + block, c + block, g, h, c, packed, n, H, work);
      } else {
        const s = inner + <usize>row * width;
        gruStep(h + block, g, s, h, recurrentBias, packed, n, H, resetAfter, work);
      }
      row = end;
    }
    hidden += block;
    cell += block;
    inner += block;
    gates += block * kind;
    if (mask) mask += <usize>B << 2;
  }
}

// @ts-expect-error: decorator
@inline
function backward(
  kind: i32, gates: usize, inner: usize, dhidden: usize, dcell: usize, doutputs: usize, hidden: usize, cell: usize,
  recurrent: usize, mask: usize, T: i32, B: i32, H: i32, resetAfter: i32, scratch: usize,
): void {
  const packed = scratch;
  const temporary = scratch + packedRecurrentBytes(kind, H);
  const width = <usize>H << 2;
  const block = <usize>B * width;
  const work = temporary + ((block + 15) & ~15);
  if (kind == SIMPLE) simplePackBackward(packed, recurrent, H);
  else if (kind == LSTM) lstmPackBackward(packed, recurrent, H);
  else gruPackBackward(packed, recurrent, H);

  for (let t = T - 1; t >= 0; --t) {
    const at = <usize>t * block;
    const maskRow = mask + (<usize>(t * B) << 2);
    // Masked rows too: their output is the state they carry on.
    if (doutputs) accumulate(dhidden, doutputs + at, B * H);
    let row = 0;
    while (row < B) {
      const first = <usize>row * width;
      const g = gates + (at + first) * kind;
      const h = hidden + at + first;
      const s = inner + at + first;
      const dh = dhidden + first;
      let end = B;
      let keep = true;
      if (mask) {
        end = runEnd(maskRow, row, B);
        keep = load<i32>(maskRow + (<usize>row << 2)) != 0;
      }
      const n = end - row;
      if (!keep) {
        memory.fill(g, 0, <usize>n * width * kind);
        if (kind == GRU) memory.fill(s, 0, <usize>n * width);
      } else if (kind == SIMPLE) {
        simpleStepBackward(g, dh, h + block, packed, n, H, work);
      } else if (kind == LSTM) {
        const c = cell + at + first;
        lstmStepBackward(g, dh, dcell + first, c + block, c, packed, n, H, work);
      } else {
        gruStepBackward(g, s, dh, h, packed, n, H, resetAfter, temporary, work);
      }
      row = end;
    }
  }
}

/** hidden out; gates destroyed. */
export function simpleSequence(
  hidden: usize, gates: usize, recurrent: usize, mask: usize, T: i32, B: i32, H: i32, scratch: usize,
): void {
  forward(SIMPLE, hidden, 0, gates, 0, recurrent, 0, mask, T, B, H, 0, scratch);
}

/** gates, dhidden out. */
export function simpleSequenceBackward(
  gates: usize, dhidden: usize, doutputs: usize, hidden: usize, recurrent: usize, mask: usize,
  T: i32, B: i32, H: i32, scratch: usize,
): void {
  backward(SIMPLE, gates, 0, dhidden, 0, doutputs, hidden, 0, recurrent, mask, T, B, H, 0, scratch);
}

/** hidden, cell, gates out. */
export function lstmSequence(
  hidden: usize, cell: usize, gates: usize, recurrent: usize, mask: usize, T: i32, B: i32, H: i32, scratch: usize,
): void {
  forward(LSTM, hidden, cell, gates, 0, recurrent, 0, mask, T, B, H, 0, scratch);
}

/** gates, dhidden, dcell out. */
export function lstmSequenceBackward(
  gates: usize, dhidden: usize, dcell: usize, doutputs: usize, cell: usize, recurrent: usize, mask: usize,
  T: i32, B: i32, H: i32, scratch: usize,
): void {
  backward(LSTM, gates, 0, dhidden, dcell, doutputs, 0, cell, recurrent, mask, T, B, H, 0, scratch);
}

/** hidden, gates, inner out; recurrentBias [3H] or 0. */
export function gruSequence(
  hidden: usize, gates: usize, inner: usize, recurrent: usize, recurrentBias: usize, mask: usize,
  T: i32, B: i32, H: i32, resetAfter: i32, scratch: usize,
): void {
  forward(GRU, hidden, 0, gates, inner, recurrent, recurrentBias, mask, T, B, H, resetAfter, scratch);
}

/** gates, inner, dhidden out. */
export function gruSequenceBackward(
  gates: usize, inner: usize, dhidden: usize, doutputs: usize, hidden: usize, recurrent: usize, mask: usize,
  T: i32, B: i32, H: i32, resetAfter: i32, scratch: usize,
): void {
  backward(GRU, gates, inner, dhidden, 0, doutputs, hidden, 0, recurrent, mask, T, B, H, resetAfter, scratch);
}
