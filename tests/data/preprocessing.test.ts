// Lookups, encodings and scalers against Keras (tests/golden/keras_data.json), and what they refuse.
import { test } from "uvu";
import * as assert from "uvu/assert";
import * as data from "../../src/data/index.js";
import { farmHash64 } from "../../src/data/preprocessing/farmHash.js";
import { sipHash64 } from "../../src/data/preprocessing/sipHash.js";
import { type Tensor, tensor } from "../../src/tensor.js";
import { assertClose, asTensor, type Numbers } from "../support.js";
import { camelOptions, golden, rejects } from "./golden.js";

function same(what: string, found: Tensor, expected: Numbers, tolerance = 1e-6): void {
  assert.equal([...found.shape], expected.shape, what);
  assertClose(what, found.data, expected.data, tolerance);
}

test("FarmHash64 and SipHash as TensorFlow's, for every length", () => {
  const { words, farm, sip } = golden.hashes;
  assert.ok(words.length > 70);
  const buckets = 2n ** 31n - 1n;
  words.forEach((word, i) => {
    const bytes = new TextEncoder().encode(word);
    assert.is(Number(farmHash64(bytes) % buckets), farm[i], `farm, ${word.length} bytes`);
    assert.is(Number(sipHash64(bytes, [2n ** 40n + 5n, 9n]) % buckets), sip[i], `sip, ${word.length} bytes`);
  });
});

/** Both under one type: the cases of the golden file hold strings or integers. */
const lookups = { StringLookup: data.StringLookup, IntegerLookup: data.IntegerLookup } as unknown as Record<
  string,
  { new (options: object): data.StringLookup; fromJSON(json: string): data.StringLookup }
>;

for (const expected of golden.lookups) {
  const { kind, options } = expected;
  test(`Keras' ${kind} ${JSON.stringify(options)}`, () => {
    const made = new lookups[kind](camelOptions(options));
    if (!options.vocabulary) made.adapt(expected.data as never);
    assert.equal(made.getVocabulary(), expected.vocabulary);
    assert.is(made.vocabularySize(), expected.vocabulary.length);
    for (const each of [made, lookups[kind].fromJSON(JSON.stringify(made))]) {
      same("a batch", each.apply(expected.asked as never), expected.answer);
      same("a row", each.apply(expected.asked[0] as never), expected.row);
      same("a scalar", each.apply((kind === "StringLookup" ? "d" : 42) as never), expected.scalar);
    }
  });
}

test("ids to keys, as Keras' invert", () => {
  const ids = [
    [0, 1, 2],
    [3, 4, 9],
  ];
  for (const { kind, options, keys } of golden.inverses) {
    const inverted = new lookups[kind]({ ...camelOptions(options), invert: true });
    assert.equal(inverted.keys(ids), keys);
    const direct = new lookups[kind](camelOptions(options));
    assert.equal(direct.inverse().keys(ids), keys);
    assert.equal(direct.keys(3), keys[1][0]);
  }
});

test("lookups adapt on batches that stream", async () => {
  async function* stream() {
    yield [["a", "b"]];
    yield [["b"], ["c"]];
  }
  const made = await data.StringLookup({ outputMode: "tfIdf" }).adapt(stream());
  assert.equal(made.getVocabulary(), ["[UNK]", "b", "c", "a"]);
  const whole = data.StringLookup({ outputMode: "tfIdf" }).adapt(new Set([[["a", "b"]], [["b"], ["c"]]]));
  assert.equal(whole.toJSON(), made.toJSON());
  const integers = data.IntegerLookup().adapt(new Int32Array([7, 7, 9]));
  assert.equal(integers.getVocabulary(), [-1, 7, 9]);
});

test("Keras' CategoryEncoding", () => {
  assert.ok(golden.encodings.length >= 10);
  for (const { mode, asked, weights, answer } of golden.encodings) {
    const made = data.CategoryEncoding({ numTokens: 4, outputMode: mode as "count" });
    same(JSON.stringify({ mode, asked }), made.apply(asked, weights && { countWeights: weights }), answer);
    assert.equal(data.CategoryEncoding.fromJSON(JSON.stringify(made)).getConfig(), made.getConfig());
  }
});

