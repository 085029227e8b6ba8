// Cases of the ops of convolution and pooling: odd sizes, every stride and distance of taps, groups, both orders in memory.
import type { Builder } from "../src/ops/builder.js";
import * as ops from "../src/ops/index.js";
import type { Value } from "../src/ops/op.js";
import * as conv from "./convReference.js";
import { numbers, type OpCase, show } from "./gradcheck.js";
import { type Real, real } from "./reference.js";

type Case = OpCase & { name: string };

const lie = (b: Builder, x: Value, timeMajor: boolean) => (timeMajor ? b.timeMajor(x) : x);
const orders = [false, true];

/** Batch, length, channels, filters, taps. */
const SIZES = [
  { B: 1, T: 1, C: 1, F: 1, k: 1 },
  { B: 3, T: 7, C: 3, F: 5, k: 3 },
  { B: 1, T: 9, C: 17, F: 1, k: 2 },
  { B: 5, T: 8, C: 1, F: 17, k: 3 },
  { B: 3, T: 5, C: 5, F: 3, k: 5 },
];
const MOVES = [
  { stride: 1, dilation: 1 },
  { stride: 2, dilation: 1 },
  { stride: 5, dilation: 1 },
  { stride: 1, dilation: 2 },
  { stride: 2, dilation: 3 },
];
const grid = SIZES.flatMap((size) =>
  MOVES.filter(({ dilation }) => (size.k - 1) * dilation < size.T).flatMap((moves) =>
    orders.map((timeMajor) => ({ ...size, ...moves, timeMajor })),
  ),
);
const GROUPED = [
  { B: 3, T: 7, C: 4, F: 6, k: 3, groups: 2 },
  { B: 1, T: 9, C: 6, F: 3, k: 2, groups: 3 },
  { B: 3, T: 6, C: 10, F: 34, k: 3, groups: 2 },
].flatMap((size) =>
  MOVES.slice(0, 4).flatMap((moves) => orders.map((timeMajor) => ({ ...size, ...moves, timeMajor }))),
);

/** More rows than are taken at once, in both orders. */
const LONG = orders.map((timeMajor) => ({
  B: 2,
  T: 230,
  C: 2,
  F: 3,
  k: 3,
  stride: 1,
  dilation: 1,
  timeMajor,
}));

const spanOf = ({ k, dilation }: { k: number; dilation: number }) => (k - 1) * dilation + 1;
const biased = (F: number, hasBias: boolean) => (hasBias ? [numbers([F], 3)] : []);

export const conv1D: Case[] = [...grid, ...GROUPED, ...LONG].flatMap((sizes) =>
  [true, false].map((hasBias): Case => {
    const { B, T, C, F, k, stride, dilation, timeMajor } = sizes;
    const { groups = 1 } = sizes as { groups?: number };
    const { steps } = conv.windows(T, spanOf(sizes), { stride });
    const attributes = { stride, dilation, groups, steps };
    return {
      name: `${show(sizes)} bias=${hasBias}`,
      given: [numbers([B, T, C], 1), numbers([k, C / groups, F], 2), ...biased(F, hasBias)],
      build: (b, [x, ...weights]) =>
        b.apply(ops.conv1D, "conv", [lie(b, x, timeMajor), ...weights], attributes),
      reference: ([x, kernel, bias]) => [conv.conv1D(x, kernel, bias, { stride, dilation, groups })],
    };
  }),
);

export const conv1DTranspose: Case[] = [...grid, ...LONG].flatMap((sizes) =>
  [0, 2].map((more): Case => {
    const { B, T, C, F, k, stride, dilation, timeMajor } = sizes;
    const steps = (T - 1) * stride + spanOf(sizes) + more;
    return {
      name: `${show(sizes)} more=${more}`,
      given: [numbers([B, T, C], 1), numbers([k, F, C], 2), ...biased(F, more > 0)],
      build: (b, [x, ...weights]) => {
        const inputs = [lie(b, x, timeMajor), ...weights];
        return b.apply(ops.conv1DTranspose, "conv", inputs, { stride, dilation, steps });
      },
      reference: ([x, kernel, bias]) => [
        conv.conv1DTranspose(x, kernel, bias, { stride, dilation }, { from: 0, steps }),
      ],
    };
  }),
);

export const depthwiseConv1D: Case[] = [...grid, ...LONG].flatMap((sizes) =>
  [true, false].map((hasBias): Case => {
    const { B, T, C, k, stride, dilation, timeMajor } = sizes;
    const { steps } = conv.windows(T, spanOf(sizes), { stride });
    return {
      name: `${show(sizes)} bias=${hasBias}`,
      given: [numbers([B, T, C], 1), numbers([k, C, 1], 2), ...biased(C, hasBias)],
      build: (b, [x, ...weights]) => {
        const inputs = [lie(b, x, timeMajor), ...weights];
        return b.apply(ops.depthwiseConv1D, "conv", inputs, { stride, dilation, steps });
      },
      reference: ([x, kernel, bias]) => [conv.depthwiseConv1D(x, kernel, bias, { stride, dilation })],
    };
  }),
);

/** All different, in no order: central differences know no ties. */
const distinct = (shape: number[]): Real => {
  const n = shape.reduce((a, b) => a * b, 1);
  return real(shape, (i) => ((i * 37 + 11) % 101) / 64 + i / 1024 - (n % 2));
};

export const pool: Case[] = [false, true].flatMap((mean) =>
  SIZES.flatMap(({ B, T, C, k: size }) =>
    [1, 2, 3].flatMap((stride) =>
      (["valid", "same"] as const).flatMap((padding) =>
        orders.map((timeMajor): Case => {
          const { steps, before } = conv.windows(T, size, { stride, padding });
          const attributes = { mean, size, stride, before, steps };
          return {
            name: `${mean ? "mean" : "max"} ${show({ B, T, C, size, stride, padding, timeMajor })}`,
            given: [distinct([B, T, C])],
            build: (b, [x]) => b.apply(ops.pool, "pool", [lie(b, x, timeMajor)], attributes),
            reference: ([x]) => [conv.pool(x, size, mean, { stride, padding })],
          };
        }),
      ),
    ),
  ),
);

export const pad: Case[] = SIZES.flatMap(({ B, T, C }) =>
  [
    [1, 1],
    [0, 3],
    [2, 0],
  ].flatMap(([before, after]) =>
    orders.map(
      (timeMajor): Case => ({
        name: show({ B, T, C, before, after, timeMajor }),
        given: [numbers([B, T, C], 1)],
        build: (b, [x]) => b.apply(ops.pad, "pad", [lie(b, x, timeMajor)], { axis: 1, before, after }),
        reference: ([x]) => [conv.pad(x, before, after)],
      }),
    ),
  ),
);

export const upSample: Case[] = SIZES.flatMap(({ B, T, C }) =>
  [1, 2, 3].flatMap((times) =>
    orders.map(
      (timeMajor): Case => ({
        name: show({ B, T, C, times, timeMajor }),
        given: [numbers([B, T, C], 1)],
        build: (b, [x]) => b.apply(ops.upSample, "longer", [lie(b, x, timeMajor)], { times }),
        reference: ([x]) => [
          conv.sequence([B, T * times, C], (b, t, c) => x.data[(b * T + Math.floor(t / times)) * C + c]),
        ],
      }),
    ),
  ),
);
