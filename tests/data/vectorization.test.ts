// TextVectorization against Keras (tests/golden/keras_text.json), and what it refuses.
// Not here: padSequences (sequence.test.ts).
import { test } from "uvu";
import * as assert from "uvu/assert";
import * as text from "../../src/data/text/index.js";
import { readGolden } from "../support.js";

interface Case {
  options: Record<string, unknown>;
  vocabulary: string[];
  size: number;
  shape: number[];
  rows: number[][];
  single: number[];
}
const golden: { texts: string[]; asked: string[]; vectorization: Record<string, Case> } =
  readGolden("keras_text.json");

const camel = (name: string) => name.replace(/_[a-z]/g, (letter) => letter[1].toUpperCase());
const optionsOf = ({ options }: Case) =>
  Object.fromEntries(
    Object.entries(options).map(([name, value]) => [
      camel(name),
      name === "output_mode" ? camel(value as string) : value,
    ]),
  ) as text.TextVectorizationOptions;

/** A golden row is its width, then position and value of all that is not zero. */
function dense([width, ...pairs]: number[]): number[] {
  const out = new Array<number>(width).fill(0);
  for (let i = 0; i < pairs.length; i += 2) out[pairs[i]] = pairs[i + 1];
  return out;
}

function close(actual: ArrayLike<number>, expected: number[], what: string): void {
  assert.is(actual.length, expected.length, what);
  for (let i = 0; i < expected.length; i++) {
    const off = Math.abs(actual[i] - expected[i]);
    assert.ok(off <= 1e-6 * Math.abs(expected[i]), `${what} at ${i}: ${actual[i]}, Keras ${expected[i]}`);
  }
}

for (const [name, expected] of Object.entries(golden.vectorization)) {
  test(`Keras: ${name}`, () => {
    const options = optionsOf(expected);
    const layer = new text.TextVectorization(options);
    if (!options.vocabulary) layer.adapt(golden.texts);
    assert.equal(layer.getVocabulary(), expected.vocabulary);
    assert.is(layer.vocabularySize(), expected.size);
    const rows = layer.apply(golden.asked);
    assert.equal([...rows.shape], expected.shape);
    assert.is(rows.dtype, (options.outputMode ?? "int") === "int" ? "int32" : "float32");
    const width = expected.shape[1];
    expected.rows.forEach((row, r) => {
      close(rows.data.subarray(r * width, (r + 1) * width), dense(row), `row ${r}`);
    });
    const single = layer.apply(golden.asked[0]);
    close(single.data, dense(expected.single), "single text");
    assert.equal([...single.shape], [expected.single[0]]);
  });
}

test("decomposed Hangul and accents count as their composed forms", () => {
  const decomposed = golden.texts.map((line) => line.normalize("NFD"));
  const layer = new text.TextVectorization().adapt(decomposed);
  assert.equal(layer.getVocabulary(), golden.vectorization.defaults.vocabulary);
  const given = new text.TextVectorization({ vocabulary: ["한국어".normalize("NFD")] });
  assert.equal(given.apply(["한국어", "한국어".normalize("NFD")]).toArray(), [[2], [2]]);
});

test("an async iterable gives the same vocabulary, as a promise", async () => {
  async function* stream() {
    yield* golden.texts;
  }
  const layer = await text.TextVectorization({ outputMode: "tf_idf" }).adapt(stream());
  const direct = text.TextVectorization({ outputMode: "tfIdf" }).adapt(golden.texts);
  assert.ok(layer instanceof text.TextVectorization);
  assert.equal(layer.getVocabulary(), direct.getVocabulary());
  assert.equal(layer.getIdfWeights(), direct.getIdfWeights());
});

test("adapting again forgets what was learned before", () => {
  const layer = text.TextVectorization().adapt(["a b"]).adapt(["c"]);
  assert.equal(layer.getVocabulary({ includeSpecialTokens: false }), ["c"]);
});

test("functions standardize and split", () => {
  const layer = text.TextVectorization({
    standardize: (line) => line.replaceAll("!", ""),
    split: (line) => line.split("-"),
  });
  assert.equal(layer.adapt(["A-b!-b", "--"]).getVocabulary(), ["", "[UNK]", "b", "A"]);
  assert.equal(layer.apply(["b-!-A-a"]).toArray(), [[2, 0, 3, 1]]);
});

