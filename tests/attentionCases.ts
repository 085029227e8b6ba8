// Cases of ops.test.ts for what attention is made of, and of layers.test.ts for its layers, in float64.
import { input, layers, model, type SymbolicTensor } from "../src/index.js";
import * as ops from "../src/ops/index.js";
import * as attention from "./attentionReference.js";
import { fixed, ids, integers, numbers, type OpCase, show } from "./gradcheck.js";
import type { LayerCase } from "./layerCases.js";
import * as reference from "./reference.js";
import { type Real, real } from "./reference.js";

type Case = OpCase & { name: string };

const SIZES = [
  { B: 1, T: 1, S: 1, D: 1 },
  { B: 3, T: 5, S: 3, D: 5 },
  { B: 1, T: 3, S: 17, D: 3 },
  { B: 3, T: 1, S: 5, D: 17 },
  { B: 2, T: 6, S: 4, D: 8 },
];

// ------------------------------------------------------------------------------------------------------------------- ops

export const additiveScores = SIZES.flatMap(({ B, T, S, D }): Case[] => {
  const [q, k, scale] = [numbers([B, T, D], 1), numbers([B, S, D], 2), numbers([D], 3)];
  const make = (name: string, given: OpCase["given"]): Case => ({
    name: `${name} ${show({ B, T, S, D })}`,
    given,
    build: (b, values) => b.apply(ops.additiveScores, "scores", values, {}),
    reference: ([a, b, weights]) => [
      attention.scores(a, b, (x, y) => attention.additive(x, y, weights?.data)),
    ],
  });
  return [
    make("scaled", [q, k, scale]),
    make("not scaled", [q, k]),
    make("of a fixed query", [fixed(q), k, scale]),
    make("of fixed keys and scale", [q, fixed(k), fixed(scale)]),
  ];
});

/** What a mask keeps as numbers, by way of an op with a gradient. */
const ones = (shape: readonly number[]) => real(shape, () => 1);

export const band = SIZES.flatMap(({ T, S }): Case[] =>
  [
    { before: 100, after: 0 },
    { before: 1, after: 1 },
    { before: 0, after: 2 },
  ].map((reach) => ({
    name: show({ T, S, ...reach }),
    given: [fixed(ones([T, S]))],
    build: (b, [all]) => {
      const [mask] = b.apply(ops.band, "band", [], { shape: [T, S], ...reach });
      return b.apply(ops.keepScores, "kept", [all, mask], { value: 0, shift: false, leading: 0 });
    },
    reference: () => [
      real([T, S], (i) => {
        const ahead = (i % S) - Math.floor(i / S);
        return ahead <= reach.after && -ahead <= reach.before ? 1 : 0;
      }),
    ],
  })),
);

export const bothKept = SIZES.map(({ T, S }): Case => {
  const [a, b] = [integers([T, S], 1, 3), integers([T, S], 2, 2)];
  return {
    name: show({ T, S }),
    given: [ids(a), ids(b), fixed(ones([T, S]))],
    build: (builder, [x, y, all]) => {
      const [mask] = builder.apply(ops.bothKept, "both", [x, y], {});
      return builder.apply(ops.selectRows, "chosen", [mask, all], {});
    },
    reference: ([x, y]) => [real([T, S], (i) => (x.data[i] !== 0 && y.data[i] !== 0 ? 1 : 0))],
  };
});

/** A mask as the scores [B, N, T, S] have it at a place, by its axes. */
const MASKS: Readonly<
  Record<string, { leading: number; of(B: number, N: number, T: number, S: number): number[] }>
> = {
  "of keys": { leading: 1, of: (B, _N, _T, S) => [B, S] },
  "of samples": { leading: 1, of: (B, _N, T, S) => [B, T, S] },
  "of all samples": { leading: 0, of: (_B, _N, T, S) => [T, S] },
  "of heads": { leading: 0, of: (B, N, T, S) => [B, N, T, S] },
};

export const keepScores = SIZES.flatMap(({ B, T, S, D: N }): Case[] =>
  Object.entries(MASKS).flatMap(([name, { leading, of }]) =>
    [false, true].map((shift): Case => {
      const shape = [B, N, T, S];
      const own = of(B, N, T, S);
      const mask = integers(own, 7, 3);
      const value = -2;
      return {
        name: `${name}${shift ? ", shifted" : ""} ${show({ B, N, T, S })}`,
        given: [numbers(shape, 1), ids(mask)],
        build: (b, values) => b.apply(ops.keepScores, "kept", values, { value, shift, leading }),
        reference: ([x, kept]) => [
          real(shape, (i) => {
            const [sample, inner] = [Math.floor(i / (N * T * S)), reference.product(own.slice(leading))];
            const at = leading === 0 ? i % inner : sample * inner + (i % inner);
            if (kept.data[at] !== 0) return x.data[i];
            return shift ? x.data[i] + value : value;
          }),
        ],
      };
    }),
  ),
);

