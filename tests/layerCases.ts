// Cases of layers.test.ts for layers that wrap or merge others, in the same float64 terms.
import {
  input,
  type Layer,
  layers,
  type Model,
  model,
  type SymbolicTensor,
  sequential,
} from "../src/index.js";
import type { Real } from "./reference.js";
import * as reference from "./reference.js";

export interface LayerCase {
  name: string;
  make(): Model;
  forward(weights: readonly Real[], x: Real): { output: Real; mask?: Real };
  ids?: number;
  length?: number;
}

const I = 2;
const inputShape = [null, I];

/** x·W + b, then the simple recurrence; from the end if asked. */
function simple(x: Real, [kernel, R, bias]: readonly Real[], backwards = false): Real[] {
  return reference.simpleSequence(reference.dense(backwards ? reference.reverse(x) : x, kernel, bias), R);
}

/** Number by number. */
function combine(rule: (...values: number[]) => number, ...parts: readonly Real[]): Real {
  return {
    shape: parts[0].shape,
    data: parts[0].data.map((_, i) => rule(...parts.map(({ data }) => data[i]))),
  };
}

/** Side by side along the last axis. */
function join(...parts: readonly Real[]): Real {
  const rows = parts[0].data.length / parts[0].shape.at(-1)!;
  const row = ({ shape, data }: Real, r: number) => data.slice(r * shape.at(-1)!, (r + 1) * shape.at(-1)!);
  const width = parts.reduce((sum, { shape }) => sum + shape.at(-1)!, 0);
  const data = Array.from({ length: rows }, (_, r) => parts.flatMap((part) => row(part, r))).flat();
  return { shape: [...parts[0].shape.slice(0, -1), width], data };
}

function last({ shape: [B, T, U], data }: Real): Real {
  return {
    shape: [B, U],
    data: Array.from({ length: B * U }, (_, i) => data[(Math.floor(i / U) * T + T - 1) * U + (i % U)]),
  };
}

/** Each sample's two axes exchanged. */
function turned({ shape: [B, T, U], data }: Real): Real {
  const at = (i: number) => data[Math.floor(i / (T * U)) * T * U + (i % T) * U + (Math.floor(i / T) % U)];
  return { shape: [B, U, T], data: Array.from({ length: B * T * U }, (_, i) => at(i)) };
}

const rules: Record<string, (a: Real, b: Real) => Real> = {
  add: (a, b) => combine((x, y) => x + y, a, b),
  subtract: (a, b) => combine((x, y) => x - y, a, b),
  multiply: (a, b) => combine((x, y) => x * y, a, b),
  average: (a, b) => combine((x, y) => (x + y) / 2, a, b),
  maximum: (a, b) => combine(Math.max, a, b),
  minimum: (a, b) => combine(Math.min, a, b),
  concatenate: join,
};

/** A recurrent branch and a dense one on the same input, merged, and a dense layer on top. */
const merging = Object.entries(rules).map(([name, rule]): [string, LayerCase[]] => [
  name,
  [
    {
      name: "a recurrent and a dense branch",
      make() {
        const x = input({ shape: inputShape });
        const branches = [
          layers.simpleRNN({ units: 3, returnSequences: true }).apply(x),
          layers.dense({ units: 3 }).apply(x),
        ] as SymbolicTensor[];
        const merged = (layers as unknown as Record<string, () => Layer>)
          [name]()
          .apply(branches) as SymbolicTensor;
        return model({ inputs: x, outputs: layers.dense({ units: 2 }).apply(merged) as SymbolicTensor });
      },
      forward([kernel, R, bias, second, secondBias, third, thirdBias], x) {
        const merged = rule(simple(x, [kernel, R, bias])[0], reference.dense(x, second, secondBias));
        return { output: reference.dense(merged, third, thirdBias) };
      },
    },
  ],
]);

type Mode = "concat" | "sum" | "mul" | "ave";
const merges: Record<Mode, (a: Real, b: Real) => Real> = {
  concat: join,
  sum: rules.add,
  mul: rules.multiply,
  ave: rules.average,
};

const bidirectional = (Object.keys(merges) as Mode[]).flatMap((mergeMode) =>
  [true, false].map(
    (returnSequences): LayerCase => ({
      name: `${mergeMode}, returnSequences ${returnSequences}`,
      make: () =>
        sequential([
          layers.bidirectional({
            layer: layers.simpleRNN({ units: 3, returnSequences }),
            mergeMode,
            inputShape,
          }),
        ]),
      forward(weights, x) {
        const there = simple(x, weights.slice(0, 3));
        const back = simple(x, weights.slice(3), true);
        const sequences = merges[mergeMode](there[0], reference.reverse(back[0]));
        return { output: returnSequences ? sequences : merges[mergeMode](there[1], back[1]) };
      },
    }),
  ),
);

