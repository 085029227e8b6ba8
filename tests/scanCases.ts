// Cases of the ops that loops are made of: rows chosen by a mask, and scans whose bodies spell out cells that are also fused,
// so that both forms answer to one reference.
import type { Builder } from "../src/ops/builder.js";
import * as ops from "../src/ops/index.js";
import type { Value } from "../src/ops/op.js";
import { applyScan } from "../src/ops/scan.js";
import type { OpCase } from "./gradcheck.js";
import { ids, maskFor, numbers, SIZES, show } from "./gradcheck.js";
import * as reference from "./reference.js";

type Case = OpCase & { name: string };

function tanh(b: Builder, x: Value): Value {
  return b.apply(ops.activation, "tanh", [x], { kernel: "tanh", parameters: [] })[0];
}

function add(b: Builder, x: Value, y: Value): Value {
  return b.apply(ops.arithmetic, "add", [x, y], { kernel: "add" })[0];
}

/** The simple recurrence, step by step: h' = tanh(gate + h·R). */
function simpleScan(b: Builder, gates: Value, R: Value, mask?: Value, initial?: Value): Value[] {
  const [batch] = gates.shape;
  const units = R.shape[0];
  const sequences = [b.timeMajor(gates), ...(mask ? [b.timeMajor(mask)] : [])];
  const { sequences: outputs, states } = applyScan(
    b,
    "scan",
    sequences,
    [{ shape: [batch, units], initial }],
    ([gate, keep], [h]) => {
      const next = tanh(b, add(b, gate, b.apply(ops.dense, "recurrent", [h, R], {})[0]));
      const kept = keep ? b.apply(ops.selectRows, "keep", [keep, next, h], {})[0] : next;
      return { outputs: [kept], states: [kept] };
    },
  );
  return [...outputs, ...states];
}

export const scan: Case[] = SIZES.flatMap(({ U, B, T }) =>
  [false, true].flatMap((masked) =>
    [false, true].flatMap((started) =>
      [[0, 1], [0], [1]].map((used): Case => {
        const mask = masked ? [ids(maskFor(B, T))] : [];
        const initial = started ? [numbers([B, U], 5)] : [];
        const pick = <V>(all: V[]) => used.map((index) => all[index]);
        return {
          name: `simple cell ${show({ U, B, T, masked, started, used })}`,
          given: [numbers([B, T, U], 1), numbers([U, U], 2), ...mask, ...initial],
          build: (b, [gates, R, ...rest]) =>
            pick(simpleScan(b, gates, R, masked ? rest[0] : undefined, started ? rest.at(-1) : undefined)),
          reference: ([gates, R, ...rest]) =>
            pick(
              reference.simpleSequence(
                gates,
                R,
                masked ? rest[0] : undefined,
                started ? rest.at(-1) : undefined,
              ),
            ),
        };
      }),
    ),
  ),
);

export const selectRows: Case[] = SIZES.flatMap(({ U, B, T }) =>
  [true, false].map((both): Case => {
    const mask = maskFor(B, T);
    return {
      name: show({ U, B, T, both }),
      given: [ids(mask), numbers([B, T, U], 1), ...(both ? [numbers([B, T, U], 2)] : [])],
      build: (b, values) => b.apply(ops.selectRows, "select", values, {}),
      reference: ([keep, x, y]) => [
        {
          shape: x.shape,
          data: x.data.map((value, i) => (keep.data[Math.floor(i / U)] ? value : y ? y.data[i] : 0)),
        },
      ],
    };
  }),
);

export const arithmetic: Case[] = ["add", "subtract", "multiply", "divide", "maximum", "minimum"].flatMap(
  (kernel) =>
    [1, 3, 5, 17].map((n): Case => {
      const rules: Record<string, (x: number, y: number) => number> = {
        add: (x, y) => x + y,
        subtract: (x, y) => x - y,
        multiply: (x, y) => x * y,
        divide: (x, y) => x / y,
        maximum: Math.max,
        minimum: Math.min,
      };
      return {
        name: `${kernel} n=${n}`,
        given: [numbers([n], 1), numbers([n], 2, 0.5, 2)],
        build: (b, values) => b.apply(ops.arithmetic, kernel, values, { kernel: kernel as ops.Arithmetic }),
        reference: ([x, y]) => [
          { shape: x.shape, data: x.data.map((value, i) => rules[kernel](value, y.data[i])) },
        ],
      };
    }),
);

