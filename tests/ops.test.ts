// Every op of the registry against the float64 reference: outputs, and gradients by central differences.
// The registries of ops, activations and losses are walked: one without a case here fails.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { ACTIVATION_KERNELS } from "../src/ops/activation.js";
import type { Builder } from "../src/ops/builder.js";
import * as ops from "../src/ops/index.js";
import { PAST_SOFTMAX } from "../src/ops/loss.js";
import type { Op, Value } from "../src/ops/op.js";
import { formulas } from "../src/training/formulas.js";
import { registry as lossRegistry } from "../src/training/resolveLoss.js";
import { additiveScores, band, bothKept, keepScores } from "./attentionCases.js";
import * as axisCases from "./axisCases.js";
import * as convCases from "./convCases.js";
import { differentiate } from "./differentiate.js";
import * as check from "./gradcheck.js";
import { asItLies, fixed, ids, integers, maskFor, numbers, SIZES, show } from "./gradcheck.js";
import * as normCases from "./normCases.js";
import * as reference from "./reference.js";
import { type Real, real } from "./reference.js";
import * as scanCases from "./scanCases.js";

type Case = check.OpCase & { name: string };

/** Ops that have no way back by nature, with the reason. */
const NO_BACKWARD: Record<string, string> = {
  maskedWeights: "masks and sample weights are not trained",
  differs: "a mask",
  everKept: "a mask",
  keptRows: "numbers of rows",
  ones: "a constant",
  keep: "states of the last run get no gradient",
  movingAverage: "a moving average is not trained",
  compare: "steps",
  eitherKept: "a mask",
  bothKept: "a mask",
  band: "a mask",
  stopGradient: "that is what it is for",
};

/** A kernel without a float64 reference is a failing test. */
function needsReference(kind: string, kernel: string, known: object): boolean {
  const missing = `${kernel} needs a reference in tests/reference.ts`;
  if (!(kernel in known)) test(`${kind}: ${kernel}`, () => assert.unreachable(missing));
  return kernel in known;
}

// ------------------------------------------------------------------------------------------------------- simple layouts

const dense = SIZES.flatMap(({ U, B, T }) => {
  const x = numbers([B, T, U === 5 ? 3 : U], 1);
  const [kernel, bias] = [numbers([x.shape[2], U], 2), numbers([U], 3)];
  const build = (b: Builder, values: Value[]) => b.apply(ops.dense, "dense", values, {});
  const make = (name: string, given: Real[]): Case => ({
    name: `${name} ${show({ U, B, T })}`,
    given,
    build,
    reference: ([x, kernel, bias]) => [reference.dense(x, kernel, bias)],
  });
  return [make("with bias", [x, kernel, bias]), make("without bias", [x, kernel])];
});

const activation = Object.entries(ACTIVATION_KERNELS).flatMap(([name, curve]): Case[] =>
  needsReference("activation", name, reference.activations)
    ? [1, 3, 5, 17, 64].map((n) => ({
        name: `${name} n=${n}`,
        given: [numbers([n], n, -Math.min(n, 8), Math.min(n, 8))],
        build: (b, values) => b.apply(ops.activation, name, values, curve),
        reference: ([x]) => [reference.activation(x, name)],
      }))
    : [],
);

const sparsemax = [1, 3, 5, 17].map(
  (U): Case => ({
    name: `U=${U}`,
    given: [numbers([3, U], U, -0.7, 0.7)],
    build: (b, values) => b.apply(ops.sparsemax, "sparsemax", values, {}),
    reference: ([x]) => [reference.sparsemax(x)],
  }),
);

const softmax = [false, true].flatMap((logarithm) =>
  [1, 3, 5, 17].map(
    (U): Case => ({
      name: `${logarithm ? "logSoftmax" : "softmax"} U=${U}`,
      given: [numbers([3, U], U, U === 5 ? -40 : -4, U === 5 ? 40 : 4)],
      build: (b, values) => b.apply(ops.softmax, "softmax", values, { logarithm }),
      reference: ([x]) => [logarithm ? reference.logSoftmax(x) : reference.softmax(x)],
    }),
  ),
);

