// The Brown corpus of the example partOfSpeech: sentences, words and universal tags, against the counts that NLTK's reader and its
// mapping of tags give (nltk.corpus.brown, tagset="universal").
import { test } from "uvu";
import * as assert from "uvu/assert";
import { brown, universal } from "../../examples/partOfSpeech/corpora.js";

const COUNTS = {
  NOUN: 275558,
  VERB: 182750,
  ".": 147565,
  ADP: 144766,
  DET: 137019,
  ADJ: 83721,
  ADV: 56239,
  PRON: 49334,
  CONJ: 38151,
  PRT: 29829,
  NUM: 14874,
  X: 1386,
};

test("all sentences and words, and each tag as often as in NLTK, but for ten odd ones in a million", () => {
  const { training, validation, test: heldOut } = brown();
  const all = [...training, ...validation, ...heldOut];
  assert.is(all.length, 57340);
  assert.equal([training.length, validation.length, heldOut.length], [45872, 5734, 5734]);
  assert.is(
    all.reduce((sum, { words }) => sum + words.length, 0),
    1161192,
  );
  assert.ok(
    all.every(({ words, tags }) => words.length === tags.length && words.every((word) => word !== "")),
  );
  const found = new Map<string, number>();
  for (const { tags } of all) for (const tag of tags) found.set(tag, (found.get(tag) ?? 0) + 1);
  assert.equal([...found.keys()].sort(), Object.keys(COUNTS).sort());
  for (const [tag, count] of Object.entries(COUNTS))
    assert.ok(Math.abs(found.get(tag)! - count) <= 10, `${tag}: ${found.get(tag)} of ${count}`);
});

test("marks of titles, negation, compounds", () => {
  const cases: [string, string][] = [
    ["nn-tl", "NOUN"],
    ["at-hl", "DET"],
    ["dod*", "VERB"],
    ["*", "ADV"],
    ["ppss+bem", "PRT"],
    ["vb+ppo", "VERB"],
    ["fw-in+at-t", "X"],
    ["pp$", "DET"],
    ["pp$$", "PRON"],
    ["``", "."],
    ["--", "."],
  ];
  for (const [tag, wanted] of cases) assert.is(universal(tag), wanted, tag);
});

test("a few texts are spread over all kinds", () => {
  const few = brown({ texts: 5 });
  assert.ok(few.training.length > 200 && few.training.length < 1000, `${few.training.length}`);
});

test.run();
