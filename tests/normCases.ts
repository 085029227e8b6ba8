// Cases of ops.test.ts for the ops of the normalization and noise layers.
import type { Builder } from "../src/ops/builder.js";
import * as ops from "../src/ops/index.js";
import type { Value } from "../src/ops/op.js";
import { differentiate } from "./differentiate.js";
import { asItLies, fixed, ids, maskFor, numbers, type OpCase, SIZES, show } from "./gradcheck.js";
import * as normReference from "./normReference.js";
import { type Real, real, transpose } from "./reference.js";

type Case = OpCase & { name: string };

/** Which of gamma and beta are there. */
const AFFINE = [
  { scale: true, center: true },
  { scale: true, center: false },
  { scale: false, center: true },
  { scale: false, center: false },
];

/** gamma and beta among the inputs, each in its place or undefined. */
function spread<V>(values: readonly V[], { scale, center }: (typeof AFFINE)[number]): (V | undefined)[] {
  return [scale ? values[0] : undefined, center ? values[scale ? 1 : 0] : undefined];
}

/** Across a strip of 64 rows too. */
const ROWS = [...SIZES, { U: 6, B: 5, T: 14 }];

export const layerNormalization: Case[] = ROWS.flatMap(({ U, B, T }) =>
  AFFINE.flatMap((affine) =>
    [false, true].flatMap((rms) =>
      // Two axes: [T, U] of every sample.
      [1, 2].map((axes): Case => {
        const shape = axes === 1 ? [U] : [T, U];
        const given = [
          numbers([B, T, U], 1),
          ...(affine.scale ? [numbers(shape, 2)] : []),
          ...(affine.center ? [numbers(shape, 3)] : []),
        ];
        const attributes = { axes, rms, epsilon: 1e-2 };
        return {
          name: show({ U, B, T, ...affine, rms, axes }),
          given,
          build: (b, [x, ...rest]) =>
            b.apply(ops.layerNormalization, "norm", [x, ...spread(rest, affine)], attributes),
          reference: ([x, ...rest]) => [
            normReference.layerNormalization(x, ...(spread(rest, affine) as [Real?, Real?]), attributes),
          ],
        };
      }),
    ),
  ),
);

export const columnMoments: Case[] = ROWS.flatMap(({ U, B, T }) =>
  [false, true].flatMap((masked) =>
    [false, true].map((timeMajor): Case => {
      const order = (b: Builder, value: Value | undefined) =>
        value && (timeMajor ? b.timeMajor(value) : value);
      return {
        name: show({ U, B, T, masked, timeMajor }),
        given: [numbers([B, T, U], 1), ...(masked ? [ids(maskFor(B, T))] : [])],
        build: (b, [x, mask]) => b.apply(ops.columnMoments, "moments", [order(b, x), order(b, mask)], {}),
        reference: ([x, mask]) => normReference.columnMoments(x, mask),
      };
    }),
  ),
);

export const normalizeColumns: Case[] = ROWS.flatMap(({ U, B, T }) =>
  AFFINE.flatMap((affine) =>
    [false, true].map((trained): Case => {
      const statistics = [numbers([U], 4), numbers([U], 5, 0.25, 2)];
      return {
        name: show({ U, B, T, ...affine, trained }),
        given: [
          numbers([B, T, U], 1),
          ...(trained ? statistics : statistics.map(fixed)),
          ...(affine.scale ? [numbers([U], 2)] : []),
          ...(affine.center ? [numbers([U], 3)] : []),
        ],
        build: (b, [x, mean, variance, ...rest]) =>
          b.apply(ops.normalizeColumns, "norm", [x, mean, variance, ...spread(rest, affine)], {
            epsilon: 1e-3,
          }),
        reference: ([x, mean, variance, ...rest]) => [
          normReference.normalizeColumns(x, [mean, variance], ...(spread(rest, affine) as [Real?, Real?])),
        ],
      };
    }),
  ),
);

// All three together, time-major: the gradient of the statistics flows back into x.
for (const masked of [false, true]) {
  normalizeColumns.push({
    name: `by its own moments, time-major, masked ${masked}`,
    given: [numbers([3, 7, 5], 1), numbers([5], 2), ...(masked ? [ids(maskFor(3, 7))] : [])],
    build(b, [x, gamma, mask]) {
      const inTime = b.timeMajor(x);
      const moments = b.apply(ops.columnMoments, "moments", [inTime, mask && b.timeMajor(mask)], {});
      const [out] = b.apply(ops.normalizeColumns, "norm", [inTime, ...moments, gamma], { epsilon: 1e-3 });
      return [asItLies(out)];
    },
    reference: ([x, gamma, mask]) => [
      transpose(normReference.normalizeColumns(x, normReference.columnMoments(x, mask), gamma)),
    ],
  });
}

export const movingAverage: Case[] = [1, 3, 5, 17].map((n) => ({
  name: `n=${n}`,
  given: [fixed(numbers([n], 1)), fixed(numbers([n], 2))],
  build: (b, values) => b.apply(ops.movingAverage, "moving", values, { momentum: 0.75 }),
  reference: ([average, value]) => [real([n], (i) => average.data[i] * 0.75 + value.data[i] * 0.25)],
}));

const seed = ids({ shape: [2], data: [12345, 67] });

const noiseOf =
  (stddev: number): Case["build"] =>
  (b, [x, seed]) =>
    b.apply(ops.gaussianNoise, "noise", [x], { stddev, seed: seed.pointer, stream: 3 });

export const gaussianNoise: Case[] = await Promise.all(
  [0, 0.25, 1].flatMap((stddev) =>
    [1, 3, 5, 17, 1000].map(async (n): Promise<Case> => {
      const zeros = fixed(real([n], () => 0));
      const noise = (await differentiate([zeros, seed], noiseOf(1))).outputs[0];
      return {
        name: `stddev ${stddev} n=${n}`,
        given: [numbers([n], 1), seed],
        build: noiseOf(stddev),
        reference: ([x]) => [real([n], (i) => x.data[i] + stddev * noise[i])],
      };
    }),
  ),
);