const embedding = SIZES.flatMap(({ U, B, T }): Case[] =>
  [false, true].map((timeMajor) => ({
    name: `${timeMajor ? "time-major" : "batch-major"} ${show({ D: U, B, T })}`,
    given: [ids(integers([B, T], 1, 4)), numbers([4, U], 2)],
    build: (b, [places, table]) =>
      b.apply(ops.embedding, "embedding", [timeMajor ? b.timeMajor(places) : places, table], {}),
    reference: ([places, table]) => [reference.embedding(places, table)],
  })),
);

const transpose = [[], [1], [3], [17], [5, 2]].flatMap((rest) =>
  [...SIZES, { B: 5, T: 4 }, { B: 8, T: 9 }].map(
    ({ B, T }): Case => ({
      name: `[${[B, T, ...rest]}]`,
      given: [numbers([B, T, ...rest], 1)],
      build: (b, [x]) => [asItLies(b.apply(ops.transpose, "transpose", [x], {})[0])],
      reference: ([x]) => [reference.transpose(x)],
    }),
  ),
);

const reverse = SIZES.map(
  ({ U, B, T }): Case => ({
    name: show({ U, B, T }),
    given: [numbers([B, T, U], 1)],
    build: (b, [x]) => b.apply(ops.reverse, "reverse", [b.timeMajor(x)], {}),
    reference: ([x]) => [reference.reverse(x)],
  }),
);

const reshape: Case[] = [
  {
    name: "alone",
    given: [numbers([3, 5], 1)],
    build: (b, [x]) => b.apply(ops.reshape, "reshape", [x], { shape: [5, 3] }),
    reference: ([x]) => [reference.reshape(x, [5, 3])],
  },
  {
    // A product may overwrite the gradient of the view; it must land in what the view is of.
    name: "between two products",
    given: [numbers([3, 2], 1), numbers([2, 6], 2), numbers([3, 4], 3)],
    build: (b, [x, first, second]) => {
      const [wide] = b.apply(ops.dense, "first", [x, first], {});
      const [tall] = b.apply(ops.reshape, "reshape", [wide], { shape: [6, 3] });
      return b.apply(ops.dense, "second", [tall, second], {});
    },
    reference: ([x, first, second]) => [
      reference.dense(reference.reshape(reference.dense(x, first), [6, 3]), second),
    ],
  },
];

// --------------------------------------------------------------------------------------------------------------- dropout

const dropoutSeed = ids({ shape: [2], data: [12345, 67] });

const dropAt =
  (rate: number): Case["build"] =>
  (b, [x, seed]) =>
    b.apply(ops.dropout, "dropout", [x], { rate, seed: seed.pointer, stream: 3 });

async function dropoutCases(): Promise<Case[]> {
  const cases = [0, 0.25, 0.5, 0.9].flatMap((rate) =>
    [1, 3, 5, 17, 1000].map(async (n): Promise<Case> => {
      const ones = fixed(real([n], () => 1));
      const mask = (await differentiate([ones, dropoutSeed], dropAt(rate))).outputs[0];
      const scale = 1 / (1 - rate);
      assert.ok(
        mask.every((m) => m === 0 || Math.abs(m - scale) < 1e-5 * scale),
        `0 or ${scale}`,
      );
      const share = mask.filter((m) => m === 0).length / n;
      if (n === 1000) assert.ok(Math.abs(share - rate) < 0.06, `dropped ${share} at rate ${rate}`);
      return {
        name: `rate ${rate} n=${n}`,
        given: [numbers([n], 1), dropoutSeed],
        build: dropAt(rate),
        reference: ([x]) => [reference.dropout(x, mask)],
      };
    }),
  );
  return Promise.all(cases);
}

// ---------------------------------------------------------------------------------------------------------------- losses

