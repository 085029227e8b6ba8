// Cases of the ops on axes, of functions of each number and of products of batches, with plain float64 references.

import { permute as permuteValue, reduce as reduceValue } from "../src/layers/values.js";
import type { Builder } from "../src/ops/builder.js";
import type { COMPARISONS } from "../src/ops/compare.js";
import type { ELEMENTWISE } from "../src/ops/elementwise.js";
import * as ops from "../src/ops/index.js";
import type { Value } from "../src/ops/op.js";
import { REDUCTIONS } from "../src/ops/reduce.js";
import type { OpCase } from "./gradcheck.js";
import { fixed, ids, maskFor, numbers, SIZES, show } from "./gradcheck.js";
import { product, type Real, real } from "./reference.js";

type Case = OpCase & { name: string };

/** Places of a flat index along the axes of a shape, and back. */
const placesIn = (shape: readonly number[], index: number) =>
  shape.map((d, axis) => Math.floor(index / product(shape.slice(axis + 1))) % d);
const indexIn = (shape: readonly number[], places: readonly number[]) =>
  places.reduce((index, place, axis) => index * shape[axis] + place, 0);

const RANK3 = SIZES.map(({ U, B, T }) => [B, T, U]);
const orders = [false, true];
const lie = (b: Builder, x: Value, timeMajor: boolean) => (timeMajor ? b.timeMajor(x) : x);

export const expand: Case[] = RANK3.flatMap((full) =>
  [0, 1, 2].flatMap((axis) =>
    orders.map((timeMajor): Case => {
      const shape = full.with(axis, 1);
      return {
        name: `[${shape}] along ${axis}${timeMajor ? ", time-major" : ""}`,
        given: [numbers(shape, 1)],
        build: (b, [x]) => b.apply(ops.expand, "expand", [lie(b, x, timeMajor)], { axis, size: full[axis] }),
        reference: ([x]) => [real(full, (i) => x.data[indexIn(shape, placesIn(full, i).with(axis, 0))])],
      };
    }),
  ),
);

const RULES = {
  sum: (x: number[]) => x.reduce((a, b) => a + b, 0),
  mean: (x: number[]) => x.reduce((a, b) => a + b, 0) / x.length,
  max: (x: number[]) => Math.max(...x),
  min: (x: number[]) => Math.min(...x),
};

/** A reduction with its axes kept. */
function reduced(x: Real, axes: readonly number[], rule: (x: number[]) => number): Real {
  const shape = x.shape.map((d, axis) => (axes.includes(axis) ? 1 : d));
  const groups = Array.from({ length: product(shape) }, (): number[] => []);
  x.data.forEach((v, i) => {
    groups[
      indexIn(
        shape,
        placesIn(x.shape, i).map((p, axis) => (axes.includes(axis) ? 0 : p)),
      )
    ].push(v);
  });
  return { shape, data: groups.map(rule) };
}

export const reduce: Case[] = REDUCTIONS.flatMap((reduction) => [
  ...RANK3.flatMap((shape) =>
    [[0], [1], [2], [0, 1], [1, 2], [0, 2], [0, 1, 2]].flatMap((axes) =>
      orders.map(
        (timeMajor): Case => ({
          name: `${reduction} of [${shape}] over ${axes}${timeMajor ? ", time-major" : ""}`,
          given: [numbers(shape, 3)],
          build: (b, [x]) => [reduceValue(b, "reduce", lie(b, x, timeMajor), axes, reduction, true)],
          reference: ([x]) => [reduced(x, axes, RULES[reduction])],
        }),
      ),
    ),
  ),
  {
    name: `${reduction} of five axes`,
    given: [numbers([2, 3, 2, 5, 3], 4)],
    build: (b, [x]) => [reduceValue(b, "reduce", b.timeMajor(x), [1, 3], reduction, true)],
    reference: ([x]) => [reduced(x, [1, 3], RULES[reduction])],
  },
]);

const permuted = (x: Real, axes: readonly number[]): Real => {
  const shape = axes.map((axis) => x.shape[axis]);
  return real(shape, (i) => {
    const places = new Array<number>(axes.length);
    placesIn(shape, i).forEach((place, k) => {
      places[axes[k]] = place;
    });
    return x.data[indexIn(x.shape, places)];
  });
};

const PERMUTED: [number[], number[]][] = [
  ...RANK3.flatMap((shape): [number[], number[]][] =>
    [
      [0, 2, 1],
      [2, 1, 0],
      [1, 2, 0],
      [1, 0, 2],
    ].map((axes) => [shape, axes]),
  ),
  [
    [2, 3, 5, 4],
    [0, 2, 1, 3],
  ],
  [
    [2, 3, 5, 4],
    [3, 1, 2, 0],
  ],
  [
    [2, 3, 1, 4, 5],
    [0, 4, 1, 3, 2],
  ],
  [
    [2, 3, 2, 4, 5],
    [4, 2, 0, 3, 1],
  ],
];

