// Gradients from central differences of a float64 function, compared with the engine's; and the numbers such checks use.
// Not here: what is differentiated (reference.ts) and how the engine does it (differentiate.ts, support.ts).
import * as assert from "uvu/assert";
import type { Builder } from "../src/ops/builder.js";
import type { Value } from "../src/ops/op.js";
import type { Loss } from "../src/training/losses.js";
import { differentiate, type Given } from "./differentiate.js";
import { type Real, real } from "./reference.js";
import { assertClose } from "./support.js";

/** The slope of `f` along each number of each input in `which`: (f(x + h) - f(x - h)) / 2h with h = 1e-5 · max(1, |x|).
 * Exact to about 1e-9 of the largest for functions whose size and curvature are about one. */
export function centralDifferences(
  f: (inputs: readonly Real[]) => number,
  inputs: readonly Real[],
  which: readonly number[] = inputs.map((_, index) => index),
): number[][] {
  return which.map((index) =>
    inputs[index].data.map((x, place) => {
      const step = 1e-5 * Math.max(1, Math.abs(x));
      const at = (moved: number) => {
        const data = inputs[index].data.with(place, moved);
        return f(inputs.with(index, { shape: inputs[index].shape, data }));
      };
      return (at(x + step) - at(x - step)) / (x + step - (x - step));
    }),
  );
}

/** Σ weights · outputs over several outputs: the scalar whose gradient `differentiate` gives. */
export function weigh(outputs: readonly Real[], weights: readonly Real[]): number {
  let total = 0;
  outputs.forEach(({ data }, index) => {
    data.forEach((x, place) => {
      total += x * weights[index].data[place];
    });
  });
  return total;
}

/** Repeatable numbers from `low` to `high` that float32 holds exactly, at least 1/512 away from every multiple of 1/2:
 * so they stay clear of the kinks of relu, hardSigmoid and their like. */
export function numbers(shape: readonly number[], seed: number, low = -1, high = 1): Real {
  const next = randomBits(seed);
  return real(shape, () => {
    const x = Math.fround(low + (high - low) * (next() / 2 ** 32));
    const kink = Math.round(x * 2) / 2;
    if (Math.abs(x - kink) >= 1 / 512) return x;
    return kink + (kink + 1 / 512 <= high ? 1 : -1) / 512;
  });
}

/** Repeatable whole numbers from 0 to `limit` - 1. */
export function integers(shape: readonly number[], seed: number, limit: number): Real {
  const next = randomBits(seed);
  return real(shape, () => Math.floor((next() / 2 ** 32) * limit));
}

/** mulberry32: 32 random bits a call. */
function randomBits(seed: number): () => number {
  let state = Math.imul(seed + 1, 0x9e3779b9);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return (x ^ (x >>> 14)) >>> 0;
  };
}

/** Units, batch and time: odd, and not multiples of a vector. */
export const SIZES = [
  { U: 1, B: 1, T: 1 },
  { U: 3, B: 3, T: 7 },
  { U: 5, B: 1, T: 7 },
  { U: 17, B: 3, T: 1 },
  { U: 17, B: 1, T: 7 },
];
export const show = (sizes: object) =>
  Object.entries(sizes)
    .map(([name, value]) => `${name}=${value}`)
    .join(" ");

/** Masks that begin, end and are broken by masked steps; the last row keeps all. */
export const maskFor = (B: number, T: number): Real =>
  real([B, T], (i) => (i >= (B - 1) * T && B > 1 ? 1 : [0, 3, T - 1].includes(i % T) ? 0 : 1));

/** Ids, labels or masks. */
export const ids = ({ shape, data }: Real): Given => ({ shape: [...shape], data, dtype: "int32" });
/** Numbers that no gradient flows to. */
export const fixed = ({ shape, data }: Real): Given => ({ shape: [...shape], data, wantsGradient: false });

export function wantsGradient(given: Real | Given): boolean {
  const { dtype = "float32", wantsGradient = dtype === "float32" } = given as Given;
  return wantsGradient;
}

/** A time-major value as it lies in memory: its first two axes in that order, and batch-major. */
export const asItLies = (value: Value): Value => ({
  ...value,
  shape: [value.shape[1], value.shape[0], ...value.shape.slice(2)],
  timeMajor: false,
});