const loss = Object.values(lossRegistry).flatMap((make) =>
  check.lossVariants(make).flatMap((spec) => {
    const { kernel, parameters } = spec;
    if (!needsReference("loss", kernel, formulas)) return [];
    const build = (b: Builder, values: Value[]) => b.apply(ops.loss, "loss", values, spec);
    const row = ([yTrue, yPred]: readonly Real[]) => [reference.loss(yTrue, yPred, kernel, parameters)];
    // In one column the cosine is 1 or -1, and its gradient nothing but rounding.
    const least = kernel === "cosineSimilarity" ? 2 : 1;
    const cases = [least, 3, 5, 17].map((columns): Case => {
      const given = check.lossInputs(spec, columns === 3 ? 1 : 3, columns);
      return { name: `${kernel}(${parameters}) columns=${columns}`, given, build, reference: row };
    });
    const more = (name: string, given: Case["given"]) => ({
      name: `${kernel} ${name}`,
      given,
      build,
      reference: row,
    });
    if (/^(hinge|squaredHinge)$/.test(kernel)) {
      cases.push(more("of 0 and 1", [fixed(integers([3, 5], 8, 2)), numbers([3, 5], 9)]));
    }
    if (/^(binary|categorical)Crossentropy$/.test(kernel)) {
      const [labels, ends] = ["011100", "010010"].map((bits) =>
        fixed({ shape: [2, 3], data: [...bits].map(Number) }),
      );
      cases.push(more("at the ends of clipping", [labels, ends]));
    }
    return cases;
  }),
);

// A cross-entropy that is given what its probabilities are the softmax of, as a model gives it (graph/losses.ts).
const pastSoftmax = PAST_SOFTMAX.flatMap((kernel) => {
  const sparse = kernel.startsWith("sparse");
  return [1, 3, 5, 17].map((columns): Case => {
    const truth = sparse ? ids(integers([3], 8, columns)) : fixed(numbers([3, columns], 9, 0, 1));
    const parameters = sparse ? [] : [0.1];
    return {
      name: `${kernel} past softmax columns=${columns}`,
      given: [truth, numbers([3, columns], 10, -4, 4)],
      build: (b, [t, x]) => {
        const [p] = b.apply(ops.softmax, "softmax", [x], { logarithm: false });
        return b.apply(ops.loss, "loss", [t, p, x], { kernel, parameters });
      },
      reference: ([t, x]) => [reference.loss(t, reference.softmax(x), kernel, parameters)],
    };
  });
});
loss.push(...pastSoftmax);

const weightedSum = [1, 3, 17, 300].flatMap((n): Case[] =>
  [1, 0.25].map((gradientScale) => ({
    name: `n=${n} gradientScale=${gradientScale}`,
    given: [numbers([n], 1), fixed(numbers([n], 2))],
    build: (b, values) => b.apply(ops.weightedSum, "sum", values, { gradientScale }),
    reference: ([values, weights]) => [reference.weightedSum(values, weights)],
    scale: gradientScale,
  })),
);

const penalty = [1, 3, 17, 300].flatMap((n) =>
  [
    [0.5, 0, 1],
    [0, 0.25, 3],
    [0.25, 0.5, 5],
    [0, 0, 1],
  ].map(
    ([l1, l2, samples]): Case => ({
      name: `n=${n} ${show({ l1, l2, samples })}`,
      given: [numbers([n], n)],
      build: (b, values) => b.apply(ops.penalty, "penalty", values, { l1, l2, samples }),
      reference: ([x]) => [reference.penalty(x, l1, l2, samples)],
    }),
  ),
);

const orthogonality = (["rows", "columns"] as const).flatMap((mode) =>
  [
    [2, 2, 1],
    [2, 17, 1],
    [17, 3, 2],
    [5, 6, 3],
    [9, 1, 1],
  ]
    .filter(([rows, columns]) => (mode === "rows" ? columns : rows) > 1 && (mode === "rows" || columns > 1))
    .map(
      ([R, C, samples]): Case => ({
        name: `${mode} of [${R}, ${C}] samples ${samples}`,
        given: [numbers([R, C], R + C)],
        build: (b, values) =>
          b.apply(ops.orthogonality, "orthogonality", values, { factor: 0.75, mode, samples }),
        reference: ([x]) => [reference.orthogonality(x, 0.75, mode, samples)],
      }),
    ),
);

