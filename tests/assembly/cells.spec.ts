// Each cell against float64 and central differences, without a mask.

import {
  GRU_AFTER, GRU_AFTER_NO_BIAS, GRU_BEFORE, LSTM, Problem, SIMPLE, worstDifference,
} from "./cells.reference";

const SIZES: i32[] = [1, 3, 5, 17];

function sweep(kind: i32, withOutputs: bool): void {
  for (let size = 0; size < SIZES.length; ++size) {
    for (let B = 1; B <= 3; B += 2) {
      for (let T = 1; T <= 7; T += 6) {
        const H = SIZES[size];
        const worst = worstDifference(new Problem(kind, T, B, H), false, withOutputs);
        expect<f64>(worst).toBeLessThan(2e-5, `T ${T} B ${B} H ${H}`);
      }
    }
  }
}

describe("a cell's steps follow float64, forward and back", () => {
  it("simple", () => {
    sweep(SIMPLE, true);
    sweep(SIMPLE, false);
  });
  it("lstm", () => {
    sweep(LSTM, true);
    sweep(LSTM, false);
  });
  it("gru, reset after", () => {
    sweep(GRU_AFTER, true);
    sweep(GRU_AFTER, false);
  });
  it("gru, reset after, no recurrent bias", () => {
    sweep(GRU_AFTER_NO_BIAS, true);
  });
  it("gru, reset before", () => {
    sweep(GRU_BEFORE, true);
    sweep(GRU_BEFORE, false);
  });
  it("more rows than a tile", () => {
    for (let kind = SIMPLE; kind <= GRU_BEFORE; ++kind) {
      const worst = worstDifference(new Problem(kind, 2, 13, 8), false, true);
      expect<f64>(worst).toBeLessThan(2e-5, `kind ${kind}`);
    }
  });
});