for (const [n, expected] of golden.normalizations.entries()) {
  test(`Keras' Normalization ${n}, axis ${JSON.stringify(expected.axis)}`, async () => {
    const given = asTensor(expected.data);
    const options = { axis: expected.axis, ...expected.given };
    const made = data.Normalization(options);
    if (!expected.given) made.adapt(given);
    same("apply", made.apply(given), expected.answer, 1e-5);
    assertClose("inverse of apply", made.inverse(made.apply(given)).data, given.data, 1e-6);
    const again = data.Normalization.fromJSON(JSON.stringify(made));
    assert.equal(again.apply(given), made.apply(given));
    if (!expected.mean || !expected.variance || !expected.inverse) return;
    assertClose("mean", made.mean!, expected.mean.data, 1e-6);
    assertClose("variance", made.variance!, expected.variance.data, 1e-6);
    const inverted = data.Normalization({ ...options, invert: true }).adapt(given);
    same("inverse", inverted.apply(given), expected.inverse, 1e-5);
  });
}

test("moments of batches are those of the whole, far from zero too", async () => {
  const { data: numbers } = golden.normalizations.find(({ data }) => data.shape.length === 3)!;
  const whole = asTensor({ ...numbers, data: numbers.data.map((value) => value + 1000) });
  const rows = whole.toArray(3);
  async function* stream() {
    yield rows.slice(0, 1);
    yield [rows.slice(1), "the targets do not count"];
  }
  const direct = data.Normalization().adapt(whole);
  const streamed = await data.Normalization().adapt(
    (async function* () {
      for await (const [x] of (async function* () {
        yield [rows.slice(0, 1), 0] as const;
        yield [rows.slice(1), 0] as const;
      })())
        yield { x, y: 0 };
    })(),
  );
  assertClose("mean", streamed.mean!, direct.mean!, 1e-12);
  assertClose("variance", streamed.variance!, direct.variance!, 1e-9);
  await rejects(() => data.Normalization().adapt(stream()), /numbers, got 'the targets do not count'/);
});

test("vectors that stream are samples", () => {
  const made = data.Normalization().adapt(new Set([Float32Array.of(1, 10), Float32Array.of(3, 30)]));
  assert.equal([...made.mean!], [2, 20]);
});

test("adapt takes a list of series of different lengths", () => {
  const parts = [
    tensor([
      [1, 10],
      [2, 20],
    ]),
    tensor([[6, 60]]),
  ];
  const whole = [
    [1, 10],
    [2, 20],
    [6, 60],
  ];
  assert.equal(
    data.Normalization().adapt(parts).apply(whole),
    data.Normalization().adapt(whole).apply(whole),
  );
  assert.equal(data.MinMaxScaler().adapt(parts).apply(whole), data.MinMaxScaler().adapt(whole).apply(whole));
  assert.equal(
    data
      .Normalization()
      .adapt([tensor([1, 10]), tensor([3, 30])])
      .apply([[2, 20]])
      .toArray(),
    [[0, 0]],
  );
});

for (const [n, expected] of golden.discretizations.entries()) {
  test(`Keras' Discretization ${n}`, async () => {
    const made = data.Discretization(camelOptions(expected.options));
    if (expected.batches && expected.boundaries) {
      const batches = expected.batches.map(asTensor);
      if (batches.length === 1) made.adapt(batches[0]);
      else
        await made.adapt(
          (async function* () {
            yield* batches;
          })(),
        );
      assertClose("boundaries", made.binBoundaries!, expected.boundaries, 1e-6);
      const again = data.Discretization.fromJSON(JSON.stringify(made));
      assert.equal(again.apply(batches[0]), made.apply(batches[0]));
    } else {
      const asked = asTensor(expected.asked!);
      same("answer", made.apply(asked), expected.answer!);
      const column = (asked.toArray() as number[][]).map(([first]) => [first]);
      same("column", made.apply(column), expected.column!);
    }
  });
}

test("Rescaling and back", () => {
  const made = data.Rescaling({ scale: 1 / 4, offset: -1 });
  assert.equal([...made.apply([0, 2, 8]).data], [-1, -0.5, 1]);
  const again = data.Rescaling.fromJSON(JSON.stringify(made));
  assert.equal([...again.inverse(again.apply([0, 2, 8])).data], [0, 2, 8]);
});