export const swapBlocks: Case[] = PERMUTED.flatMap(([shape, axes]) =>
  orders.map(
    (timeMajor): Case => ({
      name: `[${shape}] to ${axes}${timeMajor ? ", time-major" : ""}`,
      given: [numbers(shape, 5)],
      build: (b, [x]) => [permuteValue(b, "permute", lie(b, x, timeMajor), axes)],
      reference: ([x]) => [permuted(x, axes)],
    }),
  ),
);

export const slice: Case[] = RANK3.flatMap((shape) =>
  [0, 1, 2].flatMap((axis) =>
    orders.map((timeMajor): Case => {
      const size = Math.ceil(shape[axis] / 2);
      const from = shape[axis] - size;
      const part = shape.with(axis, size);
      return {
        name: `[${shape}] along ${axis}${timeMajor ? ", time-major" : ""}`,
        given: [numbers(shape, 6)],
        build: (b, [x]) => b.apply(ops.slice, "slice", [lie(b, x, timeMajor)], { axis, from, size }),
        reference: ([x]) => [
          real(part, (i) => {
            const places = placesIn(part, i);
            return x.data[indexIn(shape, places.with(axis, places[axis] + from))];
          }),
        ],
      };
    }),
  ),
);

const turn = (x: Real) =>
  permuted(x, [...x.shape.keys()].slice(0, -2).concat(x.shape.length - 1, x.shape.length - 2));

/** Products of a batch; a matrix alone is shared. */
function products(a: Real, b: Real): Real {
  const leading = (a.shape.length > 2 ? a : b).shape.slice(0, -2);
  const [M, K] = a.shape.slice(-2);
  const N = b.shape.at(-1)!;
  const start = ({ shape }: Real, batch: number) =>
    shape.length === 2 ? 0 : batch * product(shape.slice(-2));
  return real([...leading, M, N], (i) => {
    const [batch, m, n] = [Math.floor(i / (M * N)), Math.floor(i / N) % M, i % N];
    let sum = 0;
    for (let k = 0; k < K; k++) {
      sum += a.data[start(a, batch) + m * K + k] * b.data[start(b, batch) + k * N + n];
    }
    return sum;
  });
}

const MATRICES = [
  { leading: [1], M: 1, N: 1, K: 1 },
  { leading: [3], M: 5, N: 3, K: 17 },
  { leading: [2, 3], M: 17, N: 5, K: 3 },
  { leading: [5], M: 1, N: 17, K: 5 },
];

export const matmul: Case[] = MATRICES.flatMap(({ leading, M, N, K }) =>
  (["none", "a", "b"] as const).flatMap((turned) =>
    ["own", "shared a", "shared b"].map((which): Case => {
      const shape = (rows: number, columns: number, isTurned: boolean, isShared: boolean) => [
        ...(isShared ? [] : leading),
        ...(isTurned ? [columns, rows] : [rows, columns]),
      ];
      return {
        name: `[${leading}] ${show({ M, N, K, turned })}, ${which}`,
        given: [
          numbers(shape(M, K, turned === "a", which === "shared a"), 7),
          numbers(shape(K, N, turned === "b", which === "shared b"), 8),
        ],
        build: (b, values) => b.apply(ops.matmul, "matmul", values, { turned }),
        reference: ([x, y]) => [products(turned === "a" ? turn(x) : x, turned === "b" ? turn(y) : y)],
      };
    }),
  ),
);