test("weights and vocabulary travel to another TextVectorization", () => {
  const from = text.TextVectorization({ outputMode: "tfIdf", maxTokens: 9 }).adapt(golden.texts);
  const to = text.TextVectorization({
    outputMode: "tfIdf",
    vocabulary: from.getVocabulary(),
    idfWeights: from.getIdfWeights(),
  });
  assert.equal(to.apply(golden.asked), from.apply(golden.asked));
});

test("Keras' names of standardize and split, in both spellings", () => {
  for (const standardize of ["lowerAndStripPunctuation", "lower_and_strip_punctuation"] as const) {
    assert.equal(text.TextVectorization({ standardize }).adapt(["A! a"]).getVocabulary(), ["", "[UNK]", "a"]);
  }
  for (const standardize of ["stripPunctuation", "strip_punctuation"] as const) {
    assert.equal(text.TextVectorization({ standardize }).adapt(["A!"]).getVocabulary(), ["", "[UNK]", "A"]);
  }
});

test("batches of texts are texts", async () => {
  async function* stream() {
    yield golden.texts.slice(0, 4);
    yield golden.texts.slice(4);
  }
  const made = await text.TextVectorization({ outputMode: "tfIdf" }).adapt(stream());
  const direct = text.TextVectorization({ outputMode: "tfIdf" }).adapt(golden.texts);
  assert.equal(made.getIdfWeights(), direct.getIdfWeights());
});

test("a column of texts is a list of texts", () => {
  const made = text.TextVectorization().adapt(golden.texts);
  assert.equal(made.apply(golden.asked.map((line) => [line])), made.apply(golden.asked));
});

test("sequences have their own lengths, up to outputSequenceLength", () => {
  const made = text.TextVectorization({ outputSequenceLength: 2, vocabulary: ["a", "b"] });
  assert.equal(made.sequences(["a", "", "b x a"]), [Int32Array.of(2), Int32Array.of(), Int32Array.of(3, 1)]);
});

test("JSON brings back options, vocabulary and weights; an adapted one can be adapted again", () => {
  for (const expected of Object.values(golden.vectorization)) {
    const options = optionsOf(expected);
    const made = new text.TextVectorization(options);
    assert.equal(text.TextVectorization.fromConfig(made.getConfig()).getConfig(), made.getConfig());
    if (!options.vocabulary) made.adapt(golden.texts);
    const again = text.TextVectorization.fromJSON(JSON.stringify(made));
    assert.equal(again.getVocabulary(), made.getVocabulary());
    assert.equal(again.apply(golden.asked), made.apply(golden.asked));
    if (!options.vocabulary) assert.is.not(again.adapt(["x y z"]).vocabularySize(), made.vocabularySize());
  }
});

