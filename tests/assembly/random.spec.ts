// Threefry against the known answers of its authors' library (Random123: threefry2x32, 20 rounds), and
// the layout that other implementations repeat.

import { threefry, uniform } from "../../assembly/random";
import { Block } from "./blocks";

function word(block: u32, stream: u32, key0: u32, key1: u32, which: i32): u32 {
  const out = new Block(8);
  threefry(out.at, 8, <i32>block, 0, <i32>stream, <i32>key0, <i32>key1);
  return <u32>out.getInt(which);
}

function seedBlock(): Block {
  const seed = new Block(2);
  seed.setInt(0, 0x13198a2e);
  seed.setInt(1, 0x03707344);
  return seed;
}

describe("threefry", () => {
  it("gives the known answers", () => {
    expect<u32>(word(0, 0, 0, 0, 0)).toBe(0x6b200159);
    expect<u32>(word(0, 0, 0, 0, 1)).toBe(0x99ba4efe);
    expect<u32>(word(0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0)).toBe(0x1cb996fc);
    expect<u32>(word(0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 1)).toBe(0xbb002be7);
    expect<u32>(word(0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0)).toBe(0xc4923a9c);
    expect<u32>(word(0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 1)).toBe(0x483df7a0);
  });

  it("computes four blocks as it computes each", () => {
    for (let i = 0; i < 8; ++i) {
      expect<u32>(word(10, 3, 1, 2, i)).toBe(word(<u32>(10 + i / 2), 3, 1, 2, i & 1));
    }
  });
});

describe("uniform", () => {
  it("takes word k & 1 of block k / 2, its upper 24 bits, at every length", () => {
    const seed = seedBlock();
    for (let n = 0; n <= 21; ++n) {
      const out = new Block(n);
      uniform(out.at, n, seed.at, 7);
      for (let k = 0; k < n; ++k) {
        const bits = word(<u32>(k / 2), 7, 0x13198a2e, 0x03707344, k & 1) >> 8;
        expect<f32>(out.get(k)).toBe(<f32>bits / 16777216, `n ${n} element ${k}`);
      }
      expect<bool>(out.intact()).toBe(true);
    }
  });

  it("is uniform, and differs from stream to stream", () => {
    const n = 100000;
    const out = new Block(n);
    const other = new Block(n);
    uniform(out.at, n, seedBlock().at, 0);
    uniform(other.at, n, seedBlock().at, 1);
    let outside = 0;
    let mean = 0.0, square = 0.0, product = 0.0;
    for (let i = 0; i < n; ++i) {
      const x = <f64>out.get(i) - 0.5;
      if (!(out.get(i) >= 0 && out.get(i) < 1)) ++outside;
      mean += x / n;
      square += (x * x) / n;
      product += (x * (<f64>other.get(i) - 0.5)) / n;
    }
    expect<i32>(outside).toBe(0);
    expect<f64>(abs(mean)).toBeLessThan(0.004);
    expect<f64>(abs(square - 1.0 / 12)).toBeLessThan(0.001);
    expect<f64>(abs(product)).toBeLessThan(0.001);
  });
});
