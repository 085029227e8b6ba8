// Dropout keeps and scales what uniform() says, on both ways alike.

import { dropout, dropoutBackward } from "../../assembly/dropout";
import { uniform } from "../../assembly/random";
import { Block, difference, noiseBlock, reseed } from "./blocks";

function seedBlock(): Block {
  const seed = new Block(4);
  seed.setInt(0, 42);
  seed.setInt(1, -7);
  seed.setInt(2, 0);
  seed.setInt(3, 0);
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
      dropout(out.at, x.at, 1, n, 0, 0.4, seed.at, 3);
      for (let i = 0; i < n; ++i) {
        const want = u.get(i) >= <f32>0.4 ? <f64>x.get(i) / 0.6 : 0;
        expect<f64>(difference(<f64>out.get(i), want)).toBeLessThan(3e-7, `n ${n} element ${i}`);
      }
      dropout(x.at, x.at, 1, n, 0, 0.4, seed.at, 3);
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
      dropout(dropped.at, dout.at, 1, n, 0, 0.25, seed.at, 9);
      dropoutBackward(dx.at, dout.at, 1, n, 0, 0.25, seed.at, 9);
      for (let i = 0; i < n; ++i) expect<f32>(dx.get(i)).toBe(before[i] + dropped.get(i), `n ${n} element ${i}`);
      expect<bool>(dx.intact()).toBe(true);
    }
  });

  it("draws for each sample the same, however a batch is cut into parts and whichever axis is outermost", () => {
    // Odd widths: parts begin in the middle of a block of two words.
    const samples = 5, width = 3, runs = 4;
    const whole = seedBlock();
    reseed(5);
    const x = noiseBlock(runs * samples * width);
    const all = new Block(runs * samples * width);
    dropout(all.at, x.at, 1, runs * samples * width, 0, 0.4, whole.at, 3);
    for (let cut = 0; cut <= samples; ++cut) {
      for (let part = 0; part < 2; ++part) {
        const first = part ? cut : 0;
        const n = (part ? samples - cut : cut) * width;
        if (n == 0) continue;
        const seed = seedBlock();
        seed.setInt(2, first);
        seed.setInt(3, samples - n / width);
        const own = new Block(runs * n), out = new Block(runs * n), back = new Block(runs * n);
        for (let run = 0; run < runs; ++run)
          for (let i = 0; i < n; ++i) own.set(run * n + i, x.get((run * samples + first) * width + i));
        for (let i = 0; i < runs * n; ++i) back.set(i, 1);
        dropout(out.at, own.at, runs, n, width, 0.4, seed.at, 3);
        dropoutBackward(back.at, own.at, runs, n, width, 0.4, seed.at, 3);
        for (let run = 0; run < runs; ++run)
          for (let i = 0; i < n; ++i) {
            const want = all.get((run * samples + first) * width + i);
            expect<f32>(out.get(run * n + i)).toBe(want, `cut ${cut} part ${part} run ${run} element ${i}`);
            expect<f32>(back.get(run * n + i)).toBe(1 + want, `back: cut ${cut} part ${part} run ${run} element ${i}`);
          }
        expect<bool>(out.intact() && back.intact()).toBe(true);
      }
    }
  });

  it("with rate 0 changes nothing, with rate 1 leaves zeros", () => {
    const x = noiseBlock(9);
    const out = new Block(9);
    dropout(out.at, x.at, 1, 9, 0, 0, seedBlock().at, 0);
    for (let i = 0; i < 9; ++i) expect<f32>(out.get(i)).toBe(x.get(i));
    dropout(out.at, x.at, 1, 9, 0, 1, seedBlock().at, 0);
    for (let i = 0; i < 9; ++i) expect<f32>(out.get(i)).toBe(0);
  });
});