const maskedWeights = SIZES.flatMap(({ B, T }) =>
  (["none", "mean", "toOne"] as const).flatMap((scaling) =>
    [
      [B, T],
      [B, T, 3],
    ].map(
      (shape): Case => ({
        name: `${show({ B, T, scaling })} rank ${shape.length}`,
        given: [fixed(numbers(shape, 1, 0.25, 1)), ids(maskFor(B, T))],
        build: (b, values) => b.apply(ops.maskedWeights, "weights", values, { scaling }),
        reference: ([weights, mask]) => [reference.maskedWeights(weights, mask, scaling)],
      }),
    ),
  ),
);

// ----------------------------------------------------------------------------------------------------------- recurrences

/** Which inputs are there and which outputs are used, each of which the way back treats on its own. */
const USES = [
  { mask: false, initial: false, outputs: [0], bias: true },
  { mask: false, initial: true, outputs: [1], bias: false },
  { mask: true, initial: true, outputs: [0, 1, 2], bias: true },
  { mask: true, initial: false, outputs: [2, 1], bias: true },
];

/** The rows of x that a mask keeps, if there is one. */
function keptOf(b: Builder, x: Value, mask: Value | undefined) {
  if (!mask) return { x };
  const [rows, starts] = b.apply(ops.keptRows, "kept", [b.timeMajor(mask)], {});
  return { x: b.apply(ops.gatherRows, "kept", [x, rows, starts], {})[0], rows, starts };
}

/** Numbers of rows only where all are kept: what stands behind the last is undefined. */
const keptRows = [...SIZES, { U: 3, B: 5, T: 2 }].flatMap(({ B, T }) =>
  [true, false].map((all): Case => {
    const mask = all ? real([B, T], (i) => i + 1) : maskFor(B, T);
    return {
      name: `${all ? "all kept" : "holes"} B=${B} T=${T}`,
      given: [ids(mask)],
      build: (b, [value]) => b.apply(ops.keptRows, "kept", [b.timeMajor(value)], {}).slice(all ? 0 : 1),
      reference([given]) {
        const kept = (t: number) => Array.from({ length: B }, (_, b) => given.data[b * T + t] !== 0);
        const rows = real([T * B], (i) => i);
        const starts = real(
          [T + 1],
          (t) =>
            Array.from({ length: t }, (_, s) => kept(s))
              .flat()
              .filter(Boolean).length,
        );
        return all ? [rows, starts] : [starts];
      },
    };
  }),
);

/** A product over the kept rows only, and a recurrence that reads them. */
const gatherRows = [...SIZES, { U: 3, B: 5, T: 2 }].flatMap(({ U, B, T }) =>
  ["holes", "nothing kept"].map((what): Case => {
    const mask = what === "holes" ? maskFor(B, T) : real([B, T], () => 0);
    const project = (x: Real, kernel: Real, bias: Real) => reference.dense(x, kernel, bias);
    return {
      name: `${what} ${show({ U, B, T })}`,
      given: [numbers([B, T, 2], 1), numbers([2, U], 2), numbers([U], 3), numbers([U, U], 4), ids(mask)],
      build(b, [x, kernel, bias, R, maskValue]) {
        const kept = keptOf(b, b.timeMajor(x), maskValue);
        const [gates] = b.apply(ops.dense, "gates", [kept.x, kernel, bias, kept.starts], {});
        return b.apply(ops.simpleSequence, "simple", [gates, R, undefined, kept.rows, kept.starts], {});
      },
      reference: ([x, kernel, bias, R, kept]) => reference.simpleSequence(project(x, kernel, bias), R, kept),
    };
  }),
);