// ---------------------------------------------------------------------------------------------------------------- layers

const inputShape = [null, 2];
const everyone = () => true;
const causal = (_b: number, t: number, s: number) => s <= t;

/** A dense layer of so many units for the query and one for keys and values, of one input, with attention over them. */
function luong(
  make: () => ReturnType<typeof layers.attention>,
  units: number,
  useCausalMask: boolean,
  rule: (weights: readonly Real[]) => (a: readonly number[], b: readonly number[]) => number,
): LayerCase {
  return {
    name: `units ${units}${useCausalMask ? ", causal" : ""}`,
    make() {
      const x = input({ shape: inputShape });
      const [query, value] = [1, 2].map(() => layers.dense({ units }).apply(x) as SymbolicTensor);
      return model({
        inputs: x,
        outputs: make().apply([query, value], { useCausalMask }) as SymbolicTensor,
      });
    },
    forward([kernel, bias, second, secondBias, ...own], x) {
      const [query, value] = [reference.dense(x, kernel, bias), reference.dense(x, second, secondBias)];
      const scores = attention.scores(query, value, rule(own));
      const weights = attention.weightsOf(scores, useCausalMask ? causal : everyone, "alike");
      return { output: attention.mixed(weights, value) };
    },
  };
}

const UNITS = [1, 3, 5, 17];
const each = (of: (units: number, isCausal: boolean) => LayerCase) =>
  UNITS.map((units, k) => of(units, k % 2 === 1));

const multiHead = UNITS.map(
  (keyDim, k): LayerCase => ({
    name: `keyDim ${keyDim}, under the mask of an embedding`,
    ids: 5,
    make() {
      const x = input({ shape: [null], dtype: "int32" });
      const embedded = layers.embedding({ inputDim: 5, outputDim: 3, maskZero: true }).apply(x);
      // The gradient of a key's bias is 0, and what float32 finds of it rounding: biases stand in the golden cases.
      const layer = layers.multiHeadAttention({ numHeads: 2, keyDim, valueDim: 3, useBias: false });
      return model({
        inputs: x,
        outputs: layer.apply([embedded, embedded], { useCausalMask: k % 2 === 1 }) as SymbolicTensor,
      });
    },
    forward([table, ...weights], given) {
      const T = given.shape[1];
      const x = reference.embedding(given, table);
      const isKept = (b: number, t: number) => given.data[b * T + t] !== 0;
      const isSeen = (b: number, t: number, s: number) =>
        isKept(b, t) && isKept(b, s) && (k % 2 === 0 || s <= t);
      const projected = weights.slice(0, 3);
      const heads = [0, 1].map((n) => {
        const [query, keys, values] = projected.map((kernel) =>
          reference.dense(x, attention.head(kernel, n)),
        );
        const scores = attention.scores(query, keys, (a, b) => attention.dot(a, b) / Math.sqrt(keyDim));
        return attention.mixed(attention.weightsOf(scores, isSeen, "alike"), values);
      });
      const flat = real([x.shape[0], T, 6], (i) => {
        const [row, at] = [Math.floor(i / 6), i % 6];
        return heads[Math.floor(at / 3)].data[row * 3 + (at % 3)];
      });
      const output = reference.dense(flat, reference.reshape(weights[3], [6, 3]));
      return { output, mask: given };
    },
  }),
);

export const attentionLayerCases: Record<string, LayerCase[]> = {
  attention: [
    ...each((units, isCausal) =>
      luong(
        () => layers.attention({ useScale: true }),
        units,
        isCausal,
        ([scale]) =>
          (a, b) =>
            scale.data[0] * attention.dot(a, b),
      ),
    ),
    ...each((units, isCausal) =>
      luong(
        () => layers.attention({ useScale: true, scoreMode: "concat" }),
        units,
        isCausal,
        ([scale, weight]) => {
          const times = (x: readonly number[]) => x.map((v) => v * scale.data[0]);
          return (a, b) => weight.data[0] * attention.additive(times(a), times(b));
        },
      ),
    ).map((one) => ({ ...one, name: `concat, ${one.name}` })),
  ],
  additiveAttention: each((units, isCausal) =>
    luong(
      () => layers.additiveAttention(),
      units,
      isCausal,
      ([scale]) =>
        (a, b) =>
          attention.additive(a, b, scale.data),
    ),
  ),
  multiHeadAttention: multiHead,
};
