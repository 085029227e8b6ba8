// Tokenizer, hashing and n-grams against Keras and TensorFlow (tests/golden/keras_data.json), and what they refuse.
import { test } from "uvu";
import * as assert from "uvu/assert";
import * as text from "../../src/data/text/index.js";
import { assertClose } from "../support.js";
import { camelOptions, golden, rejects } from "./golden.js";

for (const expected of golden.tokenizers) {
  test(`Keras' Tokenizer ${JSON.stringify(expected.options)}`, () => {
    const made = new text.Tokenizer(camelOptions(expected.options));
    made.fitOnTexts(golden.texts).fitOnTexts([["Given", "tokens", "cat"]]);
    assert.equal([...made.wordIndex], expected.word_index);
    const sequences = made.textsToSequences(golden.asked);
    assert.equal(sequences, expected.sequences);
    assert.equal(made.sequencesToTexts([...sequences, [1, 2, 999]]), expected.texts);
    for (const mode of ["binary", "count", "tfidf", "freq"] as const) {
      const matrix = made.textsToMatrix(golden.asked, mode);
      assert.equal([...matrix.shape], expected.matrices[mode].shape);
      assertClose(mode, matrix.data, expected.matrices[mode].data, 1e-6);
    }
    assert.is(made.toJson(), expected.json);
  });

  test(`a Tokenizer from Keras' JSON ${JSON.stringify(expected.options)}`, () => {
    const read = text.tokenizerFromJson(expected.json);
    assert.equal(read.textsToSequences(golden.asked), expected.sequences);
    assert.is(read.toJson(), expected.json);
    const again = text.Tokenizer.fromJSON(JSON.stringify(read));
    assert.is(again.toJson(), expected.json);
    // What is counted afterwards falls into the same order.
    const made = new text.Tokenizer(camelOptions(expected.options));
    made.fitOnTexts(golden.texts).fitOnTexts([["Given", "tokens", "cat"]]);
    const more = ["2013 12 sat dog mat new 12"];
    assert.equal([...read.fitOnTexts(more).wordIndex], [...made.fitOnTexts(more).wordIndex]);
  });
}

test("an analyzer takes the place of filters, lower and split", () => {
  const made = text.Tokenizer({ analyzer: (line) => line.split("-") }).fitOnTexts(["A-b-b", "c d"]);
  assert.equal([...made.wordIndex.keys()], ["b", "A", "c d"]);
});

test("texts that stream by give the same words", async () => {
  async function* stream() {
    yield* golden.texts;
  }
  const made = await new text.Tokenizer().fitOnTexts(stream());
  assert.is(made.toJson(), new text.Tokenizer().fitOnTexts(golden.texts).toJson());
});

test("fitOnSequences counts documents", () => {
  const made = new text.Tokenizer({ numWords: 4 }).fitOnSequences([[1, 1, 2], [2]]);
  const [, one, two] = made.sequencesToMatrix([[1, 2, 2, 9]], "tfidf").data;
  assertClose("1", [one], [Math.log(1 + 2 / 2)]);
  assertClose("2", [two], [(1 + Math.log(2)) * Math.log(1 + 2 / 3)]);
});

test("hashing by md5, as Keras", () => {
  assert.ok(golden.hashing.length >= 15);
  for (const { text: line, n, ids, words } of golden.hashing) {
    assert.equal(text.hashingTrick(line, n, { hashFunction: "md5" }), ids);
    assert.equal(text.hashingTrick(line, n), ids);
    assert.equal(text.oneHot(line, n), ids);
    assert.equal(text.textToWordSequence(line), words);
  }
});

test("hashing by a function of one's own, of numbers and of bigints", () => {
  const far = (word: string) =>
    [...word].reduce((sum, c) => sum * 65_537n + BigInt(c.codePointAt(0)!), 1n << 200n);
  const [id] = text.hashingTrick("Wort", 1000, { hashFunction: far });
  assert.is(id, Number(far("wort") % 999n) + 1);
  assert.equal(text.hashingTrick("a bb", 3, { hashFunction: (word) => word.length }), [2, 1]);
});

test("a word that stands for unknown ones and is one keeps its later id", () => {
  const made = new text.Tokenizer({ oovToken: "b" }).fitOnTexts(["a a b"]);
  assert.equal(
    [...made.wordIndex],
    [
      ["b", 3],
      ["a", 2],
    ],
  );
});