/** Some ops on some inputs, in the engine and in float64. */
export interface OpCase {
  /** float32 with a gradient, unless wrapped in `ids` or `fixed`. */
  given: readonly (Real | Given)[];
  build(builder: Builder, values: Value[]): Value[];
  reference(inputs: readonly Real[]): Real[];
  /** What the way back is multiplied by. Default 1. */
  scale?: number;
}

/** Outputs and every gradient of a case; then the gradients again, where something has already reached each input. */
export async function checkOp(
  { given, build, reference, scale = 1 }: OpCase,
  tolerance = 1e-5,
): Promise<void> {
  const inputs = given.map(({ shape, data }): Real => ({ shape, data: Array.from(data) }));
  const sources = given.map((each): Given => ({ ...each, shape: [...each.shape] }));
  const wanted = given.flatMap((each, index) => (wantsGradient(each) ? [index] : []));
  const expected = reference(inputs);
  const weights = expected.map(({ shape }, index) => numbers(shape, 100 + index));
  const seeds = weights.map(({ data }) => data);

  const found = await differentiate(sources, build, seeds);
  assert.is(found.outputs.length, expected.length, "number of outputs");
  expected.forEach(({ data }, index) => {
    assertClose(`output ${index}`, found.outputs[index], data, tolerance);
  });
  const slopes = centralDifferences((moved) => weigh(reference(moved), weights), inputs, wanted);
  wanted.forEach((index, k) => {
    const gradient = found.gradients[index];
    assert.ok(gradient, `input ${index} has a gradient`);
    assertClose(
      `gradient of input ${index}`,
      gradient,
      slopes[k].map((slope) => slope * scale),
      tolerance,
    );
  });

  // Each input is an output of its own, too: its gradient is there before the op adds to it.
  const before = wanted.map((index) => numbers(inputs[index].shape, 200 + index).data);
  const withInputs = (builder: Builder, values: Value[]) => [
    ...build(builder, values),
    ...wanted.map((index) => values[index]),
  ];
  const again = await differentiate(sources, withInputs, [...seeds, ...before]);
  wanted.forEach((index, k) => {
    const sum = slopes[k].map((slope, place) => slope * scale + before[k][place]);
    assertClose(`accumulated gradient of input ${index}`, again.gradients[index]!, sum, tolerance);
  });
}

/** Targets and predictions of a loss [rows, columns], from what it is made for. */
export function lossInputs({ kernel, sparse }: Loss, rows: number, columns: number): OpCase["given"] {
  const shape = [rows, columns];
  const positive = (seed: number) => numbers(shape, seed, 0.05, 0.95);
  const signs = integers(shape, 5, 2).data.map((bit) => 2 * bit - 1);
  const oneHot = real(shape, (i) => (i % columns === Math.floor(i / columns) % columns ? 1 : 0));
  const classes = ids(integers([rows], 6, columns));
  if (kernel.endsWith("Logits")) return [sparse ? classes : fixed(positive(1)), numbers(shape, 2, -4, 4)];
  if (sparse) return [classes, positive(2)];
  if (kernel === "categoricalHinge") return [fixed(oneHot), numbers(shape, 2)];
  if (/hinge/i.test(kernel)) return [fixed({ shape, data: signs }), numbers(shape, 2, -2, 2)];
  if (/entropy|divergence|poisson|logarithmic|tversky/i.test(kernel))
    return [fixed(positive(1)), positive(2)];
  if (/percentage/i.test(kernel)) return [fixed(numbers(shape, 1, 0.5, 2)), numbers(shape, 2)];
  return [fixed(numbers(shape, 1, -2, 2)), numbers(shape, 2, -2, 2)];
}

/** A loss with its defaults and with each of its options. */
export function lossVariants(make: (options?: object) => Loss): Loss[] {
  const has = (option: string) => option in make().config;
  const options: object[] = [{}];
  if (has("fromLogits")) options.push({ fromLogits: true });
  if (has("labelSmoothing"))
    options.push({ labelSmoothing: 0.125 }, { labelSmoothing: 0.125, fromLogits: true });
  if (has("delta")) options.push({ delta: 0.625 });
  if (has("gamma")) options.push({ gamma: 0 }, { gamma: 1.5, alpha: 0.75 });
  if (has("applyClassBalancing")) options.push({ applyClassBalancing: true, gamma: 3 });
  if (has("beta")) options.push({ alpha: 0.25, beta: 0.75 });
  return options.map(make);
}
