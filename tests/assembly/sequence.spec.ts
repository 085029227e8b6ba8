// The time loop: masks of every shape, states carried through them, and memory that stays untouched.

import { keptRows } from "../../assembly/kept";
import { lstmSequence, simpleSequence } from "../../assembly/sequence";
import { Block, noise, noiseBlock, reseed } from "./blocks";
import { GRU_BEFORE, LSTM, packedRecurrent, Problem, SIMPLE, scratchBytes, worstDifference } from "./cells.reference";

const SIZES: i32[] = [1, 3, 5, 17];
const SHAPES: i32 = 6;

/** Row b keeps step t, in one of six shapes of mask. */
function keeps(shape: i32, t: i32, T: i32, b: i32): bool {
  if (shape == 0) return t > b; // padding in front, of different lengths
  if (shape == 1) return t < T - 1 - b; // padding behind
  if (shape == 2) return (t + b) % 3 != 1; // holes
  if (shape == 3) return b != 1; // a row masked altogether
  if (shape == 4) return false; // nothing kept
  return noise() > 0;
}

function sweep(kind: i32, withOutputs: bool): void {
  for (let size = 0; size < SIZES.length; ++size) {
    for (let B = 1; B <= 3; B += 2) {
      for (let T = 1; T <= 7; T += 6) {
        for (let shape = 0; shape < SHAPES; ++shape) {
          const H = SIZES[size];
          const p = new Problem(kind, T, B, H);
          for (let i = 0; i < T * B; ++i) p.mask[i] = i32(keeps(shape, i / B, T, i % B));
          const worst = worstDifference(p, true, withOutputs);
          expect<f64>(worst).toBeLessThan(2e-5, `T ${T} B ${B} H ${H} shape ${shape}`);
        }
      }
    }
  }
}

describe("masked sequences follow float64, forward and back", () => {
  it("simple", () => {
    sweep(SIMPLE, true);
    sweep(SIMPLE, false);
  });
  it("lstm", () => {
    sweep(LSTM, true);
    sweep(LSTM, false);
  });
  it("gru, reset after", () => {
    sweep(2, true);
    sweep(2, false);
  });
  it("gru, reset before", () => {
    sweep(GRU_BEFORE, true);
    sweep(GRU_BEFORE, false);
  });
});

describe("carried states", () => {
  it("are copied bit by bit, and a step without a mask needs none", () => {
    reseed(5);
    const T = 4, B = 2, H = 5;
    const hidden = noiseBlock((T + 1) * B * H);
    const cell = noiseBlock((T + 1) * B * H);
    const gates = noiseBlock(T * B * 4 * H);
    const recurrent = packedRecurrent(noiseBlock(H * 4 * H), LSTM, H, false);
    const scratch = new Block(scratchBytes(B, H) / 4);
    const mask = new Block(T * B);
    for (let i = 0; i < T * B; ++i) mask.setInt(i, i32(i / B != 2));
    const rows = new Block(T * B);
    const starts = new Block(T + 1);
    keptRows(rows.at, starts.at, mask.at, T, B);
    lstmSequence(hidden.at, cell.at, gates.at, recurrent.at, rows.at, starts.at, T, B, H, scratch.at);
    for (let i = 0; i < B * H; ++i) {
      expect<i32>(hidden.getInt(3 * B * H + i)).toBe(hidden.getInt(2 * B * H + i));
      expect<i32>(cell.getInt(3 * B * H + i)).toBe(cell.getInt(2 * B * H + i));
    }
  });

  it("no steps leave the initial state alone", () => {
    const hidden = noiseBlock(6);
    const first = hidden.getInt(0);
    const recurrent = noiseBlock(9);
    const scratch = new Block(scratchBytes(2, 3) / 4);
    simpleSequence(hidden.at, hidden.at + 24, recurrent.at, 0, 0, 0, 2, 3, scratch.at);
    expect<i32>(hidden.getInt(0)).toBe(first);
    expect<bool>(hidden.intact()).toBe(true);
  });
});
