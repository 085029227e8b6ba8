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
