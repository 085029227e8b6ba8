// Gaussian noise: the numbers are quantiles of the words, and as a crowd they have the mean, variance and tails of the normal
// distribution.

import { gaussianNoise, normal4 } from "../../assembly/noise";
import { threefry } from "../../assembly/random";
import { Block, difference, noiseBlock, reseed } from "./blocks";

function seedBlock(): Block {
  const seed = new Block(4);
  seed.setInt(0, 42);
  seed.setInt(1, -7);
  seed.setInt(2, 0);
  seed.setInt(3, 0);
  return seed;
}

/** The share of normal numbers above z > 0: its integral by Simpson's rule. */
function above(z: f64): f64 {
  const end = z + 8, steps = 20000;
  const h = (end - z) / steps;
  let sum = 0.0;
  for (let k = 0; k <= steps; k++) {
    const t = z + h * k;
    sum += (k == 0 || k == steps ? 1.0 : k % 2 == 1 ? 4.0 : 2.0) * Math.exp(-0.5 * t * t);
  }
  return (sum * h) / 3 / Math.sqrt(2 * Math.PI);
}

function normalOf(word: i32): f64 {
  return <f64>f32x4.extract_lane(normal4(i32x4.splat(word)), 0);
}

describe("normal4", () => {
  it("is the quantile of its word, from the middle far into the tails", () => {
    // A quantile that is off by d moves the share above it by its density times d, which is at most z * share * d for z > 1.
    const words: i32[] = [0, 1000, 100000000, 700000000, 1000000000, 1460000000, 2000000000, 2140000000, 2147000000, 2147480000];
    for (let k = 0; k < words.length; k++) {
      const z = normalOf(words[k]);
      const share = (2147483647.5 - <f64>words[k]) / 4294967296.0;
      const density = Math.exp(-0.5 * z * z) / Math.sqrt(2 * Math.PI);
      expect<f64>(abs(above(z) - share) / density / max(z, 1e-3)).toBeLessThan(2e-6, `word ${words[k]}: ${z}`);
    }
    expect<f64>(difference(normalOf(0x7fffffff), 6.338)).toBeLessThan(1e-3);
  });

  it("is odd: a word and its complement are opposites", () => {
    const words: i32[] = [0, 1, 77, 123456789, 2147483647];
    for (let k = 0; k < words.length; k++) expect<f64>(normalOf(~words[k])).toBe(-normalOf(words[k]));
  });
});

describe("gaussianNoise", () => {
  it("adds the normal number of its word, at every length, also in place", () => {
    const seed = seedBlock();
    for (let n = 1; n <= 21; ++n) {
      reseed(n);
      const x = noiseBlock(n);
      const words = new Block(24);
      for (let block = 0; block < 12; block += 4) threefry(words.at + block * 8, 8, block, 0, 3, 42, -7);
      const out = new Block(n);
      gaussianNoise(out.at, x.at, 1, n, 0, 0.25, seed.at, 3);
      for (let i = 0; i < n; ++i) {
        const want = <f64>x.get(i) + 0.25 * normalOf(words.getInt(i));
        expect<f64>(difference(<f64>out.get(i), want)).toBeLessThan(2e-7, `n ${n} element ${i}`);
      }
      gaussianNoise(x.at, x.at, 1, n, 0, 0.25, seed.at, 3);
      for (let i = 0; i < n; ++i) expect<f32>(x.get(i)).toBe(out.get(i));
      expect<bool>(out.intact() && x.intact()).toBe(true);
    }
  });

  it("is the same for each sample, however a batch is cut into parts", () => {
    const samples = 3, width = 5, runs = 2;
    const x = noiseBlock(runs * samples * width);
    const all = new Block(runs * samples * width);
    gaussianNoise(all.at, x.at, 1, runs * samples * width, 0, 0.5, seedBlock().at, 3);
    for (let sample = 0; sample < samples; ++sample) {
      const seed = seedBlock();
      seed.setInt(2, sample);
      seed.setInt(3, samples - 1);
      const own = new Block(runs * width);
      for (let run = 0; run < runs; ++run)
        for (let i = 0; i < width; ++i) own.set(run * width + i, x.get((run * samples + sample) * width + i));
      gaussianNoise(own.at, own.at, runs, width, width, 0.5, seed.at, 3);
      for (let run = 0; run < runs; ++run)
        for (let i = 0; i < width; ++i)
          expect<f32>(own.get(run * width + i)).toBe(all.get((run * samples + sample) * width + i));
    }
  });

  it("has the moments and tails of the normal distribution, and differs from stream to stream", () => {
    const n = 1000000;
    const out = new Block(n), other = new Block(n), zeros = new Block(n);
    for (let i = 0; i < n; ++i) zeros.set(i, 0);
    gaussianNoise(out.at, zeros.at, 1, n, 0, 1, seedBlock().at, 0);
    gaussianNoise(other.at, zeros.at, 1, n, 0, 1, seedBlock().at, 1);
    let mean = 0.0, square = 0.0, cube = 0.0, fourth = 0.0, product = 0.0, next = 0.0;
    const beyond: i32[] = [0, 0, 0, 0];
    for (let i = 0; i < n; ++i) {
      const x = <f64>out.get(i);
      mean += x / n;
      square += (x * x) / n;
      cube += (x * x * x) / n;
      fourth += (x * x * x * x) / n;
      product += (x * <f64>other.get(i)) / n;
      if (i > 0) next += (x * <f64>out.get(i - 1)) / n;
      for (let k = 1; k < 5; ++k) if (abs(x) > <f64>k) beyond[k - 1]++;
    }
    // Four standard errors of each.
    expect<f64>(abs(mean)).toBeLessThan(0.004);
    expect<f64>(abs(square - 1)).toBeLessThan(0.0057);
    expect<f64>(abs(cube)).toBeLessThan(0.0155);
    expect<f64>(abs(fourth - 3)).toBeLessThan(0.04);
    expect<f64>(abs(product)).toBeLessThan(0.004);
    expect<f64>(abs(next)).toBeLessThan(0.004);
    for (let k = 1; k < 5; ++k) {
      const want = 2 * above(<f64>k) * n;
      expect<f64>(abs(<f64>beyond[k - 1] - want)).toBeLessThan(4 * Math.sqrt(want), `beyond ${k}: ${beyond[k - 1]}`);
    }
    out.free();
    other.free();
    zeros.free();
  });

  it("with deviation 0 changes nothing", () => {
    const x = noiseBlock(9);
    const out = new Block(9);
    gaussianNoise(out.at, x.at, 1, 9, 0, 0, seedBlock().at, 0);
    for (let i = 0; i < 9; ++i) expect<f32>(out.get(i)).toBe(x.get(i));
  });
});