test("n-grams as tf.strings.ngrams", () => {
  assert.ok(golden.ngrams.length >= 72);
  for (const { tokens, width, options, ngrams } of golden.ngrams) {
    const what = JSON.stringify({ tokens, width, options });
    assert.equal(text.ngrams(tokens, width, camelOptions(options)), ngrams, what);
  }
});

const fitted = () => new text.Tokenizer().fitOnTexts(["a b"]);
const refusals: [string, () => unknown, RegExp][] = [
  ["no texts", () => new text.Tokenizer().fitOnTexts([]), /at least one word, got no texts/],
  ["texts without words", () => new text.Tokenizer().fitOnTexts(["", "!"]), /got none in 2 texts/],
  ["one text", () => new text.Tokenizer().fitOnTexts("abc"), /Put a single text into a list/],
  ["a number among texts", () => new text.Tokenizer().fitOnTexts(["a", 3 as never]), /got 3 in row 1/],
  [
    "a number in textsToSequences",
    () => fitted().textsToSequences(["a", null as never]),
    /got null in row 1/,
  ],
  [
    "textsToSequences before fitting",
    () => new text.Tokenizer().textsToSequences(["a"]),
    /Call fitOnTexts first/,
  ],
  ["numWords 0", () => new text.Tokenizer({ numWords: 0 }), /numWords: expected a positive integer, got 0/],
  ["numWords NaN", () => new text.Tokenizer({ numWords: Number.NaN }), /numWords: expected a positive/],
  ["an empty split", () => new text.Tokenizer({ split: "" }), /charLevel: true/],
  ["a mode", () => fitted().textsToMatrix(["a"], "tf-idf" as never), /Did you mean 'tfidf'\?/],
  [
    "a matrix before fitting",
    () => new text.Tokenizer().sequencesToMatrix([[1]]),
    /numWords, or a tokenizer/,
  ],
  [
    "tfidf before fitting",
    () => new text.Tokenizer({ numWords: 3 }).sequencesToMatrix([[1]], "tfidf"),
    /fitted/,
  ],
  ["a negative id", () => fitted().sequencesToMatrix([[1, -1]]), /ids: integers, 0 or more, got -1 in row 0/],
  ["a flat sequence", () => fitted().sequencesToTexts([1, 2] as never), /got 1 in row 0/],
  [
    "a wrong analyzer",
    () => new text.Tokenizer({ analyzer: (() => "a") as never }).fitOnTexts(["a"]),
    /return an array/,
  ],
  [
    "JSON of something else",
    () => text.tokenizerFromJson('{"class_name": "Other"}'),
    /the JSON of a Tokenizer/,
  ],
  ["broken JSON", () => text.tokenizerFromJson("{"), /fromJson: expected JSON/],
  [
    "a broken table",
    () => text.tokenizerFromJson(fitted().toJson().replace('{\\"a\\": 1', '{\\"a\\": -1')),
    /fromJson: word_counts, 'a': expected an integer, 0 or more, got -1/,
  ],
  ["hashing into one id", () => text.hashingTrick("a", 1), /n: expected an integer from 2/],
  ["hashing a number", () => text.hashingTrick(3 as never, 5), /a text \(string\), got 3/],
  [
    "Python's hash",
    () => text.hashingTrick("a", 5, { hashFunction: "hash" as never }),
    /changes from run to run/,
  ],
  ["a hash below 0", () => text.hashingTrick("a", 5, { hashFunction: () => -1 }), /got -1 for 'a'/],
  ["n-grams of width 0", () => text.ngrams(["a"], 0), /width: expected a positive integer or a list/],
  ["n-grams of a text", () => text.ngrams("ab" as never, 2), /a list of tokens \(strings\), got 'ab'/],
  ["n-grams of numbers", () => text.ngrams(["a", 1 as never], 2), /got 1 at place 1/],
  [
    "one pad of two",
    () => text.ngrams(["a"], 2, { padValues: ["<"] as never }),
    /padValues: expected a token, or two/,
  ],
  [
    "a negative padding",
    () => text.ngrams(["a"], 2, { paddingWidth: -1 }),
    /paddingWidth: expected an integer, 0/,
  ],
];
for (const [name, attempt, message] of refusals) {
  test(`refuses ${name}`, () => rejects(attempt, message));
}

test.run();
