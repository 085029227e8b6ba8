// padSequences against keras.utils.pad_sequences (tests/golden/keras_text.json), and what it refuses.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { type PadSequencesOptions, padSequences } from "../../src/data/sequence/padSequences.js";
import { type TensorLike, tensor } from "../../src/tensor.js";
import { readGolden } from "../support.js";

interface Case {
  sequences: TensorLike[];
  options: PadSequencesOptions;
  shape: number[];
  data: number[];
}
const { padding }: { padding: Case[] } = readGolden("keras_text.json");

test("Keras, every option", () => {
  assert.is(padding.length, 49);
  for (const { sequences, options, shape, data } of padding) {
    const padded = padSequences(sequences, options);
    const what = JSON.stringify({ sequences, options });
    assert.equal([...padded.shape], shape, what);
    assert.equal([...padded.data], data, what);
    assert.is(padded.dtype, options.dtype ?? "int32");
  }
});

test("typed arrays and tensors are sequences too", () => {
  const padded = padSequences([Int32Array.of(1, 2), tensor([3, 4, 5]), [6]], { value: -1 });
  assert.equal(padded.toArray(), [
    [-1, 1, 2],
    [3, 4, 5],
    [-1, -1, 6],
  ]);
});

const refusals: [string, () => unknown, RegExp][] = [
  ["no sequences", () => padSequences([]), /at least one sequence, got none\. .*give maxlen/],
  ["a flat list", () => padSequences([1, 2, 3]), /got 1 as sequence 0\. A single sequence goes into a list/],
  ["words", () => padSequences([[1], ["a"] as never]), /got 'a' at \[0\] in sequence 1/],
  [
    "other vectors",
    () => padSequences([[[1, 2]], [[1, 2, 3]]]),
    /shape \[2\] as in sequence 0, got .*\[3\] in sequence 1/,
  ],
  ["ragged vectors", () => padSequences([[[1, 2], [1]]]), /ragged array\) in sequence 0/],
  ["fractions as int32", () => padSequences([[0.5]]), /got 0\.5 .*in sequence 0\. Use dtype 'float32'/],
  [
    "a fraction to pad with",
    () => padSequences([[1]], { value: 0.5 }),
    /value: expected a number of dtype int32/,
  ],
  ["maxlen 0", () => padSequences([[1]], { maxlen: 0 }), /maxlen: expected a positive integer, got 0/],
  ["an unknown side", () => padSequences([[1]], { padding: "prev" as never }), /Did you mean 'pre'\?/],
  ["an unknown dtype", () => padSequences([[1]], { dtype: "float16" as never }), /Did you mean 'float32'\?/],
];
for (const [name, attempt, message] of refusals) {
  test(`refuses ${name}`, () => assert.throws(attempt, message));
}

test.run();