/** Cases of a recurrence; `run` takes gates, R, mask, initial states and bias, as far as they are there. */
function recurrence(
  name: string,
  op: Op,
  { gates: G, states, hasBias = false }: { gates: number; states: number; hasBias?: boolean },
  attributes: object,
  run: (gates: Real, R: Real, mask?: Real, initial?: Real, second?: Real) => Real[],
): Case[] {
  // Of the large sizes only the fullest use, to save time.
  const grid = [...SIZES, { U: 3, B: 5, T: 2 }].flatMap((sizes) =>
    USES.filter((use) => sizes.U < 17 || use.outputs.length === 3).map((use) => ({ ...sizes, ...use })),
  );
  return grid.map(({ U, B, T, mask, initial, outputs, bias }) => {
    const optional = [
      mask && ids(maskFor(B, T)),
      ...Array.from({ length: states }, (_, k) => initial && numbers([B, U], 5 + k)),
      ...(hasBias ? [bias && numbers([3 * U], 9)] : []),
    ];
    const used = outputs.filter((index) => index <= states);
    const pick = <V>(all: V[]) => used.map((index) => all[index]);
    const present = optional.flatMap((each) => (each ? [each] : []));
    // The optional inputs in their places.
    const spread = <V>(values: readonly V[]): (V | undefined)[] => {
      let next = 0;
      return optional.map((each) => (each ? values[next++] : undefined));
    };
    return {
      name: `${name} ${JSON.stringify(attributes)} ${show({ U, B, T, mask, initial, bias: hasBias && bias, outputs: used })}`,
      given: [numbers([B, T, G * U], 1), numbers([U, G * U], 2), ...present],
      build: (b, [gates, R, ...rest]) => {
        const [maskValue, ...others] = spread(rest);
        const { x, rows, starts } = keptOf(b, b.timeMajor(gates), maskValue);
        const withoutBias = op === gru && !hasBias ? [undefined] : [];
        return pick(b.apply(op, name, [x, R, ...others, ...withoutBias, rows, starts], attributes));
      },
      reference: ([gates, R, ...rest]) => pick(run(gates, R, ...spread(rest))),
    };
  });
}

const gru = ops.gruSequence as Op;
const gruSequence = [true, false].flatMap((resetAfter) =>
  recurrence(
    "gru",
    gru,
    { gates: 3, states: 1, hasBias: resetAfter },
    { resetAfter },
    (gates, R, mask, initial, bias) => reference.gruSequence(gates, R, { resetAfter, mask, initial, bias }),
  ),
);

// -------------------------------------------------------------------------------------------------------------- the walk

const cases: Record<string, Case[]> = {
  ...scanCases,
  ...normCases,
  ...axisCases,
  ...convCases,
  additiveScores,
  band,
  bothKept,
  keepScores,
  activation,
  dense,
  dropout: await dropoutCases(),
  embedding,
  gatherRows,
  keptRows,
  gruSequence,
  loss,
  lstmSequence: recurrence("lstm", ops.lstmSequence, { gates: 4, states: 2 }, {}, reference.lstmSequence),
  maskedWeights,
  orthogonality,
  penalty,
  reshape,
  reverse,
  simpleSequence: recurrence(
    "simple",
    ops.simpleSequence,
    { gates: 1, states: 1 },
    {},
    reference.simpleSequence,
  ),
  softmax,
  sparsemax,
  transpose,
  weightedSum,
};

for (const [name, op] of Object.entries(ops)) {
  test(`${name}: has cases, and its gradient is among them`, () => {
    assert.is(op.name, name);
    assert.ok(cases[name]?.length, `op ${name} needs cases in tests/ops.test.ts`);
    const none = NO_BACKWARD[name];
    assert.is(op.backward === undefined, none !== undefined, `backward of ${name}: ${none ?? "missing"}`);
    const checked = cases[name].some(({ given }) => given.some(check.wantsGradient));
    // A case of stopGradient has an input whose gradient comes another way.
    assert.is(
      checked,
      none === undefined || name === "stopGradient",
      `op ${name} needs a case with an input that wants a gradient`,
    );
  });
  for (const each of cases[name] ?? []) test(`${name}: ${each.name}`, () => check.checkOp(each));
}

test.run();