export const layerCases: Record<string, LayerCase[]> = {
  ...Object.fromEntries(merging),
  bidirectional,

  timeDistributed: [false, true].map((deep) => ({
    name: deep ? "a model between recurrent layers" : "dense",
    make() {
      const inner = sequential([
        layers.dense({ units: 3, activation: "tanh", inputShape: [3] }),
        layers.dense({ units: 2 }),
      ]);
      const layer = deep ? inner.asLayer() : layers.dense({ units: 2 });
      return sequential([
        layers.simpleRNN({ units: 3, returnSequences: true, inputShape }),
        layers.timeDistributed({ layer }),
        layers.simpleRNN({ units: 1 }),
      ]);
    },
    forward(weights, x) {
      const [sequence] = simple(x, weights.slice(0, 3));
      const inner = weights.slice(3, -3);
      const hidden = deep
        ? reference.activation(reference.dense(sequence, inner[0], inner[1]), "tanh")
        : sequence;
      const [kernel, bias] = inner.slice(-2);
      return { output: simple(reference.dense(hidden, kernel, bias), weights.slice(-3))[1] };
    },
  })),

  reshape: [
    {
      name: "between recurrent layers, over any length",
      make: () =>
        sequential([
          layers.simpleRNN({ units: 6, returnSequences: true, inputShape }),
          layers.reshape({ targetShape: [-1, 3] }),
          layers.simpleRNN({ units: 2, returnSequences: true }),
        ]),
      forward(weights, x) {
        const [sequence] = simple(x, weights.slice(0, 3));
        const [B, T] = sequence.shape;
        return { output: simple(reference.reshape(sequence, [B, 2 * T, 3]), weights.slice(3))[0] };
      },
    },
  ],

  permute: [
    {
      name: "of a recurrent layer's sequence",
      length: 7,
      make: () =>
        sequential([
          layers.simpleRNN({ units: 3, returnSequences: true, inputShape: [7, I] }),
          layers.permute({ dims: [2, 1] }),
          layers.dense({ units: 2 }),
        ]),
      forward([kernel, R, bias, ...rest], x) {
        const [sequence] = simple(x, [kernel, R, bias]);
        return { output: reference.dense(turned(sequence), rest[0], rest[1]) };
      },
    },
  ],

  dot: [
    {
      name: "of two sequences along their features",
      make() {
        const x = input({ shape: inputShape });
        const branches = [
          layers.simpleRNN({ units: 3, returnSequences: true }).apply(x),
          layers.dense({ units: 3 }).apply(x),
        ] as SymbolicTensor[];
        return model({ inputs: x, outputs: layers.dot({ axes: 2 }).apply(branches) as SymbolicTensor });
      },
      forward([kernel, R, bias, second, secondBias], x) {
        const [a] = simple(x, [kernel, R, bias]);
        const b = reference.dense(x, second, secondBias);
        const [B, T, U] = a.shape;
        const at = ({ data }: Real, row: number) => data.slice(row * U, (row + 1) * U);
        const data = Array.from({ length: B * T * T }, (_, i) => {
          const [row, other] = [Math.floor(i / T), Math.floor(i / (T * T)) * T + (i % T)];
          const right = at(b, other);
          return at(a, row).reduce((sum, v, u) => sum + v * right[u], 0);
        });
        return { output: { shape: [B, T, T], data } };
      },
    },
  ],

  repeatVector: [
    {
      name: "before a recurrent layer",
      make: () =>
        sequential([
          layers.simpleRNN({ units: 3, inputShape }),
          layers.repeatVector({ n: 4 }),
          layers.simpleRNN({ units: 2, returnSequences: true }),
        ]),
      forward(weights, x) {
        const [, state] = simple(x, weights.slice(0, 3));
        const [B, U] = state.shape;
        const data = Array.from(
          { length: B * 4 * U },
          (_, i) => state.data[Math.floor(i / (4 * U)) * U + (i % U)],
        );
        return { output: simple({ shape: [B, 4, U], data }, weights.slice(3))[0] };
      },
    },
  ],

  masking: [
    {
      name: "before a recurrent layer: no step is masked here, and the numbers pass unchanged",
      make: () => sequential([layers.masking({ inputShape }), layers.simpleRNN({ units: 3 })]),
      forward: (weights, x) => ({ output: last(simple(x, weights)[0]) }),
    },
  ],
};