export const concatenate: Case[] = SIZES.flatMap(({ U, B, T }) =>
  [0, 1, 2].map((axis): Case => {
    const widths = [U, 2, 5];
    const shapes = widths.map((width) => [B, T, U].map((d, index) => (index === axis ? width : d)));
    return {
      name: show({ U, B, T, axis }),
      given: shapes.map((shape, k) => numbers(shape, k + 1)),
      build: (b, values) => b.apply(ops.concatenate, "concatenate", values, { axis }),
      reference: (parts) => {
        const outer = [B, T, U].slice(0, axis).reduce((a, d) => a * d, 1);
        const data = Array.from({ length: outer }, (_, row) =>
          parts.flatMap((part) => {
            const block = part.data.length / outer;
            return part.data.slice(row * block, (row + 1) * block);
          }),
        ).flat();
        const total = widths.reduce((a, d) => a + d, 0);
        return [{ shape: [B, T, U].map((d, index) => (index === axis ? total : d)), data }];
      },
    };
  }),
);

export const repeat: Case[] = SIZES.map(
  ({ U, B, T }): Case => ({
    name: show({ U, B, T }),
    given: [numbers([B, U], 1)],
    build: (b, [x]) => b.apply(ops.repeat, "repeat", [x], { times: T }),
    reference: ([x]) => [
      {
        shape: [B, T, U],
        data: Array.from({ length: B * T * U }, (_, i) => x.data[Math.floor(i / (T * U)) * U + (i % U)]),
      },
    ],
  }),
);

/** An int32 result as numbers, to be compared: chosen rows of ones. */
function asNumbers(b: Builder, mask: Value): Value {
  const [all] = b.apply(ops.ones, "ones", [], { shape: mask.shape });
  return b.apply(ops.selectRows, "chosen", [b.batchMajor(mask), all], {})[0];
}

export const differs: Case[] = SIZES.map(
  ({ U, B, T }): Case => ({
    name: show({ U, B, T }),
    given: [
      { ...ids(numbers([B, T, U], 1)), dtype: "float32", wantsGradient: false, data: maskFor(B, T * U).data },
    ],
    build: (b, [x]) => [asNumbers(b, b.apply(ops.differs, "differs", [x], { value: 0 })[0])],
    reference: ([x]) => [
      {
        shape: [B, T],
        data: Array.from({ length: B * T }, (_, row) =>
          x.data.slice(row * U, (row + 1) * U).some((v) => v !== 0) ? 1 : 0,
        ),
      },
    ],
  }),
);

export const everKept: Case[] = SIZES.map(
  ({ B, T }): Case => ({
    name: show({ B, T }),
    given: [ids(maskFor(B, T))],
    build: (b, [mask]) => [asNumbers(b, b.apply(ops.everKept, "ever", [b.timeMajor(mask)], {})[0])],
    reference: ([mask]) => [
      {
        shape: [B, T],
        data: mask.data.map((_, i) =>
          mask.data.slice(Math.floor(i / T) * T, i + 1).some((v) => v !== 0) ? 1 : 0,
        ),
      },
    ],
  }),
);

export const ones: Case[] = [1, 3, 5, 17].map(
  (n): Case => ({
    name: `n=${n}`,
    given: [],
    build: (b) => b.apply(ops.ones, "ones", [], { shape: [n] }),
    reference: () => [{ shape: [n], data: new Array<number>(n).fill(1) }],
  }),
);

export const keep: Case[] = [1, 3, 5, 17].map(
  (n): Case => ({
    name: `n=${n}`,
    given: [{ ...ids(numbers([n], 1)), dtype: "float32", wantsGradient: false }],
    build: (b, [x]) => {
      const [place] = b.apply(ops.ones, "place", [], { shape: [n] });
      b.apply(ops.keep, "keep", [x, place], {});
      return [place];
    },
    reference: ([x]) => [x],
  }),
);

export const scaled: Case[] = [1, 3, 5, 17].map(
  (n): Case => ({
    name: `n=${n}`,
    given: [numbers([n], 1)],
    build: (b, [x]) => b.apply(ops.scaled, "scaled", [x], { factor: -0.375 }),
    reference: ([x]) => [{ shape: [n], data: x.data.map((value) => -0.375 * value) }],
  }),
);