const refusals: [string, () => unknown, RegExp][] = [
  ["no texts", () => text.TextVectorization().adapt([]), /adapt: expected at least one token, got no texts/],
  ["no tokens", () => text.TextVectorization().adapt(["", "!"]), /got none in 2 texts/],
  [
    "one string",
    () => text.TextVectorization().adapt("abc" as never),
    /got 'abc'\. Put a single text into a list/,
  ],
  [
    "a number among texts",
    () => text.TextVectorization().adapt(["a", 3 as never]),
    /texts \(strings\), got 3 in row 1/,
  ],
  [
    "a hole",
    () => text.TextVectorization({ vocabulary: ["a"] }).apply(["a", null as never]),
    /got null in row 1/,
  ],
  [
    "apply before adapt",
    () => text.TextVectorization().apply("a"),
    /known vocabulary, got none yet\. Call adapt/,
  ],
  [
    "adapt with a vocabulary",
    () => text.TextVectorization({ vocabulary: ["a"] }).adapt(["a"]),
    /without a vocabulary/,
  ],
  [
    "a wrong mode",
    () => text.TextVectorization({ outputMode: "multihot_" as never }),
    /Did you mean 'multiHot'\?/,
  ],
  [
    "a wrong split",
    () => text.TextVectorization({ split: "white_space" as never }),
    /Did you mean 'whitespace'\?/,
  ],
  ["an inherited name", () => text.TextVectorization({ split: "toString" as never }), /split: expected/],
  ["ngrams 0", () => text.TextVectorization({ ngrams: 0 }), /ngrams: expected a positive integer or a list/],
  [
    "ngrams of a billion",
    () => text.TextVectorization({ ngrams: 1e9 }),
    /ngrams: expected a width of at most 1000/,
  ],
  ["maxTokens 2", () => text.TextVectorization({ maxTokens: 2 }), /more than the 2 special tokens, got 2/],
  [
    "padding to nothing",
    () => text.TextVectorization({ padToMaxTokens: true, outputMode: "count" }),
    /maxTokens: /,
  ],
  [
    "a length for counts",
    () => text.TextVectorization({ outputMode: "count", outputSequenceLength: 3 }),
    /none with/,
  ],
  ["an empty vocabulary", () => text.TextVectorization({ vocabulary: [] }), /got an empty list/],
  [
    "a token twice",
    () => text.TextVectorization({ vocabulary: ["a", "b", "a"] }),
    /each token once, got 'a' twice/,
  ],
  [
    "padding inside",
    () => text.TextVectorization({ vocabulary: ["a", ""] }),
    /only at the start.*got '' at place 1/,
  ],
  [
    "too many tokens",
    () => text.TextVectorization({ vocabulary: ["a", "b"], maxTokens: 3 }),
    /maxTokens = 3.*got 4/,
  ],
  [
    "weights missing",
    () => text.TextVectorization({ vocabulary: ["a"], outputMode: "tfIdf" }),
    /1 weights.*got none/,
  ],
  [
    "weights alone",
    () => text.TextVectorization({ idfWeights: [1], outputMode: "tfIdf" }),
    /a vocabulary they belong to/,
  ],
  [
    "weights elsewhere",
    () => text.TextVectorization({ vocabulary: ["a"], idfWeights: [1] }),
    /none with outputMode 'int'/,
  ],
  [
    "special tokens alone",
    () => text.TextVectorization({ vocabulary: ["", "[UNK]"] }),
    /tokens behind the special ones, got none/,
  ],
  ["a path as vocabulary", () => text.TextVectorization({ vocabulary: "words.txt" as never }), /Read a file/],
  [
    "NaN as a weight",
    () => text.TextVectorization({ vocabulary: ["a"], idfWeights: [Number.NaN], outputMode: "tfIdf" }),
    /finite numbers, got NaN at place 0/,
  ],
  ["sparse rows", () => text.TextVectorization({ sparse: true as never }), /sparse: expected false/],
  ["ragged rows", () => text.TextVectorization({ ragged: true as never }), /sequences\(texts\)/],
  ["a negative maxTokens", () => text.TextVectorization({ maxTokens: -3 }), /maxTokens: expected a positive/],
  [
    "NaN as maxTokens",
    () => text.TextVectorization({ maxTokens: Number.NaN }),
    /maxTokens: expected a positive/,
  ],
  [
    "sequences of counts",
    () => text.TextVectorization({ outputMode: "count", vocabulary: ["a"] }).sequences(["a"]),
    /sequences: expected outputMode 'int'/,
  ],
  [
    "functions in JSON",
    () => text.TextVectorization({ split: (line) => [line] }).toJSON(),
    /split: .*a function/,
  ],
  [
    "JSON of another class",
    () => text.TextVectorization.fromJSON('{"className":"A","config":{}}'),
    /got one of 'A'/,
  ],
  ["JSON that is none", () => text.TextVectorization.fromJSON("["), /fromJSON: expected JSON/],
  [
    "JSON without options",
    () => text.TextVectorization.fromJSON("{}"),
    /what TextVectorization.toJSON gives/,
  ],
  [
    "a split that returns text",
    () => text.TextVectorization({ split: ((line: string) => line) as never }).adapt(["a"]),
    /split: expected the function to return an array of strings, got 'a' for row 0/,
  ],
];
for (const [name, attempt, message] of refusals) {
  test(`refuses ${name}`, () => assert.throws(attempt, message));
}

test("refuses a number in a stream of texts", async () => {
  async function* stream() {
    yield "a";
    yield 3 as never;
  }
  try {
    await text.TextVectorization().adapt(stream());
    assert.unreachable();
  } catch (error) {
    assert.match(String(error), /got 3 in row 1/);
  }
});

test.run();