/** 2/√π ∫ e^(-t²) by its series. */
function erf(x: number): number {
  let [term, total] = [x, x];
  for (let n = 1; n < 200; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    total += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * total;
}

const FUNCTIONS: Record<
  keyof typeof ELEMENTWISE,
  { rule: (x: number, a: number, b: number) => number; constants?: [number, number?][]; low?: number }
> = {
  shift: {
    rule: (x, a, b) => a * x + b,
    constants: [
      [1, 0.75],
      [-1, 2],
    ],
  },
  quotient: { rule: (x, a) => a / x, constants: [[1], [-0.75]], low: 0.25 },
  maximum: { rule: Math.max as never, constants: [[0.5]] },
  minimum: { rule: Math.min as never, constants: [[-0.5]] },
  clip: { rule: (x, a, b) => Math.min(Math.max(x, a), b), constants: [[-0.5, 1]] },
  abs: { rule: Math.abs },
  sqrt: { rule: Math.sqrt, low: 0.125 },
  log: { rule: Math.log, low: 0.125 },
  log1p: { rule: Math.log1p, low: -0.75 },
  erf: { rule: erf },
  power: { rule: (x, a) => x ** a, constants: [[3], [-2], [0.5], [2.75], [-1.3], [0], [1]], low: 0.125 },
};

export const elementwise: Case[] = Object.entries(FUNCTIONS).flatMap(
  ([kind, { rule, constants, low = -2 }]) =>
    (constants ?? [[0]]).flatMap(([a, b = 0]) =>
      [1, 3, 5, 17].map((n): Case => {
        // Powers of negative numbers are whole.
        const from = kind === "power" && a === 3 ? -2 : low;
        return {
          name: `${kind}(${a}, ${b}) n=${n}`,
          given: [numbers([n], n, from, 2)],
          build: (builder, values) =>
            builder.apply(ops.elementwise, kind, values, { kind: kind as ops.Elementwise, a, b }),
          reference: ([x]) => [
            {
              shape: [n],
              data: x.data.map((v) =>
                kind === "maximum" || kind === "minimum" ? rule(v, a, a) : rule(v, a, b),
              ),
            },
          ],
        };
      }),
    ),
);

const COMPARED: Record<keyof typeof COMPARISONS, (x: number, y: number) => boolean> = {
  greater: (x, y) => x > y,
  greaterEqual: (x, y) => x >= y,
  less: (x, y) => x < y,
  lessEqual: (x, y) => x <= y,
  equal: (x, y) => x === y,
  notEqual: (x, y) => x !== y,
};

export const compare: Case[] = Object.entries(COMPARED).flatMap(([name, rule]) =>
  [1, 3, 5, 17].flatMap((n) =>
    [undefined, 1].map((scalar): Case => {
      const [x, y] = [fixed(real([n], (i) => i % 3)), fixed(real([n], (i) => ((i * 2) % 5) % 3))];
      const comparison = name as ops.Comparison;
      return {
        name: `${name} n=${n}${scalar === undefined ? "" : ", with a number"}`,
        given: scalar === undefined ? [x, y] : [x],
        build: (b, values) => b.apply(ops.compare, name, values, { comparison, scalar }),
        reference: ([a, b]) => [
          { shape: [n], data: a.data.map((v, i) => (rule(v, scalar ?? b.data[i]) ? 1 : 0)) },
        ],
      };
    }),
  ),
);

export const choose: Case[] = [1, 3, 5, 17].flatMap((n) =>
  [{}, { a: 0.5 }, { b: -3 }].map((constants: { a?: number; b?: number }): Case => {
    const condition = fixed(real([n], (i) => (i % 3) - 1));
    const { a, b } = constants;
    return {
      name: `n=${n} ${JSON.stringify(constants)}`,
      given: [condition, numbers([n], 1), ...(a === undefined && b === undefined ? [numbers([n], 2)] : [])],
      build: (builder, [c, x, y]) =>
        builder.apply(ops.choose, "choose", a === undefined ? [c, x, y] : [c, undefined, x], constants),
      reference: ([c, x, y]) => [
        {
          shape: [n],
          data: c.data.map((v, i) => (v !== 0 ? (a ?? x.data[i]) : (b ?? (a === undefined ? y : x).data[i]))),
        },
      ],
    };
  }),
);

/** x · (x as a constant): the slope is x, not 2x. */
export const stopGradient: Case[] = [1, 3, 5, 17].map(
  (n): Case => ({
    name: `n=${n}`,
    given: [numbers([n], 1), fixed(numbers([n], 1))],
    build: (b, [x]) => {
      const [stopped] = b.apply(ops.stopGradient, "stop", [x], {});
      return b.apply(ops.arithmetic, "product", [x, stopped], { kernel: "multiply" });
    },
    reference: ([x, same]) => [{ shape: [n], data: x.data.map((v, i) => v * same.data[i]) }],
  }),
);

export const eitherKept: Case[] = SIZES.map(({ B, T }): Case => {
  const [first, second] = [maskFor(B, T), real([B, T], (i) => (i % 3 === 0 ? 1 : 0))];
  return {
    name: show({ B, T }),
    given: [ids(first), ids(second)],
    build: (b, masks) => {
      const [either] = b.apply(ops.eitherKept, "either", masks, {});
      const [all] = b.apply(ops.ones, "ones", [], { shape: either.shape });
      return b.apply(ops.selectRows, "chosen", [either, all], {});
    },
    reference: ([x, y]) => [{ shape: [B, T], data: x.data.map((v, i) => (v || y.data[i] ? 1 : 0)) }],
  };
});
