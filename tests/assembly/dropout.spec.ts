// Dropout keeps and scales what uniform() says, on both ways alike.

import { dropout, dropoutBackward } from "../../assembly/dropout";
import { uniform } from "../../assembly/random";
import { Block, difference, noiseBlock, reseed } from "./blocks";

function seedBlock(): Block {
  const seed = new Block(2);
  seed.setInt(0, 42);
  seed.setInt(1, -7);
  return seed;
}

describe("dropout", () => {
  it("keeps where uniform is at least the rate and scales by 1/(1-rate), at every length, also in place", () => {
    const seed = seedBlock();
    for (let n = 1; n <= 21; ++n) {
      reseed(n);
      const x = noiseBlock(n);
      const u = new Block(n);
      const out = new Block(n);
      uniform(u.at, n, seed.at, 3);
      dropout(out.at, x.at, n, 0.4, seed.at, 3);
      for (let i = 0; i < n; ++i) {
        const want = u.get(i) >= <f32>0.4 ? <f64>x.get(i) / 0.6 : 0;
        expect<f64>(difference(<f64>out.get(i), want)).toBeLessThan(3e-7, `n ${n} element ${i}`);
      }
      dropout(x.at, x.at, n, 0.4, seed.at, 3);
      for (let i = 0; i < n; ++i) expect<f32>(x.get(i)).toBe(out.get(i));
      expect<bool>(out.intact() && x.intact()).toBe(true);
    }
  });

  it("draws the same mask on the way back and adds", () => {
    const seed = seedBlock();
    for (let n = 1; n <= 21; ++n) {
      reseed(n);
      const dout = noiseBlock(n);
      const dx = noiseBlock(n);
      const before = new StaticArray<f32>(n);
      for (let i = 0; i < n; ++i) before[i] = dx.get(i);
      const dropped = new Block(n);
      dropout(dropped.at, dout.at, n, 0.25, seed.at, 9);
      dropoutBackward(dx.at, dout.at, n, 0.25, seed.at, 9);
      for (let i = 0; i < n; ++i) expect<f32>(dx.get(i)).toBe(before[i] + dropped.get(i), `n ${n} element ${i}`);
      expect<bool>(dx.intact()).toBe(true);
    }
  });

  it("with rate 0 changes nothing, with rate 1 leaves zeros", () => {
    const x = noiseBlock(9);
    const out = new Block(9);
    dropout(out.at, x.at, 9, 0, seedBlock().at, 0);
    for (let i = 0; i < 9; ++i) expect<f32>(out.get(i)).toBe(x.get(i));
    dropout(out.at, x.at, 9, 1, seedBlock().at, 0);
    for (let i = 0; i < 9; ++i) expect<f32>(out.get(i)).toBe(0);
  });
});