test("MinMaxScaler by feature and over all, clipped and not, and back", () => {
  const rows = [
    [0, 10, 5],
    [4, 30, 5],
  ];
  const made = data.MinMaxScaler({ featureRange: [-1, 1] }).adapt(rows);
  assert.equal(made.apply(rows).toArray(), [
    [-1, -1, -1],
    [1, 1, -1],
  ]);
  assert.equal(made.apply([[6, 20, 5]]).toArray(), [[2, 0, -1]]);
  assert.equal(made.inverse([[2, 0, -1]]).toArray(), [[6, 20, 5]]);
  const clipped = data.MinMaxScaler({ axis: null, clip: true }).adapt(new Set(rows));
  assert.equal(clipped.apply([15, 60, -5]).toArray(), [0.5, 1, 0].map(Math.fround));
  const again = data.MinMaxScaler.fromJSON(JSON.stringify(made));
  assert.equal(again.apply(rows), made.apply(rows));
});

const scaler = () => data.Normalization().adapt([[1, 2]]);
const refusals: [string, () => unknown, RegExp][] = [
  [
    "a number as string",
    () => data.StringLookup().adapt(["a", 3 as never]),
    /tokens \(strings\), got 3 at \[1\]/,
  ],
  ["ragged strings", () => data.StringLookup().adapt([["a"], ["a", "b"]]), /ragged array/],
  ["nothing to learn from", () => data.StringLookup().adapt([]), /at least one token/],
  ["a text as data", () => data.StringLookup().adapt("abc"), /in arrays, or batches of them/],
  ["apply before adapt", () => data.StringLookup().apply("a"), /a known vocabulary/],
  [
    "adapt with a vocabulary",
    () => data.StringLookup({ vocabulary: ["a"] }).adapt(["b"]),
    /without a vocabulary/,
  ],
  ["a key twice", () => data.IntegerLookup({ vocabulary: [1, 2, 1] }), /got 1 twice/],
  ["an empty vocabulary", () => data.IntegerLookup({ vocabulary: [] }), /an empty list/],
  ["the mask inside", () => data.IntegerLookup({ vocabulary: [1, 0], maskToken: 0 }), /only at the start/],
  [
    "the unknown key inside",
    () => data.StringLookup({ vocabulary: ["a", "?"], oovToken: "?", invert: true }),
    /'\?' only/,
  ],
  ["a fraction as integer", () => data.IntegerLookup({ vocabulary: [1.5] }), /integers, got 1\.5 at place 0/],
  [
    "numOovIndices -1",
    () => data.StringLookup({ numOovIndices: -1 }),
    /numOovIndices: expected an integer from 0/,
  ],
  [
    "unknown keys without an id",
    () => data.StringLookup({ vocabulary: ["a"], numOovIndices: 0 }).apply(["a", "b"]),
    /keys of the vocabulary only.*got 'b'/,
  ],
  ["a mode", () => data.StringLookup({ outputMode: "multihot" as never }), /Did you mean 'multiHot'\?/],
  ["invert of rows", () => data.StringLookup({ invert: true, outputMode: "count" }), /'int' where invert/],
  [
    "keys of rows",
    () => data.StringLookup({ vocabulary: ["a"], outputMode: "count" }).keys([0]),
    /outputMode 'int'/,
  ],
  ["apply of an inverse", () => data.StringLookup({ vocabulary: ["a"], invert: true }).apply("a"), /keys/],
  [
    "three axes",
    () => data.StringLookup({ vocabulary: ["a"], outputMode: "count" }).apply([[["a"]]]),
    /at most two axes/,
  ],
  ["salt without farmhash", () => data.IntegerLookup({ salt: 3 }), /salt: expected none, or oovMethod/],
  [
    "a billion ids of unknown keys",
    () => data.StringLookup({ numOovIndices: 1e9 }),
    /numOovIndices: expected an integer from 0 to 1000000/,
  ],
  ["a negative salt", () => data.StringLookup({ salt: -1 }), /salt: expected an integer, 0 or more/],
  [
    "an unknown oovMethod",
    () => data.IntegerLookup({ oovMethod: "md5" as never }),
    /'floormod' or 'farmhash'/,
  ],
  [
    "no numTokens",
    () => data.CategoryEncoding({} as never),
    /numTokens: expected a positive integer, got none/,
  ],
  [
    "an id too large",
    () => data.CategoryEncoding({ numTokens: 2 }).apply([0, 2]),
    /ids from 0 to 1, got 2 at flat/,
  ],
  [
    "weights without counts",
    () => data.CategoryEncoding({ numTokens: 2 }).apply([0], { countWeights: [1] }),
    /none with outputMode 'multiHot'/,
  ],
  [
    "weights of another shape",
    () => data.CategoryEncoding({ numTokens: 2, outputMode: "count" }).apply([0], { countWeights: [1, 2] }),
    /the ids' shape \[1\], got \[2\]/,
  ],
  ["mean alone", () => data.Normalization({ mean: 1 }), /mean and variance together, got mean alone/],
  ["other shapes", () => data.Normalization({ mean: [1], variance: [1, 2] }), /of one shape/],
  ["too many axes", () => data.Normalization({ mean: [[1]], variance: [[1]] }), /at most 1 axes/],
  ["a negative variance", () => data.Normalization({ mean: 1, variance: -1 }), /0 or more, got 1 and -1/],
  ["NaN as mean", () => data.Normalization({ mean: Number.NaN, variance: 1 }), /finite means/],
  ["an axis too far", () => data.Normalization({ axis: 2 }).adapt([[1]]), /from -2 to 1, got 2/],
  ["a fraction as axis", () => data.Normalization({ axis: 0.5 }), /axis: expected an integer, a list/],
  [
    "NaN in data",
    () => data.Normalization().adapt([[1], [Number.NaN]]),
    /finite numbers, got NaN at flat position 1/,
  ],
  ["no data", () => data.Normalization().adapt([]), /at least one number/],
  ["other features", () => scaler().apply([[1, 2, 3]]), /shape \[…, 2\], as before.*got \[1, 3\]/],
  ["another rank", () => scaler().apply([1, 2]), /shape \[…, 2\]/],
  ["apply before adapt", () => data.Normalization().apply([[1]]), /Call adapt\(data\) first/],
  [
    "adapt with mean",
    () => data.Normalization({ mean: 0, variance: 1 }).adapt([[1]]),
    /without mean and variance/,
  ],
  [
    "both",
    () => data.Discretization({ numBins: 2, binBoundaries: [1] }),
    /binBoundaries or numBins, got both/,
  ],
  ["neither", () => data.Discretization({}), /got neither/],
  [
    "descending boundaries",
    () => data.Discretization({ binBoundaries: [1, 0] }),
    /ascending, got 0 at place 1/,
  ],
  ["numBins 0", () => data.Discretization({ numBins: 0 }), /numBins: expected a positive/],
  ["epsilon 1", () => data.Discretization({ numBins: 2, epsilon: 1 }), /epsilon: expected a number in/],
  [
    "adapt with boundaries",
    () => data.Discretization({ binBoundaries: [1] }).adapt([1]),
    /made with numBins/,
  ],
  ["apply before adapt", () => data.Discretization({ numBins: 3 }).apply([1]), /known boundaries/],
  ["NaN", () => data.Discretization({ binBoundaries: [1] }).apply([Number.NaN]), /NaN at flat position 0/],
  ["NaN to adapt", () => data.Discretization({ numBins: 2 }).adapt([Number.NaN]), /finite numbers, got NaN/],
  ["no scale", () => data.Rescaling({} as never), /scale: expected a finite number/],
  ["back from scale 0", () => data.Rescaling({ scale: 0 }).inverse([1]), /a scale that is not 0/],
  ["a range backwards", () => data.MinMaxScaler({ featureRange: [1, 0] }), /two numbers, ascending/],
  ["apply before adapt", () => data.MinMaxScaler().apply([1]), /known ranges/],
  [
    "a state of another length",
    () => {
      const saved = scaler().toJSON();
      return data.Normalization.fromJSON({ ...saved, state: { ...saved.state, mean: [1] } });
    },
    /mean: expected 2 finite numbers, got \[1\]/,
  ],
  [
    "a state without a shape",
    () => data.MinMaxScaler.fromJSON({ className: "MinMaxScaler", config: {}, state: { low: [1] } }),
    /a rank and lengths/,
  ],
];
for (const [name, attempt, message] of refusals) {
  test(`refuses ${name}: ${message.source}`, () => rejects(attempt, message));
}

test.run();
